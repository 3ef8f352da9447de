"""What the data_pipeline calls refuse: each answer says which record, field or option, and nothing is stored."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from support.api import Call, stored

CAMPAIGN = {"campaign_id": "c1", "impressions": 1000, "clicks": 50, "spend": 25.5}
CALLS = ("ingest", "process", "validate", "store", "retrieve")


def body(*records: Any, data_type: str = "campaign_performance", **more: Any) -> dict[str, Any]:
    return {"data_type": data_type, "data": {"records": [*records]}} | more


def test_an_unknown_data_type_is_refused_with_the_known_ones(pipeline: Call) -> None:
    for step in CALLS:
        asked = body(CAMPAIGN, data_type="campaign_peformance")
        if step == "retrieve":
            del asked["data"]
        (detail,) = pipeline(step, asked, expect=422)["details"]
        assert detail["field"] == "data_type"
        assert {"campaign_performance", "orders"} <= {*detail["known"]}


OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("ingest", {"storage_options": {}}, "storage_options"),
    ("process", {"processing_options": {"normalize": True}}, "processing_options.normalize"),
    ("process", {"processing_options": {"calculate_metrics": "yes"}}, "processing_options.calculate_metrics"),
    ("process", {"processing_options": {"calculate_metrics": False}}, "processing_options"),
    ("validate", {"validation_rules": {"max_fields": []}}, "validation_rules.max_fields"),
    ("store", {"storage_options": {"mode": "append"}}, "storage_options.mode"),
    ("store", {"storage_options": {"upsert": "no"}}, "storage_options.upsert"),
    ("store", {"storage_options": {"table_name": "campaigns"}}, "storage_options.table_name"),
    ("store", {"source": "Shop & Co"}, "source"),
    ("ingest", {"source": "x" * 41}, "source"),
]


def test_an_option_that_there_is_not_is_refused(api: ModuleType, pipeline: Call) -> None:
    before = stored(api)
    for step, more, field in OPTIONS:
        refused = pipeline(step, body(CAMPAIGN, **more), expect=422)
        assert [each["field"] for each in refused["details"]] == [field]
    assert stored(api) == before


TABLES: list[tuple[str, dict[str, Any], str]] = [
    ("campaign_performance", CAMPAIGN, "metrics"),
    ("orders", {"order_id": "1", "revenue": 12}, "metrics"),
    ("campaigns", {"id": "c9", "name": "Spring", "status": "paused"}, "catalog"),
    ("rates", {"base": "EUR", "quote": "USD", "rate": 1.1}, "catalog"),
    ("invoices", {"month": "2026-11", "kind": "spend", "amount": 1}, "catalog"),
]


def test_an_unknown_table_is_refused_with_those_that_hold_the_data_type(pipeline: Call) -> None:
    for name, record, table in TABLES:
        asked = body(record, data_type=name, storage_options={"table_name": "warehouse"})
        (detail,) = pipeline("store", asked, expect=422)["details"]
        assert (detail["field"], detail["known"]) == ("storage_options.table_name", [name, table])
        pipeline("store", asked | {"storage_options": {"table_name": table}})


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"colour": "red"}, ""),
    ({"campaign_id": "c1"}, ""),
    ({"impressions": 1}, "campaign_id"),
    (CAMPAIGN | {"clicks": -1}, "clicks"),
    (CAMPAIGN | {"clicks": 1.5}, "clicks"),
    (CAMPAIGN | {"clicks": 10**30}, "clicks"),
    (CAMPAIGN | {"spend": 0.0000001}, "spend"),
    (CAMPAIGN | {"spend": -0.01}, "spend"),
    (CAMPAIGN | {"spend": 1e30}, "spend"),
    (CAMPAIGN | {"spend": "1,50"}, "spend"),
    (CAMPAIGN | {"spend": "$5"}, "spend"),
    (CAMPAIGN | {"spend": "NaN"}, "spend"),
    (CAMPAIGN | {"spend": True}, "spend"),
    (CAMPAIGN | {"spend": [1]}, "spend"),
    (CAMPAIGN | {"spend": {"amount": 1}}, "spend"),
    (CAMPAIGN | {"spend": 1, "cost": 2}, "cost"),
    (CAMPAIGN | {"campaign_id": "a#b"}, "campaign_id"),
    (CAMPAIGN | {"campaign_id": "x" * 300}, "campaign_id"),
    (CAMPAIGN | {"campaign_id": "a\nb"}, "campaign_id"),
    (CAMPAIGN | {"campaign_id": ["c1"]}, "campaign_id"),
    (CAMPAIGN | {"date": "yesterday"}, "date"),
    (CAMPAIGN | {"date": "2026-02-30"}, "date"),
    (CAMPAIGN | {"date": "2026-12-24"}, "date"),
    (CAMPAIGN | {"date": "1999-01-01"}, "date"),
    (CAMPAIGN | {"timestamp": 10**30}, "timestamp"),
    (CAMPAIGN | {"timestamp": 0}, "date"),
    (CAMPAIGN | {"currency": "euro"}, "currency"),
    (CAMPAIGN | {"platform": "meta", "profile_id": "999"}, "profile_id"),
    (CAMPAIGN | {"platform": "No Name"}, "platform"),
    (CAMPAIGN | {"account_id": "1", "profile_id": "2"}, "account_id"),
]


def test_a_record_that_cannot_be_stored_is_named_and_none_is_stored(api: ModuleType, pipeline: Call) -> None:
    pipeline("store", body(CAMPAIGN | {"campaign_id": "c0"}, storage_options={"upsert": False}))
    before = stored(api)
    for record, field in BAD:
        refused = pipeline("store", body(CAMPAIGN, record, CAMPAIGN | {"campaign_id": "c2"}), expect=422)
        (detail,) = refused["details"]
        assert detail["field"] == f"data.records.1{f'.{field}' if field else ''}", record
        assert detail["row"] == 1
        assert detail["message"]
    assert stored(api) == before
    assert pipeline("retrieve", {"data_type": "campaign_performance"})["total"] == 1


def test_two_records_of_one_key_that_differ_are_refused(pipeline: Call) -> None:
    refused = pipeline("store", body(CAMPAIGN, CAMPAIGN, CAMPAIGN | {"spend": 1}), expect=422)
    assert [each["row"] for each in refused["details"]] == [2]
    refused = pipeline(
        "store", body({"order_id": "1", "revenue": 1}, {"order_id": "1", "revenue": 2}, data_type="orders"), expect=422
    )
    assert [each["row"] for each in refused["details"]] == [1]


def test_no_record_is_nothing_to_take_in(pipeline: Call) -> None:
    for step in ("ingest", "store"):
        (detail,) = pipeline(step, body(), expect=422)["details"]
        assert detail["field"] == "data.records"


def test_more_than_5000_records_are_too_many_and_the_answer_names_the_file_drop(pipeline: Call) -> None:
    for step in ("ingest", "process", "validate", "store"):
        refused = pipeline(step, body(*[{}] * 5001), expect=413)
        assert "drops/<account_id>/<source>/<data_type>/" in refused["message"]
    wide = CAMPAIGN | {"campaign_name": "x" * 200}
    assert "drops/" in pipeline("store", body(*[wide] * 4000), expect=413)["message"]


def test_of_several_clients_one_has_to_be_named(call: Call, pipeline: Call, account_id: str) -> None:
    """By the call, by its records, or by an ad account; not two of them in one call."""
    other = {"company_name": "Other", "primary_contact_email": "o@example.com"}
    second = call("POST", "/api/v1/accounts", other, expect=201)["account_id"]
    for step in ("ingest", "store"):
        (detail,) = pipeline(step, body(CAMPAIGN), expect=422)["details"]
        assert detail["field"] == "account_id"
    pipeline("store", body(CAMPAIGN, account_id=second))
    pipeline("store", body(CAMPAIGN | {"account_id": account_id, "campaign_id": "c2"}))
    two = [CAMPAIGN | {"account_id": account_id}, CAMPAIGN | {"account_id": second}]
    assert pipeline("store", body(*two), expect=422)["details"][0]["field"] == "account_id"
    assert pipeline("store", body(CAMPAIGN, account_id="acc_none"), expect=404)["details"][0]["field"] == "account_id"
    assert pipeline("store", body(CAMPAIGN, account_id="4711"), expect=404)["details"][0]["field"] == "account_id"
    found = pipeline("retrieve", {"data_type": "campaign_performance"})["records"]
    assert {(each["client_account_id"], each["campaign_id"]) for each in found} == {(second, "c1"), (account_id, "c2")}


def test_a_field_that_no_record_has_is_named_for_each(pipeline: Call) -> None:
    details = pipeline("store", body({"amount": 1}, {"tax": 1}, data_type="invoices"), expect=422)["details"]
    assert [each["field"] for each in details] == ["data.records.0.month", "data.records.1.month"]
