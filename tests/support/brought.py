"""Pulls of ads and of account totals, as Hypothesis draws them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from adweir.model.metrics import Level
from support.metric_store import PARENTS, Brought

DECIDED_DAYS = ["2026-10-31", "2026-11-01", "2026-11-02"]


@st.composite
def _brought(draw: st.DrawFn, number: int) -> Brought:
    """A pull of ads, whole or a slice, complete or not, with quarantined rows; or one of account totals."""
    first = draw(st.integers(0, 2))
    last = draw(st.integers(first, 2))
    days = DECIDED_DAYS[first : last + 1]
    if draw(st.integers(0, 2)) == 0:
        totals = {("p1", day): draw(st.integers(0, 8)) * 10 for day in days}
        return Brought(number, (days[0], days[-1]), totals, level=Level.ACCOUNT)
    slice_ = draw(st.sampled_from(["all", "all", "all", "sp", "campaign=c1"]))
    complete = draw(st.integers(0, 4)) > 0
    load = Brought(number, (days[0], days[-1]), {}, slice=slice_, complete=complete, has_totals=True)
    keys = [(entity, day) for entity in PARENTS if load.inside(entity) for day in days]
    fates = draw(st.lists(st.integers(0, 7), min_size=len(keys), max_size=len(keys)))
    values = {key: fate * 10 for key, fate in zip(keys, fates, strict=True) if 0 < fate < 4}
    bad = frozenset(key for key, fate in zip(keys, fates, strict=True) if fate == 4)
    return replace(load, values=values, bad=bad)


level_and_totals = st.integers(1, 7).flatmap(lambda n: st.tuples(*(_brought(number) for number in range(n))))
"""Some pulls, in the order of their stamps."""
