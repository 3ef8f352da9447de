"""Restatement as it was observed, and what an ad account's own look-backs change."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import Level, MetricRow
from adweir.model.tasks import Cause, Stamp
from adweir.platforms.base import DatasetSpec
from adweir.reporting.filters import EVERYTHING
from adweir.reporting.query import Bounds
from adweir.reporting.restatement import LagMeasure
from sandbox.platforms import companies
from support.reading_world import ACCOUNT, CAMPAIGN, EXACT, LOSSY, ReadingWorld, a_profile, account, campaign

RESTATEMENT = next(
    each.traits.restatement for company in companies(1) for each in company.profiles if each.platform == LOSSY
)
"""The law by which the world's numbers grow on the platform that this world of tests calls lossy."""
TODAY = date(2026, 11, 20)
SETTLED = 28
"""Days after which the platforms of this world restate nothing."""


def measured(world: ReadingWorld, start: str = "", end: str = "") -> dict[str, Any]:
    """What is measured of the only ad account."""
    first, last = (date.fromisoformat(day) if day else None for day in (start, end))
    (found,), _ = LagMeasure(world.queries, world.store).measure(EVERYTHING, first, last)
    return found


def share(found: dict[str, Any], after: int, metric: str = "conversions") -> Any:
    return next(each[metric] for each in found["known"] if each["after_days"] == after)


def pull(
    world: ReadingWorld, on: date, days: tuple[date, date], *rows: MetricRow, level: Level = ACCOUNT, **more: Any
) -> None:
    """A pull at six in the morning of a day."""
    stamp = Stamp(f"{on}T06:00:00.000000Z", f"t-{on}-{level}-{more.get('slice_', '')}{more.get('cause', '')}")
    world.pull(level, *rows, days=(days[0].isoformat(), days[1].isoformat()), **{"stamp": stamp} | more)


def daily(world: ReadingWorld, run_days: int, lookback: int, final: int = 1_000_000) -> None:
    """A daily run each morning: conversions grow as the world's do, and on the third day some spend is taken back."""
    for ago in range(run_days - 1, -1, -1):
        today = TODAY - timedelta(days=ago)
        rows = []
        for age in range(lookback, 0, -1):
            row = account(100, (today - timedelta(days=age)).isoformat())
            row.conversions = final * RESTATEMENT.conversions_known(age)
            row.spend = 100_000_000 if age < 3 else 96_000_000
            rows.append(row)
        pull(world, today, (today - timedelta(days=lookback), today - timedelta(days=1)), *rows)


def test_given_daily_pulls_when_measured_then_the_world_s_lags_are_recovered_within_two_points() -> None:
    world = ReadingWorld(a_profile())
    daily(world, 45, SETTLED)

    found = measured(world)

    assert (found["level"], found["settles_after_days"], found["platform"]) == ("account", SETTLED, "meta_ads")
    assert (found["days"], found["first_date"], found["last_date"]) == (44, "2026-09-09", "2026-10-22")
    assert found["known"][0]["days"] == 17  # the first run brought the others late
    for point in found["known"]:
        truth = Decimal(RESTATEMENT.conversions_known(point["after_days"])) / RESTATEMENT.conversions_known(SETTLED)
        assert abs(point["conversions"] - truth) <= Decimal("0.02"), point
    assert (share(found, 1, "spend"), share(found, 3, "spend")) == (Decimal("1.041667"), 1)
    assert (found["final_after_days"]["spend"], found["final_after_days"]["impressions"]) == (3, 1)
    assert found["final_after_days"]["conversions"] == RESTATEMENT.settles_after_days


def test_given_days_that_were_first_pulled_late_when_measured_then_they_say_nothing_of_the_days_before() -> None:
    world = ReadingWorld(a_profile())
    day = date(2026, 10, 10)
    pull(world, date(2026, 10, 20), (day, day), account(50, day.isoformat()))
    pull(world, date(2026, 11, 8), (day, day), account(100, day.isoformat()))

    found = measured(world, "2026-10-01", "2026-10-15")

    assert [(point["after_days"], point["days"], point["spend"]) for point in found["known"][8:11]] == [
        (9, 0, None),
        (10, 1, Decimal("0.5")),
        (11, 1, Decimal("0.5")),
    ]
    assert found["final_after_days"]["spend"] is None  # at 28 days it was half; the last pull came at 29


def test_given_days_that_are_not_settled_or_counted_anew_when_measured_then_they_do_not_count() -> None:
    world = ReadingWorld(a_profile())
    for day in (date(2026, 10, 10), date(2026, 10, 11), date(2026, 11, 10)):
        pull(world, day + timedelta(days=1), (day, day), account(50, day.isoformat()))
        later = min(day + timedelta(days=28), TODAY)
        cause = Cause.OPTIONS if day.day == 11 else Cause.PULL
        pull(world, later, (day, day), account(100, day.isoformat()), cause=cause)

    found = measured(world, "2026-10-01", "2026-11-19")

    assert (found["days"], share(found, 1, "spend")) == (1, Decimal("0.5"))


def test_given_no_account_totals_when_measured_then_campaigns_are_added_from_when_all_were_pulled() -> None:
    world = ReadingWorld(a_profile(EXACT))
    day = date(2026, 10, 10)
    for lag, slice_, spend in ((1, "sp", 40), (5, "sb", 50), (28, "sp", 50), (28, "sb", 50)):
        row = campaign(f"c-{slice_}", spend, day.isoformat(), ad_product=slice_)
        on = day + timedelta(days=lag)
        pull(world, on, (day, day), row, level=CAMPAIGN, platform=EXACT, slice_=slice_)

    found = measured(world, "2026-10-01", "2026-10-15")

    assert (found["level"], found["days"]) == ("campaign", 1)
    assert [share(found, after, "spend") for after in (1, 4, 5, 27, 28)] == [
        None,
        None,
        Decimal("0.9"),
        Decimal("0.9"),
        1,
    ]


def test_given_a_repetition_when_measured_then_nothing_counts_twice() -> None:
    world = ReadingWorld(a_profile())
    day = date(2026, 10, 10)
    for spend, on in ((50, date(2026, 10, 11)), (100, date(2026, 11, 8)), (100, date(2026, 11, 9))):
        pull(world, on, (day, day), account(spend, day.isoformat()))
    name = next(name for name in world.stored.objects.objects if "/20261" in name or "/2026-10/" in name)
    folder, _, own = name.rpartition("/")
    again = f"{folder}/{own.replace('.', '9.', 1)}"  # a load that was stopped says it again in a further file
    world.stored.objects.objects[again] = world.stored.objects.objects[name]

    assert share(measured(world, "2026-10-01", "2026-10-15"), 27, "spend") == Decimal("0.5")


def test_given_nothing_pulled_when_measured_then_nothing_is_said() -> None:
    found = measured(ReadingWorld(a_profile()))
    assert (found["days"], found["first_date"], found["known"][0]["spend"]) == (0, None, None)
    assert set(found["final_after_days"].values()) == {None}


def test_a_range_that_ends_before_it_starts_and_an_answer_without_time_are_refused() -> None:
    world = ReadingWorld(a_profile())
    pull(world, date(2026, 10, 11), (date(2026, 10, 10),) * 2, account(50, "2026-10-10"))
    with pytest.raises(Unprocessable, match="before it starts"):
        measured(world, "2026-10-15", "2026-10-10")
    hurried = world.queries.within(Bounds(remaining=lambda: 0.0, margin=1.0))
    with pytest.raises(TooLarge):
        LagMeasure(hurried, world.store).measure(EVERYTHING, date(2026, 10, 1), date(2026, 10, 15))


# --- look-backs of an ad account


SPEC = DatasetSpec(Dataset.AD_DAILY, lookback_days=14, settles_after_days=60, max_window_days=31)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (14, 60)),
        ({"lookback_days": 30}, (30, 60)),
        ({"settles_after_days": 20}, (14, 20)),
        ({"lookback_days": 90}, (90, 90)),  # what is pulled again every day is not settled
        ({"lookback_days": 3, "settles_after_days": 7}, (3, 7)),
    ],
)
def test_an_ad_account_s_look_backs_replace_the_platform_s(options: dict[str, int], expected: tuple[int, int]) -> None:
    own = SPEC.under(options)
    assert (own.lookback_days, own.settles_after_days) == expected


def test_hours_and_lists_keep_the_platform_s_look_back() -> None:
    for dataset in (Dataset.CAMPAIGN_HOURLY, Dataset.CAMPAIGNS):
        spec = DatasetSpec(dataset, lookback_days=2)
        assert spec.under({"lookback_days": 30}) is spec


def test_given_an_ad_account_that_settles_later_when_read_then_its_days_are_not_settled_before() -> None:
    day = (TODAY - timedelta(days=30)).isoformat()

    def settled(profile: Profile) -> list[bool]:
        world = ReadingWorld(profile)
        pull(world, TODAY, (date.fromisoformat(day),) * 2, account(50, day))
        return [each["settled"] for each in world.records("account_performance", days=(day, day)).coverage]

    assert settled(a_profile(LOSSY)) == [True]
    assert settled(a_profile(LOSSY, options={"settles_after_days": 40})) == [False]
    assert settled(a_profile(LOSSY, options={"lookback_days": 35})) == [False]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (33, 33)),
        ({"lookback_days": 7}, (7, 33)),
        ({"lookback_days": 50}, (50, 50)),
        ({"lookback_days": None, "settles_after_days": 90}, (33, 90)),
    ],
)
def test_what_the_platform_says_of_an_ad_account_comes_before_what_it_does_of_all(
    options: dict[str, Any], expected: tuple[int, int]
) -> None:
    told = a_profile(options=options, restated_days=33)
    own = SPEC.under(told.pulled_by)
    assert (own.lookback_days, own.settles_after_days) == expected
    # and reports count days as settled by it
    served = ReadingWorld(told).queries.served(told)[Dataset.CAMPAIGN_DAILY]
    assert served.settles_after_days == expected[1]
