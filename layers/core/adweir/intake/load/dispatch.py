"""What `validate` runs: each object that arrived in the bucket goes to the loader of its prefix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from adweir.model import limits
from adweir.model.errors import AdweirError, DeadlinePassed, Throttled, Unavailable
from adweir.model.messages import ObjectArrived
from adweir.model.times import Clock, epoch


class ObjectLoader(Protocol):
    """Loads the objects of one prefix."""

    def load(self, message: ObjectArrived, remaining: Callable[[], float], /) -> None: ...
    def settle(self, message: ObjectArrived, error: AdweirError) -> None: ...


class Turns(Protocol):
    """By which loads of the same numbers take turns: the ledger."""

    def check_free(self, name: str) -> None: ...


class Loader:
    """Hands each object to the loader of its prefix; an object under another prefix is acknowledged and left alone.

    `load` and `settle` are the queue consumer's hooks. Both may be repeated at any time: S3 and SQS deliver more than
    once, and a function may be killed between any two writes.
    """

    def __init__(self, parts: Mapping[str, ObjectLoader], turns: Turns, clock: Clock) -> None:
        self._parts = parts
        self._turns = turns
        self._clock = clock

    def load(self, message: ObjectArrived, remaining: Callable[[], float]) -> None:
        """Load one object. Raises from the error tree; BadInput means that the whole object cannot be read.

        An object that waits for another load is read again when that has ended; until then a try takes one read of the
        lease. Waiting ends: after `limits.MAX_BUSY_WAITS` tries the message is reported as failed and goes to the
        dead-letter queue, from where it can still be loaded.
        """
        part = self._part(message.key)
        if part is None:
            return
        try:
            if message.busy and epoch(self._clock.now()) < message.busy_until:
                self._turns.check_free(message.busy)
            part.load(message, remaining)
        except Throttled as error:
            if message.attempt < limits.MAX_BUSY_WAITS:
                raise
            part.settle(message, DeadlinePassed(f"waited {message.attempt} times: {error.message}"))
            raise Unavailable(f"gave up after {message.attempt} waits: {error.message}") from error

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """Record an object that cannot be loaded, with its reason. Raises `error` when no loader can record it."""
        part = self._part(message.key)
        if part is not None:
            part.settle(message, error)

    def _part(self, key: str) -> ObjectLoader | None:
        return next((part for prefix, part in self._parts.items() if key.startswith(prefix)), None)
