"""An adjustment counts until a newer pull answers for its entity, also one of a slice that names only the campaign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.metrics import BadRow, Level, MetricRow
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows
from support.bounds import at_the_bound
from support.reading_world import DAY, LOSSY, ReadingWorld, ad, spends

MICRO = 1_000_000


def unreadable(name: str, spend: int, campaign_id: str = "") -> BadRow:
    """A row of an ad that a connector could not read, but for its key, some numbers and perhaps its campaign."""
    slot = (spend * 10, spend, None, spend * MICRO, None)
    return BadRow(1, {}, [{"field": "x", "rule": "wire"}], f"g1~{name}", DAY, slot, campaign_id)


def load(world: ReadingWorld, slice_: str, rows: Sequence[MetricRow] = (), bad: Sequence[BadRow] = ()) -> None:
    """Store a complete pull of the day's ads, read as the pipeline reads it."""
    pull, found = world.made_pull(Level.AD, LOSSY, slice_, (DAY, DAY), has_totals=True), PullRows()
    with Quarantine() as quarantine:
        loop = RowLoop(pull, [DAY], found, quarantine)
        loop.take(rows, bad)
        loop.finish()
    world.store.load(pull, found, accept_vanish=True)


def terms(world: ReadingWorld, **more: Any) -> dict[str, int]:
    """The terms of the day's spend that are not zero."""
    (found,) = world.report("ad", **more).adjustments
    return {term: number for term, number in found["spend"].items() if number}


def test_an_unreadable_row_counts_until_a_pull_of_its_campaign_brings_the_ad() -> None:
    # given an ad whose row could not be read, not even its campaign
    world = ReadingWorld()
    load(world, "all", [ad("a2", 5, campaign_id="c2")], [unreadable("a1", 3)])
    assert terms(world) == {"shown": 5, "raw": 8, "quarantined": 3}
    # when a pull of another campaign comes, then the row still counts
    load(world, "campaign=c2", [ad("a2", 6, campaign_id="c2")])
    assert terms(world) == {"shown": 6, "raw": 9, "quarantined": 3}
    # when a pull of its own campaign brings the ad, then it does not any more
    load(world, "campaign=c1", [ad("a1", 8)])
    assert spends(world.report("ad"), "ad") == {"a1": 8, "a2": 6}
    assert terms(world) == {"shown": 14, "raw": 14}


def test_an_unreadable_row_with_a_campaign_counts_until_a_pull_of_it_answers_without_the_ad() -> None:
    # given an ad that nothing is stored of, whose row told its campaign
    world = ReadingWorld()
    load(world, "all", [ad("a2", 5, campaign_id="c2")], [unreadable("a1", 3, "c1")])
    assert terms(world) == {"shown": 5, "raw": 8, "quarantined": 3}
    # when a pull of the campaign does not bring it, then nothing is left of it
    load(world, "campaign=c1")
    assert terms(world) == {"shown": 5, "raw": 5}


def test_an_unreadable_row_is_of_the_campaign_that_is_stored_of_its_ad() -> None:
    # given a stored ad, whose newest row could not be read, not even its campaign
    world = ReadingWorld()
    load(world, "all", [ad("a1", 8), ad("a2", 5, campaign_id="c2")])
    load(world, "all", [ad("a2", 5, campaign_id="c2")], [unreadable("a1", 9)])
    # then a report of its campaign counts both the older number and what was sent, and no other campaign's does
    assert terms(world, segments={"campaign": ["c1"]}) == {"shown": 8, "raw": 9, "held": 8, "quarantined": 9}
    assert terms(world, segments={"campaign": ["c2"]}) == {"shown": 5, "raw": 5}


def test_adjustments_that_are_added_up_go_with_a_pull_of_their_campaign() -> None:
    # given more ads with unreadable rows than are kept one by one, the last two of different campaigns
    world = ReadingWorld()
    names = [f"a{number:04d}" for number in range(limits.MAX_ADJUSTED_ENTITIES + 1)]
    load(world, "all", bad=[*(unreadable(name, 3, "c1") for name in names), unreadable("b", 7, "c2")])
    assert terms(world) == {"raw": 3 * len(names) + 7, "quarantined": 3 * len(names) + 7}
    # when a pull of one campaign brings all of its ads, then the other's is left
    load(world, "campaign=c1", [ad(name, 1) for name in names])
    assert terms(world) == {"shown": len(names), "raw": len(names) + 7, "quarantined": 7}
    load(world, "campaign=c2")
    assert terms(world) == {"shown": len(names), "raw": len(names)}


@at_the_bound("MAX_ADJUSTED_CAMPAIGNS", as_if=3)
def test_beyond_some_campaigns_the_others_are_added_up_together(
    monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    # given ads of more campaigns than adjustments are added up by
    monkeypatch.setattr(limits, "MAX_ADJUSTED_ENTITIES", 1)
    world = ReadingWorld()
    load(world, "all", bad=[unreadable("a", 1), *(unreadable(f"b{n}", 2, f"c{n}") for n in range(size))])
    # then none is lost, and the campaign's own pull ends the last one's only if it has an own sum
    assert terms(world)["quarantined"] == 1 + 2 * size
    load(world, f"campaign=c{size - 1}")
    assert terms(world)["quarantined"] == 1 + 2 * (size - fits)
