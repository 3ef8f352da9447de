"""Features of stored datasets: which table is meant, and what each period has of the channel that is asked for."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from adweir.insight.mmm.featured import FeaturesAsked, featured
from adweir.model.errors import NotFound, Unprocessable
from support.curated_world import FakeBucket

ROWS = (
    "time,amazon_spend_lag_1,amazon_hill,amazon_sp_hill,revenue_lag_1,weekday_sin_1\n"
    "2026-11-01,,0.1,0.2,,0.5\n"
    "2026-11-02,12.5,0.25,0.3,7,-0.0000001\n"
)
FACTS = {
    "channels": {"amazon": {"share_of_spend": 0.75}, "amazon_sp": {"share_of_spend": 0.25}},
    "kpi": {"trend": None},
}


def entry(key: str) -> dict[str, Any]:
    features = {**FACTS, "definitions": {"lags": [1]}, "files": {"csv": {"key": key}}}
    return {
        "channels": ["amazon", "amazon_sp"],
        "target": "revenue",
        "first": "2026-11-01",
        "last": "2026-11-02",
        "features": features,
    }


def bucket(*datasets: tuple[str, str, int | None]) -> FakeBucket:
    """Datasets of (currency, campaign, lookback_days), each with a daily table; a gate stopped the weekly one."""
    found = FakeBucket()
    stopped = {
        "findings": [{"severity": "error", "message": "not pulled: 2026-11-01"}, {"severity": "warn", "message": "x"}]
    }
    for currency, campaign, days in datasets:
        root = f"mmm/acme/{currency}/{campaign}{days or ''}"
        tables = {"daily": entry(f"{root}/features.csv"), "weekly": stopped}
        about = {"currency": currency, "campaign_id": campaign or None, "lookback_days": days, "tables": tables}
        found.put(f"{root}/mmm_manifest.json", json.dumps(about).encode())
        found.put(f"{root}/features.csv", ROWS.encode())
    return found


def test_facts_are_of_all_channels_and_periods_of_the_one_that_is_asked_for() -> None:
    """Given a channel whose name another's begins with, then it has no column of that one."""
    objects = bucket(("USD", "", None))

    found = featured(objects, "acme", "", FeaturesAsked(channel="amazon"))

    assert [(each["channel"], each["share_of_spend"]) for each in found["channels"]] == [
        ("amazon", Decimal("0.75")),
        ("amazon_sp", Decimal("0.25")),
    ]
    assert found["kpi"] == {"name": "revenue", "trend": None}
    assert found["periods"] == [
        {
            "time": "2026-11-01",
            "channel": {"spend_lag_1": None, "hill": Decimal("0.1")},
            "kpi": {"lag_1": None},
            "calendar": {"weekday_sin_1": Decimal("0.5")},
        },
        {
            "time": "2026-11-02",
            "channel": {"spend_lag_1": Decimal("12.5"), "hill": Decimal("0.25")},
            "kpi": {"lag_1": Decimal(7)},
            "calendar": {"weekday_sin_1": Decimal("-0.0000001")},
        },
    ]
    assert featured(objects, "acme", "", FeaturesAsked())["periods"] == []


def test_datasets_of_a_campaign_and_of_the_last_days_are_told_apart() -> None:
    objects = bucket(("USD", "", None), ("EUR", "", 90), ("GBP", "cmp_1", None), ("CHF", "cmp_1", 90))

    def currency(campaign: str, table: str) -> str:
        return str(featured(objects, "acme", campaign, FeaturesAsked(table=table))["currency"])

    assert [currency("", "daily"), currency("", "days=90/daily")] == ["USD", "EUR"]
    assert [currency("cmp_1", "daily"), currency("cmp_1", "days=90/daily")] == ["GBP", "CHF"]


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        (FeaturesAsked(), Unprocessable, "currency: datasets of several: give one of EUR, USD, as in currency=EUR"),
        (FeaturesAsked("USD", "geo_daily"), Unprocessable, "table: national tables have features"),
        (FeaturesAsked("USD", channel="tv"), Unprocessable, "'tv' is none of the table's channels: amazon, amazon_sp"),
        (FeaturesAsked("USD", "weekly"), NotFound, "weekly in USD is not stored: not pulled: 2026-11-01$"),
        (FeaturesAsked("USD", "days=30/daily"), NotFound, "acme has no such dataset: POST .../etl makes it"),
        (FeaturesAsked("GBP"), NotFound, "no such dataset"),
    ],
)
def test_what_there_is_not_is_said_with_what_there_is(asked: FeaturesAsked, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        featured(bucket(("USD", "", None), ("EUR", "", None)), "acme", "", asked)
