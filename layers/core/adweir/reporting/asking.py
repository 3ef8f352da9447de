"""Asks for exports: the same request within an hour is the same export.

One of relative days is that for a quarter of an hour, since midnight may come at any quarter.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from adweir.model.errors import Unavailable
from adweir.model.ids import DIGITS, IdKind
from adweir.model.messages import MakeExport
from adweir.model.ports import Queue
from adweir.model.times import iso
from adweir.reporting.exported import Asked
from adweir.store.ledger.exports import Exports

_QUARTER = 15
"""Minutes: what time zones differ by at least."""


def ask_for(exports: Exports, queue: Queue, asked: Asked, accounts: frozenset[str], now: datetime) -> str:
    """The id of the export of a report or of records, begun now unless it was before. Raises Unavailable."""
    minute = now.minute // _QUARTER * _QUARTER if asked.is_relative else 0
    begun = iso(now.replace(minute=minute, second=0, microsecond=0))
    what = msgspec.json.encode([msgspec.structs.replace(asked, asked_at=begun), sorted(accounts)])
    export_id = IdKind.EXPORT.of(hashlib.sha256(what).hexdigest()[:DIGITS])
    if exports.begin(export_id, msgspec.to_builtins(asked), accounts):
        try:
            queue.send(MakeExport(export_id=export_id), group=export_id)
        except Unavailable:
            exports.failed(export_id, "it could not be begun; ask for it again")
            raise
    return export_id
