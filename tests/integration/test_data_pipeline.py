"""The five data_pipeline calls through the API function, with the bodies of the reference as they stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model.data_types import DATA_TYPES
from adweir.model.entities import AdGroup
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.store import PullRows
from support.api import META, T1, Call, an_event, fill, stored

TODAY = "2026-11-20"
CAMPAIGN = {"campaign_id": "c1", "impressions": 1000, "clicks": 50, "spend": 25.5, "conversions": 5}
COUNTS = {"impressions": 10, "clicks": 1}
NUMBERS = COUNTS | {"spend": 0.1}
RECORDS: dict[str, dict[str, Any]] = {
    "account_performance": NUMBERS,
    "campaign_performance": CAMPAIGN,
    "ad_group_performance": {"campaign_id": "c1", "ad_group_id": "g1"} | NUMBERS,
    "ad_performance": {"campaign_id": "c1", "ad_group_id": "g1", "ad_id": 7} | NUMBERS,
    "keyword_performance": {"ad_group_id": "g1", "keyword_id": "k1"} | NUMBERS,
    "ads": {"ad_group_id": "g1", "ad_id": "a1", "name": "An ad", "status": "active"},
    "campaigns": {"id": "c9", "name": "Spring", "status": "paused"},
    "keywords": {"ad_group_id": "g1", "id": "k1", "text": "shoes"},
    "metrics": {"campaign_id": "c7", "timestamp": "2026-11-20T03:00:00+00:00", "cost": 2.5} | COUNTS,
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
ONE_OF_A_KIND = ("campaign_performance", "metrics", "orders", "web_analytics", "kpi_series", "rates", "ads", "invoices")
"""A data type of each way of storing."""


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
    assert {*RECORDS} == {*DATA_TYPES}
    for name, record in ((each, RECORDS[each]) for each in (RECORDS if named else ONE_OF_A_KIND)):
        source = "google" if "profile_id" in DATA_TYPES[name].names else "hubspot"
        more = {"source": source} if named else {}
        result = pipeline("store", body(name, record, storage_options={"table_name": name, "upsert": True}, **more))
        assert (result["status"], result["records_count"], result["not_stored"]) == ("success", 1, [])
        assert result["assumed"].get("source") == (None if named else "internal")
        assert result["assumed"]["account_id"] == account_id
        expected_day = {"date": TODAY} if "date" in DATA_TYPES[name].required and "timestamp" not in record else {}
        assert {key: value for key, value in result["assumed"].items() if key == "date"} == expected_day
        days: dict[str, Any] = {"date_range": {"start": "2026-10-01", "end": TODAY}}
        days |= {field: record[field] for field in record if field == "campaign_id"}
        rows = retrieved(pipeline, name, **days)
        (found,) = [
            each for each in rows if not each.get("unattributed") and each.get("level", "campaign") == "campaign"
        ]
        assert found["client_account_id"] == account_id
        assert found["account_id"] == "direct"
        for field, value in record.items():
            shown = found.get(field, found.get(f"daily_{field}", value if field.endswith("_id") else None))
            if field not in {"won", "hour", "order_id", "deal_id", "lead_id", "ad_id", "keyword_id"}:
                assert shown == value, (name, field)


def test_a_row_that_is_there_is_a_conflict_without_upsert_and_nothing_is_written(
    api: ModuleType, pipeline: Call
) -> None:
    for name in ONE_OF_A_KIND:
        record = RECORDS[name]
        pipeline("store", body(name, record))
        other = record | {"geo": "FR", "date": "2026-11-19"} if "date" in DATA_TYPES[name].names else record
        before = stored(api)
        refused = pipeline("store", body(name, record, other, storage_options={"upsert": False}), expect=409)
        assert refused["code"] == "conflict", name
        assert refused["details"][0]["key"], name
        audited = (0, 0, 1, 0, 0, 0, 0)  # the lease; no deed is in the audit, for nothing was done
        assert [b - a for a, b in zip(before, stored(api), strict=True)] in ([0] * 7, [*audited]), name
    pipeline("store", body("orders", {"order_id": "1002"}, storage_options={"upsert": False}))
    pipeline(
        "store", body("campaign_performance", CAMPAIGN | {"date": "2026-11-18"}, storage_options={"upsert": False})
    )


def test_the_newest_of_two_calls_counts_also_where_it_says_what_an_older_one_said(pipeline: Call) -> None:
    for spend in (1, 2, 1):
        pipeline("store", body("campaign_performance", CAMPAIGN | {"spend": spend}))
        (row,) = retrieved(pipeline, "campaign_performance")
        assert row["spend"] == spend
    for revenue in (10, 4, 10):
        pipeline("store", body("orders", {"order_id": "1", "revenue": revenue}))
        (row,) = retrieved(pipeline, "orders")
        assert (row["conversions"], row["revenue"]) == (1, revenue)


def test_money_is_exact_to_the_last_digit(api: ModuleType, pipeline: Call) -> None:
    """Given amounts that no float can tell apart, then the digits of the answer are those of the request."""
    amounts = ["0.1", "0.2", "999999999.123456", "123456789.000001", "0.000001"]
    rows = ",".join(f'{{"campaign_id": "c{n}", "clicks": 0, "spend": {text}}}' for n, text in enumerate(amounts))
    sent = f'{{"data_type": "campaign_performance", "data": {{"records": [{rows}]}}}}'
    answer = api.handler(an_event("POST", "/api/v1/data_pipeline/store", sent), SimpleNamespace())
    assert answer["statusCode"] == 200, answer["body"]
    asked = an_event("POST", "/api/v1/data_pipeline/retrieve", {"data_type": "campaign_performance"})
    found = json.loads(api.handler(asked, SimpleNamespace())["body"], parse_float=Decimal)["result"]["records"]
    assert [str(each["spend"]) for each in found] == amounts
    totals = {"name": "r", "time_range": {"start_date": TODAY, "end_date": TODAY}, "metrics": [{"name": "spend"}]}
    report = an_event("POST", "/api/v1/reports", totals | {"dimensions": []})
    (total,) = json.loads(api.handler(report, SimpleNamespace())["body"], parse_float=Decimal)["totals"]
    assert total["spend"] == sum(map(Decimal, amounts))


def test_records_of_a_level_sum_to_the_account_s(pipeline: Call) -> None:
    pipeline("store", body("account_performance", {"impressions": 2000, "clicks": 60, "spend": 30}))
    pipeline("store", body("campaign_performance", CAMPAIGN))
    attributed, rest = retrieved(pipeline, "campaign_performance")
    assert attributed["campaign_id"] == "c1"
    assert (rest["campaign_id"], rest["unattributed"], rest["spend"], rest["clicks"]) == (None, True, 4.5, 10)


def test_what_was_stored_has_a_past(api: ModuleType, pipeline: Call) -> None:
    pipeline("store", body("campaign_performance", CAMPAIGN))
    api.app.clock.advance(60)
    between = api.app.clock.now().isoformat()
    pipeline("store", body("campaign_performance", CAMPAIGN | {"spend": 30}))
    asked = {"data_type": "campaign_performance", "include_live": True}
    api.app.clock.advance(1)
    assert pipeline("retrieve", asked)["records"][0]["spend"] == 30
    assert pipeline("retrieve", asked | {"as_known_at": between})["records"][0]["spend"] == 25.5
    (change,) = pipeline("retrieve", asked | {"changed_since": between})["changes"]
    assert (change["old"]["spend"], change["new"]["spend"], change["cause"]) == (25.5, 30, "file")


def test_a_row_of_a_day_that_was_pulled_is_stored_with_a_warning(api: ModuleType, call: Call, pipeline: Call) -> None:
    """Readers take the platform's own number; the call says so, and with which filter its row is read."""
    owner = call("GET", "/api/v1/accounts")["accounts"][0]["account_id"]
    fill(api, owner)
    row = {"profile_id": "111", "ad_group_id": "g1", "ad_id": "a1", "date": "2026-11-02", "spend": 9, "clicks": 1}
    result = pipeline("store", body("ad_performance", row, source="meta"))
    (warning,) = result["warnings"]
    assert "source: file" in warning
    assert result["assumed"]["currency"] == "EUR"
    days = {"date_range": {"start": "2026-11-02", "end": "2026-11-02"}, "ad_id": "a1", "profile_id": "111"}
    assert [each["spend"] for each in retrieved(pipeline, "ad_performance", **days)] == [1.234567]
    assert [each["spend"] for each in retrieved(pipeline, "ad_performance", source="file", **days)] == [9]


def test_a_time_of_day_is_a_local_hour_of_its_ad_account(call: Call, pipeline: Call, account_id: str) -> None:
    call("PATCH", f"/api/v1/accounts/{account_id}", {"timezone": "America/New_York", "currency": "CAD"})
    numbers = {"campaign_id": "c1", "timestamp": "2026-11-20T03:15:00Z", "impressions": 1, "clicks": 1, "cost": 2}
    pipeline("store", body("campaign_performance_hourly", numbers))
    (row,) = retrieved(pipeline, "campaign_performance_hourly")
    assert (row["date"], row["hour"], row["currency"], row["spend"]) == ("2026-11-19", 22, "CAD", 2)
    result = pipeline("store", body("campaign_performance", CAMPAIGN))
    assert (result["assumed"]["date"], result["assumed"]["currency"]) == (TODAY, "CAD")


def test_what_retrieve_answered_can_be_stored(pipeline: Call) -> None:
    """Given records as they are read, then storing them changes nothing, and says what has no column."""
    pipeline("store", body("campaign_performance", CAMPAIGN))
    before = retrieved(pipeline, "campaign_performance")
    result = pipeline("store", body("campaign_performance", *before, source="internal"))
    assert "ctr" in result["not_stored"]
    assert result["slots_changed"] == 0
    assert retrieved(pipeline, "campaign_performance") == before


def test_metrics_are_the_stored_rows_of_every_level_each_with_its_time(
    call: Call, pipeline: Call, account_id: str
) -> None:
    """Given a day and hours of two levels, also of the night when clocks go back, then none is summed."""
    call("PATCH", f"/api/v1/accounts/{account_id}", {"timezone": "Europe/Berlin", "currency": "EUR"})
    pipeline("store", body("campaign_performance", CAMPAIGN | {"date": "2026-10-25"}))
    hour = {"ad_group_id": "g1", "ad_id": "a1", "cost": 1} | COUNTS
    times = ["2026-10-24T22:00:00Z", 1792886400]  # in Unix seconds: the first 02:00 of this night
    pipeline("store", body("metrics", *[hour | {"timestamp": when} for when in times]))
    days = {"date_range": {"start": "2026-10-25", "end": "2026-10-25"}}
    found = retrieved(pipeline, "metrics", **days)
    assert [(each["level"], each["hour"], each["timestamp"], each["cost"]) for each in found] == [
        ("campaign", None, "2026-10-25T00:00:00+02:00", 25.5),
        ("ad", 0, "2026-10-25T00:00:00+02:00", 1),
        ("ad", 2, "2026-10-25T02:00:00+02:00", 1),
    ]
    assert [each["ad_id"] for each in retrieved(pipeline, "metrics", level="ad", ad_group_id="g1", **days)] == [
        "a1"
    ] * 2
    at_night = {"date_range": {"start": "2026-10-25T02:00:00", "end": "2026-10-25T02:59:59"}}
    assert [each["hour"] for each in retrieved(pipeline, "metrics", level=["ad"], **at_night)] == [2]
    asked = {"data_type": "metrics", "filters": {"level": "shop"}}
    assert pipeline("retrieve", asked, expect=422)["details"][0]["field"] == "filters.level"
    asked = {"data_type": "metrics", "changed_since": "2026-11-01T00:00:00Z"}
    assert pipeline("retrieve", asked, expect=422)["details"][0]["field"] == "data_type"


def test_numbers_of_an_arm_are_those_of_the_object_that_is_bound_to_it(
    api: ModuleType, call: Call, pipeline: Call, account_id: str
) -> None:
    """Given an arm of one campaign of an ad account, then its numbers are stored there; of two, they are refused."""
    fill(api, account_id)
    made = call("POST", "/api/v1/campaigns", {"name": "Summer"}, expect=201)
    arms = f"/api/v1/campaigns/{made['campaign_id']}/arms"
    bound = [{"profile_id": profile_id, "campaign_id": "c1"} for profile_id in ("111", "222")]
    one = call("POST", arms, {"platform": "meta", "bindings": bound[:1]}, expect=201)["arm_id"]
    numbers = COUNTS | {"spend": 5, "date": "2026-11-05"}
    result = pipeline("store", body("metrics", {"arm_id": one} | numbers))
    assert result["not_stored"] == []
    pipeline(
        "store", body("campaign_performance", {"campaign_id": made["campaign_id"], "clicks": 7, "date": "2026-11-06"})
    )
    found = retrieved(pipeline, "campaign_performance", profile_id="111", source="file", campaign_id="c1")
    assert [(each["date"], each["clicks"], each["currency"]) for each in found] == [
        ("2026-11-05", 1, "EUR"),
        ("2026-11-06", 7, "EUR"),
    ]
    for ids in ({"arm_id": one}, {"campaign_id": made["campaign_id"]}):
        rows = retrieved(pipeline, "metrics", source="file", **ids)
        assert [(each["campaign_id"], each["date"], each["clicks"]) for each in rows] == [
            ("c1", "2026-11-05", 1),
            ("c1", "2026-11-06", 7),
        ]
    call("POST", arms, {"platform": "meta", "bindings": bound[1:]}, expect=201)
    for name, id_ in (("campaign_id", made["campaign_id"]), ("arm_id", "arm_none"), ("campaign_id", "cmp_none")):
        refused = pipeline("store", body("metrics", {name: id_} | numbers), expect=422)
        assert refused["details"][0]["field"] == f"data.records.0.{name}"


def test_an_id_beside_a_campaign_or_an_arm_is_of_what_is_bound_or_in_it(
    api: ModuleType, call: Call, pipeline: Call, account_id: str
) -> None:
    """Given an arm of a campaign, and one of a whole ad account, then a number of something else is neither's."""
    fill(api, account_id)
    campaign_id = call("POST", "/api/v1/campaigns", {"name": "Summer"}, expect=201)["campaign_id"]
    numbers = COUNTS | {"spend": 5, "date": "2026-11-05"}

    def arm(**binding: str) -> str:
        body = {"platform": "meta", "bindings": [binding]}
        return str(call("POST", f"/api/v1/campaigns/{campaign_id}/arms", body, expect=201)["arm_id"])

    one, whole = arm(profile_id="111", campaign_id="c1"), arm(profile_id="222")
    for ids, field in (
        ({"arm_id": one, "campaign_id": "c2"}, "campaign_id"),
        ({"arm_id": one, "campaign_id": "cmp_other"}, "campaign_id"),
        ({"arm_id": one, "profile_id": "222"}, "profile_id"),
        ({"arm_id": whole, "campaign_id": "cmp_other"}, "campaign_id"),
    ):
        refused = pipeline("store", body("metrics", ids | numbers), expect=422)
        assert refused["details"][0]["field"] == f"data.records.0.{field}"

    same = {"arm_id": one, "campaign_id": campaign_id, "profile_id": "111"}
    pipeline("store", body("metrics", same | numbers, {"arm_id": whole, "campaign_id": "c7"} | numbers))
    found = retrieved(pipeline, "metrics", source="file")
    assert [(each["profile_id"], each["level"], each["campaign_id"]) for each in found] == [
        ("111", "campaign", "c1"),
        ("222", "campaign", "c7"),
    ]


def test_of_a_bound_ad_group_its_own_rows_are_told_and_keywords_with_a_level(
    api: ModuleType, call: Call, pipeline: Call, account_id: str
) -> None:
    fill(api, account_id)
    listed = AdGroup(platform=META, profile_id="111", id="g1", campaign_id="c1")
    api.app.catalog.put_objects([listed], "2026-11-20T00:00:01.000000Z")
    campaign = {"name": "Summer", "bindings": [{"platform": "meta", "profile_id": "111", "ad_group_id": "g1"}]}
    campaign_id = call("POST", "/api/v1/campaigns", campaign, expect=201)["campaign_id"]

    def levels(**filters: str) -> list[str]:
        found = retrieved(pipeline, "metrics", source="file", campaign_id=campaign_id, **filters)
        return [each["level"] for each in found]

    group = {"profile_id": "111", "ad_group_id": "g1", "date": "2026-11-05"}  # of a file that names no campaign
    pipeline("store", body("metrics", group | NUMBERS, source="meta_ads"))
    assert levels() == ["ad_group"]
    pipeline("store", body("metrics", group | {"keyword_id": "k1"} | NUMBERS, source="meta_ads"))
    assert levels() == ["ad_group"]
    assert levels(level="keyword") == ["keyword"]


def test_an_ad_of_no_ad_group_has_its_id(api: ModuleType, pipeline: Call, account_id: str) -> None:
    fill(api, account_id)
    rows = PullRows()
    rows.offer(MetricRow("a9", "2026-11-02", 10, 1, 0, 100_000, 0, "c1", "", -1, "EUR"))
    window = Window(date(2026, 11, 2), date(2026, 11, 2))
    pull = Pull(META, "111", Level.AD, Grain.DAY, Source.FILE, "all", window, Stamp(T1, "t9"), complete=False)
    api.app.metrics.load(pull, rows)
    found = retrieved(pipeline, "metrics", source="file")
    assert [(each["ad_id"], each["ad_group_id"]) for each in found] == [("a9", None)]


def test_an_empty_ad_account_is_the_client_s_own(api: ModuleType, pipeline: Call, account_id: str) -> None:
    fill(api, account_id)
    result = pipeline("store", body("campaign_performance", CAMPAIGN | {"account_id": " "}, source="meta_ads"))
    assert result["assumed"]["profile_id"] == "direct"
    (found,) = retrieved(pipeline, "campaign_performance", source="file")
    assert found["account_id"] == "direct"
