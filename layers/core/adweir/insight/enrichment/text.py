"""The words of an ad, as its models read them."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adweir.model import limits

_PARTS = ("headline", "description", "cta")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*\+?")
_SHORT = 3
"""A word of so many letters or fewer has no plural that its last letter tells: gas, bus, yes."""
_ES = re.compile(r"(?:ch|sh|ss|x|z)es$")
_NO_PLURAL = re.compile(r"(?:ss|us|sis|nnis|ris|ics)$")


@dataclass(frozen=True, slots=True)
class AdCopy:
    """What an ad says. Quotation marks and dashes are plain ones, as the models know them."""

    headline: str = ""
    description: str = ""
    cta: str = ""

    @classmethod
    def of(cls, ad: Mapping[str, Any]) -> AdCopy:
        """Of an ad's fields; one that is absent, null or no text says nothing. A part is cut at `MAX_ENRICHED_TEXT`."""
        return cls(*(plain_text(ad.get(name)) for name in _PARTS))

    @property
    def copy(self) -> str:
        """Headline and description, as sentences. What a button says is on all ads alike."""
        return " ".join(_sentence(part) for part in (self.headline, self.description) if part)

    @property
    def content_hash(self) -> str:
        """Of all parts: ads that say the same have the same."""
        return hashlib.sha256(json.dumps([self.headline, self.description, self.cta]).encode()).hexdigest()[:32]

    def __bool__(self) -> bool:
        """Whether it has words: marks alone say nothing."""
        return any(sign.isalnum() for part in (self.headline, self.description) for sign in part)


def words(text: str) -> list[str]:
    """The words of a text, in lower case and the singular; parts of a word with a hyphen are words of their own."""
    return [singular(word) for word in _WORD.findall(text.lower())]


def singular(word: str) -> str:
    """An English word in the singular, as far as its letters tell."""
    word = word.removesuffix("'s")
    if len(word) <= _SHORT or not word.endswith("s") or word.endswith("'s"):
        return word
    if _ES.search(word):
        return word[:-2]
    if word.endswith("ies"):
        return word if word == "series" else f"{word[:-3]}y"
    return word if _NO_PLURAL.search(word) else word[:-1]


def plain_text(value: Any) -> str:
    """A text as the models know it; "" of what is none. Some characters are eighteen of them (NFKC)."""
    if not isinstance(value, str):
        return ""
    text = unicodedata.normalize("NFKC", value[: limits.MAX_ENRICHED_TEXT])[: limits.MAX_ENRICHED_TEXT]
    return " ".join(text.translate(_MARKS).split())


def _sentence(part: str) -> str:
    return part if part[-1] in ".!?" else f"{part}."


_MARKS = {ord(mark): plain for mark, plain in zip("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--", strict=True)}
