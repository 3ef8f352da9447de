"""The answers of lists: the objects in them, undecoded, and what surrounds these.

An object that no decoder takes (NaN, nesting a thousand deep) costs itself only: then the text is taken apart by its
brackets.
"""

from __future__ import annotations

import msgspec

from adweir.platforms import json_text
from adweir.platforms.amazon_ads import wire

_FAULTS = (ValueError, RecursionError)


def elements(body: bytes, key: str) -> list[msgspec.Raw]:
    """The objects of a page: a bare array, or the list that the envelope has under `key`. Raises ValueError."""
    try:
        array = _member(body, key) if key else body
        return msgspec.json.decode(array, type=list[msgspec.Raw])
    except _FAULTS:
        return _by_brackets(body, key)


def page(body: bytes, key: str) -> tuple[wire.Paged, int]:
    """How a list goes on after a page, and how many objects the page has. Raises ValueError."""
    try:
        paged = msgspec.json.decode(body, type=wire.Paged)
    except _FAULTS:
        held = json_text.member(body, key.encode())
        if held is None:
            raise ValueError("not an envelope") from None
        return _frame(body.replace(held, b"[]", 1)), len(list(json_text.elements(held)))
    return paged, len(elements(body, key)) if _has(body, key) else 0


def _frame(body: bytes) -> wire.Paged:
    """An envelope without its objects. Raises ValueError, also for what else is nested too deep in it."""
    try:
        return msgspec.json.decode(body, type=wire.Paged)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _has(body: bytes, key: str) -> bool:
    return key in msgspec.json.decode(body, type=dict[str, msgspec.Raw])


def _member(body: bytes, key: str) -> msgspec.Raw:
    held = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if key not in held:
        raise ValueError(f"the answer has no list {key!r}")
    return held[key]


def _by_brackets(body: bytes, key: str) -> list[msgspec.Raw]:
    array = json_text.member(body, key.encode()) if key else body.strip()
    if array is None:
        raise ValueError(f"the answer has no list {key!r}")
    return [msgspec.Raw(element.strip()) for element in json_text.elements(array)]
