"""What answers say about the days they rest on, and days that are not over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.entities import ProfileStatus
from adweir.model.metrics import Grain, Level, Source
from adweir.model.settling import is_settled
from adweir.reporting.coverage_list import CoverageList, CoverageRequest
from adweir.reporting.filters import EVERYTHING, Filters
from adweir.reporting.ranges import parse_range
from support.bounds import at_the_bound
from support.reading_world import DAY, EXACT, LOSSY, TWO, ReadingWorld, a_profile, account, ad, campaign, spends

AD, CAMPAIGN, ACCOUNT = Level.AD, Level.CAMPAIGN, Level.ACCOUNT
TODAY = "2026-11-20"
ONE = a_profile()
HOURS: dict[str, Any] = {"grain": Grain.HOUR, "days": (TODAY, TODAY)}


def days_of(world: ReadingWorld, data_type: str, **more: Any) -> dict[str, dict[str, Any]]:
    return {day.pop("date"): day for day in world.records(data_type, **more).coverage}


def gap(profile_id: str = "p1", slice_: str = "all", platform: str = LOSSY) -> dict[str, str]:
    return {"platform": platform, "profile_id": profile_id, "slice": slice_}


# --- coverage beside records and reports


def test_a_day_without_data_and_a_day_that_was_not_pulled_differ() -> None:
    # given an ad account of which a day was pulled, and brought nothing
    world = ReadingWorld(ONE)
    at = world.pull(ACCOUNT)
    # when both that day and the one before are asked for
    page = world.records("account_performance", days=("2026-11-17", DAY))
    # then neither has a record, and the coverage tells them apart
    assert page.records == []
    assert page.coverage == [
        {"date": "2026-11-17", "pulled_at": None, "missing": [gap()], "settled": False, "live": False},
        {"date": DAY, "pulled_at": at, "missing": [], "settled": False, "live": False},
    ]
    assert world.report("date", days=("2026-11-17", DAY)).coverage == page.coverage


def test_a_day_is_as_old_as_its_oldest_part() -> None:
    world = ReadingWorld(a_profile(), a_profile(EXACT))
    first = world.pull(CAMPAIGN, platform=EXACT, slice_="sp")
    world.pull(ACCOUNT)
    world.pull(CAMPAIGN, platform=EXACT, slice_="sb")
    assert days_of(world, "account_performance")[DAY]["pulled_at"] == first
    # a newer pull of that part makes the account total the oldest
    world.pull(CAMPAIGN, platform=EXACT, slice_="sp")
    assert days_of(world, "account_performance")[DAY]["pulled_at"] > first


def test_what_is_missing_is_named_by_ad_account_and_slice() -> None:
    world = ReadingWorld(a_profile(), a_profile(EXACT), a_profile(EXACT, "p2"))
    world.pull(CAMPAIGN, platform=EXACT, slice_="sp")
    assert days_of(world, "campaign_performance")[DAY]["missing"] == [
        gap(),
        gap("p1", "sb", EXACT),
        gap("p2", "sp", EXACT),
        gap("p2", "sb", EXACT),
    ]


def test_a_level_that_a_finer_one_stands_for_is_not_missing() -> None:
    world = ReadingWorld(a_profile(EXACT))
    for slice_ in TWO:
        world.pull(AD, platform=EXACT, slice_=slice_)
    assert days_of(world, "campaign_performance")[DAY]["missing"] == []
    assert days_of(world, "account_performance")[DAY]["missing"] == []


def test_a_level_that_a_platform_does_not_serve_is_covered_by_the_finer_one() -> None:
    world = ReadingWorld(ONE)
    assert days_of(world, "ad_group_performance")[DAY]["missing"] == [gap()]
    at = world.pull(AD, ad("a1", 1))
    assert days_of(world, "ad_group_performance")[DAY] == {
        "pulled_at": at,
        "missing": [],
        "settled": False,
        "live": False,
    }
    assert days_of(world, "keyword_performance") == {}


@pytest.mark.parametrize(("status", "missing"), [(ProfileStatus.DENIED, 1), (ProfileStatus.REMOVED, 0)])
def test_an_ad_account_that_has_ended_misses_nothing(status: ProfileStatus, missing: int) -> None:
    world = ReadingWorld(ONE, a_profile(profile_id="p2", status=status))
    world.pull(ACCOUNT)
    assert days_of(world, "account_performance")[DAY]["missing"] == [gap("p2")] * missing


def test_days_that_have_not_begun_are_left_out() -> None:
    world = ReadingWorld(ONE, now=datetime(2026, 11, 20, 2, tzinfo=UTC))
    west = ReadingWorld(a_profile(timezone="America/New_York"), now=world.now)
    asked: dict[str, Any] = {"days": ("2026-11-19", "2026-11-22")}
    assert list(days_of(world, "account_performance", **asked)) == ["2026-11-19", TODAY]
    assert list(days_of(west, "account_performance", **asked)) == ["2026-11-19"]


def test_objects_rest_on_no_days() -> None:
    assert ReadingWorld(ONE).records("campaigns").coverage == []


@at_the_bound("MAX_MISSING_SLICES_NAMED", as_if=3)
def test_missing_slices_are_named_and_beyond_that_counted(size: int, fits: bool) -> None:
    world = ReadingWorld(*(a_profile(profile_id=f"p{n}") for n in range(size)))
    (day,) = world.records("account_performance").coverage
    assert len(day["missing"]) + day.get("missing_more", 0) == size
    assert ("missing_more" not in day) is fits


@pytest.mark.parametrize(
    ("age", "pulled", "expected"),
    [(28, 28, False), (29, 28, True), (29, 21, True), (29, 20, False), (400, 1, False), (400, 400, True)],
)
def test_a_day_is_settled_when_it_is_old_and_was_pulled_late(age: int, pulled: int, expected: bool) -> None:
    day = date(2026, 1, 1)
    assert is_settled(day, day + timedelta(age), day + timedelta(pulled), 28) is expected


def test_a_day_that_was_pulled_before_it_was_over_never_settles_without_another_pull() -> None:
    day = date(2026, 1, 1)
    assert not is_settled(day, day + timedelta(300), day, 0)
    assert is_settled(day, day + timedelta(300), day + timedelta(1), 0)


def test_all_ad_accounts_have_to_be_settled() -> None:
    world = ReadingWorld(ONE, a_profile(profile_id="p2"))
    old = ("2026-10-01", "2026-10-01")
    world.pull(ACCOUNT, days=old)
    assert days_of(world, "account_performance", days=old)["2026-10-01"]["settled"] is False
    world.pull(ACCOUNT, days=old, profile_id="p2")
    assert days_of(world, "account_performance", days=old)["2026-10-01"]["settled"] is True


# --- live


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


def test_a_day_that_only_hours_cover_is_live_until_it_is_pulled() -> None:
    world = ReadingWorld(ONE)
    yesterday = ("2026-11-19", "2026-11-19")
    world.pull(ACCOUNT, at(5, 4, day=yesterday[0]), grain=Grain.HOUR, days=yesterday)
    assert spends(world.report("date", days=yesterday, live=True), "date") == {"2026-11-19": 4}
    world.pull(ACCOUNT, account(9, yesterday[0]), days=yesterday)
    report = world.report("date", days=yesterday, live=True)
    assert spends(report, "date") == {"2026-11-19": 9}
    assert not report.coverage[0]["live"]


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


# --- time zones


def test_an_ad_account_of_an_unknown_time_zone_is_left_out_and_named() -> None:
    world = ReadingWorld(ONE, a_profile(profile_id="p2", timezone="Mars/Olympus"))
    world.pull(ACCOUNT, account(5))
    named = ["meta_ads p2 is left out: its time zone 'Mars/Olympus' is unknown"]
    report = world.report("profile_id")
    assert (spends(report, "profile_id"), report.warnings) == ({"p1": 5}, named)
    assert report.head["warnings"] == named
    assert world.records("ads").warnings == named
    assert world.records("account_performance").warnings == named
    assert listed(world).warnings == named


# --- the list of coverage


def listed(world: ReadingWorld, data_type: str = "", days: tuple[str, str] = (DAY, DAY), **more: Any) -> Any:
    limit, position = more.pop("limit", 100), more.pop("position", "")
    span = parse_range(days[0], days[1], world.now.date())
    return CoverageList(world.queries).page(
        CoverageRequest(span, more.pop("filters", EVERYTHING), data_type), limit, position
    )


def test_the_list_names_slices_with_the_pull_that_answers_for_them() -> None:
    world = ReadingWorld(a_profile(EXACT))
    at = world.pull(CAMPAIGN, platform=EXACT, slice_="sp")
    world.skip(CAMPAIGN, "sb")
    (entry,) = listed(world, "campaign_performance").entries
    assert entry == {
        "platform": "amazon_ads",
        "profile_id": "p1",
        "account_id": "p1",
        "client_account_id": "acc_a",
        "data_type": "campaign_performance",
        "level": "campaign",
        "date": DAY,
        "slices": [{"slice": "sp", "pulled_at": at, "task_id": "t1", "definition": ""}],
        "missing": [],
        "not_applicable": ["sb"],
        "settled": False,
        "live": False,
    }


def test_the_list_has_every_dataset_that_is_due() -> None:
    world = ReadingWorld(ONE)
    types = [(entry["data_type"], entry["missing"]) for entry in listed(world).entries]
    assert types == [
        ("account_performance", ["all"]),
        ("account_performance_hourly", ["all"]),
        ("ad_performance", ["all"]),
        ("campaign_performance", ["all"]),
        ("campaign_performance_hourly", ["all"]),
    ]
    # a breakdown is due where the ad account's options ask for it, and listed where it was pulled
    asks = ReadingWorld(a_profile(options={"datasets": ["ad_by_country_daily"]}))
    assert [e["missing"] for e in listed(asks, "ad_performance_by_country").entries] == [["all"]]
    world.pull(AD, breakdown="country")
    assert [e["missing"] for e in listed(world, "ad_performance_by_country").entries] == [[]]


def test_pages_follow_one_another_without_a_gap() -> None:
    world = ReadingWorld(ONE, a_profile(EXACT))
    asked: dict[str, Any] = {"days": ("2026-11-15", TODAY)}
    whole = listed(world, **asked)
    found, position = [], ""
    while True:
        page = listed(world, limit=7, position=position, **asked)
        found += page.entries
        position = page.position
        if not position:
            break
    assert found == whole.entries
    assert len(found) == 6 * (5 + 4)


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


def test_the_list_is_filtered() -> None:
    world = ReadingWorld(ONE, a_profile(EXACT))
    entries = listed(world, filters=Filters({"platform": frozenset({"amazon_ads"})})).entries
    assert {entry["platform"] for entry in entries} == {"amazon_ads"}
