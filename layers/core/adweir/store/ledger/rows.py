"""The ledger's items: one model for all of them, and what the other files of this room share.

History expires after 90 days; DynamoDB deletes it late, so reading always filters it and conditions treat an expired
item as absent.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from adweir.model.times import Clock, epoch
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.tables import JsonText, LedgerItem

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

HISTORY = timedelta(days=90)


class Row(LedgerItem):
    """Any item of the ledger. What a condition compares or a counter adds is an attribute; the rest is in `body`."""

    state = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    generation = NumberAttribute(null=True)
    attempts = NumberAttribute(null=True)
    deadline = NumberAttribute(null=True)
    accept_vanish = NumberAttribute(null=True)
    until = NumberAttribute(null=True)
    resent = NumberAttribute(null=True)
    fence = NumberAttribute(null=True)
    failures = NumberAttribute(null=True)
    probe_until = NumberAttribute(null=True)
    since = NumberAttribute(null=True)
    cause = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    as_of = UnicodeAttribute(null=True)
    report_id = UnicodeAttribute(null=True)
    object_key = UnicodeAttribute(null=True)
    parts = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    label = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    packed = BinaryAttribute(null=True, legacy_encoding=False)
    body = JsonText(null=True)
    error = JsonText(null=True)
    counts = JsonText(null=True)
    waits = JsonText(null=True)


class Rows(Keyed[Row]):
    """Reading and writing items, the base of every part of the ledger. What has expired is not there."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Row, "ledger", clock)

    def _is_there(self, row: Row) -> bool:
        return (row.expires or 0) > self._now()

    def _now(self) -> int:
        return epoch(self._clock.now())

    def _expires(self) -> int:
        return epoch(self._clock.now() + HISTORY)

    def _row(self, pk: str, sk: str, **values: Any) -> Row:
        return Row(pk, sk, expires=self._expires(), **values)

    def _absent(self) -> Condition:
        absent: Condition = Row.pk.does_not_exist() | (Row.expires <= self._now())
        return absent

    def _alive(self) -> Condition:
        alive: Condition = Row.expires > self._now()
        return alive
