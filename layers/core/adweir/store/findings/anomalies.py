"""Anomalies, and what was learned of the series that they were found in.

`anomalies#<month>` / `<first day>#<id>` is an incident: a month's partition, so that lists go from the newest on.
`watched#<platform>#<profile>` / `!watch` says how far an ad account was learned (`Watch`), `!expected` which incidents
were said to be expected, `<level>#<entity>` what was learned of one entity: the states of all its metrics, in one item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model import limits
from adweir.model.times import Clock, epoch, first_of_month
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.dynamo.tables import FindingsItem, JsonText

KEEP = timedelta(days=400)
_LIST = "anomalies"
_WATCH, _EXPECTED = "!watch", "!expected"
_FIRST = '"'
"""The first character behind those of `!watch`."""


@dataclass(frozen=True, slots=True)
class WatchMark:
    """How far an ad account, or a client's arms, was learned.

    `build` counts how often it was learned anew; `basis` says by what settings. `through` is the last day that every
    entity has learned, "" for none. `digests`: by month, what the learned days of the account were, `rows` those of all
    entities, and `stamps` when they were pulled. A batch that was decided and not
    learned by all yet goes to the day `deciding`, "" without one. `open`: incidents of the last days, by first day and
    id. `again`: up to this day an earlier build had decided ("": there was none).
    """

    build: int = 0
    basis: str = ""
    through: str = ""
    deciding: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    open: tuple[tuple[str, str], ...] = ()
    again: str = ""
    seen: int = 0
    """How often it was changed; 0: it is not stored."""


class WatchItem(FindingsItem):
    """How far something was learned, or which of its incidents are expected. `seen` counts its changes."""

    seen = NumberAttribute(null=True)
    body = JsonText(null=True)
    expires = NumberAttribute(null=True)


class EntityItem(FindingsItem):
    """What was learned of one entity, in the `build` of its ad account, up to the day `through`."""

    build = NumberAttribute(null=True)
    through = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)


class AnomalyItem(FindingsItem):
    """An incident (`insight.anomalies.incidents.Incident`). `version` counts its changes."""

    version = NumberAttribute(null=True)
    body = JsonText(null=True)
    expires = NumberAttribute(null=True)


class LearnedEntity(NamedTuple):
    """What was learned of one entity: `state` is `watched.EntityState`'s text."""

    level: str
    entity_id: str
    build: int
    through: str
    state: str


_I = TypeVar("_I", WatchItem, EntityItem, AnomalyItem)


class _Expiring(Keyed[_I], Generic[_I]):
    """Items that expire."""

    def _is_there(self, item: _I) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())

    @property
    def _ends(self) -> int:
        return epoch(self._clock.now() + KEEP)


class Watches(_Expiring[WatchItem]):
    """How far ad accounts were learned, and what of them is expected."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(WatchItem, "findings", clock)

    def get(self, watched: str) -> WatchMark:
        """How far; of one that was never learned, or cannot be read, from the beginning. Raises Unavailable.

        What cannot be read was changed at least as often as it had builds: a build after that is newer than all.
        """
        found = self._fetch(_pk(watched), _WATCH)
        if found is None:
            return WatchMark()
        seen = int(found.seen or 0)
        return next(self._readable([found], _watch), WatchMark(build=seen, seen=seen))

    def put(self, watched: str, watch: WatchMark) -> bool:
        """Store how far, in place of what was read (`seen`). False when another worker did meanwhile: read it anew.

        Raises Unavailable.
        """
        item = WatchItem(_pk(watched), _WATCH, seen=watch.seen + 1, body=asdict(watch), expires=self._ends)
        absent = WatchItem.seen.does_not_exist() | (WatchItem.expires <= epoch(self._clock.now()))
        return self._put(item, WatchItem.seen == watch.seen if watch.seen else absent)

    def expected(self, watched: str) -> dict[str, dict[str, list[str]]]:
        """`<level>#<entity>` → metric → the incidents in which it was expected. Raises Unavailable."""
        return self._read(watched)[0]

    def mark(self, watched: str, entity: str, metrics: Iterable[str], incident: str, *, expected: bool) -> bool:
        """Note that an incident of metrics of an entity is expected, or that it is not.

        False when somebody else changed it at this moment: the same call again. Raises Unavailable.
        """
        known, seen = self._read(watched)
        named = {metric: list(ids) for metric, ids in known.pop(entity, {}).items()}
        for metric in metrics:
            ids = [each for each in named.get(metric, []) if each != incident]
            named[metric] = [*ids, incident] if expected else ids
        kept = {metric: ids[-limits.MAX_EXPECTED_MARKS :] for metric, ids in named.items() if ids}
        body = dict([*known.items(), (entity, kept)][-limits.MAX_EXPECTED_MARKS :]) if kept else known
        item = WatchItem(_pk(watched), _EXPECTED, seen=seen + 1, body=body, expires=self._ends)
        return self._put(item, WatchItem.seen == seen if seen else WatchItem.pk.does_not_exist())

    def _read(self, watched: str) -> tuple[dict[str, dict[str, list[str]]], int]:
        found = self._fetch(_pk(watched), _EXPECTED)
        if found is None:
            return {}, 0
        return {str(name): dict(each) for name, each in found.body.items()}, int(found.seen)


class LearnedEntities(_Expiring[EntityItem]):
    """What was learned, entity by entity."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(EntityItem, "findings", clock)

    def all(self, watched: str, build: int) -> Iterator[LearnedEntity]:
        """Of an ad account, what this build learned. Raises Unavailable."""
        found = self._readable(self._query(_pk(watched), after=_FIRST), _learned)
        return (each for each in found if each.build == build)

    def few(self, watched: str, build: int, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], LearnedEntity]:
        """Of some entities by (level, id), by queries. Raises Unavailable."""
        names = {f"{level}#{entity_id}": (level, entity_id) for level, entity_id in keys}
        items = (item for name in names for item in self._query(_pk(watched), name, up_to=name))
        found = self._readable(items, _learned)
        return {(each.level, each.entity_id): each for each in found if each.build == build}

    def put(self, watched: str, learned: LearnedEntity) -> None:
        """Store what was learned of an entity, unless another worker learned more of it. Raises Unavailable."""
        item = EntityItem(
            _pk(watched),
            f"{learned.level}#{learned.entity_id}",
            build=learned.build,
            through=learned.through,
            text=learned.state,
            expires=self._ends,
        )
        is_same = (EntityItem.build == learned.build) & (EntityItem.through <= learned.through)
        self._put(item, EntityItem.build.does_not_exist() | (EntityItem.build < learned.build) | is_same)


class Anomalies(_Expiring[AnomalyItem]):
    """Incidents. `watches` says how far ad accounts were learned, `entities` what was learned."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(AnomalyItem, "findings", clock)
        self.watches = Watches(clock)
        self.entities = LearnedEntities(clock)

    def get(self, first_day: str, anomaly: str) -> dict[str, Any] | None:
        """An incident by its first day and id. Raises Unavailable, UnreadableItem."""
        found = self._fetch(_month_of(first_day), f"{first_day}#{anomaly}")
        return self._parsed(found, _body) if found else None

    def put(self, body: Mapping[str, Any]) -> bool:
        """Store an incident in place of its version before (`version` less one; none: 1). False when somebody changed
        it meanwhile. Raises Unavailable."""
        version = int(body["version"])
        item = AnomalyItem(
            _month_of(body["first_day"]),
            f"{body['first_day']}#{body['id']}",
            version=version,
            body=dict(body),
            expires=self._ends,
        )
        absent = AnomalyItem.pk.does_not_exist() | (AnomalyItem.expires <= epoch(self._clock.now()))
        return self._put(item, absent if version == 1 else AnomalyItem.version == version - 1)

    def page(
        self, first: date, last: date, limit: int, token: str = ""
    ) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
        """Incidents whose first day is from `first` to `last`, the newest first, behind `token`.

        Each with the token behind it; whether there may be more: at most `limit` are looked at. Raises BadInput,
        Unavailable.
        """
        after = from_token(_LIST, token)
        found: list[tuple[str, dict[str, Any]]] = []
        month = first_of_month(last)
        while month >= first_of_month(first):
            pk = _month_of(month.isoformat())
            upper = min(f"{last.isoformat()}#~", after or "~")
            if not after or after[: len("2026-11")] >= month.isoformat()[: len("2026-11")]:
                items = self._query(pk, first.isoformat(), up_to=upper, newest_first=True)
                for item in items:
                    if after and item.sk >= after:
                        continue
                    if len(found) == limit:
                        return found, True
                    found += [(to_token(_LIST, item.sk), body) for body in self._readable([item], _body)]
            month = first_of_month(month, -1)
        return found, False


def changed(watch: WatchMark, **fields: Any) -> WatchMark:
    """A watch with other fields."""
    return replace(watch, **fields)


def _pk(watched: str) -> str:
    return f"watched#{watched}"


def _month_of(day: str) -> str:
    return f"{_LIST}#{day[: len('2026-11')]}"


def _watch(item: WatchItem) -> WatchMark:
    body = {name: value for name, value in item.body.items() if name in WatchMark.__dataclass_fields__}
    return WatchMark(**body | {"open": tuple((day, name) for day, name in body["open"]), "seen": int(item.seen or 0)})


def _learned(item: EntityItem) -> LearnedEntity:
    level, _, entity_id = item.sk.partition("#")
    return LearnedEntity(level, entity_id, int(item.build), item.through, item.text)


def _body(item: AnomalyItem) -> dict[str, Any]:
    return dict(item.body) | {"version": int(item.version)}
