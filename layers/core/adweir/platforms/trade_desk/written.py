"""Numbers and dates as a schedule declares them; nothing is guessed from how they look.

Sortable dates are YYYY-MM-DD, US ones MM/DD/YYYY, International ones DD/MM/YYYY. International numbers have a decimal
comma; US ones have a point, and may have commas between thousands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

from adweir.model.errors import BadInput

_DATES = {
    "sortable": re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ].*)?"),
    "us": re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})(?: .*)?"),
    "international": re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})(?: .*)?"),
}
_GROUPED = {
    "us": re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d*)?"),
    "international": re.compile(r"-?\d{1,3}(?:[. \u00a0\u202f]\d{3})+(?:,\d*)?"),
}
_PLAIN_INTERNATIONAL = re.compile(r"-?\d+(?:,\d+)?(?:[eE][+-]?\d{1,2})?")
_SPACES = str.maketrans("", "", ". \u00a0\u202f")

Day = Callable[[str], str]


def day_reader(declared: str) -> Day:
    """Text of a declared date format → `YYYY-MM-DD`. The reader raises ValueError; BadInput for an unknown format."""
    pattern = _DATES.get(declared.lower())
    if pattern is None:
        raise BadInput(f"the report declares the date format {declared[:40]!r}, which is none of {', '.join(_DATES)}")

    @lru_cache(maxsize=1024)
    def read(text: str) -> str:
        found = pattern.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"not a date in the format {declared}: {text[:40]!r}")
        return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()

    return read


class NumberTexts:
    """Numbers of a declared format as plain text with a decimal point."""

    def __init__(self, declared: str) -> None:
        """Raises BadInput for an unknown format."""
        self._format = declared.lower()
        if self._format not in _GROUPED:
            raise BadInput(
                f"the report declares the number format {declared[:40]!r}, which is none of US, International"
            )

    @property
    def plain(self) -> bool:
        """Whether a number without commas is written as we read it."""
        return self._format == "us"

    def column(self, texts: Sequence[str]) -> Sequence[str]:
        """A column of them; an empty cell is 0, as in the columns of pixels that a campaign does not have."""
        joined = "".join(texts)
        plain = "," not in joined if self._format == "us" else joined.isascii() and joined.isdigit()
        if plain and all(texts):
            return texts
        return [self.one(text) for text in texts]

    def one(self, text: str) -> str:
        """One number. What is not of the format stays as it is, and is refused when it is read."""
        text = text.strip()
        if not text:
            return "0"
        grouped = _GROUPED[self._format].fullmatch(text)
        if self._format == "us":
            return text.replace(",", "") if grouped else text
        if grouped:
            return text.translate(_SPACES).replace(",", ".")
        if _PLAIN_INTERNATIONAL.fullmatch(text):
            return text.replace(",", ".")
        return f"{text} (International)"
