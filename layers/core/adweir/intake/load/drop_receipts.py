"""What is kept of dropped files: a receipt of each version, which bytes are known, and how far a long load is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.intake.load.drop_keys import account_in
from adweir.intake.load.drop_shares import Bound, Share, shares
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


class DropReceipts:
    """In S3 for whoever dropped the file, in the ledger for the API."""

    def __init__(self, raw: RawStore, receipts: Receipts) -> None:
        self._raw = raw
        self._receipts = receipts

    def first_of(self, drop: DropFacts) -> dict[str, Any] | None:
        """The first drop of the same bytes; None where there is none."""
        return self._receipts.get(drop.same_bytes)

    def remember(self, drop: DropFacts) -> None:
        """Note that these bytes are loaded."""
        self._receipts.put(drop.same_bytes, {"key": drop.message.key, "version": drop.version}, _REMEMBERED)

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
        found = self._receipts.get(f"shares/{drop.name}")
        if found is None:
            return None
        bounds = [Bound.of_json(each) for each in found["bounds"]]
        return SharePlan(int(found["cut"]), shares(bounds) if found["counted"] else None)

    def put_plan(self, drop: DropFacts, cut: int, bounds: Sequence[Bound] | None = None) -> None:
        """Note where a file is cut into shares; without bounds, that it has to be."""
        plan = {"cut": cut, "counted": bounds is not None, "bounds": [bound.to_json() for bound in bounds or ()]}
        self._receipts.put(f"shares/{drop.name}", plan, _WORKED_ON)

    def share(self, drop: DropFacts, cut: int, number: int) -> dict[str, Any] | None:
        """What came of a share; None before it is loaded."""
        return self._receipts.get(f"shares/{drop.name}/{cut}/{number}")

    def put_share(self, drop: DropFacts, cut: int, number: int, result: dict[str, Any]) -> None:
        """Note what came of a share."""
        self._receipts.put(f"shares/{drop.name}/{cut}/{number}", result, _WORKED_ON)

    def _put(self, name: str, receipt: dict[str, Any]) -> None:
        """The first receipt of a version stays, as a repetition changes nothing; only a success replaces a failure."""
        raw, key = self._raw, f"receipts/{name}.json"
        body = json.dumps(receipt, indent=2, sort_keys=True).encode()
        if not raw.put_once(key, body, content_type="application/json"):
            kept = json.loads(raw.get_bytes(key))
            if kept["state"] != "rejected" or receipt["state"] == "rejected":
                receipt = kept
            else:
                raw.put(key, body, content_type="application/json")
        self._receipts.put_listed(name, receipt)
