"""What was sent is what is stored, minus what cleaning added, plus what was quarantined, exactly."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.metrics import BadRow, Deltas, Grain, Level, Mark, MetricRow, Series, Slot
from adweir.model.money import rounded
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull
from adweir.model.times import Window
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.adjusting import NO_CURRENCY
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.store import Adjustment
from support.bounds import at_the_bound
from support.crash import Killed
from support.metric_store import Brought, StoreWorld

DAYS = ["2026-10-31", "2026-11-01"]
SERIES = Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY)
WINDOW = Window(date(2026, 10, 31), date(2026, 11, 1))


class Sent(NamedTuple):
    """A row on the wire: amounts are text in units. `readable` is false where a connector cannot read the row."""

    entity: str
    day: str
    impressions: int | None
    clicks: int
    spend: str
    readable: bool = True
    currency: str = "EUR"

    @property
    def numbers(self) -> tuple[Fraction, Fraction, Fraction]:
        """Impressions, clicks, spend in millionths."""
        return Fraction(self.impressions or 0), Fraction(self.clicks), Fraction(self.spend) * 10**6

    def normalized(self) -> MetricRow | BadRow:
        micros, added = rounded(self.spend)
        slot: Slot = (self.impressions, self.clicks, None, micros, None)
        if not self.readable:
            exact = added == 0
            numbers: Slot = slot if exact else (self.impressions, self.clicks, None, None, None)
            return BadRow(1, {}, [{"field": "x", "rule": "wire"}], self.entity, self.day, numbers)
        zero = Decimal(0)
        rounding: Deltas | None = (zero, zero, zero, added, zero) if added else None
        return MetricRow(
            self.entity, self.day, *slot, campaign_id="c1", currency=self.currency, ad_product="sp", rounding=rounding
        )


spends = st.sampled_from(["0", "1.25", "0.1234567", "7.00000049", "-3.5", "2000000000", "0.333333333333"])
rows = st.lists(
    st.builds(
        Sent,
        st.sampled_from(["a1", "a2", "b1"]),
        st.sampled_from(DAYS),
        st.none() | st.integers(0, 3),
        st.integers(-1, 2),
        spends,
        st.just(True),
    ),
    max_size=12,
)
unreadable = st.lists(
    st.builds(
        Sent,
        st.sampled_from(["a1", "b1"]),
        st.sampled_from(DAYS),
        st.integers(0, 3),
        st.integers(0, 2),
        st.sampled_from(["0", "1.25", "9"]),
        st.just(False),
    ),
    max_size=2,
)


def load(world: StoreWorld, about: Brought, sent: Sequence[Sent]) -> Pull:
    pull, brought = about.pull, PullRows()
    with Quarantine() as quarantine:
        loop = RowLoop(pull, [day.isoformat() for day in pull.window.days()], brought, quarantine)
        read = [row.normalized() for row in sent]
        loop.take([row for row in read if isinstance(row, MetricRow)], [row for row in read if isinstance(row, BadRow)])
        loop.finish()
    world.store.load(pull, brought, accept_vanish=True)
    return pull


def pull(number: int) -> Brought:
    return Brought(number, (DAYS[0], DAYS[-1]), {})


def sums(world: StoreWorld, day: str) -> list[Fraction]:
    """What was sent for a day as the store accounts for it: impressions, clicks, spend in millionths."""
    total = [Fraction(0)] * 3
    for row in world.rows(day):
        if row.mark is Mark.NONE:
            for place, metric in enumerate((0, 1, 3)):
                total[place] += row.slot[metric] or 0
    for each in world.store.adjusted(SERIES, WINDOW):
        if each.day == day:
            for place, metric in enumerate((0, 1, 3)):
                total[place] += (each.quarantined[metric] or 0) - Fraction(each.cleaned[metric])
    return total


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(rows, unreadable), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_what_was_sent_adds_up_from_what_is_stored(
    sent: list[tuple[list[Sent], list[Sent]]], rng: random.Random
) -> None:
    # given pulls of good, rounded, repeated, contradicting, negative, absurd and unreadable rows, in any order
    pulls = [(pull(number), [*good, *bad]) for number, (good, bad) in enumerate(sent)]
    world = StoreWorld()
    again = [*pulls, *rng.choices(pulls, k=2)]
    rng.shuffle(again)
    for about, each in again:
        world.crash.arm(rng.choice([0, rng.randint(1, 6)]))
        try:
            load(world, about, each)
        except Killed:
            world.leases.expire()
            load(world, about, each)
    # then what the newest sent is what is stored, minus what cleaning added, plus what was quarantined
    for day in DAYS:
        sent_now = [row.numbers for row in pulls[-1][1] if row.day == day]
        assert sums(world, day) == [sum((numbers[place] for numbers in sent_now), Fraction(0)) for place in range(3)]
    # and any order ends in the same items
    straight = StoreWorld()
    for about, each in pulls:
        load(straight, about, each)
    assert world.table.state() == straight.table.state()


def adjustments(world: StoreWorld) -> list[Adjustment]:
    return list(world.store.adjusted(SERIES, WINDOW))


def test_an_adjustment_says_what_it_is_about() -> None:
    # given a slice's pull with a rounded row, a repeated one, and one that cannot be stored
    world = StoreWorld()
    day = DAYS[1]
    about = replace(pull(1), slice="sp")
    good, negative = Sent("a1", day, 10, 1, "0.1234567"), Sent("a2", day, 5, -1, "2")
    load(world, about, [good, good, negative, Sent("b1", day, 1, 0, "3", readable=False)])
    # then each says of which ad of which campaign and product
    found = {each.entity_id: each for each in adjustments(world)}
    assert Counter({entity: each.rows for entity, each in found.items()}) == Counter({"a2": 1, "b1": 1})
    assert list(found["a1"].cleaned) == [-10, -1, 0, Decimal("-123456.4"), 0]
    assert found["a2"][:5] == ("a2", "c1", "", "sp", day)
    assert found["a2"].quarantined == (5, -1, None, 2_000_000, None)
    assert (found["b1"].ad_product, found["b1"].quarantined[3]) == ("sp", 3_000_000)
    # when a newer pull brings the day without trouble, then nothing is left of them
    load(world, replace(pull(2), slice="sp"), [good._replace(spend="1")])
    assert adjustments(world) == []
    assert not [key for key in world.table.items if "!adjusted" in key[1]]


def test_an_adjustment_is_in_the_currency_that_its_row_was_in() -> None:
    # given a pull in euros with a rounded row, an unreadable one, and rows of another currency, of the same ad too
    world = StoreWorld()
    day = DAYS[1]
    dollars = Sent("a1", day, 1, 0, "5", currency="usd")
    load(
        world,
        pull(1),
        [
            Sent("a1", day, 1, 0, "0.1234567"),
            Sent("b1", day, 1, 0, "3", readable=False),
            dollars,
            dollars._replace(entity="a2", spend="7.0000002"),
        ],
    )
    # then each is told in its own
    found = sorted((each.currency, each.entity_id, each.quarantined[3], each.cleaned[3]) for each in adjustments(world))
    assert found == [
        ("EUR", "a1", None, Decimal("0.3")),
        ("EUR", "b1", 3_000_000, 0),
        ("USD", "a1", 5_000_000, 0),
        ("USD", "a2", 7_000_000, Decimal("-0.2")),
    ]


@at_the_bound("MAX_ADJUSTED_CURRENCIES")
def test_beyond_some_currencies_what_is_added_up_has_none(size: int, fits: bool) -> None:
    # given more entities than are kept one by one, and rows in ever other currencies
    world = StoreWorld()
    many = [Sent(f"x{number:04d}", DAYS[0], 1, -1, "1") for number in range(limits.MAX_ADJUSTED_ENTITIES)]
    odd = [Sent("y", DAYS[0], 1, 0, "2", currency=f"C{number:02d}") for number in range(size)]
    load(world, pull(1), [*many, *odd])
    # then none is lost
    added = {each.currency: each.quarantined[3] for each in adjustments(world) if not each.entity_id}
    assert sum(number or 0 for number in added.values()) == size * 2_000_000
    assert (NO_CURRENCY not in added) is fits


@at_the_bound("MAX_ADJUSTED_ENTITIES")
def test_beyond_the_first_the_adjustments_of_a_day_are_added_up(size: int, fits: bool) -> None:
    # given more entities with a quarantined row than are kept one by one
    world = StoreWorld()
    load(world, pull(1), [Sent(f"x{number:04d}", DAYS[0], 1, -1, "1") for number in range(size)])
    found = adjustments(world)
    # then none is lost
    assert ("" not in {each.entity_id for each in found}) is fits
    assert len(found) == limits.MAX_ADJUSTED_ENTITIES + (not fits)
    assert sum(each.quarantined[3] or 0 for each in found) == size * 1_000_000
