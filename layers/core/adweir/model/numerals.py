"""Numbers as files write them: marks, signs of currencies, per cent; the decimal mark is one answer per file.

`1,234` is a thousand or a little more than one. No cell is read by a guess about itself: the first cell of a file that
can only be read one way (`12,5`, `1.234,56`, `1,234` in a column of whole numbers) says it for all, and one that says
the opposite has the whole file refused.
"""

from __future__ import annotations

import re
from decimal import MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation

from adweir.model import limits
from adweir.model.errors import BadInput

_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN)
"""Nothing is rounded where the point is moved."""
_SIGNS = r"(?:[A-Za-z]{0,3}\$|[€£¥₹₺₽₩₪₫฿₴₱₦]|zł|kr\.?|Kč|Ft|lei|Rs\.?|RM|Rp\.?|R|[A-Z]{3})"
_BLANKS = " \u00a0\u202f\u2009"
_GROUPS = f"{_BLANKS}'\u2019"
_CELL = re.compile(
    rf"(?P<open>\()?[{_BLANKS}]*(?P<sign>[-+\u2212]?)[{_BLANKS}]*(?:(?P<unit>{_SIGNS})[{_BLANKS}]*)?(?P<after>[-+\u2212]?)"
    rf"(?P<core>[0-9.,](?:[0-9.,{_GROUPS}]*[0-9.,])?(?:[eE][-+]?[0-9]{{1,2}})?)"
    rf"[{_BLANKS}]*(?:%|(?P<unit_after>{_SIGNS}))?[{_BLANKS}]*(?P<close>\))?"
)
_POWER = re.compile(r"[0-9]{1,60}(?:\.[0-9]{0,60})?[eE][-+]?[0-9]{1,2}|\.[0-9]{1,60}[eE][-+]?[0-9]{1,2}")
_MASKED = re.compile(r"[<>≤≥][0-9 .,\u00a0]{1,20}[% ]{0,2}")
OTHER_MARK = {".": ",", ",": "."}
"""What a number with one decimal mark has between thousands."""
_CODE = re.compile(r"[A-Z]{3}")
_OF_SIGN = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₽": "RUB",
    "₺": "TRY",
    "₩": "KRW",
    "₪": "ILS",
    "zł": "PLN",
    "R$": "BRL",
    "US$": "USD",
    "CA$": "CAD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "NT$": "TWD",
    "MX$": "MXN",
}
"""Signs that stand for one currency; `$`, `¥` and `kr` stand for several."""
_OF_SIGNS = {
    "A$": {"AUD"},
    "C$": {"CAD", "NIO"},
    "S$": {"SGD"},
    "¥": {"JPY", "CNY"},
    "kr": {"SEK", "NOK", "DKK", "ISK"},
    "Kč": {"CZK"},
    "Ft": {"HUF"},
    "lei": {"RON", "MDL"},
    "R": {"ZAR"},
    "Rs": {"INR", "PKR", "LKR", "NPR", "MUR", "SCR"},
    "RM": {"MYR"},
    "Rp": {"IDR"},
    "฿": {"THB"},
    "₫": {"VND"},
    "₴": {"UAH"},
    "₱": {"PHP"},
    "₦": {"NGN"},
}
"""Signs without a code in them, and the currencies that are written so."""
_NO_DOLLARS = frozenset({"CHF", "AED", "SAR", "EGP"}).union(
    (code for sign, code in _OF_SIGN.items() if not sign.endswith("$")),
    *(codes for sign, codes in _OF_SIGNS.items() if not sign.endswith("$")),
)
_OTHER_SIGN = re.compile(r"[A-Za-z]{0,3}\$|[¥₫฿₴₱₦]|kr\.?|Kč|Ft|lei")
NOTHING = frozenset({"--", "-", "\u2013", "\u2014", "null", "none", "nan", "n/a", "#n/a"})


class Undecided(Exception):
    """A cell that can be read in two ways, and nothing in the file has said yet which is its own."""


def is_masked(text: str) -> bool:
    """Whether a cell hides its number: `<5`, `< 10%`, `> 90%`. It is unknown, and that is not zero."""
    return _MASKED.fullmatch(text) is not None


def currency_named(text: str) -> str | None:
    """The currency that a cell's sign or code says, "" for a sign of several currencies, None for none."""
    unit = unit_named(text)
    return currency_of(unit) if unit else None


def unit_named(text: str) -> str:
    """The sign or code of a currency in a cell as it is written, "" for none."""
    found = _CELL.fullmatch(text) if len(text) <= limits.MAX_NUMBER_CHARS else None
    return (found["unit"] or found["unit_after"] or "") if found else ""


def may_mean(unit: str, currency: str) -> bool:
    """Whether a sign or code may stand for a currency: `$` for many, but for none with a sign of its own."""
    said = currency_of(unit)
    if said:
        return said == currency
    known = _OF_SIGNS.get(unit.rstrip("."))
    if known is None and unit.endswith("$"):
        return currency not in _NO_DOLLARS
    return known is None or currency in known


def is_nothing(text: str) -> bool:
    """Whether a text stands for nothing where a number, a day or an id is expected: `--`, `n/a`, or no text at all."""
    return not text or text.casefold() in NOTHING


def currency_of(text: str) -> str | None:
    """`EUR` and `€` → `EUR`; "" for a sign of several currencies, None for what is no currency."""
    if _CODE.fullmatch(text):
        return text
    return _OF_SIGN.get(text, "" if _OTHER_SIGN.fullmatch(text) else None)


class Numerals:
    """How one file writes its numbers. `decimal`: its decimal mark, None where the file has to say it itself."""

    def __init__(self, decimal: str | None = None) -> None:
        self._stated = decimal is not None
        self._seen = ""
        self.decimal = decimal or ""
        self._shape = _shape(self.decimal) if self.decimal else None

    def plain(self, text: str, *, whole: bool = False) -> str:
        """`1.234,50 €` → `1234.50`; `whole`: of a column of whole numbers.

        Raises ValueError for what is no number, Undecided, BadInput for a file that writes numbers in two ways.
        """
        if text.isdecimal() and text.isascii():
            return text
        found = _CELL.fullmatch(text)
        if found is None or len(text) > limits.MAX_NUMBER_CHARS:
            raise ValueError("is not a number")
        core = found["core"]
        if self._shape is None:
            self.learn(text, whole=whole)
        if self._shape is None:
            if "." in core or "," in core:
                raise Undecided(text)
            shape = _shape(".")
        else:
            shape = self._shape
        if not shape.fullmatch(core) and not (self.decimal == "." and _POWER.fullmatch(core)):
            self._contradicted(text, core, whole=whole)
        negative = {found["sign"], found["after"]} & {"-", "\u2212"} or (found["open"] and found["close"])
        return ("-" if negative else "") + self._digits(core)

    def learn(self, text: str, *, whole: bool) -> None:
        """Take in what a cell says of the decimal mark, if it says anything."""
        mark = "" if self.decimal else mark_said(text, whole=whole)
        if mark:
            self.settle(mark, text)

    def settle(self, mark: str, seen: str = "") -> None:
        """Read all cells with this decimal mark, which the cell `seen` says."""
        self.decimal, self._seen, self._shape = mark, seen, _shape(mark)

    def _contradicted(self, text: str, core: str, *, whole: bool) -> None:
        if not self._stated and _says(core, whole=whole) == OTHER_MARK[self.decimal or "."] and self.decimal:
            raise BadInput(
                f"the file writes numbers in two ways, {self._seen[:30]!r} and {text[:30]!r}: "
                "export it in one language, or say which is its decimal mark in its mapping",
                [{"field": "decimal", "rule": "consistent"}],
            )
        raise ValueError("is not a number")

    def _digits(self, core: str) -> str:
        if "e" in core or "E" in core:
            return f"{Decimal(core):f}"
        other = OTHER_MARK[self.decimal or "."]
        for mark in _GROUPS + other:
            if mark in core:
                core = core.replace(mark, "")
        return core.replace(",", ".") if self.decimal == "," else core


def _shape(decimal: str) -> re.Pattern[str]:
    """The integer part in groups of three (with commas also as in India, 12,34,567) or without any, then decimals."""
    other = OTHER_MARK[decimal]
    indian = r"|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}" if other == "," else ""
    grouped = rf"[0-9]{{1,3}}([{other}{_GROUPS}])[0-9]{{3}}(?:\1[0-9]{{3}})*"
    return re.compile(rf"(?=.*[0-9])(?:{grouped}|[0-9]*{indian})(?:[{decimal}][0-9]*)?")


def mark_said(text: str, *, whole: bool) -> str:
    """The decimal mark that a cell can only have been written with, "" where it does not tell; `whole` as above."""
    found = _CELL.fullmatch(text) if len(text) <= limits.MAX_NUMBER_CHARS else None
    return _says(found["core"], whole=whole) if found else ""


def has_mark(text: str) -> bool:
    """Whether a number reads otherwise with another decimal mark."""
    found = _CELL.fullmatch(text) if len(text) <= limits.MAX_NUMBER_CHARS else None
    return found is not None and ("." in found["core"] or "," in found["core"])


def _says(core: str, *, whole: bool) -> str:
    """The decimal mark that a number can only have been written with, "" where it does not tell."""
    if _POWER.fullmatch(core):
        return "."
    marks = [mark for mark in ".," if mark in core]
    if len(marks) == 2:
        last = max(marks, key=core.rfind)
        return last if core.count(last) == 1 else ""
    if not marks:
        return ""
    mark = marks[0]
    if core.count(mark) > 1:
        return OTHER_MARK[mark]
    before, _, after = core.partition(mark)
    if len(after) == 3 and before.isdecimal() and len(before) <= 3 and not before.startswith("0"):
        return OTHER_MARK[mark] if whole and after.strip("0") else ""
    return mark


def scaled(plain: str, power: int) -> str:
    """A plain number times a power of ten, as decimal text of at most six decimals, rounded half to even."""
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    return as_text(number.scaleb(power) if power else number)


def exactly(plain: str, power: int) -> str:
    """The same with all of its decimals, as it is written where the power is 0."""
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    return f"{number.scaleb(power, _EXACT):f}" if power else plain


def as_text(number: Decimal) -> str:
    """A number as decimal text of at most six decimals, rounded half to even."""
    if number.adjusted() < 12 and int(number.as_tuple().exponent) < -6:
        number = round(number, 6)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
