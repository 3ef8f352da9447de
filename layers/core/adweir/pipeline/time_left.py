"""The time of the message that `orchestrate` works on."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from adweir.model.errors import Throttled

Remaining = Callable[[], float]
"""Seconds that this invocation may still run."""


class TimeLeft:
    """Says when to stop. Set for each message; whoever never sets it has all the time there is."""

    def __init__(self) -> None:
        self._remaining: Remaining = lambda: inf
        self._least = 0.0

    def begin(self, remaining: Remaining, least: float) -> None:
        """A message begins; its work stops when only `least` seconds remain."""
        self._remaining, self._least = remaining, least

    @property
    def is_short(self) -> bool:
        return self._remaining() < self._least

    def check(self, what: str) -> None:
        """Raises Throttled when it is time to stop: the same message again goes on."""
        if self.is_short:
            raise Throttled(f"{what} continues in another invocation", retry_after=1)
