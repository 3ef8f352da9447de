"""The five data_pipeline calls through the API function, with the bodies of the reference as they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.api import Call

TODAY = "2026-11-20"
CAMPAIGN = {"campaign_id": "c1", "impressions": 1000, "clicks": 50, "spend": 25.5, "conversions": 5}
NUMBERS = {"impressions": 10, "clicks": 1, "spend": 0.1}
RECORDS: dict[str, dict[str, Any]] = {
    "account_performance": NUMBERS,
    "campaign_performance": CAMPAIGN,
    "ad_group_performance": {"campaign_id": "c1", "ad_group_id": "g1"} | NUMBERS,
    "ad_performance": {"campaign_id": "c1", "ad_group_id": "g1", "ad_id": 7} | NUMBERS,
    "keyword_performance": {"ad_group_id": "g1", "keyword_id": "k1"} | NUMBERS,
    "ads": {"ad_group_id": "g1", "ad_id": "a1", "name": "An ad", "status": "active"},
    "campaigns": {"id": "c9", "name": "Spring", "status": "paused"},
    "keywords": {"ad_group_id": "g1", "id": "k1", "text": "shoes"},
    "orders": {"order_id": "1001", "revenue": 12.34},
    "deals": {"deal_id": "d1", "revenue": 1200.5, "won": True},
    "leads": {"lead_id": "l1", "conversions": 2},
    "web_analytics": {"sessions": 12, "pageviews": 30},
    "kpi_series": {"name": "New customers", "value": -1.5},
    "controls": {"name": "Temperature", "value": 21.123456},
    "population": {"geo": "DE", "population": 83_000_000},
    "lift_tests": {"test_id": "t", "start_date": "2026-10-01", "end_date": "2026-10-31", "incremental_revenue": 1.5},
    "rates": {"base": "EUR", "quote": "USD", "rate": 1.08345678901},
    "benchmarks": {"industry": "retail", "metric": "ctr", "value": 0.0123},
    "invoices": {"month": "2026-11", "kind": "spend", "amount": 100.25, "tax": 19},
}
RECORDS |= {f"{name}_hourly": record | {"hour": 3} for name, record in [*RECORDS.items()][:5]}
SHOWN_AS = {"id": "campaign_id", "ad_id": "ad_id"}


def body(data_type: str, *records: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data_type": data_type, "data": {"records": [*records]}} | more


def retrieved(pipeline: Call, data_type: str, **filters: Any) -> list[dict[str, Any]]:
    asked = {"data_type": data_type, "filters": filters, "limit": 1000, "offset": 0}
    found: list[dict[str, Any]] = pipeline("retrieve", asked)["records"]
    return found


def test_ingest_lands_an_object_and_answers_its_task(
    call: Call, pipeline: Call, load: Callable[[], int], account_id: str
) -> None:
    """Given the body of the reference, then the receipt of its object carries the task's id."""
    asked = {"source": "meta_ads", "data_type": "campaign_performance", "data": {"records": [CAMPAIGN, CAMPAIGN]}}
    answered = call("POST", "/api/v1/data_pipeline/ingest", asked)
    assert {key: answered[key] for key in ("success", "data_type", "source")} == {
        "success": True,
        "data_type": "campaign_performance",
        "source": "meta_ads",
    }
    result = answered["result"]
    assert (result["status"], result["records_count"]) == ("success", 2)
    assert result["object_key"].startswith(f"drops/{account_id}/meta_ads/campaign_performance/")
    assert retrieved(pipeline, "campaign_performance") == []
    assert load() == 1
    (receipt,) = call("GET", "/api/v1/receipts")["receipts"]
    assert (receipt["task_id"], receipt["key"]) == (result["task_id"], result["object_key"])
    assert (receipt["state"], receipt["rows_stored"], receipt["duplicates"]) == ("loaded", 1, 1)
    (row,) = retrieved(pipeline, "campaign_performance", platform="facebook", campaign_id="c1")
    assert (row["platform"], row["profile_id"], row["spend"]) == ("meta_ads", "direct", 25.5)


def test_rows_that_cannot_be_loaded_are_in_quarantine_after_ingest(
    call: Call, pipeline: Call, load: Callable[[], int]
) -> None:
    result = pipeline("ingest", body("campaign_performance", CAMPAIGN, CAMPAIGN | {"clicks": -1}))
    load()
    (receipt,) = call("GET", "/api/v1/receipts")["receipts"]
    assert (receipt["task_id"], receipt["rows_quarantined"]) == (result["task_id"], 1)
    assert receipt["first_quarantined"][0]["field"] == "clicks"


@pytest.mark.parametrize("named", [False, True])
def test_what_store_accepted_retrieve_returns_for_every_data_type(
    pipeline: Call, account_id: str, *, named: bool
) -> None:
    """Given records with nothing but what nobody can guess, from nowhere, or from an ad platform or a CRM."""
