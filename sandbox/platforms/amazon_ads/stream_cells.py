"""What Marketing Stream sends deltas of: an ad's numbers in an hour, as Amazon knows them at a moment.

An hour is an instant: of the hour that an autumn night repeats, the world's numbers belong to both in halves, and the
hour that a spring night leaves out is the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.world import Numbers, Reading, World, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.draw import share
from sandbox.world.numbers import WINDOWS
from sandbox.world.world import Moment

TRAFFIC, CONVERSION = "traffic", "conversion"
RESTATED_DAYS: Final = {"sp": 30, "sb": 14, "sd": 30}
"""How far back deltas go, by program (FAQ and each dataset's page)."""
CLICK_WINDOWS: Final = tuple(WINDOWS)
VIEW_WINDOW: Final = 14

Counts = tuple[int, ...]
"""Of traffic: impressions, clicks, cost in minor units. Of conversions: purchases by window after a click, sales by the
same in minor units, purchases and sales after a view."""


class StreamCell(NamedTuple):
    """An ad in an hour; `starts` is local with its offset."""

    campaign: WorldCampaign
    group: WorldAdGroup
    ad: WorldAd
    starts: datetime

    @property
    def key(self) -> str:
        """As it is kept: the hour, then the ids."""
        return f"{self.starts.isoformat()}|{self.campaign.id}|{self.group.id}|{self.ad.id}"

    @property
    def day(self) -> date:
        """The local day."""
        return self.starts.date()


def known(
    world: World, profile: WorldProfile, program: str, kind: str, days: tuple[date, date], moment: Moment
) -> dict[str, tuple[StreamCell, Counts]]:
    """The cells of these days with what is known of them at the moment, by key.

    Spend without an ad, and campaigns from before ad groups, are in no dataset.
    """
    found: dict[str, tuple[StreamCell, Counts]] = {}
    for row in world.days(profile, *days, moment=moment, reading=Reading(hourly=True)):
        campaign, group, ad = row.campaign, row.group, row.ad
        assert campaign is not None and group is not None and ad is not None  # noqa: S101, PT018 - an hour is an ad's
        if campaign.product != program or not ad.id or row.hour < 0 or (program == "sb" and not campaign.objective):
            continue
        counts = _traffic(row.numbers) if kind == TRAFFIC else _conversions(row.numbers)
        hours = local_hours(row.day, row.hour, profile.timezone)
        for starts, part in zip(hours, split(counts, [1] * len(hours)), strict=True):
            cell = StreamCell(campaign, group, ad, starts)
            before = found.get(cell.key)
            found[cell.key] = (cell, add(before[1], part) if before else part)
    return found


def local_hours(day: date, hour: int, timezone: str) -> list[datetime]:
    """The instants at which an hour of a local day begins: two when a night repeats it."""
    zone = ZoneInfo(timezone)
    first = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
    later = first.replace(fold=1)
    instants = [first, later] if _offset(first) > _offset(later) else [first]
    return [_fixed(instant.astimezone(UTC).astimezone(zone)) for instant in instants]


def _offset(instant: datetime) -> timedelta:
    offset = instant.utcoffset()
    assert offset is not None  # noqa: S101 - a zone has one
    return offset


def _fixed(instant: datetime) -> datetime:
    """The same, comparing as an instant: in one zone, Python compares local times and forgets the fold."""
    return datetime.fromisoformat(instant.isoformat())


def _traffic(numbers: Numbers) -> Counts:
    return numbers.impressions, numbers.clicks, numbers.spend


def _conversions(numbers: Numbers) -> Counts:
    clicks = [numbers.halves[window] // 2 for window in CLICK_WINDOWS]
    sales = [numbers.revenue[window] for window in CLICK_WINDOWS]
    return (*clicks, *sales, numbers.views[VIEW_WINDOW] // 2, numbers.view_revenue[VIEW_WINDOW])


def cell_of(profile: WorldProfile, key: str) -> StreamCell:
    """The cell of a key."""
    hour, *ids = key.split("|")
    parts = next((c, g, a) for c, g, a in profile.delivering() if [c.id, g.id, a.id] == ids)
    return StreamCell(*parts, datetime.fromisoformat(hour))


def add(one: Counts, other: Counts) -> Counts:
    """The sum."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def minus(one: Counts, other: Counts) -> Counts:
    """The difference."""
    return tuple(a - b for a, b in zip(one, other, strict=True))


def split(counts: Counts, weights: Sequence[int]) -> list[Counts]:
    """Parts that sum to the counts."""
    return list(zip(*(share(n, list(weights)) for n in counts), strict=True))


def pieces(delta: Counts, luck: int) -> Iterator[Counts]:
    """A delta as one record, as two, or as more than it is and a correction of that; they sum to it."""
    kind = luck % 6
    if kind < 3:
        parts = [delta]
    elif kind < 5:
        parts = split(delta, [2, 1])
    else:
        over = tuple(abs(n) // 3 + 1 if n else 0 for n in delta)
        parts = [add(delta, over), minus(tuple(0 for _ in delta), over)]
    yield from (part for part in parts if any(part))
