"""What earlier coefficients count beside a new fit: what left the data, and nothing twice."""

from __future__ import annotations

from datetime import date, timedelta
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.mmm.carried import Blended, Carried, FittedWindow, RoiEstimate, blend, carry

FIRST = date(2024, 1, 1)


def window(first: int = 0, periods: int = 100, step: int = 1, method: str = "m") -> FittedWindow:
    """Of so many periods, from a day on."""
    start = FIRST + timedelta(days=first)
    return FittedWindow(start, start + timedelta(days=step * (periods - 1)), periods, method)


def about(estimate: float, half: float = 1.0) -> RoiEstimate:
    return RoiEstimate(estimate, estimate - half, estimate + half)


def published(*fits: tuple[FittedWindow, RoiEstimate]) -> Blended:
    """The ROI of a channel after some fits, one after the other."""
    carried: dict[str, Carried] = {}
    before = None
    for newer, roi in fits:
        carried = carry(carried, {"a": before[1]}, before[0], newer) if before else {}
        before = newer, roi
    assert before is not None
    return blend(before[1], carried.get("a"), before[0])


@pytest.mark.parametrize(
    ("before", "newer"),
    [
        (window(periods=100), window(periods=100)),  # restated numbers
        (window(periods=100), window(periods=130)),  # it grows
        (window(first=50, periods=50), window(first=0, periods=100)),  # older days were pulled
    ],
)
def test_days_that_are_still_in_the_data_count_once(before: FittedWindow, newer: FittedWindow) -> None:
    """Given that no day left, when there is a new fit, then it replaces the one before as it is."""
    assert published((before, about(4.0, 0.01)), (newer, about(3.0))) == Blended(about(3.0))


def test_a_hundred_fits_of_the_same_days_make_no_interval_narrower() -> None:
    found = published(*((window(), about(3.0)) for _ in range(100)))
    assert found.roi == about(3.0)


def test_estimates_of_different_days_are_weighed_by_their_precision() -> None:
    """Given two windows that share no day, then the earlier one counts 0.9 times for each four weeks since."""
    found = published((window(periods=28), about(4.0, 2.0)), (window(first=28, periods=28), about(3.0, 1.0)))
    weight = 0.9 / 4 / (0.9 / 4 + 1)
    assert found.weight == pytest.approx(weight)
    assert found.roi.estimate == pytest.approx(weight * 4 + (1 - weight) * 3)
    assert found.roi.high - found.roi.estimate == pytest.approx(sqrt((weight * 2) ** 2 + (1 - weight) ** 2))
    assert found.roi.high - found.roi.low < 2.0  # it knows more than the newer one alone


def test_windows_that_share_days_carry_the_share_that_is_gone() -> None:
    """Given that a tenth of the days left, then a tenth of the precision counts, and ends of intervals are averaged."""
    found = published((window(), about(4.0)), (window(first=10), about(3.0)))
    share = 0.1 * 0.9 ** (10 / 28)
    assert found.weight == pytest.approx(share / (1 + share))
    assert found.roi.high - found.roi.low == pytest.approx(2.0)


def test_it_is_time_that_is_forgotten_by_and_not_runs() -> None:
    """Given the same data day by day or in one step, then about the same is carried."""
    daily = published(*((window(first=day), about(3.0)) for day in range(29)))
    at_once = published((window(), about(3.0)), (window(first=28), about(3.0)))
    assert daily.weight == pytest.approx(at_once.weight, rel=0.06)
    assert daily.roi.high - daily.roi.low == pytest.approx(2.0)


def test_days_that_came_back_into_the_data_are_carried_no_more() -> None:
    moved = [(window(first=0), about(4.0)), (window(first=50), about(3.0))]
    assert published(*moved).weight > 0
    assert published(*moved, (window(first=20, periods=140), about(3.0))).weight == 0


def test_nothing_is_carried_from_another_method() -> None:
    assert published((window(method="m0"), about(4.0)), (window(first=50), about(3.0))) == Blended(about(3.0))


def test_estimates_that_do_not_meet_are_a_conflict_and_not_averaged() -> None:
    found = published((window(), about(9.0)), (window(first=50), about(3.0)))
    assert found == Blended(about(3.0), conflict=True)


@pytest.mark.parametrize("half", [0.0, float("inf"), float("nan")])
def test_an_interval_that_says_nothing_carries_nothing(half: float) -> None:
    assert published((window(), about(4.0, half)), (window(first=50), about(3.0))).weight == 0


def test_a_channel_that_is_gone_keeps_what_was_carried_for_two_years() -> None:
    carried = carry({}, {"a": about(4.0)}, window(), window(first=50))
    later = carry(carried, {}, window(first=50), window(first=200))
    assert later["a"].roi == about(4.0)
    assert later["a"].precision < carried["a"].precision
    assert carry(later, {}, window(first=200), window(first=900)) == {}


def test_what_is_carried_is_stored_as_text_and_read_back() -> None:
    found = carry({}, {"a": about(1 / 3)}, window(), window(first=50))["a"]
    stored = found.shown()
    assert all(isinstance(value, str) for value in stored.values())
    again = Carried.read(stored)
    assert (again.until, again.seen) == (found.until, found.seen)
    assert [*again.roi, again.precision] == pytest.approx([*found.roi, found.precision], rel=1e-8)


halves = st.floats(0.01, 10)
rois = st.builds(
    lambda middle, low, high: RoiEstimate(middle, middle - low, middle + high), st.floats(0, 10), halves, halves
)


@given(rois, rois, st.integers(1, 99))
def test_a_blend_lies_between_its_parts_and_is_never_surer_than_the_surer_part(
    before: RoiEstimate, newer: RoiEstimate, gone: int
) -> None:
    found = published((window(), before), (window(first=gone), newer))
    low, high = sorted((before.estimate, newer.estimate))
    assert low - 1e-9 <= found.roi.estimate <= high + 1e-9
    narrowest = min(before.high - before.low, newer.high - newer.low)
    assert found.roi.high - found.roi.low >= narrowest - 1e-9
    assert found.roi.low <= found.roi.estimate <= found.roi.high
