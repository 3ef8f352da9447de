"""What an ad names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.enrichment.entities import EntityKind, entities_of
from adweir.insight.enrichment.text import AdCopy
from adweir.model import limits
from support.bounds import at_the_bound


def named(text: str, *names: str) -> list[tuple[str, str]]:
    return [(each.kind.value, each.text) for each in entities_of(AdCopy(headline=text), names)]


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("Now $1,299.99", "money", "$1,299.99"),
        ("From 25 EUR a night", "money", "25 EUR"),
        ("Take 20% off", "discount", "20% off"),
        ("$40 off today's box", "discount", "$40 off"),
        ("100% merino", "percent", "100%"),
        ("Closes March 3rd, 2026", "date", "March 3rd, 2026"),
        ("Opens 3 June", "date", "3 June"),
        ("Until 2026-12-24", "date", "2026-12-24"),
        ("Only on Friday", "date", "Friday"),
        ("See weir.example.com/sale now", "url", "weir.example.com/sale"),
        ("Read https://weir.example/a?b=1", "url", "https://weir.example/a?b=1"),
        ("Call (212) 555-0199", "phone", "(212) 555-0199"),
        ("Call +44 20 7946 0958", "phone", "+44 20 7946 0958"),
        ("With code SAVE20", "code", "SAVE20"),
        ("Join #MoveMore", "hashtag", "#MoveMore"),
        ("Follow @weirworks", "mention", "@weirworks"),
        ("The Weirlight® lamp", "trademark", "Weirlight®"),
    ],
)
def test_what_is_named_is_found_as_it_is_written(text: str, kind: str, found: str) -> None:
    assert (kind, found) in named(text)


@pytest.mark.parametrize("text", ["May we help?", "A code of honor", "Room 101", "2 for 1", "no. 5 of 10-12", "a@b"])
def test_words_that_look_alike_name_nothing(text: str) -> None:
    assert named(text) == []


@pytest.mark.parametrize(
    "text",
    [
        *("$1.5k", "$1.5M", "$2 million", "$1 000", "$1,23", "$1,2345", "$1.2.3", "$1234567890123456"),
        *("€10,50", "€1.234,56", "€1.234", "10.555 EUR", "1 000 EUR", "1'000 CHF", "A$5"),
    ],
)
def test_a_part_of_a_number_is_no_amount_and_an_unclear_one_is_none_either(text: str) -> None:
    assert named(text) == []


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("US$5, or $1,250.", ["5", "1250"]),
        ("$5-$10/mo", ["5", "10"]),
        ("iPhone 15 400 EUR", []),
        ("$5 100% cotton", ["5", "100"]),
        ("€5,000 (5 EUR a day)", ["5000", "5"]),
    ],
)
def test_an_amount_beside_other_numbers_is_its_own(text: str, amounts: list[str]) -> None:
    assert [str(each.value) for each in entities_of(AdCopy(text))] == amounts


def test_an_amount_is_exact_and_has_its_currency() -> None:
    (found,) = entities_of(AdCopy("Only £1,099.50"))
    assert (found.value, found.unit) == (Decimal("1099.50"), "GBP")


def test_a_discount_is_no_percentage_and_no_amount_beside_it() -> None:
    assert named("30% off, or $15 off") == [("discount", "30% off"), ("discount", "$15 off")]


def test_names_of_one_s_own_are_found_in_any_case_as_whole_words() -> None:
    assert named("New at WEIRWORKS: the Weirworkshop", "Weirworks") == [("name", "WEIRWORKS")]


def test_a_name_is_found_however_it_is_typeset() -> None:
    text = AdCopy.of({"headline": "At Macy\u2019s and Caf\u00e9 Weir"})
    assert [each.text for each in entities_of(text, ["Macy\u2019s", "Cafe\u0301 Weir"])] == ["Macy's", "Caf\u00e9 Weir"]


def test_the_longest_name_that_fits_is_meant() -> None:
    assert named("Fly to New York City", "New York", "New York City") == [("name", "New York City")]


def test_what_is_named_twice_is_told_once() -> None:
    text = AdCopy("Save $5", "Really: $5 on #Deals and #deals")
    assert [each.text for each in entities_of(text)] == ["$5", "#Deals"]


@at_the_bound("MAX_ENTITIES", as_if=3)
def test_so_many_are_told(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ENTITIES", 3)
    found = entities_of(AdCopy(" ".join(f"${number}" for number in range(1, size + 1))))
    assert (len(found) == size) == fits


@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.text(max_size=12), max_size=5))
def test_any_text_has_entities_that_stand_in_it(headline: str, description: str, names: list[str]) -> None:
    text = AdCopy.of({"headline": headline, "description": description})
    for each in entities_of(text, names):
        assert each.text in text.headline or each.text in text.description
        assert each.kind in EntityKind
        assert each.value is None or each.value.is_finite()
