"""Geo worlds: sales by region and day, for experiments whose lift is planted, and for models that know regions.

Regions share a country's season, week and shocks, each with a strength of its own; their sizes differ by thirty times.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bench.worlds.media import Cadence, Floats, MediaWorld, adstock, hill, wandering

REGIONS, HISTORY_DAYS, TEST_DAYS = 40, 182, 28
FIRST = date(2026, 1, 5)
GEO_WEEKS = 104
GEO_CHANNELS = ("search", "social", "video", "tv")


@dataclass(frozen=True)
class GeoPanel:
    """Sales and spend by region (rows) and day (columns), in dollars: a history, and the days of a test after it."""

    regions: tuple[str, ...]
    sales: Floats
    spend: Floats

    def day(self, number: int) -> date:
        return FIRST + timedelta(days=number)

    def heavy_up(self, treated: Collection[str], lift: float, extra: float) -> tuple[GeoPanel, dict[str, float]]:
        """The same panel after a test: in treated regions sales are up by a share, spend by `extra` times.

        And the truth: incremental sales, incremental spend, their ratio.
        """
        rows = np.array([name in treated for name in self.regions])[:, None]
        tested = np.arange(self.sales.shape[1]) >= HISTORY_DAYS
        more = np.where(rows & tested, self.sales * lift, 0.0)
        spent = np.where(rows & tested, self.spend * extra, 0.0)
        truth = {"sales": float(more.sum()), "spend": float(spent.sum()), "roi": float(more.sum() / spent.sum())}
        return GeoPanel(self.regions, self.sales + more, self.spend + spent), truth

    def write(self, path: Path, days: range) -> Path:
        """Long form, as GeoX reads it: date, location, conversions, spend."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["date", "location", "conversions", "spend"])
            for number in days:
                writer.writerows(
                    [
                        self.day(number).isoformat(),
                        name,
                        f"{self.sales[row, number]:.2f}",
                        f"{self.spend[row, number]:.2f}",
                    ]
                    for row, name in enumerate(self.regions)
                )
        return path


def geo_panel(seed: int) -> GeoPanel:
    """The panel of a seed, without a test in it; equal seeds make equal panels."""
    rng = np.random.default_rng([seed, 40])
    days = HISTORY_DAYS + TEST_DAYS
    at = np.arange(days)
    size = np.exp(rng.uniform(np.log(800), np.log(24_000), REGIONS))[:, None]
    week = 0.12 * rng.normal(size=7)[at % 7]
    season = 0.15 * np.cos(2 * np.pi * (at / 365.25 - rng.uniform(0, 1)))
    shocks = 0.04 * wandering(rng, days, 0.6)
    loading = rng.normal(1.0, 0.25, (REGIONS, 1))
    own = np.stack([0.03 * wandering(rng, days, 0.97) for _ in range(REGIONS)])
    noise = rng.normal(0, 1, (REGIONS, days)) * 0.06 * np.sqrt(4000 / size)
    sales = size * np.exp(week + season + loading * shocks + own + noise)
    spend = 0.08 * size * np.exp(0.1 * rng.normal(size=(REGIONS, days)) + 0.2 * wandering(rng, days, 0.9))
    return GeoPanel(tuple(f"region_{n:02}" for n in range(REGIONS)), np.round(sales, 2), np.round(spend, 2))


def geo_world(seed: int) -> MediaWorld:
    """A weekly media-mix world of eight regions and four channels: all respond alike per head."""
    rng = np.random.default_rng([seed, 41])
    regions = [f"region_{n}" for n in range(8)]
    people = [int(each) for each in np.round(np.exp(rng.uniform(np.log(2e5), np.log(8e6), len(regions))), -3)]
    weeks = np.arange(GEO_WEEKS)
    season = 0.1 * np.cos(2 * np.pi * (weeks / 52.18 - rng.uniform(0, 1)))
    promotion = (rng.random(GEO_WEEKS) < 0.12).astype(np.float64)
    columns: dict[str, list[Floats]] = {name: [] for name in (*GEO_CHANNELS, "promotion")}
    brought: dict[str, list[Floats]] = {name: [] for name in GEO_CHANNELS}
    base, noise = [], []
    shape = {name: (rng.uniform(0.1, 0.6), rng.uniform(0.5, 2.0), rng.uniform(0.05, 0.15)) for name in GEO_CHANNELS}
    together = {name: wandering(rng, GEO_WEEKS, 0.6) for name in GEO_CHANNELS}
    for head in people:
        for name, (carry, half, share) in shape.items():
            own = wandering(rng, GEO_WEEKS, 0.5)
            per_head = share / 3 * np.exp(0.35 * together[name] + 0.35 * own)
            spend = np.round(per_head * head, 2)
            curve = hill(adstock(spend / head, carry), half * share / 3 / (1 - carry), 1.0)
            columns[name].append(spend)
            brought[name].append(head * share * (1 + half) * curve)
        columns["promotion"].append(promotion)
        base.append(head * rng.uniform(0.5, 0.7) * (1 + season + 0.1 * promotion + 0.001 * weeks))
        noise.append(head * rng.normal(0, 0.03, GEO_WEEKS))
    dates = [date(2024, 1, 1) + timedelta(days=7 * int(week)) for week in weeks]
    return MediaWorld(
        name=f"geo-{seed}", kind="geo", cadence=Cadence("weekly", 7, GEO_WEEKS, (0.03, 0.03)),
        dates=dates * len(regions), channels=GEO_CHANNELS, controls=("promotion",),
        columns={name: np.concatenate(parts) for name, parts in columns.items()},
        base=np.concatenate(base), noise=np.concatenate(noise),
        brought={name: np.concatenate(parts) for name, parts in brought.items()},
        facts={"channels": {name: {"carry": c, "half": h, "slope": 1.0} for name, (c, h, _) in shape.items()}},
        geos=[name for name in regions for _ in weeks], population=[head for head in people for _ in weeks],
    )  # fmt: skip
