"""What an ad names: amounts, discounts, dates, codes, addresses, and names that the user lists. By patterns alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from adweir.insight.enrichment.text import AdCopy, plain_text
from adweir.model import limits

MODEL = "adweir-entities-2"


class EntityKind(StrEnum):
    """What is named."""

    MONEY = "money"
    DISCOUNT = "discount"
    PERCENT = "percent"
    DATE = "date"
    URL = "url"
    PHONE = "phone"
    HASHTAG = "hashtag"
    MENTION = "mention"
    CODE = "code"
    TRADEMARK = "trademark"
    NAME = "name"


class EntityFound(NamedTuple):
    """What is named, as the ad writes it; `value` and `unit` of an amount or share."""

    kind: EntityKind
    text: str
    value: Decimal | None = None
    unit: str = ""

    @property
    def shown(self) -> dict[str, Any]:
        """As answers show it: without what it has not."""
        found: dict[str, Any] = {"kind": self.kind.value, "text": self.text}
        return found | ({"value": self.value, "unit": self.unit} if self.value is not None else {})


_SIGNS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
"""A sign stands for several currencies ($ for Australia's, too): the usual one is said."""
_NUMBER = r"(?<!\d)(?<!\d[.,'])(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,15})(?:\.\d{1,6})?(?![\d]|[.,']\d)"
"""One that begins where a number does, else a long one would be tried from each of its digits, and ends where it does:
of `€1.234,56` and `$1,23` no part is one."""
_GROUPS = r"(?!(?<=\d\s)\d{3}(?!\d))"
"""Not the thousands of a number that is written with spaces: `1 000 EUR` is not 0."""
_WHOLE = r"(?![a-z]|\s(?:thousand|million|billion|[kmb]n?)\b|\s\d{3}(?![\d%]))"
"""Nothing follows that makes it another number: `$1.5M`, `$1 000`."""
_AMOUNT = (
    rf"(?:(?<!\w)|(?<=\bUS))(?!€\s?\d{{1,3}}\.\d{{3}}(?!\d))(?P<sign>[$€£¥₹])\s?(?P<number>{_NUMBER}){_WHOLE}|"
    rf"{_GROUPS}(?!\d{{1,3}}\.\d{{3}}\s?EUR)(?P<number2>{_NUMBER})\s?"
    r"(?P<code>USD|EUR|GBP|JPY|INR|CAD|AUD|CHF|SEK)\b"
)
"""A sign after letters is of a currency that they name (A$5). `€1.234` may be 1,234 euros: nothing is said of it."""
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)day"
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th)?"
_SHARE = rf"(?P<share>{_NUMBER})\s?%"
_KINDS: Final = {
    EntityKind.URL: r"\bhttps?://[^\s<>\"]+|(?<![\w.-])(?:[\w-]{1,63}\.){1,6}(?:com|org|net|io|co|shop|app)\b(?:/[^\s<>\"]*)?",
    EntityKind.DISCOUNT: rf"(?:{_SHARE}|{_AMOUNT})\s(?:off|discount|cash\s?back)\b",
    EntityKind.MONEY: _AMOUNT,
    EntityKind.PERCENT: _SHARE,
    EntityKind.DATE: rf"\b\d{{4}}-\d\d-\d\d\b|\b{_MONTH}\.?\s{_ORDINAL}\b(?:,?\s\d{{4}}\b)?|"
    rf"\b{_ORDINAL}\s(?:of\s)?{_MONTH}\b(?:\s\d{{4}}\b)?|\b(?:today|tonight|tomorrow|midnight|{_WEEKDAY})\b",
    EntityKind.PHONE: r"(?<![\w.-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{2,4}\)\s?|\d{2,4}[\s.-])\d{3,4}[\s.-]\d{3,4}\b",
    EntityKind.CODE: r"(?<=\b(?-i:[Cc]ode)[\s:])\s?(?-i:[A-Z][A-Z0-9]{2,19})\b",
    EntityKind.HASHTAG: r"(?<!\w)#[^\W\d_]\w*",
    EntityKind.MENTION: r"(?<![\w.])@[A-Za-z]\w*",
    EntityKind.TRADEMARK: r"\b(?-i:[A-Z])[\w'-]*\s?[®™]",
}
_PATTERNS: Final = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _KINDS.items()}


def entities_of(text: AdCopy, names: Iterable[str] = ()) -> list[EntityFound]:
    """What an ad names, in its order, each once; `names` are those of the user's own brands, products and places.

    What two kinds fit is of the first: `20 % off` is a discount and no percentage beside it.
    """
    found: dict[tuple[EntityKind, str], EntityFound] = {}
    for part in (text.headline, text.description):
        for _, entity in sorted(_in_part(part, tuple(names)[: limits.MAX_ENRICHED_NAMES])):
            found.setdefault((entity.kind, entity.text.lower()), entity)
    return list(found.values())[: limits.MAX_ENTITIES]


def _in_part(part: str, names: tuple[str, ...]) -> Iterator[tuple[int, EntityFound]]:
    taken: list[tuple[int, int]] = []
    own = [(EntityKind.NAME, _named(names))] if names else []
    for kind, pattern in (*_PATTERNS.items(), *own):
        for match in pattern.finditer(part):
            first, last = match.span()
            if not any(first < end and start < last for start, end in taken):
                taken.append((first, last))
                yield first, _entity(kind, match)


def _entity(kind: EntityKind, match: re.Match[str]) -> EntityFound:
    parts = {name: value for name, value in match.groupdict().items() if value}
    text = match[0].strip(" .,")
    if "share" in parts:
        return EntityFound(kind, text, _number(parts["share"]), "%")
    if number := parts.get("number") or parts.get("number2"):
        return EntityFound(
            kind, text, _number(number), _SIGNS.get(parts.get("sign", ""), parts.get("code", "")).upper()
        )
    return EntityFound(kind, text)


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


@lru_cache(maxsize=16)
def _named(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted({plain for name in names if (plain := plain_text(name))}, key=len, reverse=True)
    return re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in longest_first) or "(?!)", re.IGNORECASE)
