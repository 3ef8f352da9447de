"""Bodies of requests: JSON objects whose unknown properties are ignored, or in strict mode refused.

Source: Foundations, "REST API Calls" and "Strict Mode".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sandbox.platforms.trade_desk.errors import DeskRefusal, invalid
from sandbox.web import PlatformRequest

_MOST_PER_PAGE = 1000
PAGING = frozenset({"PageStartIndex", "PageSize", "SortFields", "SearchTerms"})
Body = dict[str, Any]


def body_of(request: PlatformRequest, known: Iterable[str]) -> Body:
    """The body's known properties. Raises 400 for other text, and in strict mode for a property that is not known."""
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict) or "json" not in request.mimetype:
        raise DeskRefusal(400, "The request body is not a JSON object, or its Content-Type is not application/json.")
    unknown = sorted(set(body) - set(known))
    if unknown and request.headers.get("TTD-Strict-Mode", "").lower() == "true":
        raise invalid(**dict.fromkeys(unknown, "The property is not recognized."))
    return {name: value for name, value in body.items() if name not in unknown}


def text(body: Body, name: str) -> str:
    """A required text."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(**{name: "The property is required."})
    return value


def whole(body: Body, name: str, least: int, most: int) -> int:
    """A required whole number."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid(**{name: f"The property must be a number from {least} to {most}."})
    return value


def texts(body: Body, name: str) -> list[str]:
    """A list of texts; empty when it is absent or null."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(**{name: "The property must be a list of strings."})
    return value


def numbers(body: Body, name: str) -> list[int]:
    """A list of ids that are numbers, or texts of digits, as clients send both."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(str(item).isdecimal() for item in value):
        raise invalid(**{name: "The property must be a list of numbers."})
    return [int(item) for item in value]


def day(body: Body, name: str) -> date:
    """The date of a required date or date and time."""
    try:
        return datetime.fromisoformat(text(body, name)).date()
    except ValueError:
        raise invalid(**{name: "The property must be a date."}) from None


def page(found: Sequence[Body], body: Body, name: Callable[[Body], str], most: int = _MOST_PER_PAGE) -> Body:
    """One page of a list: `PageStartIndex` counts rows from 0, and the next page begins at index + `ResultCount`.

    `name` reads what SearchTerms look in and SortFields order by.
    """
    start, size = whole(body, "PageStartIndex", 0, 10**9), whole(body, "PageSize", 1, _MOST_PER_PAGE)
    terms = [term.lower() for term in texts(body, "SearchTerms")]
    wanted = [entry for entry in found if all(term in name(entry).lower() for term in terms)]
    for order in reversed(body.get("SortFields") or []):
        if not isinstance(order, dict) or "FieldId" not in order:
            raise invalid(SortFields="A sort field needs a FieldId.")
        wanted = sorted(wanted, key=name, reverse=order.get("Ascending") is False)
    result = wanted[start : start + min(size, most)]
    return {
        "Result": result,
        "ResultCount": len(result),
        "TotalFilteredCount": len(wanted),
        "TotalUnfilteredCount": len(found),
    }
