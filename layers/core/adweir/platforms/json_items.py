"""The items of a JSON answer, one by one, so that one that cannot be read costs itself only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms import json_text

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises; RecursionError for JSON that is nested a thousand times."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_SHOWN = 4000


def items(body: bytes, member: str) -> list[msgspec.Raw] | None:
    """The undecoded items of the list that an object has as `member`; None for an object without it.

    Raises BadInput for bytes that are no object with a list in that place.
    """
    try:
        found = _members(body).get(member)
        return None if found is None else _list(found)
    except UNREADABLE as error:
        split = _split(body, member)
        if split is None:
            raise BadInput(f"not an answer with a list {member!r}: {error}") from None
        return split


def _split(body: bytes, member: str) -> list[msgspec.Raw] | None:
    """The items by brackets, commas and strings alone; None where the list does not begin or end.

    A decoder refuses the whole answer for half a surrogate pair or deep nesting in one item.
    """
    held = json_text.member(body, member.encode())
    try:
        return None if held is None else [msgspec.Raw(item.strip()) for item in json_text.elements(held)]
    except ValueError:
        return None


def loose(raw: msgspec.Raw) -> dict[str, Any]:
    """Whatever an item is, as a dict that can be written to quarantine."""
    try:
        decoded = msgspec.json.decode(raw)
    except UNREADABLE:
        try:
            decoded = json_text.loose(bytes(raw))
        except ValueError:
            return {"text": bytes(raw)[:_SHOWN].decode("utf-8", "replace")}
    return decoded if isinstance(decoded, dict) else {"value": decoded}


def fault(error: Exception) -> dict[str, Any]:
    """What is wrong with an item, as quarantine states it; a ValueError of ours has (field, message)."""
    if isinstance(error, ValueError) and len(error.args) == 2:
        return {"field": error.args[0], "rule": "format", "message": error.args[1]}
    return {"field": "", "rule": "schema", "message": str(error)[:300]}


def first(found: Mapping[str, Any], paths: tuple[str, ...]) -> str | None:
    """The first of these dotted paths (digits index lists) that leads to text."""
    for path in paths:
        value: Any = found
        for step in path.split("."):
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isdigit():
                value = value[int(step)] if int(step) < len(value) else None
            else:
                value = None
        if isinstance(value, str) and value:
            return value
    return None
