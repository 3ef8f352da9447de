"""`mass_vanish`: a pull that would zero much stored spend waits for a second one that says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adweir.model.errors import MassVanish
from adweir.model.metrics import Grain, Level, MetricRow
from adweir.model.tasks import Pull
from adweir.model.times import iso
from adweir.store.metrics.brought import PullRows
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


@pytest.mark.parametrize(("day", "held"), [("2026-11-16", True), ("2026-11-17", False)])
def test_a_day_is_settled_when_it_is_more_than_three_days_old(day: str, held: bool) -> None:
    # given spend on a day that is four or three days old, when a pull of the 20th brings nothing
    world = StoreWorld()
    world.load(_pull(1, {("a1", day): 100}))

    with refuses(MassVanish, fits=not held):
        world.load(_pull(2, {}), accept_vanish=False)


def test_a_day_without_known_spend_weighs_nothing() -> None:
    # given an ad whose spend is unknown beside one with little spend, which a pull lacks
    world = StoreWorld()
    rows = _pull(1, {("a1", "2026-11-10"): 1}).rows()
    rows.offer(MetricRow("a2", "2026-11-10", 9, 9, None, None, None, campaign_id="c1", ad_product="sp", currency="EUR"))
    world.store.load(_pull(1, {}).pull, rows)

    with pytest.raises(MassVanish, match=r"zero 0\.000001 EUR of 0\.000001 EUR of stored spend on 1 days") as held:
        world.load(_pull(2, {("a2", "2026-11-10"): 0}), accept_vanish=False)
    assert held.value.context == {"days": 1}


def test_hours_are_weighed_together_by_day() -> None:
    # given a campaign with spend in three hours, of which a pull lacks one fifth, or more
    world = StoreWorld()
    world.store.load(*hours(1, {7: 60, 8: 20, 26: 20}, slice_="all"))

    assert world.store.load(*hours(2, {7: 60, 26: 20}), accept_vanish=False).slots_zeroed == 1
    with pytest.raises(MassVanish, match=r"20 EUR of 80 EUR"):
        world.store.load(*hours(3, {7: 60}), accept_vanish=False)


def hours(number: int, spends: dict[int, int], slice_: str = "campaign=c1") -> tuple[Pull, PullRows]:
    """A complete pull of the hours of a settled day, of one campaign alone."""
    rows = PullRows()
    for hour, spend in spends.items():
        rows.offer(MetricRow("c1", "2026-11-10", 0, 0, 0, spend * 1_000_000, 0, hour=hour, currency="EUR"))
    about = Brought(number, ("2026-11-10", "2026-11-10"), {}, level=Level.CAMPAIGN, slice=slice_).pull
    return replace(about, grain=Grain.HOUR), rows


def test_open_questions_of_another_slice_hide_none_of_its_own() -> None:
    # given questions of all objects and of a product
    world = StoreWorld()
    world.load(FULL)
    for slice_ in ("all", "sp"):
        with pytest.raises(MassVanish):
            world.load(_pull(2, {}, slice=slice_), accept_vanish=False)

    # when a second pull of the product says the same, then it is let through
    assert world.load(_pull(4, {}, slice="sp"), accept_vanish=False).slots_zeroed == 2


def test_questions_are_one_item_per_slice_and_day() -> None:
    world = StoreWorld()
    world.load(FULL)
    with pytest.raises(MassVanish):
        world.load(_pull(2, {}), accept_vanish=False)

    found = {sk: item["stamp"]["S"] for (pk, sk), item in world.table.items.items() if pk.endswith("#vanish")}
    assert {pk for pk, sk in world.table.items if sk in found} == {"amazon_ads#p1#ad#day#pull#vanish"}
    assert found == {f"!all#2026-11-{day}": "2026-11-20T01:00:00.000000Z#task0002" for day in (10, 11, 12)}


def test_an_accepted_pull_answers_its_own_questions_up_to_the_ends_of_its_window() -> None:
    # given a question about each end of a window, one beyond, and one of another slice
    world = StoreWorld()
    spends = {("a1", f"2026-11-{day:02d}"): 100 for day in range(5, 12)}
    world.load(Brought(1, ("2026-11-01", "2026-11-14"), spends))
    for slice_ in ("sp", "all"):
        with pytest.raises(MassVanish):
            world.load(Brought(2, ("2026-11-01", "2026-11-14"), {}, slice=slice_), accept_vanish=False)

    world.load(Brought(2, ("2026-11-06", "2026-11-09"), {}), accept_vanish=True)

    open_ = {sk for pk, sk in world.table.items if pk.endswith("#vanish")}
    assert {sk for sk in open_ if "sp" not in sk} == {f"!all#2026-11-{day:02d}" for day in (5, 10, 11)}
    assert len(open_ - {f"!all#2026-11-{day:02d}" for day in (5, 10, 11)}) == 7


def test_a_question_that_is_too_old_is_dropped_when_another_pull_of_its_slice_comes() -> None:
    world = StoreWorld()
    world.load(FULL)
    for slice_ in ("all", "sp"):
        with pytest.raises(MassVanish):
            world.load(_pull(2, {}, slice=slice_), accept_vanish=False)

    world.load(Brought(4, ("2026-12-20", "2026-12-20"), {}, as_of="2026-12-21T00:00:00.000000Z"), accept_vanish=False)

    assert {sk for pk, sk in world.table.items if pk.endswith("#vanish")} == {"!sp#2026-11-10"}


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
