"""Why a month's bill differs from the measured spend: by which of its lines, and by how much."""

from __future__ import annotations

import pytest

from adweir.model.invoices import Invoice, InvoiceLine, InvoiceLineKind
from adweir.model.platforms import Platform
from adweir.reporting.invoices import LATER, _Billed

KINDS = InvoiceLineKind


def billed(*lines: tuple[InvoiceLineKind, int], about: str = "", documents: int = 1, tax: int = 0) -> _Billed:
    """October's bill: so many documents with these lines, each with this tax. `about` is the month that the last line
    corrects."""
    found = [
        InvoiceLine(line=str(number), kind=kind, amount=amount, tax=tax) for number, (kind, amount) in enumerate(lines)
    ]
    found[-1] = found[-1].model_copy(update={"about_month": about})
    bill = _Billed()
    for _ in range(documents):
        bill.add(
            Invoice(
                platform=Platform("google_ads"),
                profile_id="1",
                invoice_id="i",
                month="2026-10",
                currency="EUR",
                lines=tuple(found),
            )
        )
    return bill


@pytest.mark.parametrize("rest", [None, 0, 7, 50])
def test_taxes_and_fees_are_on_top_of_any_spend(rest: int | None) -> None:
    bill = billed((KINDS.SPEND, 100), (KINDS.FEE, 7), (KINDS.TAX, 3))
    assert bill.explained(rest) == {"fee": 7, "tax": 3}


@pytest.mark.parametrize("rest", [None, 0, -20])
def test_a_correction_of_an_earlier_month_is_on_top_of_the_month_s_own_spend(rest: int | None) -> None:
    assert billed((KINDS.SPEND, 100), (KINDS.ADJUSTMENT, -20), about="2026-09").explained(rest) == {"adjustment": -20}


@pytest.mark.parametrize(("rest", "found"), [(-20, {"credit": -20}), (0, {}), (None, {"credit": -20})])
def test_what_is_given_back_explains_what_is_missing_and_no_more(rest: int | None, found: dict[str, int]) -> None:
    assert billed((KINDS.SPEND, 100), (KINDS.CREDIT, -20), about="2026-10").explained(rest) == found


def test_of_lines_that_leave_as_little_the_more_are_named() -> None:
    bill = billed((KINDS.SPEND, 100), (KINDS.CREDIT, -20), (KINDS.ADJUSTMENT, 20))
    assert bill.explained(0) == {"adjustment": 20, "credit": -20}


def test_what_a_later_bill_gives_back_explains_a_spend_that_is_known() -> None:
    bill = billed((KINDS.SPEND, 100))
    bill.corrected(-30)
    assert (bill.explained(30), bill.explained(None)) == ({LATER: 30}, {})


def test_lines_of_one_kind_and_further_documents_of_the_month_add_up() -> None:
    kinds = ((KINDS.SPEND, 100), (KINDS.FEE, 7), (KINDS.CREDIT, -20))
    bill = billed(*kinds, *kinds, documents=2, tax=1)
    assert (bill.documents, bill.tax, dict(bill.kinds)) == (2, 12, {"spend": 400, "fee": 28, "credit": -80})
    assert bill.explained(28 + 12 - 80) == {"credit": -80, "fee": 28, "tax": 12}
