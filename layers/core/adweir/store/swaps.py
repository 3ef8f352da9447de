"""Objects that many workers replace, each only what nobody else replaced since it was read (`If-Match`)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from adweir.model.errors import Throttled

_T = TypeVar("_T")
_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between the tries, on average."""


class SwapObjects(Protocol):
    """Where such objects are kept: the raw store."""

    def tagged(self, key: str) -> tuple[bytes, str] | None: ...
    def swap(self, key: str, body: bytes, tag: str) -> bool: ...


class Swaps:
    """Begins again, after a wait, where others were quicker."""

    def __init__(self, sleep: Callable[[float], None], rng: random.Random) -> None:
        self._sleep = sleep
        self._rng = rng

    def until_done(self, key: str, once: Callable[[], _T | None]) -> _T:
        """What `once` returns. It reads the object `key` and replaces it; None means that another worker replaced it
        in between. It is called at most 6 times, with growing waits of random length between (2.4 seconds at most,
        together).

        Raises Throttled when others replaced it each time, and what `once` raises.
        """
        for wait in (0.0, *_WAITS):
            if wait:
                self._sleep(wait * self._rng.uniform(0.5, 1.5))
            done = once()
            if done is not None:
                return done
        raise Throttled(f"{key} keeps changing", retry_after=2.0)
