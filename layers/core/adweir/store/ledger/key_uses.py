"""When API keys were last used: `key-use` / `<key id>`; a container writes it at most every ten minutes.

The value before a rotation has an item of its own, `<key id>#previous`: who rotates a key wants to know whether
somebody still sends that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from adweir.model import limits
from adweir.model.times import Clock, iso
from adweir.store.ledger.rows import Rows

_PK = "key-use"
_PREVIOUS = "#previous"
_NOTED_SECONDS = 600


class Uses(NamedTuple):
    """When a key was last used, and when with the value before a rotation, to ten minutes.

    "" when it was not in the last 90 days."""

    last: str = ""
    previous: str = ""


class KeyUses(Rows):
    """Written for each request, but not more often than every ten minutes."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._noted: dict[str, float] = {}

    def used(self, key_id: str, *, previous: bool = False) -> None:
        """A key was used now; `previous`: with the value before its last rotation."""
        sk, now = key_id + (_PREVIOUS if previous else ""), self._clock.monotonic()
        if sk in self._noted and now - self._noted[sk] < _NOTED_SECONDS:
            return
        if len(self._noted) >= limits.MAX_NOTED_KEYS:
            self._noted.clear()
        self._put(self._row(_PK, sk, text=iso(self._clock.now())))
        self._noted[sk] = now

    def of(self, key_ids: Iterable[str]) -> dict[str, Uses]:
        """The uses of each of these keys."""
        ids = list(key_ids)
        found = self._fetch_many((_PK, key_id + of) for key_id in ids for of in ("", _PREVIOUS))
        texts = {sk: row.text or "" for (_, sk), row in found.items()}
        both = {key_id: (texts.get(key_id, ""), texts.get(key_id + _PREVIOUS, "")) for key_id in ids}
        return {key_id: Uses(max(times), times[1]) for key_id, times in both.items()}
