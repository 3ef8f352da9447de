"""The items of a page, one by one, so that one that cannot be read costs itself only."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms.meta import wire

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises; RecursionError for JSON that is nested a thousand times."""

_page = msgspec.json.Decoder(wire.AnyPage).decode
_TOKEN = re.compile(rb'"(?:[^"\\]+|\\.)*"|[\[\]{},]', re.DOTALL)
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
    found: list[msgspec.Raw] = []
    depth, start, name, name_end = 0, -1, b"", 0
    for token in _TOKEN.finditer(body):
        text, at = token[0], token.start()
        if text in (b"[", b"{"):
            depth += 1
            if depth == 2 and start < 0 and name == b'"data"' and body[name_end:at].strip() == b":" and text == b"[":
                start = token.end()
        elif text in (b"]", b"}"):
            depth -= 1
            if depth == 1 and start >= 0:
                last = body[start:at].strip()
                return [*found, msgspec.Raw(last)] if last or found else []
        elif text == b",":
            if depth == 2 and start >= 0:
                found.append(msgspec.Raw(body[start:at].strip()))
                start = token.end()
        elif depth == 1:
            name, name_end = text, token.end()
    return None


def loose(raw: msgspec.Raw) -> dict[str, Any]:
    """Whatever an item is, as a dict that can be written to quarantine."""
    try:
        decoded = msgspec.json.decode(raw)
    except UNREADABLE:
        try:
            # Python's decoder takes half a surrogate pair; numbers stay text, however long they are.
            decoded = json.loads(bytes(raw), parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            return {"text": bytes(raw)[:_SHOWN].decode("utf-8", "replace")}
    return decoded if isinstance(decoded, dict) else {"value": decoded}


def fault(error: Exception) -> dict[str, Any]:
    """What is wrong with an item, as quarantine states it; a ValueError of ours has (field, message)."""
    if isinstance(error, ValueError) and len(error.args) == 2:
        return {"field": error.args[0], "rule": "format", "message": error.args[1]}
    return {"field": "", "rule": "schema", "message": str(error)[:300]}
