"""Invoices of the sandbox's Google Ads: served, billed and credited amounts are the world's, to the micro."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from support.google_caller import GoogleCaller, google


@pytest.fixture(scope="module")
def caller() -> Iterator[GoogleCaller]:
    """Only read."""
    with google("kestrel", awkward=True) as made:
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
    bill, memo = asked(caller).json()["invoices"]

    # then: the numbers that were known when it was issued, which later credits have changed since
    (summary,) = bill["accountBudgetSummaries"]
    world = caller.server.outside.world
    now = sum(
        row["spend_micros"] for row in world.truth(caller.profile, date(2026, 10, 1), date(2026, 10, 31), "account")
    )
    assert 0 <= amount(summary, "served") - now < now // 50
    assert amount(summary, "billed") == amount(summary, "served") + amount(summary, "overdelivery")
    assert amount(summary, "subtotal") == amount(summary, "billed") + amount(summary, "invalidActivity")
    assert amount(bill, "subtotal") == amount(summary, "subtotal") + amount(bill, "adjustmentsSubtotal")
    assert amount(bill, "total") == amount(bill, "subtotal") + amount(bill, "tax")
    assert (amount(bill, "adjustmentsSubtotal") < 0, amount(bill, "tax") > 0) == (True, True)
    assert (bill["type"], bill["currencyCode"]) == ("INVOICE", caller.profile.currency)
    assert bill["serviceDateRange"] == {"startDate": "2026-10-01", "endDate": "2026-10-31"}
    assert (memo["type"], amount(memo, "total") < 0) == ("CREDIT_MEMO", True)
    assert memo["correctedInvoice"] != bill["resourceName"]


def test_invalid_activity_is_credited_a_month_later(caller: GoogleCaller) -> None:
    first = caller.server.outside.world.first_day
    oldest = asked(caller, issueMonth=f"{first:%B}".upper(), issueYear=str(first.year)).json()["invoices"][0]
    october = asked(caller).json()["invoices"][0]["accountBudgetSummaries"][0]
    (credit,) = october["invalidActivitySummaries"]
    assert credit["originalMonthOfService"] == "SEPTEMBER"
    assert int(credit["amountMicros"]) == amount(october, "invalidActivity") < 0
    assert "invalidActivitySummaries" not in oldest["accountBudgetSummaries"][0]


def test_campaigns_of_an_invoice_sum_to_what_was_served(caller: GoogleCaller) -> None:
    bill = asked(caller, includeGranularLevelInvoiceDetails="true").json()["invoices"][0]
    (summary,) = bill["accountBudgetSummaries"]
    campaigns = summary["campaignSummaries"]
    assert sum(int(campaign["amountMicros"]) for campaign in campaigns) == amount(summary, "served")


def test_a_month_that_is_not_over_has_no_invoice(caller: GoogleCaller) -> None:
    assert asked(caller, issueMonth="NOVEMBER").json() == {}
    assert asked(caller, issueYear="2019").json() == {}


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
    lumen = GoogleCaller(caller.server, "lumen")
    assert lumen.refusal(asked(lumen))[2] == "BILLING_SETUP_NOT_ON_MONTHLY_INVOICING"
    assert caller.refusal(asked(caller, customer=caller.root))[2] == "NON_SERVING_CUSTOMER"
