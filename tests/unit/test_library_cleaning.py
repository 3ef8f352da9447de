"""`adweir.quality.clean_rows`: what it may not guess, and rows that do not decide about others."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

import adweir
from adweir.quality.canonical import canonical_schema

ROW = {
    "platform": "meta_ads", "account_id": "1", "currency": "USD", "campaign_id": "c", "date": date(2026, 11, 1),
    "impressions": 100, "clicks": 4, "spend": Decimal(1), "conversions": Decimal(1), "revenue": None,
}  # fmt: skip


@pytest.mark.parametrize("told", [["0.5", "1,5"], ["1,5", "0.5"], ["12.50", "0,5 %"]])
def test_of_rows_that_write_numbers_in_two_ways_none_is_guessed_in_whatever_order_they_come(told: list[str]) -> None:
    """Given rows of two exports, then `1,234` is not a thousand or one and a bit by which row came first."""
    rules = {"ctr": {"type": "number"}, "spend": {"type": "number"}}
    rows = [*({"ctr": text} for text in told), {"spend": "1,234"}, {"spend": "7"}, {"spend": "1e2"}]

    found = adweir.quality.clean_rows(rows, rules)

    assert found.rows == [*rows[:3], {"spend": Decimal(7)}, {"spend": Decimal(100)}]


@pytest.mark.parametrize("text", ["1,234", "1.234", "€ 1.000"])
def test_a_number_that_may_be_a_thousand_stays_text_where_no_other_says_the_decimal_mark(text: str) -> None:
    rows = [{"spend": text}]
    assert adweir.quality.clean_rows(rows).rows == rows


@pytest.mark.parametrize(
    ("row", "after"),
    [
        ({"spend": "$7", "currency": "EUR"}, "$7"),
        ({"spend": "kr 7", "currency": "USD"}, "kr 7"),
        ({"spend": "R 7", "currency": "EUR"}, "R 7"),
        ({"spend": "$7", "currency": "cad"}, Decimal(7)),
        ({"spend": "kr. 7", "currency": "DKK"}, Decimal(7)),
        ({"spend": "¥7", "currency": "CNY"}, Decimal(7)),
        ({"spend": "7 EUR"}, Decimal(7)),
        ({"spend": "5%"}, "5%"),
        ({"clicks": "500%"}, "500%"),
    ],
)
def test_what_stands_beside_a_number_has_to_fit_its_row(row: dict[str, Any], after: Any) -> None:
    found = adweir.quality.clean_rows([row]).rows[0]
    assert found[next(iter(row))] == after


def test_numbers_of_several_currencies_stay_text_where_no_column_says_which() -> None:
    rows = [{"spend": "5 EUR"}, {"spend": "$7"}, {"spend": "9"}]

    assert adweir.quality.clean_rows(rows).rows == [*rows[:2], {"spend": Decimal(9)}]


def test_rows_of_one_platform_by_two_names_are_one_row() -> None:
    """Given the same row under two names of a platform, then its spend is not counted twice."""
    found = adweir.quality.clean_rows([ROW, ROW | {"platform": "facebook"}, ROW | {"platform": "meta", "clicks": 5}])

    assert (found.rows, found.counts) == ([ROW], [{"rule": "duplicate", "field": "", "count": 1}])
    assert [(each["row"], each["rule"]) for each in found.set_aside] == [(2, "conflict")]
    again = adweir.quality.check_quality([ROW, ROW | {"platform": "facebook"}])
    assert again["scores"]["uniqueness"] == 0.5


def test_a_row_that_is_set_aside_does_not_say_the_currency_of_the_others() -> None:
    wrong = ROW | {"currency": "USD", "start_date": "2026-11-02", "end_date": "2026-11-01"}
    right = [ROW | {"campaign_id": name, "currency": "EUR"} for name in "ab"]
    rules = {**canonical_schema([*ROW, "start_date", "end_date"]), "rules": ["currency", "end_before_start"]}

    found = adweir.quality.clean_rows([wrong, *right], rules)

    assert (found.rows, [each["rule"] for each in found.set_aside]) == (right, ["end_before_start"])
