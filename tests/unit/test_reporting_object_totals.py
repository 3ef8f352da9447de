"""Totals of campaigns and keywords: what a report over the same days shows, whatever was loaded and in which order."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.model.entities import AdCampaign, Keyword, KeywordKind, Status
from adweir.model.errors import TooLarge
from adweir.model.metrics import Level, MetricRow, Source
from adweir.model.tasks import Stamp
from adweir.reporting.lists import ListRequest, RecordLists
from adweir.reporting.object_totals import ObjectTotals, TotalledObject
from adweir.reporting.query import Bounds
from support.reading_world import (
    ACCOUNT,
    AD,
    CAMPAIGN,
    EXACT,
    LOSSY,
    ReadingWorld,
    a_profile,
    account,
    ad,
    campaign,
    spends,
)

YESTERDAY = "2026-11-19"
WEEK, MONTH = ("2026-11-13", YESTERDAY), ("2026-10-21", YESTERDAY)
LIFETIME = ("2024-01-01", YESTERDAY)


def totals(world: ReadingWorld, *ids: str, **more: Any) -> dict[str, dict[str, Any]]:
    """The totals of campaigns by id."""
    profile = a_profile(more.pop("platform", LOSSY))
    objects = [TotalledObject(each) for each in ids]
    found = ObjectTotals(world.queries, profile, CAMPAIGN, objects)
    return {each.own_id: found.of(each, **more) for each in objects}


def spent(found: dict[str, Any], metric: str = "spend") -> tuple[Any, Any, Any]:
    return tuple(found[window][metric] for window in ("last_7_days", "last_30_days", "lifetime"))


def test_given_days_of_three_spans_when_totalled_then_each_window_has_its_own_and_the_shorter_ones() -> None:
    world = ReadingWorld()
    days = {"2026-11-20": 1000, YESTERDAY: 1, "2026-11-13": 2, "2026-11-12": 4, "2026-10-21": 8, "2026-10-20": 16}
    days |= {"2025-03-01": 32}
    for day, spend in days.items():
        world.pull(CAMPAIGN, campaign("c1", spend, day), campaign("c2", 500, day), days=(day, day))

    found = totals(world, "c1")["c1"]

    assert spent(found) == (3, 15, 63)  # today is not over, and in none of them
    assert spent(found, "roas") == (2, 2, 2)
    assert spent(found, "days_pulled") == (2, 4, 6)
    assert (found["through"], found["currency"]) == (YESTERDAY, "USD")
    assert found["as_of"] == "2026-11-19T07:00:00.000000Z"  # the newest of the pulls


def test_given_no_pull_when_totalled_then_numbers_are_unknown_and_given_one_without_rows_then_zero() -> None:
    world = ReadingWorld()
    empty = totals(world, "c1")["c1"]
    assert (spent(empty), spent(empty, "days_pulled"), empty["as_of"]) == ((None,) * 3, (0, 0, 0), None)

    world.pull(CAMPAIGN, days=("2026-11-01", "2026-11-02"))

    found = totals(world, "c1")["c1"]
    assert spent(found) == (None, 0, 0)  # none of the last seven days was pulled
    assert spent(found, "ctr") == (None, None, None)
    assert spent(found, "days_pulled") == (0, 2, 2)
    left_out = totals(world, "c1", reported=False)["c1"]  # its platform leaves it out of reports: no row says nothing
    assert spent(left_out) == (None, None, None)


def test_given_a_restated_day_when_the_older_pull_comes_last_then_the_newer_one_counts() -> None:
    world = ReadingWorld()
    older: dict[str, Any] = {"stamp": Stamp("2026-11-19T00:30:00.000000Z", "t0")}
    world.pull(CAMPAIGN, campaign("c1", 7, "2026-11-18"), days=("2026-11-18", "2026-11-18"))
    world.pull(CAMPAIGN, campaign("c1", 5, "2026-11-18"), days=("2026-11-18", "2026-11-18"), **older)
    assert spent(totals(world, "c1")["c1"]) == (7, 7, 7)

    world.pull(CAMPAIGN, days=("2026-11-18", "2026-11-18"))  # taken back to nothing
    assert spent(totals(world, "c1")["c1"]) == (0, 0, 0)


def test_given_a_deleted_campaign_when_the_account_s_total_has_it_then_it_is_kept_and_says_so() -> None:
    world = ReadingWorld()
    days: dict[str, Any] = {"days": ("2026-11-18", "2026-11-18"), "has_totals": True}
    world.pull(CAMPAIGN, campaign("c1", 7, "2026-11-18"), campaign("c2", 3, "2026-11-18"), **days)
    world.pull(CAMPAIGN, campaign("c2", 3, "2026-11-18"), **days)
    world.pull(ACCOUNT, account(10, "2026-11-18"), days=("2026-11-18", "2026-11-18"))

    found = totals(world, "c1", "c2")

    assert (spent(found["c1"]), found["c1"]["lifetime"]["kept"]) == ((7, 7, 7), True)
    assert (spent(found["c2"]), "kept" in found["c2"]["lifetime"]) == ((3, 3, 3), False)
    # and when a newer total is without it, then it is gone, though nothing wrote to its items
    world.pull(ACCOUNT, account(3, "2026-11-18"), days=("2026-11-18", "2026-11-18"))
    assert spent(totals(world, "c1")["c1"]) == (0, 0, 0)


def test_given_a_platform_that_unknows_a_number_when_totalled_then_the_sum_says_how_many_it_leaves_out() -> None:
    world = ReadingWorld()
    rows = [campaign("c1", 1, "2026-11-18"), campaign("c1", 2, YESTERDAY, conversions=None)]
    world.pull(CAMPAIGN, *rows, days=("2026-11-18", YESTERDAY))
    week = totals(world, "c1")["c1"]["last_7_days"]
    assert (week["conversions"], week["unknown"], week["spend"]) == (1, {"conversions": 1}, 3)


def test_given_a_profile_that_changed_its_currency_when_totalled_then_nothing_is_added_across_currencies() -> None:
    world = ReadingWorld()
    old = campaign("c1", 9, "2026-09-01", currency="EUR")
    world.pull(CAMPAIGN, old, days=("2026-09-01", "2026-09-01"), currency="EUR")
    world.pull(CAMPAIGN, campaign("c1", 4, YESTERDAY), days=(YESTERDAY, YESTERDAY))

    found = totals(world, "c1")["c1"]

    assert (found["currency"], spent(found)) == ("USD", (4, 4, 4))
    assert [(each["currency"], spent(each)) for each in found["others"]] == [("EUR", (None, None, 9))]


def test_given_ads_that_sum_to_their_campaign_when_only_these_were_pulled_then_they_make_its_total() -> None:
    world = ReadingWorld()
    for slice_ in ("sp", "sb"):
        days: dict[str, Any] = {"platform": EXACT, "slice_": slice_, "days": (YESTERDAY, YESTERDAY)}
        more: dict[str, Any] = {"ad_product": slice_}
        world.pull(AD, ad(f"a-{slice_}", 5, YESTERDAY, **more), ad(f"x-{slice_}", 1, YESTERDAY, "c2", **more), **days)
    assert spent(totals(world, "c1", platform=EXACT)["c1"]) == (10, 10, 10)


def keyword(id_: str, spend: int, group: str = "g1") -> MetricRow:
    row = campaign("x", spend, YESTERDAY)
    row.entity_id, row.campaign_id, row.ad_group_id, row.ad_product = f"{group}~{id_}", "c1", group, "sp"
    return row


def test_given_keywords_of_one_id_in_two_groups_when_listed_then_each_has_its_own_totals_and_a_negative_none() -> None:
    common: dict[str, Any] = {"platform": EXACT, "profile_id": "p1", "campaign_id": "c1", "status": Status.ACTIVE}
    listed = [
        Keyword(id="k1", ad_group_id="g1", **common),
        Keyword(id="k1", ad_group_id="g2", **common),
        Keyword(id="n1", ad_group_id="g1", kind=KeywordKind.NEGATIVE, **common),
    ]
    world = ReadingWorld(a_profile(EXACT), objects=listed)
    rows = [keyword("k1", 3), keyword("k1", 4, "g2"), keyword("k9", 5)]
    world.pull(Level.KEYWORD, *rows, platform=EXACT, slice_="sp", days=(YESTERDAY, YESTERDAY))

    lists = RecordLists(world.catalog, world.queries)
    asked = ListRequest("keywords", order="-totals.last_30_days.spend")
    found = lists.shown(asked, lists.all(asked, world.now).records)

    assert [(each["ad_group_id"], each["totals"] and spent(each["totals"])) for each in found] == [
        ("g2", (4, 4, 4)),
        ("g1", (3, 3, 3)),
        ("g1", None),
    ]
    # a slice of that day is missing
    assert spent(found[0]["totals"], "days_pulled") == (0, 0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_given_any_loads_in_any_order_when_totalled_then_it_is_what_a_report_shows(seed: int) -> None:
    """Pulls, files, re-loads, what vanishes, account totals before and after; at two levels."""
    chance = random.Random(seed)
    names = ("c1", "c2", "c3")
    world = ReadingWorld(a_profile(), objects=[AdCampaign(platform=LOSSY, profile_id="p1", id=each) for each in names])
    for number in chance.sample(range(40), 40):
        first = date(2026, 9, 25) + timedelta(days=chance.randrange(50))
        window = [(first + timedelta(days=day)).isoformat() for day in range(chance.randrange(1, 9))]
        made: dict[str, Any] = {"days": (window[0], window[-1]), "has_totals": seed % 2 == 0}
        made["stamp"] = Stamp(f"2026-11-19T{number // 2:02d}:{number % 2 * 30:02d}:00.000000Z", f"t{number}")
        kind = chance.choice(("campaign", "campaign", "ad", "account", "file"))
        rows = [(each, day) for each in names for day in window if chance.random() < 0.7]
        if kind == "account":
            world.pull(
                ACCOUNT, *(account(chance.randrange(100), day) for day in window), **made | {"has_totals": False}
            )
        elif kind == "ad":
            world.pull(AD, *(ad(f"a-{c}", chance.randrange(30), day, c) for c, day in rows), **made)
        else:
            source: dict[str, Any] = {"source": Source.FILE, "complete": False} if kind == "file" else {}
            world.pull(CAMPAIGN, *(campaign(c, chance.randrange(30), day) for c, day in rows), **made, **source)

    found = totals(world, *names)

    for window_name, days in {"last_7_days": WEEK, "last_30_days": MONTH, "lifetime": LIFETIME}.items():
        shown = spends(world.report("campaign_id", days=days), "campaign_id")
        own = {each: found[each][window_name]["spend"] or 0 for each in names}
        assert own == {each: shown.get(each) or 0 for each in names}, window_name


def test_given_no_time_left_when_totalled_then_it_says_so() -> None:
    world = ReadingWorld()
    world.pull(CAMPAIGN, campaign("c1", 1, YESTERDAY), days=(YESTERDAY, YESTERDAY))
    hurried = world.queries.within(Bounds(remaining=lambda: 0.0, margin=1.0))
    with pytest.raises(TooLarge):
        ObjectTotals(hurried, a_profile(), CAMPAIGN, [TotalledObject("c1")])
