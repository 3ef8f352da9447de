"""Keeps the objects of one ad account what is stored of it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adweir.insight.curated import entities
from adweir.insight.curated.layout import AD_ACCOUNTS, FIRST_MONTH, OBJECTS, CuratedTable, level_name
from adweir.insight.curated.months import CuratedAccount, Making, MonthMaker, forget, window_of
from adweir.insight.curated.names import ObjectNames
from adweir.insight.curated.parts import CuratingTime, CuratorParts, TooSlow, by_turns
from adweir.insight.curated.staging import TooManyRows
from adweir.insight.curated.state import OPEN, AccountState, MadePart, MonthPart, state_key
from adweir.insight.parquet import engine
from adweir.model.entities import ProfileStatus
from adweir.model.errors import NotReady, TooLarge
from adweir.model.metrics import Grain, Level
from adweir.model.times import DAY, first_of_month
from adweir.reporting.breakdowns import leaves_a_rest

if TYPE_CHECKING:
    from adweir.store.metrics.store import KeptSeries

_SCORED_MONTHS = 12
"""Of which a day's quality is shown: scores expire after 400 days, and a month has all of them or none."""
_SAVED_AFTER = 12
"""Months that are made between two writes of the state."""
_MEMORY = "1GB"
"""Of DuckDB; the function has three. A month of 300,000 rows takes 350 MB, a larger one goes on in files."""
_OTHERS = "another worker makes the tables of the same ad account"
_DUE = frozenset({ProfileStatus.ACTIVE, ProfileStatus.DENIED})


class _Overtaken(NotReady):
    """Another worker has begun later. Nothing of this one may be written any more, its state least of all."""


class _Known(NamedTuple):
    """What an ad account has now: what each part is made of, what is kept of it, its scores, names and entities."""

    bases: dict[MonthPart, str]
    kept: list[KeptSeries]
    scores: Mapping[str, float]
    names: ObjectNames
    digests: dict[str, dict[str, str]]
    entities: dict[str, str]


class AccountCurator:
    """One ad account. `months` were looked at anew, `changed` objects were put or deleted."""

    def __init__(
        self, parts: CuratorParts, tables: Mapping[str, CuratedTable], account: CuratedAccount, time: CuratingTime
    ) -> None:
        self._parts = parts
        self._tables = tables
        self._account = account
        self._time = time
        self._key = state_key(account.profile.platform, account.profile.profile_id)
        self._worker = secrets.token_hex(8)
        self._tag = ""
        """Of the state that this worker has read or put last."""
        self._there: dict[str, MadePart] = {}
        """By part: what there was of it when this worker announced that it makes it."""
        self._new_entities: set[str] = set()
        self.months = self.changed = 0
        self.left: frozenset[MonthPart] = frozenset()
        """Those that no invocation could make before, left out."""
        self._too_large: TooManyRows | None = None

    def curate(self, place: Path, late: Collection[MonthPart] = ()) -> None:
        """Make what is not up to date: all but the months that no invocation could make before, or these (`late`), of
        which another one is the first each day. Raises NotReady, TooLarge (after all months that are not), Unavailable.
        """
        document, self._tag = self._parts.objects.state(self._key)
        state = AccountState.of(document)
        known = self._known(place)
        renamed = known.names.compared(state.names, known.digests)
        newest_first = sorted(known.bases, key=lambda part: part.month, reverse=True)
        not_made = [
            part
            for part in newest_first
            if (made := state.parts.get(part.name)) is None
            or made.basis != known.bases[part]
            or made.concerns(*renamed)
        ]
        todo = [part for part in not_made if (part in late if late else part.name not in state.late)]
        self.left = frozenset(not_made) - frozenset(todo)
        if late:
            todo = by_turns(todo, self._today)
        gone = [part for part in map(MonthPart.named, state.parts) if part not in known.bases]
        state.late = [name for name in state.late if MonthPart.named(name) in known.bases]
        fresh = [name for name, digest in known.entities.items() if state.entities.get(name, "") != digest]
        if not (todo or gone or fresh):
            return
        with engine(place, str(place / "month.duckdb"), _MEMORY) as connection:
            making = Making(self._parts, self._tables, connection, place, known.scores, self._time.check, self._ensure)
            is_renamed = AD_ACCOUNTS in fresh or AD_ACCOUNTS not in known.entities
            maker = MonthMaker(self._account, making, known.names, is_renamed=is_renamed)
            levels = {part: maker.levels(part, known.kept) for part in todo}
            for part in gone:  # one that comes back is made anew
                state.open(part.name)
            self._announce(state, known, levels, fresh)
            try:
                self._make(maker, state, known, levels, fresh)
                for part in gone:
                    self._time.check()
                    self._ensure()
                    made = state.parts.pop(part.name)
                    self.changed += forget(self._account, self._parts.objects, self._tables, part, made.levels)
            except _Overtaken:
                raise
            except TooSlow as error:
                raise self._too_large or error from None
            except NotReady:
                self._save(state)
                raise
            finally:
                self.changed += maker.changed
        self._save(state)
        if self._too_large:
            raise self._too_large

    def bases(self) -> dict[MonthPart, str]:
        """What each month of days would be made of now, without the breakdowns. Raises Unavailable."""
        profile = self._account.profile
        kept = self._parts.metrics.kept(profile.platform, profile.profile_id, plain_days=True)
        return self._bases(list(kept), self._scores())

    def _announce(
        self, state: AccountState, known: _Known, levels: Mapping[MonthPart, Sequence[Level]], fresh: Sequence[str]
    ) -> None:
        """Before anything changes: who dies among the parts leaves those to be made, wherever objects may be.

        What the state says of the objects holds as long as nobody else has announced anything since it was read.
        """
        state.names = known.digests
        for part, found in levels.items():
            there = state.parts.get(part.name, MadePart(objects={}, read={}))
            listed = {level_name(level, part.breakdown) for level in found}
            state.parts[part.name] = MadePart(levels=sorted(listed | {*there.levels}))
            self._there[part.name] = there
        self._new_entities = {*fresh} - {*state.entities}
        state.entities |= dict.fromkeys(fresh, OPEN)
        self._save(state)

    def _make(
        self,
        maker: MonthMaker,
        state: AccountState,
        known: _Known,
        levels: Mapping[MonthPart, Sequence[Level]],
        fresh: Sequence[str],
    ) -> None:
        for name in fresh:
            maker.keep_entities(name, is_there=bool(known.entities[name]), is_new=name in self._new_entities)
            state.entities[name] = known.entities[name]
        for number, (part, found) in enumerate(levels.items(), 1):
            if number > 1:
                self._time.check()
            try:
                made = maker.make(part, found, known.kept, self._there[part.name])
            except TooLarge as error:
                was_late = part.name in state.late
                state.late = sorted({*state.late, part.name})
                if isinstance(error, TooManyRows):
                    self._too_large = self._too_large or error
                    self._time.got_on |= not was_late  # the next worker begins with those after it
                    continue
                self._save(state)
                if isinstance(error, TooSlow) and not was_late:  # the machine may have been slow, or the store
                    raise NotReady("a month took a whole invocation: another tries it once more", after=1) from None
                raise
            state.late = [name for name in state.late if name != part.name]
            made.basis, made.levels = known.bases[part], state.parts[part.name].levels
            state.parts[part.name] = made
            self.months += 1
            self._time.got_on = True
            if not number % _SAVED_AFTER:
                self._save(state)

    def _save(self, state: AccountState) -> None:
        """Only in place of what this worker has read or put: digests of another one are of other objects."""
        self._tag = self._parts.objects.swap_state(self._key, state.document, self._tag, self._worker)
        if not self._tag:
            raise _Overtaken(_OTHERS, after=60)

    def _ensure(self) -> None:
        """Raises NotReady when another worker began later: what it reads is newer, and may stand there by now."""
        if self._parts.objects.worker(self._key) != self._worker:
            raise _Overtaken(_OTHERS, after=60)

    def _known(self, place: Path) -> _Known:
        profile, parts = self._account.profile, self._parts
        listed = OBJECTS if profile.has_ads and self._account.is_listed else ()
        names = ObjectNames(parts.catalog, profile, listed)
        kept = list(parts.metrics.kept(profile.platform, profile.profile_id))
        scores = self._scores()
        bases = self._bases(kept, scores)
        staged = self._staged_entities(names, place) if self._account.is_listed else {}
        return _Known(bases, kept, scores, names, names.digests(), staged)

    def _bases(self, kept: Sequence[KeptSeries], scores: Mapping[str, float]) -> dict[MonthPart, str]:
        return {part: self._basis(part, loads, scores) for part, loads in self._loads(kept).items()}

    def _loads(self, kept: Sequence[KeptSeries]) -> dict[MonthPart, list[str]]:
        """The parts, each with what tells the newest loads of its partitions apart from others."""
        found: dict[MonthPart, list[str]] = defaultdict(list)
        for series, suffix, version in self._parts.metrics.versions(kept):
            month = suffix[: len(FIRST_MONTH)]
            if month >= FIRST_MONTH:
                found[MonthPart(series.grain, series.breakdown, month)].append(f"{series.level} {suffix} {version}")
        for part in found:
            if part.grain is Grain.DAY and leaves_a_rest(part.breakdown):  # its rest is of the plain levels, too
                found[part] += found.get(MonthPart(part.grain, "", part.month), [])
        return found | {part: found[part] for part in self._gaps(found)}

    def _gaps(self, found: Mapping[MonthPart, object]) -> list[MonthPart]:
        """Months between the first one and today's of which nothing was pulled: that they are missing is known, too."""
        profile = self._account.profile
        days = [part.month for part in found if (part.grain, part.breakdown) == (Grain.DAY, "")]
        if not days or profile.status not in _DUE or not profile.is_listed or not profile.has_ads:
            return []
        return [MonthPart(Grain.DAY, "", month) for month in _months(min(days), self._today)]

    def _basis(self, part: MonthPart, loads: Sequence[str], scores: Mapping[str, float]) -> str:
        """A short text that differs where anything does that the part is made of, but names of objects."""
        window, today = window_of(part.month), self._today
        specs = self._parts.queries.served(self._account.profile).values()
        ages = sorted({spec.settles_after_days for spec in specs} | {0})
        moments = [min(max(today - age * DAY, window.start - DAY), window.end).isoformat() for age in ages]
        said = {
            "facts": self._account.facts,
            "served": sorted(f"{each.dataset} {each.slices} {each.sums_to_parent} {each.on_request}" for each in specs),
            "loads": sorted(loads),
            "settling": moments,
            "scores": {day: score for day, score in scores.items() if day.startswith(part.month)},
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]

    def _scores(self) -> dict[str, float]:
        profile = self._account.profile
        if not (profile.has_ads and profile.is_listed):
            return {}
        first = first_of_month(self._today, 1 - _SCORED_MONTHS)
        found = self._parts.scores.days(profile.key, first.isoformat(), self._today.isoformat())
        return {each["date"]: each["score"] for each in found if each.get("score") is not None}

    def _staged_entities(self, names: ObjectNames, place: Path) -> dict[str, str]:
        """Write the rows of each dataset; dataset → a short text that differs where they do, "" without any."""
        profile, client = self._account.profile, self._account.client_name
        rows: dict[str, Iterator[Mapping[str, object]]] = {AD_ACCOUNTS: iter([entities.account_row(profile)])}
        for dataset, items in names.objects.items():
            rows[dataset.value] = entities.object_rows(items, profile, dataset, self._today.isoformat())
        rows |= {dataset.value: iter(()) for dataset in OBJECTS if dataset not in names.objects}
        columns = self._tables["entities"].columns
        return {name: entities.staged(found, client, columns, place / f"{name}.csv") for name, found in rows.items()}

    @property
    def _today(self) -> date:
        return self._parts.queries.today(self._account.profile)


def _months(first: str, until: date) -> Iterator[str]:
    month = date.fromisoformat(f"{first}-01")
    while month <= until:
        yield month.isoformat()[: len(FIRST_MONTH)]
        month = first_of_month(month, 1)
