"""Days that are not over, and those that only hours cover."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.entities import ProfileStatus
from adweir.model.metrics import Grain, Level, Source
from support.bounds import at_the_bound
from support.reading_world import (
    ACCOUNT,
    AD,
    CAMPAIGN,
    DAY,
    EXACT,
    HOURS,
    ONE,
    TODAY,
    TWO,
    ReadingWorld,
    a_profile,
    account,
    ad,
    campaign,
    days_of,
    gap,
    listed,
    spends,
)


def at(hour: int, spend: int, level: Level = ACCOUNT, day: str = TODAY, **more: Any) -> Any:
    return (account if level is ACCOUNT else lambda *args, **kw: campaign("c1", *args, **kw))(
        spend, day, hour=hour, **more
    )


def test_today_by_day_is_answered_by_its_hours_when_asked() -> None:
    world = ReadingWorld(ONE)
    world.pull(ACCOUNT, account(5))
    world.pull(ACCOUNT, at(0, 1, conversions=None), at(1, 2, conversions=None), **HOURS)
    asked: dict[str, Any] = {"days": (DAY, TODAY)}
    assert [record["date"] for record in world.records("account_performance", **asked).records] == [DAY]
    page = world.records("account_performance", live=True, **asked)
    assert [(r["date"], r["daily_spend"], r.get("live")) for r in page.records] == [(DAY, 5, None), (TODAY, 3, True)]
    assert (page.records[1]["daily_conversions"], page.records[1]["unknown"]) == (None, {"conversions": 2})
    assert [(day["date"], day["live"]) for day in page.coverage] == [
        (DAY, False),
        ("2026-11-19", False),
        (TODAY, True),
    ]
    assert page.coverage[2]["pulled_at"] is not None
    assert page.coverage[2]["missing"] == []
    # with the dimension hour there is nothing to ask for
    assert spends(world.report("hour", days=(TODAY, TODAY)), "hour") == {0: 1, 1: 2}


def _pulled_by_day(world: ReadingWorld) -> None:
    world.pull(ACCOUNT, account(5, TODAY), days=(TODAY, TODAY))


def _pulled_by_hour(world: ReadingWorld) -> None:
    world.pull(ACCOUNT, at(0, 8), **HOURS)


def _campaigns_by_day(world: ReadingWorld) -> None:
    world.pull(CAMPAIGN, campaign("c1", 3, TODAY), days=(TODAY, TODAY))


def _campaigns_by_hour(world: ReadingWorld) -> None:
    world.pull(CAMPAIGN, at(1, 7, CAMPAIGN), **HOURS)


def _ads_by_day(world: ReadingWorld) -> None:
    world.pull(AD, ad("a1", 2, TODAY), days=(TODAY, TODAY))


def _ads_pushed(world: ReadingWorld) -> None:
    world.pull(AD, ad("a1", 4, TODAY, hour=3), source=Source.PUSH, complete=False, **HOURS)


def _campaigns_by_hour_in_part(world: ReadingWorld) -> None:
    world.pull(CAMPAIGN, at(1, 7, CAMPAIGN), complete=False, **HOURS)


def _campaigns_broken_off(world: ReadingWorld) -> None:
    world.pull(CAMPAIGN, campaign("c1", 1, TODAY), days=(TODAY, TODAY), complete=False)


def _ads_broken_off(world: ReadingWorld) -> None:
    world.pull(AD, ad("a1", 6, TODAY), days=(TODAY, TODAY), complete=False)


def _campaigns_filed(world: ReadingWorld) -> None:
    world.file(CAMPAIGN, campaign("c1", 5, TODAY), campaign("c2", 4, TODAY), days=(TODAY, TODAY))


@pytest.mark.parametrize(
    ("stored", "live", "spend"),
    [
        ((_campaigns_by_hour_in_part,), True, 7),
        ((_campaigns_by_hour_in_part, _ads_pushed), True, 7),
        ((_pulled_by_day, _campaigns_by_hour), False, 5),
        ((_pulled_by_hour, _campaigns_by_day), True, 8),
        ((_pulled_by_hour, _campaigns_by_day, _ads_by_day), True, 8),
        ((_pulled_by_day, _campaigns_by_hour, _ads_pushed), False, 5),
        ((_ads_pushed, _campaigns_by_day), True, 4),
        ((_campaigns_by_day, _ads_by_day), False, 3),
        ((_campaigns_by_day, _campaigns_by_hour), True, 7),
    ],
)
def test_all_levels_answer_for_a_day_by_its_hours_or_none_does(
    stored: Sequence[Callable[[ReadingWorld], None]], live: bool, spend: int
) -> None:
    # given a day that was pulled by day at one level and by hour at another
    world = ReadingWorld(ONE)
    for store in stored:
        store(world)
    asked: dict[str, Any] = {"days": (TODAY, TODAY), "live": True}
    by_level = [world.report(*names, **asked) for names in (("date",), ("campaign",), ("ad",))]
    # when it is asked for by each level, then the sums agree, and so do the answers' words
    assert [sum(row["spend"] for row in report.rows) for report in by_level] == [spend] * 3
    assert {day["live"] for report in by_level for day in report.coverage} == {live}
    # and so for single objects, which have no rest
    assert {
        row.get("live", False)
        for name, id_ in (("campaign", "c1"), ("ad", "a1"))
        for row in world.report(name, segments={name: [id_]}, **asked).rows
    } <= {live}
    # and the list says the same
    days = [entry["live"] for entry in listed(world, days=(TODAY, TODAY)).entries if "hourly" not in entry["data_type"]]
    assert days == [live] * 3


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                _pulled_by_day,
                _pulled_by_hour,
                _campaigns_by_day,
                _campaigns_by_hour,
                _campaigns_by_hour_in_part,
                _ads_by_day,
                _ads_pushed,
                _campaigns_broken_off,
                _ads_broken_off,
                _campaigns_filed,
            ]
        ),
        unique=True,
    ),
    st.booleans(),
)
def test_whatever_was_stored_of_today_its_levels_add_up_to_the_same(
    stored: list[Callable[[ReadingWorld], None]], live: bool
) -> None:
    world = ReadingWorld(ONE)
    for store in stored:
        store(world)

    by_level = [
        world.report(*names, days=(TODAY, TODAY), live=live).rows for names in (("date",), ("campaign",), ("ad",))
    ]

    assert len({sum(row["spend"] for row in rows) for rows in by_level}) == 1


@pytest.mark.parametrize(
    ("stored", "spend"),
    [
        ((_ads_broken_off,), 0),
        ((_campaigns_broken_off, _campaigns_filed), 9),
        ((_campaigns_by_day, _ads_broken_off), 3),
        ((_ads_broken_off, _campaigns_by_hour), 0),
    ],
)
def test_a_pull_of_today_that_broke_off_counts_at_no_level(
    stored: Sequence[Callable[[ReadingWorld], None]], spend: int
) -> None:
    # given a pull of today that broke off, alone or beside what else there is of the day
    world = ReadingWorld(ONE)
    for store in stored:
        store(world)
    # when today is asked for by day, by each level
    names = (("date",), ("campaign",), ("ad_group",), ("ad",))
    by_level = {name: world.report(*name, days=(TODAY, TODAY)) for name in names}
    # then all say the same, and that the day was not pulled
    assert {name: sum(row["spend"] for row in found.rows) for name, found in by_level.items()} == dict.fromkeys(
        names, spend
    )
    assert by_level["ad",].coverage[0]["missing"] == [gap()]


def test_a_day_that_only_hours_cover_is_live_until_it_is_pulled() -> None:
    world = ReadingWorld(ONE)
    yesterday = ("2026-11-19", "2026-11-19")
    world.pull(ACCOUNT, at(5, 4, day=yesterday[0]), grain=Grain.HOUR, days=yesterday)
    assert spends(world.report("date", days=yesterday, live=True), "date") == {"2026-11-19": 4}
    world.pull(ACCOUNT, account(9, yesterday[0]), days=yesterday)
    report = world.report("date", days=yesterday, live=True)
    assert spends(report, "date") == {"2026-11-19": 9}
    assert not report.coverage[0]["live"]


YESTERDAY = ("2026-11-19", "2026-11-19")
LEVELS = (("date",), ("campaign",), ("ad",))


@pytest.mark.parametrize("source", [Source.STREAM, Source.PUSH])
def test_yesterday_is_answered_by_its_streamed_or_pushed_hours_until_it_is_pulled(source: Source) -> None:
    # given hours of yesterday, which no pull brought, and a daily pull that is not there yet
    world = ReadingWorld(ONE)
    hours = [at(hour, 2, CAMPAIGN, YESTERDAY[0]) for hour in (3, 23)]
    world.pull(CAMPAIGN, *hours, source=source, complete=False, grain=Grain.HOUR, days=YESTERDAY)
    asked: dict[str, Any] = {"days": ("2026-11-17", TODAY), "live": True}
    # when the days are asked for, by each level
    by_level = [world.report(*names, **asked) for names in LEVELS]
    # then yesterday is there, says that it is live and what is missing, and is not there for those who did not ask
    assert [[(row["spend"], row["live"]) for row in report.rows] for report in by_level] == [[(4, True)]] * 3
    assert [day["date"] for day in by_level[0].coverage if day["live"]] == [YESTERDAY[0]]
    assert days_of(world, "account_performance", **asked)[YESTERDAY[0]]["missing"] == [gap()]
    assert [entry["date"] for entry in listed(world, days=YESTERDAY).entries if entry["live"]] == [YESTERDAY[0]] * 3
    assert world.report("campaign", **asked | {"live": False}).rows == []
    # and when it was pulled, then the pull alone answers
    world.pull(ACCOUNT, account(9, YESTERDAY[0]), days=YESTERDAY)
    by_level = [world.report(*names, **asked) for names in LEVELS]
    assert [[(row["spend"], "live" in row) for row in report.rows] for report in by_level] == [[(9, False)]] * 3


def test_hours_of_a_day_that_is_over_are_not_added_to_what_a_file_says_of_it() -> None:
    world = ReadingWorld(ONE)
    hour = at(3, 2, CAMPAIGN, YESTERDAY[0])
    world.pull(CAMPAIGN, hour, source=Source.STREAM, complete=False, grain=Grain.HOUR, days=YESTERDAY)
    world.file(CAMPAIGN, campaign("c1", 5, YESTERDAY[0]), days=YESTERDAY)
    by_level = [world.report(*names, days=YESTERDAY, live=True).rows for names in LEVELS]
    assert [[(row["spend"], "live" in row) for row in rows] for rows in by_level] == [[(5, False)]] * 3


def test_live_rows_of_a_finer_level_add_up_to_the_account() -> None:
    world = ReadingWorld(ONE)
    world.pull(ACCOUNT, at(0, 10), at(1, 5), **HOURS)
    world.pull(CAMPAIGN, at(0, 6, CAMPAIGN), at(1, 5, CAMPAIGN), **HOURS)
    rows = world.report("campaign", days=(TODAY, TODAY), live=True).rows
    assert [(row["campaign"], row["spend"]) for row in rows] == [("c1", 11), (None, 4)]
    assert all(row["live"] for row in rows)
    # ads have no hours here: all of the day is unattributed
    assert spends(world.report("ad", days=(TODAY, TODAY), live=True), "ad") == {None: 15}


def test_pushed_hours_answer_for_today_too() -> None:
    world = ReadingWorld(ONE)
    world.pull(CAMPAIGN, at(3, 7, CAMPAIGN), source=Source.PUSH, complete=False, **HOURS)
    assert spends(world.report("campaign", days=(TODAY, TODAY), live=True), "campaign") == {"c1": 7}
    assert world.report("campaign", days=(TODAY, TODAY)).rows == []


@pytest.mark.parametrize("level", [CAMPAIGN, Level.KEYWORD])
def test_pushed_hours_are_live_in_the_answer_and_in_the_list_where_no_hours_are_pulled(level: Level) -> None:
    # given a platform whose hours come by pushes alone
    world = ReadingWorld(a_profile(EXACT))
    row = campaign("g1~k1" if level is Level.KEYWORD else "c1", 4, TODAY, hour=3, ad_product="sp")
    world.pull(level, row, platform=EXACT, source=Source.PUSH, complete=False, **HOURS)
    # when today is asked for with them
    name = f"{level.value}_performance"
    page = world.records(name, days=(TODAY, TODAY), live=True)
    # then the row, the answer and the list say the same, and what was not pulled by day is missing
    assert [record["live"] for record in page.records] == [True]
    assert [(day["date"], day["live"], day["settled"], day["missing"]) for day in page.coverage] == [
        (TODAY, True, False, [gap(slice_=each, platform=EXACT) for each in TWO])
    ]
    (entry,) = listed(world, days=(TODAY, TODAY), data_type=name).entries
    assert (entry["live"], entry["missing"]) == (True, list(TWO))


def test_a_level_without_hours_says_that_its_day_is_live() -> None:
    world = ReadingWorld(ONE)
    world.pull(ACCOUNT, at(0, 10), **HOURS)
    report = world.report("ad", days=(TODAY, TODAY), live=True)
    assert [(row["ad"], row["live"]) for row in report.rows] == [(None, True)]
    assert [(day["live"], day["missing"]) for day in report.coverage] == [(True, [gap()])]


def test_an_ad_account_that_has_ended_misses_nothing_on_a_live_day() -> None:
    world = ReadingWorld(a_profile(EXACT, status=ProfileStatus.REMOVED))
    row = campaign("c1", 4, TODAY, hour=3)
    world.pull(CAMPAIGN, row, platform=EXACT, source=Source.PUSH, complete=False, **HOURS)
    page = world.records("campaign_performance", days=(TODAY, TODAY), live=True)
    assert [(day["live"], day["missing"]) for day in page.coverage] == [(True, [])]


def test_today_without_hours_is_answered_by_what_there_is() -> None:
    world = ReadingWorld(ONE)
    world.file(CAMPAIGN, campaign("c1", 3, TODAY), days=(TODAY, TODAY))
    report = world.report("campaign", days=(TODAY, TODAY), live=True)
    assert [(row["spend"], "live" in row) for row in report.rows] == [(3, False)]


def test_each_ad_account_has_its_own_today() -> None:
    # at 02:00 UTC the 19th is not over in New York
    world = ReadingWorld(ONE, a_profile(profile_id="west", timezone="America/New_York"))
    world = ReadingWorld(*world.catalog.profiles(), now=datetime(2026, 11, 20, 2, tzinfo=UTC))
    for profile_id in ("p1", "west"):
        world.pull(ACCOUNT, account(8, "2026-11-19"), days=("2026-11-19",) * 2, profile_id=profile_id)
        world.pull(ACCOUNT, at(1, 3, day="2026-11-19"), **HOURS | {"days": ("2026-11-19",) * 2}, profile_id=profile_id)
    # a whole pull answers, however early
    assert spends(world.report("profile_id", days=("2026-11-19",) * 2, live=True), "profile_id") == {"p1": 8, "west": 8}
    assert days_of(world, "account_performance", days=("2026-11-19", TODAY))[TODAY]["missing"] == [gap()]


def test_the_hour_that_comes_twice_adds_up() -> None:
    # given the night on which clocks go back in New York: 01:00 comes twice
    night = ("2026-11-01", "2026-11-01")
    world = ReadingWorld(a_profile(timezone="America/New_York"))
    world.pull(ACCOUNT, at(1, 3, day=night[0]), at(25, 4, day=night[0]), grain=Grain.HOUR, days=night)
    assert spends(world.report("hour", days=night), "hour") == {1: 7}
    assert spends(world.report("date", days=night, live=True), "date") == {"2026-11-01": 7}


@at_the_bound("MAX_LIVE_DAYS", as_if=3)
def test_so_many_days_are_answered_by_their_hours(size: int, fits: bool) -> None:
    world = ReadingWorld(ONE)
    first = world.now.date() - timedelta(days=size - 1)
    days = (first.isoformat(), TODAY)
    rows = [at(1, 1, day=(first + timedelta(days=n)).isoformat()) for n in range(size)]
    world.pull(ACCOUNT, *rows, grain=Grain.HOUR, days=days)
    assert (len(world.report("date", days=days, live=True).rows) == size) is fits


def test_the_list_says_which_days_are_live() -> None:
    world = ReadingWorld(ONE)
    world.pull(CAMPAIGN, at(1, 2, CAMPAIGN), **HOURS)
    world.pull(ACCOUNT, account(1))
    entries = listed(world, days=(DAY, TODAY)).entries
    live = [(entry["data_type"], entry["date"]) for entry in entries if entry["live"]]
    assert live == [
        ("account_performance", TODAY),
        ("account_performance_hourly", TODAY),
        ("ad_performance", TODAY),
        ("campaign_performance", TODAY),
        ("campaign_performance_hourly", TODAY),
    ]
