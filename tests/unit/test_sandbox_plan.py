"""Three years of numbers: planted anomalies and level shifts are what is listed, hidden demand is a switch."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.outside import BadQuestion, Outside
from sandbox.platforms import companies, population
from sandbox.world import World, WorldProfile
from sandbox.world.mix import Mix
from sandbox.world.plan import CLICKS, CONVERSIONS, HISTORY_DAYS, IMPRESSIONS, SPEND

ANCHOR = date(2026, 11, 21)
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
PLACE = {IMPRESSIONS: 0, CLICKS: 1, CONVERSIONS: 2, SPEND: 3}


def bare_world() -> World:
    """The same world without what is planted in it."""
    world = World(7, ANCHOR, companies(7))
    for profile in world.profiles:
        world.plan(profile).anomalies = ()
        world.plan(profile).shifts = ()
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, ANCHOR, companies(7))


def sums(world: World, profile: WorldProfile, number: int, days: int = 1) -> list[int]:
    """The numbers of some days, the first of them by its place in the history."""
    day = world.first_day + timedelta(days=number)
    rows = list(world.truth(profile, day, day + timedelta(days=days - 1)))
    return [sum(row[name] for row in rows) for name in NUMBERS]


def test_each_ad_account_has_three_years_with_anomalies_and_level_shifts(world: World) -> None:
    assert (ANCHOR - world.first_day).days + 1 == HISTORY_DAYS >= 3 * 365
    for profile in world.profiles:
        plan = world.plan(profile)
        assert sums(world, profile, 0)[0] > 0
        assert sums(world, profile, -1)[0] == 0
        assert len(plan.anomalies) == 9
        assert len(plan.shifts) == 3
        assert {a.metric for a in plan.anomalies} == set(PLACE)
        assert all(0 <= a.first <= a.last < HISTORY_DAYS - 20 for a in plan.anomalies)
        assert plan.anomalies == World(7, ANCHOR, companies(7)).plan(profile).anomalies


def test_planted_anomalies_are_in_the_numbers_on_their_days_and_no_others(world: World) -> None:
    # given
    bare = bare_world()
    for profile in world.profiles:
        only = World(7, ANCHOR, companies(7))
        only.plan(profile).shifts = ()
        for anomaly in world.plan(profile).anomalies:
            # when
            usual, found = sums(bare, profile, anomaly.first), sums(only, profile, anomaly.first)
            before = sums(bare, profile, anomaly.first - 1), sums(only, profile, anomaly.first - 1)

            # then
            assert has(usual, found, anomaly.metric, anomaly.per_mille)
            assert before[0] == before[1]


def has(usual: list[int], found: list[int], metric: str, per_mille: int) -> bool:
    """Whether the metric is so much of the usual, and what does not follow it is as it was."""
    place = PLACE[metric]
    if metric == SPEND:  # the others follow, as whole clicks and conversions can
        follow = all((now < then) is (per_mille < 1000) for now, then in zip(found, usual, strict=True))
        return follow and found[place] == pytest.approx(usual[place] * per_mille // 1000, rel=0.02)
    if metric == CONVERSIONS:
        near = pytest.approx(usual[place] * per_mille / 1000, rel=0.25)
        return (
            found[place] == near and (found[4] > 0) is (per_mille > 0) and without(found, 2, 4) == without(usual, 2, 4)
        )
    near = pytest.approx(usual[place] * per_mille / 1000, rel=0.02)
    return found[place] == near and without(found, place) == without(usual, place)


def without(numbers: list[int], *places: int) -> list[int]:
    return [number for place, number in enumerate(numbers) if place not in places]


def test_a_level_shift_parts_what_was_from_what_is(world: World) -> None:
    for profile in world.profiles:
        for shift in world.plan(profile).shifts:
            # given
            bare, shifted = bare_world(), World(7, ANCHOR, companies(7))
            shifted.plan(profile).anomalies = ()
            shifted.plan(profile).shifts = (shift,)

            # when
            usual, found = (sums(each, profile, shift.day - 28, 28) for each in (bare, shifted))

            # then
            assert has(usual, found, shift.metric, shift.before)
            assert sums(bare, profile, shift.day) == sums(shifted, profile, shift.day)


@settings(max_examples=12, deadline=None)
@given(number=st.integers(0, HISTORY_DAYS - 1), place=st.integers(0, 3))
def test_levels_and_hours_sum_on_any_day(world: World, number: int, place: int) -> None:
    # given
    profile, day = world.profiles[place], world.first_day + timedelta(days=number)

    def total(level: str, *, hourly: bool = False) -> list[int]:
        rows = list(world.truth(profile, day, day, level, hourly=hourly))
        return [sum(row[name] or 0 for row in rows) for name in NUMBERS]

    # then
    ads = total("ad")
    assert ads == total("ad_group") == total("campaign") == total("account")
    hours = total("ad", hourly=True)
    assert hours[:2] + hours[3:4] == ads[:2] + ads[3:4]


def test_hidden_demand_moves_spend_and_sales_alike_until_it_is_switched_off(tmp_path: Path) -> None:
    # given
    path = tmp_path / "world.json"
    outside = Outside(seed=7, anchor=ANCHOR, today=ANCHOR, state_path=path, population=population())
    world, mix = outside.world, Mix(outside.world)
    company, profile = world.companies[0], world.profiles[0]
    days = [date(2025, 3, 1) + timedelta(days=7 * n) for n in range(12)]

    def told() -> list[tuple[int, int]]:
        spent = [sum(row["spend_micros"] for row in world.truth(profile, day, day)) for day in days]
        base = [next(iter(mix.sales(company, day, day)))["base_micros"] for day in days]
        return list(zip(spent, base, strict=True))

    # when
    quiet = told()
    outside.drive(1000)
    driven = told()
    swings = [world.hidden(company).swing((day - world.first_day).days) for day in days]
    restarted = Outside(seed=7, anchor=ANCHOR, today=ANCHOR, state_path=path, population=population()).world.driver
    outside.drive(0)

    # then
    assert told() == quiet != driven
    assert restarted == 1000
    assert min(swings) < -50
    assert max(swings) > 50
    for swing, was, now in zip(swings, quiet, driven, strict=True):
        assert now[0] == pytest.approx(was[0] * (1000 + swing) / 1000, rel=0.01)
        assert now[1] == pytest.approx(was[1] * (1000 + swing) / 1000, rel=0.01)
    with pytest.raises(BadQuestion, match="per_mille"):
        outside.drive(-1)


def test_what_is_planted_differs_by_ad_account_and_seed(world: World) -> None:
    planted = [world.plan(profile).anomalies for profile in world.profiles]
    other = World(8, ANCHOR, companies(8))
    assert len(set(planted)) == len(planted)
    assert [other.plan(profile).anomalies for profile in other.profiles] != planted
