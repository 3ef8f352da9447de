"""Replays of the quarantine: an object of which rows were refused is loaded again, after a repair.

The whole object is read again, by the mapping, options and rules of now: rows that are valid by then are stored, those
that are not stay in quarantine, and what was stored before stays as it is, as does whatever a newer pull or file
brought. Loading it twice changes nothing.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from adweir.intake.load import pulls
from adweir.model.errors import Conflict
from adweir.model.messages import ObjectArrived, ReplayHeld
from adweir.model.ports import Queues
from adweir.model.tasks import Cause
from adweir.pipeline.object_replays import group_of
from adweir.store.findings.held_rows import HeldObject, HeldRows

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger
    from adweir.store.raw.store import RawStore


_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
"""In a bucket without versions, the time of the write is called an object's version."""


class HeldReplays:
    """Asks for replays of the quarantine, and sends their objects."""

    def __init__(self, held: HeldRows, raw: RawStore, ledger: Ledger, queues: Queues) -> None:
        self._held = held
        self._raw = raw
        self._ledger = ledger
        self._queues = queues

    def request(self, held_id: str, who: str) -> HeldObject:
        """Have the object of an entry loaded again. May be repeated.

        Raises NotFound for an unknown entry, Conflict for an object that is gone, Unavailable.
        """
        found = self._held.get(held_id)
        key = found.source_key
        # The API may list objects, and read none. A listing is in key order: what is there comes first.
        if not any(info.key == key for info in islice(self._raw.list(key), 1)):
            raise Conflict(f"{key} is gone, so that it cannot be loaded again", [{"field": "id", "message": "is gone"}])
        is_pull = key.startswith(pulls.PREFIX)
        load = self._ledger.replays.next_load(f"{found.platform}#{found.profile_id}" if is_pull else key)
        found = self._held.replaying(held_id, who)
        version, group = "" if _TIME.fullmatch(found.version_id) else found.version_id, group_of(key)
        self._queues.runs.send(ReplayHeld(key=key, version_id=version, load=load, group=group), group=group)
        return found

    def send(self, asked: ReplayHeld) -> None:
        """Send the object to the landing queue."""
        again = ObjectArrived(
            bucket=self._raw.bucket, key=asked.key, version_id=asked.version_id, load=asked.load, cause=Cause.REPLAY
        )
        self._queues.landing.send(again, group=asked.group)
