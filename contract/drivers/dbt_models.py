"""dbt builds a project and runs its tests: `dbt_models.py PROJECT`. The last line is a JSON list of [name, status]."""

from __future__ import annotations

import json
import sys

from dbt.cli.main import dbtRunner


def main(project: str) -> int:
    """0 where dbt could say of each model and test how it ended, whether well or not."""
    place = ["--project-dir", project, "--profiles-dir", project]
    done = dbtRunner().invoke(["build", *place, "--no-use-colors", "--quiet", "--no-send-anonymous-usage-stats"])
    if done.exception is not None or done.result is None:
        print(done.exception, file=sys.stderr)
        return 1
    print()
    print(json.dumps([[each.node.name, str(each.status)] for each in done.result.results]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
