"""What is kept of dropped files: a receipt of each version, which bytes are known, and how far a long load is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.intake.load.drop_keys import account_in
from adweir.intake.load.drop_shares import Bound, Share, shares, shares_of_ids
from adweir.intake.load.dropped_rows import DropFacts
from adweir.model import limits
from adweir.model.errors import AdweirError, BadInput
from adweir.model.messages import ObjectArrived
from adweir.model.times import iso
from adweir.store.raw.store import ObjectHead

if TYPE_CHECKING:
    from adweir.store.ledger.receipts import Receipts
    from adweir.store.raw.store import RawStore

_REMEMBERED = timedelta(days=limits.MAX_DROP_AGE_DAYS + 1)
"""So long the bytes of a drop are known: afterwards none of its days can be dropped anymore."""
_WORKED_ON = timedelta(days=14)
"""So long what is known of an unfinished load is kept: as long as its message may be somewhere."""


class SharePlan(NamedTuple):
    """How a file is cut: shares of the memory that there is, divided by `cut`; None until its rows are counted."""

    cut: int
    shares: list[Share] | None


class DropReading(NamedTuple):
    """How often the bytes of a drop were read before, and which drop of them is loaded, "" for none.

    `done_by`: its key and version. `replay`: the number of the replay that reads them, 0 for none.
    """

    number: int
    done_by: str = ""
    replay: int = 0


class DropReceipts:
    """In S3 for whoever dropped the file, in the ledger for the API."""

    def __init__(self, raw: RawStore, receipts: Receipts) -> None:
        self._raw = raw
        self._receipts = receipts

    def reading(self, drop: DropFacts, known_as: str, replay: int = 0) -> DropReading:
        """The reading of these bytes by a mapping (its digest): the last one goes on, another mapping begins the next,
        and so does a replay of what was refused, whose number is greater than those before.

        It is noted before anything is stored: what a killed reading stored is older than what the next one does.
        """
        known = self._receipts.get(drop.same_bytes)
        if known is None and not (known_as or replay):
            return DropReading(0)
        number = 0 if known is None else int(known.get("reading", 0))
        last = 0 if known is None else int(known.get("replay", 0))
        if last > replay > 0:
            return DropReading(number, f"{drop.message.key} {drop.version}")  # a newer one does what this one would
        if known is not None and known.get("mapping", "") == known_as and last >= replay:
            return DropReading(number, f"{known['key']} {known['version']}" if known["key"] else "", last)
        reading = DropReading(number + (known is not None or replay > 0), replay=replay)
        self._note(drop, reading, known_as)
        return reading

    def remember(self, drop: DropFacts, reading: DropReading, known_as: str) -> None:
        """Note that these bytes are loaded."""
        self._note(drop, reading, known_as, drop.message.key, drop.version)

    def _note(self, drop: DropFacts, reading: DropReading, known_as: str, key: str = "", version: str = "") -> None:
        numbers = {"reading": reading.number, "replay": reading.replay}
        said = numbers | {"mapping": known_as, "key": key, "version": version}
        self._receipts.put(drop.same_bytes, said, _REMEMBERED)

    def put(self, drop: DropFacts, result: dict[str, Any]) -> None:
        """Store a receipt."""
        facts = {
            "key": drop.message.key,
            "version": drop.version,
            "account_id": drop.account_id,
            "task_id": drop.task_id,
            "sha256": drop.sha256,
            "size": drop.size,
            "last_modified": iso(drop.as_of),
            "reading": drop.reading,
        }
        self._put(drop.name, facts | result)

    def reject(self, message: ObjectArrived, version: str, head: ObjectHead, error: AdweirError) -> None:
        """The receipt of a file that cannot be read as a whole."""
        receipt = {
            "key": message.key,
            "version": version,
            "account_id": account_in(message.key),
            "size": head.size,
            "last_modified": iso(head.last_modified),
            "state": "rejected",
            "code": error.code,
            "reason": error.message[:1000],
            "details": error.details[: limits.MAX_DROP_REASONS] if isinstance(error, BadInput) else [],
        }
        self._put(f"{message.key}.{version}", receipt)

    def plan(self, drop: DropFacts) -> SharePlan | None:
        """How a file is cut into shares; None for one that is loaded at once."""
        found = self._receipts.get(_work(drop))
        if found is None:
            return None
        bounds, ids = [Bound.of_json(each) for each in found["bounds"]], int(found.get("ids", 0))
        found_shares = shares_of_ids(ids) if ids else shares(bounds)
        return SharePlan(int(found["cut"]), found_shares if found["counted"] else None)

    def put_plan(self, drop: DropFacts, cut: int, bounds: Sequence[Bound] | None = None, ids: int = 0) -> None:
        """Note where a file is cut into shares, or into how many shares of ids; without bounds, that it has to be."""
        plan = {
            "cut": cut,
            "counted": bounds is not None,
            "bounds": [bound.to_json() for bound in bounds or ()],
            "ids": ids,
        }
        self._receipts.put(_work(drop), plan, _WORKED_ON)

    def share(self, drop: DropFacts, cut: int, number: int) -> dict[str, Any] | None:
        """What came of a share; None before it is loaded."""
        return self._receipts.get(f"{_work(drop)}/{cut}/{number}")

    def put_share(self, drop: DropFacts, cut: int, number: int, result: dict[str, Any]) -> None:
        """Note what came of a share."""
        self._receipts.put(f"{_work(drop)}/{cut}/{number}", result, _WORKED_ON)

    def _put(self, name: str, receipt: dict[str, Any]) -> None:
        """The first receipt of a version stays, as a repetition changes nothing; only a success replaces a failure, and
        a load by another mapping one before it."""
        raw, key = self._raw, f"receipts/{name}.json"
        body = json.dumps(receipt, indent=2, sort_keys=True).encode()
        if not raw.put_once(key, body, content_type="application/json"):
            kept = json.loads(raw.get_bytes(key))
            is_new = receipt.get("reading", 0) > kept.get("reading", 0) or kept["state"] == "rejected"
            if receipt["state"] == "rejected" or not is_new:
                receipt = kept
            else:
                raw.put(key, body, content_type="application/json")
        self._receipts.put_listed(name, receipt)


def _work(drop: DropFacts) -> str:
    """Under what a load in shares is noted: each reading of a file has shares of its own."""
    return f"shares/{drop.name}/{drop.reading}"
