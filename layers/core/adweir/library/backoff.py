"""`adweir.retry_with_backoff`: calls a function again after a fault that may pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from adweir.model import limits
from adweir.model.errors import NotReady, Throttled, Transient, Unprocessable

_P = ParamSpec("_P")
_R = TypeVar("_R")
PASSING = (Throttled, NotReady, Transient)
"""The faults that may pass by themselves."""


def asked_wait(error: BaseException) -> float:
    """The seconds that a platform asks to wait; 0 where it does not say."""
    if isinstance(error, Throttled):
        return error.retry_after
    return error.after if isinstance(error, NotReady) else 0.0


def jittered(seconds: float, chance: Callable[[], float]) -> float:
    """Between half of the time and one and a half of it, so that many callers do not come back together."""
    return seconds * (0.5 + chance())


def retry_with_backoff(
    max_retries: int = 3,
    backoff_factor: float = 1.0,
    errors: type[Exception] | tuple[type[Exception], ...] = PASSING,
    *,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """A decorator: call the function again, at most `max_retries` times, when it raises one of `errors`.

    It waits `backoff_factor` seconds, then twice as long each time, at most `limits.MAX_BACKOFF_SECONDS`; each wait is
    between half and one and a half of that by chance, and never less than the platform asks for. The last error is
    raised as it is. A generator raises while it is read, which is after the call: decorate a function that reads it.
    `chance` gives numbers from 0 to 1. Raises Unprocessable for negative numbers.
    """
    if max_retries < 0 or backoff_factor < 0:
        raise Unprocessable("max_retries and backoff_factor are 0 or more")

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def call(*args: _P.args, **named: _P.kwargs) -> _R:
            attempt = 0
            while True:
                try:
                    return function(*args, **named)
                except errors as error:
                    if attempt >= max_retries:
                        raise
                    doubled = backoff_factor * 2.0 ** min(attempt, 62)
                    wait = min(jittered(doubled, chance), float(limits.MAX_BACKOFF_SECONDS))
                    sleep(max(wait, asked_wait(error)))
                    attempt += 1

        return call

    return decorate
