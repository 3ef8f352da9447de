"""Answers in JSON, decoded so that no number passes through a float."""

from __future__ import annotations

from typing import Any

import msgspec

from adweir.model.errors import Transient
from adweir.platforms import json_text
from adweir.platforms.http import Response
from adweir.platforms.json_items import UNREADABLE

_decode = msgspec.json.Decoder(float_hook=str).decode
_EXCERPT = 300


def decode(body: bytes) -> Any:
    """JSON → dicts, lists, texts, ints, booleans, None; other numbers as the text that they are written in.

    Raises ValueError for what is no JSON, or nested too deep.
    """
    try:
        return _decode(body)
    except UNREADABLE:
        return json_text.loose(body)


def decoded(answer: Response) -> Any:
    """The body of an answer. Raises Transient for other text: a proxy or load balancer may have answered."""
    try:
        return decode(answer.body)
    except ValueError:
        raise Transient(f"{answer.url} answered {answer.status} with text that is not JSON") from None


def decoded_or_none(body: bytes) -> Any:
    """The body, or None where it is no JSON."""
    try:
        return decode(body)
    except ValueError:
        return None


def word(value: Any) -> str:
    """A single value as text; an object or list as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def excerpt(body: bytes) -> str:
    """The beginning of a body as one line, for a message."""
    return " ".join(body[:_EXCERPT].decode("utf-8", "replace").split())
