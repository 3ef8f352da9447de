"""Windows, weekdays and slopes of features: exact, and equal to slow references that share no code with them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import exp, lgamma, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.insight.ad_features.slopes import MIN_DAYS, MIN_EVENT_DAYS, Slope, slopes
from adweir.insight.ad_features.weekdays import weekday_indices
from adweir.insight.ad_features.windows import RATIOS, share_of, summed, variation
from adweir.model.metrics import METRICS, Slot, derive

THROUGH = date(2026, 11, 19)
"""A Thursday."""
NUMBER = st.none() | st.integers(0, 2**50)
SLOT = st.none() | st.tuples(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER)
DAYS = st.lists(SLOT, max_size=9)


@given(DAYS)
@settings(max_examples=60)
def test_sums_and_means_are_those_of_fractions_and_leave_unknown_numbers_out(days: list[Slot | None]) -> None:
    found = summed(days)

    known = [slot for slot in days if slot is not None]
    assert found.known_days == len(known)
    for place, name in enumerate(METRICS):
        numbers = [slot[place] for slot in known if slot[place] is not None]
        unit = 1 if place < 2 else 10**6
        exact = Fraction(sum(n or 0 for n in numbers), unit)
        total, mean = found.total(name), found.mean(name)
        if not numbers:
            assert total is mean is None
            continue
        assert total is not None
        assert mean is not None
        assert Fraction(total) == exact
        assert Fraction(mean) == Fraction(round(exact / len(numbers) * 10**6), 10**6)
        assert not isinstance(total, float)


@given(DAYS)
@settings(max_examples=60)
def test_a_ratio_is_that_of_the_sums_and_of_the_same_days(days: list[Slot | None]) -> None:
    found = summed(days)
    house = derive(found.sums)

    for name, parts in RATIOS.items():
        ratio, above, below = found.ratio(name), METRICS.index(parts.above), METRICS.index(parts.below)
        if ratio is None:
            assert house[name] is None or found.counts[above] != found.counts[below]
        else:
            assert ratio == pytest.approx(float(house[name] or 0), rel=1e-9, abs=6e-7)


def test_a_day_that_is_not_known_is_no_day_and_no_zero() -> None:
    slot: Slot = (100, 10, 1_000_000, 5_000_000, None)
    found = summed([None, slot, (0, 0, 0, 0, 0), None])

    assert (found.known_days, found.delivery_days) == (2, 1)
    assert (found.total("clicks"), found.mean("clicks"), found.mean("spend")) == (10, Decimal(5), Decimal("2.5"))
    assert (found.total("revenue"), found.mean("revenue"), found.ratio("roas")) == (0, Decimal(0), None)


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=28))
@settings(max_examples=30)
def test_variation_is_the_deviation_by_the_mean(spends: list[int]) -> None:
    found = variation([(0, 0, 0, spend, 0) for spend in spends], "spend")

    mean = Fraction(sum(spends), len(spends))
    if mean == 0:
        assert found is None
    else:
        squares = sum((spend - mean) ** 2 for spend in spends) / len(spends)
        assert found == pytest.approx(sqrt(squares / mean**2), abs=1e-12)


def test_a_share_is_of_the_days_that_both_know() -> None:
    own: list[Slot | None] = [(0, 0, 0, 5, 0), None, (0, 0, 0, 7, 0)]
    whole: list[Slot | None] = [(0, 0, 0, 20, 0), (0, 0, 0, 100, 0), None]

    assert share_of(own, whole, "spend") == 0.25
    assert share_of(own, [None] * 3, "spend") is None


# --- weekdays


def weekly(weights: list[int], weeks: int, trend: float = 0.0) -> list[Slot | None]:
    """Days that end on a Thursday, with these weights from Monday on."""
    size = 7 * weeks
    weekdays = [(THROUGH.weekday() - ago) % 7 for ago in range(size - 1, -1, -1)]
    clicks = [round(weights[day] * 1000 * exp(trend * place)) for place, day in enumerate(weekdays)]
    return [(n * 10, n, 0, 0, 0) for n in clicks]


def test_the_index_of_a_weekday_is_near_its_share_and_more_so_the_more_weeks_there_are() -> None:
    weights = [10, 10, 10, 10, 10, 4, 2]
    mean = sum(weights) / 7
    short, long = weekday_indices(weekly(weights, 3), THROUGH), weekday_indices(weekly(weights, 12), THROUGH)

    assert short is not None
    assert long is not None
    assert sum(long) == pytest.approx(7)
    assert abs(long[6] - 2 / mean) < abs(short[6] - 2 / mean) < abs(1 - 2 / mean)
    assert long[6] == pytest.approx((11 * 2 / mean + 2) / 13, abs=0.03)
    assert long[0] == pytest.approx(10 / mean, abs=0.05)


def test_a_trend_is_no_pattern_of_weekdays() -> None:
    found = weekday_indices(weekly([1] * 7, 12, trend=0.02), THROUGH)

    assert found == pytest.approx([1] * 7, abs=0.01)


@pytest.mark.parametrize(("known", "says"), [(20, True), (19, False)])
def test_an_index_needs_fourteen_days_with_all_their_neighbors(known: int, says: bool) -> None:
    days = [*[None] * 10, *weekly([3] * 7, 12)[:known]]

    assert (weekday_indices(days, THROUGH) is not None) is says
    assert weekday_indices([(0, 0, 0, 0, 0)] * known, THROUGH) is None


# --- slopes


def likelihood(y: list[float], x: list[float], b: float) -> float:
    """Poisson's, at the best level for a slope."""
    level = sum(y) / sum(exposure * exp(b * t) for t, exposure in enumerate(x))
    means = [level * exposure * exp(b * t) for t, exposure in enumerate(x)]
    return sum(n * log(m) - m - lgamma(n + 1) for n, m in zip(y, means, strict=True) if m > 0)


def searched(y: list[float], x: list[float]) -> float:
    """The slope by golden sections."""
    low, high, part = -2.0, 2.0, (sqrt(5) - 1) / 2
    while high - low > 1e-10:
        one, two = high - part * (high - low), low + part * (high - low)
        low, high = (low, two) if likelihood(y, x, one) > likelihood(y, x, two) else (one, high)
    return (low + high) / 2


COUNTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 500)), min_size=28, max_size=28)


@given(COUNTS)
@settings(max_examples=25, deadline=None)
def test_a_slope_is_where_the_likelihood_is_highest_and_its_interval_is_the_robust_one(
    days: list[tuple[int, int]],
) -> None:
    y, x = [float(n) if d else 0.0 for n, d in days], [float(d) for _, d in days]
    (found,) = slopes(np.array([y]), np.array([x]))

    telling = sum(d > 0 for d in x)
    assert found.days == telling
    if telling < MIN_DAYS or sum(n > 0 for n in y) < MIN_EVENT_DAYS:
        assert found == Slope(None, None, None, telling)
        return
    best = searched(y, x)
    assert found.slope == pytest.approx(best, abs=1e-6)
    assert found.low is not None
    assert found.high is not None
    level = sum(y) / sum(d * exp(best * t) for t, d in enumerate(x))
    means = [level * d * exp(best * t) for t, d in enumerate(x)]
    whole = sum(means)
    center = sum(m * t for t, m in enumerate(means)) / whole
    area = sum(m * (t - center) ** 2 for t, m in enumerate(means))
    squares = 0.0
    for t, (n, m) in enumerate(zip(y, means, strict=True)):
        leverage = m / whole + m * (t - center) ** 2 / area
        squares += ((n - m) / (1 - leverage) * (t - center)) ** 2
    assert found.high - found.low == pytest.approx(2 * student(telling - 2) * sqrt(squares) / area, rel=1e-3)


def student(freedom: int) -> float:
    """The 95 % quantile of Student's t, by adding up its density."""
    scale = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(freedom * np.pi)
    at = np.arange(0, 8, 1e-4)
    density = scale * (1 + at**2 / freedom) ** (-(freedom + 1) / 2)
    return float(at[np.searchsorted(np.cumsum(density) * 1e-4, 0.45)])


def test_intervals_hold_as_many_truths_as_they_say_where_days_differ_tenfold_and_vary_more_than_by_chance() -> None:
    rng = np.random.default_rng(14)
    t, truth = np.arange(28), 0.02
    x = rng.integers(200, 2000, (600, 28)).astype(float)
    mean = x * 0.03 * np.exp(truth * t)
    y = rng.poisson(mean * rng.gamma(8, 1 / 8, mean.shape)).astype(float)

    held = [s.low is not None and s.high is not None and s.low < truth < s.high for s in slopes(y, x)]

    assert 0.87 < sum(held) / len(held) < 0.93


def test_nothing_is_said_of_few_days_or_of_ratios_without_an_event() -> None:
    x, y = np.full((1, 28), 100.0), np.zeros((1, 28))
    assert slopes(y, x) == [Slope(None, None, None, 28)]
    y[0, : MIN_EVENT_DAYS - 1] = 3
    assert slopes(y, x)[0].slope is None
    y[0, 20] = 3
    assert slopes(y, x)[0].slope is not None
    x[0, 0 : 28 - MIN_DAYS] = np.nan
    y[0, -MIN_DAYS:] = 3
    assert slopes(y, x)[0].days == MIN_DAYS
    x[0, -1] = 0
    assert slopes(y, x) == [Slope(None, None, None, MIN_DAYS - 1)]


def test_the_slope_of_a_reciprocal_is_the_negative_one() -> None:
    assert Slope(0.1, 0.05, 0.2, 12).negative() == Slope(-0.1, -0.2, -0.05, 12)
    assert Slope(None, None, None, 3).negative() == Slope(None, None, None, 3)
