"""`mass_vanish`: a pull that would zero much stored spend waits for a second one that says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adweir.model.errors import MassVanish
from adweir.model.times import iso
from support.bounds import at_the_bound, refuses
from support.crash import Killed
from support.metric_store import Brought, StoreWorld, expected, stored

FIRST, LAST = "2026-10-30", "2026-11-02"


def _pull(number: int, values: dict[tuple[str, str], int], **changes: object) -> Brought:
    # as_of 2026-11-20: days before the 17th are settled
    return replace(Brought(number, ("2026-11-08", "2026-11-19"), values), **changes)  # type: ignore[arg-type]


FULL = _pull(
    1, {("a1", "2026-11-10"): 700, ("b1", "2026-11-11"): 200, ("b2", "2026-11-12"): 100, ("a2", "2026-11-18"): 9}
)


def test_an_empty_200_is_held_back_until_a_second_pull_agrees() -> None:
    # given stored spend on settled days
    world = StoreWorld()
    world.load(FULL, accept_vanish=False)
    before = world.table.state()
    # when a complete pull brings nothing, then it is held back, again when redelivered, and nothing is touched
    for _ in range(2):
        with pytest.raises(MassVanish):
            world.load(_pull(2, {}), accept_vanish=False)
    writes = world.crash.writes
    with pytest.raises(MassVanish):
        world.load(_pull(2, {}), accept_vanish=False)
    assert world.crash.writes == writes
    assert {k: v for k, v in world.table.state().items() if "#vanish" not in k[0]} == before
    # when a later pull says the same, then it goes through and the question is closed
    assert world.load(_pull(3, {}), accept_vanish=False).slots_zeroed == 4
    assert stored(world.store, "2026-11-08", "2026-11-19") == {}
    assert not [key for key in world.table.items if "#vanish" in key[0]]


def test_the_question_names_exact_amounts_by_currency() -> None:
    # given stored spend to the millionth, on one day in two currencies
    world = StoreWorld()
    world.load(_pull(1, {("a1", "2026-11-10"): 9_007_199_254_740_993, ("b1", "2026-11-11"): 1_000_001}))
    world.load(_pull(3, {("a2", "2026-11-10"): 5_000_000}, complete=False, currency="USD"))
    # when a pull brings nothing, then the question has no rounded number, and no sum of two currencies
    with pytest.raises(MassVanish) as held:
        world.load(_pull(4, {}), accept_vanish=False)
    amounts = "9007199255.740994 EUR and 5 USD"
    assert held.value.message == f"the pull would zero {amounts} of {amounts} of stored spend on 2 days"


def test_spend_is_weighed_in_its_own_currency() -> None:
    # given a day in two currencies, and a pull that lacks all of the smaller number
    world = StoreWorld()
    day = "2026-11-10"
    world.load(_pull(1, {("a1", day): 9_000_000_000}, currency="JPY"))
    world.load(_pull(3, {("b1", day): 60_000_000}, complete=False, currency="USD"))
    with pytest.raises(MassVanish, match="60 USD of 9000 JPY and 60 USD"):
        world.load(_pull(4, {("a1", day): 9_000_000_000}, currency="JPY"), accept_vanish=False)


def test_a_second_pull_that_agrees_on_one_day_does_not_zero_the_others() -> None:
    # given two ads on two settled days, and a pull of one day that lacks its ad
    world = StoreWorld()
    world.load(FULL)
    day = "2026-11-10"
    with pytest.raises(MassVanish):
        world.load(Brought(2, (day, day), {}), accept_vanish=False)
    # when an empty answer comes for all days, then it is a new proposal for the others
    with pytest.raises(MassVanish):
        world.load(_pull(4, {}), accept_vanish=False)
    assert stored(world.store, "2026-11-08", "2026-11-19") == expected([FULL])


def test_two_windows_of_one_series_are_each_agreed_with_the_second_time() -> None:
    # given two windows that lost half of their days for good
    days = [f"2026-10-{number:02d}" for number in range(1, 31)]
    world = StoreWorld()
    world.load(Brought(0, (days[0], days[-1]), {("a1", day): 100 for day in days}))
    outcomes = []
    for week in (2, 4):
        for number, start, end in ((week, 0, 14), (week + 1, 15, 29)):
            left = {("a1", day): 100 for day in days[start + 6 : end + 1]}
            try:
                world.load(Brought(number, (days[start], days[end]), left), accept_vanish=False)
                outcomes.append("loaded")
            except MassVanish:
                outcomes.append("held")
    # then both are asked about once
    assert outcomes == ["held", "held", "loaded", "loaded"]


def test_a_slice_is_weighed_by_its_own_spend() -> None:
    # given a small product beside a large one, when its pull brings nothing
    world = StoreWorld()
    world.load(_pull(1, {("a1", "2026-11-10"): 1000, ("b1", "2026-11-10"): 1}))
    with pytest.raises(MassVanish):
        world.load(_pull(2, {}, slice="sb"), accept_vanish=False)
    # then a pull of another slice does not answer for it
    world.load(_pull(4, {("a1", "2026-11-10"): 1000}, slice="sp"), accept_vanish=False)
    assert world.load(_pull(6, {}, slice="sb"), accept_vanish=False).slots_zeroed == 1


@at_the_bound("MAX_VANISH_QUESTION_DAYS")
def test_a_question_that_nobody_answered_is_asked_again(size: int, fits: bool) -> None:
    # given a held-back pull, and one of the same mind some weeks later
    world = StoreWorld()
    world.load(FULL)
    with pytest.raises(MassVanish):
        world.load(_pull(2, {}), accept_vanish=False)
    later = datetime(2026, 11, 20, 1, tzinfo=UTC) + timedelta(days=size)
    again = replace(_pull(4, {("a2", "2026-11-18"): 9}), as_of=iso(later))

    with refuses(MassVanish, fits=fits):
        world.load(again, accept_vanish=False)


def test_a_normal_pull_in_between_withdraws_the_question() -> None:
    world = StoreWorld()
    world.load(FULL, accept_vanish=False)
    with pytest.raises(MassVanish):
        world.load(_pull(2, {}), accept_vanish=False)
    world.load(replace(FULL, number=4), accept_vanish=False)
    with pytest.raises(MassVanish):
        world.load(_pull(6, {}), accept_vanish=False)


def test_an_operator_can_accept() -> None:
    world = StoreWorld()
    world.load(FULL)
    with pytest.raises(MassVanish):
        world.load(_pull(2, {}), accept_vanish=False)
    assert world.load(_pull(2, {}), accept_vanish=True).slots_zeroed == 4


@pytest.mark.parametrize(
    ("missing", "held"), [({"b1"}, False), ({"b2"}, False), ({"b1", "b2"}, True), ({"a1"}, True), ({"a2"}, False)]
)
def test_a_fifth_of_a_settled_days_spend_may_vanish_without_a_second_opinion(missing: set[str], held: bool) -> None:
    # given 1000 of spend on a settled day in 700 + 200 + 100 (a2's day is too young to count), when some is missing
    world = StoreWorld()
    day = "2026-11-10"
    full = _pull(1, {("a1", day): 700, ("b1", day): 200, ("b2", day): 100, ("a2", "2026-11-18"): 9})
    world.load(full)
    later = _pull(2, {key: spend for key, spend in full.values.items() if key[0] not in missing})
    # then more than 200 is held back
    if held:
        with pytest.raises(MassVanish):
            world.load(later, accept_vanish=False)
    else:
        assert world.load(later, accept_vanish=False).slots_zeroed == 1


def test_the_check_spans_all_partitions_before_the_first_write() -> None:
    # given a window over two months whose larger part would vanish in the second
    values = {("a1", "2026-10-31"): 100, ("b1", "2026-11-01"): 900}
    world = StoreWorld()
    world.load(Brought(1, (FIRST, LAST), values))
    writes = world.crash.writes
    # when that pull comes, then the first month is not written either
    with pytest.raises(MassVanish):
        world.load(Brought(2, (FIRST, LAST), {("a1", "2026-10-31"): 101}), accept_vanish=False)
    assert world.crash.writes == writes + 1
    assert stored(world.store, FIRST, LAST)["a1", "2026-10-31"][3] == 100


def test_a_pull_let_through_and_stopped_halfway_is_not_held_back_when_repeated() -> None:
    # given an accepted pull that zeroes a day and lowers the rest, killed after its items, before coverage
    world = StoreWorld()
    world.load(FULL)
    later = _pull(2, {("a1", "2026-11-10"): 1, ("b2", "2026-11-12"): 100})
    world.crash.arm(3)
    with pytest.raises(Killed):
        world.load(later)
    world.leases.expire()
    # when it comes again, then it goes on
    world.load(later, accept_vanish=False)
    assert stored(world.store, "2026-11-08", "2026-11-19") == expected([FULL, later])
