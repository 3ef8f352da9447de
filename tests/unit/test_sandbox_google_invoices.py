"""Invoices of the sandbox's Google Ads: served, billed and credited amounts are the world's, to the micro."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from sandbox.world.bills import Bills
from support.google_caller import GoogleCaller, google, message_misfits


@pytest.fixture(scope="module")
def caller() -> Iterator[GoogleCaller]:
    """Only read."""
    with google("mori", awkward=True) as made:
        yield made


def asked(caller: GoogleCaller, *, customer: str = "", **changed: str) -> requests.Response:
    customer = customer or caller.profile.id
    params = {"billingSetup": f"customers/{customer}/billingSetups/{customer[-6:]}", "issueYear": "2026"}
    headers = {**caller.headers, "login-customer-id": caller.root}
    url = f"{caller.server.url}/v26/customers/{customer}/invoices"
    return requests.get(url, params={**params, "issueMonth": "OCTOBER", **changed}, headers=headers, timeout=5)


def amount(part: dict[str, Any], name: str) -> int:
    return int(part.get(f"{name}AmountMicros", "0"))


def test_an_invoice_says_what_was_served_and_what_was_billed(caller: GoogleCaller) -> None:
    # when
    invoice, memo = asked(caller).json()["invoices"]

    # then: the numbers that were known when it was issued, which later credits have changed since
    (summary,) = invoice["accountBudgetSummaries"]
    world = caller.server.outside.world
    now = sum(
        row["spend_micros"] for row in world.truth(caller.profile, date(2026, 10, 1), date(2026, 10, 31), "account")
    )
    assert 0 <= amount(summary, "served") - now < now // 50
    assert amount(summary, "billed") == amount(summary, "served") + amount(summary, "overdelivery")
    assert amount(summary, "subtotal") == amount(summary, "billed") + amount(summary, "invalidActivity")
    assert amount(invoice, "subtotal") == amount(summary, "subtotal") + amount(invoice, "adjustmentsSubtotal")
    assert amount(invoice, "tax") == amount(summary, "tax") + amount(invoice, "adjustmentsTax")
    assert amount(invoice, "total") == amount(invoice, "subtotal") + amount(invoice, "tax")
    assert (amount(invoice, "adjustmentsSubtotal") < 0, amount(invoice, "tax") > 0) == (True, True)
    assert (invoice["type"], invoice["currencyCode"]) == ("INVOICE", caller.profile.currency)
    assert (invoice["issueDate"], "correctedInvoice" in invoice) == ("2026-10-31", False)
    assert invoice["serviceDateRange"] == {"startDate": "2026-10-01", "endDate": "2026-10-31"}
    assert (memo["type"], memo["serviceDateRange"]["startDate"]) == ("CREDIT_MEMO", "2026-09-01")


def test_a_credit_memo_corrects_the_invoice_of_the_month_before(caller: GoogleCaller) -> None:
    september = asked(caller, issueMonth="SEPTEMBER").json()["invoices"][0]
    memo = asked(caller).json()["invoices"][1]
    assert (memo["issueDate"], memo["correctedInvoice"]) == ("2026-10-31", september["resourceName"])
    assert amount(memo, "total") == amount(memo, "subtotal") + amount(memo, "tax") < 0
    assert amount(memo, "subtotal") == amount(memo, "adjustmentsSubtotal")
    assert "accountBudgetSummaries" not in memo


def test_the_documents_of_a_month_are_the_world_s_bills(caller: GoogleCaller) -> None:
    # given
    bills = Bills(caller.server.outside.world)
    expected = [bill for bill in bills.truth(caller.profile, date.min, date.max) if bill["billed_with"] == "2026-10-01"]

    # when
    found = asked(caller).json()["invoices"]

    # then
    assert [(i["id"], amount(i, "tax"), amount(i, "total")) for i in found] == [
        (bill["number"], bill["tax_micros"], bill["total_micros"]) for bill in expected
    ]


def test_each_field_of_an_invoice_is_the_official_class_s(caller: GoogleCaller) -> None:
    kestrel = GoogleCaller(caller.server, "kestrel")
    granular = {"includeGranularLevelInvoiceDetails": "true"}
    found = asked(caller, **granular).json()["invoices"]
    for customer in kestrel.company.on("google_ads"):
        found += asked(kestrel, customer=customer.id, **granular).json()["invoices"]
    assert len(found) > 3
    assert [fault for invoice in found for fault in message_misfits("Invoice", invoice)] == []


def test_a_regulatory_cost_is_in_the_total_and_not_in_the_subtotal(caller: GoogleCaller) -> None:
    # given: a customer whose ads are served in the United Kingdom
    kestrel = GoogleCaller(caller.server, "kestrel")
    british = kestrel.company.on("google_ads")[1].id

    # when
    invoice = asked(kestrel, customer=british, includeGranularLevelInvoiceDetails="true").json()["invoices"][0]

    # then
    (summary,), (account,) = invoice["accountBudgetSummaries"], invoice["accountSummaries"]
    fee = amount(invoice, "regulatoryCostsSubtotal")
    assert fee * 50 == pytest.approx(amount(summary, "billed"), abs=500_000)
    assert amount(invoice, "subtotal") == amount(summary, "subtotal")
    assert amount(invoice, "tax") == amount(summary, "tax") + amount(invoice, "regulatoryCostsTax")
    assert amount(invoice, "total") == amount(invoice, "subtotal") + amount(invoice, "tax") + fee
    assert account["regulatoryCostSummaries"] == [{"regulatoryFeeType": "UK_DST_FEE", "amountMicros": str(fee)}]
    assert amount(account, "total") == amount(invoice, "total")


def test_invalid_activity_is_credited_a_month_later(caller: GoogleCaller) -> None:
    october = asked(caller).json()["invoices"][0]["accountBudgetSummaries"][0]
    (credit,) = october["invalidActivitySummaries"]
    september = asked(caller, issueMonth="SEPTEMBER").json()["invoices"][0]
    assert (credit["originalMonthOfService"], credit["originalInvoiceId"]) == ("SEPTEMBER", september["id"])
    assert int(credit["amountMicros"]) == amount(october, "invalidActivity") < 0


def test_campaigns_of_an_invoice_sum_to_what_was_served(caller: GoogleCaller) -> None:
    invoice = asked(caller, includeGranularLevelInvoiceDetails="true").json()["invoices"][0]
    (summary,), (account,) = invoice["accountBudgetSummaries"], invoice["accountSummaries"]
    campaigns = summary["campaignSummaries"]
    (credit,) = account["adjustmentSummaries"]
    assert credit["amountMicros"] == account["couponAdjustmentSubtotalAmountMicros"]
    assert sum(int(campaign["amountMicros"]) for campaign in campaigns) == amount(summary, "served")


@pytest.mark.parametrize(("month", "year"), [("NOVEMBER", "2026"), ("OCTOBER", "2019"), ("DECEMBER", "9999")])
def test_a_month_that_is_not_over_or_was_long_ago_has_no_invoice(caller: GoogleCaller, month: str, year: str) -> None:
    assert asked(caller, issueMonth=month, issueYear=year).json() == {}


@pytest.mark.parametrize(
    ("changed", "category", "code"),
    [
        ({"issueYear": "2018"}, "invoiceError", "YEAR_MONTH_TOO_OLD"),
        ({"issueMonth": "10"}, "requestError", "INVALID_ENUM_VALUE"),
        ({"billingSetup": ""}, "requestError", "REQUIRED_FIELD_MISSING"),
        ({"billingSetup": "customers/1/billingSetups/2"}, "invoiceError", "NOT_INVOICED_CUSTOMER"),
    ],
)
def test_a_question_for_invoices_that_is_wrong_is_refused(
    caller: GoogleCaller, changed: dict[str, str], category: str, code: str
) -> None:
    assert caller.refusal(asked(caller, **changed)) == (400, category, code)


def test_who_pays_by_card_has_no_invoices(caller: GoogleCaller) -> None:
    for company in ("halden", "lumen"):
        card = GoogleCaller(caller.server, company)
        assert card.refusal(asked(card))[2] == "BILLING_SETUP_NOT_ON_MONTHLY_INVOICING"
    assert caller.refusal(asked(caller, customer=caller.root))[2] == "NON_SERVING_CUSTOMER"
