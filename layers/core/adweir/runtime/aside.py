"""What is kept of messages that fail: those that no function can work on, and why others failed for the last time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adweir.model import limits
from adweir.model.errors import AdweirError
from adweir.model.operation_metrics import OperationMetric
from adweir.model.times import iso

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.runtime.meter import Meter
    from adweir.store.ledger.last_words import LastWords
    from adweir.store.raw.refused import RefusedMessages


class Aside:
    """Where the queue consumer puts what it refuses, and its last words about what becomes a dead letter."""

    def __init__(self, refused: RefusedMessages, last_words: LastWords, meter: Meter, clock: Clock) -> None:
        self._refused = refused
        self._last_words = last_words
        self._meter = meter
        self._clock = clock

    def refuse(self, record: Mapping[str, Any], reason: str) -> None:
        """Keep a received message with the reason. A message that comes again is kept and counted once.

        Raises Unavailable when it cannot be kept.
        """
        from adweir.store.raw.refused import RefusedMessage  # noqa: PLC0415  few invocations ever need it

        attributes = record.get("attributes") or {}
        message = RefusedMessage(
            queue=str(record["eventSourceARN"]).rpartition(":")[2],
            message_id=str(record["messageId"]),
            body=str(record["body"]),
            reason=reason,
            at=iso(self._clock.now()),
            receives=receives(record),
            group=str(attributes.get("MessageGroupId", "")),
        )
        if self._refused.put(message):
            self._meter.count({OperationMetric.MESSAGES_QUARANTINED: 1})

    def note(self, record: Mapping[str, Any], reason: str) -> None:
        """Keep why a message failed that SQS now makes a dead letter. Raises Unavailable."""
        self._last_words.note(str(record["messageId"]), reason)


def receives(record: Mapping[str, Any]) -> int:
    """How often a message has been received."""
    return int((record.get("attributes") or {}).get("ApproximateReceiveCount", 1))


def why(error: Exception) -> str:
    """Why a message cannot be worked on, in one line."""
    if isinstance(error, AdweirError):
        said = f"{error.code}: {error.message}"
    elif isinstance(error, ValidationError):
        faults = (f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())
        said = f"unreadable: {'; '.join(faults)}"
    else:
        said = f"unreadable: {type(error).__name__}: {error}"
    return said[: limits.MAX_REASON_CHARS]
