"""Which arm is best, by draws that follow from the seed alone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.agents.chances import allocation, chances
from adweir.insight.agents.update import Posterior

GOOD, BAD = Posterior(Decimal(60), Decimal(940)), Posterior(Decimal(20), Decimal(980))


def test_the_better_arm_gets_nearly_all_and_the_other_keeps_its_floor() -> None:
    found = chances({"arm_bad": BAD, "arm_good": GOOD}, "acc/2026-11-20")

    assert found["arm_good"].p_best > Decimal("0.999")
    assert found["arm_bad"].allocation == Decimal("0.009901")  # 0.01 of 1.01
    assert found["arm_bad"].risk > Decimal("0.999")
    assert found["arm_good"].risk < Decimal("0.001")


def test_arms_of_which_the_same_is_known_share_alike() -> None:
    found = chances(dict.fromkeys(("a", "b", "c", "d"), GOOD), "seed")

    assert all(abs(each.p_best - Decimal("0.25")) < Decimal("0.03") for each in found.values())
    assert all(abs(each.risk - Decimal("0.5")) < Decimal("0.05") for each in found.values())
    assert sum(each.p_best for each in found.values()) == 1


def test_the_same_seed_gives_the_same_and_another_one_something_else() -> None:
    arms = {"a": GOOD, "b": Posterior(Decimal(55), Decimal(945))}

    assert chances(arms, "one") == chances(dict(reversed(arms.items())), "one")
    assert chances(arms, "one") != chances(arms, "two")


def test_arms_of_a_client_that_sold_nothing_with_many_clicks_share_alike() -> None:
    """Given rates so small that nearly all draws of them are 0."""
    nothing = Posterior(Decimal("0.00005"), Decimal(20_000))

    found = chances(dict.fromkeys(("a", "b", "c"), nothing), "acc/2026-11-20")

    assert all(abs(each.p_best - Decimal(1) / 3) < Decimal("0.03") for each in found.values())


@pytest.mark.parametrize("seed", ["a", "b", "c", "d", "e", "f"])
def test_probabilities_to_be_the_best_add_up_to_one(seed: str) -> None:
    """Rounded to six decimals, those of three arms alike would not, with three of these seeds."""
    found = chances(dict.fromkeys(("a", "b", "c"), GOOD), seed)

    assert sum(each.p_best for each in found.values()) == 1


def test_an_arm_alone_has_all_and_its_risk_is_its_relative_deviation() -> None:
    (found,) = chances({"a": Posterior(Decimal(2), Decimal(6))}, "seed").values()
    assert found == (Decimal(1), Decimal(1), Decimal("0.577350"))


@given(st.dictionaries(st.text(max_size=4), st.decimals(0, 1, places=6), min_size=1, max_size=50))
def test_shares_add_up_to_one_and_each_is_above_zero(p_best: dict[str, Decimal]) -> None:
    found = allocation(p_best)
    assert sum(found.values()) == 1
    assert all(each > 0 for each in found.values())
