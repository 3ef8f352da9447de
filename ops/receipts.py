"""A dropped file's receipt as people read it: what was stored, and why the rest was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

_WIDTH = 80
_REASONS = 3
"""So many different reasons are shown; the quarantine has all."""


def lines_of(receipt: Mapping[str, Any]) -> Iterator[str]:
    """The receipt of a file that was loaded, in lines of at most 80 characters (keys may be longer)."""
    yield f"loaded: {receipt['rows_stored']:,} rows stored, {receipt['rows_read']:,} read"
    left_out = receipt.get("rows_left_out") or {}
    told = [f"{times:,} {reason.replace('_', ' ')}" for reason, times in left_out.items()]
    told += [f"{receipt['duplicates']:,} came twice"] if receipt["duplicates"] else []
    if told:
        yield from _indented(f"not counted: {', '.join(told)}")
    if receipt["rows_quarantined"]:
        yield from _refused(receipt)


def _refused(receipt: Mapping[str, Any]) -> Iterator[str]:
    first: dict[str, int] = {}
    for each in receipt.get("first_quarantined") or ():
        first.setdefault(each.get("message") or f"{each['field']}: {each['rule']}", each["line"])
    yield f"  refused: {receipt['rows_quarantined']:,}"
    for why, line in list(first.items())[:_REASONS]:
        yield from _indented(f"line {line}: {why}", deeper="  ")
    yield from (f"  see: adweir raw {key}" for key in receipt.get("quarantine_keys") or [receipt["quarantine_key"]])


def _indented(text: str, deeper: str = "") -> Iterator[str]:
    yield from wrap(
        text, _WIDTH, initial_indent=f"  {deeper}", subsequent_indent=f"    {deeper}", break_long_words=False
    )
