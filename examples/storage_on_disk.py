"""Keep what was pulled in a folder, and go on with it another time: also after the script was stopped amid a run.

    .venv/bin/python examples/storage_on_disk.py FOLDER

The folder never holds a credential: connect it each time.
"""

from __future__ import annotations

import sys

import adweir
from sandbox.playground import playground


def main(folder: str) -> None:
    with playground() as made_up:
        with adweir.local(folder, urls=made_up.urls, history_days=7) as system:
            system.connect("google_ads", **made_up.credential("google_ads"))
            for run in system.resume():  # what an earlier process left open
                print(f"{run['run_id']}, left open, {run['state']}")
            run = system.run("account")
            print(f"{run['run_id']} {run['state']}: {run['rows_stored']} rows stored")

        with adweir.local(folder) as again:  # reading needs no credential and no platform
            (total,) = again.report(["spend", "conversions"])["totals"]
            print(f"spent {total['spend']} {total['currency']}, {len(again.runs())} runs")


if __name__ == "__main__":
    main(sys.argv[1])
