"""What comes again and again in a series: its budget is changed each week, or it does not deliver on some days.

A series remembers its last excursions, runs of values far off on one side. A value that is no farther off than several
of them, in a run that is no longer, is how the series is: nobody has to look, however many deviations it is.
"""

from __future__ import annotations

from typing import NamedTuple

from adweir.insight.anomalies.settings import SeriesSettings

_LEAST_Z = 2.5
"""Deviations from which on a value belongs to an excursion."""
_ALIKE = 0.75
"""Of an excursion's distance: nearly as far counts, since each is a draw."""
_KEPT = 12
"""Excursions that a series remembers."""


class Excursion(NamedTuple):
    """A run of values on one side: the times of the first and last, their number, and the furthest distance with its
    sign, on the scale of the state. `empty`: they were zeros, which are alike however far that is."""

    first: int
    last: int
    length: int
    off: float
    empty: bool


def remembered(
    known: list[Excursion], settings: SeriesSettings, at: int, off: float, z: float, *, empty: bool
) -> list[Excursion]:
    """The excursions with a value learned at `at`: `off` its distance, `z` its deviations."""
    if abs(z) < _LEAST_Z:
        return known
    if known and _goes_on(known[-1], settings, at, off):
        last = known[-1]
        furthest = off if abs(off) > abs(last.off) else last.off
        return [*known[:-1], Excursion(last.first, at, last.length + 1, furthest, last.empty and empty)]
    fresh = [each for each in known if at - each.last <= settings.recurring_for]
    return [*fresh[1 - _KEPT :], Excursion(at, at, 1, off, empty)]


def recurs(known: list[Excursion], settings: SeriesSettings, at: int, off: float, *, empty: bool) -> bool:
    """Whether a value this far off is one of what comes again and again."""
    length, before = 1, known
    if known and _goes_on(known[-1], settings, at, off):
        length, before = known[-1].length + 1, known[:-1]
    alike = (
        each.off * off > 0
        and (each.empty if empty else abs(each.off) >= _ALIKE * abs(off))
        and each.length + settings.recurring_longer >= length
        for each in before
        if at - each.last <= settings.recurring_for
    )
    return sum(alike) >= settings.recurring_from - empty


def _goes_on(last: Excursion, settings: SeriesSettings, at: int, off: float) -> bool:
    return last.off * off > 0 and at - last.last <= settings.step
