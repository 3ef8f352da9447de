"""How near a column's name is to what a field is called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from adweir.model.mappings import CURRENCY_SLOT, Unit
from adweir.model.numerals import currency_of
from ops.mapping import words

_BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]{1,4})\s*[)\]]")
_BEHIND = re.compile(r"(?:[\s_-]|\bin\s)([A-Z]{3})$")
_WINDOW = re.compile(r"(?:pc|pv|pvc|click|view)?[0-9]+(?:d|h)?")
"""Of an attribution window, as in `SalesPc7d`."""
_GROUPS = "campaign group"
EXACT, NEAR, LIKELY, LEAST = 100.0, 80.0, 60.0, 45.0
_UNITS = {
    word: unit
    for unit, names in (
        (Unit.MICROS, ("micros", "micro", "microcurrency")),
        (Unit.MINOR, ("cents", "cent", "centimes", "centavos", "pence", "minor")),
        (Unit.THOUSANDS, ("thousands", "tsd", "tausend", "000", "milliers")),
    )
    for word in names
}


class Label(NamedTuple):
    """A column's name: as it is, in words without a currency or unit, what a mapping calls it, and what it says."""

    column: str
    words: str
    name: str
    currency: str
    unit: Unit

    @property
    def tokens(self) -> frozenset[str]:
        return frozenset(self.words.split())


def label_of(column: str) -> Label:
    """What a column's name says."""
    bare, name, currency = column, column, ""
    for found in _BRACKETS.finditer(column):
        if (said := _currency(found[1])) is not None:
            bare = f"{column[: found.start()]} {column[found.end() :]}"
            name, currency = f"{column[: found.start(1)]}{CURRENCY_SLOT}{column[found.end(1) :]}", said
    behind = None if currency else _BEHIND.search(column)
    if behind and behind[1] in words.CODES:
        bare = column[: behind.start()]
        name, currency = f"{column[: behind.start(1)]}{CURRENCY_SLOT}", behind[1]
    tokens = words.plain(bare).split()
    unit = next((_UNITS[each] for each in tokens if each in _UNITS), Unit.ONES)
    kept = [each for each in tokens if each not in _UNITS and each not in {"in", "dollar", "dollars", "euro"}]
    return Label(column, " ".join(kept or tokens), name, currency, unit)


def _currency(text: str) -> str | None:
    return text if text in words.CODES else None if len(text) == 3 and text.isalpha() else currency_of(text)


def grouped(labels: Sequence[Label]) -> list[Label]:
    """Where a tool has groups of campaigns, as LinkedIn has, they are the campaigns and its campaigns are ad groups."""
    if not any(_GROUPS in label.words for label in labels):
        return list(labels)
    return [
        label._replace(
            words=label.words.replace(_GROUPS, "campaign")
            if _GROUPS in label.words
            else label.words.replace("campaign", "ad group")
        )
        for label in labels
    ]


def nearness(label: Label, phrases: Sequence[str]) -> float:
    """0 to 100: how near a name is to the nearest of a field's phrases; earlier phrases are a little nearer."""
    return max((_near(label, phrase) - 0.05 * place for place, phrase in enumerate(phrases)), default=0.0)


def _near(label: Label, phrase: str) -> float:
    if label.words == phrase or words.plain(label.column) == phrase:
        return EXACT
    own, wanted = _telling(label.words), _telling(phrase)
    at = _place(own, wanted)
    if at is None:
        return 0.0
    rest = set(own[:at] + own[at + len(wanted) :])
    rest = {word for word in rest if not _WINDOW.fullmatch(word)}
    if not rest:
        return 95.0
    if rest & (words.RATIO | words.NO_METRIC | words.ID):
        return 0.0
    if rest <= words.NEUTRAL:
        return NEAR
    return max(0.0, 65.0 - 10.0 * len(rest - words.NEUTRAL))


def is_ratio(label: Label) -> bool:
    """Whether a number of this name follows from others, or cannot be added up."""
    if label.tokens & words.RATIO:
        return True
    left, mark, right = label.column.partition("/")
    metrics = ("impressions", "clicks", "spend", "conversions", "revenue")
    return bool(mark) and all(
        any(nearness(label_of(side), words.FIELDS[each]) >= LIKELY for each in metrics) for side in (left, right)
    )


@lru_cache(4096)
def _telling(text: str) -> tuple[str, ...]:
    """Words without those that say nothing; all of them where there are no others."""
    own = tuple(text.split())
    return tuple(word for word in own if word not in words.GLUE) or own


def _place(own: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((n for n in range(len(own)) if own[n : n + len(wanted)] == wanted), None)


class Named(NamedTuple):
    """What a column is of, and which of it: `id`, `name`, or another attribute (`status`)."""

    object: str
    attribute: str
    nearness: float


def object_of(label: Label, kinds: Sequence[str]) -> Named | None:
    """The object that a column names; None for none."""
    own = _telling(label.words)
    for kind in kinds:
        places = {phrase: place for place, phrase in enumerate(words.OBJECTS[kind])}
        for phrase in sorted(places, key=len, reverse=True):
            exact = EXACT - 0.05 * places[phrase]
            wanted = _telling(phrase)
            at = _place(own, wanted)
            if at is None and len(wanted) == 1:
                at = next((n for n, word in enumerate(own) if word in {f"{phrase}id", f"{phrase}name"}), None)
                if at is not None:
                    return Named(kind, "id" if own[at].endswith("id") else "name", exact)
            if at is None:
                continue
            rest = set(own[:at] + own[at + len(wanted) :])
            if not rest:
                return Named(kind, "id" if phrase in {"kundennummer", "konto id"} else "", exact - 2)
            if rest <= words.ID:
                return Named(kind, "id", exact)
            if rest <= words.NAME or rest <= words.NAME | {"text"}:
                return Named(kind, "name", exact)
            return Named(kind, "other", LEAST)
    return None
