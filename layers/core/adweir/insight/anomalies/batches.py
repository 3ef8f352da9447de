"""Learns the settled days of one ad account, and decides what of them is an anomaly.

Days are learned in order and once: a batch is a calendar month at most. What a batch found is stored before what it
learned, and in between stands that it was decided. So a worker may die between any two writes: either nothing was
decided, and the same is found again, or it was, and the states only catch up. When a learned day was restated, when
the detector or its settings changed, everything is learned anew; incidents that are not found again are withdrawn.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from adweir.insight.anomalies.discoveries import discoveries
from adweir.insight.anomalies.incidents import COOL_DOWN_DAYS, Causes
from adweir.insight.anomalies.rates import RATE_FORM
from adweir.insight.anomalies.sources import Check, DayRows, ProfileDays, RipeDay, starts
from adweir.insight.anomalies.state import FORM
from adweir.insight.anomalies.watched import EntityDay, EntityState, Found, WatchedEntity, WatchSettings, found_in
from adweir.model.budgets import changes_around
from adweir.model.errors import BadInput, NotReady
from adweir.model.log import log
from adweir.model.metrics import Level
from adweir.model.times import Window
from adweir.store.findings.anomalies import LearnedEntity, WatchMark, changed

if TYPE_CHECKING:
    from adweir.insight.anomalies.kept import KeptIncidents
    from adweir.store.findings.anomalies import Anomalies

_FORM = 3
"""Of what is made of the same days. A greater one has everything learned anew."""
_REMEMBERED = timedelta(days=2 * COOL_DOWN_DAYS)
"""How long an incident is kept at hand after its last day."""
LISTED_DAYS = 184
"""Days before the newest settled one from which on anomalies are looked for; those before them are only learned."""
Key = tuple[Level, str]


class _KnownEntity(NamedTuple):
    """An entity and what was learned of it."""

    entity: WatchedEntity
    state: EntityState


class Learning:
    """What was learned of an ad account. `go` learns what is new, and returns how many days that were."""

    def __init__(
        self, store: Anomalies, days: ProfileDays, kept: KeptIncidents, settings: WatchSettings, check: Check
    ) -> None:
        self._store = store
        self._days = days
        self._kept = kept
        self._settings = settings
        self._check = check
        self._key = days.watcher.key
        self._states: dict[Key, _KnownEntity] | None = None
        self._counts: Counter[Level] = Counter()
        self._expected: dict[str, dict[str, int]] = {}
        self.watch = store.watches.get(self._key)
        self.newest = ""

    def go(self) -> int:
        """Learn the days that are new, after a restatement all. Raises NotReady when the time is short, Unavailable."""
        ripe = self._days.ripe(self._check)
        self.newest = ripe[-1].day.isoformat() if ripe else ""
        self._expected = {
            entity: {metric: len(ids) for metric, ids in metrics.items()}
            for entity, metrics in self._store.watches.expected(self._key).items()
        }
        if self._is_outdated(ripe) or (any(self._batches(ripe)) and not self._is_readable()):
            self._begin_anew()
        self._kept.load(self.watch.open)
        learned = 0
        for batch in self._batches(ripe):
            self._check()
            self._learn(batch, ripe)
            learned += len(batch)
        return learned

    def _begin_anew(self) -> None:
        before = self.watch
        until = max(before.through, before.deciding, before.again)
        self.watch = WatchMark(before.build + 1, self._basis, again=until, seen=before.seen)
        self._states = None

    def _is_readable(self) -> bool:
        """Whether all that was learned can go on. What was damaged in the store is learned anew, with its ad account's:
        a state alone would be learned from other days than the incidents were decided by."""
        try:
            self._known()
        except BadInput as error:
            log.warning("all of %s is learned anew: %s", self._key, error.message)
            return False
        return True

    @property
    def _basis(self) -> str:
        arms = (self._days.arms_mark,) if self._days.arms_mark else ()
        text = repr((_FORM, FORM, RATE_FORM, self._settings, *arms))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _is_outdated(self, ripe: Sequence[RipeDay]) -> bool:
        """Whether what was learned is not what would be learned today."""
        watch = self.watch
        if watch.build == 0 or watch.basis != self._basis:
            return True
        until = max(watch.through, watch.deciding)
        if self._recent(watch.digests) != digests(ripe, until):
            return True
        known, now = self._recent(watch.stamps), stamps(ripe, until)
        pulled_again = [month for month, each in now.items() if known.get(month) != each]
        for month in pulled_again:
            days = [each.day for each in ripe if each.day.isoformat() <= until and _month(each.day) == month]
            rows = self._days.rows(Window(days[0], days[-1]), self._check)
            if added({}, {day: rows[day] for day in days}) != {month: watch.rows.get(month)}:
                return True
        if pulled_again:
            self._put(stamps=now)
        return False

    def _recent(self, by_month: Mapping[str, str]) -> dict[str, str]:
        first = _month(self._days.window.start)
        return {month: each for month, each in by_month.items() if month >= first}

    def _batches(self, ripe: Sequence[RipeDay]) -> Iterator[list[RipeDay]]:
        """What has to be learned, by months; first what was decided before, and not learned by all."""
        watch = self.watch
        left = [each for each in ripe if each.day.isoformat() > watch.through]
        decided = [each for each in left if each.day.isoformat() <= watch.deciding]
        if decided:
            yield decided
        fresh = left[len(decided) :]
        for _, month in groupby(fresh, key=lambda each: _month(each.day)):
            yield list(month)

    def _learn(self, batch: Sequence[RipeDay], ripe: Sequence[RipeDay]) -> None:
        last = batch[-1].day.isoformat()
        is_decided = last <= self.watch.deciding
        rows = self._days.rows(Window(batch[0].day, batch[-1].day), self._check)
        causes = self._kept.causes()
        touched: set[Key] = set()
        for each in batch:
            scores = list(self._scored(each.day, rows[each.day], touched))
            if not is_decided:
                self._weigh(each.day, scores, rows[each.day], causes)
        if not is_decided:
            again = [
                each.day for each in batch if each.day.isoformat() <= self.watch.again and self._is_listed(each.day)
            ]
            self._kept.settle(causes, last, (again[0], again[-1]) if again else None, self.newest)
            seen = {
                "digests": digests(ripe, last),
                "stamps": stamps(ripe, last),
                "rows": added(self._recent(self.watch.rows), {each.day: rows[each.day] for each in batch}),
            }
            self._put(deciding=last, open=self._kept.recent(last, _REMEMBERED), **seen)
        states = self._known()
        for key in sorted(touched):
            state = states[key].state
            self._store.entities.put(self._key, LearnedEntity(*key, self.watch.build, state.through, state.to_json()))
        self._put(through=last, deciding="")

    def _put(self, **fields: object) -> None:
        watch = changed(self.watch, **fields)
        if not self._store.watches.put(self._key, watch):
            raise NotReady("another worker learns the same ad account: what it leaves is learned then", after=60)
        self.watch = changed(watch, seen=watch.seen + 1)

    def _scored(self, day: date, rows: DayRows, touched: set[Key]) -> Iterator[tuple[WatchedEntity, EntityDay]]:
        """A day's scores of every entity that is watched, and the states with it."""
        states, text = self._known(), day.isoformat()
        for entity in sorted(rows, key=lambda each: each.key):
            if entity.key not in states and starts(entity, rows[entity], self._counts[entity.level]):
                states[entity.key] = _KnownEntity(entity, EntityState())
                self._counts[entity.level] += 1
            if entity.key in states:
                states[entity.key].state.parents = entity.parents
                states[entity.key] = states[entity.key]._replace(entity=entity)
        delivered = {entity.key: slot for entity, slot in rows.items()}
        for key in sorted(states):
            entity, state = states[key]
            slot = delivered.get(key)
            if state.through >= text or key[0] in rows.unknown or (slot is None and not state.is_awaited(day)):
                continue
            touched.add(key)
            expected = self._expected.get(f"{key[0]}#{key[1]}", {})
            yield entity, state.learn(day, slot, self._settings, expected)

    def _weigh(
        self, day: date, scores: Sequence[tuple[WatchedEntity, EntityDay]], rows: DayRows, causes: Causes
    ) -> None:
        """Keep of a day's findings what stands when all of the day are weighed together."""
        found = found_in(scores, day)
        if not found or not self._is_listed(day):
            return
        named = self._days.named({each.entity.key for each in found} | {p for f in found for p in f.entity.parents})
        stands = [each for each in found if not _is_explained(each, rows, {k for k, n in named.items() if n.is_off})]
        kept = [stays for level in Level for stays in _standing(level, stands, scores)]
        names = {key: each.name for key, each in named.items()}
        budgets = {key: list(changes_around(each.budgets, day)) for key, each in named.items() if each.budgets}
        of_all = max((each.spend for entity, each in scores if entity.level is Level.ACCOUNT), default=0.0)
        least = self._settings.min_share * of_all
        causes.add(day, kept, names, least, budgets)

    def _is_listed(self, day: date) -> bool:
        return day >= date.fromisoformat(self.newest) - timedelta(days=LISTED_DAYS)

    def _known(self) -> dict[Key, _KnownEntity]:
        """The states of this build, read once."""
        if self._states is None:
            learned: Iterable[LearnedEntity] = ()
            if self.watch.through or self.watch.deciding:
                learned = self._store.entities.all(self._key, self.watch.build)
            found: dict[Key, _KnownEntity] = {}
            for each in learned:
                state = EntityState.from_json(each.state)
                parents = tuple((Level(level), name) for level, name in state.parents)
                entity = WatchedEntity(Level(each.level), each.entity_id, parents)
                found[entity.key] = _KnownEntity(entity, state)
            self._states, self._counts = found, Counter(level for level, _ in found)
        return self._states


def _standing(
    level: Level, found: Iterable[Found], scores: Iterable[tuple[WatchedEntity, EntityDay]]
) -> Iterator[Found]:
    """What stands of a level's findings. Each is weighed with its own level: many ads do not drown their account."""
    here = [each for each in found if each.entity.level is level]
    tests = sum(each.tests for entity, each in scores if entity.level is level)
    stays = discoveries([each.scored.z for each in here], tests)
    return (each for each, is_kept in zip(here, stays, strict=True) if is_kept)


def _is_explained(found: Found, rows: DayRows, off: set[Key]) -> bool:
    """Whether nothing was delivered of what does not run, by the catalog: it was paused, ended or removed."""
    is_gone = found.entity not in rows
    return is_gone and (found.entity.key in off or any(parent in off for parent in found.entity.parents))


def digests(days: Iterable[RipeDay], until: str) -> dict[str, str]:
    """By month what the days until one (ISO) are."""
    return _by_month((each.day, each.print) for each in days if each.day.isoformat() <= until)


def stamps(days: Iterable[RipeDay], until: str) -> dict[str, str]:
    """By month when the days until one (ISO) were pulled."""
    return _by_month((each.day, each.stamp) for each in days if each.day.isoformat() <= until)


def added(known: Mapping[str, str], days: Mapping[date, DayRows]) -> dict[str, str]:
    """By month a sum over its days of what all entities delivered: further days are added to what is known."""
    found = {month: int(each, 16) for month, each in known.items()}
    for day, rows in days.items():
        text = repr((day, sorted((entity, slot) for entity, slot in rows.items())))
        one = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        found[_month(day)] = (found.get(_month(day), 0) + one) % 2**64
    return {month: f"{each:016x}" for month, each in found.items()}


def _month(day: date) -> str:
    return day.isoformat()[: len("2026-11")]


def _by_month(days: Iterable[tuple[date, bytes]]) -> dict[str, str]:
    found: dict[str, list[bytes]] = defaultdict(list)
    for day, each in days:
        found[_month(day)].append(day.isoformat().encode() + each)
    return {month: hashlib.sha256(b"".join(prints)).hexdigest()[:20] for month, prints in sorted(found.items())}
