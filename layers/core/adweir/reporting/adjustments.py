"""How the numbers of an answer follow from what was sent, per currency and exact.

    shown = raw + held + kept + unattributed - quarantined - overridden + cleaned + converted

- raw: what the sources sent;
- held: the older numbers behind rows that were quarantined;
- kept: numbers that the newest pull no longer brings though the account's total still contains them;
- unattributed: what the rows leave of the account's total;
- quarantined: what the quarantined rows would have said;
- overridden: what a preferred source hides;
- cleaned: what cleaning and rounding added;
- converted: what the conversion of currencies added: rows leave one currency, with their counts, for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal, localcontext
from typing import Any

from adweir.model.metrics import METRICS, Mark, Slot
from adweir.reporting.reading import ReadRow
from adweir.store.metrics.store import Adjustment

TERMS = ("shown", "raw", "held", "kept", "unattributed", "quarantined", "overridden", "cleaned", "converted")
"""The terms in the order of the equation."""
_TAKEN = ("quarantined", "overridden")
_ADDED = tuple(term for term in TERMS[2:] if term not in _TAKEN)
_DIGITS = 1200
"""More than any sum here has: rounded numbers leave parts of a millionth, quarantined ones may be absurd."""
_COUNTS = METRICS[:2]
_NAMED = {Mark.HELD: "held", Mark.KEPT: "kept", Mark.OVERRIDDEN: "overridden"}


class Adjustments:
    """Adds up what is special about the rows of an answer; an unknown number counts as nothing."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, list[Decimal | int]]] = {}

    def add_row(self, currency: str, read: ReadRow) -> None:
        """Count a row of the answer, or one that a preferred source hides from it."""
        row = read.row
        if row.mark is not Mark.OVERRIDDEN:
            self._add(currency, "shown", row.slot)
        term = "unattributed" if read.is_rest else _NAMED.get(row.mark, "")
        if term:
            self._add(currency, term, row.slot)

    def convert(self, before: tuple[str, Slot], after: tuple[str, Slot]) -> None:
        """A row that was counted in a currency is shown in another: each with its numbers."""
        (old, taken), (new, added) = before, after
        for term in ("shown", "converted"):
            self._add(old, term, [-(number or 0) for number in taken])
            self._add(new, term, added)

    def add(self, currency: str, adjustment: Adjustment) -> None:
        """Count what was quarantined, and what cleaning changed."""
        self._add(currency, "quarantined", adjustment.quarantined)
        self._add(currency, "cleaned", adjustment.cleaned)

    def merge(self, other: Adjustments) -> None:
        """Count what another answer counts."""
        for currency, terms in other._sums.items():
            for term, numbers in terms.items():
                self._add(currency, term, numbers)

    def state(self) -> dict[str, dict[str, list[str]]]:
        """The sums by currency and term, as JSON; `of` makes the same of them again."""
        return {
            currency: {term: list(map(str, numbers)) for term, numbers in terms.items()}
            for currency, terms in self._sums.items()
        }

    @classmethod
    def of(cls, state: Mapping[str, Mapping[str, Sequence[str]]]) -> Adjustments:
        """What `state` said."""
        found = cls()
        for currency, terms in state.items():
            found._sums[currency] = {term: list(map(_number, numbers)) for term, numbers in terms.items()}
        return found

    def answer(self) -> list[dict[str, Any]]:
        """Per currency: metric → term → number, in units."""
        with localcontext(prec=_DIGITS):
            return [
                {"currency": currency, **{name: _terms(sums, index) for index, name in enumerate(METRICS)}}
                for currency, sums in sorted(self._sums.items())
            ]

    def _add(self, currency: str, term: str, numbers: Sequence[int | Decimal | None]) -> None:
        sums = self._sums.setdefault(currency, {}).setdefault(term, [0] * len(METRICS))
        with localcontext(prec=_DIGITS) if term == "cleaned" else nullcontext():
            for index, number in enumerate(numbers):
                if number:
                    sums[index] += number


def _number(text: str) -> Decimal | int:
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _terms(sums: Mapping[str, Sequence[Decimal | int]], index: int) -> dict[str, Decimal | int]:
    found = {term: Decimal(sums[term][index]) if term in sums else Decimal(0) for term in TERMS if term != "raw"}
    plus, less = (sum((found[term] for term in terms), Decimal(0)) for terms in (_ADDED, _TAKEN))
    raw = found["shown"] - plus + less
    return {term: _in_units(raw if term == "raw" else found[term], METRICS[index]) for term in TERMS}


def _in_units(number: Decimal, metric: str) -> Decimal | int:
    """Counts as they are, millionths as units, without superfluous zeros; exact, also in parts of a millionth."""
    value = (number if metric in _COUNTS else number.scaleb(-6)).normalize()
    if value != value.to_integral_value():
        return value
    return int(value) if metric in _COUNTS else value.quantize(Decimal(1))
