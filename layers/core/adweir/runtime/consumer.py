"""The one queue consumer: it maps errors to SQS outcomes.

A handler gets one parsed message at a time and either returns or raises from the error tree. What becomes of the SQS
message is decided here and nowhere else:

- returned: acknowledged.
- Throttled, NotReady: a new message with `not_before` and `attempt` + 1, then acknowledged. Waiting does not
  count as a receive; the handler itself ends it at its task's deadline.
- Transient, Unavailable: visible again after a jittered 5-60 s, reported as a failed item.
- the other expected errors go to `settle`, which records them (split, park, fail, quarantine); then acknowledged.
- a message that cannot be read, or of which `settle` says with a BadInput that nothing can be recorded, goes to the
  quarantine of messages with its reason (`runtime.aside`); then acknowledged: receiving it again cannot help.
- anything else is a fault of ours: reported as a failed item, default visibility, in the end the dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from adweir.model import limits, trace
from adweir.model.errors import AdweirError, BadInput, NotReady, Throttled, Transient, Unavailable
from adweir.model.messages import Message
from adweir.model.ports import SourceQueue
from adweir.model.times import Clock
from adweir.runtime.aside import receives, why

if TYPE_CHECKING:
    import random

    from aws_lambda_powertools import Logger

    from adweir.runtime.aside import Aside

M = TypeVar("M", bound=Message)
Remaining = Callable[[], float]
"""Seconds that this invocation may still run."""


@dataclass(frozen=True, slots=True)
class Work(Generic[M]):
    """What a function does with its messages.

    `parse` makes a message of a record's body (a list: one S3 notification may name several objects; an empty list is
    acknowledged). `handle(message, remaining)` does the work. `settle(message, error)` records an expected error. It
    may raise: a BadInput quarantines the message, anything else makes the item fail. `ended` is
    called after each batch.
    """

    parse: Callable[[str], list[M]]
    handle: Callable[[M, Remaining], None]
    settle: Callable[[M, AdweirError], None]
    ended: Callable[[], None] = lambda: None


class Consumer(Generic[M]):
    """Consumes SQS batches with partial batch responses."""

    def __init__(
        self,
        work: Work[M],
        *,
        queue_of: Callable[[str], SourceQueue],
        aside: Callable[[], Aside],
        clock: Clock,
        rng: random.Random,
        logger: Logger,
    ) -> None:
        self._ended = work.ended
        self._parse = work.parse
        self._handle = work.handle
        self._settle = work.settle
        self._queue_of = queue_of
        self._aside = aside
        self._clock = clock
        self._rng = rng
        self._logger = logger

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
        """A Lambda SQS event → `{"batchItemFailures": [...]}`."""

        def remaining() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        with trace.about(request_id=context.aws_request_id):
            failed = [record["messageId"] for record in event["Records"] if not self._consume(record, remaining)]
        self._ended()
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _consume(self, record: Mapping[str, Any], remaining: Remaining) -> bool:
        """One record; False reports it as failed. What is logged about it carries its message's id."""
        queue = self._queue_of(record["eventSourceARN"])
        with trace.about(message_id=record["messageId"]):
            try:
                messages = self._parse(record["body"])
            except Exception as error:  # the boundary: a body that cannot be parsed now never can
                self._logger.exception("unreadable message")
                return self._refuse(record, error)
            return all(self._try(message, queue, record, remaining) for message in messages)

    def _try(self, message: M, queue: SourceQueue, record: Mapping[str, Any], remaining: Remaining) -> bool:
        """One message of a record; False reports the record as failed."""
        with trace.about(**_ids(message)):
            try:
                self._work(message, queue, record.get("attributes", {}).get("MessageGroupId", ""), remaining)
            except (Transient, Unavailable) as error:
                delay = self._rng.randint(5, 60)
                self._logger.warning("transient fault", extra={"reason": error.message, "delay": delay})
                self._keep_hidden(queue, record, delay)
                return self._failed(record, f"{error.code}: {error.message}")
            except BadInput as error:
                return self._refuse(record, error)
            except Exception as error:  # the boundary: an unknown fault must not take the rest of the batch with it
                self._logger.exception("unexpected fault")
                return self._failed(record, f"{type(error).__name__}: {error}")
            return True

    def _failed(self, record: Mapping[str, Any], reason: str) -> bool:
        """A message that comes again, or becomes a dead letter, which says why; False."""
        if receives(record) >= limits.MAX_RECEIVES:
            try:
                self._aside().note(record, reason)
            except Exception:  # the reason is in the log
                self._logger.exception("last words not kept")
        return False

    def _refuse(self, record: Mapping[str, Any], error: Exception) -> bool:
        """Quarantine a message; False when that fails: then it comes again."""
        reason = why(error)
        try:
            self._aside().refuse(record, reason)
        except Exception:  # the boundary: a message is acknowledged only once it is kept
            self._logger.exception("message not quarantined")
            return False
        self._logger.error("quarantined", extra={"reason": reason})
        return True

    def _work(self, message: M, queue: SourceQueue, group: str, remaining: Remaining) -> None:
        wait = message.not_before - self._clock.now().timestamp()
        if 0 < wait <= limits.MAX_MESSAGE_WAIT_SECONDS:
            queue.send(message, delay=_delay(wait), group=group)
            return
        begin = self._clock.monotonic()
        try:
            self._handle(message, remaining)
            self._logger.info("done", extra={"seconds": round(self._clock.monotonic() - begin, 3)})
        except Throttled as error:
            self._later(message, queue, group, error.retry_after, error)
        except NotReady as error:
            self._later(message, queue, group, error.after, error)
        except (Transient, Unavailable):
            raise
        except AdweirError as error:
            self._logger.warning("settled", extra={"code": error.code, "reason": error.message, **error.context})
            self._settle(message, error)

    def _later(self, message: M, queue: SourceQueue, group: str, seconds: float, error: AdweirError) -> None:
        jittered = seconds * self._rng.uniform(1.0, 1.2)
        due = self._clock.now().timestamp() + jittered
        later = message.later(int(due), error)
        self._logger.info("waits", extra={"code": error.code, "reason": error.message, "seconds": round(jittered, 1)})
        queue.send(later, delay=_delay(jittered), group=group)

    def _keep_hidden(self, queue: SourceQueue, record: Mapping[str, Any], delay: int) -> None:
        try:
            queue.keep_hidden(record["receiptHandle"], delay)
        except Exception:  # the retry only loses its pace: the message comes back after the default time-out
            self._logger.exception("visibility not changed")


def _ids(message: Message) -> dict[str, str]:
    """The trace keys that the message itself holds."""
    known = ("run_id", "task_id", "account_id", "platform", "workflow", "key")
    return {"object_key" if name == "key" else name: getattr(message, name, "") for name in known}


def _delay(seconds: float) -> int:
    return max(1, min(limits.MAX_DELAY_SECONDS, round(seconds)))
