"""Insights by age, gender, place, device and placement: what may be asked together, and how rows are cut.

Each ad-day (or ad-hour) is cut into all cells of a grid, and cells are added to what was asked for. So the rows of a
breakdown sum to the row that they break down, at every level, and `age` is the sum of `age,gender`. Places are those of
the world (`located`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

from sandbox.platforms.meta.errors import GraphError
from sandbox.platforms.meta.geography import MARKETS, REGIONS, UNKNOWN
from sandbox.platforms.meta.vocabulary import INSIGHTS, each_of
from sandbox.world import WorldProfile, WorldRow
from sandbox.world.draw import mix
from sandbox.world.located import located
from sandbox.world.numbers import split

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
AUDIENCE_HOURLY = "hourly_stats_aggregated_by_audience_time_zone"
HOURS = frozenset({HOURLY, AUDIENCE_HOURLY})
NO_OFF_META = frozenset({"region", "dma", "comscore_market", *HOURS})
"""Off-Meta actions are not returned with these (Insights API Breakdowns, Type 1)."""

Cell = tuple[tuple[str, str], ...]
"""(breakdown, value) in the order of the grid."""

_COMBINATIONS = frozenset(
    frozenset(words.split())
    for words in (
        "age", "gender", "age gender", "country", "region", "dma", "comscore_market", "product_id", "device_platform",
        "frequency_value",
        "impression_device", "publisher_platform", "publisher_platform impression_device",
        "publisher_platform platform_position", "publisher_platform platform_position impression_device",
        "publisher_platform device_platform", "publisher_platform platform_position device_platform",
        "app_id skan_conversion_id", HOURLY, AUDIENCE_HOURLY,
    )
)  # fmt: skip
"""Combining Breakdowns. `device_platform` with placements, and `impression_device` alone, are older rows of it."""

_AGES = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
_GENDERS = ("female", "male", "unknown")
_PLACEMENTS = (
    ("facebook", "feed"),
    ("facebook", "facebook_reels"),
    ("facebook", "marketplace"),
    ("instagram", "feed"),
    ("instagram", "instagram_stories"),
    ("instagram", "instagram_reels"),
    ("audience_network", "an_classic"),
    ("messenger", "messenger_inbox"),
)
_DEVICES = (
    ("iphone", "mobile_app"),
    ("android_smartphone", "mobile_app"),
    ("ipad", "mobile_web"),
    ("desktop", "desktop"),
)
_MOST_CUT = 2000
"""Ads by breakdown whose cells are kept."""
_PLACES = frozenset({"country", "region", "dma", "comscore_market"})


def checked_breakdowns(asked: Sequence[str]) -> tuple[str, ...]:
    """The breakdowns. Raises Meta's error 100 for a name that is none, and for what cannot be combined."""
    each_of("breakdowns", list(asked), INSIGHTS["breakdowns"])
    alone = len(asked) == 1
    if asked and not alone and frozenset(asked) not in _COMBINATIONS:
        message = f"(#100) Current combination of data breakdown columns ({', '.join(asked)}) is invalid"
        raise GraphError(message, 100, subcode=1487534)
    return tuple(asked)


def cells(profile: WorldProfile, row: WorldRow, asked: Sequence[str]) -> Iterator[tuple[Cell, WorldRow]]:
    """The row's parts that are not zero, with the asked-for values.

    A breakdown that no ad here has anything in (assets, SKAdNetwork, catalogues) has no rows.
    """
    if asked and _PLACES.issuperset(asked):
        for where, part in located(profile, row.numbers):
            market = MARKETS.get(where.region, UNKNOWN)
            values = {"country": where.country, "region": REGIONS.get(where.region, UNKNOWN)}
            values |= {"dma": market, "comscore_market": market}
            yield tuple((name, values[name]) for name in asked), row._replace(numbers=part)
        return
    found, weights = _asked_of(tuple(asked), row.ad.seed if row.ad else 0)
    for cell, part in zip(found, split(row.numbers, weights) if found else (), strict=True):
        if not part.is_zero:
            yield cell, row._replace(numbers=part)


@lru_cache(_MOST_CUT)
def _asked_of(asked: tuple[str, ...], seed: int) -> tuple[list[Cell], list[int]]:
    """The asked-for values of each cell of the grid that has them, and the cells' weights for an ad."""
    for names, keys, usual in _grids():
        if set(asked) <= set(names):
            named = (zip(names, key, strict=True) for key in keys)
            found = [tuple((name, value) for name, value in cell if name in asked) for cell in named]
            return found, [w * (60 + mix(seed, 940_000 + at) % 80) for at, w in enumerate(usual)]
    return [], []


def _grids() -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]], list[int]]]:
    """Names of the dimensions, the cells' values, and their usual weights."""
    people: list[tuple[str, ...]] = list(product(_AGES, _GENDERS))
    yield ("age", "gender"), people, [(3 + at // 3 % 4) * (30, 20, 1)[at % 3] for at in range(len(people))]
    where: list[tuple[str, ...]] = [(*placement, *device) for placement, device in product(_PLACEMENTS, _DEVICES)]
    names = ("publisher_platform", "platform_position", "impression_device", "device_platform")
    yield names, where, [(7, 4, 1, 6, 5, 5, 2, 1)[at // 4] * (5, 4, 1, 2)[at % 4] for at in range(len(where))]
