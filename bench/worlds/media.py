"""Media-mix worlds: a table of KPI, spend and controls by period, and what each channel truly brought.

The KPI of a period is the sum, in dollars, of

    level + trend + season (+ weekday) + promotions + price + hidden demand     the base
    + Σ over channels  effect * saturation(adstock(spend))                      the media
    + noise                                                                     normal, independent

with spend that begins in the world's first period. Its table begins there too, or later where the world is `cut`: then
earlier spend acts into the table. In a well-specified world adstock is geometric (a[t] = spend[t] + carry a[t-1]),
saturation is Hill's with slope 1 or the logistic curve (each in every second world), and everything in the base is
either a smooth line, a yearly or weekly pattern, or a column of the table. `KINDS` names what else there is:

    delayed     five of eight channels act most one to three periods after the spend
    s_shaped    Hill's curve has a slope of 2 to 3.5, so that small spends do next to nothing
    correlated  four channels are planned together: their spends' logs correlate by about .97
    hidden      demand that no column shows moves the KPI and the budgets of five channels alike
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WELL_SPECIFIED = "well_specified"
KINDS = ("delayed", "s_shaped", "correlated", "hidden")
CHANNELS = ("search", "shopping", "social", "video", "display", "tv", "radio", "affiliate")
SLOW = frozenset({"video", "tv", "radio"})
"""Channels whose effect lasts longer."""
FLIGHTED = frozenset({"tv", "radio", "display"})
"""Channels that are off for weeks."""
LEVEL = 1_000_000.0
"""Dollars that a week brings on average; a day brings a seventh."""
MEMORY = 60
"""Periods for which a delayed effect is counted."""
BEFORE = 40
"""Weeks that a cut world has had before its table: of what was spent before them, a millionth still acts."""


@dataclass(frozen=True)
class Cadence:
    """How a world's periods lie, and how much chance there is in them. `noise`: share of the mean KPI, from and to."""

    name: str
    days: int
    periods: int
    noise: tuple[float, float]

    @property
    def level(self) -> float:
        """Dollars that a period brings on average."""
        return LEVEL * self.days / 7

    @property
    def per_year(self) -> float:
        return 365.25 / self.days


WEEKLY = Cadence("weekly", 7, 156, (0.015, 0.035))
DAILY = Cadence("daily", 1, 1096, (0.03, 0.06))


@dataclass
class MediaWorld:
    """A world. `columns`: what the table shows, beside the date; `base`, `noise` and `brought` are the truth, in
    dollars by period. `kpi` is their sum, rounded to cents. `geos` and `population`: an entry per row
    of a table with regions.
    """

    name: str
    kind: str
    cadence: Cadence
    dates: list[date]
    channels: tuple[str, ...]
    controls: tuple[str, ...]
    columns: dict[str, Floats]
    base: Floats
    noise: Floats
    brought: dict[str, Floats]
    facts: dict[str, object] = field(default_factory=dict)
    geos: list[str] = field(default_factory=list)
    population: list[int] = field(default_factory=list)

    @property
    def kpi(self) -> Floats:
        return np.round(self.base + self.noise + sum(self.brought.values(), np.zeros(len(self.dates))), 2)

    def truth(self) -> dict[str, dict[str, float]]:
        """Of each channel, over the whole table: contribution and spend in dollars, return on spend."""
        found = {}
        for name in self.channels:
            brought, spent = float(self.brought[name].sum()), float(self.columns[name].sum())
            found[name] = {"contribution": brought, "spend": spent, "roi": brought / spent if spent else 0.0}
        return found

    def by_geo(self) -> dict[str, dict[str, float]]:
        """Of each channel, what it brought in each region over the whole table, in dollars; none without regions."""
        places = np.array(self.geos)
        return {
            name: {geo: float(self.brought[name][places == geo].sum()) for geo in dict.fromkeys(self.geos)}
            for name in (self.channels if self.geos else ())
        }

    def cut(self, periods: int) -> MediaWorld:
        """The same world from a later period on. What was spent before is not in its table; what it still brings is,
        in the KPI and in what the channels brought.
        """
        kept = np.array(self.dates) >= sorted(set(self.dates))[periods]
        rows = np.flatnonzero(kept)
        return replace(
            self, name=f"{self.name}-running", dates=[self.dates[row] for row in rows],
            columns={name: column[kept] for name, column in self.columns.items()},
            base=self.base[kept], noise=self.noise[kept],
            brought={name: column[kept] for name, column in self.brought.items()},
            geos=[self.geos[row] for row in rows] if self.geos else [],
            population=[self.population[row] for row in rows] if self.geos else [],
        )  # fmt: skip

    def write(self, folder: Path) -> Path:
        """`<name>.csv`, the table, and beside it `<name>.truth.json`. Returns the table's path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            places = ["geo", "population"] if self.geos else []
            writer.writerow(["date", *places, "sales", *self.channels, *self.controls])
            shown = [self.columns[name] for name in (*self.channels, *self.controls)]
            for row, (day, sold) in enumerate(zip(self.dates, self.kpi, strict=True)):
                place = [self.geos[row], self.population[row]] if self.geos else []
                writer.writerow([day.isoformat(), *place, f"{sold:.2f}", *(f"{column[row]:.6g}" for column in shown)])
        told = {
            "world": self.name, "kind": self.kind, "cadence": self.cadence.name, "kpi_total": float(self.kpi.sum()),
            "controls": list(self.controls), "channels": self.truth(), "by_geo": self.by_geo(), "facts": self.facts,
        }  # fmt: skip
        path.with_suffix(".truth.json").write_text(json.dumps(told, indent=1))
        return path


def adstock(spend: Floats, carry: float) -> Floats:
    """Geometric: what of the spend still acts in each period."""
    found = np.empty_like(spend)
    left = 0.0
    for period, spent in enumerate(spend):
        left = spent + carry * left
        found[period] = left
    return found


def delayed(spend: Floats, carry: float, peak: int) -> Floats:
    """Most of a spend acts `peak` periods later: the weights are carry ** (k - peak)²."""
    weights = carry ** ((np.arange(MEMORY) - peak) ** 2.0)
    return np.convolve(spend, weights)[: len(spend)]


def hill(acting: Floats, half: float, slope: float) -> Floats:
    raised: Floats = acting**slope
    shared: Floats = raised / (raised + half**slope)
    return shared


def logistic(acting: Floats, rate: float) -> Floats:
    left: Floats = np.exp(-rate * acting)
    shared: Floats = (1 - left) / (1 + left)
    return shared


def wandering(rng: np.random.Generator, count: int, memory: float) -> Floats:
    """A first-order autoregression with variance 1."""
    steps = rng.normal(size=count) * np.sqrt(1 - memory**2)
    found = np.empty(count)
    now = rng.normal()
    for at, step in enumerate(steps):
        now = memory * now + step
        found[at] = now
    return found


@dataclass(frozen=True)
class Draw:
    """What a world's parts have in common: its chance, its periods, its kind, and demand that nobody sees."""

    rng: np.random.Generator
    cadence: Cadence
    kind: str
    hidden: Floats
    together: Floats

    @property
    def count(self) -> int:
        return self.cadence.periods


def media_world(seed: int, kind: str = WELL_SPECIFIED, cadence: Cadence = WEEKLY) -> MediaWorld:
    """The world of a seed; equal arguments make equal worlds."""
    rng = np.random.default_rng([seed, cadence.days, (WELL_SPECIFIED, *KINDS).index(kind)])
    weeks_long = 0.9 if cadence.days == 7 else 0.985
    strength = 0.12 if kind == "hidden" else 0.0
    draw = Draw(
        rng, cadence, kind,
        hidden=strength * wandering(rng, cadence.periods, weeks_long),
        together=wandering(rng, cadence.periods, 0.7 if cadence.days == 7 else 0.95),
    )  # fmt: skip
    share = rng.uniform(0.25, 0.45)
    parts = np.exp(rng.normal(0, 0.6, len(CHANNELS)))
    shares = dict(zip(CHANNELS, share * parts / parts.sum(), strict=True))
    family = "hill" if seed % 2 == 0 else "logistic"
    columns, brought, facts = {}, {}, {}
    for name in CHANNELS:
        spend = _spend(draw, name, shares[name])
        columns[name] = spend
        brought[name], facts[name] = _response(draw, name, spend, (family, shares[name]))
    base, controls = _base(draw, 1 - share)
    noise_share = rng.uniform(*cadence.noise)
    noise = rng.normal(0, noise_share * cadence.level, cadence.periods)
    first = date(2023, 1, 2)
    return MediaWorld(
        name=f"{cadence.name}-{kind}-{seed}", kind=kind, cadence=cadence,
        dates=[first + timedelta(days=cadence.days * period) for period in range(cadence.periods)],
        channels=CHANNELS, controls=tuple(controls), columns={**columns, **controls}, base=base, noise=noise,
        brought=brought, facts={"noise_share": noise_share, "media_share": share, "channels": facts},
    )  # fmt: skip


def running_world(seed: int, kind: str = WELL_SPECIFIED, cadence: Cadence = WEEKLY) -> MediaWorld:
    """A world whose channels ran for BEFORE periods when its table, as long as any other of the cadence, begins."""
    return media_world(seed, kind, replace(cadence, periods=cadence.periods + BEFORE)).cut(BEFORE)


def _spend(draw: Draw, name: str, share: float) -> Floats:
    """A channel's spend by period, in dollars: budgets that wander, the time of the year, flights, weekdays."""
    rng, cadence, count = draw.rng, draw.cadence, draw.count
    per_week = 7 // cadence.days
    budget = np.repeat(wandering(rng, -(-count // per_week), rng.uniform(0.2, 0.8)), per_week)[:count]
    swing = rng.uniform(0.35, 0.7)
    if draw.kind == "correlated" and name in CHANNELS[:4]:
        budget, swing = 0.985 * draw.together + 0.17 * budget, 0.5
    path = swing * budget + rng.uniform(0, 0.15) * _yearly(draw, 1)
    if draw.kind == "hidden" and name in CHANNELS[:5]:
        path = path + rng.uniform(1.5, 3.0) * draw.hidden
    if cadence.days == 1:
        path = path + 0.12 * rng.normal(size=count) + 0.1 * rng.normal(size=7)[np.arange(count) % 7]
    spend: Floats = np.exp(path)
    if name in FLIGHTED:
        spend = spend * _flights(rng, count, per_week)
    roi = rng.uniform(1.0, 5.0)
    dollars: Floats = np.round(spend / spend.mean() * cadence.level * share / roi, 2)
    return dollars


def _flights(rng: np.random.Generator, count: int, per_week: int) -> Floats:
    """1 where a channel is on: for three to nine weeks, then off for two to seven."""
    found: list[float] = []
    while len(found) < count:
        found += [1.0] * (int(rng.integers(3, 10)) * per_week) + [0.0] * (int(rng.integers(2, 8)) * per_week)
    return np.array(found[:count])


def _response(draw: Draw, name: str, spend: Floats, drawn: tuple[str, float]) -> tuple[Floats, dict[str, object]]:
    """What a channel brings by period, in dollars, and the parameters behind it."""
    rng, (family, share) = draw.rng, drawn
    carry = rng.uniform(0.3, 0.7) if name in SLOW else rng.uniform(0.0, 0.4)
    if draw.cadence.days == 1:
        carry = rng.uniform(0.6, 0.85) if name in SLOW else rng.uniform(0.1, 0.6)
    acting, facts = adstock(spend, carry), {"carry": carry, "family": family, "peak": 0, "slope": 1.0}
    if draw.kind == "delayed" and name in CHANNELS[:5]:
        facts["peak"] = peak = int(rng.integers(1, 4)) * (1 if draw.cadence.days == 7 else 3)
        acting = delayed(spend, rng.uniform(0.5, 0.8), peak)
    usual = float(acting[acting > 0].mean())
    if draw.kind == "s_shaped":
        slope, half = rng.uniform(2.0, 3.5), rng.uniform(0.8, 1.4) * usual
        curve, facts = hill(acting, half, slope), {**facts, "family": "hill", "slope": slope, "half": half}
    elif family == "hill":
        half = rng.uniform(0.5, 2.0) * usual
        curve, facts = hill(acting, half, 1.0), {**facts, "half": half}
    else:
        rate = rng.uniform(0.7, 2.5) / usual
        curve, facts = logistic(acting, rate), {**facts, "rate": rate}
    effect = share * draw.cadence.level / float(curve.mean())
    return effect * curve, {**facts, "effect": effect}


def _yearly(draw: Draw, harmonic: int) -> Floats:
    turn = 2 * np.pi * harmonic * np.arange(draw.count) / draw.cadence.per_year
    return np.asarray(np.cos(turn - draw.rng.uniform(0, 2 * np.pi)))


def _base(draw: Draw, share: float) -> tuple[Floats, dict[str, Floats]]:
    """What would be sold without advertising, in dollars by period, and the columns that the table shows of it."""
    rng, count, level = draw.rng, draw.count, draw.cadence.level
    line = rng.uniform(-0.2, 0.2) * (np.arange(count) / (count - 1) - 0.5)
    season = rng.uniform(0.05, 0.12) * _yearly(draw, 1) + rng.uniform(0.0, 0.04) * _yearly(draw, 2)
    promotion = np.zeros(count)
    length = 1 if draw.cadence.days == 7 else 7
    for _ in range(round(7 * count / draw.cadence.per_year)):
        start = int(rng.integers(0, count))
        promotion[start : start + length] = 1.0
    price = np.round(100 + 4 * wandering(rng, count, 0.8 if draw.cadence.days == 7 else 0.97), 2)
    shown: dict[str, Floats] = {"promotion": promotion, "price_index": price}
    moved = line + season + rng.uniform(0.06, 0.15) * promotion - rng.uniform(0.002, 0.008) * (price - 100)
    if draw.cadence.days == 1:
        moved = moved + 0.1 * rng.normal(size=7)[np.arange(count) % 7]
    return level * share + level * (moved + draw.hidden), shown


def described(world: MediaWorld) -> Mapping[str, object]:
    """What whoever fits the world is told of its table."""
    return {
        "cadence": world.cadence.name, "channels": list(world.channels), "controls": list(world.controls),
        "geo": bool(world.geos), "base": "product" if world.kind.startswith("sandbox") else "sum",
    }  # fmt: skip
