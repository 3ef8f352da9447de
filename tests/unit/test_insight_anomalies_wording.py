"""What an incident says has units, separators, and no more digits than somebody reads."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.insight.anomalies.incidents import Incident
from adweir.insight.anomalies.wording import expected_text, number_text, says

ABOUT: dict[str, Any] = {"account_id": "acc_1", "platform": "meta_ads", "profile_id": "1"}
WHEN: dict[str, Any] = {"first_day": "2026-10-15", "last_day": "2026-10-15", "days": ["2026-10-15"], "detected_at": "x"}


def _fact(metric: str, value: str, expected: str | None, z: str = "-6.5") -> dict[str, Any]:
    return {"metric": metric, "date": "2026-10-15", "value": value, "expected": expected, "z": z, "severity": "info"}


def _said(*facts: dict[str, Any], currency: str = "EUR", parts_total: int = 0) -> str:
    return says(
        Incident(
            "ano_1",
            level="account",
            entity_id="1",
            currency=currency,
            metrics=list(facts),
            parts_total=parts_total,
            **ABOUT,
            **WHEN,
        )
    )


@pytest.mark.parametrize(
    ("metric", "value", "currency", "said"),
    [
        ("spend", "1526.09", "USD", "1,526.09 USD"),
        ("spend", "12.5", "EUR", "12.50 EUR"),
        ("revenue", "1484855", "JPY", "1,484,855 JPY"),
        ("cpm", "2.049647", "USD", "2.05 USD"),
        ("cpc", "0.034512", "USD", "0.0345 USD"),
        ("ctr", "0.003476", "USD", "0.348 %"),
        ("impressions", "1616932", "USD", "1,616,932"),
        ("conversions", "30.00", "USD", "30"),
        ("clicks", "0", "USD", "0"),
    ],
)
def test_a_number_has_its_unit(metric: str, value: str, currency: str, said: str) -> None:
    assert number_text(metric, value, currency) == said


@pytest.mark.parametrize(
    ("metric", "expected", "said"),
    [
        ("impressions", "384374.40716", "about 384,400"),
        ("spend", "3323.392219", "about 3,323 EUR"),
        ("cvr", "0.04006", "about 4.01 %"),
        ("clicks", None, "nothing"),
    ],
)
def test_what_was_expected_is_rounded_and_has_no_exponent(metric: str, expected: str | None, said: str) -> None:
    assert expected_text(metric, expected, "EUR") == said


def test_metrics_that_went_the_same_way_are_named_in_words() -> None:
    said = _said(_fact("spend", "12.5", "100"), _fact("clicks", "1", "9", "-4"), _fact("cpm", "1", "9", "-4"))
    assert said == (
        "Spend of the ad account 1 fell to 12.50 EUR on 2026-10-15; about 100 EUR was expected. "
        "So did clicks and cost per thousand impressions."
    )


def test_metrics_that_went_other_ways_changed_too_and_parts_are_counted() -> None:
    said = _said(_fact("ctr", "0.05", "0.01", "9"), _fact("cvr", "0.01", "0.02", "-4"), parts_total=38)
    assert said == (
        "The click-through rate of the ad account 1 rose to 5 % on 2026-10-15; about 1 % was expected. "
        "The conversion rate changed, too. 38 of its parts show it."
    )
