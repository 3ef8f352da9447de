"""Bodies of requests: JSON objects, whose ids are texts or numbers. Members that are not known are ignored."""

from __future__ import annotations

import json
from typing import Any

from sandbox.platforms.microsoft_ads.errors import bad_request
from sandbox.web import PlatformRequest

Body = dict[str, Any]
_LONG = 2**63


def body_of(request: PlatformRequest) -> Body:
    """The body. Raises for anything but a JSON object."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        body = None
    if not isinstance(body, dict) or "json" not in request.mimetype:
        raise bad_request("The body is not a JSON object, or its Content-Type is not application/json.")
    return body


def long(value: Any) -> str | None:
    """An id's digits, whether it came as a text or as a number; None where there is none, or it is no id."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)
    return text if text.isascii() and text.isdecimal() and int(text) < _LONG else None


def ids(value: Any) -> list[str] | None:
    """A list of ids; None where it is no list, or one of them is no id."""
    found = [long(item) for item in value] if isinstance(value, list) else [None]
    return [item for item in found if item] if all(found) else None


def flags(value: Any) -> list[str]:
    """The names of a value set of flags: one text with commas or spaces between them, or a list of texts."""
    if isinstance(value, list):
        return [name for item in value for name in flags(item)]
    return str(value).replace(",", " ").split() if isinstance(value, str) else []
