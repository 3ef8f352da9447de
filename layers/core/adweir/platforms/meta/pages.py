"""The items of a page, one by one, so that one that cannot be read costs itself only."""

from __future__ import annotations

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms import json_items
from adweir.platforms.json_items import UNREADABLE, fault, loose

__all__ = ["UNREADABLE", "fault", "items", "loose"]


def items(body: bytes) -> list[msgspec.Raw]:
    """The undecoded items of `data`. Raises BadInput for bytes that are no page."""
    found = json_items.items(body, "data")
    if found is None:
        raise BadInput("not a page of Meta's: it has no list 'data'")
    return found
