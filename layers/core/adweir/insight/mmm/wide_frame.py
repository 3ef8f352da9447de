"""A wide table → what is fitted (`fit.frame.MixFrame`), with the experiments that its rows can use.

What a fit cannot use is left out with a warning: a column that never changes in any region, an experiment that says too
little or that lies outside the table. What is wrong with the rest, `MixFrame.checked` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.frame import Floats, LiftTest, MixFrame, fault_of, spent_in
from adweir.insight.mmm.regions import plain
from adweir.insight.mmm.wide import Wide
from adweir.model import limits

CONFIDENCE = 0.9
"""Of the intervals of an experiment that does not say: the level that a fit wants."""
_LEAST_CONFIDENCE = 0.01
"""Below it an interval says nothing, and nearly none has no width at all to be made wider."""


class WideFrame(NamedTuple):
    """What is fitted, and what was left out of it and why."""

    frame: MixFrame
    warnings: tuple[str, ...]


class _Unusable(Exception):
    """Why an experiment cannot be used, in words that whoever dropped it can act on."""


def framed(wide: Wide, lift_tests: Sequence[Mapping[str, str]] = (), currency: str = "", kpi: str = "") -> WideFrame:
    """The frame of a table that passed its gates. `kpi`: `conversions` or `revenue`; by default the table's target.

    `lift_tests` are rows of the data type `lift_tests` as the manifest has them; `currency` is the dataset's. Spend
    acts in the fit; impressions are not used. Media without spend are held as controls.
    """
    kpi = kpi or wide.target
    warnings: list[str] = []
    channels = _changing(wide, {name: f"{name}_spend" for name in wide.channels}, warnings)
    held = {name: name for name in (*wide.controls, *(f"organic_{name}_impressions" for name in wide.organic))}
    controls = _changing(wide, held, warnings)
    people = wide.columns.get("population")
    frame = MixFrame(
        dates=tuple(map(date.fromisoformat, wide.times)),
        kpi=_grid(wide, kpi),
        channels=tuple(channels),
        spend=_stack(wide, channels),
        control_names=tuple(controls),
        controls=_stack(wide, controls),
        geos=tuple(wide.geos) or ("",),
        population=None if people is None else _floats(people[:: len(wide.times)]),
        kpi_value=_worth(wide, kpi),
    )
    return WideFrame(_with_tests(frame, lift_tests, currency, kpi, warnings), tuple(warnings))


def _floats(values: Sequence[Decimal]) -> Floats:
    return np.array(values, dtype=np.float64)


def _grid(wide: Wide, column: str) -> Floats:
    """(G, T)"""
    return _floats(wide.columns[column]).reshape(-1, len(wide.times))


def _stack(wide: Wide, columns: Mapping[str, str]) -> Floats:
    """(columns, G, T)"""
    found = [_grid(wide, column) for column in columns.values()]
    return np.array(found).reshape(len(found), max(1, len(wide.geos)), len(wide.times))


def _changing(wide: Wide, columns: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    """Those that change over time in some region: what only differs between regions explains nothing in a fit."""
    kept = {name: column for name, column in columns.items() if np.ptp(_grid(wide, column), axis=1).any()}
    warnings += [
        f"{column} never changes over time: it is not in the fit"
        for name, column in columns.items()
        if name not in kept
    ]
    return kept


def _worth(wide: Wide, kpi: str) -> float:
    """What a conversion is worth where revenue is known, else 1: a return is then conversions per unit of spend."""
    if kpi != "conversions" or "revenue" not in wide.columns:
        return 1.0
    worth = sum(wide.columns["revenue"], Decimal(0)) / (sum(wide.columns[kpi], Decimal(0)) or 1)
    return float(worth) if worth > 0 else 1.0


def _with_tests(
    frame: MixFrame, rows: Sequence[Mapping[str, str]], currency: str, kpi: str, warnings: list[str]
) -> MixFrame:
    """The frame with those experiments that it can use."""
    usable, refused = [], []
    for row in rows:
        try:
            usable.append(_lift_test(frame, row, currency, kpi))
        except _Unusable as why:
            refused.append(f"the experiment {row.get('test_id', '')[:60]} is not used: {why}")
    warnings += refused[: limits.MAX_NAMED_LIFT_TESTS]
    if more := refused[limits.MAX_NAMED_LIFT_TESTS :]:
        warnings.append(f"further experiments that are not used: {len(more)}")
    if len(usable) > limits.MAX_LIFT_TESTS:
        warnings.append(
            f"{len(usable)} experiments fit this table: the {limits.MAX_LIFT_TESTS} that ended last are used"
        )
        by_end = sorted(range(len(usable)), key=lambda place: usable[place].last)
        usable = [usable[place] for place in sorted(by_end[-limits.MAX_LIFT_TESTS :])]
    return replace(frame, lift_tests=tuple(usable))


def _lift_test(frame: MixFrame, row: Mapping[str, str], currency: str, kpi: str) -> LiftTest:
    """An experiment in the units of the frame. Raises _Unusable."""
    said = row.get("currency", "").strip().upper()
    if said and currency and said != currency:
        raise _Unusable(f"its money is in {said}, the dataset's in {currency}")
    first, last = _days(frame, row)
    effect, low, high = _effect(row, kpi)
    geos = _geos(frame, row.get("geo", ""))
    test = LiftTest(_channel(frame, row), first, last, 0.0, effect, low, high, geos)
    if row.get("spend"):
        test = replace(test, spend=_number(row, "spend"))
    elif row.get("campaign_id"):
        raise _Unusable("it tested a campaign, and does not say its spend")
    else:
        test = replace(test, spend=spent_in(frame, test))
        if not test.spend:
            raise _Unusable(f"{test.channel} spent nothing in its window")
    if fault := fault_of(frame, test):
        raise _Unusable(fault)
    return test


def _days(frame: MixFrame, row: Mapping[str, str]) -> tuple[date, date]:
    """Its window; the last day may lie anywhere in the table's last period."""
    first, last = (date.fromisoformat(row[name][:10]) for name in ("start_date", "end_date"))
    end = frame.dates[-1] + timedelta(days=frame.step - 1)
    if last < first:
        raise _Unusable(f"it ends on {last}, before it begins on {first}")
    if first < frame.dates[0] or last > end:
        raise _Unusable(f"{first} to {last} does not lie within the table's days, {frame.dates[0]} to {end}")
    return min(first, frame.dates[-1]), min(last, frame.dates[-1])


def _channel(frame: MixFrame, row: Mapping[str, str]) -> str:
    """By its channel's name, else its platform where that is a channel."""
    names = {plain(name): name for name in frame.channels}
    said = row.get("channel") or row.get("platform") or ""
    found = names.get(plain(said)) or names.get(plain(said.replace(" ", "_")))
    if not said:
        raise _Unusable(f"it names no channel; those of the table are {', '.join(frame.channels)}")
    if found is None:
        raise _Unusable(f"{said[:60]!r} is none of the table's channels: {', '.join(frame.channels)}")
    return found


def _geos(frame: MixFrame, said: str) -> tuple[str, ...]:
    """Its regions: one, or several with `;` between them. None: everywhere."""
    known = {plain(geo): geo for geo in frame.geos if geo}
    asked = [plain(said)] if plain(said) in known else [plain(one) for one in said.split(";") if one.strip()]
    if asked and not known:
        raise _Unusable(
            f"it ran in {said[:60]} alone, and this table has no regions: what it says of the whole country goes into "
            "an experiment without geo"
        )
    unknown = [geo for geo in asked if geo not in known]
    if unknown:
        raise _Unusable(f"{unknown[0][:60]!r} is none of the table's regions")
    return tuple(known[geo] for geo in asked)


def _effect(row: Mapping[str, str], kpi: str) -> tuple[float, float, float]:
    """Effect, low and high, the ends moved to those of a 90 % interval as a normal distribution has them."""
    name = f"incremental_{kpi}"
    if not row.get(name):
        raise _Unusable(f"it does not say {name}, and the fit explains {kpi}")
    if not (row.get(f"{name}_lower") and row.get(f"{name}_upper")):
        raise _Unusable(f"it has no interval: give {name}_lower and {name}_upper")
    effect, low, high = (_number(row, f"{name}{end}") for end in ("", "_lower", "_upper"))
    level = _number(row, "confidence") if row.get("confidence") else CONFIDENCE
    if not _LEAST_CONFIDENCE <= level < 1:
        raise _Unusable(f"its confidence is {level:g}: give a fraction from {_LEAST_CONFIDENCE}, such as 0.9")
    normal = NormalDist()
    wider = normal.inv_cdf(0.5 + CONFIDENCE / 2) / normal.inv_cdf(0.5 + level / 2)
    return effect, effect - (effect - low) * wider, effect + (high - effect) * wider


def _number(row: Mapping[str, str], name: str) -> float:
    try:
        return float(Decimal(row[name]))
    except InvalidOperation:
        raise _Unusable(f"{name} is {row[name][:40]!r}, which is no number") from None
