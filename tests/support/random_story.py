"""Random stories of stored metrics: pulls, files and pushes at several levels, killed ones among them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.metrics import Level, MetricRow, Source
from adweir.store.metrics.buckets import LISTS
from support.crash import Killed
from support.reading_world import ACCOUNT, AD, CAMPAIGN, EXACT, LOSSY, SERVED, ChosenPlatforms, ReadingWorld, served

KEYWORD, GROUP = Level.KEYWORD, Level.AD_GROUP
DAYS = ("2026-09-30", "2026-10-31", "2026-11-01", "2026-11-02", "2026-11-18", "2026-11-19", "2026-11-20")
"""The last one is today; no month but November has many days of them."""
HOMES = {
    "g1~a1": "c1",
    "g1~a2": "c1",
    "g2~a1": "c1",
    "g3~a3": "c2",
    "g3~a4~b": "c2",
    "g4~a5": "",
    "a6": "c2",
}
"""Ads and their campaigns. Two ads of one id are in different groups, one ad is in none."""
ENTITIES: dict[Level, dict[str, str]] = {
    ACCOUNT: {"p1": ""},
    CAMPAIGN: {"c1": "c1", "c2": "", "c3": ""},
    GROUP: {"g1": "c1", "g2": "c1", "g3": "c2"},
    AD: HOMES,
    KEYWORD: {"g1~k1": "c1", "g3~k1": "c2", "g3~k2": "c2"},
}
PLACEMENTS, REGIONS = Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, Dataset.CAMPAIGN_BY_REGION_DAILY
PLATFORMS = ChosenPlatforms(
    {
        LOSSY: {**SERVED[LOSSY], REGIONS: served(REGIONS)},
        EXACT: {**SERVED[EXACT], PLACEMENTS: served(PLACEMENTS), REGIONS: served(REGIONS)},
    }
)


class Setting:
    """What the loads of a story have in common: most profiles have no files, and one way of being pulled."""

    def __init__(self, rng: random.Random) -> None:
        self.sources = rng.choice([[Source.PULL], [Source.PULL] * 3 + [Source.FILE, Source.PUSH]])
        self.slices = rng.choice([["all"], ["sp", "sb", "sd"], ["all", "all", "sp", "campaign=c1", "campaign=c2"]])
        self.has_totals = rng.random() < 0.7
        self.sums = Counter[str]()
        """Day → what the ads of the last load spent."""
        self.last: tuple[Level, str, Sequence[str]] = (AD, "", DAYS)
        """Level, breakdown and days of the last load of a level below the account."""


def tell(world: ReadingWorld, number: int, rng: random.Random, setting: Setting, *, totals: bool) -> None:
    """Load something random, or the account totals of the last load's days, on both platforms."""
    if not totals and rng.random() < 0.6:  # else the same days again
        setting.last = _what(rng)
    level, breakdown, days = (ACCOUNT, "", setting.last[2]) if totals else setting.last
    source = Source.PULL if level is ACCOUNT else rng.choice(setting.sources)
    slice_ = "all" if level is ACCOUNT else rng.choice(setting.slices)
    complete = source is Source.PULL and rng.random() < 0.75
    about: dict[str, Any] = {
        "source": source,
        "slice_": slice_,
        "days": (days[0], days[-1]),
        "breakdown": breakdown,
        "complete": complete,
        "has_totals": setting.has_totals and level is not ACCOUNT,
        "currency": rng.choice(["USD", "USD", "EUR"]),
        "definition": rng.choice(["", "", "7d_click"]),
    }
    keys = list(_keys(level, breakdown, days, rng))
    if level is CAMPAIGN and slice_.startswith("campaign="):
        keys = [key for key in keys if key[0].startswith(slice_.removeprefix("campaign="))]
    bad = [(entity, day) for entity, _, day in keys if rng.random() < 0.05]
    if level is ACCOUNT:
        spends = {day: setting.sums[day] * rng.choice([1, 1, 3]) for day in days}
    rows = []
    for entity, home, day in keys:
        if (entity, day) in bad:
            continue
        campaign = home if level is CAMPAIGN else _campaign(home, slice_, rng)
        spend = spends[day] if level is ACCOUNT else 1000 * number + rng.randrange(1000)
        rows.append(_row(entity, day, spend, campaign, rng, about))
    if level is AD and not breakdown:
        for day in days:
            setting.sums[day] = sum(row.spend or 0 for row in rows if row.day == day)
    for platform in (LOSSY, EXACT):
        world.stored.crash.arm(rng.choice([0, 0, 0, rng.randint(1, 9)]), after=rng.random() < 0.5)
        try:
            world.pull(level, *rows, platform=platform, bad=bad, **about)
        except Killed:
            world.stored.leases.expire()
        world.stored.crash.arm(0)


def _what(rng: random.Random) -> tuple[Level, str, Sequence[str]]:
    """Level, breakdown and days of a load."""
    level = rng.choice([CAMPAIGN, CAMPAIGN, GROUP, AD, AD, AD, AD, KEYWORD])
    breakdown = rng.choice(["", "", {AD: "country", CAMPAIGN: rng.choice(["placement", "region"])}.get(level, "")])
    return level, breakdown, DAYS[rng.randrange(6) :][: rng.choice([1, 2, 3, 7])]


def _keys(level: Level, breakdown: str, days: Iterable[str], rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """Entities, their campaigns, and days on which they have rows."""
    values = ["~US", "~DE"] if breakdown else [""]
    often = rng.choice([0.4, 0.9])
    for entity, home in ENTITIES[level].items():
        for value in values:
            yield from ((f"{entity}{value}", home, day) for day in days if rng.random() < often)


def _campaign(home: str, slice_: str, rng: random.Random) -> str:
    """A row's campaign: the slice's, most often the one that it always had, or another one."""
    pulled = slice_.removeprefix("campaign=") if slice_.startswith("campaign=") else ""
    return pulled or (home if rng.random() < 0.9 else rng.choice(["c1", "c2", "c3", ""]))


def _row(entity: str, day: str, spend: int, campaign: str, rng: random.Random, about: dict[str, Any]) -> MetricRow:
    known = rng.random() > 0.06
    group = entity.partition("~")[0] if entity[0] == "g" else ""
    if entity[0] == "g" and rng.random() < 0.005:
        group = "g9"  # a row that contradicts its id
    pulled = about["slice_"]
    product = pulled if pulled in {"sp", "sb", "sd"} else rng.choice(["sp", "sp", "sb", ""])
    numbers = (spend // 10, spend % 7, spend, spend if known else None, spend * 2)
    return MetricRow(entity, day, *numbers, campaign, group, currency=about["currency"], ad_product=product)


def tell_all(world: ReadingWorld, seeds: list[int]) -> None:
    """Make loads, one after another; a part of what is stored is perhaps of an earlier version."""
    setting = Setting(random.Random(str(seeds)))
    world.stored.table.batch = 3
    for number, seed in enumerate(seeds, 1):
        rng = random.Random(f"{number} {seed}")
        tell(world, number, rng, setting, totals=False)
        if rng.random() < 0.5:
            tell(world, number, rng, setting, totals=True)
        if rng.random() < 0.15:
            _forget_lists(world)


def _forget_lists(world: ReadingWorld) -> None:
    items = world.stored.table.items
    for key in list(items):
        items[key].pop("list", None)
        if key[1].startswith(LISTS):
            del items[key]
