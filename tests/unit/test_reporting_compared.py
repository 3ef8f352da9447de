"""Comparisons against a plain computation: day by day, row by row, in fractions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import METRICS, MetricRow
from adweir.model.times import DAY
from adweir.reporting.comparing import parse_comparison
from adweir.reporting.filters import Filters
from adweir.reporting.moments import Moments
from adweir.reporting.query import Bounds, Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan, parse_words
from adweir.reporting.reports import MetricReport, ReportRequest, report
from support.random_story import PLATFORMS, tell_all
from support.reading_world import CAMPAIGN, EXACT, NOW, ReadingWorld, a_profile

SPANS = [
    (date(2026, 11, 9), date(2026, 11, 20)),  # before it 28 October to 8 November
    (date(2026, 11, 1), date(2026, 11, 2)),
    (date(2026, 11, 19), date(2026, 11, 19)),
    (date(2026, 11, 2), date(2026, 12, 3)),
]
DIMENSIONS = [
    (),
    ("platform",),
    ("campaign_id",),
    ("campaign_id", "date"),
    ("week",),
    ("platform", "month"),
    ("ad_id", "profile_id", "week"),
]
SUMS = ("impressions", "clicks", "spend")
Numbers = dict[str, Fraction | None]


def week_of(day: date) -> str:
    return (day - timedelta(days=day.weekday())).isoformat()


LABELS: dict[str, Callable[[date], str]] = {
    "date": lambda day: day.isoformat(),
    "week": week_of,
    "month": lambda day: day.isoformat()[:7],
}


class Plain:
    """Everything in two ranges, row by row: profile and day of each, and which days of a profile were pulled."""

    def __init__(self, queries: Queries, span: tuple[date, date], shift: int, dimensions: tuple[str, ...]) -> None:
        others = tuple(name for name in dimensions if name not in LABELS)
        asked = TimeSpan(*span)
        found = queries.answer(Query(asked, (*others, "platform", "profile_id", "date")))
        self.sums: dict[tuple[Any, ...], Numbers] = {}
        """Whether it is a total, the group, the currency → the sums."""
        self.owners: dict[tuple[Any, ...], set[str]] = {}
        for (*values, platform, profile_id, day, currency), total in found.groups.items():
            by_name = dict(zip(others, values, strict=True))
            moved = date.fromisoformat(day) + timedelta(days=shift)
            row = (LABELS[name](moved) if name in LABELS else by_name[name] for name in dimensions)
            for key in ((False, *row, currency), (True, currency)):
                into = self.sums.setdefault(key, dict.fromkeys(SUMS))
                for name in SUMS:
                    number = total.slot[METRICS.index(name)]
                    if number is not None:
                        scaled = Fraction(number, 10**6 if name == "spend" else 1)
                        into[name] = scaled + (into[name] or 0)
                self.owners.setdefault(key, set()).add(f"{platform}#{profile_id}")
        self.pulled: dict[str, set[date]] = {}
        for profile in queries.profiles(Filters()):
            own = Filters(
                {"platform": frozenset({str(profile.platform)}), "profile_id": frozenset({profile.profile_id})}
            )
            covered = queries.answer(Query(asked, others, own)).coverage.answer()
            days = {date.fromisoformat(day["date"]) for day in covered if day["pulled_at"]}
            self.pulled[profile.key] = {day + timedelta(days=shift) for day in days}

    def of(self, key: tuple[Any, ...], dimensions: tuple[str, ...], owners: set[str]) -> Numbers:
        """The numbers of a row; zero where it is absent though something was pulled, unknown where nothing was."""
        if key in self.sums:
            return self.sums[key]
        labels = () if key[0] else [(LABELS[name], key[1 + at]) for at, name in enumerate(dimensions) if name in LABELS]
        days = {
            day for owner in owners for day in self.pulled[owner] if all(show(day) == shown for show, shown in labels)
        }
        return dict.fromkeys(SUMS, Fraction(0) if days else None)


def expected(now: Plain, before: Plain, dimensions: tuple[str, ...], *, totals: bool) -> Iterator[dict[str, Any]]:
    keys = {key for key in (*now.sums, *before.sums) if key[0] is totals}
    for key in sorted(keys, key=lambda key: [(part is None, str(part)) for part in key]):
        owners = now.owners.get(key, set()) | before.owners.get(key, set())
        row = dict(zip(("currency",) if totals else (*dimensions, "currency"), key[1:], strict=True))
        a, b = now.of(key, dimensions, owners), before.of(key, dimensions, owners)
        for name in SUMS:
            x, y = a[name], b[name]
            difference = None if x is None or y is None else x - y
            row |= {name: x, f"{name}_before": y, f"{name}_difference": difference}
            row[f"{name}_change"] = None if difference is None or not y or y < 0 else round(difference / y, 6)
        yield row


def shown(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {name: Fraction(row[name]) if isinstance(row[name], int | Decimal) else row[name] for name in columns}
        for row in rows
    ]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=8))
def test_a_comparison_is_what_adding_up_both_ranges_day_by_day_gives(seeds: list[int]) -> None:
    # given a story of pulls, files and pushes, with unknown numbers and two currencies
    world = ReadingWorld(platforms=PLATFORMS)
    tell_all(world, seeds)
    rng = random.Random(str(seeds))
    for dimensions in DIMENSIONS:
        span = rng.choice(SPANS)
        shift = (span[1] - span[0]).days + 1
        other = (span[0] - timedelta(days=shift), span[1] - timedelta(days=shift))
        given_as = rng.choice(["previous_period", dict(zip(("start_date", "end_date"), map(str, other), strict=True))])

        made = compared(world, span, dimensions, given_as)

        ours, theirs = (Plain(world.queries, days, by, dimensions) for days, by in ((span, 0), (other, shift)))
        columns = tuple(name for name in made.columns if name != "others")
        wanted = list(expected(ours, theirs, dimensions, totals=False))
        rows = sorted(
            shown(made.rows, columns),
            key=lambda row: [(v is None, str(v)) for v in list(row.values())[: len(dimensions) + 1]],
        )
        assert rows == [{name: row[name] for name in columns} for row in wanted], (dimensions, span, given_as)
        of_totals = tuple(name for name in columns if name not in dimensions)
        totals = list(expected(ours, theirs, dimensions, totals=True))
        assert shown(made.totals, of_totals) == totals, (dimensions, span)


def compared(
    world: ReadingWorld, span: tuple[date, date], dimensions: tuple[str, ...], how: Any, **more: Any
) -> MetricReport:
    asked = TimeSpan(*span)
    request = ReportRequest("r", asked, SUMS, dimensions, compare=parse_comparison(how, asked, NOW), **more)
    return report(world.queries, request)


def a_row(campaign: str, day: str, spend: int) -> MetricRow:
    return MetricRow(campaign, day, 100, 10, 0, spend, 0, "", "", -1, "USD")


@pytest.fixture
def world() -> ReadingWorld:
    """p1 was pulled on the 17th, 18th and 19th; of p2 nothing was. c1 ran on all days, c2 began on the 18th."""
    world = ReadingWorld(a_profile(EXACT), a_profile(EXACT, "p2"))
    for day, rows in (("17", ["c1"]), ("18", ["c1", "c2"]), ("19", ["c1", "c2"])):
        at = f"2026-11-{day}"
        made = [a_row(name, at, int(day) * 1_000_000) for name in rows]
        for slice_, own in (("sp", made), ("sb", [])):
            world.pull(CAMPAIGN, *own, platform=EXACT, slice_=slice_, days=(at, at))
    return world


def test_what_was_pulled_and_absent_is_zero_and_what_was_not_pulled_is_null(world: ReadingWorld) -> None:
    # given c2, which is new on the 18th
    on_18 = compared(world, (date(2026, 11, 18), date(2026, 11, 18)), ("campaign_id",), "previous_period").rows
    # then it had spent nothing the day before
    assert [(row["campaign_id"], row["spend"], row["spend_before"], row["spend_change"]) for row in on_18] == [
        ("c1", 18, 17, Decimal("0.058824")),
        ("c2", 18, 0, None),
    ]
    # and of the 17th nobody knows what it was the day before
    (on_17,) = compared(world, (date(2026, 11, 17), date(2026, 11, 17)), ("campaign_id",), "previous_period").rows
    assert (on_17["spend"], on_17["spend_before"], on_17["spend_difference"], on_17["spend_change"]) == (
        17,
        None,
        None,
        None,
    )


def test_what_has_ended_has_a_row_with_the_numbers_before(world: ReadingWorld) -> None:
    at = "2026-11-20"
    world.now += DAY
    for slice_ in ("sp", "sb"):
        brought = [a_row("c1", at, 20_000_000)] if slice_ == "sp" else []
        world.pull(CAMPAIGN, *brought, platform=EXACT, slice_=slice_, days=(at, at))

    rows = compared(world, (date(2026, 11, 20), date(2026, 11, 20)), ("campaign_id",), "previous_period").rows

    assert [(row["campaign_id"], row["spend"], row["spend_before"], row["spend_difference"]) for row in rows] == [
        ("c1", 20, 19, 1),
        ("c2", 0, 19, -19),
    ]


def test_the_other_range_says_what_it_rests_on(world: ReadingWorld) -> None:
    made = compared(world, (date(2026, 11, 17), date(2026, 11, 18)), (), "previous_period")

    said = made.head["compared"]
    assert (said["with"], said["time_range"]) == (
        "previous_period",
        {"start_date": "2026-11-15", "end_date": "2026-11-16"},
    )
    assert (said["freshness"]["days"], said["freshness"]["days_missing"], said["freshness"]["as_of"]) == (2, 2, None)
    assert [day["date"] for day in said["coverage"]] == ["2026-11-15", "2026-11-16"]


def test_relative_days_are_compared_in_each_time_zone() -> None:
    # given two ad accounts, for one of which it is a day later, and their last two days
    profiles = [a_profile(EXACT, "p1", "UTC"), a_profile(EXACT, "p2", "Pacific/Kiritimati")]
    world = ReadingWorld(*profiles)
    for day in range(15, 21):
        at = f"2026-11-{day}"
        for profile_id in ("p1", "p2"):
            for slice_ in ("sp", "sb"):
                rows = [a_row("c1", at, day * 10**6)] if slice_ == "sp" else []
                world.pull(CAMPAIGN, *rows, platform=EXACT, slice_=slice_, days=(at, at), profile_id=profile_id)
    span = parse_words("last_2_days", NOW)  # 02:00 of the 21st there
    comparison = parse_comparison("previous_period", span, NOW)

    def asked(*dimensions: str) -> list[tuple[Any, ...]]:
        request = ReportRequest("r", span, ("spend",), dimensions, compare=comparison)
        rows = report(world.queries, request).rows
        return [(*(row[name] for name in dimensions), row["spend"], row["spend_before"]) for row in rows]

    # then the days of each are compared with the two before
    assert asked("profile_id") == [("p1", 18 + 19, 16 + 17), ("p2", 19 + 20, 17 + 18)]
    assert asked("date") == [("2026-11-18", 18, 16), ("2026-11-19", 19 + 19, 17 + 17), ("2026-11-20", 20, 18)]


def test_by_day_both_ranges_have_the_same_number_of_days(world: ReadingWorld) -> None:
    dates = {"start_date": "2026-11-16", "end_date": "2026-11-17"}
    with pytest.raises(Unprocessable, match="same number of days"):
        compared(world, (date(2026, 11, 18), date(2026, 11, 18)), ("date",), dates)
    assert compared(world, (date(2026, 11, 18), date(2026, 11, 18)), (), dates).totals[0]["spend_before"] == 17


def test_both_ranges_together_have_as_many_groups_as_one_answer_may(world: ReadingWorld) -> None:
    span = TimeSpan(date(2026, 11, 19), date(2026, 11, 19))
    request = ReportRequest("r", span, SUMS, ("campaign_id",), compare=parse_comparison("previous_period", span, NOW))
    assert report(world.queries.within(Bounds(groups=4)), request).rows
    with pytest.raises(TooLarge):
        report(world.queries.within(Bounds(groups=3)), request)


def test_a_comparison_of_the_past_is_of_the_days_of_then(world: ReadingWorld) -> None:
    moments = Moments(NOW, NOW - 2 * DAY)
    span = parse_words("yesterday", moments.now)
    request = ReportRequest(
        "r", span, SUMS, moments=moments, compare=parse_comparison("previous_period", span, moments.now)
    )
    assert report(world.queries, request).head["time_range"]["start_date"] == "2026-11-17"
