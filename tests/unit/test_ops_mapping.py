"""`adweir map`: what columns are, by name and by what their cells look like; and where it asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adweir.model.mappings import Unit, parse_mapping
from ops.cli import app
from ops.errors import CommandFailed
from ops.mapping.command import as_json, asked, mapping_of, proposed, table_of
from ops.mapping.propose import Proposal, propose
from support.tool_file import File
from support.tool_files import EXPORTS
from support.warehouse_files import TABLES


def of(header: str, *rows: str, **known: str) -> Proposal:
    names = header.split("|")
    return propose(names, [dict(zip(names, row.split("|"), strict=True)) for row in rows], **known)


def fields(proposal: Proposal) -> dict[str, str]:
    return {each.field: each.column for each in proposal.columns if each.field}


@pytest.mark.parametrize("language", [2, 3])
@pytest.mark.parametrize("case", sorted({**EXPORTS, **TABLES}.keys() - {"adweir"}))
def test_a_common_export_is_known(case: str, language: int) -> None:
    source, data_type, *files, _ = {**EXPORTS, **TABLES}[case]
    file = files[language - 2]
    assert isinstance(file, File)

    found = propose([name.strip() for name in file.header.split(file.mark)], file.rows)

    assert found.built_in is not None
    assert (found.source, found.data_type) == (source, data_type)
    assert not found.unsure


def test_a_report_that_no_mapping_is_built_in_for() -> None:
    found = of(
        "Fecha|Campaña|ID de campaña|Impresiones|Clics|CTR|Coste (EUR)|Coste/conv.|Conversiones|Valor de conversión",
        "02/13/2026|Primavera|77|1,000|10|1.0%|12.50|6.25|2|80.40",
        file="Bing Export 2026.csv",
    )

    assert (found.source, found.data_type) == ("bing_export", "campaign_performance")
    assert fields(found) == {
        "date": "Fecha",
        "campaign_name": "Campaña",
        "campaign_id": "ID de campaña",
        "impressions": "Impresiones",
        "clicks": "Clics",
        "spend": "Coste (EUR)",
        "conversions": "Conversiones",
        "revenue": "Valor de conversión",
    }
    assert next(each.names for each in found.mapping().columns if each.field == "spend") == ("Coste ({currency})",)


def test_what_follows_from_other_columns_is_left_out_with_the_reason() -> None:
    found = of("Date|Campaign|Cost|Clicks|Avg. CPC|Cost / click|Reach", "2026-01-02|A|1.5|2|0.75|0.75|9")

    left = {each.column: each.why for each in found.columns if not each.field}
    assert left.keys() == {"Avg. CPC", "Cost / click", "Reach"}
    assert "follows from other columns" in left["Cost / click"]


def test_the_finest_level_that_a_file_has_is_its_level() -> None:
    row = "2026-01-02|A|G|x|1.5"
    assert of("Date|Campaign|Ad set|Ad|Spend", row).data_type == "ad_performance"
    assert of("Date|Campaign|Ad group|Keyword|Spend", row).data_type == "keyword_performance"
    assert of("Date|Campaign|Region|Device|Spend", row).data_type == "campaign_performance"
    assert of("Date|Campaign|Region|Device|Spend", row).adds_up
    assert of("Date|Hour|Campaign|Device|Spend", "2026-01-02|7|A|x|1").data_type == "campaign_performance_hourly"


def test_of_orders_those_that_were_paid_are_read_and_nothing_of_persons() -> None:
    found = of(
        "Order Number|Order Date|Order Status|Billing Email|Full Name|Order Total|Refund Amount|Order Currency|"
        "UTM Source",
        "1|2026-01-02 10:00:00|completed|j@example.com|Jane|59.50|0|EUR|google",
        "2|2026-01-02 11:00:00|cancelled|k@example.com|Kim|9.50|0|EUR|",
    )

    assert found.data_type == "orders"
    assert fields(found) == {
        "order_id": "Order Number",
        "date": "Order Date",
        "revenue": "Order Total",
        "refunded": "Refund Amount",
        "currency": "Order Currency",
        "utm_source": "UTM Source",
    }
    assert [(rule.column, rule.equals) for rule in found.keep] == [(("Order Status",), ("completed",))]


def test_of_deals_those_that_were_won_are_read() -> None:
    header = "Deal ID|Deal name|Stage|Close date|Deal value|Currency"
    found = of(header, "1|Big|Gewonnen|2026-01-02|10|EUR", "2|Small|Verloren|2026-01-02|10|EUR")

    assert (found.data_type, fields(found)["revenue"]) == ("deals", "Deal value")
    assert found.keep[0].equals == ("Gewonnen",)


@pytest.mark.parametrize(
    ("header", "row", "data_type"),
    [
        ("Tag|Besuche|Seitenaufrufe", "02.01.2026|10|20", "web_analytics"),
        ("Lead ID|Created Time|Form Name|Campaign Name|Email", "1|2026-01-02|F|A|j@example.com", "leads"),
        ("Date|New customers", "2026-01-02|10", "kpi_series"),
        ("Date|Temperature", "2026-01-02|-10", "controls"),
        ("Date|From|To|Rate", "2026-01-02|EUR|USD|1.07", "rates"),
        ("Region|Einwohner", "Berlin|3600000", "population"),
    ],
)
def test_the_data_type_follows_from_the_columns(header: str, row: str, data_type: str) -> None:
    found = of(header, row)

    assert found.data_type == data_type
    assert not found.notes
    assert parse_mapping(found.mapping().model_dump(mode="json")) == found.mapping()


@pytest.mark.parametrize(
    ("column", "value", "unit"),
    [("spend_micros", "1500000", Unit.MICROS), ("Cost in cents", "150", Unit.MINOR), ("Spend", "1.5", Unit.ONES)],
)
def test_a_column_s_name_says_its_unit(column: str, value: str, unit: Unit) -> None:
    found = of(f"Date|Campaign ID|Currency|{column}", f"2026-01-02|7|EUR|{value}")

    assert next(each.unit for each in found.mapping().columns if each.field == "spend") is unit


def test_groups_of_campaigns_are_campaigns_and_their_campaigns_ad_groups() -> None:
    found = of("Start Date|Campaign Group Name|Campaign Name|Campaign ID|Total Spent", "01/15/2026|G|C|1234567890|1.5")

    assert fields(found)["campaign_name"] == "Campaign Group Name"
    assert fields(found)["ad_group_name"] == "Campaign Name"
    assert fields(found)["ad_group_id"] == "Campaign ID"


def test_a_file_without_days_is_said_to_have_none() -> None:
    assert any("no column of days" in note for note in of("Campaign|Spend|Clicks", "A|1.5|2").notes)


def test_a_date_is_not_read_as_a_number_and_a_text_not_as_a_date() -> None:
    found = of("Cost|Date|Campaign|Impressions", "2026-01-02|yesterday|A|7")

    assert fields(found).keys() & {"spend"} == set()
    assert fields(found)["date"] == "Cost"


def answers(*given: str) -> tuple[list[str], list[str]]:
    return list(given), []


@pytest.mark.parametrize(
    ("given", "field"), [([""], "revenue"), (["-"], ""), (["nonsense", "conversions"], "conversions")]
)
def test_what_is_not_sure_is_asked(given: Sequence[str], field: str) -> None:
    proposal = of("Date|Campaign|Spend|Impressions|Sum value", "2026-01-02|A|1.5|2|9.5")
    assert [each.column for each in proposal.unsure] == ["Sum value"]
    left, questions = answers(*given)

    def ask(question: str) -> str:
        questions.append(question)
        return left.pop(0)

    said = asked(proposal, ask, questions.append)

    assert "'Sum value' (9.5) is revenue? Enter, a field, or -" in questions[0]
    assert next(each.field for each in said.columns if each.column == "Sum value") == field
    assert not said.unsure


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "agency_report.csv"
    path.write_text(
        "Report of January\n\nKampagne;Tag;Kosten EUR;Klicks;Impressionen;Notiz\n"
        "Frühling;15.01.2026;1.050,50;12;1.000;x\nSommer;16.01.2026;50,50;2;900;y\n;;1.101,00;14;1.900;\n"
    )
    return path


def test_the_proposal_fits_a_terminal_and_shows_what_it_makes_of_the_rows(report: Path) -> None:
    proposal, rows = proposed(report, "", "")

    shown = table_of(proposal, rows)

    assert max(map(len, shown.splitlines())) <= 80
    assert "agency_report/campaign_performance (proposed)" in shown
    assert "of the first 3 rows 2 can be read, 1 are left out" in shown
    assert "spend 1050.5" in shown
    assert parse_mapping(json.loads(as_json(proposal, mapping_of(proposal)))["mapping"]) == proposal.mapping()


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")

    with pytest.raises(CommandFailed, match=r"a\.csv: the file has no header line"):
        proposed(tmp_path / "a.csv", "", "")
    with pytest.raises(CommandFailed, match="there is no data type orderz"):
        proposed(tmp_path / "a.csv", "", "orderz")


def test_the_command_prints_json_without_a_sandbox(report: Path) -> None:
    done = CliRunner().invoke(app, ["map", str(report), "--as", "agency", "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["mapping"]["source"] == "agency"


def test_what_every_row_has_may_be_given_and_is_added_to_a_built_in_mapping() -> None:
    known = of("Campaign|Day|Cost|Impr.|Clicks", "A|2026-01-02|1.5|20|2")
    assert known.is_known

    given = known.with_constants({"profile_id": "4820117365"})

    mapping = given.mapping()
    assert not given.is_known
    assert (mapping.source, mapping.columns) == ("google_ads", known.mapping().columns)
    assert mapping.constants == {"platform": "google_ads", "profile_id": "4820117365"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("platform", "'platform' is no FIELD=VALUE; fields: platform, profile_id"),
        ("shop=1", "'shop=1' is no FIELD=VALUE; fields: platform, profile_id"),
        ("spend=1", "no mapping can be made of these columns: no constant can be spend\n"),
    ],
)
def test_a_constant_that_cannot_be_is_told(report: Path, given: str, says: str) -> None:
    done = CliRunner().invoke(app, ["map", str(report), given, "--json"], prog_name="adweir")

    assert done.exit_code == 1
    assert done.stderr.startswith(f"adweir: {says}")


def test_an_input_that_ends_before_the_answer_is_no_fault_of_ours(report: Path) -> None:
    done = CliRunner().invoke(app, ["map", str(report)], input="", prog_name="adweir")

    assert done.exit_code == 130
    assert done.stderr.endswith("adweir: interrupted\n")


def test_nobody_is_asked_where_that_is_not_wanted(report: Path) -> None:
    done = CliRunner().invoke(app, ["map", str(report), "--no-input"], prog_name="adweir")

    assert (done.exit_code, done.stderr) == (0, "nothing was stored: --save ACCOUNT, or --save all, stores it\n")


def test_a_column_that_is_subtracted_is_shown_as_such(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "Name,Financial Status,Created at,Total,Refunded Amount,Currency,Lineitem name,Cancelled at\n"
        "#1,partially_refunded,2026-11-18 10:00:00 +0100,50.00,20.00,EUR,Mug,\n"
    )

    shown = table_of(*proposed(path, "", "")).splitlines()

    (total,) = (line.split() for line in shown if line.startswith("Total "))
    (refund,) = (line.split() for line in shown if line.startswith("Refunded Amount "))
    assert total == ["Total", "revenue", "50.00"]
    assert refund == ["Refunded", "Amount", "minus", "revenue", "20.00"]
    assert "revenue 30" in " ".join(shown)


def test_columns_that_are_not_needed_take_few_lines(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"Name,Created at,Total,Currency,{','.join(f'Extra {n}' for n in range(60))}\n")

    shown = table_of(*proposed(path, "shopify", "orders")).splitlines()

    assert len(shown) < 30
    assert max(map(len, shown)) <= 80
    assert any("Extra 59" in line for line in shown)
