"""An ad account whose settled days a test makes up, and what `detect` does with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from adweir.insight.anomalies.batches import Learning
from adweir.insight.anomalies.incidents import Incident, Watcher
from adweir.insight.anomalies.kept import KeptIncidents, incident_of
from adweir.insight.anomalies.sources import DayRows, NamedEntity, RipeDay
from adweir.insight.anomalies.watched import WatchedEntity, WatchSettings
from adweir.model.budgets import ListedBudget
from adweir.model.metrics import Level, Slot
from adweir.model.times import Window
from adweir.store.findings.anomalies import Anomalies
from support.clock import FrozenClock
from support.outlets import MemoryBus

FIRST = date(2026, 8, 1)
ACCOUNT = WatchedEntity(Level.ACCOUNT, "1")
CAMPAIGNS = [WatchedEntity(Level.CAMPAIGN, f"c{number}", ((Level.ACCOUNT, "1"),)) for number in range(4)]
SPIKE = 60


class WatchedDays:
    """The settled days of an ad account: four campaigns with a weekly pattern, each day a little different."""

    def __init__(self, days: int = 90) -> None:
        self.watcher = Watcher("acc_1", "meta_ads", "1", "EUR")
        self.numbers: dict[date, dict[WatchedEntity, Slot]] = {}
        self.off: set[tuple[Level, str]] = set()
        self.pulled = 1
        self.arms_mark = ""
        self.budgets: dict[tuple[Level, str], tuple[ListedBudget, ...]] = {}
        self.unknown: dict[date, set[Level]] = {}
        for number in range(days):
            self.deliver(number, dict.fromkeys(CAMPAIGNS, wave(number)))
        self.until = days

    def deliver(self, number: int, factors: dict[WatchedEntity, float]) -> None:
        """A day's delivery by campaign, as a factor of the usual; 0: none. The account's is the sum."""
        usual = 100_000 * wave(number)
        rows: dict[WatchedEntity, Slot] = {}
        for place, (campaign, factor) in enumerate(factors.items(), 1):
            if factor:
                rows[campaign] = slot_of(round(usual * place * factor))
        total = [sum(row[metric] or 0 for row in rows.values()) for metric in range(5)]
        if rows:
            rows[ACCOUNT] = (total[0], total[1], total[2], total[3], total[4])
        self.numbers[FIRST + timedelta(days=number)] = rows

    @property
    def window(self) -> Window:
        return Window(FIRST, FIRST + timedelta(days=self.until - 1))

    def ripe(self, _check: Callable[[], None]) -> list[RipeDay]:
        days = sorted(self.numbers)[: self.until]
        stamp = str(self.pulled).encode()
        return [RipeDay(day, repr(self.numbers[day].get(ACCOUNT)).encode(), stamp) for day in days]

    def rows(self, window: Window, _check: Callable[[], None]) -> dict[date, DayRows]:
        found = {day: DayRows(self.numbers.get(day, {}), self.unknown.get(day, ())) for day in window.days()}
        for rows in found.values():
            for entity in [each for each in rows if each.level in rows.unknown]:
                del rows[entity]
        return found

    def named(self, keys: set[tuple[Level, str]]) -> dict[tuple[Level, str], NamedEntity]:
        return {key: NamedEntity(f"name of {key[1]}", key in self.off, self.budgets.get(key, ())) for key in keys}


def wave(number: int) -> float:
    """A weekly pattern, and a little more."""
    return 1 + 0.2 * math.sin(number * 2 * math.pi / 7) + 0.03 * math.sin(number * 12.9898)


def slot_of(impressions: int) -> Slot:
    clicks = impressions // 50
    return (impressions, clicks, clicks // 20 * 1_000_000, clicks * 500_000, clicks * 2_000_000)


class WatchedWorld:
    def __init__(self, clock: FrozenClock, days: WatchedDays | None = None) -> None:
        self.clock = clock
        self.store = Anomalies(clock)
        self.bus = MemoryBus()
        self.days = days or WatchedDays()
        self.kept: KeptIncidents | None = None

    def look(self, until: int | None = None, check: Callable[[], None] = lambda: None) -> int:
        """What a run does; the days that it learned."""
        self.days.until = self.days.until if until is None else until
        self.kept = KeptIncidents(self.store, self.bus, self.clock, self.days.watcher, "run_1")
        learned = Learning(self.store, self.days, self.kept, WatchSettings(), check).go()  # type: ignore[arg-type]
        self.kept.tell()
        return learned

    def incidents(self) -> list[Incident]:
        page, _ = self.store.page(FIRST, FIRST + timedelta(days=200), 100)
        return sorted((incident_of(body) for _, body in page), key=lambda each: (each.first_day, each.id))

    def found(self) -> list[tuple[Any, ...]]:
        """What is known of the incidents, but for when it was found."""
        return [
            (i.id, i.level, i.entity_id, tuple(i.days), repr(i.metrics), repr(i.parts), i.state)
            for i in self.incidents()
        ]

    def states(self) -> dict[tuple[str, str], str]:
        build = self.store.watches.get(self.days.watcher.key).build
        return {(one.level, one.entity_id): one.state for one in self.store.entities.all(self.days.watcher.key, build)}


def spiked(days: WatchedDays, factors: Iterable[float], at: int = SPIKE) -> WatchedDays:
    days.deliver(at, dict(zip(CAMPAIGNS, (each * wave(at) for each in factors), strict=True)))
    return days
