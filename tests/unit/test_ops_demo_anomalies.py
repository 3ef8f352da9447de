"""What the demonstration says of anomalies: planted ones found, found twice, explained, or invented."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ops.demo.anomalies import NONE, HeldAnomalies, held

SPAN = (date(2026, 10, 10), date(2026, 10, 24))
ABOUT = {"platform": "meta_ads", "profile_id": "1"}
PLANTED: dict[str, Any] = {
    "anomalies": [
        ABOUT | {"metric": "clicks", "first": "2026-10-12", "last": "2026-10-13", "per_mille": 500, "campaign_id": ""},
        ABOUT | {"metric": "spend", "first": "2026-10-30", "last": "2026-10-30", "per_mille": 0, "campaign_id": ""},
    ],
    "level_shifts": [ABOUT | {"metric": "spend", "day": "2026-09-01", "before_per_mille": 700}],
    "budget_changes": [
        ABOUT | {"channel": "social", "day": "2026-10-16", "before": 800, "per_mille": 1600},
        ABOUT | {"channel": "social", "day": "2026-10-23", "before": 1600, "per_mille": 1500},
    ],
    "flights": [ABOUT | {"campaign_id": "c1", "ad_id": "a1", "day": "2026-10-20", "change": "begins"}],
}


def incident(day: str, *metrics: str, state: str = "open", of: str = "1") -> dict[str, Any]:
    shown = [{"metric": each} for each in metrics]
    days = {"first_day": day, "last_day": day, "days": [day]}
    return ABOUT | days | {"metrics": shown, "parts": [], "entity_id": of, "state": state, "says": "x"}


def looked(*incidents: dict[str, Any]) -> HeldAnomalies:
    return held(PLANTED, incidents, SPAN)


def test_a_planted_anomaly_is_found_by_what_follows_from_it_on_one_of_its_days() -> None:
    found = looked(incident("2026-10-13", "cpc"))
    assert (found.planted, found.found, found.right) == (1, 1, True)
    assert found.text.startswith("Anomalies: 1 of 1 planted ones found")


@pytest.mark.parametrize(
    "shown",
    [
        [],
        [incident("2026-10-14", "cpc")],
        [incident("2026-10-12", "cpm")],
        [incident("2026-10-12", "cpc", state="withdrawn")],
    ],
)
def test_another_day_or_metric_or_a_withdrawn_one_does_not_find_it(shown: list[dict[str, Any]]) -> None:
    found = looked(*shown)
    assert (found.found, found.right) == (0, False)
    assert found.missed == ("meta_ads 1 clicks 2026-10-12 2026-10-13 500",)


def test_two_incidents_of_one_cause_are_one_too_many() -> None:
    found = looked(incident("2026-10-12", "cpc"), incident("2026-10-13", "ctr"))
    assert (found.found, len(found.doubled), found.right) == (1, 1, False)


@pytest.mark.parametrize(
    ("day", "metric", "is_explained"),
    [
        ("2026-09-05", "cpc", True),
        ("2026-10-18", "spend", True),
        ("2026-10-19", "spend", False),
        ("2026-10-16", "ctr", False),
        ("2026-10-23", "spend", False),
    ],
)
def test_shifts_and_budgets_explain_what_begins_with_them(day: str, metric: str, *, is_explained: bool) -> None:
    found = looked(incident("2026-10-12", "cpc"), incident(day, metric))
    assert (found.explained, len(found.invented)) == ((1, 0) if is_explained else (0, 1))
    assert found.right is is_explained


@pytest.mark.parametrize(
    ("entity_id", "day", "is_explained"),
    [
        ("c1", "2026-10-20", True),
        ("a1", "2026-10-22", True),
        ("c1", "2026-10-19", False),
        ("c1", "2026-10-23", False),
        ("c2", "2026-10-20", False),
        ("1", "2026-10-20", False),
    ],
)
def test_an_ad_that_begins_explains_what_is_found_in_its_campaign(
    entity_id: str, day: str, *, is_explained: bool
) -> None:
    found = looked(incident("2026-10-12", "cpc"), incident(day, "revenue", of=entity_id))
    assert (found.explained, len(found.invented)) == ((1, 0) if is_explained else (0, 1))


def test_ad_accounts_add_up() -> None:
    one = looked(incident("2026-10-12", "cpc"))
    assert NONE + one + one == HeldAnomalies(planted=2, found=2)
