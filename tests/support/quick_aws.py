"""What botocore and moto work out anew for every client, request and item though it follows from its arguments alone.

A third of the time of a test on moto went into these. `tests/unit/test_support_quick_aws.py` compares the answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import pytest
from botocore import hooks, useragent
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_AS_IT_IS = frozenset(("S", "B", "BOOL"))
"""The types of DynamoDB whose values compare as they are written."""
_INDEX_NAME = 6
"""Where `Table.query` takes the name of an index, after the partition's key."""
_ASKED = threading.local()
"""`only`: the partition that this thread's query is about."""


def install(patch: pytest.MonkeyPatch) -> None:
    """Have botocore and moto remember."""
    patch.setattr(hooks.EventAliaser, "_alias_event_name", _aliased_once(hooks.EventAliaser._alias_event_name))  # type: ignore[attr-defined]
    patch.setattr(hooks, "accepts_kwargs", _asked_once(hooks.accepts_kwargs))
    clean = lru_cache(10_000)(useragent.sanitize_user_agent_string_component)
    patch.setattr(useragent, "sanitize_user_agent_string_component", clean)
    slow = DynamoType.cast_value.fget  # type: ignore[attr-defined]
    patch.setattr(DynamoType, "cast_value", property(_cast(slow)))
    patch.setattr(Table, "query", _of_one_partition(Table.query))
    patch.setattr(Table, "all_items", _all_items(Table.all_items))


def _aliased_once(work_out: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    """The name of an event under botocore's own aliases, which every client shares."""
    known: dict[str, str] = {}

    def alias(self: hooks.EventAliaser, event: str) -> str:
        if self._event_aliases is not hooks.EVENT_ALIASES:  # type: ignore[attr-defined]
            return work_out(self, event)
        name = known.get(event)
        if name is None:
            name = known[event] = work_out(self, event)
        return name

    return alias


def _asked_once(accepts: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Whether a handler takes `**kwargs`: a method's function says it, so that no client is kept alive."""
    known = cache(accepts)
    return lambda handler: known(getattr(handler, "__func__", handler)) if _lasts(handler) else accepts(handler)


def _lasts(handler: Any) -> bool:
    """Whether it is a function of a module or a class, and not one that was made for a client."""
    function = getattr(handler, "__func__", handler)
    return "<locals>" not in getattr(function, "__qualname__", "<locals>")


def _cast(slow: Callable[[DynamoType], Any]) -> Callable[[DynamoType], Any]:
    def cast_value(self: DynamoType) -> Any:
        if self.type in _AS_IT_IS:
            return self.value
        return Decimal(self.value) if self.type == "N" else slow(self)

    return cast_value


def _of_one_partition(query: Callable[..., Any]) -> Callable[..., Any]:
    """moto sorts the whole table for each query of one partition."""

    def asked(self: Table, hash_key: DynamoType | None, *given: Any, **named: Any) -> Any:
        of_an_index = named.get("index_name") or (len(given) > _INDEX_NAME and given[_INDEX_NAME])
        _ASKED.only = None if of_an_index else hash_key
        try:
            return query(self, hash_key, *given, **named)
        finally:
            _ASKED.only = None

    return asked


def _all_items(every: Callable[[Table], list[Any]]) -> Callable[[Table], list[Any]]:
    def all_items(self: Table) -> list[Any]:
        only = getattr(_ASKED, "only", None)
        if only is None or not self.range_key_attr:
            return every(self)
        return list(self.items[only].values()) if only in self.items else []

    return all_items
