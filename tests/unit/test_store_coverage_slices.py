"""Coverage of days with many slices: campaigns that notifications had pulled again, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import slices
from adweir.model.metrics import Level
from adweir.model.tasks import Stamp
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import around, contains
from adweir.store.metrics.coverage import Coverage

DAY = "2026-11-18"
NAMES = st.sampled_from(["", "all", "ALL", "sp", "SP", "sb", "c1", "c2", "campaign=", "campaign=c1", "Campaign=C2"])
SLICES = st.one_of(NAMES, NAMES.map(slices.of_campaign))


@given(slice_=SLICES, level=st.sampled_from(Level), entity=NAMES, campaign=NAMES, product=NAMES)
def test_an_entity_is_inside_of_the_slices_around_it_and_of_no_other(
    slice_: str, level: Level, entity: str, campaign: str, product: str
) -> None:
    parents = Parents(campaign, "", product)
    assert (slice_ in around(level, entity, parents)) == contains(slice_, level, entity, parents)


def held_ad(_day: str) -> frozenset[str]:
    return frozenset({"a7"})


def no_hole(_day: str) -> frozenset[str]:
    return frozenset()


class Unlisted(dict[str, Any]):
    """A day's slices that can be looked up by name only."""

    def _refuse(self) -> Any:
        raise AssertionError("every slice of the day was looked at")

    __iter__ = items = keys = values = _refuse


@pytest.mark.parametrize("hole", [False, True])
def test_a_thousand_slices_are_not_looked_through_for_one_entity(*, hole: bool) -> None:
    # given a day of which all was pulled, then each of a thousand campaigns again
    coverage = Coverage()
    for number in range(1000):
        stamp = Stamp(f"2026-11-19T00:00:00.{number:06}Z", f"t{number}")
        slice_ = slices.of_campaign(f"c{number}") if number else "all"
        coverage = coverage.merged(stamp, slice_, [DAY], held_ad if hole and number == 7 else no_hole)
    coverage.days = {DAY: Unlisted(coverage.days[DAY])}
    # when it is asked which pull answers for an ad
    about = (DAY, Level.AD, "a7", Parents("c7", "", ""))
    # then only the slices are looked up that the ad can be in
    before, newest = "2026-11-19T00:00:00.000000Z", "2026-11-19T00:00:00.000007Z"
    assert coverage.answer(*about) == (Stamp(before, "t0") if hole else Stamp(newest, "t7"), hole)
    assert coverage.newest(*about) == Stamp(newest, "t7")
    assert coverage.answered(DAY, Level.AD, "a8", Parents("", "", "")) == Stamp(before, "t0")
