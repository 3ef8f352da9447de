"""Queries over the stored metrics: profiles, a range and filters, grouped, as exact sums.

Which level answers for a day is decided by `reporting.levels`. What the rows of a level leave of the account is a row
of its own, without ids, so that sums are the account's whatever the dimensions. Ratios are derived from the sums; sums
never cross currencies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from math import inf
from typing import Any

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import Grain, Level, Mark, Series, Source
from adweir.model.platforms import Platform
from adweir.model.ports import ServedPlatforms
from adweir.model.times import HOURS_A_DAY, Clock, Window, is_zone, local_date
from adweir.reporting.adjustments import Adjustments
from adweir.reporting.changes import ChangedRow, answering_levels
from adweir.reporting.claimed_readers import ClaimedReaders, Reading
from adweir.reporting.converting import Rates
from adweir.reporting.coverage import CoverageDays
from adweir.reporting.dimensions import Key, RowValues, grouping, matching, none_last
from adweir.reporting.filters import Filters, parse_filters
from adweir.reporting.moments import StoppedClock
from adweir.reporting.owned import Owned, merge_into
from adweir.reporting.questions import Query
from adweir.reporting.reading import (
    ProfileQuestion,
    ProfileReader,
    ReadRow,
    Served,
    specs_of,
)
from adweir.reporting.split_rest import SplitRest
from adweir.reporting.totals import NOTHING, RowSum
from adweir.reporting.views import MetricsHistory, MetricsView
from adweir.store.catalog.store import Catalog
from adweir.store.metrics.store import Adjustment, Change, DayState, StoredRow

_LOOKS = 5000
"""Rows between two looks at the time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an answer may take: groups in memory (0: as many as the API's), and time, as long as `remaining()` seconds
    are at least `margin`."""

    groups: int = 0
    remaining: Callable[[], float] = lambda: inf
    margin: float = 0.0

    @property
    def most(self) -> int:
        """How many groups there may be."""
        return self.groups or limits.MAX_QUERY_GROUPS

    def check_time(self) -> None:
        """Raises TooLarge when there is none left."""
        if self.remaining() < self.margin:
            raise TooLarge("the answer takes too long: ask for less at once")


@dataclass(slots=True)
class Answer:
    """`groups`: group (values in the order of the dimensions, then the currency) → sum, sorted by group.

    Ids are None in the group of what is unattributed. `warnings` names the profiles that could not answer.
    """

    groups: dict[Key, RowSum] = field(default_factory=dict)
    coverage: CoverageDays = field(default_factory=CoverageDays)
    adjustments: Adjustments = field(default_factory=Adjustments)
    warnings: list[str] = field(default_factory=list)
    pulled: set[str] = field(default_factory=set)
    """Keys of the profiles of which some day was pulled."""
    owned: Owned | None = None
    """Whose the groups are, where the query asks for that."""
    before: Answer | None = None
    """That for another range, which this one is compared with."""
    rates: list[dict[str, Any]] = field(default_factory=list)
    """Those that amounts were converted by (`Rates.records`)."""


class Queries:
    """Answers queries from stored metrics."""

    def __init__(
        self,
        catalog: Catalog,
        metrics: MetricsHistory,
        platforms: ServedPlatforms,
        clock: Clock,
        view: MetricsView | None = None,
        bounds: Bounds = Bounds(),
    ) -> None:
        self._catalog = catalog
        self._metrics = metrics
        self._view: MetricsView = metrics if view is None else view
        self._platforms = platforms
        self._clock = clock
        self._bounds = bounds

    def within(self, bounds: Bounds) -> Queries:
        """Queries with other bounds."""
        return Queries(self._catalog, self._metrics, self._platforms, self._clock, self._view, bounds)

    def with_groups_beside(self, groups: int) -> Queries:
        """Queries that leave room for so many groups of another answer."""
        return self.within(replace(self._bounds, groups=max(1, self._bounds.most - groups)))

    def in_one_look(self) -> Queries:
        """Queries for several questions about the same days: each coverage is read once for all of them, and kept."""
        return Queries(self._catalog, self._metrics, self._platforms, self._clock, self._view.snapshot(), self._bounds)

    @property
    def view(self) -> MetricsView:
        """The stored metrics that these queries read."""
        return self._view

    @property
    def now(self) -> datetime:
        """The moment that is today's in each time zone."""
        return self._clock.now()

    @property
    def catalog(self) -> Catalog:
        """What names and statuses come from."""
        return self._catalog

    def parse_platform(self, name: str) -> Platform:
        """Any known name of a platform, or of one whose numbers came by file → the platform. Raises Unprocessable."""
        try:
            return self._platforms.parse(name)
        except Unprocessable:
            by_file = next((each.platform for each in self._catalog.profiles() if each.platform == name.lower()), None)
            if by_file is None:
                raise
            return by_file

    def check_time(self) -> None:
        """Raises TooLarge when there is no time left."""
        self._bounds.check_time()

    def known_at(self, moment: datetime) -> Queries:
        """Queries that answer what these answered at a moment; names, statuses and options are today's."""
        view, clock = self._metrics.known_at(moment), StoppedClock(moment)
        return Queries(self._catalog, self._metrics, self._platforms, clock, view, self._bounds)

    def changes(self, query: Query, since: datetime, until: datetime) -> Iterator[ChangedRow]:
        """The rows that a query sums, of every level that can answer it, as they changed between two moments.

        Raises Unprocessable, TooLarge, Unavailable.
        """
        profiles, _ = self.dated_profiles(query.filters, own=query.is_series)
        for profile in profiles:
            matches = matching(query.filters.within(profile))
            window, (first, last) = query.range.window(profile.timezone), query.range.hours(profile.timezone)
            served = self.served(profile)
            breakdown = query.breakdown_on(served)
            row = RowValues(breakdown)
            specs = specs_of(served, query.grain, breakdown)
            sums = {level: spec.sums_to_parent for level, spec in specs.items()}
            claimed = self.claimed.changes(query, profile, sums) if query.is_claimed else None
            for level in claimed.levels if claimed else answering_levels(query.finest, sums):
                series = Series(profile.platform, profile.profile_id, level, query.grain, breakdown)
                for change in self._metrics.changed(series, window, since, until):
                    hour = -1 if change.slot.hour is None else change.slot.hour % HOURS_A_DAY
                    row.show(_read_of(change, level))
                    in_range = hour < 0 or first <= (change.slot.day, hour) <= last
                    is_asked = (matches is None or matches(row)) and (claimed is None or claimed.has(row, level))
                    if in_range and is_asked:
                        yield ChangedRow(profile, level, row.ids, change)

    @property
    def claimed(self) -> ClaimedReaders:
        """What reads ad accounts by what is bound to cross-platform campaigns."""
        return ClaimedReaders(self._catalog, self.served, self.reader)

    def filters(self, given: Mapping[str, Any], where: str = "filters") -> Filters:
        """Filters as a caller wrote them. Raises Unprocessable that names what is unknown."""
        return parse_filters(given, self.parse_platform, where, self._catalog.few_campaigns)

    def profiles(self, filters: Filters) -> list[Profile]:
        """The profiles that the filters leave, by platform and id; those of deleted accounts too."""
        platform = Platform(filters.platform) if filters.platform else None
        return [profile for profile in self._catalog.profiles(platform=platform) if filters.keep_profile(profile)]

    def dated_profiles(self, filters: Filters, *, own: bool = False) -> tuple[list[Profile], list[str]]:
        """Profiles that the filters leave and whose time zone is known, and a warning for each whose is not.

        They are the profiles with ads, or with `own` the accounts' own ones.
        """
        found = [each for each in self.profiles(filters) if (each.is_own if own else each.has_ads)]
        unknown = [profile for profile in found if not is_zone(profile.timezone)]
        warnings = [
            f"{each.platform} {each.profile_id} is left out: its time zone {each.timezone[:40]!r} is unknown"
            for each in unknown
        ]
        if len(warnings) > limits.MAX_WARNINGS:
            kept = limits.MAX_WARNINGS - 1
            warnings = [*warnings[:kept], f"{len(warnings) - kept} more are left out: their time zones are unknown"]
        return [profile for profile in found if is_zone(profile.timezone)], warnings

    def answer(self, query: Query) -> Answer:
        """The sums, and what they rest on.

        Raises Unprocessable (also where a rate is missing), TooLarge (too many groups, or no time left), Unavailable.
        """
        _ = query.breakdown  # refuses what cannot be asked together, also when nothing is stored
        profiles, warnings = self.dated_profiles(query.filters, own=query.is_series)
        found = Answer(warnings=warnings, owned=Owned(query.dimensions) if query.owned else None)
        rates = Rates(self._catalog, query.convert, query.range.days) if query.convert else None
        summing = _Summing(query, found, self._bounds, rates)
        for profile, reader, rows in self.readings(query, profiles):
            summing.begin(profile, query.breakdown_on(self.served(profile)))
            summing.add_rows(profile, summing.moved(profile, summing.converted(profile, rows)))
            covered = reader.coverage()
            found.coverage.add(profile, covered)
            pulled = [day for day, one in covered.items() if one.pulled_at]
            if pulled:
                found.pulled.add(profile.key)
            if query.owned:
                summing.note_owner(profile, pulled)
            if query.adjusted:
                summing.add_adjustments(profile, reader.adjustments())
        if rates:
            rates.check()
            found.rates = rates.records()
        found.groups = {key: found.groups[key] for key in sorted(found.groups, key=none_last)}
        return found

    def readings(self, query: Query, profiles: Iterable[Profile]) -> Iterator[Reading]:
        """What reads each profile, and the rows that it reads; those of arms alone last. Raises Unavailable.

        In a piece of a range none of the relative days may be in a profile's time zone: it is left out.
        """
        profiles = [each for each in profiles if query.range.window(each.timezone).length > 0]
        if query.is_claimed:
            yield from self.claimed.readers(query, profiles)
            return
        for profile in profiles:
            question = query.question(profile, self.served(profile))
            split = SplitRest(question, partial(self.reader, profile)) if query.has_split_rest else None
            reader = split.reader if split else self.reader(profile, question)
            yield profile, reader, (split or reader).rows()

    def reader(self, profile: Profile, question: ProfileQuestion) -> ProfileReader:
        """What reads one profile; its time zone is known."""
        return ProfileReader(self._view, self.served(profile), profile, question, self.today(profile))

    def today(self, profile: Profile) -> date:
        """The day that it is for the profile."""
        return local_date(self._clock.now(), profile.timezone)

    def days(self, series: Series, window: Window) -> dict[date, DayState]:
        """What was pulled of a series, by day. Raises Unavailable."""
        return self._view.days(series, window)

    def served(self, profile: Profile) -> Served:
        """The datasets of a profile's platform, with its own look-backs; none of one that is not known any more."""
        return self._platforms.served(profile)


class _Summing:
    """Adds the rows of one profile after another to an answer."""

    def __init__(self, query: Query, found: Answer, bounds: Bounds, rates: Rates | None) -> None:
        self._query = query
        self._rates = rates
        self._bounds = bounds
        self._found = found
        self._of_row = grouping(query.dimensions)
        self._breakdown = ""
        self._matches: Callable[[RowValues], bool] | None = None
        self._groups = found.groups

    def begin(self, profile: Profile, breakdown: str) -> None:
        """Go to a profile, whose question has this breakdown."""
        self._breakdown = breakdown
        self._matches = matching(self._query.filters.within(profile))
        if self._query.owned:
            self._groups = {}

    def converted(self, profile: Profile, rows: Iterable[ReadRow]) -> Iterable[ReadRow]:
        """The rows in the currency that is asked for: those that count, for no other needs a rate.

        Raises Unprocessable, Unavailable.
        """
        return rows if self._rates is None else self._in_one_currency(self._rates, profile, rows)

    def _in_one_currency(self, rates: Rates, profile: Profile, rows: Iterable[ReadRow]) -> Iterator[ReadRow]:
        row, adjusted, to = RowValues(self._breakdown), self._query.adjusted, rates.to
        for number, read in enumerate(self._in_range(profile, rows)):
            if not number % _LOOKS:
                self._bounds.check_time()
            row.show(read)
            if self._matches and not self._matches(row):
                continue
            currency, adjustments = read.row.currency or profile.currency, self._found.adjustments
            if adjusted:
                adjustments.add_row(currency, read)
            if read.row.mark is Mark.OVERRIDDEN:
                continue
            slot = rates.convert(profile.account_id, currency, read.row.day, read.row.slot)
            if adjusted and currency != to:
                adjustments.convert((currency, read.row.slot), (to, slot))
            yield read._replace(row=read.row._replace(slot=slot, currency=to))

    def _in_range(self, profile: Profile, rows: Iterable[ReadRow]) -> Iterable[ReadRow]:
        """Those of the hours that are asked for, where rows are hours."""
        if self._query.grain is not Grain.HOUR:
            return rows
        first, last = self._query.range.hours(profile.timezone)
        return (read for read in rows if first <= (read.row.day, read.row.hour) <= last)

    def moved(self, profile: Profile, rows: Iterable[ReadRow]) -> Iterable[ReadRow]:
        """The rows as they are shown: of other days, where the query says so."""
        if self._query.moved is None:
            return rows
        return self._of_other_days(self._in_range(profile, rows), self._query.moved(profile.timezone))

    def add_rows(self, profile: Profile, rows: Iterable[ReadRow]) -> None:
        """Sum what matches. Raises TooLarge."""
        groups, query = self._groups, self._query
        adjustments = self._found.adjustments if query.adjusted and not self._rates else None
        first, last = query.range.hours(profile.timezone)
        by_hour, matches, of_row, row = (
            query.grain is Grain.HOUR and query.moved is None,
            None if self._rates else self._matches,
            self._of_row,
            RowValues(self._breakdown),
        )
        for number, read in enumerate(rows):
            if not number % _LOOKS:
                self._bounds.check_time()
            if by_hour and not first <= (read.row.day, read.row.hour) <= last:
                continue
            row.show(read)
            if matches and not matches(row):
                continue
            currency = read.row.currency or profile.currency
            if adjustments:
                adjustments.add_row(currency, read)
            if read.row.mark is Mark.OVERRIDDEN:
                continue
            key = (*of_row(profile, row), currency)
            total = groups.get(key)
            if total is not None:
                total.add(read.row.slot, read.marks)
            elif len(groups) >= self._bounds.most:
                raise TooLarge(f"more than {self._bounds.most} groups: ask for less at once")
            else:
                groups[key] = RowSum(read.row.slot, read.marks)

    def note_owner(self, profile: Profile, pulled: Iterable[date]) -> None:
        """The groups of the rows that were added last are of this profile, of which these days were pulled."""
        merge_into(self._found.groups, self._groups, self._bounds.most)
        if self._found.owned:
            move = self._query.moved(profile.timezone) if self._query.moved else str
            self._found.owned.add(profile.key, self._groups, [move(day.isoformat()) for day in pulled])

    def _of_other_days(self, rows: Iterable[ReadRow], move: Callable[[str], str]) -> Iterator[ReadRow]:
        """The rows shown as of other days."""
        for read in rows:
            yield read._replace(row=read.row._replace(day=move(read.row.day)))

    def add_adjustments(self, profile: Profile, adjustments: Iterable[tuple[Level, Adjustment]]) -> None:
        """Count those of the objects that the filters leave, in the currencies that their rows were in."""
        row = RowValues(self._breakdown)
        for level, each in adjustments:
            ids = (each.entity_id, each.campaign_id, each.ad_group_id, each.ad_product)
            stored = StoredRow(*ids, "", each.day, -1, (0, 0, 0, 0, 0), Source.PULL, None)
            row.show(ReadRow(stored, level, frozenset()))
            if self._matches is None or self._matches(row):
                self._found.adjustments.add(each.currency or profile.currency, each)


def _read_of(change: Change, level: Level) -> ReadRow:
    """A changed row as readers see rows, without its numbers."""
    slot = change.slot
    parents = (slot.campaign_id, slot.ad_group_id, slot.ad_product, "")
    hour = -1 if slot.hour is None else slot.hour
    row = StoredRow(slot.entity_id, *parents, slot.day, hour, NOTHING, Source(change.header.source), None)
    return ReadRow(row, level, frozenset())
