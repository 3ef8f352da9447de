"""A dropped file's receipt as people read it: what was stored, and why the rest was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.output import hanging

_REASONS = 3
"""So many different reasons are shown; the quarantine has all."""


def lines_of(receipt: Mapping[str, Any], begin: str = "") -> Iterator[str]:
    """The receipt of a file that was loaded, in lines that fit (keys may be longer), each of which starts with
    `begin`."""
    stored = receipt["rows_stored"]
    yield f"{begin}loaded: {stored:,} {'row' if stored == 1 else 'rows'} stored, {receipt['rows_read']:,} read"
    left_out = receipt.get("rows_left_out") or {}
    told = [f"{times:,} {reason.replace('_', ' ')}" for reason, times in left_out.items()]
    told += [f"{receipt['duplicates']:,} came twice"] if receipt["duplicates"] else []
    if told:
        yield from _indented(f"{begin}  ", f"not counted: {', '.join(told)}")
    if receipt["rows_quarantined"]:
        yield from _refused(receipt, f"{begin}  ")


def _refused(receipt: Mapping[str, Any], begin: str) -> Iterator[str]:
    first: dict[str, int] = {}
    for each in receipt.get("first_quarantined") or ():
        first.setdefault(each.get("message") or f"{each['field']}: {each['rule']}", each["line"])
    yield f"{begin}refused: {receipt['rows_quarantined']:,}"
    for why, line in list(first.items())[:_REASONS]:
        yield from _indented(f"{begin}  ", f"line {line}: {why}")
    keys = receipt.get("quarantine_keys") or [receipt["quarantine_key"]]
    yield from (f"{begin}see: adweir raw {key}" for key in keys)


def _indented(begin: str, text: str) -> list[str]:
    return hanging(begin, text, len(begin) + 2)
