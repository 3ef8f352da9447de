"""Restatement as it was observed: what share of a day's final numbers was known so many days after it.

The record of changes says what each pull has changed, and how late (`store.metrics.changes`). Of a settled day the sum
of all changes is the final number, and the sum of those that pulls of the first k days made is what was known after k
days. So nothing is assumed about a platform, and nothing is stored for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import METRICS, Grain, Level, Series, Slot, ratio
from adweir.model.ports import ServedDataset
from adweir.model.slices import ALL
from adweir.model.tasks import Cause
from adweir.model.times import DAY, Window, local_date, parse_instant
from adweir.reporting.filters import Filters
from adweir.reporting.levels import FINENESS, Rung
from adweir.reporting.query import Queries
from adweir.reporting.reading import specs_of
from adweir.reporting.views import MetricsHistory
from adweir.store.metrics.changes import ChangesHeader

MEASURED_DAYS = 60
"""The newest settled days, where no others are asked for."""
_FINAL = Decimal("0.001")
"""A share that differs from 1 by no more counts as final."""
_LOOKS = 5000
"""Lines between two looks at the time."""
_NOTHING = (0,) * len(METRICS)


@dataclass(slots=True)
class _ObservedDay:
    """What was observed of a day: its first pull by slice, and what changed by lag; in days after it."""

    pulled: dict[str, int] = field(default_factory=dict)
    changed: dict[int, list[int]] = field(default_factory=dict)
    is_whole: bool = True

    def first(self, slices: Sequence[str]) -> int | None:
        """When all of it had been pulled; None where it never was."""
        lags = [self.pulled.get(name, self.pulled.get(ALL)) for name in slices]
        return max((lag for lag in lags if lag is not None), default=None) if None not in lags else None

    def known(self, after: int | None = None) -> list[int]:
        """The numbers as they were known so many days later; finally, where None is asked."""
        return _total(numbers for lag, numbers in self.changed.items() if after is None or lag <= after)


class LagSum(NamedTuple):
    """What was known so many days after `days` settled days, and what is final: numbers in the order of `METRICS`."""

    after: int
    days: int
    known: Sequence[int]
    final: Sequence[int]


class LagMeasure:
    """Measures how ad accounts are restated."""

    def __init__(self, queries: Queries, metrics: MetricsHistory) -> None:
        self._queries = queries
        self._metrics = metrics

    def measure(self, filters: Filters, start: date | None, end: date | None) -> tuple[list[dict[str, Any]], list[str]]:
        """A record per ad account, and a warning for each that is left out. Days that are not settled do not count.

        Raises TooLarge, Unavailable.
        """
        profiles, warnings = self._queries.dated_profiles(filters)
        found = (self._of_profile(profile, start, end) for profile in profiles)
        return [record for record in found if record], warnings

    def sums(self, profile: Profile) -> list[LagSum]:
        """What was known of the newest settled days of an ad account after each number of days, from one day on. Its
        time zone is known. Raises TooLarge, Unavailable."""
        seen = self._seen(profile, None, None)
        return _sums(seen.spec, seen.days) if seen else []

    def _of_profile(self, profile: Profile, start: date | None, end: date | None) -> dict[str, Any] | None:
        seen = self._seen(profile, start, end)
        return _record(profile, seen) if seen else None

    def _seen(self, profile: Profile, start: date | None, end: date | None) -> _SeenDays | None:
        specs = specs_of(self._queries.served(profile), Grain.DAY, "")
        level = next((each for each in FINENESS if each in specs), None)
        if level is None:
            return None
        spec, today = specs[level], self._queries.today(profile)
        last = end or today - (spec.settles_after_days + 1) * DAY
        begin = max(start or last - timedelta(days=MEASURED_DAYS - 1), last - timedelta(days=limits.MAX_QUERY_DAYS - 1))
        if begin > last:
            message = "the range must not end before it starts"
            raise Unprocessable(message, [{"field": "query.start", "message": message}])
        window = Window(begin, last)
        series = Series(profile.platform, profile.profile_id, level, Grain.DAY)
        observed = self._observed(profile, series, window)
        rung = Rung(level, spec, self._queries.days(series, window))
        settled = [day.isoformat() for day in window.days() if rung.settled(day, today, profile.timezone)]
        pulled = {name for day in observed.values() for name in day.pulled}
        slices = [name for name in spec.slices if name in pulled or ALL in pulled]
        measured = [
            _Measured(day, first, observed[day])
            for day in settled
            if day in observed and observed[day].is_whole and (first := observed[day].first(slices)) is not None
        ]
        return _SeenDays(level, spec, measured)

    def _observed(self, profile: Profile, series: Series, window: Window) -> Mapping[str, _ObservedDay]:
        days: dict[str, _ObservedDay] = defaultdict(_ObservedDay)
        now: dict[tuple[str, str], tuple[int, ...]] = {}
        for number, line in enumerate(self._metrics.restated(series, window)):
            if not number % _LOOKS:
                self._queries.check_time()
            if isinstance(line, ChangesHeader):
                _note_pull(line, profile, window, days)
                continue
            key, day = (line.entity_id, line.day), days[line.day]
            # What was there before changes were recorded, or is counted in another way since, has no known lag.
            day.is_whole &= (key in now or line.old is None) and line.cause in {Cause.PULL, Cause.TOTAL}
            before, now[key] = now.get(key, _NOTHING), _numbers(line.new)
            if len(now) > limits.MAX_PAST_ITEMS:
                raise TooLarge(f"more than {limits.MAX_PAST_ITEMS} rows changed: ask for fewer days or ad accounts")
            sums = day.changed.get(line.lag, _NOTHING)
            day.changed[line.lag] = [a + b - c for a, b, c in zip(sums, now[key], before, strict=True)]
        return days


class _Measured(NamedTuple):
    """A settled day, and how late it was first pulled."""

    day: str
    first: int
    seen: _ObservedDay


class _SeenDays(NamedTuple):
    """The settled days of an ad account, at the level that answers for it."""

    level: Level
    spec: ServedDataset
    days: Sequence[_Measured]


def _note_pull(header: ChangesHeader, profile: Profile, window: Window, days: Mapping[str, _ObservedDay]) -> None:
    """Note when a pull answered for its days, if nothing did before."""
    if header.cause is not Cause.PULL:
        return
    pulled, on = Window.parse(header.window), local_date(parse_instant(header.as_of), profile.timezone)
    for day in pulled.days():
        if window.start <= day <= window.end:
            first, lag = days[day.isoformat()].pulled, (on - day).days
            first[header.slice] = min(first.get(header.slice, lag), lag)


def _sums(spec: ServedDataset, measured: Sequence[_Measured]) -> list[LagSum]:
    finals = {each.day: each.seen.known() for each in measured}
    found = []
    for after in range(1, max(spec.settles_after_days, 1) + 1):
        days = [each for each in measured if each.first <= after]
        then = _total(each.seen.known(after) for each in days)
        found.append(LagSum(after, len(days), then, _total(finals[each.day] for each in days)))
    return found


def _record(profile: Profile, seen: _SeenDays) -> dict[str, Any]:
    spec, measured, known = seen.spec, seen.days, []
    for after, days, then, final in _sums(spec, measured):
        shares = {name: ratio(Decimal(a), Decimal(b)) for name, a, b in zip(METRICS, then, final, strict=True)}
        known.append({"after_days": after, "days": days, **shares})
    return {
        "platform": str(profile.platform),
        "profile_id": profile.profile_id,
        "account_id": profile.profile_id,
        "client_account_id": profile.account_id,
        "level": seen.level.value,
        "days": len(measured),
        "first_date": measured[0].day if measured else None,
        "last_date": measured[-1].day if measured else None,
        "lookback_days": spec.lookback_days,
        "settles_after_days": spec.settles_after_days,
        "final_after_days": {name: _final_after(known, name) for name in METRICS},
        "known": known,
    }


def _final_after(known: Sequence[Mapping[str, Any]], metric: str) -> int | None:
    """After how many days a metric hardly changed any more; None where that was not seen."""
    found = None
    for point in reversed(known):
        share = point[metric]
        if share is None or abs(share - 1) > _FINAL:
            break
        found = point["after_days"]
    return found


def _total(numbers: Iterable[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(_NOTHING, *numbers, strict=True)]


def _numbers(slot: Slot | None) -> tuple[int, ...]:
    """A slot's numbers; what is unknown counts as nothing."""
    return _NOTHING if slot is None else tuple(number or 0 for number in slot)
