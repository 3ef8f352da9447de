"""Amazon's invoices: which are asked for, and the lines of one (`GET /invoices`, `GET /invoices/{id}`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import NotApplicable, RequestRejected, Transient
from adweir.model.invoices import Invoice, InvoiceLineKind, InvoiceStatus
from adweir.model.metrics import BadRow
from adweir.model.times import Window
from adweir.platforms.amazon_ads.client import AmazonConnector
from adweir.platforms.amazon_ads.invoices import LABEL, READER
from adweir.platforms.connector import Page, PageInHand, PullContext
from support.amazon_stub import AmazonStub, Answer, amazon_stub, connected, task
from support.clock import FrozenClock

MONTHS = Window.parse("2021-06-01..2021-07-10")
CONTEXT = PullContext("acme", "123", Dataset.INVOICES, "all", MONTHS, "2026-11-20T12:00:00.000000Z", "EUR", "UTC")


def money(amount: float, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": amount, "currencyCode": currency}


def summary(invoice_id: str = "DR0012TTY-75", **changes: Any) -> dict[str, Any]:
    """An invoice in the list (python-amazon-ad-api's documentation of `list_invoices`)."""
    made = {
        "id": invoice_id,
        "status": "PAID_IN_FULL",
        "fromDate": "20210613",
        "toDate": "20210625",
        "invoiceDate": "20210624",
        "amountDue": money(500.04),
        "taxAmountDue": money(0.0),
        "remainingAmountDue": money(0.0),
        "remainingTaxAmountDue": money(0.0),
        "fees": [],
        "remainingFees": [],
    }
    return {**made, **changes}


def cost(amount: float, campaign_id: int, **changes: Any) -> dict[str, Any]:
    """A line: a campaign's clicks."""
    return {"cost": money(amount), "campaignId": campaign_id, "campaignName": f"Campaign {campaign_id}", **changes}


def read(head: dict[str, Any], *lines: dict[str, Any], **more: Any) -> tuple[list[Invoice], list[BadRow]]:
    payload = {"invoiceSummary": head, "invoiceLines": list(lines), "adjustments": [], "promotions": [], **more}
    body = json.dumps({"status": "success", "payload": payload}).encode()
    (batch,) = READER.invoice_batches(PageInHand.of(Page(body, "", 200, last=True, label=LABEL), 1), CONTEXT)
    return batch.invoices, batch.bad


def amounts(*read_: Any) -> list[tuple[InvoiceLineKind, int, int]]:
    (found,), bad = read_
    assert not bad
    return [(line.kind, line.amount, line.tax) for line in found.lines]


class TestDocuments:
    def test_a_campaign_s_costs_are_one_line_however_many_kinds_of_events(self) -> None:
        big = 2**53 + 1  # ids are int64
        head = summary(amountDue=money(100.3))
        portfolios = [{"id": 7, "name": "Spring", "totalAmount": money(1)}]
        (found,), _ = read(head, cost(60.1, big, portfolioId=7), cost(40.2, big, portfolioId=7), portfolios=portfolios)
        (line,) = found.lines
        assert (line.amount, line.campaign_id, line.budget) == (100_300_000, str(big), "Spring")
        assert (found.month, found.start, found.end) == ("2021-06", "2021-06-13", "2021-06-25")
        assert (found.status, found.status_raw) == (InvoiceStatus.PAID, "PAID_IN_FULL")
        assert (found.currency, found.issued_on, found.due_on) == ("EUR", "2021-06-24", "")

    def test_a_period_over_two_months_is_of_the_one_with_most_days(self) -> None:
        (found,), _ = read(summary("DR0012TTY-76", fromDate="20210624", toDate="20210703"))
        assert (found.month, found.is_whole_month) == ("2021-06", False)

    @pytest.mark.parametrize("due", [88.0, 105.0, 93.0, 110.0])
    def test_the_amount_due_may_have_tax_and_fees_or_not(self, due: float) -> None:
        """Amazon's documents do not say; its parts are what is billed."""
        head = summary(amountDue=money(due), taxAmountDue=money(17.0), fees=[{"feeType": "DST", "cost": money(5.0)}])
        adjustment = {"amount": money(-2), "comments": "x"}
        assert amounts(*read(head, cost(100, 1, promotionAmount=money(10)), adjustments=[adjustment])) == [
            (InvoiceLineKind.SPEND, 100_000_000, 0),
            (InvoiceLineKind.CREDIT, -10_000_000, 0),
            (InvoiceLineKind.ADJUSTMENT, -2_000_000, 0),
            (InvoiceLineKind.FEE, 5_000_000, 0),
            (InvoiceLineKind.TAX, 0, 17_000_000),
        ]

    def test_a_promotion_is_itemized_twice_and_counts_once(self) -> None:
        promotion = {"amount": money(10), "description": "Welcome", "lastConsumedDate": "20210620"}
        by_line = read(summary(amountDue=money(90)), cost(100, 1, promotionAmount=money(-10)), promotions=[promotion])
        apart = read(summary(amountDue=money(90)), cost(100, 1), promotions=[promotion])
        expected = [(InvoiceLineKind.SPEND, 100_000_000, 0), (InvoiceLineKind.CREDIT, -10_000_000, 0)]
        assert amounts(*by_line) == amounts(*apart) == expected

    def test_what_the_lines_leave_of_the_amount_due_is_a_line(self) -> None:
        head = summary(amountDue=money(66.67), taxAmountDue=money(10.01))
        assert amounts(*read(head, cost(50, 1))) == [
            (InvoiceLineKind.SPEND, 50_000_000, 0),
            (InvoiceLineKind.ADJUSTMENT, 6_660_000, 0),
            (InvoiceLineKind.TAX, 0, 10_010_000),
        ]

    def test_amounts_are_doubles_whose_last_digits_mean_nothing(self) -> None:
        """0.1 + 0.2 is 0.30000000000000004 where amounts are added up as doubles."""
        head = summary(amountDue=money(0.1 + 0.2), taxAmountDue=money(59.980000000000004))
        assert amounts(*read(head, cost(0.30000000000000004, 1))) == [
            (InvoiceLineKind.SPEND, 300_000, 0),
            (InvoiceLineKind.TAX, 0, 59_980_000),
        ]

    @pytest.mark.parametrize(
        "foreign",
        [
            {"invoiceLines": [cost(20, 1), {**cost(10, 2), "cost": money(10, "USD")}]},
            {"invoiceLines": [cost(30, 1, promotionAmount=money(1, "USD"))]},
            {"adjustments": [{"amount": money(-2, "USD")}]},
            {"invoiceSummary": summary(amountDue=money(30), taxAmountDue=money(3, "USD"))},
            {"invoiceSummary": summary(amountDue=money(30), fees=[{"feeType": "DST", "cost": money(5, "USD")}])},
        ],
    )
    def test_amounts_in_another_currency_are_not_added_up(self, foreign: dict[str, Any]) -> None:
        payload = {"invoiceSummary": summary(amountDue=money(30)), "invoiceLines": [cost(30, 1)]} | foreign
        head, lines = payload.pop("invoiceSummary"), payload.pop("invoiceLines")
        found, (bad,) = read(head, *lines, **payload)
        assert not found
        assert bad.errors[0]["field"] == "currencyCode"

    @pytest.mark.parametrize("head", [summary(toDate="June"), summary(amountDue=None), summary(status=None)])
    def test_an_invoice_that_cannot_be_read_is_bad(self, head: dict[str, Any]) -> None:
        found, bad = read(head)
        assert (found, len(bad)) == ([], 1)


class TestQuestions:
    @pytest.fixture
    def stub(self) -> Iterator[AmazonStub]:
        with amazon_stub() as made:
            yield made

    @pytest.fixture
    def amazon(self, stub: AmazonStub, clock: FrozenClock) -> Iterator[AmazonConnector]:
        with requests.Session() as session:
            yield connected(stub, session, clock)

    def pages(self, amazon: AmazonConnector) -> list[Page]:
        return list(amazon.pages(replace(task(Dataset.INVOICES, "all"), window=MONTHS)))

    def listed(self, *summaries: dict[str, Any], cursor: str | None = None) -> Answer:
        return Answer(200, {"status": "success", "payload": {"invoiceSummaries": summaries, "nextCursor": cursor}})

    def test_details_are_asked_of_those_issued_in_the_months(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        # given: two pages, whatever their order; one is old, one is not issued yet
        running = {"id": "R", "status": "ACCUMULATING", "fromDate": "20210701", "amountDue": money(1)}
        stub.script(
            "/invoices",
            self.listed(summary("OLD", invoiceDate="20210531"), running, cursor="c2"),
            self.listed(summary("A-1"), summary("A-2", invoiceDate="20210710")),
        )
        for name in ("A-1", "A-2"):
            stub.script(f"/invoices/{name}", Answer(200, {"payload": {"invoiceSummary": summary(name)}}))

        # when
        pages = self.pages(amazon)

        # then
        assert [page.label for page in pages] == ["", "", LABEL, LABEL]
        assert [page.last for page in pages] == [False, False, False, True]
        assert [seen.query for seen in stub.requests("/invoices")] == [{"count": ["100"]}, {"cursor": ["c2"]}]
        assert all(seen.headers["amazon-advertising-api-scope"] == "123" for seen in stub.requests("/invoices/A-1"))

    def test_a_profile_without_invoices_has_none(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.script("/invoices", self.listed())
        (page,) = self.pages(amazon)
        assert page.last
        assert list(READER.invoice_batches(PageInHand.of(page, 1), CONTEXT)) == []

    @pytest.mark.parametrize(
        "refusal", [Answer(403, {"code": "403"}), Answer(401, {"details": "Not authorized to access invoices"})]
    )
    def test_without_the_permission_there_are_none_and_the_profile_stays_healthy(
        self, amazon: AmazonConnector, stub: AmazonStub, refusal: Answer
    ) -> None:
        stub.script("/invoices", refusal, refusal)
        with pytest.raises(NotApplicable, match="permission to view the billing history"):
            self.pages(amazon)

    def test_an_id_cannot_lead_elsewhere(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.script("/invoices", self.listed(summary("../v2/profiles")))
        with pytest.raises(RequestRejected, match="no id of an invoice"):
            self.pages(amazon)

    def test_a_list_that_turns_in_a_circle_is_left(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.script("/invoices", self.listed(cursor="c"), self.listed(cursor="c"))
        with pytest.raises(Transient, match="same page again"):
            self.pages(amazon)
