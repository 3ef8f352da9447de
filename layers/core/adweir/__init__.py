"""adweir: pulls, checks, stores and models advertising performance data.

`adweir.client` and what stands beside it here is the library (docs/library.md). Each name is imported when it is first
used, so that a function, which uses none of them, pays for none.
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adweir import quality
    from adweir.library.aggregating import aggregate
    from adweir.library.backoff import retry_with_backoff
    from adweir.library.client import Client
    from adweir.library.combining import combine
    from adweir.library.detecting import detect
    from adweir.library.enriching import enrich
    from adweir.library.flows import Workflow
    from adweir.library.local import LocalSystem, local
    from adweir.library.lone import client
    from adweir.library.normalizing import normalize

__all__ = [
    "Client",
    "LocalSystem",
    "Workflow",
    "aggregate",
    "client",
    "combine",
    "detect",
    "enrich",
    "local",
    "normalize",
    "quality",
    "retry_with_backoff",
]

_HOMES = {
    "Client": "client",
    "LocalSystem": "local",
    "Workflow": "flows",
    "aggregate": "aggregating",
    "client": "lone",
    "combine": "combining",
    "detect": "detecting",
    "enrich": "enriching",
    "local": "local",
    "normalize": "normalizing",
    "retry_with_backoff": "backoff",
}
_ROOMS = frozenset({"quality"})
"""Rooms that callers of the library use by name."""


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.library.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
