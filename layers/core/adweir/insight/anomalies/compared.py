"""What numbers that arrive are compared with: what `detect` learned of an entity, or settled days that are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from adweir.insight.anomalies.arms import EntityKey
from adweir.insight.anomalies.sources import Check, ProfileDays
from adweir.insight.anomalies.watched import EntityState, WatchSettings
from adweir.model.errors import BadInput, TooLarge
from adweir.model.log import log
from adweir.model.times import Window

if TYPE_CHECKING:
    from adweir.store.findings.anomalies import Anomalies, WatchMark

_REBUILT_DAYS = 120
"""Settled days that stand in for what was learned and cannot be read: as long as an excursion is remembered."""


class ComparedWith(StrEnum):
    """LEARNED: all that `detect` learned. LOOKBACK: the days that were asked for. REBUILT: what `detect` learned cannot
    be read, and the newest settled days stand in for it until `detect` has learned all anew. NOTHING: nothing is known
    of the entity."""

    LEARNED = "learned"
    LOOKBACK = "lookback"
    REBUILT = "rebuilt"
    NOTHING = "nothing"


class ComparedState(NamedTuple):
    """A state, what it is of, and the last day in it, "" without one."""

    state: EntityState
    by: ComparedWith
    through: str = ""


class Comparisons:
    """Of one ad account. `check` is called now and then while days are read, and may raise TooLarge."""

    def __init__(self, store: Anomalies, days: ProfileDays, settings: WatchSettings, check: Check) -> None:
        self._store = store
        self._days = days
        self._settings = settings
        self._check = check
        self._key = days.watcher.key

    def of(self, key: EntityKey, day: date, lookback: int | None = None) -> ComparedState:
        """What numbers of an entity on a day are compared with: what was learned, or so many settled days before it.

        Raises TooLarge where reading the days takes too long, Unavailable.
        """
        if lookback is not None:
            return self._read(key, day, lookback, ComparedWith.LOOKBACK)
        watch = self._store.watches.get(self._key)
        try:
            return self._learned(key, watch)
        except BadInput as error:
            log.warning("what was learned of %s of %s: %s; it is read anew", " ".join(key), self._key, error.message)
        try:
            return self._read(key, day, _REBUILT_DAYS, ComparedWith.REBUILT)
        except TooLarge as error:
            log.warning("%s of %s is compared with nothing: %s", " ".join(key), self._key, error.message)
            return ComparedState(EntityState(), ComparedWith.NOTHING, watch.through)

    def _learned(self, key: EntityKey, watch: WatchMark) -> ComparedState:
        """Raises BadInput for what cannot be read."""
        if watch.build and not (watch.through or watch.deciding):
            raise BadInput("how far its ad account was learned cannot be read")
        found = self._store.entities.few(self._key, watch.build, [key]).get(key)
        if found is None:
            return ComparedState(EntityState(), ComparedWith.NOTHING, watch.through)
        return ComparedState(EntityState.from_json(found.state), ComparedWith.LEARNED, watch.through)

    def _read(self, key: EntityKey, day: date, count: int, by: ComparedWith) -> ComparedState:
        """Learn the last days before one that are settled, as `detect` would."""
        ripe = [each.day for each in self._days.ripe(self._check) if each.day < day][-count:]
        state = EntityState()
        if not ripe:
            return ComparedState(state, ComparedWith.NOTHING)
        rows = self._days.of_entity(key, Window(ripe[0], ripe[-1]), self._check)
        expected = self._expected(key)
        for each in ripe:
            if each in rows and (rows[each] is not None or state.is_awaited(each)):
                state.learn(each, rows[each], self._settings, expected)
        return ComparedState(state, by if state.active else ComparedWith.NOTHING, ripe[-1].isoformat())

    def _expected(self, key: EntityKey) -> Mapping[str, int]:
        marks = self._store.watches.expected(self._key).get(f"{key[0]}#{key[1]}", {})
        return {metric: len(ids) for metric, ids in marks.items()}
