"""The outside world as one object: the world, its switches, its open reports and a cache of rendered answers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sandbox.state import State
from sandbox.switches import Switches
from sandbox.world import World

T = TypeVar("T")
_MOST_REPORTS = 2000
_MOST_ANSWERS = 64


class Outside:
    """What the platform modules share. `report_seconds`: how long a report takes; `url_seconds`: its URL's life."""

    def __init__(
        self,
        *,
        seed: int,
        anchor: date | None,
        today: date,
        state_path: Path | None = None,
        report_seconds: float = 0.5,
    ) -> None:
        """`today` is the calendar's; an explicit `anchor` makes the world independent of it."""
        self._path = state_path
        self.state = State.load(state_path, seed, anchor, today)
        self.world = World(self.state.seed, date.fromisoformat(self.state.anchor))
        self.world.offset = timedelta(seconds=self.state.offset_seconds)
        if self.state.follow and self.world.now.date() < today:
            self.world.offset = timedelta(days=(today - self.world.anchor).days)
        self.switches = Switches()
        self.report_seconds = report_seconds
        self.url_seconds = 3600
        self.tokens_void_until: dict[str, int] = {}
        self._lock = threading.Lock()
        self._cache: OrderedDict[Hashable, Any] = OrderedDict()
        self.save()

    def move(self, offset: timedelta) -> None:
        """Set how far the world's clock is from noon of its anchor day, and remember it."""
        self.world.offset = offset
        self.save()

    def save(self) -> None:
        """Write the state file."""
        with self._lock:
            self.state.offset_seconds = int(self.world.offset.total_seconds())
            self.state.save(self._path)

    def new_report(self, report: dict[str, Any], name: Callable[[int], str]) -> str:
        """Keep a report under an id made from a number that was not used yet; the oldest go beyond 2,000."""
        with self._lock:
            self.state.report_number += 1
            report_id = name(self.state.report_number)
            self.state.reports[report_id] = report
            while len(self.state.reports) > _MOST_REPORTS:
                del self.state.reports[next(iter(self.state.reports))]
        return report_id

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, or what it made for this key before; the least recently used answers go."""
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                found: T = self._cache[key]
                return found
        made = make()
        with self._lock:
            self._cache[key] = made
            while len(self._cache) > _MOST_ANSWERS:
                self._cache.popitem(last=False)
        return made
