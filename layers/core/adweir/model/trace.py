"""The keys that each log line of the current work carries (request, run, task, profile, platform).

The queue consumer opens a scope per message; code that learns more (from a claimed task, or a raw object's header) adds
keys; the logger's filter reads them. Unknown keys are absent.
"""

from __future__ import annotations

import logging
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


def mark(record: logging.LogRecord) -> bool:
    """A filter that gives each log line the keys of the work at hand."""
    for name, value in current().items():
        if not hasattr(record, name):
            setattr(record, name, value)
    return True
