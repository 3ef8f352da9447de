"""Sums of a client's metrics by platform, channel, campaign and arm, per day, week and month.

One Parquet object per client, level and grain (`store.raw.sums`). Its metadata says what it is made of, so that it is
replaced whole or not at all, and not at all where it would be the same.

The numbers are those of reports by the same dimensions: amounts of different currencies have rows of their own, a
number that no row of a group has is empty, ratios follow from the sums. A row is of a whole period; it says how many of
its days were pulled whole.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from adweir.insight.parquet import CsvLines, to_parquet
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import NotFound, TooLarge
from adweir.model.flows import SumGrain, SumLevel
from adweir.model.metrics import METRICS, Level
from adweir.model.platforms import Platform
from adweir.model.times import DAY, Window, first_of_month, is_zone
from adweir.reporting.bound_to import ARM, CROSS_CAMPAIGN, BoundTo
from adweir.reporting.dimensions import Key, RowValues
from adweir.reporting.questions import Query
from adweir.reporting.ranges import parse_range
from adweir.reporting.reading import DayCoverage, ProfileQuestion, ReadRow
from adweir.reporting.totals import KEPT, UNATTRIBUTED, RowSum, measures
from adweir.store.raw.sums import SumsObject, sums_key

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore

_FORM = 1
"""Of what is made of the same numbers. A greater one has every object made anew."""
_LOOKS = 5000
"""Rows between two looks at the time."""
_WEEK = 7
_PERIOD: Mapping[SumGrain, str] = {SumGrain.DAY: "date", SumGrain.WEEK: "week", SumGrain.MONTH: "month"}
_OF_LEVEL: Mapping[SumLevel, tuple[str, ...]] = {
    SumLevel.PLATFORM: ("platform",),
    SumLevel.CHANNEL: ("platform", "channel"),
    SumLevel.CAMPAIGN: ("platform", "account_id", "campaign_id", "campaign_name", "channel"),
    SumLevel.ARM: ("platform", CROSS_CAMPAIGN, ARM, "cross_campaign_name", "channel", "creative"),
}
_SUMS: Mapping[str, str] = {
    "impressions": "BIGINT",
    "clicks": "BIGINT",
    **dict.fromkeys(("conversions", "spend", "revenue"), "DECIMAL(24,6)"),
    **dict.fromkeys(("ctr", "cvr", "cpa", "cpc", "cpm", "roas", "acos"), "DECIMAL(38,6)"),
}
_NOTES: Mapping[str, str] = {
    **{f"unknown_{name}": "BIGINT" for name in METRICS},
    KEPT: "BOOLEAN",
    UNATTRIBUTED: "BOOLEAN",
    "days": "BIGINT",
    "covered_days": "BIGINT",
    "complete": "BOOLEAN",
    "settled": "BOOLEAN",
}


class _KnownDays:
    """The days of each platform and ad account that are over: those that were pulled whole, and those that were not."""

    def __init__(self) -> None:
        self._covered: dict[Key, set[date]] = defaultdict(set)
        self._lacking: dict[Key, set[date]] = defaultdict(set)
        self._open: dict[Key, set[date]] = defaultdict(set)
        self.as_of = ""

    def add(self, profile: Profile, today: date, found: Mapping[date, DayCoverage]) -> None:
        """Add what is known of days of an ad account; of days that are not named nothing is missing."""
        scopes = (str(profile.platform),), (str(profile.platform), profile.shown_id)
        for day, one in found.items():
            is_covered = one.whole and not one.missing and day < today
            for scope in scopes:
                (self._covered if is_covered else self._lacking)[scope].add(day)
                if not one.settled:
                    self._open[scope].add(day)
            self.as_of = max(self.as_of, one.pulled_at or "")

    def covered(self, scope: Key, days: Iterable[date]) -> int:
        """How many of some days all ad accounts have whole."""
        whole, lacking = self._covered[scope], self._lacking[scope]
        return sum(day in whole and day not in lacking for day in days)

    def are_final(self, scope: Key, days: Iterable[date]) -> bool:
        """Whether none of some days is restated any more."""
        return self._open[scope].isdisjoint(days)

    @property
    def until(self) -> str:
        """The last day that all platforms have whole, "" without any."""
        covered = set().union(*self._covered.values()) - set().union(*self._lacking.values())
        return max(covered).isoformat() if covered else ""


class _Names(NamedTuple):
    """A campaign's name, and what its platform calls its kind."""

    name: str | None
    channel: str | None


_UNNAMED = _Names(None, None)


class _ArmNames(NamedTuple):
    """What is said of an arm, or of what a cross-platform campaign has beside its arms."""

    campaign: str | None
    channel: str | None
    creative: str | None


_NO_ARM = _ArmNames(None, None, None)
_AllNames = Mapping[Key, _Names | _ArmNames]


class _SumTable:
    """The sums of one level and grain. Those of periods that are over are written, and memory has the others."""

    def __init__(self, level: SumLevel, grain: SumGrain, place: Path, days: _KnownDays, names: _AllNames) -> None:
        self.level, self.grain, self.days = level, grain, days
        self._names = names
        self.path = place / f"{level}_{grain}.csv"
        self.columns = (_PERIOD[grain], *_OF_LEVEL[level], "currency", *_SUMS, *_NOTES)
        self.rows = self.incomplete = 0
        self.first = self.last = ""
        self._groups: dict[date, dict[Key, RowSum]] = defaultdict(dict)
        self._open = 0
        with self._file() as file:
            csv.writer(CsvLines(file)).writerow(self.columns)

    @property
    def types(self) -> dict[str, str]:
        """Column → SQL type."""
        kinds = {"date": "DATE", "week": "DATE", **_SUMS, **_NOTES}
        return {name: kinds.get(name, "VARCHAR") for name in self.columns}

    def add(self, key: Key, read: ReadRow) -> None:
        """Add a row to its group. Raises TooLarge."""
        groups = self._groups[_first_day(self.grain, read.row.day)]
        found = groups.get(key)
        if found is not None:
            found.add(read.row.slot, read.marks)
            return
        if self._open >= limits.MAX_AGGREGATED_GROUPS:
            raise TooLarge(
                f"a month has more than {limits.MAX_AGGREGATED_GROUPS:,} sums by {self.level} per {self.grain}:"
                " leave this level or grain out of the stage"
            )
        self._open += 1
        groups[key] = RowSum(read.row.slot, read.marks)

    def write_until(self, last: date) -> None:
        """Write the periods that end by a day."""
        with self._file() as file:
            writer = csv.writer(CsvLines(file))
            for first in sorted(self._groups):
                days = _days_of(self.grain, first)
                if days[-1] <= last:
                    groups = self._groups.pop(first)
                    self._open -= len(groups)
                    writer.writerows(self._written(days, groups))

    def _written(self, days: Sequence[date], groups: Mapping[Key, RowSum]) -> Iterator[list[str]]:
        shown = days[0].isoformat()
        period = shown[: len("2026-11")] if self.grain is SumGrain.MONTH else shown
        self.first, self.last = self.first or shown, shown
        covered: dict[Key, tuple[int, bool]] = {}
        for key in sorted(groups, key=_none_last):
            scope = key[:2] if self.level is SumLevel.CAMPAIGN else key[:1]
            if scope not in covered:
                covered[scope] = self.days.covered(scope, days), self.days.are_final(scope, days)
            count, is_final = covered[scope]
            is_complete = count == len(days)
            self.rows += 1
            self.incomplete += not is_complete
            total = groups[key]
            numbers = measures(total.slot)
            unknown = (total.unknown.get(name, 0) for name in METRICS)
            marks = KEPT in total.marks, UNATTRIBUTED in total.marks
            rests_on = len(days), count, is_complete, is_complete and is_final
            values = (*(numbers[name] for name in _SUMS), *unknown, *marks, *rests_on)
            yield [period, *map(_text, self._cells(key)), *map(_text, values)]

    def _cells(self, key: Key) -> Key:
        """The values of a group's columns."""
        if self.level is SumLevel.ARM:
            return *key[:3], *self._names.get(key[1:3], _NO_ARM), key[3]
        if self.level is not SumLevel.CAMPAIGN:
            return key[:-1]
        return *key[:3], *self._names.get(key[:3], _UNNAMED), key[3]

    def _file(self) -> TextIO:
        return self.path.open("a", encoding="utf-8", newline="")


class _ClientSums:
    """The tables of a client: `fill` them, then their files are whole."""

    def __init__(
        self, queries: Queries, profiles: Sequence[Profile], asked: Iterable[tuple[SumLevel, SumGrain]], place: Path
    ) -> None:
        self._queries = queries
        self._profiles = profiles
        self.names: dict[Key, _Names] = {}
        """Platform, ad account and campaign → what it is called."""
        self._arms: dict[Key, _ArmNames] = {}
        """Cross-platform campaign and arm → what they are called."""
        self._of_accounts, self._of_campaigns, self._of_arms = _KnownDays(), _KnownDays(), _KnownDays()
        self.tables = [
            _SumTable(level, grain, place, self._days_of(level), self._arms if level is SumLevel.ARM else self.names)
            for level, grain in dict.fromkeys(asked)
        ]

    def fill(self, check: Callable[[], None]) -> None:
        """Read the accounts' totals, which also show since when there are any, then their campaigns, month by month."""
        if not self._profiles:
            return
        yesterday = max(map(self._queries.today, self._profiles)) - DAY
        whole = Window(first_of_month(yesterday, 1 - limits.MAX_AGGREGATED_MONTHS), yesterday)
        begin = min(self._fill_account(profile, whole, check) for profile in self._profiles)
        bound = self._queries.claimed.everything({each.account_id for each in self._profiles})
        by_arm = self._of(SumLevel.ARM) if bound.campaigns else []
        for campaign in bound.campaigns.values():
            self._arms[campaign.campaign_id, None] = _ArmNames(campaign.name, None, None)
            for arm in campaign.arms:
                names = _ArmNames(campaign.name, arm.channel or None, arm.creative or None)
                self._arms[campaign.campaign_id, arm.arm_id] = names
        for month in _months(Window(begin, yesterday)) if self._by_campaign or by_arm else ():
            for profile in self._profiles if self._by_campaign else ():
                self._fill_campaigns(profile, month, check)
            if by_arm:
                self._fill_arms(by_arm, bound, month, check)
            for table in (*self._by_campaign, *by_arm):
                table.write_until(month.end)
        for table in self.tables:
            table.write_until(date.max)

    def _days_of(self, level: SumLevel) -> _KnownDays:
        known = {SumLevel.PLATFORM: self._of_accounts, SumLevel.ARM: self._of_arms}
        return known.get(level, self._of_campaigns)

    def _of(self, *levels: SumLevel) -> list[_SumTable]:
        return [table for table in self.tables if table.level in levels]

    @property
    def _by_campaign(self) -> list[_SumTable]:
        return self._of(SumLevel.CHANNEL, SumLevel.CAMPAIGN)

    def _fill_account(self, profile: Profile, whole: Window, check: Callable[[], None]) -> date:
        """Add the totals of an ad account; the first day of which anything is known."""
        reader = self._queries.reader(profile, ProfileQuestion(whole, Level.ACCOUNT))
        tables = self._of(SumLevel.PLATFORM)
        begin = whole.end + DAY
        for read in _timed(reader.rows(), check):
            begin = min(begin, date.fromisoformat(read.row.day))
            for table in tables:
                table.add((str(profile.platform), _currency(profile, read), False), read)
        found = reader.coverage()
        self._of_accounts.add(profile, self._queries.today(profile), found)
        return min([begin, *(day for day, one in found.items() if one.pulled_at)])

    def _fill_campaigns(self, profile: Profile, month: Window, check: Callable[[], None]) -> None:
        reader = self._queries.reader(profile, ProfileQuestion(month, Level.CAMPAIGN, rest=True))
        tables, values = self._by_campaign, RowValues("")
        for read in _timed(reader.rows(), check):
            values.show(read)
            keys = self._keys(profile, values.campaign_id(), read)
            for table in tables:
                table.add(keys[table.level], read)
        self._of_campaigns.add(profile, self._queries.today(profile), reader.coverage())

    def _fill_arms(self, tables: Sequence[_SumTable], bound: BoundTo, month: Window, check: Callable[[], None]) -> None:
        """Add what belongs to campaigns and arms, and what belongs to none; last the arms that are bound to nothing."""
        span = parse_range(month.start.isoformat(), month.end.isoformat(), month.end)
        query, readers = Query(span, (CROSS_CAMPAIGN, ARM, "date")), self._queries.claimed
        of_profiles = ((each, readers.of_profile(query, bound, each)) for each in self._profiles)
        of_arms = ((profile, reader) for profile, reader, _ in readers.of_arms(query, bound))
        for profile, reader in chain(of_profiles, of_arms):
            for read in _timed(reader.rows(), check):
                claim = read.claim
                ids = (claim.campaign_id or None, claim.arm_id or None) if claim else (None, None)
                for table in tables:
                    table.add((str(profile.platform), *ids, _currency(profile, read), False), read)
            self._of_arms.add(profile, self._queries.today(profile), reader.coverage())

    def _keys(self, profile: Profile, campaign_id: str | None, read: ReadRow) -> dict[SumLevel, Key]:
        """A row's group by level; its last part says whether the row is what the campaigns leave of their account.

        A campaign that its platform never listed is of the ad product that its first row says.
        """
        platform, currency = str(profile.platform), _currency(profile, read)
        campaign = platform, profile.shown_id, campaign_id
        known = self.names.get(campaign, _UNNAMED)
        if known.channel is None and read.row.ad_product:
            known = self.names[campaign] = known._replace(channel=read.row.ad_product)
        return {
            SumLevel.CHANNEL: (platform, known.channel, currency, read.is_rest),
            SumLevel.CAMPAIGN: (*campaign, currency, read.is_rest),
        }


class Aggregator:
    """Makes and stores the sums of clients.

    `channel_field` says which field of a platform's campaigns names their channel (`PlatformSpec.channel`).
    """

    def __init__(
        self, catalog: Catalog, queries: Queries, objects: RawStore, channel_field: Callable[[Platform], str]
    ) -> None:
        self._catalog = catalog
        self._queries = queries
        self._objects = objects
        self._channel_field = channel_field

    def aggregate(
        self,
        account_id: str,
        asked: Iterable[tuple[SumLevel, SumGrain]],
        remaining: Callable[[], float],
        margin: float,
    ) -> dict[str, int]:
        """Make the sums of a client that are not up to date; counts of `aggregates` and of those `aggregates_stored`.

        They are of three years up to yesterday. Raises NotFound for an account that is gone, TooLarge where they take
        too much memory, or there are less than `margin` seconds left.
        """

        def check() -> None:
            if remaining() < margin:
                raise TooLarge("the sums take longer than one invocation: divide levels and grains over several stages")

        account_id = self._catalog.account(account_id).account_id
        known = [each for each in self._catalog.profiles(account_id) if each.has_ads]
        profiles = sorted((each for each in known if is_zone(each.timezone)), key=lambda profile: profile.key)
        with tempfile.TemporaryDirectory() as folder:
            sums = _ClientSums(self._queries, profiles, asked, Path(folder))
            for profile in profiles:
                sums.names.update(self._names(profile))
            sums.fill(check)
            stored = [self._store(account_id, table, len(known) - len(profiles)) for table in sums.tables]
        return {"aggregates": len(stored), "aggregates_stored": sum(stored)}

    def _names(self, profile: Profile) -> Iterator[tuple[Key, _Names]]:
        field = self._channel_field(profile.platform)
        for each in self._catalog.objects(profile.platform, profile.profile_id, Dataset.CAMPAIGNS):
            names = _Names(each.name or None, getattr(each, field, "") or None)
            yield (str(profile.platform), profile.shown_id, each.id), names

    def _store(self, account_id: str, table: _SumTable, left_out: int) -> bool:
        """Store the object of a table unless it is there already; says whether it did."""
        key, days = sums_key(account_id, table.level, table.grain), table.days
        counts = str(table.rows), str(table.incomplete)
        about = SumsObject(*counts, table.first, table.last, days.as_of, days.until, str(left_out), inputs="")
        about = about._replace(inputs=_hashed(table.path, [_FORM, *about]))
        try:
            before = self._objects.metadata(key).get("inputs", "")
        except NotFound:
            before = ""
        if before == about.inputs or not (before or table.rows):
            return False
        parquet = table.path.with_suffix(".parquet")
        to_parquet(table.path, parquet, table.types)
        with parquet.open("rb") as file:
            self._objects.put(key, file, about.metadata, "application/vnd.apache.parquet")
        return True


def _hashed(path: Path, beside: Sequence[Any]) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json.dumps(beside).encode())
    return digest.hexdigest()[:24]


def _timed(rows: Iterable[ReadRow], check: Callable[[], None]) -> Iterator[ReadRow]:
    """Rows, with a look at the time now and then."""
    for number, read in enumerate(rows):
        if not number % _LOOKS:
            check()
        yield read


def _currency(profile: Profile, read: ReadRow) -> str:
    return read.row.currency or profile.currency


@lru_cache(maxsize=1 << 13)
def _first_day(grain: SumGrain, day: str) -> date:
    """The first day of the period that a day (ISO) is in; weeks begin on Monday."""
    when = date.fromisoformat(day)
    if grain is SumGrain.MONTH:
        return when.replace(day=1)
    return when - timedelta(days=when.weekday()) if grain is SumGrain.WEEK else when


def _days_of(grain: SumGrain, first: date) -> list[date]:
    count = {SumGrain.DAY: 1, SumGrain.WEEK: _WEEK, SumGrain.MONTH: monthrange(first.year, first.month)[1]}[grain]
    return [first + timedelta(days=offset) for offset in range(count)]


def _months(window: Window) -> Iterator[Window]:
    start = window.start
    while start <= window.end:
        after = first_of_month(start, 1)
        yield Window(start, min(after - DAY, window.end))
        start = after


def _none_last(key: Key) -> tuple[tuple[bool, Any], ...]:
    return tuple((value is None, value) for value in key)


def _text(value: Any) -> str:
    """A cell: unknown is empty, a number has no exponent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:f}" if not isinstance(value, int) else str(value)
