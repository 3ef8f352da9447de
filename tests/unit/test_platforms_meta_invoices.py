"""Meta's invoices: whose are asked for, and an ad account's part of one (business_invoices, InvoiceCampaign)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import AccessDenied, NotApplicable, RequestRejected
from adweir.model.invoices import DocumentKind, Invoice, InvoiceLineKind, InvoiceStatus
from adweir.model.metrics import BadRow
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import Page, PageInHand
from adweir.platforms.meta import client as meta
from adweir.platforms.meta.client import MetaConnector
from adweir.platforms.meta.invoices import LABEL, READER
from support.meta_wire import context, error, page
from support.platforms import META_ADS, wiring
from support.stub_http import Answer, Call, StubServer

ACCOUNT, OTHER = "1234567890", "999"
MONTHS = Window(date(2017, 2, 1), date(2017, 4, 10))


def details(net: str, tax: str = "0.00") -> dict[str, str]:
    return {"currency": "USD", "net_amount": net, "tax_amount": tax, "total_amount": "387.70"}


def invoice(**changes: Any) -> dict[str, Any]:
    """The sample of Meta's documents (Business Manager API, "Invoices"), with the fields of its list of more fields."""
    made = {
        "billed_amount_details": details("387.70"),
        "billing_period": "2017-03-01",
        "entity": "FBUS",
        "id": "1659175694099710",
        "invoice_id": "22736800",
        "liability_type": "Normal",
        "invoice_type": "Invoice",
        "payment_term": "CUSTOMER",
        "type": "Invoice",
        "ad_account_ids": [ACCOUNT],
        "invoice_date": "2017-03-31",
        "due_date": "2017-04-30T00:00:00-0700",
        "payment_status": "Partially Paid",
    }
    return {**made, **changes}


def campaign(campaign_id: str, net: str, tax: str = "0.00", account: str = ACCOUNT) -> dict[str, Any]:
    named = {"campaign_id": campaign_id, "campaign_name": "Nhận ưu đãi", "ad_account_id": account}
    return {**named, "billed_amount_details": details(net, tax)}


CAMPAIGNS = (campaign("6056967798500", "207.62"), campaign("6056958052500", "180.08"))


def read(
    document: dict[str, Any], *campaigns: dict[str, Any], account: str = ACCOUNT
) -> tuple[list[Invoice], list[BadRow]]:
    body = json.dumps({"invoice": document, "campaigns": campaigns}).encode()
    stored = PageInHand.of(Page(body, "", 200, last=True, label=LABEL), 1)
    (batch,) = READER.invoice_batches(stored, context(Dataset.INVOICES, profile_id=account))
    return batch.invoices, batch.bad


def amounts(found: list[Invoice]) -> list[tuple[InvoiceLineKind, int, int]]:
    return [(line.kind, line.amount, line.tax) for each in found for line in each.lines]


class TestDocuments:
    def test_an_invoice_is_of_its_billing_period_by_campaign(self) -> None:
        (found,), bad = read(invoice(), *CAMPAIGNS)
        assert not bad
        assert (found.invoice_id, found.month, found.currency) == ("22736800", "2017-03", "USD")
        assert (found.issued_on, found.due_on, found.status) == ("2017-03-31", "2017-04-30", InvoiceStatus.PARTLY_PAID)
        assert [line.campaign_id for line in found.lines] == ["6056967798500", "6056958052500"]
        assert amounts([found]) == [(InvoiceLineKind.SPEND, 207_620_000, 0), (InvoiceLineKind.SPEND, 180_080_000, 0)]

    def test_what_the_campaigns_leave_of_the_invoice_is_a_line(self) -> None:
        whole = invoice(billed_amount_details=details("200.00", "38.01"))
        assert amounts(read(whole, campaign("1", "207.62", "38.00"))[0]) == [
            (InvoiceLineKind.SPEND, 207_620_000, 38_000_000),
            (InvoiceLineKind.ADJUSTMENT, -7_620_000, 10_000),
        ]
        only_tax = invoice(billed_amount_details=details("207.62", "39.45"))
        assert amounts(read(only_tax, campaign("1", "207.62"))[0])[1:] == [(InvoiceLineKind.TAX, 0, 39_450_000)]
        assert amounts(read(only_tax)[0]) == [(InvoiceLineKind.SPEND, 207_620_000, 39_450_000)]

    @pytest.mark.parametrize("sign", ["", "-"])
    def test_a_credit_memo_is_subtracted_whatever_its_sign(self, sign: str) -> None:
        memo = invoice(type="CM", billed_amount_details=details(f"{sign}12.50", f"{sign}2.38"))
        (found,), _ = read(memo, campaign("1", f"{sign}12.00", f"{sign}2.28"))
        assert found.document is DocumentKind.CREDIT_MEMO
        assert amounts([found]) == [
            (InvoiceLineKind.CREDIT, -12_000_000, -2_280_000),
            (InvoiceLineKind.CREDIT, -500_000, -100_000),
        ]

    def test_campaigns_in_another_currency_are_not_added_up(self) -> None:
        foreign = campaign("1", "12.00") | {"billed_amount_details": details("12.00") | {"currency": "EUR"}}
        found, (bad,) = read(invoice(), campaign("2", "375.70"), foreign)
        assert not found
        assert bad.errors[0]["field"] == "currency"

    def test_a_debit_memo_charges_more(self) -> None:
        assert amounts(read(invoice(type="DM"))[0]) == [(InvoiceLineKind.ADJUSTMENT, 387_700_000, 0)]

    def test_an_invoice_of_several_ad_accounts_is_counted_once(self) -> None:
        # given: two campaigns of ours, one of the other, and 7.70 that no campaign explains
        shared = invoice(ad_account_ids=[f"act_{ACCOUNT}", OTHER], billed_amount_details=details("495.40", "10.00"))
        billed = (*CAMPAIGNS, campaign("7", "100.00", "4.00", f"act_{OTHER}"))

        # when
        ours, others = amounts(read(shared, *billed)[0]), amounts(read(shared, *billed, account=OTHER)[0])

        # then
        assert ours == [(InvoiceLineKind.SPEND, 207_620_000, 0), (InvoiceLineKind.SPEND, 180_080_000, 0)]
        assert others == [
            (InvoiceLineKind.SPEND, 100_000_000, 4_000_000),
            (InvoiceLineKind.ADJUSTMENT, 7_700_000, 6_000_000),
        ]

    @pytest.mark.parametrize("changes", [{"type": "RECEIPT"}, {"billing_period": "March"}, {"billing_period": None}])
    def test_a_document_that_cannot_be_read_is_bad(self, changes: dict[str, Any]) -> None:
        found, bad = read(invoice(**changes))
        assert (found, len(bad)) == ([], 1)

    def test_an_amount_that_cannot_be_read_is_bad(self) -> None:
        assert len(read(invoice(billed_amount_details=details("1,411.00")))[1]) == 1


class TestQuestions:
    @pytest.fixture
    def connector(self, stub: StubServer, clock: Any, slept: list[float]) -> Iterator[MetaConnector]:
        with requests.Session() as session:
            yield meta.connect(
                credential=Credential(account_id="acme", platform=META_ADS, secret_id="s"),
                secret={"access_token": "EAAGtoken"},
                wiring=wiring(META_ADS, session, clock, urls={"api": stub.url}, sleep=slept.append),
            )

    def pages(self, connector: MetaConnector) -> list[Page]:
        made = Task("r", "s", "acme", META_ADS, ACCOUNT, Dataset.INVOICES, "all", MONTHS, deadline=0)
        return list(connector.pages(made))

    def serve(self, stub: StubServer, *documents: dict[str, Any], account: Any = None) -> None:
        """An ad account of business 249, its invoices, and two campaigns of each."""

        def route(call: Call) -> Answer:
            edge = call.path.rpartition("/")[2]
            if edge == f"act_{ACCOUNT}":
                return Answer(200, {"id": edge, "business": {"id": "249"}} if account is None else account)
            return Answer(200, page(CAMPAIGNS if edge == "campaigns" else documents))

        stub.route = route

    def test_the_business_is_asked_by_the_days_of_issue_and_each_bill_for_its_campaigns(
        self, connector: MetaConnector, stub: StubServer
    ) -> None:
        self.serve(stub, invoice(), invoice(id="8", ad_account_ids=[OTHER]), invoice(id="9", type="PRO_FORMA"))

        pages = self.pages(connector)

        paths = [call.path.partition("/v")[2].partition("/")[2] for call in stub.calls]
        assert paths == [f"act_{ACCOUNT}", "249/business_invoices", "1659175694099710/campaigns"]
        asked = stub.calls[1].query
        assert (asked["issue_start_date"], asked["issue_end_date"]) == ("2017-02-01", "2017-04-11")
        assert "start_date" not in asked
        assert [(one.label, one.last) for one in pages] == [("", False), (LABEL, True)]
        stored = [batch for one in pages for batch in READER.invoice_batches(PageInHand.of(one, 1), context())]
        assert [each.invoice_id for batch in stored for each in batch.invoices] == ["22736800"]
        assert [bad for batch in stored for bad in batch.bad] == []

    def test_what_does_not_say_whom_it_bills_is_bad_unless_it_bills_nobody(
        self, connector: MetaConnector, stub: StubServer
    ) -> None:
        self.serve(stub, invoice(ad_account_ids=[]), invoice(ad_account_ids=[], type="Pro forma"), {"id": 5})
        (only,) = self.pages(connector)
        (batch,) = READER.invoice_batches(PageInHand.of(only, 1), context())
        assert only.last
        assert [bad.errors[0]["field"] for bad in batch.bad] == ["ad_account_ids", ""]

    def test_an_ad_account_of_no_business_is_not_invoiced(self, connector: MetaConnector, stub: StubServer) -> None:
        self.serve(stub, account={"id": f"act_{ACCOUNT}"})
        with pytest.raises(NotApplicable, match="names no business"):
            self.pages(connector)

    @pytest.mark.parametrize("refused", [error(200), error(10), error(100, 33)])
    def test_without_a_finance_role_there_are_none_and_the_ad_account_stays_healthy(
        self, connector: MetaConnector, stub: StubServer, refused: dict[str, Any]
    ) -> None:
        business = Answer(200, {"business": {"id": "249"}})
        stub.route = lambda call: business if "act_" in call.path else Answer(403, refused)
        with pytest.raises(NotApplicable, match="finance role"):
            self.pages(connector)

    def test_other_refusals_stay_what_they_are(self, connector: MetaConnector, stub: StubServer) -> None:
        stub.route = lambda _: Answer(403, error(200))
        with pytest.raises(AccessDenied):
            self.pages(connector)
        self.serve(stub, account={"business": {"id": "../me"}})
        with pytest.raises(RequestRejected, match="not an id"):
            self.pages(connector)
