"""Pages of a list: cursors whenever there are rows, `next` only when more follow."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from sandbox.platforms.meta.errors import invalid

_MOST_ROWS = 5000


def page(items: list[dict[str, Any]], params: dict[str, str], url: str) -> dict[str, Any]:
    """The page that `limit` and `after` ask for; `url` is the list's own, for the links. Raises Meta's error 100."""
    limit_text, after = params.get("limit", "25"), _offset(params.get("after", ""))
    if not limit_text.isdecimal() or not int(limit_text):
        raise invalid("limit must be a positive number")
    rows = items[after : after + min(int(limit_text), _MOST_ROWS)]
    if not rows:
        return {"data": []}
    end = after + len(rows)
    paging: dict[str, Any] = {"cursors": {"before": _cursor(after), "after": _cursor(end)}}
    if after:
        paging["previous"] = f"{url}?{urlencode(params | {'before': _cursor(after)})}"
    answer: dict[str, Any] = {"data": rows, "paging": paging}
    if params.get("summary") in ("true", "1"):
        answer["summary"] = {"total_count": len(items)}
    if end < len(items):
        paging["next"] = f"{url}?{urlencode(params | {'after': _cursor(end)})}"
    return answer


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"row:{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().removeprefix("row:"))
    except (ValueError, binascii.Error):
        raise invalid("Invalid cursor") from None
