"""`adweir sql` on the sandbox's Athena: what it asks, prints and refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner

from adweir.insight.curated.answers import CuratedReports
from adweir.insight.curated.layout import GLUE_TYPES, CuratedTable
from adweir.model.errors import AccessDenied, Throttled, Unavailable, Unprocessable
from adweir.model.times import iso
from adweir.reporting.exported import ExportedReport
from adweir.reporting.warehouse import BulkState, bulk_question
from adweir.store.athena import Athena
from adweir.store.raw.store import RawStore
from ops.cli import app
from ops.errors import CommandFailed
from ops.sql.asking import Asking
from ops.sql.grammar import check
from support.athena import BUCKET, TABLES, AthenaHere, athena_here, parquet
from support.command_line import Run, commands_on
from support.curated_world import CuratedWorld
from support.documents import blocks, code, rows
from support.reading_world import ACCOUNT, CAMPAIGN, NOW, account, campaign
from support.template import ROOT

A_SECOND = timedelta(seconds=1)

DAY = ("meta_ads", "campaign", "day", "2026-11")
ROWS: list[dict[str, Any]] = [
    {"date": date(2026, 11, 1), "account_id": "act_1", "campaign_id": "c1", "clicks": 3, "spend": Decimal("1.234567")},
    {"date": date(2026, 11, 2), "account_id": "act_1", "campaign_id": "c1", "clicks": 4, "spend": Decimal("2.000001")},
    {"date": date(2026, 11, 2), "account_id": "act_1", "unattributed": True, "spend": Decimal("-0.5")},
]
GOOGLE = [{"date": date(2026, 10, 31), "account_id": "111", "campaign_id": "g", "clicks": 0, "spend": Decimal(0)}]
BY_DAY = "SELECT date, campaign_id, SUM(clicks) AS clicks, SUM(spend) AS spend FROM metrics WHERE platform = 'meta_ads'"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AthenaHere]:
    with athena_here(tmp_path_factory.mktemp("athena")) as running:
        running.put("metrics", DAY, "act_1", ROWS)
        running.put("metrics", ("google_ads", "campaign", "day", "2026-10"), "111", GOOGLE)
        running.put("ad_reporting__campaign_report", ("meta_ads", "2026-11"), "act_1", [{"platform": "facebook_ads"}])
        yield running


@pytest.fixture
def adweir(here: AthenaHere, monkeypatch: pytest.MonkeyPatch) -> Run:
    app = SimpleNamespace(athena=here.athena, platforms=("google_ads", "meta_ads"))
    return commands_on(SimpleNamespace(app=lambda: app), monkeypatch, "sql")


def test_rows_are_printed_exactly_for_people_as_csv_and_as_json(adweir: Run) -> None:
    asked = f"{BY_DAY} GROUP BY 1, 2 ORDER BY 1, 2"

    table, csv, lines = adweir(asked), adweir(asked, "--csv"), adweir(asked, "--json")

    assert table.stdout.splitlines() == [
        "date        campaign_id  clicks      spend",
        "2026-11-01  c1                3   1.234567",
        "2026-11-02  c1                4   2.000001",
        "2026-11-02                       -0.500000",
    ]
    assert csv.stdout.splitlines()[1:3] == ["2026-11-01,c1,3,1.234567", "2026-11-02,c1,4,2.000001"]
    found = [json.loads(line, parse_float=Decimal) for line in lines.stdout.splitlines()]
    assert found[0] == {"date": "2026-11-01", "campaign_id": "c1", "clicks": 3, "spend": Decimal("1.234567")}
    assert found[2]["campaign_id"] is None
    assert found[2]["clicks"] is None
    assert "3 rows (all rows)" in table.stderr
    assert "kB read" in table.stderr


def test_partitions_are_columns_and_a_folder_s_objects_are_left_out_by_them(adweir: Run) -> None:
    asked = "SELECT platform, level, grain, month, count(*) AS n FROM metrics GROUP BY 1, 2, 3, 4 ORDER BY 1"

    assert adweir(asked, "--csv").stdout.splitlines()[1:] == [
        "google_ads,campaign,day,2026-10,1",
        "meta_ads,campaign,day,2026-11,3",
    ]


def test_a_token_begins_one_query_and_is_refused_for_another(here: AthenaHere) -> None:
    token = "t" * 40

    first, again = here.athena.start("SELECT 1 AS a", token), here.athena.start("SELECT 1 AS a", token)

    assert first == again
    assert here.athena.start("SELECT 1 AS a") != first
    with pytest.raises(Unprocessable, match="do not match"):
        here.athena.start("SELECT 2 AS a", token)


@pytest.fixture
def world(here: AthenaHere) -> Iterator[CuratedWorld]:
    """An ad account with campaigns that leave a rest, and its tables in the sandbox's bucket."""
    world, s3 = CuratedWorld(), here.clients("s3")
    for day in ("2026-10-10", "2026-11-10"):
        world.pull(CAMPAIGN, campaign("c1", 3, day), campaign('c,2"', 4, day), days=(day, day))
        world.pull(ACCOUNT, account(9, day), days=(day, day))
    world.curate()
    metrics = {key: body for key, body in world.content.items() if key.startswith(TABLES["metrics"].prefix)}
    for key, body in metrics.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    yield world
    for key in metrics:
        s3.delete_object(Bucket=BUCKET, Key=key)


def test_a_large_report_that_athena_makes_has_the_rows_of_the_store(here: AthenaHere, world: CuratedWorld) -> None:
    # given a report
    asked = {"format": "csv", "name": "r", "start": "2026-10-01", "end": "2026-11-30", "asked_at": iso(NOW + A_SECOND)}
    names = ["campaign", "month", "account"]
    report = ExportedReport(**asked, metrics=["spend"], dimensions=names, segments=[], live=False)  # type: ignore[arg-type]
    of = report.made_of(world.queries)
    question = bulk_question(of)
    assert question is not None

    # when it is asked for
    reports = CuratedReports(here.athena, RawStore(here.clients("s3"), BUCKET), world.parts)
    begun = reports.begin(question, "r" * 64, lambda: None)
    assert begun is not None
    while (state := reports.state(question, begun)) is BulkState.RUNNING:
        time.sleep(0.02)

    # then
    assert state is BulkState.READY
    rows = {row.key: row.slot for row in reports.rows(question, begun.query_id, 0)}
    assert rows == {key: total.slot for key, total in world.queries.answer(of.plan.query).groups.items()}
    assert ('c,2"', "2026-10", "p1", "USD") in rows
    assert (None, "2026-11", "p1", "USD") in rows


def test_a_table_of_which_nothing_is_stored_has_no_rows(adweir: Run) -> None:
    assert adweir("SELECT platform, budget FROM entities").stderr.startswith("no row fits")


@pytest.mark.parametrize(
    ("named", "count"),
    [("metrics a, metrics b", 16), ("metrics a, adweir.metrics b, metrics c", 64), ("metrics a, entities e", 0)],
)
def test_tables_may_stand_behind_a_comma(adweir: Run, named: str, count: int) -> None:
    assert adweir(f"SELECT COUNT(*) AS n FROM {named}", "--csv").stdout.splitlines() == ["n", str(count)]  # noqa: S608


def test_a_platform_that_is_a_column_and_not_a_partition_is_that_of_the_file(adweir: Run) -> None:
    found = adweir("SELECT * FROM ad_reporting__campaign_report", "--json").stdout

    assert list(json.loads(found)) == list(TABLES["ad_reporting__campaign_report"].columns)
    assert json.loads(found)["platform"] == "facebook_ads"


def test_no_more_rows_are_printed_than_were_asked_for_and_that_is_said(adweir: Run) -> None:
    done = adweir("SELECT date FROM metrics ORDER BY 1", "--max-rows", "2", "--csv")

    assert done.stdout.splitlines() == ["date", "2026-10-31", "2026-11-01"]
    assert "there are more: add --max-rows" in done.stderr


def test_a_result_of_several_pages_is_read_to_its_end(adweir: Run) -> None:
    many = "SELECT a.x * 50 + b.x AS n FROM UNNEST(ARRAY[{0}]) AS a(x) CROSS JOIN UNNEST(ARRAY[{0}]) AS b(x) ORDER BY 1"

    done = adweir(many.format(", ".join(map(str, range(50)))), "--csv", "--max-rows", "10000")

    assert [int(line) for line in done.stdout.splitlines()[1:]] == list(range(2500))


def test_without_a_statement_the_tables_and_their_columns_are_printed(adweir: Run) -> None:
    lines = adweir("--json").stdout.splitlines()

    found = {each["table"]: each["columns"] for each in map(json.loads, lines)}
    assert found.keys() == TABLES.keys()
    assert found["metrics"]["spend"] == "decimal(24,6)"
    assert [*found["metrics"]][-4:] == ["platform", "level", "grain", "month"]
    assert "metrics" in adweir().stdout


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("SELECT 1 FROM metrcs", "there is no table metrcs. Near: metrics. Tables: ad_reporting__account_report"),
        ("DELETE FROM metrics", "only SELECT"),
        ("selct 1", "and this begins with selct"),
        ("SELECT spend::double FROM metrics", "CAST(x AS type) for x::type (at 13)"),
        ("SELECT date_format(date, '%Y') FROM metrics", "date_format is Athena's"),
        ("SELECT spnd FROM metrics", "adweir: there is no column spnd in metrics. Near: spend\n"),
        ("SELECT clicks, SUM(spend) FROM metrics GROUP BY 7", "Athena: "),
        ("SELECT * FROM metrics; DROP TABLE metrics", "one statement is asked at a time"),
        ("WITH old AS (SELECT 1) DELETE FROM metrics", "only SELECT is asked"),
    ],
)
def test_what_cannot_be_asked_is_one_error_that_says_what_to_do(adweir: Run, asked: str, said: str) -> None:
    done = CliRunner().invoke(app, ["sql", asked])

    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stdout == ""
    assert "LINE 1" not in done.stderr


def test_on_aws_what_athena_alone_understands_is_asked_with_a_remark(adweir: Run) -> None:
    done = CliRunner().invoke(app, ["--stack", "live", "sql", "SELECT date_format(date, '%Y') FROM metrics"])

    assert "only Athena understands this: date_format is Athena's" in done.stderr
    assert "Athena: " in done.stderr  # it was asked, and this one is DuckDB


def test_a_statement_may_come_from_stdin(adweir: Run) -> None:
    done = CliRunner().invoke(app, ["sql", "-", "--csv"], input="SELECT count(*) AS n\nFROM metrics -- all\n")

    assert done.stdout.splitlines() == ["n", "4"]


def test_a_deployment_without_tables_is_told_to_be_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    run = commands_on(SimpleNamespace(app=lambda: SimpleNamespace(athena=None)), monkeypatch, "sql")

    assert "no tables for SQL" in run("SELECT 1", expect=1).stderr


def test_the_file_of_a_result_is_where_it_is_said_to_be_and_tells_null_from_an_empty_text(here: AthenaHere) -> None:
    answer = Asking(here.athena, 20).ask("SELECT '' AS a, CAST(NULL AS varchar) AS b, 'x\"y' AS c, 1.50 AS d", 10)

    key = answer.state.output.removeprefix(f"s3://{BUCKET}/")
    body = here.clients("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert body == b'"a","b","c","d"\n"",,"x""y","1.50"\n'
    assert answer.rows == [("", None, 'x"y', "1.50")]


def test_whole_numbers_are_divided_as_athena_divides_them_and_that_is_remarked(adweir: Run) -> None:
    done = adweir("SELECT SUM(clicks) / 2 AS half FROM metrics", "--csv")

    assert done.stdout.splitlines() == ["half", "3"]
    assert "note: whole numbers are cut off" in done.stderr


@pytest.mark.parametrize(
    ("asked", "is_noted"),
    [
        ("SELECT SUM(spend) FROM metrics", True),
        ("SELECT SUM(spend) FROM metrics WHERE level = 'ad'", True),
        ("SELECT SUM(spend) FROM metrics WHERE level = 'ad' AND \"grain\" = 'day'", False),
        ("SELECT COUNT(*) FROM entities", False),
    ],
)
def test_a_sum_over_several_levels_is_remarked(adweir: Run, asked: str, *, is_noted: bool) -> None:
    done = adweir(asked)
    assert ("note: metrics has each number at several levels" in done.stderr) == is_noted
    assert "1 row (all rows)" in done.stderr


@pytest.mark.parametrize(
    ("asked", "is_noted"),
    [
        ("SELECT SUM(spend) FROM metrics", True),
        ("SELECT platform, SUM(revenue) FROM metrics GROUP BY 1", True),
        ("SELECT SUM(clicks) FROM metrics", False),
        ("SELECT currency, SUM(spend) FROM metrics GROUP BY 1", False),
        ("SELECT SUM(spend) FROM metrics WHERE \"currency\" = 'EUR'", False),
        ("SELECT campaign_id, SUM(spend) FROM metrics GROUP BY 1", False),
        ("SELECT SUM(spend) FROM ad_reporting__account_report", False),
    ],
)
def test_a_sum_over_several_currencies_is_remarked(adweir: Run, asked: str, *, is_noted: bool) -> None:
    assert ("of all currencies is added up" in adweir(asked).stderr) == is_noted


def test_a_value_that_no_row_can_have_is_remarked(adweir: Run) -> None:
    done = adweir("SELECT COUNT(*) FROM metrics WHERE platform = 'meta'")

    assert "note: no platform is 'meta', so no row has it. Near: meta_ads" in done.stderr


def test_a_file_is_read_by_the_columns_that_the_table_has(here: AthenaHere, adweir: Run) -> None:
    # given a file of an older or a newer adweir: a column less, and one more
    table = CuratedTable("entities", TABLES["entities"].folders, {"id": "VARCHAR", "novel": "VARCHAR"})
    key = table.key(("tiktok_ads", "campaigns"), "7")
    here.clients("s3").put_object(Bucket=BUCKET, Key=key, Body=parquet(table, [{"id": "c7", "novel": "x"}]))
    try:
        done = adweir("SELECT id, name FROM entities WHERE platform = 'tiktok_ads'", "--csv")
        refused = CliRunner().invoke(app, ["sql", "SELECT novel FROM entities"])
    finally:  # the other stories have no entities
        here.clients("s3").delete_object(Bucket=BUCKET, Key=key)

    assert done.stdout.splitlines() == ["id,name", "c7,"]
    assert refused.exit_code == 1


STATEMENTS = [block.text for block in blocks(ROOT / "docs" / "sql.md") if block.language == "sql"]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: text.splitlines()[0][:40])
def test_every_statement_of_the_docs_is_answered_without_a_remark(adweir: Run, statement: str) -> None:
    notes = adweir(statement).stderr.splitlines()

    assert [note for note in notes if " read, " not in note and note != "no row fits"] == []


def test_each_way_to_write_that_the_docs_advise_against_is_refused_and_its_other_taken(adweir: Run) -> None:
    pairs = rows("sql.md", "One SQL for two engines")

    assert len(pairs) >= 8
    for wrong, right in pairs:
        for text in code(wrong):
            findings = check(_statement(text), here_columns()).findings
            assert any(each.only for each in findings), text
        for text in code(right):
            assert check(_statement(text), here_columns()).findings == [], text


def here_columns() -> dict[str, dict[str, str]]:
    return {name: {column: GLUE_TYPES[kind] for column, kind in each.columns.items()} for name, each in TABLES.items()}


def _statement(part: str) -> str:
    """A part of a statement as a whole one."""
    if part == "QUALIFY":
        part = "FROM metrics QUALIFY row_number() OVER (ORDER BY date) = 1"
    if part.startswith(("GROUP", "OFFSET", "LIMIT")):
        part = f"FROM metrics {part}"
    if part.startswith("ILIKE"):
        part = f"FROM metrics WHERE campaign_name {part}"
    return f"SELECT date, level {part}" if part.startswith("FROM") else f"SELECT {part} " + "FROM metrics"


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


class Answers:
    """Stands in for the client: what each call answers, one after another; the last one again and again."""

    def __init__(self, **answers: list[Any]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def answer(**_: Any) -> Any:
            self.asked.append(name)
            left = self._answers.get(name, [{}])
            found = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(found, Exception):
                raise found
            return found

        return answer


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "so it is"}}, "StartQueryExecution")


def state(name: str) -> dict[str, Any]:
    return {"QueryExecution": {"Status": {"State": name, "StateChangeReason": "for a reason"}}}


def test_a_query_that_takes_too_long_is_stopped_within_the_time_and_looked_at_ever_less_often() -> None:
    clock = Clock()
    client = Answers(start_query_execution=[{"QueryExecutionId": "q"}], get_query_execution=[state("RUNNING")])

    with pytest.raises(CommandFailed, match="given up after 60 s: read less, or add --timeout"):
        Asking(Athena(client, "d", "w"), 60, clock.sleep, lambda: clock.at).ask("SELECT 1", 10)

    assert client.asked[-1] == "stop_query_execution"
    assert 60 <= clock.at < 65
    assert len(clock.slept) < 40
    assert len(set(clock.slept)) == len(clock.slept)


@pytest.mark.parametrize("refusal", [AccessDenied("not yours"), Unavailable("gone")])
def test_a_query_that_cannot_be_stopped_is_named_and_hides_nothing(
    refusal: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    client = Answers(start_query_execution=[{"QueryExecutionId": "q7"}], get_query_execution=[state("RUNNING")])
    athena = Athena(client, "d", "w")

    def refuse(_query_id: str) -> None:
        raise refusal

    monkeypatch.setattr(athena, "stop", refuse)

    with pytest.raises(CommandFailed, match="given up after 60 s"):
        Asking(athena, 60, clock.sleep, lambda: clock.at).ask("SELECT 1", 10)

    assert "the query q7 could not be stopped, and may go on" in capsys.readouterr().err


def test_a_query_is_stopped_when_the_user_interrupts() -> None:
    client = Answers(start_query_execution=[{"QueryExecutionId": "q"}], get_query_execution=[state("RUNNING")])

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Asking(Athena(client, "d", "w"), 60, interrupt, lambda: 0.0).ask("SELECT 1", 10)
    assert client.asked[-1] == "stop_query_execution"


def test_athena_that_asks_to_wait_is_asked_again() -> None:
    clock, busy = Clock(), refused("TooManyRequestsException")
    client = Answers(
        start_query_execution=[busy, busy, {"QueryExecutionId": "q"}],
        get_query_execution=[busy, state("FAILED")],
    )

    with pytest.raises(CommandFailed, match="for a reason"):
        Asking(Athena(client, "d", "w"), 60, clock.sleep, lambda: clock.at).ask("SELECT 1", 10)
    assert client.asked.count("start_query_execution") == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refused("TooManyRequestsException"), Throttled),
        (refused("InvalidRequestException"), Unprocessable),
        (refused("AccessDeniedException"), AccessDenied),
        (refused("InternalServerException"), Unavailable),
        (EndpointConnectionError(endpoint_url="http://x"), Unavailable),
    ],
)
def test_what_athena_refuses_is_an_error_of_ours(fault: Exception, error: type[Exception]) -> None:
    with pytest.raises(error):
        Athena(Answers(start_query_execution=[fault]), "d", "w").start("SELECT 1")
