"""What the cells of a column look like."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from adweir.model.numerals import Numerals, Undecided, currency_of, is_masked
from adweir.platforms.files.calendar_days import CalendarDays

_NOTHING = frozenset({"", "--", "-", "\u2013", "\u2014", "null", "none", "nan", "n/a", "#n/a", "(not set)"})
_FLAGS = frozenset({"true", "false", "yes", "no", "ja", "nein", "oui", "non", "si"})
_MOST = 0.6
"""Of the cells that are not empty, so many have to be of a shape: totals and notes are of another."""
_COMPACT_DAY = len("20260115")
_LONG_NUMBER = 9
"""Digits of a whole number without marks that looks like an id."""


class Looks(StrEnum):
    EMPTY = "empty"
    DAY = "day"
    NUMBER = "number"
    CURRENCY = "currency"
    FLAG = "flag"
    EMAIL = "email"
    TEXT = "text"


class CellShape(NamedTuple):
    """`looks`; of numbers whether all are whole, all are long, are per cent, can be hours; how many texts differ."""

    looks: Looks
    whole: bool = False
    like_ids: bool = False
    percent: bool = False
    hours: bool = False
    distinct: int = 0
    samples: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        return self.looks is Looks.NUMBER


def shape_of(cells: Sequence[str]) -> CellShape:
    """The shape of a column of the first rows."""
    texts = [text for text in (cell.strip() for cell in cells) if text.casefold() not in _NOTHING]
    samples, distinct = tuple(dict.fromkeys(texts))[:3], len(set(texts))
    numbers = [text for text in texts if _is_number(text)]
    looks = _looks(texts, len(numbers))
    if looks is not Looks.NUMBER:
        return CellShape(looks, samples=samples, distinct=distinct)
    return CellShape(
        looks,
        whole=all(_is_whole(text) for text in numbers),
        like_ids=all(text.isdecimal() and len(text) >= _LONG_NUMBER for text in numbers),
        percent=any("%" in text for text in numbers),
        hours=all(text.isdecimal() and len(text) < _LONG_NUMBER and int(text) < 24 for text in numbers),
        samples=samples,
        distinct=distinct,
    )


def _looks(texts: Sequence[str], numbers: int) -> Looks:
    least = _MOST * len(texts)
    tests = (
        (Looks.EMPTY, not texts),
        (Looks.DAY, sum(map(_is_day, texts)) >= least),
        (Looks.NUMBER, numbers >= least),
        (Looks.CURRENCY, all(len(text) == 3 and currency_of(text.upper()) for text in texts)),
        (Looks.FLAG, {text.casefold() for text in texts} <= _FLAGS),
        (Looks.EMAIL, sum("@" in text and "." in text.rpartition("@")[2] for text in texts) >= least),
    )
    return next((looks for looks, holds in tests if holds), Looks.TEXT)


def _is_day(text: str) -> bool:
    if text.isdecimal() and not (len(text) == _COMPACT_DAY and text.startswith(("19", "20"))):
        return False
    days = CalendarDays()
    days.learn(text)
    try:
        days.read(text)
    except Undecided:
        return True
    except (ValueError, OverflowError):
        return False
    return True


def _is_number(text: str) -> bool:
    if is_masked(text):
        return True
    try:
        Numerals().plain(text)
    except Undecided:
        return True
    except ValueError:
        return False
    return True


def _is_whole(text: str) -> bool:
    """Whether a text can be a whole number: `1,234` can, `12.50` cannot."""
    numerals = Numerals()
    try:
        plain = numerals.plain(text, whole=True)
    except Undecided:
        return True
    except ValueError:
        return is_masked(text)
    return not plain.partition(".")[2].strip("0")
