"""Findings are weighed together: the more was looked at, the further off one has to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.anomalies.discoveries import discoveries, p_value

ZS = st.lists(st.floats(-50, 50), max_size=30)


def test_one_finding_among_few_tests_stands_and_among_many_it_does_not() -> None:
    assert discoveries([5.0], 5) == [True]
    assert discoveries([5.0], 5000) == [False]
    assert discoveries([60.0], 5000) == [True]


def test_many_that_are_off_together_stand_where_each_alone_would_not() -> None:
    assert discoveries([5.5], 60) == [False]
    assert discoveries([5.5, -5.5, 5.6, 5.7, 6.0], 60) == [True] * 5


def test_nothing_found_is_nothing() -> None:
    assert discoveries([], 100) == []


@given(ZS, st.integers(0, 1000))
def test_whatever_is_further_off_than_one_that_stands_does_too(zs: list[float], tests: int) -> None:
    found = discoveries(zs, tests)
    least = min((abs(z) for z, stays in zip(zs, found, strict=True) if stays), default=51)
    assert all(stays for z, stays in zip(zs, found, strict=True) if abs(z) >= least)


@given(ZS, st.integers(0, 1000))
def test_more_tests_never_let_more_stand(zs: list[float], tests: int) -> None:
    few, many = discoveries(zs, tests), discoveries(zs, tests + 100)
    assert all(before or not after for before, after in zip(few, many, strict=True))


@given(st.floats(0, 40), st.floats(0, 40))
def test_a_p_value_is_a_share_that_falls_with_the_distance_on_either_side(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= p_value(high) <= p_value(low) <= 1
    assert p_value(-one) == p_value(one)
    assert p_value(0) == 1


def test_tails_are_as_heavy_as_measured() -> None:
    """Two in a thousand values of advertising metrics are beyond 4 deviations; of normal ones 6 in 100,000."""
    assert 0.001 < p_value(4) < 0.003
