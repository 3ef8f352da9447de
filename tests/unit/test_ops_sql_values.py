"""Texts that a statement asks a partition for and that no row can have: they are named, with what there is."""

from __future__ import annotations

import pytest

from adweir.insight.curated.layout import GLUE_TYPES, tables
from ops.sql.grammar import check
from ops.sql.values import without_rows

TABLES = tables(("google_ads", "meta_ads"))
SCHEMA = {
    name: {
        **{column: GLUE_TYPES[kind] for column, kind in table.columns.items()},
        **{key.name: "string" for key in table.keys},
    }
    for name, table in TABLES.items()
}


def said(sql: str) -> list[str]:
    checked = check(sql, SCHEMA)
    return without_rows(checked.asked, checked.tables, TABLES)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("platform = 'meta'", "no platform is 'meta', so no row has it. Near: meta_ads. What is not pulled by a"),
        ("m.platform = 'Google_Ads'", "no platform is 'Google_Ads', so no row has it. Near: google_ads"),
        ("'snapchat_ads' = platform", "There are: google_ads, meta_ads, other. What is not pulled by a connector has"),
        ("level = 'account' AND level = 'campaigns'", "no level is 'campaigns', so no row has it. Near: campaign"),
        ("level IN ('ad', 'ads')", "no level is 'ads', so no row has it. Near: ad"),
        ("grain = 'weekly'", "no grain is 'weekly', so no row has it. There are: day, hour"),
        ("grain = ''", "no grain is '', so no row has it. There are: day, hour"),
        ("month = '2026-11-01'", "no month is '2026-11-01', so no row has it. A month is written '2026-11'"),
    ],
)
def test_a_value_that_no_partition_has_is_named_with_what_there_is(where: str, expected: str) -> None:
    found = said(f"SELECT SUM(spend) FROM metrics AS m WHERE {where}")  # noqa: S608 - nobody is asked

    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM metrics WHERE platform = 'other' AND level = 'ad' AND grain = 'day' AND month = '2026-11'",
        "SELECT 1 FROM metrics WHERE month BETWEEN '2026-01' AND '2026-12' AND platform <> 'meta'",
        "SELECT 1 FROM metrics WHERE campaign_name = 'meta' AND platform_name = 'snapchat_ads'",
        "SELECT 1 FROM metrics WHERE substr(platform, 1, 4) = 'meta'",
        "SELECT 1 FROM ad_reporting__account_report WHERE platform = 'facebook_ads'",
        "SELECT 1 FROM metrics m, ad_reporting__account_report r WHERE r.platform = 'facebook_ads'",
        "SELECT 1 FROM entities WHERE dataset = 'bindings' AND level = 'anything'",  # a column of its own there
    ],
)
def test_nothing_is_said_of_values_that_rows_may_have(sql: str) -> None:
    assert said(sql) == []
