"""Sums by day and channel from rows of ad accounts, nationally and by region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import cast

from adweir.insight.mmm.wide import Sums
from adweir.model.metrics import Slot, plus
from adweir.model.money import from_micros

_ZERO: Slot = (0, 0, 0, 0, 0)
_SPEND = 3


class ChannelSums:
    """Adds rows up by day, platform and channel."""

    def __init__(self) -> None:
        self._days: dict[date, dict[tuple[str, str], Slot]] = defaultdict(dict)

    def add(self, day: date, platform: str, channel: str, slot: Slot) -> None:
        """Add a row's numbers."""
        found = self._days[day]
        found[platform, channel] = plus(found.get((platform, channel), _ZERO), slot)

    def by_channel(self) -> Sums:
        """The sums by channel. A platform's total of a day stays what it is, and no channel is below zero where that
        is not: what campaigns exceed their account by is taken off the platform's channels, of the largest first."""
        sums = Sums()
        for day, found in sorted(self._days.items()):
            for (_, channel), slot in sorted(_settled(found).items()):
                sums.add(day, channel, slot)
        return sums


def _settled(found: Mapping[tuple[str, str], Slot]) -> dict[tuple[str, str], Slot]:
    settled = dict(found)
    for platform in {platform for platform, _ in found}:
        own = [key for key in sorted(settled) if key[0] == platform]
        for place in range(len(_ZERO)):
            _settle(settled, own, place)
    return settled


def _settle(slots: dict[tuple[str, str], Slot], own: Sequence[tuple[str, str]], place: int) -> None:
    """One of the numbers of a platform's channels: each step leaves one channel fewer that is above or below zero."""
    while True:
        value, largest = max(((slots[key][place] or 0, key) for key in own), key=lambda each: each[0])
        lacking, smallest = min(((slots[key][place] or 0, key) for key in own), key=lambda each: each[0])
        moved = min(value, -lacking)
        if moved <= 0:
            return
        slots[largest] = _with(slots[largest], place, value - moved)
        slots[smallest] = _with(slots[smallest], place, lacking + moved)


def _with(slot: Slot, place: int, value: int) -> Slot:
    return cast("Slot", (*slot[:place], value, *slot[place + 1 :]))


@dataclass
class RegionSums:
    """Sums by region. `called`: the name of a region as the population has it, or as it is said first."""

    called: Callable[[str], str]
    regions: dict[str, ChannelSums] = field(default_factory=dict)
    spend: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By region, "" for what belongs to none."""

    def add(self, day: date, place: tuple[str, str, str], slot: Slot) -> None:
        """Add a row of a region (None of them: ""), a platform and a channel."""
        region, platform, channel = place
        name = self.called(region) if region else ""
        self.spend[name] += slot[_SPEND] or 0
        if name:
            self.regions.setdefault(name, ChannelSums()).add(day, platform, channel, slot)

    def share(self, names: Iterable[str]) -> Decimal:
        """The part of all spend that these regions have."""
        whole = sum(self.spend.values())
        own = sum(self.spend.get(name, 0) for name in names)
        return round(from_micros(own) / from_micros(whole), 6) if whole else Decimal(0)
