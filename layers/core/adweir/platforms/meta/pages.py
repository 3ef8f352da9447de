"""The items of a page, one by one, so that one that cannot be read costs itself only."""

from __future__ import annotations

from typing import Any

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms import json_text
from adweir.platforms.meta import wire

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises; RecursionError for JSON that is nested a thousand times."""

_page = msgspec.json.Decoder(wire.AnyPage).decode
_SHOWN = 4000


def items(body: bytes) -> list[msgspec.Raw]:
    """The undecoded items of `data`. Raises BadInput for bytes that are no page."""
    try:
        found: list[msgspec.Raw] = _page(body).data
    except UNREADABLE as error:
        split = _split(body)
        if split is None:
            raise BadInput(f"not a page of Meta's: {error}") from None
        found = split
    return found


def _split(body: bytes) -> list[msgspec.Raw] | None:
    """The items of `data` by brackets, commas and strings alone; None where that array does not begin or end.

    A decoder refuses the whole page for half a surrogate pair or deep nesting in one item.
    """
    data = json_text.member(body, b"data")
    try:
        return None if data is None else [msgspec.Raw(item.strip()) for item in json_text.elements(data)]
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
