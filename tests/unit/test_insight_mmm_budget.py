"""Where a budget brings the most: bounds, exact amounts, S-shaped curves, gains with intervals."""

from __future__ import annotations

import itertools
import time
from decimal import Decimal
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.insight.mmm.budget import BudgetPlan, SpendBounds, SpendResponse, plan, responses_of, stored_responses
from adweir.model import limits
from adweir.model.errors import Unprocessable
from support.bounds import at_the_bound, refuses

POINTS = [100.0 * n for n in range(21)]


def concave(name: str, *factors: float, spend: str = "1000") -> SpendResponse:
    """A draw per factor, each the factor times the square root of the spend."""
    return SpendResponse(
        name, Decimal(spend), POINTS, [[[factor * sqrt(point) for point in POINTS] for factor in factors]]
    )


def free(*names: str, most: str = "2000") -> dict[str, SpendBounds]:
    return dict.fromkeys(names, SpendBounds(Decimal(0), Decimal(most)))


def amounts(found: BudgetPlan) -> dict[str, Decimal]:
    return {move.channel: move.proposed for move in found.moves}


def test_a_channel_that_brings_twice_as_much_gets_four_times_as_much() -> None:
    """Given square roots, the marginal returns 2a/√x are equal where x is in proportion to a²."""
    found = plan([concave("a", 2.0), concave("b", 1.0)], 100, 100, bounds=free("a", "b"))
    assert found.budget == Decimal("2000.00")
    assert float(amounts(found)["a"]) == pytest.approx(1600, abs=50)  # curves are lines between their points
    gain = 2 * sqrt(1600) + sqrt(400) - 3 * sqrt(1000)
    assert found.gain == pytest.approx((gain, gain, gain), abs=0.3)


def test_amounts_are_of_the_days_that_are_planned_and_add_up_to_the_cent() -> None:
    responses = [concave(name, factor, spend="1000.01") for name, factor in (("a", 3.0), ("b", 1.0), ("c", 2.0))]
    found = plan(responses, 365, 30, Decimal("250.01"))
    assert sum(amounts(found).values()) == Decimal("250.01")
    for move in found.moves:
        assert move.now == Decimal("82.19")
        assert move.least <= move.proposed <= move.most
        assert (move.least, move.most) == (Decimal("41.10"), Decimal("123.28"))


def test_an_s_shaped_channel_gets_enough_to_pass_its_bend_or_nothing() -> None:
    late = SpendResponse("s", Decimal(500), POINTS, [[[0.0 if point < 1200 else 300.0 for point in POINTS]]])
    found = plan([late, concave("a", 1.0, spend="1000")], 10, 10, bounds=free("s", "a"))
    assert amounts(found)["s"] >= 1190
    poor = plan([late, concave("a", 1.0, spend="1000")], 10, 10, bounds=free("s", "a", most="1000"))
    assert amounts(poor)["a"] == 1000  # what is left goes where it does no harm


def test_draws_that_disagree_make_a_wide_interval() -> None:
    responses = [concave("a", *(1 + n / 10 for n in range(21))), concave("b", *(3 - n / 10 for n in range(21)))]
    mean, low, high = plan(responses, 10, 10, bounds={"a": SpendBounds(Decimal(1500), Decimal(1500))}).gain
    assert low < 0 < high
    assert low < mean < high


def test_the_interval_of_a_gain_has_those_of_all_families() -> None:
    """Given a family by which a channel brings nothing, then the plan is the chosen one's, and its gain may be 0."""
    a, b = concave("a", 2.0), concave("b", 1.0)
    nothing = [[0.0 for _ in POINTS]]
    both = [each._replace(drawn=[each.drawn[0], nothing]) for each in (a, b)]
    alone, together = (plan(each, 10, 10) for each in ([a, b], both))
    assert together.moves == alone.moves
    assert together.gain == (alone.gain[0], 0.0, alone.gain[2])


@pytest.mark.parametrize(
    ("budget", "bounds", "field", "says"),
    [
        (Decimal(3500), {}, "budget", "between 1,000.00 and 3,000.00"),
        (Decimal(10), {}, "budget", "change it, or widen the bounds"),
        (Decimal(4001), free("a", "b"), "budget", "nothing of more than 4,000.00: that is where the curves end"),
        (Decimal("NaN"), {}, "budget", "NaN is no amount from 0 to 1,000,000,000,000"),
        (Decimal("Infinity"), {}, "budget", "Infinity is no amount"),
        (Decimal("1e30"), {}, "budget", r"1E\+30 is no amount"),
        (Decimal("-0.01"), {}, "budget", "-0.01 is no amount"),
        (None, {"a": SpendBounds(most=Decimal("1e30"))}, "bounds.a", r"1E\+30 is no amount"),
        (None, {"a": SpendBounds(least=Decimal("sNaN"))}, "bounds.a", "sNaN is no amount"),
        (None, {"x": SpendBounds()}, "bounds", "is no channel of this fit: a, b"),
        (
            None,
            {"a": SpendBounds(Decimal(5), Decimal(4))},
            "bounds.a",
            "the least, 5.00, is more than the most, 4.00",
        ),
        (None, {"a": SpendBounds(Decimal(-1))}, "bounds.a", "-1 is no amount"),
        (None, {"a": SpendBounds(most=Decimal(2001))}, "bounds.a", "nothing of more than 2,000.00"),
    ],
)
def test_what_cannot_be_planned_says_why(
    budget: Decimal | None, bounds: dict[str, SpendBounds], field: str, says: str
) -> None:
    with pytest.raises(Unprocessable, match=says) as refused:
        plan([concave("a", 1.0), concave("b", 1.0)], 10, 10, budget, bounds)
    assert refused.value.details[0]["field"] == field


@at_the_bound("MAX_PLANNED_DAYS")
def test_days_that_a_budget_is_for(*, size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        assert plan([concave("a", 1.0)], 10, size).days == size


@pytest.mark.parametrize("days", [0, -1])
def test_a_budget_is_for_a_day_at_least(days: int) -> None:
    with pytest.raises(Unprocessable, match=f"a plan is of 1 to 1,096 days, not of {days}"):
        plan([concave("a", 1.0)], 10, days)


@at_the_bound("MAX_PLANNED_AMOUNT")
def test_the_largest_budget_is_reckoned_with(*, size: int, fits: bool) -> None:
    with pytest.raises(Unprocessable, match="the data say nothing of more" if fits else "is no amount from 0"):
        plan([concave("a", 1.0)], 10, 10, Decimal(size))


def test_a_fit_without_channels_has_no_plan() -> None:
    with pytest.raises(Unprocessable, match="has none"):
        plan([], 10, 10)


def test_curves_are_stored_and_read_back() -> None:
    kept = responses_of(stored_responses([concave("a", 1.23456789)]))
    (found,) = kept
    assert (found.channel, found.spend, found.spends) == ("a", Decimal(1000), POINTS)
    assert found.drawn[0][0][1] == pytest.approx(12.3457)


@at_the_bound("MAX_MIX_DRAWS", as_if=3)
def test_draws_that_are_kept_of_a_curve(size: int, fits: bool) -> None:
    kept = stored_responses([concave("a", *([1.0] * size))])
    assert (len(kept[0]["drawn"][0]) == size) == fits
    assert len(kept[0]["drawn"][0]) <= limits.MAX_MIX_DRAWS


def test_the_most_channels_are_planned_within_an_answer() -> None:
    names = [f"c{n}" for n in range(limits.MAX_MIX_CHANNELS)]
    responses = [concave(name, *([1.0 + n / 30] * limits.MAX_MIX_DRAWS)) for n, name in enumerate(names)]
    began = time.process_time()
    plan(responses, 1000, 1000, bounds=free(*names))
    assert time.process_time() - began < 8


STEPS = st.lists(st.floats(0, 100), min_size=4, max_size=4)
TWO = st.tuples(STEPS, STEPS).map(lambda pair: [[0.0, *itertools.accumulate(steps)] for steps in pair])


@settings(max_examples=60, deadline=None)
@given(st.lists(TWO, min_size=1, max_size=3), st.integers(0, 8000))
def test_no_other_distribution_of_a_budget_brings_more(draws: list[list[list[float]]], tenths: int) -> None:
    """Given curves of any form, then what is found is as good as any, but for the size of its steps."""
    points = [0.0, 100.0, 200.0, 300.0, 400.0]

    def brings(*spends: float) -> float:
        found = 0.0
        for place, spend in enumerate(spends):
            for draw in draws:
                at = min(int(spend // 100), 3)
                found += draw[place][at] + (spend / 100 - at) * (draw[place][at + 1] - draw[place][at])
        return found / len(draws)

    responses = [
        SpendResponse(name, Decimal(200), points, [[draw[n] for draw in draws]]) for n, name in enumerate("ab")
    ]
    budget = Decimal(tenths) / 10
    found = plan(responses, 10, 10, budget, free("a", "b", most="400"))
    assert sum(amounts(found).values()) == budget
    best = brings(*(float(amount) for amount in amounts(found).values()))
    assert best - brings(200, 200) == pytest.approx(found.gain[0], abs=1e-6)
    for n in range(51):
        other = float(budget) * n / 50
        if max(other, float(budget) - other) <= 400:
            assert brings(other, float(budget) - other) <= best + float(budget) / 200 + 0.01


def test_a_distribution_that_cannot_be_bettered_stays_as_it_is() -> None:
    """Given 30 channels alike, of which none can get more without another's loss, then no step away is proposed."""
    found = plan([concave(f"c{n}", 3.0) for n in range(30)], 100, 100)
    assert {move.proposed for move in found.moves} == {Decimal("1000.00")}
    assert found.gain == (0.0, 0.0, 0.0)
