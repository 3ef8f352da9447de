"""Waiting for a platform: for its reports and where it asks for it, with a limit and jitter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from adweir.library.backoff import asked_wait, jittered
from adweir.model import limits
from adweir.model.errors import AdweirError, NotReady, Throttled, Transient, Unprocessable
from adweir.model.times import Clock
from adweir.platforms.base import Pace
from adweir.runtime.clock import SystemClock

_T = TypeVar("_T")
_FIRST_POLL, _LONGEST_POLL, _GROWTH = 5.0, 60.0, 1.5
_FIRST_PAUSE = 2.0
_PATIENCE = 3600.0


@dataclass(frozen=True)
class Waiting:
    """How a client waits. `patience`: the longest wait for one report, and for one request that has to wait, seconds.

    None: an hour, and as long as the platform's reports are known to take. `chance` gives numbers from 0 to 1.
    """

    patience: float | None = None
    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    @property
    def seconds(self) -> float:
        """The longest wait for a request."""
        return _PATIENCE if self.patience is None else self.patience

    def patiently(self, ask: Callable[[], _T]) -> _T:
        """What `ask` gives; asked again where the platform asks to wait or does not answer.

        Raises what it raises when that takes longer than the patience, or when it does not answer again and again.
        """
        pauses = self.pauses()
        while True:
            try:
                return ask()
            except (Throttled, NotReady, Transient) as error:
                pauses.after(error)

    def pauses(self) -> Pauses:
        """The waits of one request."""
        return Pauses(self)

    def polls(self, pace: Pace, asked_at: float | None = None) -> Polls:
        """The waits for one report. `asked_at`: when the platform was last asked about it; None: long ago."""
        return Polls(self, pace, asked_at)

    def jittered(self, seconds: float) -> None:
        """Sleep about as long."""
        self.sleep(jittered(seconds, self.chance))


class Pauses:
    """The waits of one request, until the patience ends."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._end = waiting.clock.monotonic() + waiting.seconds
        self._guess = _FIRST_PAUSE
        self._failures = 0

    def after(self, error: AdweirError) -> None:
        """Wait as long as the error asks, longer each time where it does not say. Raises it when that is too long."""
        guessed = not asked_wait(error) or (isinstance(error, Throttled) and error.guessed)
        wait = max(asked_wait(error), self._guess) if guessed else asked_wait(error)
        self._guess = min(self._guess * 2, limits.MAX_GUESSED_WAIT_SECONDS)
        self._failures += isinstance(error, Transient)
        late = self._waiting.clock.monotonic() + wait > self._end
        if late or self._failures > limits.MAX_CLIENT_FAILURES:
            raise error
        # Never less than the platform asks for.
        self._waiting.sleep(wait * (1 + self._waiting.chance() / 2))


class Polls:
    """The waits for one report, each half as long again as the one before.

    The first counts from when the platform was last asked about it: the reports of one call are made side by side, so
    what the second had to wait has mostly passed when the first is read.
    """

    def __init__(self, waiting: Waiting, pace: Pace, asked_at: float | None = None) -> None:
        self._waiting = waiting
        self._asked_at = asked_at
        self._wait = pace.poll_seconds or _FIRST_POLL
        self._longest = max(self._wait, pace.poll_max_seconds or _LONGEST_POLL)
        known = pace.report_timeout_seconds if waiting.patience is None else None
        self._patience = max(waiting.seconds, known or 0)
        self._end = waiting.clock.monotonic() + self._patience

    def next(self, report_id: str) -> None:
        """Wait. Raises NotReady when the patience has ended."""
        if self._waiting.clock.monotonic() >= self._end:
            raise NotReady(
                f"report {report_id} is not ready after {self._patience:g} s; ask again later, or give the client a"
                " larger patience",
                after=self._longest,
                report_id=report_id,
            )
        passed = self._wait if self._asked_at is None else self._waiting.clock.monotonic() - self._asked_at
        if passed < self._wait:
            self._waiting.jittered(self._wait - passed)
        self._asked_at = self._waiting.clock.monotonic()
        self._wait = min(self._longest, self._wait * _GROWTH)


class Pacer:
    """Spaces requests so that a minute has at most so many of them."""

    def __init__(self, requests_per_minute: float, waiting: Waiting) -> None:
        if not requests_per_minute > 0:
            raise Unprocessable("requests_per_minute is a number above 0, or None for no limit of yours")
        self._between = 60.0 / requests_per_minute
        self._waiting = waiting
        self._next = waiting.clock.monotonic()

    def turn(self) -> None:
        """Wait until the next request may be sent."""
        now = self._waiting.clock.monotonic()
        if self._next > now:
            self._waiting.sleep(self._next - now)
        self._next = max(now, self._next) + self._between
