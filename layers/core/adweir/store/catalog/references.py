"""Reference data of client accounts: `reference#<account>#<data type>` / `<source>#<key>`, each row as it was written.

The newest file wins, row by row; two files of one second are ordered by their content. A row that somebody removed
stays as an item without cells, so that an older file that is loaded again does not bring it back; a newer one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from adweir.model.errors import Conflict
from adweir.model.platforms import Platform
from adweir.model.series_ids import series_id
from adweir.model.times import Window
from adweir.store.catalog.items import Effect, Item, Items

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_TOGETHER = 100
_TRIES = 5
_CONFIRMED, _REMOVED = "confirmed", "removed"
_FIRST, _AFTER_ITS_ROWS, _AFTER_ALL = "0", "$", "{"
"""Around the names of sources, which are lower-case letters, digits and _: `$` follows the `#` behind one."""


class ReferenceRow(NamedTuple):
    """A row of a data type: the source that says it, the key, and the cells as they are written."""

    source: Platform
    key: str
    cells: Mapping[str, str]
    as_of: str = ""


class References(Items):
    """Reference data: stored and read."""

    def put_references(
        self, account_id: str, data_type: str, rows: Sequence[ReferenceRow], as_of: str
    ) -> tuple[int, int, int]:
        """Store rows of a file of `as_of` unless a newer one brought them. Keys differ. Repeated, it changes nothing.

        Returns how many were (added, changed, unchanged).
        """
        effects = []
        left = iter(rows)
        while batch := list(islice(left, _TOGETHER)):
            effects += self._put_rows(account_id, data_type, batch, as_of)
        return effects.count(Effect.ADDED), effects.count(Effect.CHANGED), effects.count(Effect.UNCHANGED)

    def references(self, account_id: str, data_type: str, source: str = "") -> Iterator[ReferenceRow]:
        """The rows of a data type, of one source or of all, by source and key."""
        found = self._query(_pk(account_id, data_type), f"{source}#" if source else "")
        return self._readable((item for item in found if item.state != _REMOVED), _row)

    def reference_sources(self, account_id: str, data_type: str) -> Iterator[str]:
        """The sources that have rows of a data type, by name: a read of one item for each."""
        begin = _FIRST
        while rows := list(self._query(_pk(account_id, data_type), begin, up_to=_AFTER_ALL, limit=1)):
            source = rows[0].sk.partition("#")[0]
            yield source
            begin = source + _AFTER_ITS_ROWS

    def reference_days(
        self, account_id: str, data_type: str, source: str, said: Mapping[str, str], days: Window
    ) -> Iterator[ReferenceRow]:
        """The rows of one source, by date, whose key is what they say of themselves and then a date of these days."""
        first, last = (f"{source}#{series_id({**said, 'date': day.isoformat()})}" for day in (days.start, days.end))
        found = self._query(_pk(account_id, data_type), first, up_to=last)
        return self._readable((item for item in found if item.state != _REMOVED), _row)

    def remove_reference(self, account_id: str, data_type: str, row: ReferenceRow, as_of: str) -> bool:
        """Remove a row, unless a file of a later time brought another; False where there is none to remove."""
        for _ in range(_TRIES):
            stored = self._fetch(_pk(account_id, data_type), f"{row.source}#{row.key}")
            if stored is None or stored.state == _REMOVED or (stored.as_of or "") > as_of:
                return False
            gone = Item(stored.pk, stored.sk, as_of=as_of, body={}, state=_REMOVED)
            if self._put(gone, Item.writer == stored.writer):
                return True
        raise Conflict(f"{row.source} {row.key} of {data_type} keeps changing")

    def _put_rows(self, account_id: str, data_type: str, rows: Sequence[ReferenceRow], as_of: str) -> list[Effect]:
        fresh = [
            Item(_pk(account_id, data_type), f"{row.source}#{row.key}", as_of=as_of, body=dict(row.cells))
            for row in rows
        ]
        stored = self._fetch_many([(item.pk, item.sk) for item in fresh])
        steps = [(item, *_step(item, stored.get((item.pk, item.sk)))) for item in fresh]
        writes = [(item, condition) for item, condition, _ in steps if condition is not None]
        if len(writes) > 1 and self._put_together(writes):
            return [effect for _, _, effect in steps]
        return [effect if condition is None else self._put_row(item) for item, condition, effect in steps]

    def _put_row(self, item: Item) -> Effect:
        """Decide again by what is stored, until nobody is quicker."""
        for _ in range(_TRIES):
            condition, effect = _step(item, self._fetch(item.pk, item.sk))
            if condition is None or self._put(item, condition):
                return effect
        raise Conflict(f"{item.pk} {item.sk} keeps changing")


def _step(fresh: Item, stored: Item | None) -> tuple[Condition | None, Effect]:
    """On what condition an item is put (None: it is not), and what that changes.

    An item that a file only confirmed says so in `state`: a worker that goes on with the file tells by it what the one
    before changed, and may not have lived to announce.
    """
    fresh.state = _CONFIRMED if stored is not None and stored.body == fresh.body else None
    if stored is None:
        return Item.pk.does_not_exist(), Effect.ADDED
    if stored.as_of == fresh.as_of and stored.body == fresh.body:
        return None, Effect.UNCHANGED if stored.state == _CONFIRMED else Effect.CHANGED
    if (stored.as_of, _text(stored)) >= (fresh.as_of, _text(fresh)):
        return None, Effect.UNCHANGED
    if stored.state == _REMOVED:
        return Item.writer == stored.writer, Effect.ADDED
    return Item.writer == stored.writer, Effect.UNCHANGED if fresh.state else Effect.CHANGED


def _text(item: Item) -> str:
    return str(sorted((item.body or {}).items()))


def _pk(account_id: str, data_type: str) -> str:
    return f"reference#{account_id}#{data_type}"


def _row(item: Item) -> ReferenceRow:
    source, _, key = item.sk.partition("#")
    return ReferenceRow(Platform(source), key, item.body or {}, item.as_of or "")
