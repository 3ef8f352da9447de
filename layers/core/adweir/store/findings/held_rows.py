"""What is in quarantine: one entry per stored object of which rows were refused, with what became of them since.

`held` / `<time of the first refusal>#<id>` is the entry, `held#<id>` / `place` says which sort key it has. Both are in
the Findings table and expire with the rows that they are about (`KEEP`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model import limits
from adweir.model.errors import NotFound, Unavailable
from adweir.model.ids import DIGITS, IdKind
from adweir.model.times import Clock, epoch, iso
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.dynamo.tables import FindingsItem, JsonText

KEEP = timedelta(days=90)
_LIST, _PLACE, _RACES = "held", "place", 5


class HeldItem(FindingsItem):
    """An entry, or the place of one. `seen` counts its changes."""

    seen = NumberAttribute(null=True)
    body = JsonText(null=True)
    text = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)


@dataclass(frozen=True, slots=True)
class HeldObject:
    """An object and the rows of it that are in quarantine.

    `source_key` is the object that they came in, in version `version_id` where it has one; `keys` are the objects with
    the rows themselves. `reasons`: rule → rows. `first`: the first rows, each with its line and first fault.
    `load` is the number of the load that said so last, `personal` whether the rows are personal data. `state`: held,
    replaying (since `asked_at`, as `asked_by` wanted), cleared, superseded (a newer pull brought its days without a
    fault), dropped (somebody said that they are not needed any more). `moved` is how many rows the last replay took
    out, `reason` why one failed.

    `start` and `end` are the days that the object is about, "" where it has none; `slice` is what of its dataset a pull
    asked for, `first_day` and `last_day` are those of its refused rows, "" where one does not say its day.
    """

    source_key: str
    account_id: str
    platform: str
    profile_id: str
    dataset: str
    task_id: str
    keys: tuple[str, ...]
    rows: int
    reasons: Mapping[str, int]
    first: tuple[dict[str, Any], ...] = ()
    load: int = 0
    personal: bool = False
    version_id: str = ""
    start: str = ""
    end: str = ""
    slice: str = ""
    first_day: str = ""
    last_day: str = ""
    state: str = "held"
    held_at: str = ""
    updated_at: str = ""
    asked_at: str = ""
    asked_by: str = ""
    moved: int | None = None
    reason: str = ""
    id: str = ""

    @property
    def name(self) -> str:
        """The id of the object's entry."""
        return _name(self.source_key, self.version_id)


class SupersedingPull(NamedTuple):
    """A pull that brought all of its days without a fault; `tasks` are pulls that answered for some of them before."""

    platform: str
    profile_id: str
    dataset: str
    slice: str
    start: str
    end: str
    tasks: frozenset[str]

    def supersedes(self, entry: HeldObject) -> bool:
        """Whether the refused rows of an entry are all of these days, and of one of those pulls."""
        same = all(
            getattr(entry, name) == getattr(self, name) for name in ("platform", "profile_id", "dataset", "slice")
        )
        is_dated = bool(entry.first_day) and self.start <= entry.first_day and entry.last_day <= self.end
        return same and is_dated and entry.task_id in self.tasks


def _name(source_key: str, version_id: str) -> str:
    said = f"{source_key}\x1f{version_id}"
    return IdKind.QUARANTINE.of(hashlib.sha256(said.encode()).hexdigest()[:DIGITS])


class HeldRows(Keyed[HeldItem]):
    """The entries. Every call may be repeated."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(HeldItem, "findings", clock)

    def hold(self, found: HeldObject) -> None:
        """Note what a load of an object left in quarantine; without rows, that nothing of it is there any more.

        A load that is older than the one that is noted says nothing new. Raises Unavailable.
        """
        for _ in range(_RACES):
            place, item = self._find(found.name)
            if item is None:
                if not found.rows or self._begin(found, place):
                    return
                continue
            known = next(self._readable([item], _entry), None) or _with(found, id=found.name, rows=0, load=0)
            if found.load < known.load or self._replace(item, _after(known, found, iso(self._clock.now()))):
                return
        raise _contended()

    def get(self, held_id: str) -> HeldObject:
        """An entry by its id. Raises NotFound."""
        _, item = self._find(held_id)
        if item is None:
            raise unknown_entry(held_id)
        return self._read(item)

    def replaying(self, held_id: str, who: str) -> HeldObject:
        """Note that somebody has the object loaded again. Raises NotFound, Unavailable."""
        now = iso(self._clock.now())
        return self._note(held_id, {"state": "replaying", "asked_at": now, "asked_by": who, "reason": ""})

    def drop(self, held_id: str) -> HeldObject:
        """Note that nobody needs an object's refused rows any more; they stay stored. Raises NotFound, Unavailable."""
        return self._note(held_id, {"state": "dropped"})

    def failed(self, source_key: str, version_id: str, reason: str) -> None:
        """Note that an object could not be loaded again: its rows are where they were."""
        held_id = _name(source_key, version_id)
        if self._find(held_id)[1] is not None:
            self._note(held_id, {"state": "held", "reason": reason[: limits.MAX_REASON_CHARS]})

    def supersede(self, pull: SupersedingPull) -> None:
        """Note of the rows of older pulls that a newer one brought their days without a fault. Raises Unavailable."""
        for item in islice(self._query(_LIST, newest_first=True), limits.MAX_HELD_READ):
            for entry in self._readable([item], _entry):
                if entry.state == "held" and pull.supersedes(entry):
                    self._replace(item, _with(entry, state="superseded", updated_at=iso(self._clock.now())))

    def _note(self, held_id: str, values: Mapping[str, Any]) -> HeldObject:
        for _ in range(_RACES):
            _, item = self._find(held_id)
            if item is None:
                raise unknown_entry(held_id)
            changed = _with(self._read(item), **values)
            if self._replace(item, changed):
                return changed
        raise _contended()

    def page(
        self, limit: int, token: str = "", accounts: Collection[str] = (), wanted: Mapping[str, str] | None = None
    ) -> tuple[list[HeldObject], str]:
        """Entries, the newest first, and the token of the next page, "" after the last: of these accounts, all where
        none is named, and with these values of their fields. A page may have fewer than there are.

        Raises BadInput for a token of another list.
        """
        found: list[HeldObject] = []
        looked, last = 0, from_token(_LIST, token)
        for item in self._query(_LIST, after=last, newest_first=True):
            if len(found) == limit or looked == limits.MAX_HELD_READ:
                return found, to_token(_LIST, last)
            looked, last = looked + 1, item.sk
            for each in self._readable([item], _entry):
                is_theirs = not accounts or each.account_id in accounts
                if is_theirs and all(getattr(each, name) == value for name, value in (wanted or {}).items()):
                    found.append(each)
        return found, ""

    def since(self, at: datetime) -> tuple[list[HeldObject], bool]:
        """Entries of which rows were first refused at this time or later, the newest first, and whether they are all
        of them: at most MAX_HELD_READ are read. Raises Unavailable."""
        items = list(islice(self._query(_LIST, iso(at), up_to="~", newest_first=True), limits.MAX_HELD_READ + 1))
        return list(self._readable(items[: limits.MAX_HELD_READ], _entry)), len(items) <= limits.MAX_HELD_READ

    def _is_there(self, item: HeldItem) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())

    def _find(self, held_id: str) -> tuple[str, HeldItem | None]:
        place = self._fetch(f"{_LIST}#{held_id}", _PLACE)
        key = (place.text or "") if place else ""
        return key, self._fetch(_LIST, key) if key else None

    def _begin(self, found: HeldObject, place: str) -> bool:
        """Put a new entry; False when somebody else did. Its place comes first: who dies in between left nothing that
        is listed, and whoever repeats it finds the same place."""
        now = self._clock.now()
        expires = epoch(now + KEEP)
        absent = HeldItem.pk.does_not_exist() | (HeldItem.expires <= epoch(now))
        if not place:
            place = f"{iso(now)}#{found.name}"
            if not self._put(HeldItem(f"{_LIST}#{found.name}", _PLACE, text=place, expires=expires), absent):
                return False
        entry = _with(found, id=found.name, held_at=place.partition("#")[0], updated_at=iso(now))
        return self._put(HeldItem(_LIST, place, seen=0, body=asdict(entry), expires=expires), absent)

    def _replace(self, item: HeldItem, entry: HeldObject) -> bool:
        seen = int(item.seen or 0)
        fresh = HeldItem(_LIST, item.sk, seen=seen + 1, body=asdict(entry), expires=int(item.expires or 0))
        return self._put(fresh, HeldItem.seen == seen)

    def _read(self, item: HeldItem) -> HeldObject:
        return self._parsed(item, _entry)


def unknown_entry(held_id: str) -> NotFound:
    """The error for an id that no entry has, or none that the caller may see."""
    message = f"there is nothing in quarantine called {held_id[:64]}"
    return NotFound(message, [{"field": "id", "message": "is unknown"}])


def _contended() -> Unavailable:
    return Unavailable("the same quarantine is being written by others at this moment; try again")


def _entry(item: HeldItem) -> HeldObject:
    body: dict[str, Any] = dict(item.body or {})
    known = {name: value for name, value in body.items() if name in HeldObject.__dataclass_fields__}
    return HeldObject(**known | {"keys": tuple(body["keys"]), "first": tuple(body["first"])})


def _with(entry: HeldObject, **values: Any) -> HeldObject:
    return HeldObject(**asdict(entry) | values)


def _after(known: HeldObject, found: HeldObject, now: str) -> HeldObject:
    """The entry after another load of its object."""
    moved = known.moved
    if known.state == "replaying" or found.load > known.load:
        moved = max(known.rows - found.rows, 0)
    is_dropped = known.state == "dropped" and found.rows <= known.rows  # the same rows, which came once more
    state = "cleared" if not found.rows else "dropped" if is_dropped else "held"
    kept = {"id": known.id, "held_at": known.held_at, "asked_at": known.asked_at, "asked_by": known.asked_by}
    return _with(found, **kept, updated_at=now, state=state, moved=moved)
