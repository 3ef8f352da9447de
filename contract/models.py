"""examples/dbt by dbt-core and dbt-duckdb, unmodified, in an environment of their own: `python -m contract.models`.

dbt builds the models of a made-up export and runs their tests: all have to pass. Then a campaign's spend is changed,
and the test that compares campaigns with their account has to fail. Ends with 1 where that is not so, or nothing was
run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb

from adweir.insight.curated.layout import CuratedTable, tables
from contract.clients import HERE
from contract.environments import NotInstalled, Tool, interpreter

DBT = Tool("dbt-duckdb")
HOME = HERE.parent / ".contract"
DRIVER = HERE / "drivers" / "dbt_models.py"
PROJECT = HERE.parent / "examples" / "dbt"
COMPARES = "campaigns_add_up_to_accounts"
_PASSED = frozenset({"success", "pass"})
_SECONDS = 300
_MONTH = "2026-11"
_ACCOUNT = Decimal("3.000001")


class ModelsFailed(Exception):
    """dbt gave up; the text is the end of what it said."""


def export(folder: Path, *, wrong: bool) -> None:
    """A folder as `adweir export` makes it: an ad account of two campaigns and what they leave; `wrong`: too much."""
    table = tables(("meta_ads",))["metrics"]
    spent = (("c1", "1.5"), ("c2", "1.000001"), (None, "0.5" if not wrong else "0.6"))
    _put(folder, table, "account", [(None, _ACCOUNT)])
    _put(folder, table, "campaign", [(campaign, Decimal(spend)) for campaign, spend in spent])


def _put(folder: Path, table: CuratedTable, level: str, rows: list[tuple[str | None, Decimal]]) -> None:
    key = table.key(("meta_ads", level, "day", _MONTH), "act_1").removeprefix("curated/")
    target = folder / key
    target.parent.mkdir(parents=True)
    known = {"date": f"{_MONTH}-01", "account_id": "act_1", "currency": "EUR", "clicks": 2, "revenue": Decimal(9)}
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE made ({', '.join(f'{name} {kind}' for name, kind in table.columns.items())})")
        for campaign, spend in rows:
            row = known | {"campaign_id": campaign, "spend": spend, "unattributed": campaign is None}
            values = [row.get(name) for name in table.columns]
            connection.execute(f"INSERT INTO made VALUES ({', '.join('?' * len(values))})", values)
        connection.table("made").write_parquet(str(target))


def build(python: Path, folder: Path, warehouse: Path) -> dict[str, str]:
    """What dbt says of each model and test of the project over an export. Raises ModelsFailed."""
    project = folder / "project"
    shutil.copytree(PROJECT, project)
    told = {"ADWEIR_EXPORT": str(warehouse), "ADWEIR_DBT_FILE": str(folder / "made.duckdb")}
    done = subprocess.run(
        [str(python), str(DRIVER), str(project)],
        env=os.environ | told,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise ModelsFailed((done.stderr or done.stdout).strip()[-800:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """The process's exit code."""
    try:
        python = interpreter(DBT, HOME)
    except NotInstalled as missing:
        print(f"not run: {missing}")
        return 1
    is_right = True
    for wrong in (False, True):
        with tempfile.TemporaryDirectory() as place:
            export(Path(place) / "warehouse", wrong=wrong)
            found = build(python, Path(place), Path(place) / "warehouse")
        failed = {name for name, status in found.items() if status not in _PASSED}
        is_right = is_right and COMPARES in found and failed == ({COMPARES} if wrong else set())
        what = "a campaign's spend is changed" if wrong else "an export as it is"
        print(
            f"{what}: {len(found) - len(failed)} of {len(found)} passed; failed: {', '.join(sorted(failed)) or 'none'}"
        )
    print("dbt says what it has to." if is_right else "WRONG")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
