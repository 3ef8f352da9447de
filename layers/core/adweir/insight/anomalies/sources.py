"""The days of an ad account that may be learned, and their numbers, level by level."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from adweir.insight.anomalies.arms import EntityKey, WatchedArms
from adweir.insight.anomalies.incidents import Watcher
from adweir.insight.anomalies.watched import WatchedEntity
from adweir.model import limits
from adweir.model.budgets import ListedBudget
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Profile, Status
from adweir.model.metrics import Grain, Level, Series, Slot, own_id, plus
from adweir.model.times import DAY, Window, first_of_month
from adweir.reporting.reading import ProfileQuestion
from adweir.store.metrics.store import Only

if TYPE_CHECKING:
    from adweir.reporting.claimed import ClaimedReader
    from adweir.reporting.query import Queries
    from adweir.reporting.reading import ProfileReader, ReadRow
    from adweir.store.catalog.store import Catalog
    from adweir.store.metrics.read import DayState

_K = TypeVar("_K")
Check = Callable[[], None]
_LOOKS = 5000
"""Rows between two looks at the time."""
_WATCHED_LEVELS = (Level.CAMPAIGN, Level.AD)
_LISTED = {Level.CAMPAIGN: Dataset.CAMPAIGNS, Level.AD_GROUP: Dataset.AD_GROUPS, Level.AD: Dataset.ADS}
"""What the catalog lists: an arm may be bound to an ad group, too."""
_NOT_RUNNING = frozenset(Status) - {Status.ACTIVE, Status.UNKNOWN}
_AD_IMPRESSIONS = 1000
"""Impressions of a day from which on an ad is watched."""


class DayRows(dict[WatchedEntity, Slot]):
    """What was delivered on a day, by entity. Of the levels in `unknown` the day was not pulled whole: that nothing is
    there says nothing."""

    def __init__(
        self, rows: Mapping[WatchedEntity, Slot] = MappingProxyType({}), unknown: Iterable[Level] = ()
    ) -> None:
        super().__init__(rows)
        self.unknown = set(unknown)


class RipeDay(NamedTuple):
    """A settled day. `print` is of the account's numbers: another one when the day was restated. `stamp` is of when the
    day was pulled at each level: only where it is another one, campaigns and ads may have been restated."""

    day: date
    print: bytes
    stamp: bytes = b""


class NamedEntity(NamedTuple):
    """What an entity is called, whether its delivery may have been ended on purpose, and the budgets of a campaign
    where they changed."""

    name: str
    is_off: bool
    budgets: tuple[ListedBudget, ...] = ()


class ProfileDays:
    """An ad account's. Raises Unavailable throughout."""

    def __init__(self, queries: Queries, catalog: Catalog, profile: Profile) -> None:
        self._queries = queries
        self._catalog = catalog
        self._profile = profile
        self.watcher = Watcher(profile.account_id, str(profile.platform), profile.profile_id, profile.currency)

    @cached_property
    def arms(self) -> WatchedArms:
        """What the arms of the client's cross-platform campaigns are bound to today, which counts for all days."""
        return WatchedArms(self._catalog.campaigns_of(self._profile.account_id), self._profile)

    @property
    def arms_mark(self) -> str:
        """What arms are bound to here: another text when that was changed, "" where nothing is."""
        return self.arms.mark

    @cached_property
    def window(self) -> Window:
        """From the first of a month, so that a day more does not move its beginning."""
        yesterday = self._queries.today(self._profile) - DAY
        return Window(first_of_month(yesterday, -limits.MAX_WATCHED_MONTHS), yesterday)

    def ripe(self, check: Check) -> list[RipeDay]:
        """The days that may be learned, in order: those that are settled and were pulled whole."""
        reader = self._queries.reader(self._profile, ProfileQuestion(self.window, Level.ACCOUNT))
        totals: dict[str, Slot] = {}
        for read in self._timed(reader.rows(), check):
            self._add(totals, read.row.day, read)
        known = reader.coverage()
        beside = (Level.AD_GROUP,) if Level.AD_GROUP in self.arms.levels else ()
        pulled = {level: self._pulled(level) for level in (*_WATCHED_LEVELS, *beside)}
        found = []
        for day in sorted(known):
            if known[day].settled and known[day].whole:
                whole = [day in pulled[level] for level in pulled]
                text = repr((totals.get(day.isoformat()), whole)).encode()
                stamp = repr([sorted(states[day].began.items()) for states in pulled.values() if day in states])
                found.append(RipeDay(day, hashlib.sha256(text).digest(), hashlib.sha256(stamp.encode()).digest()))
        return found

    def rows(self, window: Window, check: Check) -> dict[date, DayRows]:
        """What was delivered, by day."""
        found = {day: DayRows() for day in window.days()}
        for level in (Level.ACCOUNT, *_WATCHED_LEVELS, *((Level.ARM,) if self.arms.claims else ())):
            self._read(found, level, window, check)
        return found

    def of_entity(self, key: EntityKey, window: Window, check: Check) -> dict[date, Slot | None]:
        """What one entity delivered, by day, None where nothing. Days that were not pulled whole are left out."""
        level, name = key
        if level is Level.ARM and not self.arms.only(name):
            return {}
        reader, sums = self._reader(level, window, name), dict[str, Slot]()
        for read in self._timed(reader.rows(), check):
            entity = self._entity(level, read)
            if entity is not None and entity.key == key:
                self._add(sums, read.row.day, read)
        return {day: sums.get(day.isoformat()) for day, known in reader.coverage().items() if known.whole}

    def named(self, keys: set[EntityKey]) -> dict[EntityKey, NamedEntity]:
        """What is said of entities: by the catalog, and of arms by what they are bound to."""
        arms = {name: self.arms.objects(name) for level, name in keys if level is Level.ARM}
        wanted = keys | {each for objects in arms.values() for chain in objects for each in chain}
        found: dict[EntityKey, NamedEntity] = {}
        for level, dataset in _LISTED.items():
            if not any(each == level for each, _ in wanted):
                continue
            for item in self._catalog.objects(self._profile.platform, self._profile.profile_id, dataset):
                own = f"{item.ad_group_id}~{item.id}" if level is Level.AD else item.id
                if (level, own) in wanted:
                    budgets = item.budgets if isinstance(item, AdCampaign) else ()
                    found[level, own] = NamedEntity(item.name, item.status in _NOT_RUNNING, budgets)
        off = {key for key, each in found.items() if each.is_off}
        for name, objects in arms.items():
            is_off = self.arms.is_said_off(name) or all(not off.isdisjoint(chain) for chain in objects)
            found[Level.ARM, name] = NamedEntity(self.arms.name(name), is_off)
        if (Level.ACCOUNT, self._profile.profile_id) in keys:
            found[Level.ACCOUNT, self._profile.profile_id] = NamedEntity(self._profile.name, is_off=False)
        return found

    def _read(self, found: Mapping[date, DayRows], level: Level, window: Window, check: Check) -> None:
        reader = self._reader(level, window)
        sums: dict[str, dict[WatchedEntity, Slot]] = defaultdict(dict)
        for read in self._timed(reader.rows(), check):
            entity = self._entity(level, read)
            if entity is not None:
                self._add(sums[read.row.day], entity, read)
        known = reader.coverage()
        for day, here in found.items():
            if day in known and known[day].whole:
                here.update(sums.get(day.isoformat(), {}))
            else:
                here.unknown.add(level)

    def _reader(self, level: Level, window: Window, name: str = "") -> ProfileReader | ClaimedReader:
        """What reads a level, or of it an entity with what may be beside it. Of arms each object that they are bound to
        comes at its own level, as in reports."""
        if level is Level.ARM:
            claims = self.arms.only(name) if name else self.arms.claims
            return self._queries.claimed.of_claims(self._profile, claims, ProfileQuestion(window, Level.ACCOUNT))
        own = frozenset({own_id(name)})
        only = {Level.CAMPAIGN: Only(campaigns=own), Level.AD: Only(own=own)}.get(level) if name else None
        return self._queries.reader(self._profile, ProfileQuestion(window, level, only=only))

    def _entity(self, level: Level, read: ReadRow) -> WatchedEntity | None:
        """Whose row it is; None for one of a finer level, which says nothing of this one's entities."""
        row, account = read.row, (Level.ACCOUNT, self._profile.profile_id)
        if level is Level.ACCOUNT:
            return WatchedEntity(*account)
        if level is Level.ARM:
            return self.arms.entity(read.claim.arm_id) if read.claim else None
        campaign = row.entity_id if read.level is Level.CAMPAIGN else row.campaign_id
        if level is Level.CAMPAIGN:
            return WatchedEntity(Level.CAMPAIGN, campaign, self.arms.around_campaign(campaign)) if campaign else None
        if read.level is not Level.AD or not row.entity_id:
            return None
        return WatchedEntity(Level.AD, row.entity_id, self.arms.around_ad(campaign, row.ad_group_id, read.own_id))

    def _add(self, sums: dict[_K, Slot], key: _K, read: ReadRow) -> None:
        if read.row.currency in {"", self._profile.currency}:
            sums[key] = plus(sums[key], read.row.slot) if key in sums else read.row.slot

    def _pulled(self, level: Level) -> Mapping[date, DayState]:
        series = Series(self._profile.platform, self._profile.profile_id, level, Grain.DAY)
        return self._queries.days(series, self.window)

    def _timed(self, rows: Iterator[ReadRow], check: Check) -> Iterator[ReadRow]:
        for number, read in enumerate(rows):
            if number % _LOOKS == 0:
                check()
            yield read


def starts(entity: WatchedEntity, slot: Slot, count: int) -> bool:
    """Whether an entity that was not watched is from this day on, where so many of its level are by now."""
    if entity.level is Level.AD:
        return count < limits.MAX_WATCHED_ADS and (slot[0] or 0) >= _AD_IMPRESSIONS
    most = {Level.CAMPAIGN: limits.MAX_WATCHED_CAMPAIGNS, Level.ARM: limits.MAX_WATCHED_ARMS}
    return entity.level not in most or count < most[entity.level]
