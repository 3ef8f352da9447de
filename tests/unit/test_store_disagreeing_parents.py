"""Loads that disagree about the parents of an entity, which no platform's pulls do: any order ends in the same numbers.

Why it is the numbers, and of whole levels only: docs/decisions.md, "An object keeps its parents".
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.metrics import Mark, MetricRow, Source
from adweir.store.metrics.brought import PullRows
from support.metric_store import Brought, StoreWorld, seen

DAYS = ["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02"]
ADS = ("a1", "b1")


@dataclass(frozen=True)
class Claiming(Brought):
    """A load that names a campaign and an ad product of its own for each entity."""

    parents: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def rows(self) -> PullRows:
        rows = PullRows()
        for (entity, day), spend in self.values.items():
            campaign, product = self.parents[entity]
            row = MetricRow(entity, day, spend, 0, 0, spend, 0, campaign, currency="EUR", ad_product=product)
            rows.offer(row)
        return rows


@st.composite
def claiming(draw: st.DrawFn, number: int) -> Claiming:
    """A complete pull of all of a level's rows on a few days across the month's end, or one that broke off."""
    first = draw(st.integers(0, 3))
    last = draw(st.integers(first, 3))
    parents = {
        entity: (draw(st.sampled_from(["c1", "c2", ""])), draw(st.sampled_from(["sp", "sb", ""]))) for entity in ADS
    }
    keys = [(entity, day) for entity in ADS for day in DAYS[first : last + 1]]
    spends = draw(st.lists(st.none() | st.integers(0, 50), min_size=len(keys), max_size=len(keys)))
    values = {key: spend for key, spend in zip(keys, spends, strict=True) if spend is not None}
    window = (DAYS[first], DAYS[last])
    return Claiming(number, window, values, complete=draw(st.booleans()), parents=parents)


loads = st.integers(2, 6).flatmap(lambda n: st.tuples(*(claiming(number) for number in range(n))))
randoms = st.randoms(use_true_random=False)


def both(loads: Sequence[Claiming], rng: random.Random) -> tuple[StoreWorld, StoreWorld]:
    """Worlds after the loads in their own order, and after them in any order and twice."""
    straight, other = StoreWorld(), StoreWorld()
    for load in loads:
        straight.load(load)
    for load in rng.sample([*loads, *loads], 2 * len(loads)):
        other.load(load)
    return straight, other


@settings(max_examples=150)
@given(loads, randoms, st.booleans())
def test_pulls_of_a_level_end_in_the_same_numbers(
    loads: tuple[Claiming, ...], rng: random.Random, has_totals: bool
) -> None:
    straight, other = both([replace(load, has_totals=has_totals) for load in loads], rng)

    assert seen(straight.store, DAYS[0], DAYS[-1]) == seen(other.store, DAYS[0], DAYS[-1])


@settings(max_examples=100)
@given(loads, randoms)
def test_files_end_in_the_same_bytes_parents_included(loads: tuple[Claiming, ...], rng: random.Random) -> None:
    straight, other = both([replace(load, source=Source.FILE) for load in loads], rng)

    assert straight.table.state() == other.table.state()


@settings(max_examples=150)
@given(loads, randoms)
def test_where_nothing_is_forgotten_pulls_end_in_the_same_bytes(
    loads: tuple[Claiming, ...], rng: random.Random
) -> None:
    # given pulls whose missing rows are kept, as account totals decide about them
    straight, other = both([replace(load, has_totals=True) for load in loads], rng)
    # then the parents that an older pull names count, too, for a row that the newest does not bring
    assert straight.table.state() == other.table.state()


def test_the_campaign_of_a_missing_row_is_the_same_in_any_order() -> None:
    # given an ad of which two pulls name different campaigns, and which the newest pull does not bring
    key, window = ("a1", DAYS[0]), (DAYS[0], DAYS[0])
    named = [
        Claiming(number, window, {key: number + 3}, has_totals=True, parents={"a1": (campaign, "")})
        for number, campaign in enumerate(["c9", "c3"])
    ]
    states = []
    for order in permutations([*named, Claiming(2, window, {}, has_totals=True)]):
        world = StoreWorld()
        for load in order:
            world.load(load)
        (row,) = world.rows(DAYS[0])
        assert (row.campaign_id, row.slot[3], row.mark) == ("c9", 4, Mark.KEPT)
        states.append(world.table.state())
    # then any order ends in the same bytes
    assert all(state == states[0] for state in states)


def test_a_month_names_the_parents_that_its_own_rows_had() -> None:
    # given an ad without a campaign in October, for which a newer pull of both months brings a row in November only
    pulls = [
        Claiming(0, (DAYS[1], DAYS[1]), {("a1", DAYS[1]): 1}, has_totals=True, parents={"a1": ("", "")}),
        Claiming(1, (DAYS[1], DAYS[2]), {("a1", DAYS[2]): 3}, has_totals=True, parents={"a1": ("c1", "sp")}),
    ]
    for order in permutations(pulls):
        world = StoreWorld()
        for load in order:
            world.load(load)
        # then either order ends in the same campaigns
        assert [row.campaign_id for day in DAYS[1:3] for row in world.rows(day)] == ["", "c1"]
