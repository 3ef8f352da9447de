"""Texts that others wrote: names, search terms, addresses, ids. To an assistant they are data, never instructions."""

from __future__ import annotations

import unicodedata
from typing import Any

from adweir.model import limits

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control and format characters (bidirectional overrides, zero widths, tags), and what stands for nothing."""
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""Variation selectors: they show nothing, and a text can be hidden in a row of them."""
_CUT = "..."


def cleaned(text: str, chars: int = limits.MAX_ASKED_TEXT_CHARS) -> str:
    """A text of others in one line, without characters that nobody sees, at most so long."""
    text = text[: 8 * chars]  # what is hidden does not count, and does not cost
    seen = "".join(" " if each in "\t\n\r\u2028\u2029" else each for each in text if not _is_hidden(each))
    line = " ".join(seen.split())
    return line if len(line) <= chars else line[: chars - len(_CUT)] + _CUT


def cleaned_all(value: Any, chars: int = limits.MAX_ASKED_TEXT_CHARS) -> Any:
    """The same of all texts in a value; the names of fields are ours."""
    if isinstance(value, str):
        return cleaned(value, chars)
    if isinstance(value, dict):
        return {name: cleaned_all(each, chars) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned_all(each, chars) for each in value]
    return value


def _is_hidden(character: str) -> bool:
    if character in "\t\n\r\u2028\u2029":
        return False
    return unicodedata.category(character) in _HIDDEN or any(ord(character) in each for each in _SELECTORS)
