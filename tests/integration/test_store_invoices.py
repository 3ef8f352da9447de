"""Invoices on moto's DynamoDB, stored by pulls in any order, and the loader's path from a raw object to them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.invoices import DocumentKind, Invoice, InvoiceLine, InvoiceLineKind, InvoiceStatus
from adweir.model.platforms import Platform
from adweir.model.times import Window, iso
from adweir.store.catalog.limited import LimitedCatalog
from adweir.store.catalog.store import Catalog
from support.clock import FrozenClock
from support.load_world import LoadWorld

GOOGLE = Platform("google_ads")
T1, T2, T3 = (f"2026-11-2{n}T00:00:00.000000Z" for n in range(3))


def a_bill(invoice_id: str = "5001", month: str = "2026-10", spend: int = 100, **values: Any) -> Invoice:
    made = InvoiceLine(line="1", kind=InvoiceLineKind.SPEND, amount=spend, tax=19)
    known = {"platform": GOOGLE, "profile_id": "111", "currency": "EUR", "lines": (made,), **values}
    return Invoice(invoice_id=invoice_id, month=month, **known)


@pytest.fixture
def catalog(tables: None, clock: FrozenClock) -> Catalog:
    return Catalog(clock)


def found(catalog: Catalog, *months: str) -> list[Invoice]:
    return list(catalog.invoices(GOOGLE, "111", *months))


def test_an_invoice_that_is_stored_twice_is_there_once(catalog: Catalog) -> None:
    assert catalog.put_invoices([a_bill()], T1) == (1, 0, 0)
    assert catalog.put_invoices([a_bill()], T2) == (0, 0, 1)
    assert found(catalog) == [a_bill(as_of=T2)]


def test_the_newest_pull_says_what_was_paid_whatever_the_order(catalog: Catalog) -> None:
    states = (InvoiceStatus.ISSUED, InvoiceStatus.PARTLY_PAID, InvoiceStatus.PAID)
    pulls = [(a_bill(status=status), at) for status, at in zip(states, (T1, T2, T3), strict=True)]
    for number, order in enumerate(permutations(pulls)):
        for bill, at in order:
            catalog.put_invoices([bill.model_copy(update={"invoice_id": str(number)})], at)
    assert {(bill.status, bill.as_of) for bill in found(catalog)} == {(InvoiceStatus.PAID, T3)}


@pytest.mark.parametrize("invoice_id", ["~", "\uffff1", "\U0001f9fe 7"])
def test_a_month_has_all_its_documents_whatever_they_are_called(catalog: Catalog, invoice_id: str) -> None:
    catalog.put_invoices([a_bill(invoice_id), a_bill(month="2026-11")], T1)
    assert [bill.invoice_id for bill in found(catalog, "2026-10", "2026-10")] == [invoice_id]
    assert [bill.month for bill in found(catalog, "2026-11", "2026-11")] == ["2026-11"]


def test_a_newer_pull_that_brings_the_same_holds_an_older_one_off(catalog: Catalog) -> None:
    catalog.put_invoices([a_bill()], T1)
    catalog.put_invoices([a_bill()], T3)
    assert catalog.put_invoices([a_bill(spend=7)], T2) == (0, 0, 1)
    assert found(catalog)[0].lines[0].amount == 100


def test_of_two_files_of_one_second_the_same_wins_whichever_comes_first(catalog: Catalog) -> None:
    one, other = a_bill(spend=1), a_bill(spend=2)
    for invoice_id, order in (("a", (one, other)), ("b", (other, one))):
        for bill in order:
            catalog.put_invoices([bill.model_copy(update={"invoice_id": invoice_id})], T1)
    assert len({bill.lines for bill in found(catalog)}) == 1


def test_a_corrected_invoice_is_replaced_whole(catalog: Catalog) -> None:
    lines = tuple(InvoiceLine(line=str(n), kind=InvoiceLineKind.SPEND, amount=n) for n in range(3))
    catalog.put_invoices([a_bill(lines=lines)], T1)
    assert catalog.put_invoices([a_bill(lines=lines[:1])], T2) == (0, 1, 0)
    assert found(catalog)[0].lines == lines[:1]


def test_a_late_memo_stands_beside_what_it_corrects(catalog: Catalog) -> None:
    memo = a_bill("6001", "2026-11", -40, document=DocumentKind.CREDIT_MEMO, corrects="5001", currency="USD")
    catalog.put_invoices([a_bill()], T1)
    catalog.put_invoices([memo], T2)
    assert [(bill.month, bill.currency, bill.lines[0].amount) for bill in found(catalog)] == [
        ("2026-10", "EUR", 100),
        ("2026-11", "USD", -40),
    ]


def test_invoices_are_read_by_their_months(catalog: Catalog) -> None:
    catalog.put_invoices([a_bill("ä" + month, month) for month in ("2025-12", "2026-01", "2026-02")], T1)
    other = a_bill("1", "2026-01", profile_id="1119")
    catalog.put_invoices([other], T1)
    assert [bill.month for bill in found(catalog, "2026-01", "2026-01")] == ["2026-01"]
    assert [bill.month for bill in found(catalog, "2026-01")] == ["2026-01", "2026-02"]
    assert [bill.month for bill in found(catalog, "", "2026-01")] == ["2025-12", "2026-01"]


def test_a_key_of_other_accounts_sees_no_invoices(catalog: Catalog, clock: FrozenClock) -> None:
    catalog.put_invoices([a_bill()], T1)
    assert list(LimitedCatalog(clock, ["other"]).invoices(GOOGLE, "111")) == []


# --- from raw objects


class BilledWorld(LoadWorld):
    """The loader, with a customer of Google's."""

    platform = GOOGLE

    def bill(self, *documents: dict[str, Any], run_id: str = "r") -> dict[str, Any]:
        """Land and load a page of invoices; the ended task's state and counts."""
        task = self.plan(Dataset.INVOICES, Window.parse("2026-09-01..2026-11-20"), run_id)
        task = replace(task, platform=GOOGLE)
        state = self.pull(task, {"invoices": list(documents)})
        ended = self.ledger.get_task(task.run_id, task.id)
        assert ended is not None
        return {"state": state, **ended.counts}


def a_document(invoice_id: str = "5001", subtotal: str = "90000000") -> dict[str, Any]:
    return {
        "id": invoice_id,
        "type": "INVOICE",
        "billingSetup": "customers/1/billingSetups/7",
        "currencyCode": "EUR",
        "issueDate": "2026-10-31",
        "subtotalAmountMicros": subtotal,
        "accountBudgetSummaries": [{"customer": "customers/1", "subtotalAmountMicros": subtotal}],
    }


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> BilledWorld:
    return BilledWorld(clock, "adweir-data")


def test_a_pull_of_invoices_is_stored_and_said_once(world: BilledWorld) -> None:
    # when
    first = world.bill(a_document())
    world.clock.advance(60)
    again = world.bill(a_document(), run_id="r2")

    # then
    assert (first["state"], first["added"], first["rows_stored"]) == ("loaded", 1, 1)
    assert (again["state"], again["added"], again["changed"], again["rows_stored"]) == ("loaded", 0, 0, 1)
    (stored,) = world.catalog.invoices(GOOGLE, "1")
    assert (stored.month, stored.lines[0].amount, stored.as_of) == ("2026-10", 90_000_000, iso(world.clock.now()))
    assert world.bus.names() == ["EntitiesChanged"]


def test_an_invoice_that_cannot_be_read_is_quarantined_and_the_others_stored(world: BilledWorld) -> None:
    ended = world.bill(a_document(subtotal="12,5"), a_document("5002"), a_document("x" * 2000))
    assert (ended["state"], ended["rows_stored"], ended["rows_quarantined"]) == ("loaded", 1, 2)
    assert world.bus.names() == ["EntitiesChanged", "QualityBreached"]
    assert [bill.invoice_id for bill in world.catalog.invoices(GOOGLE, "1")] == ["5002"]
