"""The queue `stream`: batches of many small messages, each batch one object.

The consumer of the other queues works on one message of ours at a time. Here are hundreds of a platform's own, which
become one object together; only those that could not be taken are reported as failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from adweir.model import trace
from adweir.model.errors import BadInput
from adweir.runtime.aside import why

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from adweir.intake.doors.stream import StreamDoor
    from adweir.runtime.aside import Aside


class StreamBatches:
    """Consumes SQS batches with partial batch responses."""

    def __init__(self, door: StreamDoor, aside: Callable[[], Aside], logger: Logger) -> None:
        self._door = door
        self._aside = aside
        self._logger = logger

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
        """A Lambda SQS event → `{"batchItemFailures": [...]}`."""
        records = {str(record["messageId"]): record for record in event["Records"]}
        with trace.about(request_id=context.aws_request_id):
            taken = self._door.take((message_id, str(record["body"])) for message_id, record in records.items())
            failed = [each for each, fault in taken.faults.items() if not self._settled(records[each], fault)]
            done = {"object_key": taken.key, "records": taken.records, "confirmed": taken.confirmed}
            self._logger.info("done", extra=done | {"failed": len(failed)})
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _settled(self, record: Mapping[str, Any], fault: Exception) -> bool:
        """Whether a message that could not be taken needs no second try: it is kept in quarantine."""
        with trace.about(message_id=str(record["messageId"])):
            if not isinstance(fault, BadInput):
                self._logger.warning("transient fault", extra={"reason": why(fault)})
                return False
            try:
                self._aside().refuse(record, why(fault))
            except Exception:  # the boundary: a message is acknowledged only once it is kept
                self._logger.exception("message not quarantined")
                return False
            self._logger.error("quarantined", extra={"reason": why(fault)})
            return True
