"""Numbers beside those of another period: the period right before, the same dates a year before, or given dates.

By date, week and month, each day is compared with the day that lies as far into the other period (with
`previous_year`: with the same date), and weeks and months are made of the asked days. A number that is absent in one
of the periods is zero there if anything was pulled of the ad accounts that it is of, on any of these days, and unknown
if nothing was. Differences are those of the shown numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from adweir.model.errors import Unprocessable
from adweir.model.metrics import ratio
from adweir.model.times import Window
from adweir.reporting.dimensions import Key, none_last
from adweir.reporting.owned import OF_TIME
from adweir.reporting.query import Answer
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan, parse_range
from adweir.reporting.relative import Before
from adweir.reporting.totals import NOTHING, RowSum

BEFORE, DIFFERENCE, CHANGE = "before", "difference", "change"
"""What the columns beside a metric are called: `spend_before`, `spend_difference`, `spend_change`."""
_FIRST_YEAR = 2
_DAYS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Comparison:
    """The days (`span`) that a range (`asked`) is compared with. `how` is None where they were given as dates."""

    asked: TimeSpan
    span: TimeSpan
    how: Before | None

    def query(self, query: Query) -> Query:
        """The query of these days. It shows each as the day that is compared with it. Raises Unprocessable."""
        moved = self._moved if OF_TIME.keys() & {*query.dimensions} else None
        if moved and self.how is None:
            self._check_days()
        return replace(query, range=self.span, adjusted=False, moved=moved, owned=True)

    def said(self, zones: Iterable[str]) -> dict[str, Any]:
        """What an answer says of it."""
        return {"with": self.how.value if self.how else "dates", "time_range": said_range(self.span, zones)}

    def _moved(self, timezone: str) -> Callable[[str], str]:
        days = self._own(timezone)

        @lru_cache(maxsize=_DAYS_KEPT)
        def move(day: str) -> str:
            when = date.fromisoformat(day)
            if self.how:
                return self.how.compared_with(when, days).isoformat()
            return (when + (days.start - _day(self.span.start))).isoformat()

        return move

    def _own(self, timezone: str) -> Window:
        """The asked days: those that were written, wherever a datetime with an offset may lie."""
        if self.asked.relative:
            return self.asked.relative.own(timezone)
        return Window(_day(self.asked.start), _day(self.asked.end))

    def _check_days(self) -> None:
        """By day, days need a partner each. Raises Unprocessable."""
        lengths = {_day(span.end) - _day(span.start) for span in (self.asked, self.span)}
        if len(lengths) > 1 or self.asked.relative:
            message = "by date, hour, week or month, both ranges are dates with the same number of days"
            raise Unprocessable(message, [{"field": "compare", "message": message}])


def parse_comparison(given: str | Mapping[str, str] | None, asked: TimeSpan, now: datetime) -> Comparison | None:
    """`previous_period`, `previous_year` or `{start_date, end_date}` → the comparison. Raises Unprocessable."""
    if given is None:
        return None
    if not isinstance(given, str):
        start, end = given.get("start_date"), given.get("end_date")
        if not start or not end:
            message = "dates to compare with are a start_date and an end_date"
            raise Unprocessable(message, [{"field": "compare", "message": message}])
        return Comparison(asked, parse_range(start, end, now.date(), field="compare"), None)
    if given not in set(Before):
        message = f"{given[:40]!r} is unknown; known: {', '.join(Before)}, {{start_date, end_date}}"
        raise Unprocessable(message, [{"field": "compare", "message": message, "known": list(Before)}])
    how = Before(given)
    if asked.relative:
        return Comparison(asked, TimeSpan.of_words(replace(asked.relative, before=how)), how)
    try:
        before = how.window(Window(_day(asked.start), _day(asked.end)))
    except (ValueError, OverflowError):
        before = None
    if before is None or before.start.year < _FIRST_YEAR:
        message = "there are no days so early"
        raise Unprocessable(message, [{"field": "compare", "message": message}])
    return Comparison(asked, TimeSpan(_at(before.start, asked.start), _at(before.end, asked.end)), how)


def said_range(span: TimeSpan, zones: Iterable[str]) -> dict[str, Any]:
    """A range as answers show it; of words, with the days that they mean in each time zone."""
    if not span.relative:
        return {"start_date": span.start.isoformat(), "end_date": span.end.isoformat()}
    days = {zone: span.relative.window(zone) for zone in sorted(set(zones))}
    shown = {zone: {"start_date": one.start.isoformat(), "end_date": one.end.isoformat()} for zone, one in days.items()}
    own = [*days.values()] or [Window(_day(span.start), _day(span.end))]
    return {
        **({"relative": span.relative.words} if span.relative.before is None else {}),
        "start_date": min(one.start for one in own).isoformat(),
        "end_date": max(one.end for one in own).isoformat(),
        "zones": shown,
    }


class Pair(NamedTuple):
    """A group in both periods; None where its numbers are unknown. `owners`: keys of the profiles that it is of."""

    now: RowSum | None
    before: RowSum | None = None
    owners: tuple[str, ...] = ()

    def merged(self, other: Pair) -> Pair:
        """Both groups as one."""
        owners = tuple(dict.fromkeys((*self.owners, *other.owners)))
        return Pair(_added(self.now, other.now), _added(self.before, other.before), owners)


def pairs(now: Answer, before: Answer | None, key_of: Callable[[Key], Key], times: Sequence[int]) -> dict[Key, Pair]:
    """The groups of both answers by a key, in its order. `times`: where the key has dimensions of time."""
    ours = _merged(now, key_of)
    if before is None:
        return {key: Pair(total, None, owners) for key, (total, owners) in ours.items()}
    theirs = _merged(before, key_of)
    found: dict[Key, Pair] = {}
    for key in sorted({**ours, **theirs}, key=none_last):
        (a, of_a), (b, of_b) = ours.get(key, _NONE), theirs.get(key, _NONE)
        label = tuple([key[at] for at in times])
        a, b = a or _absent(now, of_b, label), b or _absent(before, of_a, label)
        found[key] = Pair(a, b, tuple(dict.fromkeys((*of_a, *of_b))))
    return found


def compared(name: str, now: Any, before: Any) -> dict[str, Any]:
    """The columns beside a metric. A relative change is a fraction, and undefined from nothing or less."""
    known = now is not None and before is not None
    difference = now - before if known else None
    change = ratio(Decimal(difference), Decimal(before)) if difference is not None and before > 0 else None
    return {f"{name}_{BEFORE}": before, f"{name}_{DIFFERENCE}": difference, f"{name}_{CHANGE}": change}


def columns_of(name: str) -> tuple[str, ...]:
    """A metric's column and those beside it."""
    return (name, *(f"{name}_{beside}" for beside in (BEFORE, DIFFERENCE, CHANGE)))


_Known = tuple[RowSum | None, tuple[str, ...]]
_NONE: _Known = (None, ())


def _merged(found: Answer, key_of: Callable[[Key], Key]) -> dict[Key, tuple[RowSum, tuple[str, ...]]]:
    """The groups by a key, with the profiles that each is of where that is known."""
    merged: dict[Key, RowSum] = {}
    owners: dict[Key, int] = {}
    ours = set[Key]()  # what may be changed: most groups stay as they are, and are not copied
    bits = found.owned.groups if found.owned else {}
    for group, total in found.groups.items():
        key = key_of(group)
        owners[key] = owners.get(key, 0) | bits.get(group, 0)
        if key not in merged:
            merged[key] = total
            continue
        if key not in ours:
            merged[key] = merged[key].copy()
            ours.add(key)
        merged[key].merge(total)
    named = {of: tuple(found.owned.profiles(of)) if found.owned else () for of in set(owners.values())}
    return {key: (total, named[owners[key]]) for key, total in merged.items()}


def _absent(answer: Answer, owners: Sequence[str], label: Key) -> RowSum | None:
    """What an answer has of a group that is not in it: zero or, where nothing was pulled, unknown."""
    return RowSum(NOTHING) if answer.owned and answer.owned.knows(owners, label) else None


def _added(one: RowSum | None, other: RowSum | None) -> RowSum | None:
    if one is None or other is None:
        return one or other
    both = one.copy()
    both.merge(other)
    return both


def _at(day: date, like: date | datetime) -> date | datetime:
    """The day, with the time and offset of a datetime."""
    return datetime.combine(day, like.timetz()) if isinstance(like, datetime) else day


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
