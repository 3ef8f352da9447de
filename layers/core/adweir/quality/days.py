"""The score of each day of an ad account: its rows, how its levels add up, and whether they agree with its total.

A day's score is made of what is stored when it is made, and made again when a load changed what it was made of, so the
scores of many days are a time series that can be made anew at any time. It is work beside the loads: none of it slows
one down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from adweir.model import limits
from adweir.model.datasets import Gap
from adweir.model.entities import Profile
from adweir.model.errors import NotReady
from adweir.model.invoices import month_of
from adweir.model.metrics import Grain, Level, Series
from adweir.model.ports import ServedDataset, ServedPlatforms
from adweir.model.slices import ALL
from adweir.model.tasks import Stamp
from adweir.model.times import DAY, Clock, Window, is_zone, iso, local_date, parse_instant
from adweir.quality.bills import BillCheck
from adweir.quality.day_tallies import ABSENT
from adweir.quality.levels_read import GapCampaigns, LevelSums, pulled_levels, read_levels
from adweir.quality.reconcile import Reconciled, judged, reconcile
from adweir.quality.score import SLA_SECONDS, Score, Units, mean, timeliness
from adweir.reporting.levels import FINENESS, NO_STATE, Standing
from adweir.store.findings.day_scores import DayScore
from adweir.store.findings.tallies import DayTally, TallyKey

if TYPE_CHECKING:
    from adweir.reporting.invoices import MonthlyBills
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings import Findings
    from adweir.store.metrics.store import DayState, MetricStore

_FAR_APART = timedelta(hours=6)
"""Levels that were pulled further apart are not compared: the platform may have restated the day in between."""
_SLA = SLA_SECONDS[Grain.DAY]
_MONTH = len("2026-11")
Tallies = Mapping[str, list[tuple[TallyKey, DayTally]]]
"""Day → what the loads that answer for it found in their rows."""


@dataclass(frozen=True, slots=True)
class _ScoredAccount:
    """An ad account that is scored: its levels, what was pulled of each, and what loads found."""

    profile: Profile
    specs: Mapping[Level, ServedDataset]
    states: Mapping[Level, Mapping[date, DayState]]
    tallies: Tallies

    def missing(self, day: str) -> list[tuple[Level, str]]:
        """The levels and slices that were not pulled of a day."""
        at = date.fromisoformat(day)
        return [
            (level, slice_)
            for level, spec in self.specs.items()
            for slice_ in spec.slices
            if not {ALL, slice_} & self.states[level].get(at, NO_STATE).known
        ]

    def basis(self, day: str, today: date) -> str:
        """What a day's score is made of, as a short text that differs where it does."""
        at, said = date.fromisoformat(day), [str(_FORM)]
        for level, states in sorted(self.states.items()):
            slices = sorted(states.get(at, NO_STATE).slices.items())
            said += [f"{level} {name} {state.as_of} {state.task_id}" for name, state in slices]
        said += sorted(f"{'#'.join(key)} {tally.stamp}" for key, tally in self.tallies.get(day, ()))
        if self.missing(day):
            said.append(today.isoformat())  # what is missing gets older
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:24]


_FORM = 2
"""The version of a score's content: a greater one has every day scored anew."""


class DayScorer:
    """Scores the days of ad accounts, and explains their bills. Repeated, it goes on where it stopped."""

    def __init__(
        self, catalog: Catalog, metrics: MetricStore, findings: Findings, platforms: ServedPlatforms, clock: Clock,
        bills: MonthlyBills,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._metrics = metrics
        self._findings = findings
        self._platforms = platforms
        self._clock = clock
        self._bills = BillCheck(findings, bills, clock)

    def score(self, account_id: str, remaining: Callable[[], float], margin: float) -> int:
        """Score the days of a client's ad accounts whose numbers or coverage changed; returns how many.

        Raises NotReady when less than `margin` seconds are left: the same call goes on.
        """

        def check() -> None:
            if remaining() < margin:
                raise NotReady("scoring goes on in another invocation", after=1)

        scored = 0
        for profile in self._catalog.profiles(account_id=account_id):
            if profile.has_ads and is_zone(profile.timezone):
                check()
                scored += self._profile(profile, check)
                self._bills.check(profile)
        return scored

    def _profile(self, profile: Profile, check: Callable[[], None]) -> int:
        today = local_date(self._clock.now(), profile.timezone)
        last, oldest = today - DAY, today - timedelta(days=limits.MAX_SCORED_DAYS)
        tallies = self._tallies(profile, oldest, last)
        first = min((day for day in tallies if day >= oldest.isoformat()), default=last.isoformat())
        if not tallies or first > last.isoformat():
            return 0
        window = Window(date.fromisoformat(first), last)
        specs = pulled_levels(profile, self._platforms.served(profile))
        states = {level: self._metrics.days(_series(profile, level), window) for level in specs}
        account = _ScoredAccount(profile, specs, states, tallies)
        known = self._findings.scores.bases(profile.key, first, last.isoformat())
        bases = {day.isoformat(): account.basis(day.isoformat(), today) for day in window.days()}
        todo = [day for day, basis in bases.items() if known.get(day) != basis]
        if not todo:
            return 0
        campaigns = GapCampaigns(self._catalog, profile, {gap for spec in specs.values() for gap in spec.lacks})
        for month in sorted({day[:_MONTH] for day in todo}, reverse=True):
            check()
            days = [day for day in todo if day.startswith(month)]
            made = self._month(account, days, campaigns)
            self._findings.scores.put(profile.key, (DayScore(day, bases[day], body) for day, body in made))
        return len(todo)

    def _tallies(self, profile: Profile, first: date, last: date) -> Tallies:
        found: dict[str, list[tuple[TallyKey, DayTally]]] = {}
        for key, days in self._findings.tallies.months(profile.key, month_of(first), month_of(last)):
            for day, tally in days.items():
                found.setdefault(day, []).append((key, tally))
        return found

    def _month(
        self, account: _ScoredAccount, days: list[str], campaigns: GapCampaigns
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        levels = read_levels(self._metrics.snapshot(), account.profile, account.specs, days, campaigns)
        now = self._clock.now()
        for day in days:
            yield day, _scored(account, day, levels, now)


def _scored(account: _ScoredAccount, day: str, levels: Mapping[Level, LevelSums], now: datetime) -> dict[str, Any]:
    """A day's score as it is kept."""
    units, at = Units(), date.fromisoformat(day)
    for key, tally in account.tallies.get(day, ()):
        units.add_rows(tally.rows, _named(key, tally))
    compared = list(_compared(levels, account.specs, at))
    found_right: list[float] = []
    for each in judged(compared):
        if each.above is Level.ACCOUNT:
            found_right.append(float(each.passes))
            continue
        # As much as a rule that each of its rows has to keep, those that it should have had included.
        rows = max(levels[level].days[day].rows for level in (each.level, each.above)) or 1
        units.add("consistency", rows if each.passes else 0, rows)
    accuracy = mean(found_right)
    found = units.score({"accuracy": accuracy, "timeliness": mean(_timely(account, day, now))})
    return _body(day, found, compared, account.missing(day), now)


def _named(key: TallyKey, tally: DayTally) -> dict[tuple[str, str], int]:
    """A load's failures, its columns named with their level: `ad.spend`."""
    found = {}
    for rule, columns in tally.failures.items():
        for column, rows in columns.items() if rule != ABSENT else ():
            found[rule, f"{key.level}.{column}" if column else key.level] = rows
    return found


def _body(
    day: str, found: Score, compared: list[Reconciled], missing: list[tuple[Level, str]], now: datetime
) -> dict[str, Any]:
    return {
        "date": day,
        "score": found.overall,
        "dimensions": dict(found.dimensions),
        "gates": found.gates,
        "worst": found.offenders,
        "reconciliation": [each.shown() for each in compared if each.above is Level.ACCOUNT or each.difference],
        "missing": [f"{level.value} {slice_}" for level, slice_ in missing][: limits.MAX_FAILED_RULES_NAMED],
        "scored_at": iso(now),
    }


def _compared(
    levels: Mapping[Level, LevelSums], specs: Mapping[Level, ServedDataset], day: date
) -> Iterator[Reconciled]:
    """Each level that was pulled whole beside the nearest one above it that was, too, at about the same time."""
    above: Level | None = None
    for level in FINENESS:
        sums = levels.get(level)
        if sums is None or sums.rung.standing(day) is not Standing.WHOLE:
            continue
        if above is not None and _comparable(levels[above], sums, day, above):
            both = sums.days[day.isoformat()], levels[above].days[day.isoformat()]
            yield from reconcile((level, above), *both, _gaps(specs, above, level))
        above = level


def _gaps(specs: Mapping[Level, ServedDataset], above: Level, level: Level) -> Iterable[Gap]:
    """Why a level may have less than one above it: its own reasons, and those of the levels in between."""
    between = FINENESS[FINENESS.index(above) + 1 : FINENESS.index(level) + 1]
    return {gap.reason: gap for each in between if each in specs for gap in specs[each].lacks}.values()


def _comparable(above: LevelSums, below: LevelSums, day: date, level: Level) -> bool:
    """Whether two levels are of about the same time. An account's total may not be the older one: then it is no
    reference for what came after it."""
    one, other = (parse_instant(sums.rung.pulled_at(day) or "") for sums in (above, below))
    if level is Level.ACCOUNT:
        held = any(above.days[day.isoformat()].held) or any(above.days[day.isoformat()].refused)
        return not held and one >= other
    return abs(one - other) <= _FAR_APART


def _timely(account: _ScoredAccount, day: str, now: datetime) -> Iterator[float]:
    """How timely each slice of each level is: by how long its load took, or how long it is missing."""
    for _, tally in account.tallies.get(day, ()):
        took = parse_instant(tally.stored_at) - parse_instant(Stamp.parse(tally.stamp).as_of)
        yield timeliness(took.total_seconds(), _SLA)
    over = datetime.combine(date.fromisoformat(day) + DAY, datetime.min.time(), ZoneInfo(account.profile.timezone))
    for _ in account.missing(day):
        yield timeliness((now - over).total_seconds(), _SLA)


def _series(profile: Profile, level: Level) -> Series:
    return Series(profile.platform, profile.profile_id, level, Grain.DAY)
