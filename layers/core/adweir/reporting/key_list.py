"""API keys as people see them, without their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adweir.model.entities import ApiKey
from adweir.model.times import parse_instant

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger

_HIDDEN = {"hash", "previous_hash", "rotations"}


def shown_keys(ledger: Ledger, found: Sequence[ApiKey], now: datetime) -> Iterator[dict[str, Any]]:
    """Each with its status (`active`, `expired`, `revoked`), its end and when it was last used (to ten minutes). Where
    the value before the last rotation works still, until when, and when that one was used; None where not."""
    used = ledger.key_uses.of([key.key_id for key in found])
    for key in found:
        active, uses = key.status == "active", used[key.key_id]
        ended = active and key.expires_at and parse_instant(key.expires_at) <= now
        overlaps = active and key.previous_ends_at and parse_instant(key.previous_ends_at) > now
        yield key.model_dump(mode="json", exclude=_HIDDEN) | {
            "status": "expired" if ended else key.status,
            "expires_at": key.expires_at or None,
            "last_used_at": uses.last or None,
            "previous_ends_at": key.previous_ends_at if overlaps else None,
            "previous_last_used_at": uses.previous if overlaps and uses.previous > (key.rotated_at or "") else None,
        }
