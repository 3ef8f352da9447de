"""Makes the objects of one month of an ad account: metrics, coverage and changes by level, and dbt's reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adweir.insight.curated import changed, queries
from adweir.insight.curated.entities import parquet_of
from adweir.insight.curated.layout import LEVELS, CuratedTable, file_name, level_name, owner_name, partition_of
from adweir.insight.curated.names import COLUMNS as NAMES
from adweir.insight.curated.parts import TooSlow
from adweir.insight.curated.staging import DAYS, ROWS, stage_days, stage_rows
from adweir.insight.curated.state import MadePart, MonthPart
from adweir.insight.parquet import copy_out, csv_table, quoted
from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge
from adweir.model.metrics import AD_LEVELS, SERIES_LEVELS, Grain, Level, Series
from adweir.model.times import DAY, Window, first_of_month
from adweir.reporting.breakdowns import leaves_a_rest
from adweir.reporting.levels import FINENESS
from adweir.reporting.reading import DayCoverage, ProfileQuestion, ReadRow
from adweir.reporting.split_rest import LEVELS as SPLIT_LEVELS
from adweir.reporting.split_rest import SplitRest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from adweir.insight.curated.names import ObjectNames
    from adweir.insight.curated.parts import CuratorParts
    from adweir.store.metrics.store import KeptSeries
    from adweir.store.raw.curated import CuratedObjects

_CHANGES = "changes.csv"


@dataclass(frozen=True, slots=True)
class CuratedAccount:
    """An ad account whose objects are made. `reported`: what dbt_ad_reporting calls its platform. `is_listed`: whether
    the catalog has it."""

    profile: Profile
    client_name: str
    platforms: Sequence[str]
    reported: str
    is_listed: bool = True

    @property
    def partition(self) -> str:
        """Of its platform."""
        return partition_of(self.profile.platform, self.platforms)

    @property
    def name(self) -> str:
        """What its objects are called."""
        return owner_name(self.profile.platform, self.profile.profile_id, self.platforms)

    def values(self, part: MonthPart, level: str) -> tuple[str, ...]:
        """The partition of a level's objects."""
        return self.partition, level, part.grain.value, part.month

    @property
    def owner(self) -> tuple[str, ...]:
        """The values of `queries.OWNER`."""
        profile = self.profile
        return (
            str(profile.platform),
            profile.account_id,
            self.client_name,
            profile.shown_id,
            profile.name,
            self.reported,
        )

    @property
    def facts(self) -> list[str]:
        """What its rows say beside what is stored, or follow from."""
        profile = self.profile
        return [
            *self.owner,
            profile.currency,
            profile.timezone,
            profile.status.value,
            str(profile.serves),
            str(sorted(profile.pulled_by.items())),
        ]


@dataclass(frozen=True, slots=True)
class Making:
    """What months are made with. `check` raises when the time is up, `ensure` when another worker makes them;
    `scores`: day → its quality."""

    parts: CuratorParts
    tables: Mapping[str, CuratedTable]
    connection: DuckDBPyConnection
    place: Path
    scores: Mapping[str, float]
    check: Callable[[], None]
    ensure: Callable[[], None]


class MonthMaker:
    """Makes the months of one ad account, and what else it has. `is_renamed`: what was made before may name its owner
    otherwise."""

    def __init__(self, account: CuratedAccount, making: Making, names: ObjectNames, *, is_renamed: bool) -> None:
        self._account = account
        self._is_renamed = is_renamed
        self._making = making
        self._queries = making.parts.queries
        self._there, self._objects, self._read = MadePart(), dict[str, str](), dict[str, list[str]]()
        self.changed = 0
        """Objects that were put or deleted."""
        run, file = making.connection.execute, making.place / "names.csv"
        names.write(file)
        run(f"CREATE TABLE names AS SELECT * FROM {csv_table(file, NAMES)}")  # noqa: S608
        run(f"CREATE TABLE owner ({', '.join(f'{name} VARCHAR' for name in queries.OWNER)})")
        run(f"INSERT INTO owner VALUES ({', '.join('?' * len(account.owner))})", list(account.owner))  # noqa: S608

    def levels(self, part: MonthPart, kept: Sequence[KeptSeries]) -> list[Level]:
        """The levels that a part may have objects of, where these series are kept of the ad account."""
        stored = {each.series.level for each in kept if each.series.breakdown == part.breakdown}
        if part.breakdown:
            return [level for level in AD_LEVELS if stored and level_name(level, part.breakdown) in LEVELS]
        finer = FINENESS if stored & {*FINENESS} else ()
        return [*finer, *(level for level in Level if level not in FINENESS and level in stored)]

    def make(self, part: MonthPart, levels: Sequence[Level], kept: Sequence[KeptSeries], there: MadePart) -> MadePart:
        """Have the objects of a part be what is stored; what was made. `there`: what there is of it.

        Raises TooLarge, Unavailable, and what the check of the time raises.
        """
        run, found = self._making.connection.execute, list[Level]()
        self._queries = self._making.parts.queries.in_one_look()
        self._queries.view.snapshot().foresee(self._series(part, levels), window_of(part.month))
        self._there, self._objects, self._read = there, {}, {}
        named: dict[str, bool] = {}
        run("BEGIN")  # a commit of each table waits for the disk
        try:
            for level in levels:
                count = self._measured(part, level)
                if count and level is not Level.ACCOUNT:
                    for campaign, lacks_names in self._campaigns(level):
                        named[campaign] = named.get(campaign, True) and not lacks_names
                found += [level] if count else []
            if part.grain is Grain.DAY:
                made_of = queries.reports(part.breakdown, found)
                for name in queries.possible_reports(part.breakdown):
                    self._keep(part, (f"ad_reporting__{name}", ""), made_of.get(name))
            for each in kept:
                if each.series.grain is part.grain and each.series.breakdown == part.breakdown:
                    self._changes(part, each)
        finally:
            run("ROLLBACK")
        unnamed = sorted(campaign for campaign, is_named in named.items() if not is_named)
        return MadePart(campaigns=sorted(named), unnamed=unnamed, objects=self._objects, read=self._read)

    def _series(self, part: MonthPart, levels: Sequence[Level]) -> list[Series]:
        """What the rows of a part are read of."""
        of, grain = (self._account.profile.platform, self._account.profile.profile_id), part.grain
        whole = [Series(*of, level, grain) for level in levels if _has_split_rest(part.breakdown, grain, level)]
        return [*(Series(*of, level, grain, part.breakdown) for level in levels), *whole]

    def keep_entities(self, dataset: str, *, is_there: bool, is_new: bool) -> None:
        """Have the object of a dataset be the rows that were staged for it, or not be there. `is_new`: nobody has made
        it before."""
        table = self._making.tables["entities"]
        key = table.key((self._account.partition, dataset), self._account.name)
        file = parquet_of(self._making.connection, table, self._making.place / f"{dataset}.csv") if is_there else None
        before = "" if is_new else None
        self.changed += self._making.parts.objects.keep(key, file, before, self._making.ensure).is_new

    def _measured(self, part: MonthPart, level: Level) -> int:
        """Make a level's rows and coverage; how many rows it was made of."""
        making, run = self._making, self._making.connection.execute
        staged, days = making.place / "rows.csv", making.place / "days.csv"
        question = ProfileQuestion(
            window_of(part.month),
            level,
            part.grain,
            part.breakdown,
            rest=level in FINENESS[1:] and not part.breakdown,
        )
        rows, coverage = self._reading(question)
        count = stage_rows(rows, (self._account.profile, level, part.breakdown), staged, making.check)
        covered = coverage()
        stage_days(covered, making.scores, days)
        known = csv_table(days, DAYS)
        shown = level_name(level, part.breakdown)
        self._keep(part, ("coverage", shown), queries.day_rows(known) if covered else None)
        if count:
            run(f"CREATE OR REPLACE TABLE staged AS SELECT * FROM {csv_table(staged, ROWS)}")  # noqa: S608
            made = queries.level_rows("staged", known, level)
            run(f"CREATE OR REPLACE TABLE {queries.table_of(level)} AS {made}")
        self._keep(part, ("metrics", shown), f"SELECT * FROM {queries.table_of(level)}" if count else None)  # noqa: S608
        return count

    def _reading(self, question: ProfileQuestion) -> tuple[Iterator[ReadRow], Callable[[], Mapping[date, DayCoverage]]]:
        profile, asked = self._account.profile, self._queries.reader
        if _has_split_rest(question.breakdown, question.grain, question.level):
            parts = SplitRest(question, partial(asked, profile))
            return parts.rows(), parts.reader.coverage
        reader = asked(profile, question)
        return reader.rows(), reader.coverage

    def _campaigns(self, level: Level) -> list[tuple[str, bool]]:
        """The campaigns of a level's rows, and of which of them a row has an object without a name."""
        asked = f"SELECT COALESCE(campaign_id, ''), BOOL_OR({_unnamed(level)}) FROM {queries.table_of(level)} "  # noqa: S608
        return self._making.connection.execute(f"{asked} WHERE NOT unattributed GROUP BY 1").fetchall()

    def _changes(self, part: MonthPart, kept: KeptSeries) -> None:
        """Add what changed since the object was made. Where too much did for one answer, it stays as it is. So it does
        where nothing did, if it is the one that the state names, of the same owner."""
        making, level = self._making, level_name(kept.series.level, part.breakdown)
        window, about = _loaded(part, kept), ("changes", level)
        if window is None:
            self._keep(part, about, None)
            return
        before, said = making.place / "before.parquet", self._digest(about)
        known = (self._there.read or {}).get(level)
        files = changed.ReadFiles(known or ())
        is_staged = bool(known) and self._staged_changes(kept.series, window, files, files.since)
        key, objects = self._key(part, about), making.parts.objects
        may_stay = is_staged and not (files.has_new or self._is_renamed)
        if may_stay and (not said or said == objects.digest(key)):
            self._objects |= {"/".join(about): said} if said else {}
            self._note_read(level, files)
            return
        there = "" if said == "" else objects.fetch(key, before)
        kept_until = None
        if not known or there != said:
            files, kept_until = changed.ReadFiles(()), self._kept_until(before) if there else changed.EVER
            is_staged = self._staged_changes(kept.series, window, files, kept_until)
        if not is_staged:
            self._objects |= {"/".join(about): there} if there else {}
            return
        count = self._added_up(before if there else None, kept_until)
        self._keep(part, about, "SELECT * FROM fresh" if count else None, there)
        self._note_read(level, files)

    def _staged_changes(self, series: Series, window: Window, files: changed.ReadFiles, since: datetime) -> bool:
        """Write the changes of files that were not read before; False where they are too many for one answer."""
        making = self._making
        try:
            lines = making.parts.metrics.changed(series, window, since, changed.LATEST, files.skips)
            changed.stage_changes(lines, self._account.profile.currency, making.place / _CHANGES, making.check)
        except TooSlow:
            raise
        except TooLarge:
            return False
        return True

    def _kept_until(self, before: Path) -> datetime:
        """Until when to trust a table of changes that is another than the state says."""
        asked = f"SELECT MAX(changed_at) FROM read_parquet({quoted(before)})"  # noqa: S608
        (newest,) = self._making.connection.execute(asked).fetchall()[0]
        return changed.since(newest)

    def _added_up(self, before: Path | None, until: datetime | None) -> int:
        """Make the table `fresh` of the staged changes and of those before, all or until a moment; how many it has."""
        run = self._making.connection.execute
        staged = f"SELECT * FROM {csv_table(self._making.place / _CHANGES, changed.CHANGES)}"  # noqa: S608
        run(f"CREATE OR REPLACE TABLE fresh AS {changed.change_rows(staged)}")
        if before:
            kept_rows = (
                f"SELECT b.* EXCLUDE ({', '.join(queries.OWNER[:-1])}), o.* EXCLUDE (reported_platform) "  # noqa: S608
                f"FROM read_parquet({quoted(before)}) b CROSS JOIN owner o WHERE {until is None} OR changed_at <= ?"
            )
            run(f"INSERT INTO fresh BY NAME {kept_rows}", [(until or changed.EVER).replace(tzinfo=None)])
        (count,) = run("SELECT COUNT(*) FROM fresh").fetchall()[0]
        return int(count)

    def _note_read(self, level: str, files: changed.ReadFiles) -> None:
        """Of so many files that naming them would make the state large, the next worker reads the last day again."""
        if len(names := files.names) <= limits.MAX_KNOWN_CHANGES_FILES:
            self._read[level] = names

    def _key(self, part: MonthPart, about: tuple[str, str]) -> str:
        name, level = about
        values = self._account.values(part, level) if level else (self._account.reported, part.month)
        return self._making.tables[name].key(values, self._account.name)

    def _digest(self, about: tuple[str, str]) -> str | None:
        """Of what there is of a table and level; None where nobody knows."""
        return None if self._there.objects is None else self._there.objects.get("/".join(about), "")

    def _keep(self, part: MonthPart, about: tuple[str, str], query: str | None, there: str | None = None) -> None:
        """Have the object of a table and level be what a query answers, or not be there where that is nothing.

        `there`: a digest of what was found there; None for what the state says.
        """
        making, table = self._making, self._making.tables[about[0]]
        target = making.place / file_name(table.name)
        count = copy_out(making.connection, queries.shown(table, f"({query})"), target) if query else 0
        made = making.parts.objects.keep(
            self._key(part, about),
            target if count else None,
            self._digest(about) if there is None else there,
            making.ensure,
        )
        self.changed += made.is_new
        self._objects |= {"/".join(about): made.digest} if made.digest else {}


def forget(
    account: CuratedAccount,
    objects: CuratedObjects,
    tables: Mapping[str, CuratedTable],
    part: MonthPart,
    levels: Sequence[str],
) -> int:
    """Delete the objects of a part; how many there were."""
    series = ((name, account.values(part, level)) for level in levels for name in ("metrics", "coverage", "changes"))
    named = queries.possible_reports(part.breakdown) if part.grain is Grain.DAY else ()
    reported = ((f"ad_reporting__{name}", (account.reported, part.month)) for name in named)
    return sum(
        objects.keep(tables[name].key(values, account.name), None).is_new for name, values in (*series, *reported)
    )


def window_of(month: str) -> Window:
    """All days of a month (`2026-11`)."""
    first = date.fromisoformat(f"{month}-01")
    return Window(first, first_of_month(first, 1) - DAY)


def _has_split_rest(breakdown: str, grain: Grain, level: Level) -> bool:
    """Whether what a breakdown leaves of a level is worked out from the level's rows without the breakdown."""
    return leaves_a_rest(breakdown) and grain is Grain.DAY and level in SPLIT_LEVELS


def _loaded(part: MonthPart, kept: KeptSeries) -> Window | None:
    """The days of a month that something may have changed in. Each day of hours has a folder to be listed."""
    mine = [suffix for suffix in kept.suffixes if suffix.startswith(part.month)]
    if part.grain is Grain.HOUR and mine:
        return Window(date.fromisoformat(min(mine)), date.fromisoformat(max(mine)))
    return window_of(part.month) if mine else None


def _unnamed(level: Level) -> str:
    """Of which rows some object has no name."""
    if level in SERIES_LEVELS:
        return "campaign_id IS NOT NULL AND campaign_name IS NULL"
    kinds = ["campaign", "ad_group"][: max(1, min(FINENESS.index(level), 2)) if level in FINENESS else 2]
    own = {
        Level.AD: "ad_id IS NOT NULL AND ad_name IS NULL",
        Level.KEYWORD: "keyword_id IS NOT NULL AND keyword_text IS NULL",
    }
    lacks = [f"{kind}_id IS NOT NULL AND {kind}_name IS NULL" for kind in kinds]
    return " OR ".join([*lacks, *([own[level]] if level in own else [])])
