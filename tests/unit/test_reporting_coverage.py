"""What answers say about the days they rest on, and the list of coverage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adweir.model.entities import ProfileStatus
from adweir.model.settling import is_settled
from adweir.reporting.filters import Filters
from support.bounds import at_the_bound
from support.reading_world import (
    ACCOUNT,
    AD,
    CAMPAIGN,
    DAY,
    EXACT,
    ONE,
    TODAY,
    TWO,
    ReadingWorld,
    a_profile,
    account,
    ad,
    days_of,
    gap,
    listed,
    spends,
)

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


def test_the_list_is_filtered() -> None:
    world = ReadingWorld(ONE, a_profile(EXACT))
    entries = listed(world, filters=Filters({"platform": frozenset({"amazon_ads"})})).entries
    assert {entry["platform"] for entry in entries} == {"amazon_ads"}
