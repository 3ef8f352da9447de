"""Totals of campaigns and keywords: their metrics of the last 7 and 30 days and of all days, read when they are asked.

They are what a report over the same days shows, made by the same reader: who answers for each day (level, source,
newest pull), what is kept and what is gone is decided there alone. So a total is right whatever was loaded, in whatever
order; nothing is stored that could contradict the metrics (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.metrics import NO_NUMBERS, Level
from adweir.model.times import DAY, Window
from adweir.reporting.ads import AD_METRICS
from adweir.reporting.query import Queries
from adweir.reporting.reading import ProfileQuestion, ReadRow
from adweir.reporting.totals import NOTHING, RowSum, measures
from adweir.store.metrics.store import Only

WINDOWS: Mapping[str, int] = {"last_7_days": 7, "last_30_days": 30, "lifetime": limits.MAX_BACKFILL_DAYS}
"""Name → days up to the profile's yesterday, from the shortest: the days of each are among those of the next."""
_LOOKS = 5000
"""Rows between two looks at the time."""


class TotalledObject(NamedTuple):
    """A campaign, or a keyword in its ad group and campaign."""

    own_id: str
    ad_group_id: str = ""
    campaign_id: str = ""


_Sums = dict[str, RowSum]
"""Window → the sum of its days that are in no shorter one."""


class ObjectTotals:
    """The totals of some objects of a profile and level, read at once. Raises TooLarge, Unavailable."""

    def __init__(self, queries: Queries, profile: Profile, level: Level, objects: Iterable[TotalledObject]) -> None:
        self._profile = profile
        self._last = queries.today(profile) - DAY
        self._first = {name: (self._last - timedelta(days=days - 1)).isoformat() for name, days in WINDOWS.items()}
        asked = list(objects)
        wanted = {each[:2] for each in asked}
        self._sums: dict[tuple[str, str], dict[str, _Sums]] = {}
        reader = queries.reader(profile, self._question(level, asked))
        for number, read in enumerate(reader.rows()):
            if not number % _LOOKS:
                queries.check_time()
            if (named := _named(read, level)) in wanted:
                by_currency = self._sums.setdefault(named, {})
                sums = by_currency.setdefault(read.row.currency or profile.currency, {})
                window = self._shortest(read.row.day)
                if window in sums:
                    sums[window].add(read.row.slot, read.marks)
                else:
                    sums[window] = RowSum(read.row.slot, read.marks)
        days = reader.coverage()
        self._as_of = max((day.pulled_at for day in days.values() if day.pulled_at), default=None)
        whole = [day.isoformat() for day, covered in days.items() if covered.whole and covered.pulled_at]
        self._pulled = {name: sum(day >= first for day in whole) for name, first in self._first.items()}
        """Window → of how many of its days all was pulled."""
        self._provisional = min((day for day, one in days.items() if one.pulled_at and not one.settled), default=None)
        """The first day that was pulled and may still change."""

    def of(self, item: TotalledObject, *, reported: bool = True) -> dict[str, Any]:
        """An object's totals in its profile's currency, in `others` those in currencies that the profile had before.

        `reported`: False where the platform leaves the object out of its reports, so that no row means nothing.
        """
        by_currency = dict(self._sums.get(item[:2], {}))
        sums = by_currency.pop(self._profile.currency, {})
        others = [{"currency": name} | self._windows(each, {}) for name, each in sorted(by_currency.items())]
        return {
            "as_of": self._as_of,
            "through": self._last.isoformat(),
            "provisional_from": self._provisional.isoformat() if self._provisional else None,
            "currency": self._profile.currency,
            **self._windows(sums, self._pulled if reported else {}),
            **({"others": others} if others else {}),
        }

    def _windows(self, sums: _Sums, pulled: Mapping[str, int]) -> dict[str, Any]:
        """Every window with its metrics; unknown, not zero, where nothing was pulled and there is no row."""
        shown: dict[str, Any] = {}
        total: RowSum | None = None
        for name in WINDOWS:
            if name in sums and total is not None:
                total.merge(sums[name])
            elif name in sums:
                total = sums[name].copy()
            slot = total.slot if total else NOTHING if pulled.get(name) else NO_NUMBERS
            numbers = measures(slot)
            shown[name] = {
                "days_pulled": pulled.get(name, 0),
                **{metric: numbers[metric] for metric in AD_METRICS},
                **(total.notes if total else {}),
            }
        return shown

    def _question(self, level: Level, asked: list[TotalledObject]) -> ProfileQuestion:
        campaigns = frozenset(each.campaign_id or each.own_id for each in asked)
        own = frozenset(each.own_id for each in asked) if level is Level.KEYWORD else None
        only = Only(None if "" in campaigns else campaigns, None, own)
        window = Window(date.fromisoformat(min(self._first.values())), self._last)
        return ProfileQuestion(window, level, fold=self._shortest, only=only)

    def _shortest(self, day: str) -> str:
        """The shortest window that a day (ISO) is in."""
        return next(name for name, first in self._first.items() if day >= first)


def _named(read: ReadRow, level: Level) -> tuple[str, str]:
    """What a row is about, as `TotalledObject` names it."""
    row = read.row
    if level is not Level.KEYWORD:
        return row.campaign_id or (row.entity_id if read.level is Level.CAMPAIGN else ""), ""
    group, between, _ = row.entity_id.partition("~")
    return read.own_id, row.ad_group_id or (group if between else "")
