"""Series of ad metrics with planted anomalies, in two kinds of worlds that have nothing in common but this file.

`daily`: what analytics of ad accounts look like. The log of a value is a level that drifts (a line, a random walk), a
weekly pattern and a first-order autoregression whose steps are Student's t with five degrees of freedom. Planted are
spikes and drops (the log moves by 3 to 9 standard deviations of that autoregression; below 5 they are `faint`), zeros,
and level shifts of five days. The light group has four events in 420 days, the heavy one twelve and more noise.

`other`: hourly costs per click with a daily pattern, bursts of volatility and gaps in the time stamps (as in Numenta's
benchmark); daily counts near zero; and series that are zero on most days. Their events last one to six rows.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LIGHT, HEAVY = "light", "heavy"
HOURLY, COUNTS, INTERMITTENT = "hourly", "counts", "intermittent"
DAYS, QUIET_DAYS = 420, 35
"""A daily series' length, and the days at its begin in which nothing is planted."""
METRICS = {"spend": (300.0, 2), "impressions": (40_000.0, 0), "clicks": (900.0, 0), "revenue": (1500.0, 2)}
"""A typical day's value, and its decimal places."""
SHIFT_DAYS = 5
FAINT = 5.0
"""Standard deviations below which an event is faint."""
_FIRST = datetime(2025, 1, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Planted:
    """An event: rows `first` to `last`, and by how many standard deviations it moves them (0 for a zero)."""

    kind: str
    first: int
    last: int
    deviations: float

    @property
    def is_faint(self) -> bool:
        return self.kind != "zero" and abs(self.deviations) < FAINT


@dataclass
class Series:
    """Values by row, their time stamps as written, the cycle in rows, and what was planted."""

    name: str
    group: str
    cycle: int
    times: list[str]
    values: Floats
    planted: list[Planted] = field(default_factory=list)
    places: int = 2

    @property
    def years(self) -> float:
        per_day = 24 if self.group == HOURLY else 1
        return len(self.values) / per_day / 365.25

    def write(self, folder: Path) -> Path:
        """`<name>.csv` with the columns time and value, and `<name>.truth.json`. Returns the table's path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", "value"])
            writer.writerows(
                [time, f"{value:.{self.places}f}"] for time, value in zip(self.times, self.values, strict=True)
            )
        truth = {"series": self.name, "group": self.group, "planted": [vars(each) for each in self.planted]}
        path.with_suffix(".truth.json").write_text(json.dumps(truth))
        return path


def daily(seed: int, group: str) -> Series:
    """A series of section 3.2's world; equal arguments make equal series."""
    rng = np.random.default_rng([seed, 32, (LIGHT, HEAVY).index(group)])
    metric = list(METRICS)[seed % len(METRICS)]
    usual, places = METRICS[metric]
    deviation = rng.uniform(0.06, 0.16) if group == LIGHT else rng.uniform(0.12, 0.25)
    noise = _autoregression(rng, DAYS, rng.uniform(0.1, 0.5)) * deviation
    drift = rng.uniform(-0.4, 0.4) * np.arange(DAYS) / DAYS + np.cumsum(rng.normal(0, rng.uniform(0.003, 0.015), DAYS))
    week = rng.normal(0, rng.uniform(0.05, 0.25), 7)
    log = np.log(usual * rng.uniform(0.3, 3.0)) + drift + week[np.arange(DAYS) % 7] + noise
    planted = _planted(rng, 4 if group == LIGHT else 12)
    values = np.exp(log)
    for each in planted:
        rows = slice(each.first, each.last + 1)
        values[rows] = 0.0 if each.kind == "zero" else np.exp(log[rows] + each.deviations * deviation)
    times = [(_FIRST + timedelta(days=n)).date().isoformat() for n in range(DAYS)]
    return Series(f"{group}-{metric}-{seed}", group, 7, times, np.round(values, places), planted, places)


def _autoregression(rng: np.random.Generator, count: int, memory: float) -> Floats:
    """Variance 1; the steps are Student's t with five degrees of freedom."""
    steps = rng.standard_t(5, count + 50) / np.sqrt(5 / 3) * np.sqrt(1 - memory**2)
    found = np.empty(count + 50)
    now = 0.0
    for at, step in enumerate(steps):
        now = memory * now + step
        found[at] = now
    return found[50:]


def _planted(rng: np.random.Generator, count: int) -> list[Planted]:
    """Events in places of their own, at least eleven days apart."""
    found = []
    width = (DAYS - QUIET_DAYS) // count
    for place in range(count):
        first = QUIET_DAYS + place * width + int(rng.integers(0, width - SHIFT_DAYS - 10))
        kind = str(rng.choice(["spike", "drop", "zero", "shift"], p=[0.35, 0.3, 0.15, 0.2]))
        size = float(rng.uniform(3.0, 9.0))
        if kind == "shift":
            sign = 1 if rng.random() < 0.5 else -1
            found.append(Planted(kind, first, first + SHIFT_DAYS - 1, sign * size))
        else:
            found.append(Planted(kind, first, first, {"spike": size, "drop": -size, "zero": 0.0}[kind]))
    return found


def other(seed: int, group: str) -> Series:
    """A series of the second world; equal arguments make equal series."""
    rng = np.random.default_rng([seed, 97, (HOURLY, COUNTS, INTERMITTENT).index(group)])
    return {HOURLY: _hourly, COUNTS: _counts, INTERMITTENT: _intermittent}[group](rng, seed)


def _hourly(rng: np.random.Generator, seed: int) -> Series:
    """Ten weeks of a cost per click. A few hours are missing, some time stamps come twice."""
    count = 24 * 70
    hours = np.arange(count)
    day = 0.3 * np.cos(2 * np.pi * (hours % 24 - rng.uniform(12, 20)) / 24) + 0.1 * rng.normal(size=24)[hours % 24]
    volatile = 1 + 1.5 * (np.sin(2 * np.pi * hours / (24 * rng.uniform(9, 20))) > 0.9)
    deviation = rng.uniform(0.12, 0.3)
    noise = _autoregression(rng, count, rng.uniform(0.0, 0.4)) * deviation * volatile
    log: Floats = np.log(rng.uniform(0.2, 3.0)) + day + np.cumsum(rng.normal(0, 0.004, count)) + noise
    planted = []
    for place in range(5):
        first = 24 * 14 + place * 260 + int(rng.integers(0, 240))
        kind, length = str(rng.choice(["spike", "drop"], p=[0.7, 0.3])), int(rng.integers(1, 7))
        size = rng.uniform(5, 9) * (1 if kind == "spike" else -1)
        planted.append(Planted(kind, first, first + length - 1, float(size)))
        log[first : first + length] += size * deviation
    stamps = [_FIRST + timedelta(hours=int(n)) for n in hours]
    kept = np.ones(count, dtype=bool)
    for _ in range(4):
        start = int(rng.integers(24 * 14, count - 12))
        if not any(each.first - 12 < start < each.last + 12 for each in planted):
            kept[start : start + int(rng.integers(1, 9))] = False
    for at in np.flatnonzero(kept)[1::400]:
        stamps[int(at)] = stamps[int(at) - 1]
    rows = np.cumsum(kept) - 1
    values = np.round(np.exp(log[kept]), 4).astype(np.float64)
    moved = [Planted(each.kind, int(rows[each.first]), int(rows[each.last]), each.deviations) for each in planted]
    times = [stamp.strftime("%Y-%m-%d %H:%M:%S") for stamp, stays in zip(stamps, kept, strict=True) if stays]
    return Series(f"hourly-{seed}", HOURLY, 24, times, values, moved, 4)


def _counts(rng: np.random.Generator, seed: int) -> Series:
    """Conversions a day, half to eight of them, overdispersed. Spikes; where there are enough, days without any."""
    week = np.exp(rng.normal(0, 0.2, 7))[np.arange(DAYS) % 7]
    mean = rng.uniform(0.5, 8.0) * week * np.exp(np.cumsum(rng.normal(0, 0.01, DAYS)))
    shape = rng.uniform(4, 30)
    values = rng.poisson(rng.gamma(shape, mean / shape)).astype(np.float64)
    planted = []
    for each in _planted(rng, 4):
        deviation = float(np.sqrt(mean[each.first] + mean[each.first] ** 2 / shape))
        if each.kind == "zero" and mean[each.first] > 5:
            rows = slice(each.first, each.first + 3)
            values[rows] = 0
            planted.append(Planted("zero", each.first, each.first + 2, 0.0))
        elif each.kind != "zero":
            size = rng.uniform(5, 9)
            values[each.first] = np.ceil(mean[each.first] + size * deviation)
            planted.append(Planted("spike", each.first, each.first, float(size)))
    times = [(_FIRST + timedelta(days=n)).date().isoformat() for n in range(DAYS)]
    return Series(f"counts-{seed}", COUNTS, 7, times, values, planted, 0)


def _intermittent(rng: np.random.Generator, seed: int) -> Series:
    """Spend of a campaign that runs on one day in three to one in eight; odd are days of five times the usual."""
    share, deviation = rng.uniform(0.12, 0.33), rng.uniform(0.15, 0.4)
    runs = rng.random(DAYS) < share
    values = np.where(runs, np.exp(np.log(rng.uniform(20, 200)) + rng.normal(0, deviation, DAYS)), 0.0)
    usual = float(np.median(values[values > 0]))
    planted = []
    for each in _planted(rng, 3):
        size = rng.uniform(5, 9)
        values[each.first] = usual * max(np.exp(size * deviation), 5.0)
        planted.append(Planted("spike", each.first, each.first, float(size)))
    cents = np.round(values, 2).astype(np.float64)
    times = [(_FIRST + timedelta(days=n)).date().isoformat() for n in range(DAYS)]
    return Series(f"intermittent-{seed}", INTERMITTENT, 7, times, cents, planted, 2)
