"""Where the objects of curated/ are: one key per ad account, whatever its id."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.curated.layout import (
    OTHER,
    PREFIX,
    REPORTS,
    STATE,
    file_name,
    owner_name,
    partition_of,
    report_columns,
    tables,
)

PLATFORMS = ("google_ads", "meta_ads")


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_names_never_share_a_file_and_no_reader_leaves_one_out(one: str, other: str) -> None:
    names = []
    for text in (one, other):
        try:
            names.append(file_name(text))
        except UnicodeEncodeError:  # half a character, which no id has
            return

    assert (names[0] == names[1]) is (one == other)
    for name in names:
        assert not name.startswith(("_", "."))
        assert not set("/*?[]=") & set(name)
        assert unquote(name) in {f"{one}.parquet", f"{other}.parquet"}


def test_a_platform_that_is_not_connected_is_in_the_partition_of_others_under_its_own_name() -> None:
    assert (partition_of("meta_ads", PLATFORMS), owner_name("meta_ads", "1", PLATFORMS)) == ("meta_ads", "1")
    assert partition_of("linkedin_ads", PLATFORMS) == OTHER
    assert owner_name("linkedin_ads", "1", PLATFORMS) != owner_name("pinterest_ads", "1", PLATFORMS)


def test_no_table_is_where_the_state_is() -> None:
    for table in tables(PLATFORMS).values():
        assert table.prefix.startswith(PREFIX)
        assert not table.prefix.startswith(STATE)
        assert not STATE.startswith(table.prefix)


def test_a_value_too_few_makes_no_key() -> None:
    with pytest.raises(ValueError, match="zip"):
        tables(PLATFORMS)["metrics"].key(["meta_ads"], "1")


_ACCOUNT = "source_relation,date_day,platform,account_id,account_name,"
_MONTHLY = _ACCOUNT.replace("date_day", "date_month")
_CAMPAIGN = "campaign_id,campaign_name,"
_GROUP = f"{_CAMPAIGN}ad_group_id,ad_group_name,"
_URL = "base_url,url_host,url_path,utm_source,utm_medium,utm_campaign,utm_content,utm_term,"


@pytest.mark.parametrize(
    ("report", "header"),
    [
        ("account_report", _ACCOUNT),
        ("campaign_report", _ACCOUNT + _CAMPAIGN),
        ("ad_group_report", _ACCOUNT + _GROUP),
        ("ad_report", f"{_ACCOUNT}{_GROUP}ad_id,ad_name,"),
        ("keyword_report", f"{_ACCOUNT}{_GROUP}keyword_id,keyword_text,keyword_match_type,"),
        ("search_report", f"{_ACCOUNT}{_GROUP}keyword_id,keyword_text,search_query,search_match_type,"),
        ("url_report", _ACCOUNT + _GROUP + _URL),
        ("monthly_campaign_country_report", f"{_MONTHLY}{_CAMPAIGN}country,country_code,global_region,"),
        ("monthly_campaign_region_report", f"{_MONTHLY}{_CAMPAIGN}region,"),
    ],
)
def test_a_report_has_the_columns_of_dbt_ad_reporting_in_their_order(report: str, header: str) -> None:
    """As its models/ad_reporting__*.sql of release 2.3.0 select them."""
    numbers = "clicks,impressions,spend,conversions,conversions_value"

    assert ",".join(report_columns(REPORTS[report])) == header + numbers
