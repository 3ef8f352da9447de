"""Kills a worker in a test: at its n-th write, just before it or just after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Killed(BaseException):
    """The worker's process died here. Not an Exception, so that no handler of the product can catch it."""


class Crash:
    """Counts the writes of what it watches and kills the worker at the n-th (1: the first; 0: never).

    It kills once: later writes pass, as those of the worker that takes over do. `on_write` is called after each write.
    """

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        self.writes = 0
        self.at = at
        self.after = after
        self.on_write: Callable[[], None] | None = None

    def arm(self, at: int, *, after: bool = True) -> None:
        """Start counting again, and kill at this write."""
        self.writes, self.at, self.after = 0, at, after

    def around(self, write: Callable[P, R]) -> Callable[P, R]:
        """`write`, watched."""

        def watched(*args: P.args, **options: P.kwargs) -> R:
            self.writes += 1
            dies = self.writes == self.at
            if dies and not self.after:
                raise Killed
            result = write(*args, **options)
            if self.on_write is not None:
                self.on_write()
            if dies:
                raise Killed
            return result

        return watched

    def watch(self, owner: Any, *names: str, put: Callable[[Any, str, Any], None] = setattr) -> None:
        """Watch these methods of an object; of a class or a module with `put=monkeypatch.setattr`, which undoes it."""
        for name in names:
            put(owner, name, self.around(getattr(owner, name)))
