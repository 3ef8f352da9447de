"""Further pages of records: what the first page did not show is kept, so that no page is computed again.

A token names what was kept, and is good for the same request for a day: the pages agree whatever is loaded meanwhile.
The objects are under `exports/pages/`, which the bucket's lifecycle empties.
"""

from __future__ import annotations

import hashlib
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
        parts = from_token(self._of, token).split(" ")
        if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
            raise unknown_token()
        kept_id, place, until = parts[0], int(parts[1]), int(parts[2])
        if epoch(now) >= until:
            raise _outdated()
        size, records = limits.MAX_RETRIEVED_RECORDS, list[dict[str, Any]]()
        number, after = divmod(place, size)
        while len(records) <= limit:
            batch = self._get(kept_id, str(number))
            records += batch[after:]
            number, after = number + 1, 0
            if len(batch) < size:
                break
        more = len(records) > limit
        about: dict[str, Any] = self._get(kept_id, _HEAD)
        if not records:
            raise _outdated()
        return KeptPage(records[:limit], about, self._token(kept_id, place + limit, until) if more else "")

    def _token(self, kept_id: str, place: int, until: int) -> str:
        return to_token(self._of, f"{kept_id} {place} {until}")

    def _put(self, kept_id: str, name: str, what: Any) -> None:
        self._raw.put(self._key(kept_id, name), _json.encode(what), content_type="application/json")

    def _get(self, kept_id: str, name: str) -> Any:
        try:
            return _decode(self._raw.get_bytes(self._key(kept_id, name)))
        except NotFound:
            if name.isdigit() and name != "0":
                return []  # the batch before it was the last one, and full
            raise _outdated() from None

    def _key(self, kept_id: str, name: str) -> str:
        return f"exports/pages/{self._of}/{kept_id}/{name}"


def _outdated() -> BadInput:
    message = "is too old: begin again without it"
    return BadInput(f"the page token {message}", [{"field": "next_token", "message": message}])
