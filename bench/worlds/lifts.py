"""Geo experiments: sales by region and day, into which a lift can be planted.

Regions share a country's season, week and shocks, each with a strength of its own; their sizes differ by thirty times.
What a region does by itself lasts days in a settled panel, as what is judged by placebos assumes; in a drifting one it
lasts a month, about as long as the test.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bench.worlds.media import Floats, wandering

REGIONS, HISTORY_DAYS, TEST_DAYS = 60, 182, 28
"""As many regions as a table by region may have."""
SETTLED, DRIFTING = 0.6, 0.97
"""What is left on the next day of what a region did by itself."""
FIRST = date(2026, 1, 5)


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


def geo_panel(seed: int, memory: float = SETTLED) -> GeoPanel:
    """The panel of a seed, without a test in it; equal seeds make equal panels."""
    rng = np.random.default_rng([seed, 40])
    days = HISTORY_DAYS + TEST_DAYS
    at = np.arange(days)
    size = np.exp(rng.uniform(np.log(800), np.log(24_000), REGIONS))[:, None]
    week = 0.12 * rng.normal(size=7)[at % 7]
    season = 0.15 * np.cos(2 * np.pi * (at / 365.25 - rng.uniform(0, 1)))
    shocks = 0.04 * wandering(rng, days, 0.6)
    loading = rng.normal(1.0, 0.25, (REGIONS, 1))
    own = np.stack([0.03 * wandering(rng, days, memory) for _ in range(REGIONS)])
    noise = rng.normal(0, 1, (REGIONS, days)) * 0.06 * np.sqrt(4000 / size)
    sales = size * np.exp(week + season + loading * shocks + own + noise)
    spend = 0.08 * size * np.exp(0.1 * rng.normal(size=(REGIONS, days)) + 0.2 * wandering(rng, days, 0.9))
    return GeoPanel(tuple(f"region_{n:02}" for n in range(REGIONS)), np.round(sales, 2), np.round(spend, 2))
