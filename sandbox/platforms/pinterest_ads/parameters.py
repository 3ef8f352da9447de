"""Parameters of a question, read strictly: what the description does not allow is refused.

Source: the description's parameters of each operation (types, enums, lengths, defaults).
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from datetime import date
from hashlib import sha256
from typing import TypeVar

from sandbox.platforms.pinterest_ads.errors import invalid
from sandbox.web import PlatformRequest

T = TypeVar("T")
PAGE_SIZE, LARGEST_PAGE, MOST_IDS = 25, 250, 250


def listed(request: PlatformRequest, name: str) -> list[str]:
    """An array, written with commas or as a parameter that comes again."""
    return [part for text in request.args.getlist(name) for part in text.split(",") if part]


def ids(request: PlatformRequest, name: str, *, required: bool = False) -> list[str]:
    """At most 250 ids. Raises what refuses others."""
    found = listed(request, name)
    if required and not found:
        raise invalid(f"'{name}' is a required property")
    if len(found) > MOST_IDS or not all(one.isdecimal() and one.isascii() for one in found):
        raise invalid(f"'{name}' must have at most {MOST_IDS} ids that match the pattern ^\\d+$")
    return found


def one_of(request: PlatformRequest, name: str, values: Collection[str], default: str = "") -> str:
    """One of some values; required without a default."""
    found = request.args.get(name, default)
    if found not in values:
        raise invalid(f"'{name}' value '{found}' is not one of {', '.join(values)}")
    return found


def number(request: PlatformRequest, name: str, values: Collection[int], default: int) -> int:
    """One of some whole numbers."""
    return int(one_of(request, name, [str(value) for value in values], str(default)))


def day(request: PlatformRequest, name: str) -> date:
    """A required day."""
    text = request.args.get(name, "")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise invalid(f"'{name}' value '{text}' must be a date in the format YYYY-MM-DD")
    return found


def page_of(request: PlatformRequest, items: Sequence[T], *, looping: bool) -> tuple[list[T], str | None]:
    """A page of a list, and the bookmark of the next one, None after the last. `looping`: it leads back to this one.

    A bookmark is good for the question that it was given to.
    """
    text = request.args.get("page_size", str(PAGE_SIZE))
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) <= LARGEST_PAGE:
        raise invalid(f"'page_size' must be a number from 1 to {LARGEST_PAGE} (was {text})")
    start, size = _place(request), int(text)
    following = start if looping else start + size
    more = looping or following < len(items)
    return list(items[start : start + size]), _bookmark(request, following) if more else None


def _bookmark(request: PlatformRequest, place: int) -> str:
    asked = sorted((name, value) for name, value in request.args.items(multi=True) if name != "bookmark")
    sealed = sha256(f"{request.path} {asked} {place}".encode()).hexdigest()[:24]
    return base64.urlsafe_b64encode(f"{place}|{sealed}".encode()).decode()


def _place(request: PlatformRequest) -> int:
    given = request.args.get("bookmark", "")
    if not given:
        return 0
    try:
        place = int(base64.urlsafe_b64decode(given).decode().partition("|")[0])
    except ValueError:
        place = -1
    if place < 0 or given != _bookmark(request, place):
        raise invalid("the bookmark is not one of this list")
    return place
