"""MiniStack's DynamoDB reads requests, pages and projections quicker, and its state. Run by aws_server.py.

It measures each item of a page, to stop at 1 MB, and looks at a projection's text anew for each item. Here a page whose
JSON is smaller than that is not measured, an item's JSON is made once for that, and a projection is looked at once. It
also copied all it keeps to write it when it stops. What it answers and writes is the same to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FunctionType, SimpleNamespace
from typing import Any

import msgspec

_ITEMS = 20_000
"""Items whose length as JSON is kept."""
_PROJECTIONS = 1000
_NOT_JSON = (TypeError, ValueError, OverflowError, RecursionError)


def mend(dynamodb: Any) -> None:
    """Have MiniStack's DynamoDB, a module, read so."""
    dynamodb._paginate_evaluated_items = _paged(dynamodb._paginate_evaluated_items, dynamodb._DDB_PAGE_SIZE_BYTES)  # noqa: SLF001
    dynamodb._project_item = _projected(dynamodb._project_item)  # noqa: SLF001
    dynamodb.json = SimpleNamespace(**vars(json) | {"loads": _loaded})
    dynamodb.get_state = _uncopied(dynamodb)


def _loaded(text: Any, **how: Any) -> Any:
    """`json.loads`, which also says what is wrong and takes what is no JSON, such as NaN."""
    with suppress(*_NOT_JSON):
        if not how:
            return msgspec.json.decode(text)
    return json.loads(text, **how)


def _paged(page_of: Callable[..., tuple[Any, bool]], most: int) -> Callable[..., tuple[Any, bool]]:
    """`page_of`, the items of a page and whether it stopped before the last one, quicker for what fits into a page."""
    lengths = Lengths()

    def paged(items: Any, limit: Any, table: Any, index_name: Any = None) -> tuple[Any, bool]:
        wanted = items if limit is None else items[: int(limit)]
        with suppress(*_NOT_JSON):
            if lengths.are_below(wanted, most):
                return list(wanted), limit is not None and len(items) >= int(limit)
        return page_of(items, limit, table, index_name)

    return paged


class Lengths:
    """How long items are as JSON, by identity: an item stays in here, so that no other has it, until all are forgotten.

    MiniStack changes no item that it keeps: each write puts another one in its place.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, int]] = {}

    def are_below(self, items: Sequence[Any], most: int) -> bool:
        """Whether items have less than so many bytes for sure: of no value DynamoDB counts more than its JSON has."""
        left = most
        for item in items:
            known = self._known.get(id(item)) or self._measured(item)
            left -= known[1]
            if left <= 0:
                return False
        return True

    def _measured(self, item: Any) -> tuple[Any, int]:
        if len(self._known) >= _ITEMS:
            self._known.clear()
        found = self._known[id(item)] = item, len(msgspec.json.encode(item))
        return found


def _projected(project: Callable[..., Any]) -> Callable[..., Any]:
    """`project`, an item's attributes that an expression names, quicker if it names no more than whole attributes."""
    right: dict[tuple[Any, ...], list[str]] = {}

    def projected(item: Any, expression: Any, names: Any) -> Any:
        if not _is_text(expression, names):
            return project(item, expression, names)
        key = (expression, *names.items()) if names else (expression,)
        if key in right:
            return {name: item[name] for name in right[key] if name in item}
        found = project(item, expression, names)
        paths = [path.strip() for path in expression.split(",") if path.strip()]
        if not any(mark in path for path in paths for mark in ".["):
            if len(right) >= _PROJECTIONS:
                right.clear()
            right[key] = [(names or {}).get(path, path) if path.startswith("#") else path for path in paths]
        return found

    return projected


def _is_text(expression: Any, names: Any) -> bool:
    return bool(expression) and all(type(each) is str for each in (expression, *(names or {}).values()))


def _uncopied(dynamodb: Any) -> Callable[[], Any]:
    """MiniStack's `get_state` of what is there, not of a copy: it is called at the end, when nothing changes."""
    work_out = dynamodb.get_state.__code__

    def get_state() -> Any:
        return FunctionType(work_out, {**vars(dynamodb), "copy": SimpleNamespace(deepcopy=_same)})()

    return get_state


def _same(value: Any) -> Any:
    return value
