"""Answers that fit: at most 8,000 tokens, by whatever tokenizer.

A token is one byte or more: those of language models are made of bytes, or fall back on them. So what has at most 8,000
bytes has at most 8,000 tokens, whatever is written in it. Most JSON of numbers has two to three bytes a token, so that
an answer's two forms (text, and the same as a value) are together about as large, where a client shows both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.reporting.formats import to_json

NARROW = "ask for fewer dimensions or metrics, a shorter time_range, or one client, platform or currency"
Document = dict[str, Any]


def size(document: Document) -> int:
    """Bytes of a document as JSON."""
    return len(to_json(document))


def fitted(document: Document, rows: Sequence[Any], left_out: Callable[[Sequence[Any]], Document]) -> Document:
    """The document with as many of the rows, from the first on, as fit, under `rows`; in their order.

    `left_out` says something of those that do not fit: fields that are added. Raises TooLarge where not even the
    document without rows fits.
    """
    spare = limits.MAX_ASKED_BYTES - size(document | {"rows": []} | left_out(rows))
    shown = 0
    while shown < len(rows) and spare >= 0:
        spare -= len(to_json(rows[shown])) + 1
        shown += spare >= 0
    if shown < len(rows) and size(document | {"rows": list(rows)} | left_out([])) <= limits.MAX_ASKED_BYTES:
        shown = len(rows)  # what would be said of rows that are left out is not said
    while True:  # what is said of fewer rows may be longer: numbers have other lengths
        whole = document | {"rows": list(rows[:shown])} | left_out(rows[shown:])
        if size(whole) <= limits.MAX_ASKED_BYTES or shown == 0:
            break
        shown -= 1
    return checked(whole)


def checked(document: Document) -> Document:
    """The document. Raises TooLarge where it does not fit."""
    if size(document) > limits.MAX_ASKED_BYTES:
        raise TooLarge(f"the answer has more than {limits.MAX_ASKED_BYTES} bytes: {NARROW}")
    return document


def counted(rows: Sequence[Any]) -> Document:
    """What is said of rows that have no sum."""
    return {"rows_left_out": len(rows), "narrow": NARROW} if rows else {}


def summed(rows: Sequence[Sequence[Any]], columns: Sequence[str], added: Sequence[str]) -> Document:
    """What is said of rows of numbers: how many are left out, and by currency the sums of the columns `added`.

    With these, the rows that are shown add up to the totals.
    """
    if not rows:
        return {}
    at = {name: columns.index(name) for name in added}
    currency = columns.index("currency") if "currency" in columns else None
    sums: dict[Any, dict[str, Any]] = {}
    for row in rows:
        of = row[currency] if currency is not None else None
        known = sums.setdefault(of, dict.fromkeys(added))
        for name, place in at.items():
            known[name] = _plus(known[name], row[place])
    said = [({"currency": of} if currency is not None else {}) | numbers for of, numbers in sums.items()]
    return {"rows_left_out": len(rows), "left_out": said, "narrow": NARROW}


def _plus(one: Decimal | int | None, other: Decimal | int | None) -> Decimal | int | None:
    """A sum in which an unknown number counts as nothing; of unknown ones alone it is unknown."""
    if one is None or other is None:
        return one if other is None else other
    return one + other
