"""A client's own figures through the API: records, pages, exports, reports, the past; and who may see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from adweir.model.messages import ObjectArrived
from adweir.model.times import iso
from adweir.reporting.exported import ExportedRecords, ExportedReport
from adweir.reporting.query import Bounds
from support.api import Call
from support.outlets import MemoryBus

ORDERS = b"order_id,date,revenue,utm_medium\n1,2026-11-17,10.01,paid\n2,2026-11-18,0.02,paid\n3,2026-11-18,-5,organic\n"
RANGE = {"start": "2026-11-01", "end": "2026-11-19"}
Drop = Callable[[str, bytes], None]


@pytest.fixture
def drop(api: ModuleType, account_id: str) -> Drop:
    """Loads a file of the account."""
    app = api.app
    app.__dict__["bus"] = MemoryBus()
    head = app.raw.head
    app.raw.head = lambda *key: head(*key)._replace(last_modified=app.clock.now())  # a bucket's has seconds only

    def put(name: str, body: bytes) -> None:
        key = f"drops/{account_id}/{name}"
        app.raw.put(key, body)
        app.loader.load(ObjectArrived(bucket=app.settings.bucket, key=key), lambda: 300.0)

    return put


def retrieve(call: Call, data_type: str = "orders", **more: Any) -> dict[str, Any]:
    asked = {"data_type": data_type, "filters": {"date_range": RANGE}} | more
    result: dict[str, Any] = call("POST", "/api/v1/data_pipeline/retrieve", asked)["result"]
    return result


def test_orders_are_retrieved_page_by_page(call: Call, drop: Drop, account_id: str) -> None:
    drop("shop/orders/a.csv", ORDERS)
    whole = retrieve(call)
    assert (whole["total"], whole["warnings"], whole["coverage"]) == (3, [], [])
    assert [(each["date"], each["utm_medium"], each["revenue"]) for each in whole["records"]] == [
        ("2026-11-17", "paid", 10.01),
        ("2026-11-18", "organic", -5),
        ("2026-11-18", "paid", 0.02),
    ]
    assert {each["client_account_id"] for each in whole["records"]} == {account_id}
    first = retrieve(call, limit=2, paged=True)
    rest = retrieve(call, limit=2, paged=True, next_token=first["next_token"])
    assert first["records"] + rest["records"] == whole["records"]


def test_an_export_has_the_records_and_the_rows_that_answers_have(api: ModuleType, call: Call, drop: Drop) -> None:
    drop("shop/orders/a.csv", ORDERS)
    now = iso(api.app.clock.now() + timedelta(seconds=1))
    records = ExportedRecords("orders", {"date_range": RANGE}, live=False, asked_at=now).made_of(api.app.queries)
    assert (records.unit, len(list(records.rows(records.answer(records.range, Bounds()))))) == ("day", 3)
    days: Any = RANGE
    asked: Any = {"format": "csv", "name": "r", "metrics": ["revenue"], "dimensions": ["utm_medium"], "segments": []}
    report = ExportedReport(**asked, **days, live=False, asked_at=now, report_of="orders").made_of(api.app.queries)
    found = report.answer(report.range, Bounds())
    assert [(row["utm_medium"], float(row["revenue"])) for row in report.rows(found)] == [
        ("organic", -5),
        ("paid", 10.03),
    ]


def test_a_report_of_orders_comes_in_every_format(call: Call, drop: Drop) -> None:
    drop("shop/orders/a.csv", ORDERS)
    asked = {
        "data_type": "orders",
        "time_range": {"start_date": RANGE["start"], "end_date": RANGE["end"]},
        "metrics": [{"name": "revenue"}, {"name": "conversions"}],
        "dimensions": [{"name": "source"}, {"name": "month"}],
    }
    found = call("POST", "/api/v1/reports", asked)
    (row,) = found["data"]
    assert (row["source"], row["month"], row["revenue"], row["conversions"]) == ("shop", "2026-11", 5.03, 3)
    assert found["totals"] == [{"currency": "USD", "revenue": 5.03, "conversions": 3}]
    wrong = call("POST", "/api/v1/reports", asked | {"metrics": [{"name": "spend"}]}, expect=422)
    assert wrong["error"]["details"][0]["known"] == ["conversions", "revenue"]


def test_what_was_known_before_and_what_changed_since_can_be_asked(api: ModuleType, call: Call, drop: Drop) -> None:
    drop("shop/orders/a.csv", ORDERS)
    api.app.clock.advance(60)
    between = iso(api.app.clock.now())
    api.app.clock.advance(60)
    drop("shop/orders/b.csv", b"order_id,date,revenue,utm_medium\n4,2026-11-18,1,paid\n")
    assert [each["revenue"] for each in retrieve(call)["records"]] == [10.01, -5, 1.02]
    assert [each["revenue"] for each in retrieve(call, as_known_at=between)["records"]] == [10.01, -5, 0.02]
    (change,) = retrieve(call, changed_since=between)["changes"]
    assert (change["level"], change["old"]["revenue"], change["new"]["revenue"]) == ("order", 0.02, 1.02)
    assert (change["utm_medium"], change["cause"], change["account_id"]) == ("paid", "file", "direct")


def test_the_account_s_own_profile_is_listed_and_nothing_of_it_is_due(call: Call, drop: Drop, account_id: str) -> None:
    drop("shop/orders/a.csv", ORDERS)
    (own,) = call("GET", "/api/v1/profiles")["profiles"]
    assert own["platform"] == "shop"
    assert (own["profile_id"], own["credential"], own["account_id"]) == (f"direct~{account_id}", "", account_id)
    assert call("GET", "/api/v1/coverage")["coverage"] == []
    assert call("GET", "/api/v1/account-days")["account_days"] == []
