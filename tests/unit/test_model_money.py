"""Money to the millionth, at its edges, and the platforms' ways of writing it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from adweir.model import money
from adweir.model.money import all_micros, from_micros, rounded, to_micros, to_units
from adweir.platforms.amazon_ads.rows import _figure, _less
from adweir.platforms.meta.numbers import micros
from adweir.platforms.numbers import count
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Rounding
from support.bounds import at_the_bound, refuses

D = Decimal


@pytest.fixture(autouse=True)
def _nothing_was_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money, "_known", {})


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("999999999999.999999", 999_999_999_999_999_999),
        ("-999999999999.999999", -999_999_999_999_999_999),
        ("1.000000" + "0" * 54, 1_000_000),
        ("1E2", 100_000_000),
        ("1e-6", 1),
        ("0e99", 0),
    ],
)
def test_an_amount_of_less_than_a_trillion_is_exact(value: str, expected: int, as_text: bool) -> None:
    assert to_micros(value if as_text else D(value)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "1000000000000",
        10**12,
        -(10**12),
        "1000000000000.0",
        "1e12",
        D("1e12"),
        D("-1e12"),
        D("1e99999999"),
        "9" * 5000,
    ],
)
def test_a_trillion_or_more_is_out_of_range(value: str | int | Decimal) -> None:
    with pytest.raises(ValueError, match=r"out of range|limit"):
        to_micros(value)
    if not isinstance(value, int):
        with pytest.raises(ValueError, match=r"out of range|not a number"):
            rounded(value)


def test_whole_units_may_be_text_of_any_length_with_zeros_in_front() -> None:
    assert to_micros("00000000000000999999999999") == 999_999_999_999_000_000
    assert to_micros(999_999_999_999) == 999_999_999_999_000_000


@pytest.mark.parametrize(
    "value", ["0.0000001", f"1.{'0' * 59}1", D("1e-7"), D(f"1.{'0' * 70}1"), D("1e-1999999999999999997")]
)
def test_a_seventh_decimal_is_never_lost(value: str | Decimal) -> None:
    with pytest.raises(ValueError, match="more than six decimals"):
        to_micros(value)
    assert rounded(value)[1] < 0


@pytest.mark.parametrize(
    ("value", "expected", "added"),
    [
        ("0.1234565", 123_456, "-0.5"),
        ("0.1234575", 123_458, "0.5"),
        ("-0.1234565", -123_456, "0.5"),
        ("999999999999.9999994", 999_999_999_999_999_999, "-0.4"),
        ("9.9999999", 10_000_000, "0.1"),
    ],
)
def test_what_has_more_decimals_is_rounded_half_to_even_and_what_that_added_is_known(
    value: str, expected: int, added: str
) -> None:
    assert rounded(value) == (expected, D(added))
    assert rounded(D(value)) == (expected, D(added))


@at_the_bound("MAX_AMOUNT_DIGITS")
def test_the_digits_of_an_amount_that_is_rounded(size: int, fits: bool) -> None:
    ones = "1" * size

    with refuses(ValueError, fits=fits):
        assert rounded(D(f"0.{ones}")) == (111_111, D(f"-0.{ones[6:]}"))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (-1_500_000, "-1.5"),
        (1_000_000_000, "1000"),
        (9_007_199_254_740_993_000_000, "9007199254740993"),
        (9_007_199_254_740_993_000_001, "9007199254740993.000001"),
    ],
)
def test_millionths_are_written_as_units_without_exponent_and_zeros(amount: int, text: str) -> None:
    assert str(from_micros(amount)) == text
    assert to_units(amount) == D(text)


def test_an_unknown_amount_stays_unknown() -> None:
    assert to_units(None) is None


# --- a column at a time


@pytest.mark.parametrize("times", [1, 3])
def test_a_column_in_the_common_form_is_the_same_numbers(times: int) -> None:
    texts = [
        "0",
        "12",
        "12.",
        "12.3",
        "12.34",
        "12.345",
        "12.3456",
        "12.34567",
        "12.345678",
        ".5",
        "999999999999.999999",
    ]

    assert all_micros(texts * times) == [to_micros(text) for text in texts] * times


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "-1",
        "1e2",
        "1_0",
        "٣",
        "1.2345678",
        "1.2.3",
        " 1",
        "1000000000000",
        "00000000000000000001",
        "1.0000000",
    ],
)
@pytest.mark.parametrize("others", [(), ("1", "1", "1"), ("1", "2")])
def test_a_column_with_one_text_in_another_form_is_left_to_be_read_one_by_one(
    text: str, others: tuple[str, ...]
) -> None:
    assert all_micros((*others, text)) is None


def test_a_column_of_zeros_is_read() -> None:
    assert all_micros(["0", "0.0", "0", "0"]) == [0, 0, 0, 0]


@at_the_bound("MAX_KNOWN_AMOUNTS", as_if=3)
def test_so_many_texts_are_known_and_with_one_more_all_are_forgotten(size: int, fits: bool) -> None:
    texts = [f"{number}.5" for number in range(size)]
    all_micros(texts[:1])

    for _ in range(2):
        assert all_micros(texts * 2) == [to_micros(text) for text in texts] * 2
        assert money._known.keys() == set(texts if fits else [])


# --- Meta


@pytest.mark.parametrize("decimals", range(8))
def test_metas_text_is_the_same_number_whatever_its_decimals(decimals: int) -> None:
    text = f"12.{'3456785'[:decimals]}" if decimals else "12"
    rounding = Rounding()

    assert micros(text, SPEND, rounding) == rounded(text)[0]
    assert rounding.deltas() == ((D(0), D(0), D(0), D("-0.5"), D(0)) if decimals == 7 else None)


@pytest.mark.parametrize("text", ["1234567890123", "1000000000000", "1_0", "٣", "", ".", "1.2.3", "x"])
@pytest.mark.parametrize(("place", "name"), [(CONVERSIONS, "actions"), (SPEND, "spend"), (REVENUE, "action_values")])
def test_an_amount_of_metas_that_cannot_be_stored_names_its_field_and_why(text: str, place: int, name: str) -> None:
    with pytest.raises(ValueError, match=name) as refused:
        micros(text, place, Rounding())

    field, reason = refused.value.args
    assert field == name
    assert "not a number" in reason or "out of range" in reason


@pytest.mark.parametrize(
    ("text", "fits"),
    [("9" * 16, True), ("-" + "9" * 15, True), ("9" * 17, False), ("-" + "9" * 16, False), ("", False), ("1-", False)],
)
def test_a_count_of_metas_has_at_most_sixteen_characters(text: str, fits: bool) -> None:
    if fits:
        assert count(text, "clicks") == int(text)
    else:
        with pytest.raises(ValueError, match="clicks"):
            count(text, "clicks")


# --- what is added up, and what is left


def test_what_rounding_added_is_summed_by_place() -> None:
    rounding = Rounding()
    rounding.added += [(SPEND, D("0.1")), (SPEND, D("0.2")), (REVENUE, D("-0.5"))]

    assert rounding.deltas() == (D(0), D(0), D(0), D("0.3"), D("-0.5"))
    rounding.clear()
    assert rounding.deltas() is None


@pytest.mark.parametrize(
    ("whole", "part", "left"),
    [
        (D(5), D(2), D(3)),
        (D(2), D(2), D(0)),
        (D(5), None, D(5)),
        (None, None, D(0)),
        (None, D(1), msgspec.UNSET),
        (D(1), D("1.000001"), msgspec.UNSET),
        (msgspec.UNSET, D(1), msgspec.UNSET),
        (D(1), msgspec.UNSET, msgspec.UNSET),
    ],
)
def test_a_part_is_taken_from_a_whole_and_more_than_the_whole_is_unknown(
    whole: Decimal | None, part: Decimal | None, left: Decimal | msgspec.UnsetType
) -> None:
    assert _less(whole, part) == left
    assert _figure(_less(whole, part), SPEND, Rounding()) == (None if left is msgspec.UNSET else left * 1_000_000)


@pytest.mark.parametrize("pair", [(D("NaN"), D(1)), (D(1), D("NaN")), (D("Infinity"), None)])
def test_nothing_is_taken_from_or_by_what_is_no_number(pair: tuple[Decimal, Decimal]) -> None:
    with pytest.raises(ValueError, match="not a number"):
        _less(*pair)
