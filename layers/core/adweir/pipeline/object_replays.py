"""Stored objects are loaded again: each is sent to `validate` as when it arrived. Loading twice changes nothing."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from adweir.intake.load import deliveries, drop_keys, pulls, stream
from adweir.model import limits
from adweir.model.errors import NotFound, Unprocessable
from adweir.model.messages import ObjectArrived

if TYPE_CHECKING:
    from adweir.model.ports import Queue
    from adweir.store.raw.store import RawStore

LOADED = (pulls.PREFIX, deliveries.PREFIX, drop_keys.PREFIX, stream.PREFIX)
"""Where the objects are that can be loaded."""


class SentObjects(NamedTuple):
    """The keys that were sent, in order, and whether there are more behind the last one."""

    keys: list[str]
    more: bool


def send_again(raw: RawStore, landing: Queue, prefix: str, after: str = "", *, one: bool = False) -> SentObjects:
    """Send the objects under a prefix behind the key `after`, `limits.MAX_REPLAYED_OBJECTS` at most; with `one` only
    the object that is called so.

    Raises Unprocessable for a prefix that is not loaded, NotFound when there is no such object.
    """
    if not prefix.startswith(LOADED):
        message = f"only objects under {', '.join(LOADED)} are loaded, not {prefix[:100]!r}"
        raise Unprocessable(message, [{"field": "key" if one else "prefix", "message": message}])
    if one:
        found = [info.key for info in islice(raw.list(prefix), 1) if info.key == prefix]  # a listing is in key order
    else:
        found = [info.key for info in islice(raw.list(prefix, after), limits.MAX_REPLAYED_OBJECTS + 1)]
    if not found:
        what = (
            f"called {prefix[:200]}" if one else f"under {prefix[:200]}" + (f" behind {after[:200]}" if after else "")
        )
        raise NotFound(f"there is no object {what}", [{"field": "key" if one else "prefix", "message": "is unknown"}])
    keys = found[: limits.MAX_REPLAYED_OBJECTS]
    landing.send_many((ObjectArrived(bucket=raw.bucket, key=key), group_of(key)) for key in keys)
    return SentObjects(keys, more=len(found) > len(keys))


def group_of(key: str) -> str:
    """The platform and ad account or client that an object is of: one client's replay does not hold up the others."""
    return "#".join(key.split("/")[1:3])
