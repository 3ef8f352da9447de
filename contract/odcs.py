"""Check what others read against its Open Data Contracts, by datacontract-cli: `python -m contract.odcs`.

The demonstration runs in a sandbox of its own. What the API answers there, and what it exports as CSV, is written into
a folder beside the contracts; datacontract-cli, unmodified and in an environment of its own, has to pass it, and to
fail on each breach that is planted. Ends with 1 when it does not.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from adweir.model.times import first_of_month
from adweir.reporting.report_names import METRICS
from contract.clients import HERE
from contract.demonstrated import demonstrated
from contract.environments import NotInstalled, Tool, interpreter
from ops.client import Api
from ops.contracts import REPORT_DIMENSIONS, DataContract, cells, contracts, type_of, write

HOME = HERE.parent / ".contract"
_CHECK_SECONDS = 600
_BILLED_MONTHS = 2
"""A month is billed when it is over."""
_CHECKER = Tool("datacontract-cli", "[duckdb]")
"""CSV is the form whose types it checks as it reads them."""
_REPORT = "campaign_report"
_BREACHED = ("campaign_performance", "account_performance", "invoices", _REPORT)
"""What breaches are planted in: one of each kind."""
Table = list[list[str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m contract.odcs", description=__doc__)
    parser.add_argument("--sandbox", type=Path, help="the sandbox.json of one that runs; default: the demonstration's")
    given = parser.parse_args(arguments).sandbox
    folder = HOME / "odcs"
    try:
        python = interpreter(_CHECKER, HOME)
    except NotInstalled as missing:
        print(f"not checked: {missing}")
        return 1
    with demonstrated(folder / "home", given) as door:
        tables = dict(_tables(Api(*door)))
    return _report(list(_checked(python, folder / "checks", tables)))


def breaches(contract: DataContract, table: Table) -> Iterator[tuple[str, Table]]:
    """The table with one fault each: what is wrong, and the table."""
    head, *rows = table
    numbers = [place for place, name in enumerate(head) if type_of(name) in {"number", "integer"}]
    shown = next(row for row in rows if row[numbers[0]] not in {"", "0"} and not _is_rest(head, row))
    required = head.index(min(contract.required - {"currency"}))
    spend = next((head.index(name) for name in ("spend", "daily_spend") if name in head), None)
    yield "a row comes twice", [*table, shown]
    yield "a number is a word", [*table, _with(shown, numbers[0], "many")]
    yield "a required cell is empty", [*table, _with(shown, required, "")]
    yield "a currency is a word", [*table, _with(shown, head.index("currency"), "euros")]
    if spend is not None:
        yield "a spend is negative", [head, *([_with(row, spend, "-1") if row is shown else row for row in rows])]
        yield "a spend is no number", [head, *([_with(row, spend, "nan") if row is shown else row for row in rows])]
    yield "a platform is a title", [*table, _with(shown, head.index("platform"), "Meta Ads")]
    for name, word in (("ctr", "77"), ("daily_ctr", "77"), ("kind", "stuff"), (contract.own_id, "")):
        if name in head:
            changed = _with(shown, head.index(name), word)
            yield f"{name} is {word or 'empty'}", [head, *(changed if row is shown else row for row in rows)]


def _checked(python: Path, folder: Path, tables: Mapping[str, Table]) -> Iterator[tuple[str, str, bool, str]]:
    """Contract, what is planted ("" for nothing), whether it came out as it has to, and the checker's words."""
    write(folder)
    cases = []
    for contract in contracts():
        table = tables.get(contract.name)
        if table is None or len(table) == 1:
            continue
        planted = breaches(contract, table) if contract.name in _BREACHED else ()
        for number, (fault, content) in enumerate([("", table), *planted]):
            place = folder / f"{contract.name}.{number}"
            place.mkdir(parents=True, exist_ok=True)
            with (place / f"{contract.name}.csv").open("w", newline="") as file:
                csv.writer(file).writerows(content)
            cases.append((contract.name, fault, place))
    driver = [str(python), str(HERE / "drivers" / "datacontract_cli.py")]
    asked = json.dumps([[str(folder / f"{name}.odcs.yaml"), str(place)] for name, _, place in cases])
    done = subprocess.run(driver, input=asked, capture_output=True, text=True, check=False, timeout=_CHECK_SECONDS)
    if done.returncode:
        raise SystemExit(f"the driver failed: {done.stderr[-2000:]}")
    for (name, fault, _), (result, why) in zip(cases, json.loads(done.stdout.splitlines()[-1]), strict=True):
        yield name, fault, (result == "passed") == (not fault), f"{result} {why}".strip()


def _report(found: Sequence[tuple[str, str, bool, str]]) -> int:
    for name, fault, is_right, words in found:
        print(f"{'ok   ' if is_right else 'WRONG'} {name:<44} {fault or 'as it is':<26} {words[:160]}")
    right = sum(is_right for _, _, is_right, _ in found)
    print(f"\n{right} of {len(found)} came out as they have to.")
    return 0 if found and right == len(found) else 1


def _tables(api: Api) -> Iterator[tuple[str, Table]]:
    """What the API answers, as tables: header and rows of text."""
    profiles = api.get("/api/v1/profiles")["profiles"]
    last = max(day["date"] for day in api.get("/api/v1/coverage", platform=profiles[0]["platform"])["coverage"])
    days = {"start": f"{last[:8]}01", "end": last}
    before = first_of_month(date.fromisoformat(last), -_BILLED_MONTHS).isoformat()
    for contract in contracts():
        if contract.name != _REPORT:
            asked = days if "date" in contract.columns else {**days, "start": before}
            records = api.records(contract.name, {"date_range": asked})
            yield (
                contract.name,
                [list(contract.columns), *([_text(value) for value in row] for row in cells(contract, records))],
            )
    body = {
        "name": _REPORT,
        "time_range": {"start_date": days["start"], "end_date": days["end"]},
        "dimensions": [{"name": name} for name in REPORT_DIMENSIONS],
        "metrics": [{"name": name} for name in METRICS],
        "format": "csv",
    }
    yield _REPORT, list(csv.reader(io.StringIO(api.post_text("/api/v1/reports", body))))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _is_rest(head: Sequence[str], row: Sequence[str]) -> bool:
    return "unattributed" in head and row[head.index("unattributed")] == "true"


def _with(row: Sequence[str], place: int, value: str) -> list[str]:
    return [value if at == place else cell for at, cell in enumerate(row)]


if __name__ == "__main__":
    sys.exit(main())
