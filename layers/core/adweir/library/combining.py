"""`adweir.combine`: rows of several platforms as one set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from adweir.model.errors import Conflict, Unprocessable
from adweir.platforms import REGISTRY
from adweir.reporting.breakdowns import DIMENSIONS

_KEY = ("platform", "account_id", "campaign_id", "ad_group_id", "ad_id", "keyword_id", "kind", "id", "date", "hour")
_LINE = ("month", "invoice_id", "line")
"""What tells the lines of invoices apart."""
_PARTS = (*_KEY, *_LINE, *DIMENSIONS, "currency")
_WHOSE = ("platform", "account_id")
_OWN = tuple(name for name in _PARTS if name not in {*_WHOSE, "currency"})
_SHOWN = 100


def combine(sources: Iterable[Iterable[Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    """The rows of all sources, one after the other, each with its `key`.

    Ids are the platforms' own, and two platforms may use the same one: the key holds platform and ad account too. A
    row that comes twice is kept once. Rows are not summed, and currencies stay as they are.

    Raises Unprocessable for a row that does not say its platform and ad account, Conflict for two different ones with
    the same key. Memory: 32 bytes a row, and what Python needs for them.
    """
    seen: dict[bytes, bytes] = {}
    for place, source in enumerate(sources, 1):
        for number, row in enumerate(source, 1):
            missing = [name for name in _WHOSE if not row.get(name)]
            if missing:
                raise Unprocessable(
                    f"row {number} of source {place} has no {' and no '.join(missing)}: combine takes the rows of"
                    " adweir's clients and of adweir.normalize",
                    [{"field": name, "message": "is missing"} for name in missing],
                )
            key = key_of_row(row)
            content = _digest(repr(sorted(row.items())))
            known = seen.setdefault(_digest(key), content)
            if known is content:
                yield {"key": key, **row}
            elif known != content:
                raise Conflict(f"two different rows are {key[:_SHOWN]}: combine rows of one kind and one moment")


def key_of_row(row: Mapping[str, Any]) -> str:
    """What tells a canonical row from all others: platform, ad account, ids, day, breakdown and currency."""
    return "#".join(_text(row[name]) for name in _PARTS if row.get(name) is not None)


def identity_of(row: Mapping[str, Any]) -> str:
    """The same where a row says whose it is, and of which object or day; of another row, all that it says."""
    is_told_apart = all(row.get(name) for name in _WHOSE) and any(row.get(name) is not None for name in _OWN)
    return key_of_row(row) if is_told_apart else repr(sorted(row.items(), key=repr))


def with_own_platform(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with its platform by its own name: rows of `facebook` and of `meta` are of one platform."""
    name = row.get("platform")
    if not isinstance(name, str):
        return row
    own = _own_name(name)
    return row if own == name else {**row, "platform": own}


@lru_cache(maxsize=256)
def _own_name(platform: str) -> str:
    try:
        return str(REGISTRY.parse(platform))
    except Unprocessable:  # of files, or made up
        return platform


def _text(value: Any) -> str:
    """A part of a key, in which `#` stands between the parts."""
    return str(value).replace("\\", "\\\\").replace("#", "\\#")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
