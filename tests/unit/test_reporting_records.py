"""Records: sources, flights of ads, active counts; over a catalog and metrics in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adweir.model.entities import (
    Ad,
    AdCampaign,
    AdCreative,
    AdGroup,
    Keyword,
    KeywordKind,
    PlatformObject,
    Profile,
    Status,
)
from adweir.model.errors import Unprocessable
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.reporting.query import Queries
from adweir.reporting.records import RecordPage, RecordRequest, StoredRecords
from adweir.store.metrics.store import StoredRow
from support.clock import FrozenClock
from support.listed import ListedCatalog, ListedMetrics
from support.reading_world import DAY, ReadingWorld, a_profile, account, spends
from support.reading_world import ad as listed_ad
from support.reading_world import campaign as listed_campaign

META = Platform("meta_ads")
NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
NEW_YORK = Profile(
    account_id="acc_acme", platform=META, profile_id="1", name="n", currency="USD", timezone="America/New_York"
)


def rows(series: Series, sources: Sequence[Source]) -> Iterator[StoredRow]:
    """One entity-day at the ad level that both a pull and a file brought; the first requested source wins."""
    spends = {Source.PULL: 5_000_000, Source.FILE: 7_000_000}
    source = next((source for source in sources if source in spends), None)
    if series.level is Level.AD and series.grain is Grain.DAY and source is not None:
        slot = (100, 10, 0, spends[source], 0)
        yield StoredRow("8~70", "7", "8", "", "USD", "2026-11-18", -1, slot, source, None)


def found(data_type: str, *objects: PlatformObject, **filters: Any) -> RecordPage:
    catalog, metrics = ListedCatalog([NEW_YORK], objects), ListedMetrics(rows)
    queries = Queries(catalog, metrics, REGISTRY, FrozenClock(NOW))
    return StoredRecords(catalog, queries).retrieve(RecordRequest(data_type, filters), NOW)


def campaign(start: str = "", end: str = "") -> AdCampaign:
    return AdCampaign(platform=META, profile_id="1", id="7", campaign_id="7", start_date=start, end_date=end)


def group(start: str = "", end: str = "") -> AdGroup:
    return AdGroup(
        platform=META, profile_id="1", id="8", campaign_id="7", ad_group_id="8", start_date=start, end_date=end
    )


def ad(status: Status = Status.ACTIVE, start: str = "", end: str = "") -> Ad:
    return Ad(
        platform=META,
        profile_id="1",
        id="70",
        campaign_id="7",
        ad_group_id="8",
        status=status,
        start_date=start,
        end_date=end,
    )


@pytest.mark.parametrize(
    ("own", "group_s", "campaign_s", "expected"),
    [
        (("", ""), ("", ""), ("", ""), (None, None)),
        (("", ""), ("", ""), ("2026-01-01", "2026-12-31"), ("2026-01-01", "2026-12-31")),
        (("", ""), ("2026-02-01", ""), ("2026-01-01", "2026-12-31"), ("2026-02-01", "2026-12-31")),
        (("2026-03-01", "2027-03-31"), ("2026-02-01", "2026-12-01"), ("", ""), ("2026-03-01", "2027-03-31")),
    ],
)
def test_an_ad_without_dates_has_those_of_its_group_then_of_its_campaign(
    own: tuple[str, str], group_s: tuple[str, str], campaign_s: tuple[str, str], expected: tuple[Any, Any]
) -> None:
    (record,) = found("ads", campaign(*campaign_s), group(*group_s), ad(Status.ACTIVE, *own)).records
    assert (record["start_date"], record["end_date"]) == expected
    assert record["status"] == "active"


def test_an_ad_whose_parents_are_not_listed_keeps_its_own_dates() -> None:
    (record,) = found("ads", ad()).records
    assert (record["start_date"], record["end_date"], record["status"]) == (None, None, "active")


@pytest.mark.parametrize(
    ("status", "end", "expected"),
    [
        (Status.ACTIVE, "2026-11-19", "ended"),
        (Status.ACTIVE, "2026-11-20", "active"),  # 3 o'clock UTC is still the evening of the 20th in New York
        (Status.PAUSED, "2026-11-01", "paused"),
        (Status.ARCHIVED, "2026-11-01", "archived"),
        (Status.REMOVED, "2026-11-01", "removed"),
    ],
)
def test_an_active_ad_has_ended_when_the_last_day_is_past_where_it_runs(
    status: Status, end: str, expected: str
) -> None:
    (record,) = found("ads", campaign(end=end), ad(status)).records
    assert record["status"] == expected


def test_records_name_their_source_on_request() -> None:
    dates = {"start": "2026-11-18", "end": "2026-11-18"}
    (plain,) = found("ad_performance", date_range=dates).records
    (first,) = found("ad_performance", date_range=dates, source=["file", "pull"]).records
    (file,) = found("ad_performance", date_range=dates, source="file").records
    assert "source" not in plain
    assert [(row["spend"], row.get("source")) for row in (plain, first, file)] == [
        (5, None),
        (5, "pull"),
        (7, "file"),
    ]
    assert found("ad_performance", date_range=dates, source="push").records == []


def test_account_days_and_ads_know_sources_too() -> None:
    dates = {"start": "2026-11-18", "end": "2026-11-18"}
    (day,) = found("account_performance", ad(), date_range=dates, source="file").records
    assert (day["source"], day["daily_spend"], day["ad_count"]) == ("file", 7, 1)
    (record,) = found("ads", ad(), date_range=dates, source="file").records
    assert record["spend"] == 7


@pytest.mark.parametrize("source", ["carrier pigeon", ["pull", 1], {"pull": True}, 7])
def test_an_unknown_source_is_refused_with_the_known(source: Any) -> None:
    with pytest.raises(Unprocessable) as caught:
        found("ad_performance", source=source)
    assert caught.value.details[0]["known"] == ["pull", "file", "stream", "push"]


@pytest.mark.parametrize(
    "filters",
    [
        {"colour": "red"},
        {"ad_id": [1.5]},
        {"date_range": "soon"},
        {"date_range": 7},
        {"platform": "myspace"},
        {"campaign_id": "cmp_1"},
    ],
)
def test_wrong_filters_are_refused(filters: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable):
        found("ad_performance", **filters)


def test_an_unknown_data_type_is_refused_with_the_known() -> None:
    with pytest.raises(Unprocessable, match="account_performance"):
        found("weather")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"account_id": "1"}, 1),
        ({"account_id": "acc_acme"}, 1),
        ({"account_id": ["2", "acc_acme"]}, 1),
        ({"account_id": "2"}, 0),
        ({"account_id": "acc_other"}, 0),
        ({"client_account_id": "acc_acme"}, 1),
        ({"client_account_id": "1"}, 0),
        ({"profile_id": "acc_acme"}, 0),
        ({"account_id": "acc_acme", "profile_id": "2"}, 0),
        ({"platform": ["facebook", "amazon"]}, 1),
        ({"platform": "amazon"}, 0),
        ({"campaign_id": ["7", "8"]}, 1),
        ({"campaign_id": "8"}, 0),
    ],
)
def test_a_filter_by_account_takes_either_kind_of_id(filters: dict[str, Any], count: int) -> None:
    page = found("ad_performance", **filters)
    assert [(row["account_id"], row["client_account_id"]) for row in page.records] == [("1", "acc_acme")] * count


def test_objects_name_both_accounts_and_have_no_empty_dates() -> None:
    (record,) = found("campaigns", campaign(start="2026-01-01"), account_id="acc_acme").records
    assert (record["account_id"], record["client_account_id"]) == ("1", "acc_acme")
    assert (record["start_date"], record["end_date"]) == ("2026-01-01", None)
    assert found("campaigns", campaign(), campaign_id="8").records == []


@pytest.mark.parametrize("level", ["campaign", "ad_group", "ad"])
def test_an_object_is_kept_by_its_own_id_and_its_parents(level: str) -> None:
    ids = {"campaign_id": "7", "ad_group_id": "8", "ad_id": "70"}
    item = {"campaign": campaign(), "ad_group": group(), "ad": ad()}[level]
    for name, value in list(ids.items())[: list(ids).index(f"{level}_id") + 1]:
        assert found(f"{level}s", item, **{name: [value, "9"]}).total == 1
        assert found(f"{level}s", item, **{name: "9"}).total == 0


def test_keywords_targets_and_negatives_are_one_list_each_with_its_kind() -> None:
    def item(id_: str, kind: KeywordKind, **more: Any) -> Keyword:
        return Keyword(platform=META, profile_id="1", id=id_, campaign_id="7", kind=kind, text=id_, **more)

    page = found(
        "keywords",
        item("k", KeywordKind.KEYWORD, bid=1_250_000),
        item("t", KeywordKind.PRODUCT_TARGET),
        item("n", KeywordKind.NEGATIVE),
    )
    assert [(record["id"], record["kind"], record["bid"]) for record in page.records] == [
        ("k", "keyword", Decimal("1.25")),
        ("t", "product_target", None),
        ("n", "negative", None),
    ]
    assert found("keywords", item("n", KeywordKind.NEGATIVE), keyword_id="k").total == 0


def test_creatives_are_listed() -> None:
    (record,) = found("creatives", AdCreative(platform=META, profile_id="1", id="9", headline="Hello")).records
    assert (record["id"], record["headline"], record["currency"]) == ("9", "Hello", "USD")


def test_an_ad_whose_account_was_never_pulled_has_unknown_metrics() -> None:
    (record,) = found("ads", ad(), date_range={"start": "2026-10-01", "end": "2026-10-01"}, source="push").records
    assert (record["impressions"], record["spend"], record["ctr"]) == (None, None, None)


def test_an_account_day_counts_what_had_numbers_on_that_day() -> None:
    # given two ads of one campaign on the first day, and a campaign without ads on the second
    world = ReadingWorld(a_profile())
    days = ("2026-11-17", DAY)
    world.pull(Level.ACCOUNT, account(9, days[0]), account(9), days=days)
    world.pull(Level.AD, listed_ad("a1", 3, days[0]), listed_ad("a2", 6, days[0]), days=days)
    world.pull(Level.CAMPAIGN, listed_campaign("c1", 9, days[0]), listed_campaign("c2", 9), days=days)
    # then each day has its own counts, whatever is active now
    records = world.records("account_performance", days=days).records
    assert [(record["campaign_count"], record["ad_count"]) for record in records] == [(1, 2), (1, 0)]


def test_an_account_day_whose_ads_were_not_pulled_does_not_know_their_number() -> None:
    world = ReadingWorld(a_profile())
    world.pull(Level.ACCOUNT, account(9))
    (record,) = world.records("account_performance").records
    assert (record["daily_spend"], record["campaign_count"], record["ad_count"]) == (9, None, None)


def test_an_ad_s_sums_say_what_they_leave_out() -> None:
    world = ReadingWorld(a_profile(), objects=[Ad(platform=META, profile_id="p1", id="a1", ad_group_id="g1")])
    days = ("2026-11-17", DAY)
    world.pull(Level.AD, listed_ad("a1", 3, days[0], conversions=None), listed_ad("a1", 4), days=days)
    (record,) = world.records("ads", days=days).records
    assert (record["spend"], record["conversions"], record["unknown"]) == (7, 4, {"conversions": 1})


def test_an_ad_that_spent_in_two_currencies_is_a_record_of_each() -> None:
    """An ad account changed its currency within the range: money of two currencies is never one sum."""
    item = Ad(platform=Platform("meta_ads"), profile_id="p1", id="a1", ad_group_id="g1", campaign_id="c1")
    world = ReadingWorld(a_profile(currency="EUR"), objects=[item])
    world.pull(Level.AD, listed_ad("a1", 5, "2026-11-17", currency="USD"), days=("2026-11-17", "2026-11-17"))
    world.pull(Level.AD, listed_ad("a1", 7, DAY, currency="EUR"), currency="EUR")

    found = world.records("ads", days=("2026-11-17", DAY)).records

    assert {(record["ad_id"], record["currency"]): record["spend"] for record in found} == {
        ("a1", "USD"): 5,
        ("a1", "EUR"): 7,
    }


def test_ads_whose_own_ids_have_a_tilde_are_told_apart() -> None:
    # given what a file says of two ads of a group
    items = [Ad(platform=META, profile_id="p1", id=id_, ad_group_id="g1") for id_ in ("x~b", "y~b", "b")]
    world = ReadingWorld(a_profile(), objects=items)
    world.file(Level.AD, listed_ad("x~b", 5), listed_ad("y~b", 7))
    # then each has its own numbers
    found = {record["ad_id"]: record["spend"] for record in world.records("ads").records}
    assert found == {"x~b": 5, "y~b": 7, "b": None}
    assert spends(world.report("ad"), "ad") == {"x~b": 5, "y~b": 7}
