"""Records that callers hand over: stored before the answer, once, whatever dies; of two that may not replace, one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from ops.client import ApiError
from support.river import River, until

CALL = "/api/v1/data_pipeline/{}"
CAMPAIGN = {"campaign_id": "own-1", "impressions": 1000, "clicks": 50, "spend": 25.57, "conversions": 5}


@pytest.fixture(scope="module")
def account_id(sandbox: River) -> str:
    """A client without any ad account."""
    about = {"company_name": "Own figures", "primary_contact_email": "own@example.com"}
    return str(sandbox.api.post("/api/v1/accounts", about)["account_id"])


def body(account_id: str, data_type: str, *records: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data_type": data_type, "account_id": account_id, "data": {"records": [*records]}} | more


def retrieved(sandbox: River, account_id: str, data_type: str) -> list[dict[str, Any]]:
    return list(sandbox.api.records(data_type, {"client_account_id": account_id}))


def test_given_records_of_an_ad_platform_a_shop_and_a_bill_when_stored_then_they_are_read_and_ingested_ones_follow(
    sandbox: River, account_id: str
) -> None:
    # given
    orders = [{"order_id": str(n), "revenue": f"{n}.01", "utm_medium": "paid"} for n in range(1, 6)]
    bill = {"month": sandbox.day(0)[:7], "kind": "spend", "amount": 100.25, "tax": 19}
    kpi = {"name": "New customers", "value": 12}
    # when
    landed = sandbox.api.post(CALL.format("ingest"), body(account_id, "kpi_series", kpi, source="hubspot"))["result"]
    asked = [
        body(account_id, "campaign_performance", CAMPAIGN, source="meta_ads"),
        body(account_id, "orders", *orders, source="shop", storage_options={"upsert": False}),
        body(account_id, "invoices", bill, source="trade_desk"),
    ]
    results = [sandbox.api.post(CALL.format("store"), each)["result"] for each in asked]
    # then
    assert [each["status"] for each in results] == ["success"] * 3
    (row,) = retrieved(sandbox, account_id, "campaign_performance")
    assert (row["platform"], row["profile_id"], row["campaign_id"], row["spend"]) == (
        "meta_ads",
        "direct",
        "own-1",
        25.57,
    )
    (day,) = retrieved(sandbox, account_id, "orders")
    assert (day["conversions"], Decimal(str(day["revenue"]))) == (5, Decimal("15.05"))
    (line,) = retrieved(sandbox, account_id, "invoices")
    assert (line["amount"], line["total"]) == (100.25, 119.25)
    with pytest.raises(ApiError, match="answered 409"):
        sandbox.api.post(CALL.format("store"), asked[1])

    def loaded() -> list[str]:
        receipts = sandbox.api.get("/api/v1/receipts", account_id=account_id)["receipts"]
        return [each["state"] for each in receipts if each["task_id"] == landed["task_id"]]

    assert until(loaded, "a receipt of what was ingested") == ["loaded"]
    assert [each["value"] for each in retrieved(sandbox, account_id, "kpi_series")] == [12]


def test_given_two_calls_at_once_that_may_not_replace_and_dying_workers_then_one_is_stored_once(
    sandbox: River, account_id: str
) -> None:
    # given
    lead = body(account_id, "leads", {"lead_id": "1"}, {"lead_id": "2"}, storage_options={"upsert": False})

    def ask(_: int) -> str:
        try:
            return str(sandbox.api.post(CALL.format("store"), lead)["result"]["status"])
        except ApiError as error:
            return "conflict" if "answered 409" in str(error) else str(error)

    # when
    with ThreadPoolExecutor(2) as threads:
        answers = threads.map(ask, range(2))
        sandbox.kill_workers("validate")
        told = sorted(answers)
    # then
    assert told[0] in {"accepted", "conflict"}
    assert told[1] in {"conflict", "success"}
    assert told != ["conflict", "conflict"]

    def counted() -> list[int]:
        return [each["conversions"] for each in retrieved(sandbox, account_id, "leads")]

    assert until(counted, "the leads") == [2]
