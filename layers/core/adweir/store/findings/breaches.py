"""Breaches, open ones and those of the last weeks: `breaches` / `<cause>`.

One item per cause. Each change is one conditional write of the version that was read, so of several workers that see
the same only one goes on.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, NamedTuple

from pynamodb.attributes import NumberAttribute

from adweir.model.breaches import Breach, BreachKind, BreachState, Subject
from adweir.model.times import Clock, epoch
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.tables import FindingsItem, JsonText

KEEP = timedelta(days=30)
"""How long a breach stays listed after it is over."""
_PK = "breaches"


class BreachItem(FindingsItem):
    """A breach. `seen` counts its changes; until `held` (Unix seconds) one worker is sending its message."""

    seen = NumberAttribute(null=True)
    held = NumberAttribute(null=True)
    body = JsonText(null=True)
    expires = NumberAttribute(null=True)


class KeptBreach(NamedTuple):
    """A breach as it was read."""

    breach: Breach
    version: int
    held_until: int
    expires: int | None = None


class Breaches(Keyed[BreachItem]):
    """The breaches of a deployment."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(BreachItem, "findings", clock)

    def all(self) -> dict[str, KeptBreach]:
        """Cause → breach, those that are long over included: `forget` drops them. Raises Unavailable."""
        return {kept.breach.cause: kept for kept in self._readable(self._query(_PK), _kept)}

    def change(self, read: KeptBreach | None, to: Breach, held_until: int = 0) -> KeptBreach | None:
        """Put a breach in place of the one that was `read`, None where there was none. None when another is there by
        now. Raises Unavailable."""
        version = read.version + 1 if read else 1
        ends = epoch(self._clock.now() + KEEP) if to.state in {BreachState.CLEARED, BreachState.NOTICED} else None
        item = BreachItem(_PK, to.cause, seen=version, held=held_until, body=asdict(to), expires=ends)
        as_read = BreachItem.pk.does_not_exist() if read is None else BreachItem.seen == read.version
        return KeptBreach(to, version, held_until, ends) if self._put(item, as_read) else None

    def forget(self, read: KeptBreach) -> None:
        """Drop a breach that was over long ago, unless it changed. Raises Unavailable."""
        self._drop(_PK, read.breach.cause, BreachItem.seen == read.version)

    def is_over(self, kept: KeptBreach) -> bool:
        """Whether a breach that is not open has been kept long enough."""
        return kept.expires is not None and kept.expires <= epoch(self._clock.now())


def _kept(item: BreachItem) -> KeptBreach:
    body: dict[str, Any] = dict(item.body)
    known = {name: value for name, value in body.items() if name in Breach.__dataclass_fields__}
    words = {"kind": BreachKind(body["kind"]), "state": BreachState(body["state"])}
    named = words | {"subject": Subject(*body["subject"])}
    ends = None if item.expires is None else int(item.expires)
    return KeptBreach(Breach(**known | named), int(item.seen), int(item.held or 0), ends)
