"""How often an app may call: per second, minute and day, by the app's level, and less often where a path says so.

Source: the second reading of the reference, section A8. Nothing is limited until the switch `quota` names a level.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import TikTokRefusal
from sandbox.platforms.tiktok_ads.population import PLATFORM

_DAY = 86_400


class _Quota(NamedTuple):
    """Requests per second, minute and day."""

    second: int
    minute: int
    day: int


LEVELS = {
    "Basic": _Quota(10, 600, 864_000),
    "Advanced": _Quota(20, 1_200, 1_728_000),
    "Premium": _Quota(30, 1_800, 2_592_000),
    "Ultimate": _Quota(50, 3_000, 4_320_000),
}
_OF_PATHS = {"report/task/create": _Quota(2, 60, 4_500), "gmv_max/report/get": _Quota(8, 240, 20_000)}
_PAUSE = 300
"""Seconds for which an app is refused after it used up a minute's quota."""


class Quotas:
    """Counts requests by app, and by app and path. Called from many threads; a lost count does no harm."""

    def __init__(self, outside: Outside, now: Callable[[], float] = time.time) -> None:
        self._outside = outside
        self._now = now
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._until: dict[tuple[str, str], float] = {}
        self._days: dict[tuple[str, str], tuple[int, int]] = {}

    def spend(self, app_id: str, path: str, profile_id: str) -> None:
        """Count a request. Raises 40100 for the app and 40133 for a path; a minute's quota pauses for 5 minutes, a
        day's until 00:00 UTC.
        """
        refused: list[TikTokRefusal] = []

        def over(options: Mapping[str, Any]) -> bool:
            try:
                self._count((app_id, ""), LEVELS[str(options.get("level", "Basic"))], 40100)
                if path in _OF_PATHS:
                    self._count((app_id, path), _OF_PATHS[path], 40133)
            except TikTokRefusal as refusal:
                refused.append(refusal)
            return bool(refused)

        if self._outside.switches.take("quota", PLATFORM, profile_id, acts=over) is not None:
            raise refused[0]

    def clear(self) -> None:
        """Begin anew."""
        self._calls.clear()
        self._until.clear()
        self._days.clear()

    def _count(self, key: tuple[str, str], quota: _Quota, code: int) -> None:
        now = self._now()
        calls = self._calls.setdefault(key, deque(maxlen=quota.minute))
        second = sum(1 for at in calls if at > now - 1)
        minute = sum(1 for at in calls if at > now - 60)
        if now < self._until.get(key, 0):
            raise TikTokRefusal(code, "Too many requests. The quota is used up")
        if minute >= quota.minute:
            self._until[key] = now + _PAUSE
            raise TikTokRefusal(code, f"App reaches the QPM limit: {quota.minute}.")
        if second >= quota.second:
            raise TikTokRefusal(code, f"App reaches the QPS limit: {quota.second}.")
        calls.append(now)
        self._count_day(key, quota, code, now)

    def _count_day(self, key: tuple[str, str], quota: _Quota, code: int, now: float) -> None:
        today = int(now // _DAY)
        day, counted = self._days.get(key, (today, 0))
        counted = counted + 1 if day == today else 1
        self._days[key] = (today, counted)
        if counted > quota.day:
            self._until[key] = (today + 1) * _DAY
            raise TikTokRefusal(code, f"App reaches the QPD limit: {quota.day}.")
