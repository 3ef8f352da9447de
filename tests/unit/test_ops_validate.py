"""`adweir validate`: a file's faults by column and line, without AWS and without a sandbox."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner, Result

from adweir.model import limits
from adweir.model.metrics import BadRow
from ops.cli import app
from ops.errors import CommandFailed
from ops.validation.command import validated
from ops.validation.findings import FaultCounter
from sandbox.exports import Export, ad_exports, shop_exports
from sandbox.outside import Outside
from sandbox.platforms import everyone, population
from support.bounds import at_the_bound
from support.documents import blocks
from support.platform_server import ANCHOR
from support.template import ROOT

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend,note\n"
GOOD = "meta,1,campaign,2026-11-18,7,10,1,1.50,x\n"
BILLS = "platform,profile_id,month,kind,amount,invoice_id,line\n"
REPORT = """Campaign report
November 1, 2026 - November 3, 2026
Day,Campaign,Cost,Impr.,Clicks,Campaign status
2026-11-01,Brand,"1,234.50",10000,300,Enabled
2026-11-02,Brand,1200.10,90,280,Enabled
2026-11-03,Brand,abc,9000,280,Enabled
Total: Campaigns,,"2,434.60",19090,580,
"""
SCHEMA = {
    "ad_id": {"type": "string", "required": True},
    "clicks": {"type": "integer", "required": True, "min": 0},
    "spend": {"type": "float", "min": 0},
    "live": {"type": "boolean"},
    "start_date": {"type": "date"},
    "end_date": {"type": "date"},
    "rules": ["end_before_start"],
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def nothing_is_asked_for() -> Iterator[None]:
    now = mock.patch("ops.validation.verb.datetime", mock.Mock(now=lambda _: NOW))
    with now, mock.patch("ops.target.open_target", side_effect=AssertionError), mock.patch("boto3.client", None):
        yield


def adweir(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["validate", *arguments], prog_name="adweir")


def found(*arguments: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(adweir(*arguments, "--json").stdout)
    return body


def faults(body: dict[str, Any], kind: str = "refused") -> list[tuple[str, str, int, list[int]]]:
    return [(each["field"], each["rule"], each["rows"], each["lines"]) for each in body[kind]]


def test_a_good_file_is_said_to_be_good_with_the_command_that_loads_it() -> None:
    Path("own days.csv").write_text(HEADER + GOOD)

    result = adweir("own days.csv")

    assert result.exit_code == 0
    assert "1 row as adweir/metrics" in result.stdout
    assert "all of it is good: adweir drop 'own days.csv'" in result.stdout


def test_each_fault_names_its_column_its_reason_and_its_lines() -> None:
    lines = [
        GOOD,
        "meta,1,campaign,2026-11-17,7,10,11,1,\n",
        "meta,1,campaign,2026-11-16,7,10,1,twelve,\n",
        "meta,1,campaign,2026-11-15,7,10,1,-1,\n",
        "meta,1,campaign,2031-11-15,7,10,1,1,\n",
        "meta,1,campaign,2026-11-14,7,10,1,eleven,\n",
        "broken\n",
        GOOD,
    ]
    Path("a.csv").write_text(HEADER + "".join(lines))

    result = adweir("a.csv")
    body = found("a.csv")

    assert result.exit_code == 1
    assert faults(body) == [
        ("spend", "number", 2, [4, 7]),
        ("spend", "number", 1, [5]),
        ("date", "day", 1, [6]),
        ("", "fields", 1, [8]),
    ]
    assert faults(body, "warned") == [("clicks", "clicks_over_impressions", 1, [3])]
    assert (body["lines"], body["bad_rows"], body["valid"]) == (8, 5, False)
    assert {"name": "note", "field": "", "filled": 2} in body["columns"]
    assert "✗ spend cannot be stored: not a number: 'twelve'" in result.stdout
    assert "2 rows, lines 4, 7" in result.stdout
    assert "not counted: 1 came twice" in result.stdout
    assert "✗ 5 rows of 8 would be refused" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("name", "kind", "text", "expected"),
    [
        (
            "orders.csv",
            "myshop/orders",
            "order_id,date,revenue\n1,2026-11-18,5\n1,2026-11-18,5\n2,soon,5\n,2026-11-18,5\n",
            [("date", "format", 1, [4]), ("order_id", "required", 1, [5])],
        ),
        (
            "rates.csv",
            "ecb/rates",
            "date,base,quote,rate\n2026-11-18,EUR,USD,1.1\n2026-11-18,EUR,USD,1.2\n2026-11-19,EUR,USD,-1\n",
            [("", "conflict", 1, [3]), ("rate", "range", 1, [4])],
        ),
        (
            "campaigns.json",
            "quora/campaigns",
            '[{"profile_id": "1", "campaign_id": "c", "status": "ENABLED"}, {"profile_id": "1"}]',
            [("campaign_id", "required", 1, [2])],
        ),
        (
            "bills.csv",
            "adweir/invoices",
            BILLS + "google,1,2026-10,spend,5,A,1\ngoogle,1,2026-10,spend,x,A,2\ngoogle,1,2026-10,spend,5,B,1\n",
            [("amount", "number", 1, [3])],
        ),
    ],
)
def test_files_of_every_sort_are_checked_as_what_they_are(name: str, kind: str, text: str, expected: Any) -> None:
    Path(name).write_text(text)

    body = found(name, "--as", kind)

    assert faults(body) == expected
    assert body["read_as"] == f"as {kind} (built in)"


def test_the_documents_example_is_what_is_printed() -> None:
    (block,) = (one for one in blocks(ROOT / "docs/drops.md") if one.text.startswith("$ .venv/bin/adweir validate"))
    Path("report.csv").write_text(REPORT)

    assert block.text.partition("\n")[2] == adweir("report.csv").stdout


def test_a_bill_with_a_bad_line_is_held_back_whole() -> None:
    Path("bills.csv").write_text(BILLS + "google,1,2026-10,spend,5,A,1\ngoogle,1,2026-10,spend,x,A,2\n")

    result = adweir("bills.csv", "--as", "adweir/invoices")

    assert "held back with them: 1 that would be good" in result.stdout
    assert "✗ 2 rows of 2 would be refused" in result.stdout


@pytest.fixture(scope="module")
def exports() -> list[Export]:
    outside = Outside(anchor=ANCHOR, population=population(everyone()))
    of = (outside.world, outside.world.companies[0], ANCHOR - timedelta(days=4), ANCHOR - timedelta(days=3))
    return [*ad_exports(*of), *shop_exports(*of)]


def test_every_tools_export_is_good_and_most_are_known_by_their_header(exports: list[Export], here: Path) -> None:
    now = datetime.combine(ANCHOR, datetime.min.time(), UTC)
    known = []
    for export in exports:
        path, kind = here / export.name, f"{export.source}/{export.data_type}"
        path.write_bytes(export.body)

        body = validated(path, kind, None, None, now)

        assert (body.refused, body.rows > 0) == ([], True), kind
        with suppress(CommandFailed):
            unasked = validated(path, "", None, None, now)
            assert unasked.refused == []
            known.append(unasked.read_as == body.read_as)
    assert known.count(True) >= len(exports) - 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a.csv",), "what is a.csv? Add --as SOURCE/DATA_TYPE, or a --schema"),
        (("a.csv", "--as", "orders"), "such as shopify/orders: 'orders' is not both"),
        (("a.csv", "--as", "shop/order"), "there is no data type order; known: "),
        (("a.csv", "--as", "S/orders"), "a source is 2 to 40 lower-case letters"),
        (("a.csv", "--as", "adweir/metrics"), "the header is wrong: platform missing"),
        (("sheet.xlsx", "--as", "adweir/metrics"), "save the sheet as CSV"),
        (("empty.csv",), "has no header line"),
        (("a.csv", "--schema", "a.csv"), "a.csv is no JSON"),
        (("a.csv", "--schema", "wrong.json"), "wrong.json: clicks maximum unknown rule"),
        (("a.csv", "--mapping", "wrong.json"), "wrong.json is no mapping: source"),
        (("a.csv", "--mapping", "a.csv"), "a.csv is no JSON"),
    ],
)
def test_what_is_not_read_at_all_is_one_line_that_says_what_to_do(arguments: tuple[str, ...], says: str) -> None:
    Path("a.csv").write_text("x,y\n1,2\n")
    Path("sheet.xlsx").write_bytes(b"PK")
    Path("empty.csv").write_text("")
    Path("wrong.json").write_text('{"clicks": {"maximum": 1}}')

    result = adweir(*arguments)

    assert result.exit_code == 1
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_file_is_read_by_a_mapping_of_ones_own() -> None:
    columns = [{"field": "campaign_name", "names": ["Camp"]}, {"field": "date", "names": ["When"]}]
    columns.append({"field": "spend", "names": ["Spent"]})
    mapping = {"source": "agency", "data_type": "campaign_performance", "columns": columns}
    Path("m.json").write_text(json.dumps({"mapping": mapping}))
    Path("a.csv").write_text("Camp|When|Spent\nSpring|2026-11-18|7.25\nSpring|2026-11-19|free\n")

    body = found("a.csv", "--mapping", "m.json")

    assert (body["read_as"], faults(body)) == (
        "as agency/campaign_performance (the given mapping)",
        [("spend", "number", 1, [3])],
    )
    assert body["columns"][2] == {"name": "Spent", "field": "spend", "filled": 2}


# --- by a schema


def test_rows_are_checked_by_a_schema_under_the_files_own_names() -> None:
    Path("schema.json").write_text(json.dumps(SCHEMA))
    Path("ads.csv.gz").write_bytes(
        gzip.compress(
            b"ad_id,clicks,spend,live,start_date,end_date,more\n"
            b'1,"1,250",$5.50,TRUE,2026-11-01,2026-11-02,x\n'
            b"2,-1,n/a,maybe,2026-11-03,2026-11-02,\n"
            b",x,1,,,,\n"
            b"4,2\n"
        )
    )

    result = adweir("ads.csv.gz", "--schema", "schema.json")
    body = found("ads.csv.gz", "--schema", "schema.json")

    assert result.exit_code == 1
    assert sorted(faults(body)) == [
        ("", "fields", 1, [5]),
        ("ad_id", "required", 1, [4]),
        ("clicks", "min", 1, [3]),
        ("clicks", "type", 1, [4]),
        ("end_date", "end_before_start", 1, [3]),
        ("live", "type", 1, [3]),
    ]
    assert [(each["field"], each["rule"], each["message"]) for each in body["repaired"]] == [
        ("clicks", "unit", "'1,250' is read as 1250"),
        ("spend", "unit", "'$5.50' is read as 5.50"),
        ("spend", "empty", "'n/a' is read as nothing"),
    ]
    assert (body["rows"], body["bad_rows"]) == (4, 3)
    assert "✗ clicks must be at least 0: '-1'" in result.stdout


def test_warnings_of_a_schema_are_no_failure_and_missing_columns_are_named() -> None:
    rules = {"clicks": {"type": "integer", "severity": "warn"}, "gone": {"type": "string"}}
    Path("schema.json").write_text(json.dumps(rules))
    Path("a.jsonl").write_text('{"clicks": 1}\n{"clicks": "many"}\n')

    result = adweir("a.jsonl", "--schema", "schema.json")

    assert result.exit_code == 0
    assert "! clicks must be of type integer: 'many'" in result.stdout
    assert "no column is called gone" in result.stdout
    assert "all of it is good" in result.stdout


@at_the_bound("MAX_LINES_NAMED")
def test_lines_that_are_named(size: int, fits: bool) -> None:
    Path("a.csv").write_text(HEADER + "meta,1,campaign,2026-11-18,7,10,11,1.5x,\n" * size)

    (fault,) = found("a.csv")["refused"]

    assert len(fault["lines"]) == min(size, limits.MAX_LINES_NAMED)
    assert (len(fault["lines"]) == size) is fits
    assert fault["rows"] == size


def test_kinds_of_faults_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_DROP_REASONS", 2)
    with FaultCounter() as counter:
        for line in range(9):
            counter.add(BadRow(line, "", [{"field": "a", "rule": "b", "message": f"a says {line}"}]))
        assert [each.rows for each in counter.faults()] == [7, 1, 1]
