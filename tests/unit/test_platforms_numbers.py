"""Columns of numbers as platforms send them: counts as text, and what rounding added to the amounts of a page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adweir.model import limits
from adweir.platforms.numbers import counts
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Roundings

LONG = "9" * (limits.MAX_COUNT_DIGITS + 2)


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["0"], [0]),
        (["12", "345", "12"], [12, 345, 12]),
        (["12", "-345"], [12, -345]),
        (["-12", LONG], [-12, int(LONG)]),
        ([LONG], [int(LONG)]),
    ],
)
def test_a_column_of_counts_may_have_signs_and_more_digits_than_a_count(texts: list[str], numbers: list[int]) -> None:
    assert counts(texts, "clicks") == numbers


@pytest.mark.parametrize("text", ["", "x", "1.5", "--1", f"-{LONG}"])
@pytest.mark.parametrize("others", [[], ["1"], ["-1"]])
def test_a_column_names_the_field_of_what_is_not_a_count(text: str, others: list[str]) -> None:
    with pytest.raises(ValueError, match=r".") as fault:
        counts([*others, text], "clicks")

    assert fault.value.args == ("clicks", f"not a whole number, or out of range: {text[:40]!r}")


def rounds(roundings: Roundings, value: tuple[tuple[int, str], ...]) -> int:
    """Reads a value as a connector does: notes what rounding added to amounts of its row."""
    if not value:
        raise ValueError
    roundings.row.added += [(place, Decimal(delta)) for place, delta in value if delta != "0"]
    return len(value)


def test_what_rounding_added_is_summed_by_row_and_amount_over_the_columns_of_a_page() -> None:
    roundings = Roundings()

    def read(value: tuple[tuple[int, str], ...]) -> int:
        return rounds(roundings, value)

    first = [((SPEND, "0.5"),), ((SPEND, "0"),), ((SPEND, "-0.25"),)]
    second = [((REVENUE, "0"),), ((REVENUE, "0"),), ((REVENUE, "0.1"), (REVENUE, "0.2"), (CONVERSIONS, "0.4"))]
    assert [roundings.each(read, column) for column in (first, second)] == [[1, 1, 1], [1, 1, 3]]

    zero = Decimal(0)
    assert roundings.deltas() == {
        0: (zero, zero, zero, Decimal("0.5"), zero),
        2: (zero, zero, Decimal("0.4"), Decimal("-0.25"), Decimal("0.3")),
    }
    assert roundings.row.deltas() is None
    # and the next page begins without
    roundings.clear()
    assert roundings.deltas() == {}


def test_what_was_added_to_a_value_that_could_not_be_read_is_of_no_other_page() -> None:
    roundings = Roundings()
    roundings.row.added.append((SPEND, Decimal("0.5")))  # of a row whose next amount is no number
    with pytest.raises(ValueError, match=r"^$"):
        roundings.each(lambda value: rounds(roundings, value), [()])

    roundings.clear()

    assert roundings.each(lambda value: rounds(roundings, value), [((SPEND, "0"),)]) == [1]
    assert roundings.deltas() == {}
