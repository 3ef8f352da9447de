"""Google's invoices: which months are asked for, and what a customer's part of a document is (InvoiceService, v26)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import NotApplicable
from adweir.model.invoices import DocumentKind, Invoice, InvoiceLineKind
from adweir.model.metrics import BadRow
from adweir.model.times import Window
from adweir.platforms.connector import Page, PageInHand
from adweir.platforms.google_ads.client import GoogleConnector
from adweir.platforms.google_ads.invoices import READER
from support.clock import FrozenClock
from support.google_wire import CUSTOMER, GoogleStub, connected, context, failed, page, task
from support.stub_http import Answer, StubServer

SETUP = f"customers/{CUSTOMER}/billingSetups/77"
OTHER = "customers/999"
MONTHS = Window(date(2026, 9, 1), date(2026, 11, 20))


def budget(customer: str = f"customers/{CUSTOMER}", **changes: str) -> dict[str, Any]:
    """An account budget's part (Invoice.AccountBudgetSummary)."""
    amounts = {"subtotalAmountMicros": "960000000", "taxAmountMicros": "182400000", "totalAmountMicros": "1142400000"}
    return {"customer": customer, "accountBudgetName": "Always on", **amounts, **changes}


def invoice(**changes: Any) -> dict[str, Any]:
    """A document as Google states it."""
    made = {
        "resourceName": f"customers/{CUSTOMER}/invoices/5001",
        "id": "5001",
        "type": "INVOICE",
        "billingSetup": SETUP,
        "issueDate": "2026-10-31",
        "dueDate": "2026-11-30",
        "serviceDateRange": {"startDate": "2026-10-01", "endDate": "2026-10-31"},
        "currencyCode": "EUR",
        "subtotalAmountMicros": "960000000",
        "taxAmountMicros": "182400000",
        "totalAmountMicros": "1142400000",
        "accountBudgetSummaries": [budget()],
    }
    return {**made, **changes}


def read(*documents: dict[str, Any], customer: str = CUSTOMER) -> tuple[list[Invoice], list[BadRow]]:
    body = json.dumps({"invoices": documents}).encode() if documents else b"{}"
    stored = PageInHand.of(Page(body, "", 200, last=True), 1)
    (batch,) = READER.invoice_batches(stored, context(Dataset.INVOICES, profile_id=customer))
    return batch.invoices, batch.bad


def lines(found: Invoice) -> dict[str, tuple[InvoiceLineKind, int, int]]:
    return {line.line: (line.kind, line.amount, line.tax) for line in found.lines}


def total(*found: Invoice) -> tuple[int, int]:
    every = [line for each in found for line in each.lines]
    return sum(line.amount for line in every), sum(line.tax for line in every)


class TestDocuments:
    def test_a_budget_is_one_line_of_spend_and_one_of_tax(self) -> None:
        (found,), bad = read(invoice())
        assert not bad
        assert (found.invoice_id, found.month, found.currency) == ("5001", "2026-10", "EUR")
        assert (found.issued_on, found.due_on) == ("2026-10-31", "2026-11-30")
        assert lines(found) == {
            "budget/0/spend": (InvoiceLineKind.SPEND, 960_000_000, 0),
            "budget/0/tax": (InvoiceLineKind.TAX, 0, 182_400_000),
        }
        assert found.lines[0].budget == "Always on"

    def test_each_line_has_a_name_of_its_own_where_campaigns_have_none(self) -> None:
        campaigns = [{"campaignDescription": name, "amountMicros": "480000000"} for name in ("", "")]
        (found,), _ = read(invoice(accountBudgetSummaries=[budget() | {"campaignSummaries": campaigns}]))
        assert [line.line for line in found.lines] == ["budget/0/spend/0", "budget/0/spend/1", "budget/0/tax"]

    def test_what_was_served_and_not_billed_is_shown_apart(self) -> None:
        """Served, billed, overdelivery and invalid activity of earlier months differ (second reading, 21)."""
        # given: 1,000 served, 4 of them over the budget; 36 given back for September; the rest is not explained
        summary = budget(
            servedAmountMicros="1000000000",
            billedAmountMicros="996000000",
            overdeliveryAmountMicros="-4000000",
            invalidActivityAmountMicros="-35000000",
        )
        summary["invalidActivitySummaries"] = [
            {"originalMonthOfService": "SEPTEMBER", "originalYearOfService": "2026", "amountMicros": "-35000000"}
        ]

        # when
        (found,), _ = read(invoice(accountBudgetSummaries=[summary]))

        # then
        assert lines(found) == {
            "budget/0/spend": (InvoiceLineKind.SPEND, 1_000_000_000, 0),
            "budget/0/overdelivery": (InvoiceLineKind.OVERDELIVERY, -4_000_000, 0),
            "budget/0/invalid_traffic": (InvoiceLineKind.INVALID_TRAFFIC, -35_000_000, 0),
            "budget/0/adjustment": (InvoiceLineKind.ADJUSTMENT, -1_000_000, 0),
            "budget/0/tax": (InvoiceLineKind.TAX, 0, 182_400_000),
        }
        assert [line.about_month for line in found.lines if line.about_month] == ["2026-09"]

    def test_an_invoice_s_own_adjustments_fees_and_their_taxes_are_lines(self) -> None:
        """Adjustments that are absent are 0 (second reading, 21); fees are in no subtotal (Invoice, since v6)."""
        found = read(
            invoice(
                adjustmentsSubtotalAmountMicros="-10000000",
                adjustmentsTaxAmountMicros="-1900000",
                regulatoryCostsSubtotalAmountMicros="20000000",
                exportChargeSubtotalAmountMicros="3000000",
                subtotalAmountMicros="950000000",
                taxAmountMicros="180500000",
            )
        )[0][0]
        assert lines(found)["adjustments"] == (InvoiceLineKind.ADJUSTMENT, -10_000_000, -1_900_000)
        assert lines(found)["regulatory_costs"] == (InvoiceLineKind.FEE, 20_000_000, 0)
        assert lines(found)["export_charge"] == (InvoiceLineKind.FEE, 3_000_000, 0)
        assert total(found) == (973_000_000, 180_500_000)

    @pytest.mark.parametrize(("second", "named"), [("260000000", ["Brand", "Autumn"]), ("260000001", [""])])
    def test_spend_is_by_campaign_where_the_campaigns_add_up_to_it(self, second: str, named: list[str]) -> None:
        summary = budget()
        summary["campaignSummaries"] = [
            {"campaignDescription": name, "quantity": "7", "unitOfMeasure": "CLICKS", "amountMicros": amount}
            for name, amount in (("Brand", "700000000"), ("Autumn", second))
        ]
        (found,), _ = read(invoice(accountBudgetSummaries=[summary]))
        spend = [line for line in found.lines if line.kind is InvoiceLineKind.SPEND]
        assert [line.campaign for line in spend] == named
        assert sum(line.amount for line in spend) == 960_000_000
        assert len({line.line for line in found.lines}) == len(found.lines)

    def test_a_total_that_its_parts_do_not_explain_is_kept(self) -> None:
        (found,), _ = read(invoice(subtotalAmountMicros="960000001"))
        assert lines(found)["rest"] == (InvoiceLineKind.ADJUSTMENT, 1, 0)

    def test_a_credit_memo_is_negative_and_names_what_it_corrects(self) -> None:
        memo = invoice(
            id="5002",
            type="CREDIT_MEMO",
            subtotalAmountMicros="-5000000",
            taxAmountMicros="0",
            accountBudgetSummaries=[budget(subtotalAmountMicros="-5000000", taxAmountMicros="0")],
            correctedInvoice=f"customers/{CUSTOMER}/invoices/4001",
        )
        (found,), _ = read(memo)
        assert (found.document, found.corrects) == (DocumentKind.CREDIT_MEMO, "4001")
        assert lines(found) == {"budget/0/credit": (InvoiceLineKind.CREDIT, -5_000_000, 0)}

    def test_a_memo_without_budgets_is_that_of_the_customer_of_its_billing_setup(self) -> None:
        memo = invoice(
            type="CREDIT_MEMO",
            subtotalAmountMicros="-5000000",
            taxAmountMicros="0",
            adjustmentsSubtotalAmountMicros="-5000000",
            accountBudgetSummaries=[],
        )
        assert total(*read(memo)[0]) == (-5_000_000, 0)
        assert read(memo, customer="999") == ([], [])

    def test_an_invoice_that_replaces_others_names_them(self) -> None:
        (found,), _ = read(invoice(replacedInvoices=["customers/1/invoices/1", "customers/2/invoices/2"]))
        assert found.replaces == ("1", "2")

    def test_consolidated_billing_is_counted_once(self) -> None:
        """Each customer is answered the whole invoice: its parts are told apart, adjustments are one customer's."""
        # given
        whole = invoice(
            accountBudgetSummaries=[budget(), budget(OTHER, subtotalAmountMicros="40000000", taxAmountMicros="0")],
            accountSummaries=[
                {
                    "customer": OTHER,
                    "couponAdjustmentSubtotalAmountMicros": "-6000000",
                    "billingCorrectionSubtotalAmountMicros": "1000000",
                }
            ],
            adjustmentsSubtotalAmountMicros="-7000000",
            subtotalAmountMicros="993000000",
        )

        # when
        (ours,), _ = read(whole)
        (others,), _ = read(whole, customer="999")

        # then
        assert lines(others) == {
            "budget/1/spend": (InvoiceLineKind.SPEND, 40_000_000, 0),
            "account/0/billing_correction": (InvoiceLineKind.ADJUSTMENT, 1_000_000, 0),
            "account/0/coupon_adjustment": (InvoiceLineKind.CREDIT, -6_000_000, 0),
            "adjustments": (InvoiceLineKind.ADJUSTMENT, -2_000_000, 0),
        }
        assert total(ours) == (960_000_000, 182_400_000)
        assert total(ours, others) == (993_000_000, 182_400_000)
        assert read(whole, customer="998") == ([], [])

    @pytest.mark.parametrize(
        "changes",
        [{"type": "PRO_FORMA"}, {"subtotalAmountMicros": "1.5"}, {"id": None}, {"taxAmountMicros": "9" * 19}],
    )
    def test_a_document_that_cannot_be_read_costs_itself_only(self, changes: dict[str, Any]) -> None:
        found, bad = read(invoice(**changes), invoice(id="5003"))
        assert ([each.invoice_id for each in found], len(bad)) == (["5003"], 1)

    def test_a_month_without_an_invoice_answers_none(self) -> None:
        assert read() == ([], [])


class TestQuestions:
    @pytest.fixture
    def session(self) -> Iterator[requests.Session]:
        with requests.Session() as made:
            yield made

    @pytest.fixture
    def wire(self, stub: StubServer) -> GoogleStub:
        return GoogleStub(stub)

    @pytest.fixture
    def google(self, wire: GoogleStub, session: requests.Session, clock: FrozenClock) -> GoogleConnector:
        return connected(wire.stub, session, clock, route="4242")

    def test_each_setup_is_asked_for_each_month_of_issue(self, google: GoogleConnector, wire: GoogleStub) -> None:
        # given
        wire.answers = [Answer(200, page([{"billingSetup": {"resourceName": SETUP, "id": "77"}}]))]
        wire.route = lambda _: Answer(200, {})

        # when
        pages = list(google.pages(task(Dataset.INVOICES, window=MONTHS)))

        # then
        asked = [(call.path, call.query["issueYear"], call.query["issueMonth"]) for call in wire.calls[1:]]
        path = f"/v26/customers/{CUSTOMER}/invoices"
        assert asked == [(path, "2026", month) for month in ("SEPTEMBER", "OCTOBER", "NOVEMBER")]
        assert {call.query["billingSetup"] for call in wire.calls[1:]} == {SETUP}
        assert {call.query["includeGranularLevelInvoiceDetails"] for call in wire.calls[1:]} == {"true"}
        assert {call.headers["Login-Customer-Id"] for call in wire.calls} == {"4242"}
        assert [one.last for one in pages] == [False, False, True]

    def test_nothing_issued_before_2019_is_asked_for(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.answers = [Answer(200, page([{"billingSetup": {"resourceName": SETUP, "id": "77"}}]))]
        wire.route = lambda _: Answer(200, {})
        list(google.pages(task(Dataset.INVOICES, window=Window(date(2018, 11, 1), date(2019, 1, 31)))))
        assert [call.query["issueMonth"] for call in wire.calls[1:]] == ["JANUARY"]

    @pytest.mark.parametrize(
        "code", ["NOT_INVOICED_CUSTOMER", "BILLING_SETUP_NOT_ON_MONTHLY_INVOICING", "NON_SERVING_CUSTOMER"]
    )
    def test_a_customer_that_is_not_invoiced_has_no_invoices(
        self, google: GoogleConnector, wire: GoogleStub, code: str
    ) -> None:
        wire.answers = [
            Answer(200, page([{"billingSetup": {"resourceName": SETUP, "id": "77"}}])),
            Answer(400, failed(400, "INVALID_ARGUMENT", {"invoiceError": code})),
        ]
        with pytest.raises(NotApplicable, match=code):
            list(google.pages(task(Dataset.INVOICES, window=MONTHS)))

    def test_who_may_not_see_the_bills_has_none_and_the_customer_stays_healthy(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        wire.answers = [
            Answer(200, page([{"billingSetup": {"resourceName": SETUP, "id": "77"}}])),
            Answer(403, failed(403, "PERMISSION_DENIED", {"authorizationError": "ACTION_NOT_PERMITTED"})),
        ]
        with pytest.raises(NotApplicable, match=r"no invoices: .*ACTION_NOT_PERMITTED"):
            list(google.pages(task(Dataset.INVOICES, window=MONTHS)))

    def test_a_setup_that_is_not_invoiced_hides_no_other(self, google: GoogleConnector, wire: GoogleStub) -> None:
        setups = [{"billingSetup": {"resourceName": name, "id": "7"}} for name in ("card", SETUP)]
        refused = failed(400, "INVALID_ARGUMENT", {"invoiceError": "BILLING_SETUP_NOT_ON_MONTHLY_INVOICING"})
        wire.answers = [Answer(200, page(setups)), Answer(400, refused)]
        wire.route = lambda _: Answer(200, {"invoices": [invoice()]})
        assert len(list(google.pages(task(Dataset.INVOICES, window=MONTHS)))) == 3

    def test_a_customer_without_a_billing_setup_has_none_either(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        wire.answers = [Answer(200, page([]))]
        with pytest.raises(NotApplicable, match="no billing setup"):
            list(google.pages(task(Dataset.INVOICES, window=MONTHS)))
