"""Invoices of the sandbox's Amazon: the world's bills, their pages and filters, and who may not see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.platforms.amazon_ads import STAND_IN
from sandbox.server import PlatformServer
from sandbox.world.bills import Bills
from support.amazon_caller import PLATFORM, AmazonCaller
from support.platform_server import running

LIST_MEDIA, ONE_MEDIA = "application/vnd.invoices.v1.1+json", "application/vnd.invoice.v1.1+json"


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    """Only read."""
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture(scope="module")
def mori(server: PlatformServer) -> AmazonCaller:
    """A vendor in Japan, who pays consumption tax and had a late adjustment."""
    return AmazonCaller(server, "mori")


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> AmazonCaller:
    """A seller in the United States with a promotional credit."""
    return AmazonCaller(server, "halden")


def listed(caller: AmazonCaller, **query: str) -> list[dict[str, Any]]:
    answer = caller.got("/invoices", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["payload"]["invoiceSummaries"]
    return found


def invoice(caller: AmazonCaller, invoice_id: str) -> dict[str, Any]:
    answer = caller.got(f"/invoices/{invoice_id}")
    assert answer.status_code == 200, answer.text
    body = json.loads(answer.text, parse_float=Decimal)
    assert body["status"] == "success"
    found: dict[str, Any] = body["payload"]
    return found


def micros(caller: AmazonCaller, amount: dict[str, Any]) -> int:
    assert amount["currencyCode"] == caller.profile.currency
    return int(Decimal(str(amount["amount"])) * 1_000_000)


def refused(caller: AmazonCaller, path: str = "/invoices", **query: str) -> tuple[int, str]:
    answer = caller.got(path, **query)
    return answer.status_code, answer.json()["code"]


def test_the_list_has_the_running_month_and_each_issued_invoice_newest_first(mori: AmazonCaller) -> None:
    # given
    world = mori.server.outside.world
    bills = list(Bills(world).truth(mori.profile, date.min, date.max))

    # when
    running_month, *issued = listed(mori)

    # then
    assert (running_month["status"], running_month["fromDate"]) == ("ACCUMULATING", "20261101")
    assert not {"toDate", "invoiceDate"} & set(running_month)
    assert [
        (i["id"], i["fromDate"], micros(mori, i["amountDue"]), micros(mori, i["taxAmountDue"])) for i in issued
    ] == [
        (bill["number"], bill["month"].replace("-", ""), bill["total_micros"], bill["tax_micros"])
        for bill in reversed(bills)
    ]
    assert (issued[0]["toDate"], issued[0]["invoiceDate"]) == ("20261031", "20261103")


@pytest.mark.parametrize("company", ["halden", "mori"])
def test_the_parts_of_an_invoice_sum_to_what_is_due(server: PlatformServer, company: str) -> None:
    # given
    caller = AmazonCaller(server, company)
    summary = listed(caller)[1]

    # when
    found = invoice(caller, summary["id"])

    # then
    parts = [line["cost"] for line in found["invoiceLines"]]
    parts += [part["amount"] for name in ("promotions", "adjustments") for part in found[name]]
    parts += [tax["taxAmount"] for tax in found["taxDetail"]["taxBreakups"]]
    assert sum(micros(caller, part) for part in parts) == micros(caller, summary["amountDue"])
    portfolios = sum(micros(caller, portfolio["totalAmount"]) for portfolio in found["portfolios"])
    tagged = [line["cost"] for line in found["invoiceLines"] if "portfolioId" in line]
    assert portfolios == sum(micros(caller, cost) for cost in tagged)
    assert [type(line["campaignId"]) for line in found["invoiceLines"]] == [int] * len(found["invoiceLines"])


def test_credits_and_taxes_are_those_of_the_account(halden: AmazonCaller, mori: AmazonCaller) -> None:
    american, japanese = invoice(halden, listed(halden)[1]["id"]), invoice(mori, listed(mori)[1]["id"])
    assert american["taxDetail"]["taxBreakups"] == japanese["promotions"] == american["adjustments"] == []
    (promotion,), (adjustment,) = american["promotions"], japanese["adjustments"]
    assert max(promotion["amount"]["amount"], adjustment["amount"]["amount"]) < 0
    assert adjustment["comments"].endswith(listed(mori)[2]["id"])
    (tax,) = japanese["taxDetail"]["taxBreakups"]
    assert (tax["taxName"], tax["taxRate"]) == ("Consumption Tax", Decimal("0.1"))


def test_a_card_is_charged_at_once_and_a_transfer_is_late(halden: AmazonCaller, mori: AmazonCaller) -> None:
    assert {i["status"] for i in listed(halden)[1:]} == {"PAID_IN_FULL"}
    october, september, *_ = listed(mori)[1:]
    assert (october["status"], september["status"]) == ("PAID_IN_PART", "PAID_IN_FULL")
    due, left = (micros(mori, october[name]) for name in ("amountDue", "remainingAmountDue"))
    assert 0 < left < due
    assert micros(mori, september["remainingAmountDue"]) == 0
    assert invoice(halden, listed(halden)[1]["id"])["payments"][0]["status"] == "SUCCEEDED"


def test_pages_follow_a_cursor_that_repeats_the_question(mori: AmazonCaller) -> None:
    # when
    first = mori.got("/invoices", invoiceStatuses="PAID_IN_FULL", count="5").json()["payload"]
    second = mori.got("/invoices", cursor=first["nextCursor"]).json()["payload"]
    third = mori.got("/invoices", cursor=second["nextCursor"]).json()["payload"]

    # then
    pages = [page["invoiceSummaries"] for page in (first, second, third)]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert [i for page in pages for i in page] == listed(mori, invoiceStatuses="PAID_IN_FULL")
    assert "nextCursor" not in third


def test_statuses_and_dates_choose(mori: AmazonCaller) -> None:
    assert [i["status"] for i in listed(mori, invoiceStatuses="PAID_IN_PART,ISSUED")] == ["PAID_IN_PART"]
    assert listed(mori, invoiceStatuses="WRITTEN_OFF") == []
    some = listed(mori, startDate="2026-09-03", endDate="2026-10-03")
    assert [i["invoiceDate"] for i in some] == ["20261003", "20260903"]
    assert listed(mori, count="0") == []


def test_version_1_1_answers_without_an_envelope(mori: AmazonCaller) -> None:
    page = mori.ask("GET", "/invoices", headers={"Accept": LIST_MEDIA})
    (_, october, *_) = page.json()["invoiceSummaries"]
    one = mori.ask("GET", f"/invoices/{october['id']}", headers={"Accept": ONE_MEDIA})
    assert page.json()["nextCursor"] is None
    assert (page.headers["Content-Type"], one.headers["Content-Type"]) == (LIST_MEDIA, ONE_MEDIA)
    assert one.json()["payerContactInfo"] == invoice(mori, october["id"])["payerContactInformation"]


def test_a_month_that_is_over_is_processed_until_its_invoice_is_issued() -> None:
    for anchor, statuses in (
        (date(2026, 11, 2), ["ACCUMULATING", "PROCESSING"]),
        (date(2026, 11, 3), ["ACCUMULATING"]),
    ):
        with running([STAND_IN], anchor=anchor) as server:
            mori = AmazonCaller(server, "mori")
            found = listed(mori, invoiceStatuses="ACCUMULATING,PROCESSING")
            october = invoice(mori, mori.profile.id[-5:] + "261001")["invoiceSummary"]
        assert [i["status"] for i in found] == statuses
        assert (october["fromDate"], "toDate" in october) == ("20261001", len(statuses) == 1)


def test_the_running_month_has_a_number_and_no_lines(mori: AmazonCaller) -> None:
    summary = listed(mori)[0]
    found = invoice(mori, summary["id"])
    assert found["invoiceSummary"]["amountDue"] == summary["amountDue"]
    assert found["invoiceLines"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"count": "101"},
        {"count": "-1"},
        {"count": "5", "cursor": "x"},
        {"cursor": "x"},
        {"cursor": "WzEsMiwzXQ=="},
        {"cursor": "W1tdLCAiIiwgIjkiLCAxZTk5LCAtMV0="},
        {"invoiceStatuses": "PAID"},
        {"startDate": "20261001"[:6]},
        {"month": "10"},
    ],
)
def test_a_question_that_is_wrong_is_refused(mori: AmazonCaller, query: dict[str, str]) -> None:
    assert refused(mori, **query) == (400, "INVALID_ARGUMENT")


def test_who_may_not_see_the_billing_history_is_not_authorized(server: PlatformServer, mori: AmazonCaller) -> None:
    kestrel = AmazonCaller(server, "kestrel")
    answer = kestrel.got("/invoices")
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
    assert "nemo_transactions_view" in answer.json()["details"]
    assert refused(kestrel, "/invoices/1") == (401, "UNAUTHORIZED")
    without = mori.ask("GET", "/invoices", headers={"Amazon-Advertising-API-Scope": ""})
    assert (without.status_code, without.json()["details"]) == (401, "Scope header is missing")


def test_another_profile_s_invoice_is_not_found(halden: AmazonCaller, mori: AmazonCaller) -> None:
    assert refused(mori, f"/invoices/{listed(halden)[1]['id']}") == (404, "NOT_FOUND")
    assert mori.ask("POST", "/invoices").status_code == 405


def test_invoices_are_throttled_and_their_pages_break_off() -> None:
    with running([STAND_IN], awkward=True) as server:
        # given
        mori = AmazonCaller(server, "mori")
        switches = server.outside.switches
        switches.turn_on({"kind": "throttle", "platform": PLATFORM, "times": 1, "retry_after": 2})
        switches.turn_on({"kind": "truncated_paging", "platform": PLATFORM, "times": 1})

        # when
        throttled = mori.got("/invoices")
        page = mori.got("/invoices", count="3").json()["payload"]

    # then
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "2")
    assert (len(page["invoiceSummaries"]), "nextCursor" in page) == (3, False)
