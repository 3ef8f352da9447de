"""The API through its handler: stored records, reports, validation, health."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from adweir.model.times import iso
from adweir.quality.checking import DIMENSIONS
from support.api import Call, an_event, fill


def test_retrieve_answers_the_contract(call: Call, api: ModuleType) -> None:
    fill(api)
    answer = call(
        "POST",
        "/api/v1/data_pipeline/retrieve",
        {
            "data_type": "campaign_performance",
            "filters": {"campaign_id": "c1", "date_range": {"start": "2026-11-01", "end": "2026-11-02"}},
            "limit": 3,
            "offset": 1,
        },
        scopes="read",
    )

    assert (answer["success"], answer["data_type"]) == (True, "campaign_performance")
    result = answer["result"]
    assert (result["status"], result["records_count"], result["total"]) == ("success", 3, 4)
    first = result["records"][0]
    assert (first["profile_id"], first["date"], first["currency"]) == ("111", "2026-11-02", "EUR")
    assert (first["impressions"], first["clicks"], first["spend"], first["roas"]) == (2000, 30, 2.469134, 2.430002)


def test_money_is_written_exactly(api: ModuleType) -> None:
    fill(api)
    body = {"data_type": "ad_performance", "filters": {"profile_id": "111", "date_range": {"start": "2026-11-01"}}}
    answer = api.handler(an_event("POST", "/api/v1/data_pipeline/retrieve", body), SimpleNamespace())
    assert '"spend":1.234567,' in answer["body"]


def test_numbers_that_come_in_are_never_floats(api: ModuleType) -> None:
    """A float would have 17 digits at most."""
    body = """{"data_type": "ads", "data": {"records": [{"spend": 1.234567890123456789012}]},
               "schema": {"spend": {"type": "string"}}}"""

    answer = api.handler(an_event("POST", "/api/v1/data_pipeline/validate", body), SimpleNamespace())

    assert '"value":"1.234567890123456789012"' in answer["body"]


def test_account_days_have_14_fields_and_ads_24(call: Call, api: ModuleType) -> None:
    fill(api)
    filters = {"profile_id": "111", "date_range": {"start": "2026-11-01", "end": "2026-11-02"}}

    def records(data_type: str) -> list[dict[str, Any]]:
        found = call("POST", "/api/v1/data_pipeline/retrieve", {"data_type": data_type, "filters": filters})
        return list(found["result"]["records"])

    day = records("account_performance")[0]
    ad = records("ads")[0]
    assert (day["account_id"], day["daily_impressions"], day["campaign_count"], day["ad_count"]) == ("111", 2000, 1, 2)
    assert {"account_name", "currency", "timezone", "date", "daily_spend", "daily_clicks", "daily_roas"} <= set(day)
    assert (ad["ad_id"], ad["headline"], ad["impressions"], ad["spend"]) == ("a1", "Hello", 2000, 2.469134)
    assert ad["end_date"] is None
    assert [r["id"] for r in records("campaigns")] == ["c1"]
    assert len(records("profiles")) == 1
    assert records("campaign_performance_hourly") == []


def test_a_report_sums_and_never_adds_currencies(call: Call, api: ModuleType) -> None:
    fill(api)
    body = {
        "name": "r",
        "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-30"},
        "metrics": [{"name": "spend"}, {"name": "ctr"}],
        "dimensions": [{"name": "month"}],
    }
    answer = call("POST", "/api/v1/reports", body, scopes="read")
    assert answer["data"] == [
        {"month": "2026-11", "currency": "EUR", "spend": 4.938268, "ctr": 0.015},
        {"month": "2026-11", "currency": "USD", "spend": 4.938268, "ctr": 0.015},
    ]
    assert answer["totals"] == [{"currency": c, "spend": 4.938268, "ctr": 0.015} for c in ("EUR", "USD")]

    counts = call("POST", "/api/v1/reports", body | {"metrics": [{"name": "impressions"}]})
    assert counts["data"] == [{"month": "2026-11", "impressions": 8000}]
    text = call(
        "POST", "/api/v1/reports", body | {"format": "csv", "segments": [{"name": "currency", "values": ["USD"]}]}
    )
    assert text == "month,currency,spend,ctr\r\n2026-11,USD,4.938268,0.015000\r\n"


def test_a_csv_that_is_too_large_for_an_answer_is_still_a_csv(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:

    fill(api)
    monkeypatch.setattr("adweir.model.limits.MAX_INLINE_REPORT_BYTES", 10)
    body = {
        "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-30"},
        "metrics": [{"name": "spend"}],
        "format": "csv",
    }
    answer = api.handler(an_event("POST", "/api/v1/reports", body), SimpleNamespace())
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    key = urlsplit(headers["location"]).path.partition("exports/")
    assert (answer["statusCode"], headers["content-type"]) == (303, "text/csv; charset=utf-8")
    assert key[2].startswith("2026/11/20/")
    assert api.app.raw.get_bytes("exports/" + key[2]).startswith(b"currency,spend")

    answer = api.handler(an_event("POST", "/api/v1/reports", body | {"format": "json"}), SimpleNamespace())
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (303, "application/json")
    refused = call("POST", "/api/v1/reports", body | {"format": "html"}, expect=413)
    assert "format json or csv" in refused["error"]["message"]


def test_profiles_are_listed_by_either_kind_of_account_id(call: Call, api: ModuleType) -> None:
    fill(api, "acc_1")

    def listed(**query: str) -> list[str]:
        return [profile["profile_id"] for profile in call("GET", "/api/v1/profiles", **query)["profiles"]]

    assert listed(account_id="acc_1") == ["111", "222"]
    assert listed(account_id="222") == ["222"]
    assert listed(account_id="222", platform="facebook") == ["222"]
    assert listed(account_id="222", platform="amazon") == []
    assert listed(account_id="acc_2") == []


def test_records_are_validated_with_both_kinds_of_rules(call: Call) -> None:
    body = {
        "data_type": "ad_performance",
        "data": {"records": [{"ad_id": "1", "clicks": 2}, {"clicks": "many"}]},
        "validation_rules": {"required_fields": ["ad_id"], "numeric_fields": ["clicks"]},
    }
    result = call("POST", "/api/v1/data_pipeline/validate", body)["result"]
    assert (result["validation_passed"], result["issues_found"], result["status"]) == (False, 2, "success")
    assert result["scores"] | {"validity": None} == dict.fromkeys(DIMENSIONS) | {"completeness": 0.5}


def test_records_are_checked_by_rules_about_several_fields(call: Call) -> None:
    """The clock of the API is at noon of the 20th, when the 21st has begun in the Pacific."""
    records = [{"clicks": 3, "impressions": 2, "date": f"2026-11-{day}"} for day in ("21", "22")]
    rules = ["future_day", {"rule": "clicks_over_impressions", "mostly": 0.5}]
    body = {"data_type": "ads", "data": {"records": records}, "schema": {"rules": rules}}

    result = call("POST", "/api/v1/data_pipeline/validate", body)["result"]

    assert [(issue["row"], issue["rule"]) for issue in result["issues"]] == [
        (1, "future_day"),
        (0, "clicks_over_impressions"),
        (1, "clicks_over_impressions"),
    ]
    assert result["issues_found"] == 1


def test_health_metrics_quality_profiles_and_workflows_are_answered(call: Call, api: ModuleType) -> None:
    health = call("GET", "/api/v1/pipeline/health")
    assert '"landing"' in json.dumps(health["parts"]["queues"])
    assert {"dead-runs", "dead-landing", "dead-delivery"} == set(health["parts"]["dead_letters"]["items"])
    assert call("GET", "/api/v1/pipeline/metrics") == {"runs": [], "stages": []}
    assert call("GET", "/api/v1/quality", platform="meta", profile_id="111")["reports"] == []
    fill(api)
    assert [p["profile_id"] for p in call("GET", "/api/v1/profiles")["profiles"]] == ["111", "222"]
    assert call("GET", "/api/v1/profiles", account_id="nobody")["profiles"] == []
    assert {flow["name"] for flow in call("GET", "/api/v1/workflows")["workflows"]} >= {"daily", "hourly", "sync"}


def test_an_answer_as_of_a_moment_before_anything_was_stored_is_empty_and_what_came_since_is_listed(
    call: Call, api: ModuleType
) -> None:
    # given
    before = api.app.clock.now()
    api.app.clock.advance(60)
    fill(api)
    api.app.clock.advance(60)
    filters = {"profile_id": "111", "date_range": {"start": "2026-11-01", "end": "2026-11-02"}}
    asked = {"data_type": "ad_performance", "filters": filters}
    # then
    past = call("POST", "/api/v1/data_pipeline/retrieve", asked | {"as_known_at": before.isoformat()})["result"]
    assert (past["total"], past["as_known_at"]) == (0, iso(before))
    assert {day["pulled_at"] for day in past["coverage"]} == {None}
    since = call("POST", "/api/v1/data_pipeline/retrieve", asked | {"changed_since": before.isoformat()})["result"]
    assert since["changes_total"] == since["total"] > 0
    assert {change["old"] for change in since["changes"]} == {None}
    report = {
        "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-02"},
        "metrics": [{"name": "spend"}],
        "as_known_at": before.isoformat(),
        "changed_since": before.isoformat(),
    }
    made = call("POST", "/api/v1/reports", report)
    assert (made["data"], made["changes"], made["names_as_of"]) == ([], [], iso(api.app.clock.now()))
    # and says when it was made, so that it can be repeated
    assert made["made_at"] == iso(api.app.clock.now())
    plain = {name: value for name, value in report.items() if name in {"time_range", "metrics"}}
    assert call("POST", "/api/v1/reports", plain)["made_at"] == iso(api.app.clock.now())


def test_a_moment_without_an_offset_is_refused_by_name(call: Call) -> None:
    asked = {"data_type": "ad_performance", "as_known_at": "2026-11-01T06:00:00"}
    refused = call("POST", "/api/v1/data_pipeline/retrieve", asked, expect=422)
    assert [fault["field"] for fault in refused["error"]["details"]] == ["as_known_at"]
