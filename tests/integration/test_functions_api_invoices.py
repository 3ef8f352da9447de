"""Invoices through the API's handler: lines of bills, and their months beside what was measured."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from adweir.model.invoices import DocumentKind, Invoice, InvoiceLine, InvoiceLineKind, InvoiceStatus
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.store import PullRows
from support.api import DAYS, META, T1, Call, fill

OCTOBER = Window.parse("2026-10-01..2026-10-31")


def line(kind: InvoiceLineKind, amount: int, tax: int = 0, **values: str) -> InvoiceLine:
    return InvoiceLine(line=f"{kind}/1", kind=kind, amount=amount, tax=tax, **values)


def bill(invoice_id: str, month: str, *lines: InvoiceLine, **values: Any) -> Invoice:
    known = {"platform": META, "profile_id": "111", "currency": "EUR", **values}
    return Invoice(invoice_id=invoice_id, month=month, lines=lines, **known)


def pulled(api: ModuleType, profile_id: str, window: Window, currency: str, spend: int) -> None:
    """The account's total of these days, with all the spend on the first."""
    rows = PullRows()
    for place, day in enumerate(window.days()):
        cost = 0 if place else spend
        rows.offer(MetricRow(profile_id, day.isoformat(), 10, 1, 0, cost, 0, "", "", -1, currency))
    pull = Pull(META, profile_id, Level.ACCOUNT, Grain.DAY, Source.PULL, "all", window, Stamp(T1, "t9"), complete=True)
    api.app.metrics.load(pull, rows)


@pytest.fixture
def billed(api: ModuleType) -> ModuleType:
    """100 EUR were measured in October, which is billed with credits and a memo; other bills are in dollars, or old."""
    fill(api)
    pulled(api, "111", OCTOBER, "EUR", 100_000_000)
    pulled(api, "222", DAYS, "USD", 4_000_000)
    october = bill(
        "1",
        "2026-10",
        line(InvoiceLineKind.SPEND, 101_000_000, campaign_id="c1", campaign="Autumn"),
        line(InvoiceLineKind.INVALID_TRAFFIC, -1_500_000, about_month="2026-09"),
        line(InvoiceLineKind.TAX, 0, 18_905_001),
        start="2026-10-01",
        end="2026-10-31",
        issued_on="2026-10-31",
        status=InvoiceStatus.ISSUED,
    )
    memo = bill("2", "2026-10", line(InvoiceLineKind.CREDIT, -1), document=DocumentKind.CREDIT_MEMO, corrects="1")
    api.app.catalog.put_invoices(
        [
            october,
            memo,
            bill("3", "2026-10", line(InvoiceLineKind.FEE, 3_000_000), currency="USD"),
            bill("4", "2025-11", line(InvoiceLineKind.SPEND, 7_000_000), start="2025-10-28", end="2025-11-27"),
            bill("5", "2026-11", line(InvoiceLineKind.SPEND, 4_938_268), profile_id="222", currency="USD"),
        ],
        T1,
    )
    return api


def ids(answer: dict[str, Any]) -> list[str]:
    return [each["invoice_id"] for each in answer["invoices"]]


def test_a_line_says_what_it_bills_and_of_which_document(call: Call, billed: ModuleType) -> None:
    first, credit, tax, memo, _ = call("GET", "/api/v1/invoices", profile_id="111", start="2026-10", end="2026-10")[
        "invoices"
    ]
    assert (first["amount"], first["tax"], first["total"], first["currency"]) == (101, 0, 101, "EUR")
    assert (first["kind"], first["campaign_id"], first["campaign"], first["status"]) == (
        "spend",
        "c1",
        "Autumn",
        "issued",
    )
    assert (first["account_id"], first["client_account_id"], first["issued_on"]) == ("111", "acc", "2026-10-31")
    assert (credit["amount"], credit["about_month"], credit["campaign_id"]) == (-1.5, "2026-09", None)
    assert (tax["amount"], tax["tax"]) == (0, 18.905001)
    assert (memo["document"], memo["corrects"], memo["amount"], memo["start_date"]) == (
        "credit_memo",
        "1",
        -1e-06,
        None,
    )


def test_a_month_sets_what_was_billed_before_tax_beside_what_was_measured(call: Call, billed: ModuleType) -> None:
    # when
    answer = call("GET", "/api/v1/invoices", profile_id="111", start="2026-10", end="2026-10", kind="tax")

    # then: all documents of the month count, though one line of one of them is listed
    euros, dollars = answer["months"]
    assert ids(answer) == ["1"]
    assert (euros["month"], euros["currency"], euros["documents"]) == ("2026-10", "EUR", 2)
    assert (euros["billed"], euros["tax"], euros["total"]) == (99.499999, 18.905001, 118.405)
    assert (euros["measured"], euros["difference"]) == (100, -0.500001)
    assert (euros["days"], euros["days_pulled"], euros["is_whole_month"]) == (31, 31, True)
    assert euros["by_kind"] == {"credit": -1e-06, "invalid_traffic": -1.5, "spend": 101, "tax": 0}
    assert (dollars["currency"], dollars["billed"]) == ("USD", 3)
    assert (dollars["measured"], dollars["difference"]) == (None, None)


def test_a_month_that_was_not_pulled_measured_nothing_known(call: Call, billed: ModuleType) -> None:
    (old,) = call("GET", "/api/v1/invoices", profile_id="111", start="2025-11", end="2025-11")["months"]
    assert (old["billed"], old["measured"], old["difference"], old["days_pulled"]) == (7, None, None, 0)
    assert not old["is_whole_month"]


def test_a_month_of_which_some_days_were_pulled_says_how_many(call: Call, billed: ModuleType) -> None:
    (november,) = call("GET", "/api/v1/invoices", profile_id="222")["months"]
    assert (november["measured"], november["difference"], november["days_pulled"]) == (4, 0.938268, 2)


def test_twelve_months_are_listed_where_none_is_named(call: Call, billed: ModuleType) -> None:
    """Today is in November."""
    assert ids(call("GET", "/api/v1/invoices", profile_id="111,222")) == ["1", "1", "1", "2", "3", "5"]
    assert ids(call("GET", "/api/v1/invoices", end="2025-11-03")) == ["4"]
    assert ids(call("GET", "/api/v1/invoices", start="2025-11-30", end="2026-09")) == ["4"]
    assert ids(call("GET", "/api/v1/invoices", platform="google")) == []


def test_lines_are_narrowed_ordered_cut_and_paged(call: Call, billed: ModuleType) -> None:
    assert ids(call("GET", "/api/v1/invoices", document="credit_memo")) == ["2"]
    assert ids(call("GET", "/api/v1/invoices", invoice_id="3,5", status="unknown")) == ["3", "5"]
    assert ids(call("GET", "/api/v1/invoices", campaign_id="c1")) == ["1"]
    asked = {"order": "-amount", "fields": "kind,amount", "limit": "4"}
    first = call("GET", "/api/v1/invoices", **asked)
    second = call("GET", "/api/v1/invoices", next_token=first["next_token"], **asked)
    assert first["invoices"][0] == {"kind": "spend", "amount": 101}
    assert [each["amount"] for each in second["invoices"]] == [-1e-06, -1.5]
    assert [each["month"] for each in second["months"]] == ["2026-10", "2026-10"]
    assert second["next_token"] is None


def test_a_question_that_is_wrong_is_named(call: Call) -> None:
    wrong: list[tuple[dict[str, str], str]] = [
        ({"start": "2026-13"}, "query.start"),
        ({"end": "October"}, "query.end"),
        ({"start": "2026-10", "end": "2026-09"}, "query.date_range"),
        ({"start": "2020-01"}, "query.date_range"),
        ({"kind": "rent"}, "query.kind"),
    ]
    for asked, field in wrong:
        error = call("GET", "/api/v1/invoices", expect=422, **asked)["error"]
        assert [detail["field"] for detail in error["details"]] == [field], asked


def test_retrieve_has_them_as_a_data_type(call: Call, billed: ModuleType) -> None:
    body: dict[str, Any] = {
        "data_type": "invoices",
        "filters": {"date_range": {"start": "2026-10-15", "end": "2026-10-15"}},
    }
    records = call("POST", "/api/v1/data_pipeline/retrieve", body)["result"]["records"]
    assert [each["amount"] for each in records] == [101, -1.5, 0, -1e-06, 3]
    for name, amounts in (("campaign_id", [101]), ("ad_id", [])):
        body["filters"][name] = "c1"
        found = call("POST", "/api/v1/data_pipeline/retrieve", body)["result"]["records"]
        assert [each["amount"] for each in found] == amounts
