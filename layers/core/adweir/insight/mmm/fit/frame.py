"""What a media-mix model is fitted to. It knows nothing of where the numbers come from.

Numbers are floats here, of whole units (dollars, not micros): they are statistics, and none is stored as money.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adweir.model import limits
from adweir.model.errors import BadInput

Floats = NDArray[np.float64]

FORM = 4
"""The version of the method: part of the hash of what is fitted, so that a new one has everything fitted anew."""
LEAST_PERIODS = 26
"""With fewer there is nothing to tell a channel from the season, whatever the prior says."""

_CLOSE = 1.01
"""By how much a test's spend may be more than the channel's in its window: two reports of one thing differ."""
_NARROWEST = 0.001
"""Of its effect: an interval narrower than that would bind a fit to one number, and is a mistake."""


@dataclass(frozen=True, slots=True)
class LiftTest:
    """What an experiment says about a channel: without `spend` of what the channel spent from `first` to `last`, the
    KPI would have been lower by `effect`, in all and with what comes later. [`low`, `high`] is its 90 % interval.

    `spend` is in the units of the frame's spend; an experiment that stopped the channel has all of the window's.
    `geos`: where it ran; empty: everywhere.
    """

    channel: str
    first: date
    last: date
    spend: float
    effect: float
    low: float
    high: float
    geos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MixFrame:
    """A model's input: G geos (one without a name is the whole country), T periods, C channels, K controls.

    `dates`: the first day of each period, ascending, 1 or 7 days apart. `kpi`: (G, T). `spend`: (C, G, T); a channel
    that is 0 throughout brought nothing. `media`: what acts in place of spend, such as impressions; same shape.
    `controls`: (K, G, T). `population`: (G,), needed for several geos. `kpi_value`: what a unit of the KPI is worth in
    the spend's currency; 1 where the KPI is revenue.
    """

    dates: tuple[date, ...]
    kpi: Floats
    channels: tuple[str, ...]
    spend: Floats
    control_names: tuple[str, ...] = ()
    controls: Floats | None = None
    media: Floats | None = None
    geos: tuple[str, ...] = ("",)
    population: Floats | None = None
    lift_tests: tuple[LiftTest, ...] = ()
    kpi_value: float = 1.0

    @property
    def step(self) -> int:
        """Days per period: 1 or 7."""
        return (self.dates[1] - self.dates[0]).days

    @property
    def acting(self) -> Floats:
        """(C, G, T): what the KPI responds to."""
        return self.spend if self.media is None else self.media

    @property
    def held(self) -> Floats:
        """(K, G, T): the controls; K may be 0."""
        return np.zeros((0, *self.kpi.shape)) if self.controls is None else self.controls

    def where(self, geo: int, at: int) -> str:
        """Of which day and geo a row is."""
        return f"{self.dates[at]}" + (f" in {self.geos[geo]}" if self.geos[geo] else "")

    def checked(self) -> MixFrame:
        """The frame itself. Raises BadInput with all that is wrong with it, and what to do about it."""
        faults = [*_sizes(self)] or [*_times(self), *_numbers(self), *_tests(self)]
        if faults:
            raise BadInput.listing("this cannot be fitted", faults)
        return self

    def hashed(self) -> str:
        """A short text that differs where anything does that the fit depends on, the method's version with it."""
        names = (self.channels, self.control_names, self.geos)
        tests = [[str(value) for value in _plain(test)] for test in self.lift_tests]
        about = [FORM, [day.isoformat() for day in self.dates], names, tests, repr(float(self.kpi_value))]
        digest = hashlib.sha256(json.dumps(about).encode())
        for array in (self.kpi, self.spend, self.media, self.held, self.population):
            digest.update(b"-" if array is None else np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()[:24]


def _plain(test: LiftTest) -> tuple[Any, ...]:
    return (test.channel, test.first, test.last, test.spend, test.effect, test.low, test.high, *test.geos)


def _fault(field: str, message: str) -> dict[str, str]:
    return {"field": field, "message": message}


def _sizes(frame: MixFrame) -> Iterator[dict[str, str]]:
    counts = (
        ("channels", len(frame.channels), limits.MAX_MIX_CHANNELS),
        ("controls", len(frame.control_names), limits.MAX_MIX_CONTROLS),
        ("dates", len(frame.dates), limits.MAX_MIX_PERIODS),
        ("geos", len(frame.geos), limits.MAX_MIX_GEOS),
        ("rows", len(frame.dates) * len(frame.geos), limits.MAX_MIX_ROWS),
        ("lift_tests", len(frame.lift_tests), limits.MAX_LIFT_TESTS),
    )
    for name, count, most in counts:
        if count > most:
            yield _fault(name, f"{count} are too many: at most {most}")
    if not frame.channels:
        yield _fault("channels", "there is none: name at least one column of spend")
    if len(frame.dates) < LEAST_PERIODS:
        yield _fault("dates", f"{len(frame.dates)} periods are too few: a fit needs {LEAST_PERIODS} at least")
    for name, names in (("channels", frame.channels), ("controls", frame.control_names), ("geos", frame.geos)):
        if len(set(names)) < len(names):
            yield _fault(name, f"{_first_repeated(names)!r} is there twice")
    grid = (len(frame.geos), len(frame.dates))
    shapes = (
        ("kpi", frame.kpi, grid),
        ("spend", frame.spend, (len(frame.channels), *grid)),
        ("media", frame.media, (len(frame.channels), *grid)),
        ("controls", frame.held, (len(frame.control_names), *grid)),
        ("population", frame.population, grid[:1]),
    )
    for name, array, shape in shapes:
        if array is not None and array.shape != shape:
            yield _fault(name, f"its shape is {array.shape} and should be {shape}")


def _first_repeated(names: Sequence[str]) -> str:
    return next(name for place, name in enumerate(names) if name in names[:place])


def _times(frame: MixFrame) -> Iterator[dict[str, str]]:
    steps = [later - earlier for earlier, later in pairwise(frame.dates)]
    if steps[0] not in (timedelta(days=1), timedelta(days=7)):
        yield _fault("dates", f"the first two are {steps[0].days} days apart: periods are days or weeks")
    elif any(step != steps[0] for step in steps):
        place = next(place for place, step in enumerate(steps) if step != steps[0])
        before, after = frame.dates[place : place + 2]
        wrong = "a gap" if after > before + steps[0] else "not one period apart"
        yield _fault(
            "dates", f"{before} is followed by {after}: {wrong}; each period needs a row, with 0 where nothing ran"
        )


def _numbers(frame: MixFrame) -> Iterator[dict[str, str]]:
    parts = [("kpi", frame.kpi), *zip(frame.channels, frame.spend, strict=True)]
    if frame.media is not None:
        parts += [(f"media of {name}", values) for name, values in zip(frame.channels, frame.media, strict=True)]
    parts += [*zip(frame.control_names, frame.held, strict=True)]
    for place, (name, values) in enumerate(parts):
        signed = place >= len(parts) - len(frame.control_names)
        if not np.isfinite(values).all():
            geo, at = np.argwhere(~np.isfinite(values))[0]
            yield _fault(name, f"no number on {frame.where(geo, at)}: fill it in, with 0 where nothing ran")
        elif not signed and (values < 0).any():
            geo, at = np.argwhere(values < 0)[0]
            yield _fault(name, f"negative on {frame.where(geo, at)}: {values[geo, at]:g}; it has to be 0 or more")
        elif _is_constant(values) and (signed or place == 0 or values.any()):
            done = "choose another KPI" if place == 0 else "leave it out"
            yield _fault(name, f"it never changes, so nothing can be learned from it: {done}")
    if not frame.acting.any():
        yield _fault("channels", "none of them spent anything")
    if frame.population is None and len(frame.geos) > 1:
        yield _fault("population", "several geos need the people of each")
    elif frame.population is not None and not (np.isfinite(frame.population) & (frame.population > 0)).all():
        yield _fault("population", "each geo needs a number above 0")
    if not (np.isfinite(frame.kpi_value) and frame.kpi_value > 0):
        yield _fault("kpi_value", "needs a number above 0")


def _is_constant(values: Floats) -> bool:
    """In each geo: what only differs between geos is no variation in time."""
    return bool((np.ptp(values, axis=1) == 0).all())


def _tests(frame: MixFrame) -> Iterator[dict[str, str]]:
    for place, test in enumerate(frame.lift_tests):
        if fault := fault_of(frame, test):
            yield _fault(f"lift_tests[{place}]", fault)


def fault_of(frame: MixFrame, test: LiftTest) -> str:
    """Why an experiment cannot calibrate this frame; empty where it can."""
    return next(_faults_of(frame, test), "")


def _faults_of(frame: MixFrame, test: LiftTest) -> Iterator[str]:
    if test.channel not in frame.channels:
        yield f"{test.channel!r} is not one of the channels: {', '.join(frame.channels)}"
    elif unknown := sorted(set(test.geos) - set(frame.geos)):
        yield f"{unknown[0]!r} is not one of the geos"
    elif test.last < test.first or test.first < frame.dates[0] or test.last > frame.dates[-1]:
        yield f"{test.first} to {test.last} does not lie within {frame.dates[0]} to {frame.dates[-1]}"
    elif not (0 < test.spend < np.inf and np.isfinite([test.low, test.high]).all()):
        yield "needs a spend above 0, and an effect with a low and a high end"
    elif not test.low <= test.effect <= test.high or test.low == test.high:
        yield f"the effect {test.effect:g} does not lie between {test.low:g} and {test.high:g}"
    elif test.high - test.low < _NARROWEST * abs(test.effect):
        yield f"{test.low:g} to {test.high:g} is narrower than 0.1 % of the effect: no experiment is that sure"
    elif test.spend > (there := spent_in(frame, test)) * _CLOSE:
        yield f"{test.channel} spent {there:g} in its window, which is less than {test.spend:g}"


def spent_in(frame: MixFrame, test: LiftTest) -> float:
    """What the channel spent in the test's window and geos. A period counts when its first day lies in the window."""
    places = in_window(frame, test)
    geos = [frame.geos.index(geo) for geo in test.geos] or list(range(len(frame.geos)))
    return float(frame.spend[frame.channels.index(test.channel)][np.ix_(geos, places)].sum())


def in_window(frame: MixFrame, test: LiftTest) -> list[int]:
    """The periods of which a day lies in the test's window."""
    return [
        place
        for place, day in enumerate(frame.dates)
        if day <= test.last and day + timedelta(days=frame.step) > test.first
    ]
