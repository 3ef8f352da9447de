"""Built-in mappings read the headers that the tools' documents and real files have, in two languages or notations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from adweir.model.data_types import DATA_TYPES
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.platforms.files import builtin
from adweir.platforms.files.in_order import mapped
from adweir.platforms.files.lines import Record
from adweir.platforms.files.mapped import BoundMapping, is_footer, is_header
from support.tool_file import Cases, File
from support.tool_files import EXPORTS, META_A, META_B
from support.warehouse_files import LINKEDIN, SNAPCHAT, TABLES

TWO_LANGUAGES: Cases = {**EXPORTS, **TABLES}


def read(source: str, data_type: str, file: File) -> list[Record | BadRow]:
    mapping = builtin.find(source, data_type)
    assert mapping is not None
    header = [name.strip() for name in file.header.split(file.mark)]
    assert is_header(mapping, header)
    lines = []
    for number, row in enumerate(file.rows, start=2):
        unknown = row.keys() - set(header)
        assert not unknown, unknown
        lines.append(Record(number, "", {name: row.get(name, "").strip() for name in header}))
    return list(mapped(lines, BoundMapping(mapping, header)))


def cells(source: str, data_type: str, file: File) -> list[dict[str, str]]:
    """What is read of each row that counts, without empty fields; no row is refused."""
    found = read(source, data_type, file)
    assert all(isinstance(each, Record) for each in found), found
    return [{k: v for k, v in each.cell.items() if v} for each in found if isinstance(each, Record) and each.counts]


def total(found: Sequence[Mapping[str, str]], field: str) -> Decimal:
    return sum((Decimal(each.get(field, "0")) for each in found), Decimal(0))


@pytest.mark.parametrize("case", TWO_LANGUAGES)
@pytest.mark.parametrize("language", [2, 3])
def test_an_export_gives_the_totals_that_its_tool_shows(case: str, language: int) -> None:
    source, data_type, *files, totals = TWO_LANGUAGES[case]
    file = files[language - 2]
    assert isinstance(file, File)
    found = cells(source, data_type, file)

    assert {field: total(found, field) for field in totals} == {name: Decimal(each) for name, each in totals.items()}
    assert {each["date"][:10] for each in found} <= {"2026-09-01", "2026-09-02", "2026-09-13"}


def test_every_source_has_two_languages_or_notations_here() -> None:
    assert set(TWO_LANGUAGES) == set(builtin.SOURCES)


def test_every_built_in_mapping_is_whole() -> None:
    for mapping in builtin.every():
        fields = {column.field for column in mapping.columns} | set(mapping.constants)
        required = set(DATA_TYPES[mapping.data_type].required) - fields
        assert not required, (mapping.source, mapping.data_type, required)
        assert mapping.header_from


def test_the_documentation_names_every_source_and_its_data_types() -> None:
    text = (Path(__file__).parents[2] / "docs/mappings.md").read_text()
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}

    assert sorted(builtin.SOURCES) == list(builtin.SOURCES)
    for source in builtin.SOURCES[1:]:
        said = lines[source].split("|")[2].replace("`_performance`", "")
        kinds = {word.strip(" ") + "_performance" * ("_performance" in lines[source]) for word in said.split(",")}
        assert kinds == {each.data_type for each in builtin.of_source(source)}, source


def test_what_has_no_mapping_is_not_found() -> None:
    assert builtin.find("shopify", "deals") is None
    assert builtin.find("nobody", "orders") is None


@pytest.mark.parametrize("name", ["Total Wine", "Gesamtpaket", "Totally"])
def test_a_campaign_that_is_called_like_a_total_is_none(name: str) -> None:
    row = {"Campaign": name, "Day": "2026-09-01", "Cost": "1.5"}
    (found,) = cells("google_ads", "campaign_performance", File("Campaign,Day,Cost", [row]))

    assert found["campaign_name"] == name


def test_meta_s_file_without_days_is_refused_row_by_row_in_words() -> None:
    row = {
        "Reporting starts": "2026-09-01",
        "Reporting ends": "2026-09-30",
        "Campaign name": "A",
        "Amount spent (EUR)": "1",
    }
    (bad,) = read("meta_ads", "campaign_performance", File(META_A, [row]))

    assert isinstance(bad, BadRow)
    assert "the row is of 2026-09-01 to 2026-09-30. Export it by day" in bad.errors[0]["message"]


def test_google_s_file_without_days_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match=r"no column of days \(Day or Tag.*Export it by day"):
        read("google_ads", "campaign_performance", File("Campaign,Cost,Clicks", [{"Campaign": "A", "Cost": "1"}]))


def test_meta_s_results_are_not_read_because_each_row_counts_something_else() -> None:
    rows = [
        {"Ads": "A", "Day": "2026-09-01", "Amount spent (IDR)": "1500", "Results": "5", "Result type": "Link click"},
        {"Ads": "A", "Day": "2026-09-01", "Amount spent (IDR)": "2500", "Results": "2", "Result type": "Purchase",
         "Purchases": "2", "Purchases conversion value": "7.12345678"},
    ]  # fmt: skip
    found = cells("meta_ads", "ad_performance", File(META_B, rows))

    assert [each.get("conversions") for each in found] == [None, "2"]
    assert found[1]["revenue"] == "7.123457"
    assert {each["currency"] for each in found} == {"IDR"}


def test_linkedin_s_campaigns_are_ad_groups_as_in_fivetran_s_models() -> None:
    row = {"campaign_id": "7", "day": "2020-04-06 00:00:00", "cost_in_local_currency": "1"}
    (own,) = cells("linkedin_ads", "ad_group_performance", File(LINKEDIN, [row]))

    assert (own["ad_group_id"], own.get("campaign_id"), own["platform"]) == ("7", None, "linkedin_ads")
    assert builtin.find("linkedin_ads", "campaign_performance") is None


def test_snapchat_s_hours_are_moments_in_utc() -> None:
    row = {"campaign_id": "7", "date": "2022-05-29T10:00:00", "spend": "1"}
    (found,) = cells("snapchat_ads", "campaign_performance", File(SNAPCHAT, [row]))

    assert found["date"] == "2022-05-29T10:00:00+00:00"
    assert found["spend"] == "0.000001"


def test_a_repeated_line_of_an_order_and_a_cancelled_order_do_not_count() -> None:
    file = TWO_LANGUAGES["shopify"][2]
    found = cells("shopify", "orders", file)

    assert [(each["order_id"], each["revenue"]) for each in found] == [("#1001", "1050.5"), ("#1002", "14.5")]
    assert found[0]["date"] == "2026-09-01T10:00:00+02:00"
    assert all("example.com" not in text for each in found for text in each.values())


@pytest.mark.parametrize(
    ("source", "data_type", "line"),
    [
        ("salesforce", "deals", "Grand Totals (5700 records)"),
        ("salesforce", "deals", "Confidential Information - Do Not Distribute"),
        ("salesforce", "deals", "Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."),
        ("salesforce", "deals", "Copyright © 2000-2026 salesforce.com, inc. All rights reserved."),
        ("microsoft_ads", "campaign_performance", "@2020 Microsoft Corporation. All rights reserved. "),
        ("microsoft_ads", "campaign_performance", "©2020 Microsoft Corporation. All rights reserved. "),
        ("ga4", "web_analytics", "Grand total"),
    ],
)
def test_lines_below_a_table_are_known(source: str, data_type: str, line: str) -> None:
    mapping = builtin.find(source, data_type)

    assert mapping is not None
    assert is_footer(mapping, [line])
