"""Pages of a list: cursors whenever there are rows, `next` only when more follow."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.platforms.meta.errors import invalid
from sandbox.platforms.meta.parameters import names

_MOST_ROWS = 5000


def page(items: list[dict[str, Any]], params: Mapping[str, str], url: str) -> dict[str, Any]:
    """The page that `limit` and a cursor ask for: what follows `after`, or what precedes `before`.

    `url` is the list's own, for the links. Raises Meta's error 100.
    """
    limit_text = params.get("limit", "25")
    if not (limit_text.isascii() and limit_text.isdecimal() and int(limit_text)):
        raise invalid("limit must be a positive number")
    limit = min(int(limit_text), _MOST_ROWS)
    if params.get("before"):
        end = _offset(params["before"])
        start = max(0, end - limit)
    else:
        start = _offset(params.get("after", ""))
        end = start + limit
    rows = items[start:end]
    if not rows:
        return {"data": []}
    end = start + len(rows)
    paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(end)}}
    asked = {name: value for name, value in params.items() if name not in ("before", "after")}
    if start:
        paging["previous"] = f"{url}?{urlencode(asked | {'before': _cursor(start)})}"
    if end < len(items):
        paging["next"] = f"{url}?{urlencode(asked | {'after': _cursor(end)})}"
    return {"data": rows, "paging": paging}


def overlapping(answer: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    """A page that has the first row of the next one, too: the list has moved between the two (Graph API, Cursors)."""
    after = _offset(answer.get("paging", {}).get("cursors", {}).get("after", ""))
    return {**answer, "data": [*answer["data"], *items[after : after + 1]]}


def with_total_count(answer: dict[str, Any], items: list[dict[str, Any]], params: Mapping[str, str]) -> dict[str, Any]:
    """The answer with the list's length when `summary` asks for it. Raises Meta's error 100 for other summaries."""
    asked = names(params, "summary")
    if asked in ([], ["false"], ["0"]):
        return answer
    unknown = [name for name in asked if name not in ("true", "1", "total_count")]
    if unknown:
        raise invalid(f"Cannot include {', '.join(unknown)} in summary param")
    return answer | {"summary": {"total_count": len(items)}}


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"row:{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return max(0, int(text.removeprefix("row:")))
    except (ValueError, binascii.Error):
        raise invalid("Invalid cursor") from None
