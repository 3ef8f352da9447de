"""Media mix by region: a table with a row per region and week, a column of people, and what each channel truly brought.

Search, social and video are planned by region, tv for the whole country: the same dollars per person everywhere. Each
region has a level and prices of its own; promotions run everywhere at once.

    geo         a person answers to a dollar spent for that person alike everywhere, and season and trend are the
                country's: what models of regions commonly assume
    geo_unlike  some regions answer more than others (by about a quarter, each channel for itself), and each region
                has a season and a trend of its own
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from bench.worlds.media import BEFORE, Cadence, Floats, MediaWorld, adstock, hill, wandering

ALIKE, UNLIKE = "geo", "geo_unlike"
RUNNING_REGIONS = "geo_running"
"""The worlds of ALIKE, whose channels ran before the table begins."""
CHANNELS = ("search", "social", "video", "tv")
NATIONAL = "tv"
CARRY = {"search": (0.0, 0.3), "social": (0.1, 0.4), "video": (0.3, 0.6), "tv": (0.4, 0.7)}
REGIONS, WEEKS = 8, 104
UNLIKE_BY = 0.25
"""Standard deviation of the log of a region's answer."""
NOISE = (0.02, 0.04)
"""Share of a region's sales, from and to."""


@dataclass(frozen=True)
class Shape:
    """A channel's response in dollars per person. `most`: with endless spend; `half`: where half of that is reached."""

    most: float
    half: float
    carry: float
    spend: float

    def brought(self, spend: Floats) -> Floats:
        """Dollars per person and week."""
        return self.most * hill(adstock(spend, self.carry), self.half, 1.0)


def region_world(seed: int, kind: str = ALIKE, weeks: int = WEEKS) -> MediaWorld:
    """The world of a seed; equal arguments make equal worlds."""
    rng = np.random.default_rng([seed, 8, (ALIKE, UNLIKE).index(kind)])
    regions = [f"region_{number}" for number in range(REGIONS)]
    people = [int(each) for each in np.round(np.exp(rng.uniform(np.log(2e5), np.log(8e6), REGIONS)), -3)]
    shapes = {name: _shape(rng, name) for name in CHANNELS}
    country = {name: wandering(rng, weeks, 0.6) for name in CHANNELS}
    promotion = (rng.random(weeks) < 0.12).astype(np.float64)
    noise_share, year = rng.uniform(*NOISE), rng.uniform(0, 1)
    common = _moves(rng, weeks, year)
    columns: dict[str, list[Floats]] = {name: [] for name in (*CHANNELS, "promotion", "price_index")}
    brought: dict[str, list[Floats]] = {name: [] for name in CHANNELS}
    base, noise = [], []
    for heads in people:
        for name, shape in shapes.items():
            path = 0.5 * country[name] if name == NATIONAL else 0.3 * country[name] + 0.4 * wandering(rng, weeks, 0.5)
            spend = np.round(shape.spend * np.exp(path) * heads, 2)
            answer = np.exp(UNLIKE_BY * rng.normal()) if kind == UNLIKE else 1.0
            columns[name].append(spend)
            brought[name].append(heads * answer * shape.brought(spend / heads))
        price = np.round(100 + 4 * wandering(rng, weeks, 0.8), 2)
        columns["promotion"].append(promotion)
        columns["price_index"].append(price)
        moves = _moves(rng, weeks, year) if kind == UNLIKE else common
        base.append(heads * rng.uniform(0.5, 0.7) * (1 + moves + 0.1 * promotion - 0.004 * (price - 100)))
        noise.append(heads * noise_share * rng.normal(size=weeks))
    dates = [date(2024, 1, 1) + timedelta(days=7 * week) for week in range(weeks)]
    return MediaWorld(
        name=f"{kind}-{seed}", kind=kind, cadence=Cadence("weekly", 7, weeks, NOISE), dates=dates * REGIONS,
        channels=CHANNELS, controls=("promotion", "price_index"),
        columns={name: np.concatenate(parts) for name, parts in columns.items()},
        base=np.concatenate(base), noise=np.concatenate(noise),
        brought={name: np.concatenate(parts) for name, parts in brought.items()},
        facts={"noise_share": noise_share, "channels": {name: vars(shape) for name, shape in shapes.items()}},
        geos=[name for name in regions for _ in range(weeks)], population=[heads for heads in people for _ in dates],
    )  # fmt: skip


def running_regions(seed: int) -> MediaWorld:
    """A world whose regions respond alike, and whose channels ran for BEFORE weeks when its table begins."""
    return region_world(seed, weeks=WEEKS + BEFORE).cut(BEFORE)


def _shape(rng: np.random.Generator, name: str) -> Shape:
    """A channel brings 5 to 15 cents per person and week, of a dollar in all, and costs about a third of that."""
    usual, carry = rng.uniform(0.05, 0.15), rng.uniform(*CARRY[name])
    spend, half = usual / rng.uniform(1.5, 4.5), rng.uniform(0.5, 2.0)
    return Shape(most=usual * (1 + half), half=half * spend / (1 - carry), carry=carry, spend=spend)


def _moves(rng: np.random.Generator, weeks: int, year: float) -> Floats:
    """Season and trend, as a share of the level; `year`: when it peaks."""
    at = np.arange(weeks)
    season = rng.uniform(0.05, 0.12) * np.cos(2 * np.pi * (at / 52.18 - year - rng.normal(0, 0.03)))
    moves: Floats = season + rng.uniform(-0.1, 0.15) * (at / (weeks - 1) - 0.5)
    return moves
