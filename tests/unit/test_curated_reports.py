"""The tables that dbt_ad_reporting knows have its columns and say what the tables with everything say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adweir.insight.curated.layout import REPORTS
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword
from adweir.model.metrics import Level, MetricRow
from support.curated_world import CuratedWorld
from support.random_story import PLATFORMS
from support.reading_world import (
    ACCOUNT,
    AD,
    CAMPAIGN,
    EXACT,
    LOSSY,
    ONE,
    SERVED,
    ChosenPlatforms,
    account,
    ad,
    campaign,
    served,
)

OURS: dict[str, Any] = {"platform": LOSSY, "profile_id": "p1"}
IN_GROUP: dict[str, Any] = {**OURS, "campaign_id": "c1", "ad_group_id": "g1"}
SEARCHED: dict[str, Any] = {"platform": EXACT, "profile_id": "p1", "campaign_id": "c1", "ad_group_id": "g1"}
OBJECTS = [
    AdCampaign(**OURS, id="c1", name="Spring"),
    AdGroup(**OURS, id="g1", name="Shoes", campaign_id="c1"),
    Ad(**IN_GROUP, id="a1", name="Red", landing_page_url="https://shop.example/red?utm_source=meta&utm_campaign=s"),
    Ad(**IN_GROUP, id="a2", name="Blue", landing_page_url="https://shop.example/red?utm_source=meta&utm_campaign=s"),
    Ad(**IN_GROUP, id="a3", name="Green", landing_page_url="https://shop.example/green"),
    Ad(**IN_GROUP, id="a4", name="No page"),
    Keyword(**SEARCHED, id="k1", text="red shoes", match_type="phrase"),
]
ADS = {"a1": 1, "a2": 2, "a3": 4, "a4": 8}


def split(level: Level, value: str, spend: int, day: str = "2026-11-18") -> MetricRow:
    """A row of what a campaign, an ad or the keyword spent where the breakdown has this value."""
    entity, group = {CAMPAIGN: ("c1", ""), AD: ("g1~a1", "g1"), Level.KEYWORD: ("g1~k1", "g1")}[level]
    whole = account(spend, day)
    entity = f"{entity}~{value}" if value else entity
    return MetricRow(entity, day, *whole.slot, "c1", group, currency="USD")


@pytest.fixture(scope="module")
def whole() -> CuratedWorld:
    """An account of which everything is known: 20 in all, of which ads have 15; countries, regions and searches."""
    world = CuratedWorld(objects=OBJECTS, platforms=PLATFORMS)
    world.pull(ACCOUNT, account(20))
    world.pull(CAMPAIGN, campaign("c1", 20))
    world.pull(AD, *(ad(name, spend) for name, spend in ADS.items()))
    countries = [split(AD, "US", 3), split(AD, "unknown", 1)]
    days = ("2026-11-17", "2026-11-18")
    world.pull(AD, *countries, split(AD, "US", 5, "2026-11-17"), days=days, breakdown="country")
    world.pull(CAMPAIGN, split(CAMPAIGN, "Texas", 2), split(CAMPAIGN, "Ohio", 1), breakdown="region")
    searches = [split(Level.KEYWORD, "buy red shoes", 4), split(Level.KEYWORD, "shoe", 1)]
    world.pull(Level.KEYWORD, split(Level.KEYWORD, "", 6), platform=EXACT, slice_="sp")
    world.pull(Level.KEYWORD, *searches, platform=EXACT, slice_="sp", breakdown="search_term")
    world.curate()
    return world


ACCOUNT_REPORT = "source_relation date_day platform account_id account_name"
CAMPAIGN_REPORT = f"{ACCOUNT_REPORT} campaign_id campaign_name"
GROUP_REPORT = f"{CAMPAIGN_REPORT} ad_group_id ad_group_name"
MONTHLY = CAMPAIGN_REPORT.replace("date_day", "date_month")
COLUMNS = {
    "account_report": ACCOUNT_REPORT,
    "campaign_report": CAMPAIGN_REPORT,
    "ad_group_report": GROUP_REPORT,
    "ad_report": f"{GROUP_REPORT} ad_id ad_name",
    "keyword_report": f"{GROUP_REPORT} keyword_id keyword_text keyword_match_type",
    "search_report": f"{GROUP_REPORT} keyword_id keyword_text search_query search_match_type",
    "url_report": f"{GROUP_REPORT} base_url url_host url_path utm_source utm_medium utm_campaign utm_content utm_term",
    "monthly_campaign_country_report": f"{MONTHLY} country country_code global_region",
    "monthly_campaign_region_report": f"{MONTHLY} region",
}
NUMBERS = {
    **dict.fromkeys(("clicks", "impressions"), "BIGINT"),
    **dict.fromkeys(("spend", "conversions", "conversions_value"), "DECIMAL(24,6)"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_files_of_a_report_have_exactly_the_columns_of_dbt_ad_reporting(whole: CuratedWorld, name: str) -> None:
    found = whole.ask(f"DESCRIBE SELECT * FROM ad_reporting__{name}")  # noqa: S608  a test's own words

    texts = {column: "DATE" if column.startswith("date_") else "VARCHAR" for column in COLUMNS[name].split()}
    assert [(row["column_name"], row["column_type"]) for row in found] == list((texts | NUMBERS).items())


def test_a_landing_page_has_what_its_ads_spent_and_an_ad_without_one_is_not_in_the_report(whole: CuratedWorld) -> None:
    rows = whole.ask(
        "SELECT base_url, url_host, url_path, utm_source, utm_medium, utm_campaign, spend "
        "FROM ad_reporting__url_report ORDER BY spend"
    )

    assert [tuple(row.values()) for row in rows] == [
        ("https://shop.example/red", "shop.example", "/red", "meta", None, "s", 3),
        ("https://shop.example/green", "shop.example", "/green", None, None, None, 4),
    ]


def test_a_search_names_the_keyword_that_it_came_by(whole: CuratedWorld) -> None:
    rows = whole.ask(
        "SELECT platform, keyword_text, search_query, search_match_type, spend, conversions_value "
        "FROM ad_reporting__search_report ORDER BY spend"
    )

    assert [tuple(row.values()) for row in rows] == [
        (EXACT, "red shoes", "shoe", "phrase", 1, 2),
        (EXACT, "red shoes", "buy red shoes", "phrase", 4, 8),
    ]


def test_a_keyword_has_its_text(whole: CuratedWorld) -> None:
    (row,) = whole.ask("SELECT keyword_id, keyword_text, keyword_match_type, spend FROM ad_reporting__keyword_report")

    assert tuple(row.values()) == ("k1", "red shoes", "phrase", 6)


def test_countries_are_summed_over_the_month_and_only_a_code_is_one(whole: CuratedWorld) -> None:
    rows = whole.ask(
        "SELECT CAST(date_month AS VARCHAR) AS m, campaign_name, country, country_code, global_region, "
        "spend FROM ad_reporting__monthly_campaign_country_report "
        "WHERE country IN ('US', 'unknown') ORDER BY spend DESC"
    )

    assert [tuple(row.values()) for row in rows] == [
        ("2026-11-01", "Spring", "US", "US", None, 8),
        ("2026-11-01", "Spring", "unknown", None, None, 1),
    ]


def test_a_month_in_two_currencies_has_a_row_of_each() -> None:
    world = CuratedWorld(objects=OBJECTS, platforms=PLATFORMS)
    before = ("2026-11-17", "2026-11-17")
    world.pull(CAMPAIGN, split(CAMPAIGN, "Texas", 5, before[0]), breakdown="region", days=before)
    in_yen = msgspec.structs.replace(split(CAMPAIGN, "Texas", 700), currency="JPY")
    world.pull(CAMPAIGN, in_yen, breakdown="region", currency="JPY")

    world.curate()

    rows = world.ask("SELECT spend FROM ad_reporting__monthly_campaign_region_report ORDER BY spend")
    assert [row["spend"] for row in rows] == [5, 700]


def test_what_regions_leave_of_a_campaign_follows_the_campaign() -> None:
    world = CuratedWorld(objects=OBJECTS, platforms=PLATFORMS)
    world.pull(CAMPAIGN, campaign("c1", 20))
    world.pull(CAMPAIGN, split(CAMPAIGN, "Texas", 5), breakdown="region")
    world.curate()

    world.pull(CAMPAIGN, campaign("c1", 30))
    world.curate()

    assert world.ask("SELECT SUM(spend) AS spend FROM metrics WHERE level = 'campaign_by_region'") == [{"spend": 30}]
    assert world.ask("SELECT SUM(spend) AS spend FROM ad_reporting__monthly_campaign_region_report") == [{"spend": 30}]


def test_regions_are_the_platforms_own_words(whole: CuratedWorld) -> None:
    rows = whole.ask(
        "SELECT campaign_name, region, spend FROM ad_reporting__monthly_campaign_region_report "
        "WHERE region IN ('Texas', 'Ohio') ORDER BY spend"
    )

    assert [tuple(row.values()) for row in rows] == [("Spring", "Ohio", 1), ("Spring", "Texas", 2)]


@pytest.mark.parametrize("name", ["account", "campaign", "ad_group", "ad"])
def test_each_report_sums_to_the_account(whole: CuratedWorld, name: str) -> None:
    """What an account spent and its objects did not is a row of its own, called unattributed."""
    (row,) = whole.ask(
        "SELECT SUM(spend) AS spend, SUM(clicks) AS clicks, SUM(conversions_value) AS value "  # noqa: S608
        f"FROM ad_reporting__{name}_report WHERE platform = 'facebook_ads'"
    )

    assert tuple(row.values()) == (Decimal(20), 20, Decimal(40))


def test_a_renamed_ad_with_another_page_is_shown_so_in_all_reports() -> None:
    world = CuratedWorld(ONE, objects=OBJECTS)
    world.pull(AD, *(ad(name, spend) for name, spend in ADS.items()))
    world.curate()

    world.listed[2] = Ad(**IN_GROUP, id="a1", name="Crimson", landing_page_url="https://shop.example/crimson")
    world.curate()

    names = world.ask("SELECT ad_name FROM ad_reporting__ad_report WHERE ad_id = 'a1'")
    pages = world.ask("SELECT url_path, spend FROM ad_reporting__url_report ORDER BY spend")
    assert names == [{"ad_name": "Crimson"}]
    assert [tuple(row.values()) for row in pages] == [("/crimson", 1), ("/red", 2), ("/green", 4)]
    (entity,) = world.ask("SELECT name, landing_page_url FROM entities WHERE dataset = 'ads' AND id = 'a1'")
    assert tuple(entity.values()) == ("Crimson", "https://shop.example/crimson")


def test_a_restated_day_has_the_new_number_in_every_table_and_the_old_one_among_the_changes() -> None:
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 4), ad("a2", 1))
    world.curate()

    world.pull(AD, ad("a1", 9), ad("a2", 1))
    world.curate()

    for table in (
        "metrics WHERE level = 'ad' AND",
        "metrics WHERE level = 'account' AND",
        "ad_reporting__ad_report WHERE",
    ):
        assert world.ask(f"SELECT SUM(spend) AS spend FROM {table} true") == [{"spend": Decimal(10)}]  # noqa: S608
    changes = "SELECT entity_id, old_spend, new_spend FROM changes WHERE old_spend IS NOT NULL"
    assert [tuple(row.values()) for row in world.ask(changes)] == [("g1~a1", 4, 9)]


def test_an_ad_account_without_numbers_is_only_listed() -> None:
    world = CuratedWorld(ONE)

    world.curate()

    assert [key for key in world.keys if "ad_accounts" not in key] == []
    (row,) = world.ask("SELECT dataset, id, name, currency FROM entities")
    assert tuple(row.values()) == ("ad_accounts", "p1", "Main", "USD")


def test_a_platform_without_account_totals_has_the_sums_of_its_objects_in_the_account_report() -> None:
    sums = served(Dataset.CAMPAIGN_DAILY, sums=True)
    world = CuratedWorld(ONE, platforms=ChosenPlatforms({LOSSY: {Dataset.CAMPAIGN_DAILY: sums}, EXACT: SERVED[EXACT]}))
    world.pull(CAMPAIGN, campaign("c1", 3), campaign("c2", 4))

    world.curate()

    assert world.ask("SELECT spend FROM ad_reporting__account_report") == [{"spend": Decimal(7)}]
