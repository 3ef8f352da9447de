"""Reads what answers a question about one profile: each level once, from coarse to fine.

Beside the rows it says what each day's coverage is and, below the account level, what the rows leave of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from operator import add
from typing import NamedTuple, cast

from adweir.model import limits
from adweir.model.campaigns import Claim
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile, ProfileStatus
from adweir.model.metrics import SERIES_LEVELS, SOURCE_ORDER, Grain, Level, Mark, Series, Slot, Source, own_id, plus
from adweir.model.ports import ServedDataset
from adweir.model.times import Window
from adweir.reporting.asked_level import AskedLevel
from adweir.reporting.levels import FINENESS, Ladder, Rung, Standing
from adweir.reporting.totals import KEPT, LIVE, NOTHING, UNATTRIBUTED, minus
from adweir.reporting.views import MetricsView
from adweir.store.metrics.store import Adjustment, Bundle, DayState, Only, StoredRow, SummedRows

_PULLED = frozenset({ProfileStatus.ACTIVE, ProfileStatus.DENIED})
_NO_MARKS: frozenset[str] = frozenset()
_KEPT = frozenset({KEPT})
_LIVE = frozenset({LIVE})
_REST = frozenset({UNATTRIBUTED})


Served = Mapping[Dataset, ServedDataset]


@dataclass(frozen=True, slots=True)
class ProfileQuestion:
    """What to read of a profile: rows of a level, by days or hours, of its local dates in `window`.

    `rest`: also what the level's rows leave of the account, per day. `live`: days that are not over from their hours.
    `hidden`: also the rows that a preferred source hides. `fold`: what the answer shows of a day (ISO), None where that
    is the day itself; rows of days of which it shows the same may come summed. `only`: rows of other entities may be
    left out; None: of none.
    """

    window: Window
    level: Level
    grain: Grain = Grain.DAY
    breakdown: str = ""
    sources: tuple[Source, ...] = SOURCE_ORDER
    rest: bool = False
    live: bool = False
    hidden: bool = False
    fold: Callable[[str], Hashable] | None = None
    only: Only | None = None


class ReadRow(NamedTuple):
    """A row that answers. Its ids are empty when it is what the others leave unattributed.

    `claim`: what it belongs to of cross-platform campaigns, where that is asked.
    """

    row: StoredRow
    level: Level
    marks: frozenset[str]
    claim: Claim | None = None

    @property
    def own_id(self) -> str:
        """An ad's or a keyword's id without its group's."""
        return own_id(self.row.entity_id)

    @property
    def is_rest(self) -> bool:
        return UNATTRIBUTED in self.marks


class DayCoverage(NamedTuple):
    """What one profile's answer for a day rests on. `missing`: the slices that were not pulled.

    `whole`: what answers was pulled whole, at the level that was asked or at a finer one.
    """

    pulled_at: str | None
    missing: tuple[str, ...]
    settled: bool
    live: bool
    whole: bool


def specs_of(served: Served, grain: Grain, breakdown: str) -> dict[Level, ServedDataset]:
    """The metric datasets of a grain and breakdown, by level."""
    return {
        dataset.level: spec
        for dataset, spec in served.items()
        if dataset.grain is grain and dataset.breakdown == breakdown
    }


def is_due(profile: Profile, spec: ServedDataset) -> bool:
    """Whether a day of the dataset that was not pulled is missing.

    It is not where the ad account has ended, nor where a dataset is pulled on request and the profile's options do not
    name it.
    """
    return profile.status in _PULLED and (not spec.on_request or spec.dataset in profile.requested)


class _Pass:
    """The rows of one grain."""

    def __init__(self, reader: ProfileReader, question: ProfileQuestion, grain: Grain, days: Collection[date]) -> None:
        self._reader = reader
        self._question = question
        self.grain = grain
        self.asked = AskedLevel(question.level)
        self._account = AskedLevel(Level.ACCOUNT)
        self.ladder = reader.ladder(question, grain, days)
        self._of_account: dict[tuple[str, int, str], Slot] = {}
        self._of_rows: dict[tuple[str, int, str], Slot] = {}
        self._summed: dict[tuple[bool, tuple[str, ...], str], list[int]] = {}
        """Whether asked, days, currency → five numbers per day, of rows that came added up."""

    def answer(self, days: Iterable[date]) -> None:
        """Decide, as far as coverage tells, who answers for these days."""
        for day in days:
            self.asked.days[day.isoformat()] = self.ladder.answering(self.asked.level, day)
            if self._question.rest:
                self._account.days[day.isoformat()] = self.ladder.answering(Level.ACCOUNT, day)

    def has_coverage(self, day: date) -> bool:
        return any(rung.standing(day) is not Standing.NONE for rung in self.ladder.rungs.values())

    def rows(self) -> Iterator[ReadRow]:
        """The rows that answer, then what they leave of the account."""
        is_live = self.grain is not self._question.grain
        for level in self.ladder.rungs:
            yield from self._of_level(level, _LIVE if is_live else _NO_MARKS)
        yield from self._rest(_REST | _LIVE if is_live else _REST)

    def _of_level(self, level: Level, always: frozenset[str]) -> Iterator[ReadRow]:
        asked, account = set(self.asked.may(level)), set(self._account.may(level))
        days = asked | account
        if not days or not self._reader.has_series(level, self.grain):
            return
        for found in self._stored(level, asked, account):
            row, summed = (found.row, found) if isinstance(found, SummedRows) else (found, None)
            day = row.day
            for_asked, for_account = day in asked, day in account
            if row.mark is Mark.OVERRIDDEN:
                if for_asked:
                    yield ReadRow(row, level, always)
                continue
            days_of_row = summed.days if summed else (day,)
            if for_account:
                self._account.take(days_of_row, level)
            if for_asked:
                self.asked.take(days_of_row, level)
                yield ReadRow(row, level, always | _KEPT if row.mark is Mark.KEPT else always)
            if self._question.rest and for_asked is not for_account:
                self._sum_up(row if summed is None else summed, -1 if always else row.hour, for_asked=for_asked)

    def _sum_up(self, found: StoredRow | SummedRows, hour: int, *, for_asked: bool) -> None:
        """Add to the sums of the level that is asked, or of the account."""
        currency = found.currency if isinstance(found, StoredRow) else found.row.currency
        currency = currency or self._reader.profile.currency
        if isinstance(found, SummedRows):
            known = self._summed.get((for_asked, found.days, currency))
            numbers = found.numbers if known is None else list(map(add, known, found.numbers))
            self._summed[for_asked, found.days, currency] = numbers
            return
        sums = self._of_rows if for_asked else self._of_account
        key = (found.day, hour, currency)
        sums[key] = plus(sums[key], found.slot) if key in sums else found.slot

    def _stored(self, level: Level, asked: set[str], account: set[str]) -> Iterator[StoredRow | SummedRows]:
        """A level's stored rows of these days; of those in `_without_pulls` what the other sources have.

        Rows are added up at most where the answer shows the same of their days, and they are for the same.
        """
        days = asked | account
        unpulled, sources = self._without_pulls(level, days), self._question.sources
        fold = self._question.fold if self.grain is Grain.DAY else None

        def bundle(day: str) -> Hashable:
            if day not in days:
                return None
            return day if fold is None or day in unpulled else (fold(day), day in asked, day in account)

        found = set(unpulled)
        if unpulled < days:  # most often nothing is stored of today: then this read is the only one
            found = set()
            for row in self._read(level, days, sources, bundle):
                if isinstance(row, StoredRow) and row.day in unpulled:
                    found.add(row.day)
                else:
                    yield row
        others = [source for source in sources if source is not Source.PULL]
        yield from self._read(level, found, others, lambda day: day if day in found else None)

    def _read(
        self, level: Level, days: set[str], sources: Sequence[Source], bundle: Bundle
    ) -> Iterator[StoredRow | SummedRows]:
        if not days or not sources:
            return
        # Where a finer level answers unless this one has rows, it matters whether there are any, of whatever entity.
        named = self._question.only
        whole = days if named is None else {day for day in days if not self.asked.is_last(day, level)}
        for part, only in ((whole, None), (days - whole, named)):
            if part:
                yield from self._reader.metrics.sums(
                    self._reader.series(level, self.grain),
                    Window(date.fromisoformat(min(part)), date.fromisoformat(max(part))),
                    lambda day, part=part: bundle(day) if day in part else None,  # type: ignore[misc]
                    sources=sources,
                    only=only,
                    overridden=self._question.hidden,
                )

    def _without_pulls(self, level: Level, days: Iterable[str]) -> set[str]:
        """The days of which a level's pulls are not read, whichever level asks: not over, and not covered by any pull.

        A pull of today that broke off would otherwise count at some levels only: most queries by day include today, and
        none of them can read a month of every ad for it. By hour it is one day, and all levels are read.
        """
        if self.grain is Grain.HOUR or Source.PULL not in self._question.sources:
            return set()
        rung, today = self.ladder.rungs[level], self._reader.today.isoformat()
        return {day for day in days if day >= today and not rung.standing(date.fromisoformat(day))}

    def _rest(self, marks: frozenset[str]) -> Iterator[ReadRow]:
        for (for_asked, days, currency), numbers in self._summed.items():
            sums = self._of_rows if for_asked else self._of_account
            for place, day in enumerate(days):
                slot = cast("Slot", tuple(numbers[5 * place : 5 * place + 5]))
                sums[day, -1, currency] = plus(sums.get((day, -1, currency), NOTHING), slot)
        for key in sorted(self._of_account.keys() | self._of_rows.keys()):
            day, hour, currency = key
            level = self._account.answered_by(day)
            if level is None or self.ladder.rungs[level].standing(date.fromisoformat(day)) is Standing.PART:
                continue
            rest = minus(self._of_account.get(key, NOTHING), self._of_rows.get(key, NOTHING))
            untold = None in rest and key in self._of_rows  # the account's number is unknown, the rows have some
            if any(rest) or untold:
                row = StoredRow("", "", "", "", currency, day, hour, rest, Source.PULL, None)
                yield ReadRow(row, self.asked.level, marks)


class ProfileReader:
    """One profile's answer to a question. Read `rows` to the end, then ask for `coverage` and `adjustments`."""

    def __init__(
        self, metrics: MetricsView, served: Served, profile: Profile, question: ProfileQuestion, now_local: date
    ) -> None:
        self.metrics = metrics.snapshot()
        self.profile = profile
        self.question = question
        self.today = now_local
        self._served = served
        self._passes: dict[str, _Pass] = {}
        self._known: dict[tuple[Level, Grain], tuple[Window, dict[date, DayState]]] = {}

    def rows(self) -> Iterator[ReadRow]:
        """The rows that answer. Raises Unavailable."""
        question = self.question
        days = list(question.window.days())
        live = self.live_days() if question.live else set()
        if live:
            self._foresee(Grain.HOUR, live)
            by_hour = _Pass(self, question, Grain.HOUR, live)
            by_hour.answer(live)
            yield from by_hour.rows()
            self._passes |= {day.isoformat(): by_hour for day in live}
        left = [day for day in days if day not in live]
        if left:
            self._foresee(question.grain, left)
            by_day = _Pass(self, question, question.grain, left)
            by_day.answer(left)
            self._passes |= {day.isoformat(): by_day for day in left}
            yield from by_day.rows()

    def _foresee(self, grain: Grain, days: Collection[date]) -> None:
        """Look up at once what the levels that are asked rest on: their rows are read of all sources in any case."""
        levels = {self.question.level, *([Level.ACCOUNT] if self.question.rest else [])}
        series = [self.series(level, grain) for level in levels if self.has_series(level, grain)]
        self.metrics.foresee(series, Window(min(days), max(days)), self.question.sources)

    def whole_days(self) -> set[str]:
        """The days (ISO) of which what answers by day was pulled whole. Raises Unavailable."""
        question = self.question
        days = [day for day in question.window.days() if day <= self.today]
        if not days:
            return set()
        ladder = self.ladder(question, question.grain, days)
        last = {day: ladder.rungs[ladder.answering(question.level, day).levels[-1]] for day in days}
        return {day.isoformat() for day, rung in last.items() if rung.standing(day) is Standing.WHOLE}

    def live_days(self) -> set[date]:
        """The days that a question by day with `live` is answered for by their hours. Raises Unavailable.

        They are today where its account was not pulled whole, and the last days of which nothing was pulled by day, as
        far as there are hours of any level: for days that are over, hours that were pulled, or others where nothing is
        stored by day. The account's answer decides it for every level, so that their rows add up
        to the same; keywords, which no account sums, decide for themselves.
        """
        question = self.question
        if question.grain is not Grain.DAY or question.breakdown or question.level in SERIES_LEVELS:
            return set()
        days = [day for day in question.window.days() if day <= self.today]
        if not days:
            return set()
        measure = Level.KEYWORD if question.level is Level.KEYWORD else Level.ACCOUNT
        asked = replace(question, level=measure, rest=False, hidden=False, only=None)
        by_day = _Pass(self, asked, Grain.DAY, days)
        candidates = [day for day in days if self._may_be_live(by_day, day)][-limits.MAX_LIVE_DAYS :]
        if not candidates:
            return set()
        by_hour = _Pass(self, asked, Grain.HOUR, candidates)
        live = {day for day in candidates if by_hour.has_coverage(day)}
        for day in candidates:
            if day not in live and self._has_rows(asked, Grain.HOUR, day):
                live |= {day} if day == self.today or not self._has_rows(asked, Grain.DAY, day) else set()
        return live

    def _has_rows(self, asked: ProfileQuestion, grain: Grain, day: date) -> bool:
        read = _Pass(self, asked, grain, [day])
        read.answer([day])
        return any(True for _ in islice(read.rows(), 1))

    def coverage(self) -> dict[date, DayCoverage]:
        """What the answer of each day that has begun rests on; empty where pulls are not asked, or not made."""
        found: dict[date, DayCoverage] = {}
        if Source.PULL in self.question.sources:
            for day, read in self._passes.items():
                when = date.fromisoformat(day)
                covered = self._coverage(read, when) if when <= self.today else None
                if covered:
                    found[when] = covered
        return found

    def adjustments(self) -> Iterator[tuple[Level, Adjustment]]:
        """How the rows that answered differ from what was sent, each with its level. Raises Unavailable."""
        by_series: dict[tuple[Level, Grain], list[str]] = {}
        for day, read in self._passes.items():
            level = read.asked.answered_by(day)
            if level is not None and self.has_series(level, read.grain):
                by_series.setdefault((level, read.grain), []).append(day)
        if Source.PULL in self.question.sources:
            for (level, grain), days in by_series.items():
                window, kept = Window(date.fromisoformat(min(days)), date.fromisoformat(max(days))), set(days)
                found = self.metrics.adjusted(self.series(level, grain), window)
                yield from ((level, each) for each in found if each.day in kept)

    def series(self, level: Level, grain: Grain) -> Series:
        """The profile's series of a level, of the question's breakdown."""
        return Series(self.profile.platform, self.profile.profile_id, level, grain, self.question.breakdown)

    def has_series(self, level: Level, grain: Grain) -> bool:
        """Whether there can be rows: only pulls bring breakdowns, so the platform has to serve them."""
        return not self.question.breakdown or level in specs_of(self._served, grain, self.question.breakdown)

    def ladder(self, question: ProfileQuestion, grain: Grain, days: Collection[date]) -> Ladder:
        """The levels that may answer, with what was pulled: of finer ones only where the coarser ones leave a gap."""
        specs = specs_of(self._served, grain, question.breakdown)
        asked = [question.level, *([Level.ACCOUNT] if question.rest else [])]
        levels = _levels(question)
        whole = Window(min(days), max(days))
        rungs = {level: self._rung(specs.get(level), level, grain, whole) for level in levels if level in asked}
        for level in levels:
            if level not in rungs:
                open_days = [
                    day
                    for day in days
                    if any(
                        rungs[each].standing(day) is not Standing.WHOLE
                        for each in asked
                        if levels.index(each) < levels.index(level)
                    )
                ]
                span = Window(min(open_days), max(open_days)) if open_days else None
                rungs[level] = self._rung(specs.get(level), level, grain, span)
        return Ladder(rungs[level] for level in levels)

    def _rung(self, spec: ServedDataset | None, level: Level, grain: Grain, window: Window | None) -> Rung:
        never_pulled = spec is None and (grain is Grain.HOUR or bool(self.question.breakdown))
        if window is None or Source.PULL not in self.question.sources or never_pulled:
            return Rung(level, spec, {})  # each day of hours would be a request
        read, states = self._known.get((level, grain), (None, {}))
        if read is None or not read.start <= window.start <= window.end <= read.end:
            states = self.metrics.days(self.series(level, grain), window)
            self._known[level, grain] = (window, states)
        return Rung(level, spec, states)

    def _may_be_live(self, by_day: _Pass, day: date) -> bool:
        if by_day.ladder.answering(by_day.asked.level, day).whole:
            return False
        return day == self.today or (day < self.today and not by_day.has_coverage(day))

    def _coverage(self, read: _Pass, day: date) -> DayCoverage | None:
        answering, is_live = read.asked.days[day.isoformat()], read.grain is not self.question.grain
        by = read.ladder.rungs[read.asked.answered_by(day.isoformat()) or self.question.level]
        due = by if answering.whole else read.ladder.reference(self.question.level)
        if due is None and is_live:  # no hours are pulled: what is due is the day
            due = self.ladder(self.question, Grain.DAY, [day]).reference(self.question.level)
        spec = due.spec if due else None
        wanted = spec is not None and is_due(self.profile, spec)
        if not (wanted or is_live) and by.standing(day) is Standing.NONE:
            return None
        missing = due.missing(day) if due and wanted and not answering.whole else ()
        is_whole = by.standing(day) is Standing.WHOLE
        settled = not (missing or is_live) and by.settled(day, self.today, self.profile.timezone)
        return DayCoverage(by.pulled_at(day), missing, settled, is_live, is_whole)


def _levels(question: ProfileQuestion) -> list[Level]:
    """From coarse to fine. A breakdown of keywords answers for coarser levels, too: nothing else is summed with it."""
    if question.level not in FINENESS:
        return [question.level]
    coarsest = Level.ACCOUNT if question.rest else question.level
    levels = list(FINENESS[FINENESS.index(coarsest) :])
    return [*levels, Level.KEYWORD] if question.breakdown and question.level is not Level.AD else levels
