"""What the work at hand is about: the keys that each of its log lines carries (request, run, task, profile, platform).

The queue consumer opens a scope per message; whoever learns more (the claim on a task, the header of a raw object) adds
it; the logger's filter reads it. A key that is not known is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_keys: ContextVar[Mapping[str, str]] = ContextVar("_keys")


@contextmanager
def about(**keys: str) -> Iterator[None]:
    """Add keys for the body; afterwards the keys are what they were before. Empty values are left out."""
    token = _keys.set({**current(), **_known(keys)})
    try:
        yield
    finally:
        _keys.reset(token)


def add(**keys: str) -> None:
    """Add keys until the surrounding `about` ends. Empty values are left out."""
    _keys.set({**current(), **_known(keys)})


def current() -> Mapping[str, str]:
    """The keys as they are now."""
    return _keys.get({})


def _known(keys: Mapping[str, str]) -> dict[str, str]:
    return {name: str(value) for name, value in keys.items() if value}
