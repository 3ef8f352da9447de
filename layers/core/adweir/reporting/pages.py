"""Further pages of records: what a page did not show is kept, so that the next one is not computed again.

A token names what was kept, and is good for the same request for a day: the pages agree whatever is loaded meanwhile.
Who pages by `offset` has no token. So the first page (offset 0), which is always computed, leaves a mark, and the first
page after it that is computed is kept with the records that follow, under the name in the mark. Pages are read from
there for a quarter of an hour, or until another first page of the same request leaves another mark. The objects are
under `exports/pages/`, which the bucket's lifecycle empties.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.errors import BadInput, NotFound
from adweir.model.times import epoch
from adweir.store.dynamo.paging import from_token, to_token, unknown_token

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

_KEPT = timedelta(days=1)
_SHELVED = timedelta(minutes=15)
_PLACE = re.compile(r"([0-9A-Za-z_-]{1,64}) ([0-9]{1,12}) ([0-9]{1,12})")
"""A token's position: the id that records are kept under, the place of the first, until when. Anybody can make one."""
_MARK = "mark"
_HEAD = "head"
_json = msgspec.json.Encoder(decimal_format="number")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class KeptPage(NamedTuple):
    """A page that was kept: its records, what its answer says beside them, and the token of the next page, if any."""

    records: list[dict[str, Any]]
    about: dict[str, Any]
    token: str


class KeptPages:
    """The pages of one request; `asked` is all that its records depend on."""

    def __init__(self, raw: RawStore, asked: Mapping[str, Any]) -> None:
        self._raw = raw
        self._of = hashlib.sha256(_json.encode(asked)).hexdigest()[:32]

    def mark(self, new_id: str, now: datetime) -> str:
        """Note that a first page was computed. Returns the name under which what follows it is kept."""
        self._raw.put(f"{self._folder}/{_MARK}", _json.encode({"name": new_id, "until": epoch(now + _SHELVED)}))
        return new_id

    def marked(self, now: datetime) -> str:
        """The name in the mark; "" where there is none, or an old one."""
        found = self._find(_MARK)
        return str(found["name"]) if found and epoch(now) < found["until"] else ""

    def shelve(self, name: str, new_id: str, offset: int, page: KeptPage) -> None:
        """Keep a page's records, the first of which is at an offset, and what it says; `total` is among that.

        They lie under an id of their own, which the head names: whoever keeps others at the same time mixes nothing.
        """
        records = page.records
        for number in range(0, len(records), limits.MAX_RETRIEVED_RECORDS):
            batch = records[number : number + limits.MAX_RETRIEVED_RECORDS]
            self._put(new_id, str(number // limits.MAX_RETRIEVED_RECORDS), batch)
        end = offset + len(records)
        self._put(name, _HEAD, {"records": new_id, "offset": offset, "end": end, "about": page.about})

    def shelved(self, name: str, offset: int, limit: int) -> KeptPage | None:
        """The page at an offset, if it is kept under this name."""
        head = self._find(f"{name}/{_HEAD}") if name else None
        if head is None or offset < head["offset"] or min(offset + limit, head["about"]["total"]) > head["end"]:
            return None
        place = min(offset, head["end"]) - head["offset"]
        return KeptPage(self._records(head["records"], place, limit)[:limit], head["about"], "")

    def keep(self, new_id: str, rest: Iterable[dict[str, Any]], about: Mapping[str, Any], now: datetime) -> str:
        """Keep the records after the first page, and what each answer says. Returns the token; "" where there is none.

        Raises Unavailable.
        """
        count, records = 0, iter(rest)
        while batch := list(islice(records, limits.MAX_RETRIEVED_RECORDS)):
            self._put(new_id, str(count), batch)
            count += 1
        if not count:
            return ""
        self._put(new_id, _HEAD, dict(about))
        return self._token(new_id, 0, epoch(now + _KEPT))

    def page(self, token: str, limit: int, now: datetime) -> KeptPage:
        """The page behind a token. Raises BadInput for a token of another request, or an old one; Unavailable."""
        found = _PLACE.fullmatch(from_token(self._of, token))
        if not found:
            raise unknown_token()
        kept_id, place, until = found[1], int(found[2]), int(found[3])
        if epoch(now) >= until:
            raise _outdated()
        records = self._records(kept_id, place, limit)
        more = len(records) > limit
        about: dict[str, Any] = self._get(kept_id, _HEAD)
        if not records:
            raise _outdated()
        return KeptPage(records[:limit], about, self._token(kept_id, place + limit, until) if more else "")

    def _records(self, kept_id: str, place: int, limit: int) -> list[dict[str, Any]]:
        """At least `limit` and one more records from a place on, as far as there are any."""
        size, records = limits.MAX_RETRIEVED_RECORDS, list[dict[str, Any]]()
        number, after = divmod(place, size)
        while len(records) <= limit:
            batch = self._get(kept_id, str(number))
            records += batch[after:]
            number, after = number + 1, 0
            if len(batch) < size:
                break
        return records

    def _token(self, kept_id: str, place: int, until: int) -> str:
        return to_token(self._of, f"{kept_id} {place} {until}")

    def _put(self, kept_id: str, name: str, what: Any) -> None:
        self._raw.put(f"{self._folder}/{kept_id}/{name}", _json.encode(what), content_type="application/json")

    def _get(self, kept_id: str, name: str) -> Any:
        found = self._find(f"{kept_id}/{name}")
        if found is None:
            if name.isdigit() and name != "0":
                return []  # the batch before it was the last one, and full
            raise _outdated()
        return found

    def _find(self, name: str) -> Any:
        try:
            return _decode(self._raw.get_bytes(f"{self._folder}/{name}"))
        except NotFound:
            return None

    @property
    def _folder(self) -> str:
        return f"exports/pages/{self._of}"


def _outdated() -> BadInput:
    message = "is too old: begin again without it"
    return BadInput(f"the page token {message}", [{"field": "next_token", "message": message}])
