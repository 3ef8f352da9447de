"""Invoices as a vocabulary: billing months, and bills of many lines."""

from __future__ import annotations

from datetime import date

import pytest

from adweir.model.invoices import InvoiceLine, InvoiceLineKind, condensed, month_of_period
from adweir.model.times import Window, first_of_month
from support.bounds import at_the_bound


@pytest.mark.parametrize(
    ("period", "month"),
    [
        ("2026-10-01..2026-10-31", "2026-10"),
        ("2026-10-14..2026-10-14", "2026-10"),
        ("2021-06-24..2021-07-03", "2021-06"),
        ("2021-06-28..2021-07-12", "2021-07"),
        ("2026-12-25..2027-01-07", "2026-12"),
        ("2026-11-20..2027-01-10", "2026-12"),
    ],
)
def test_the_month_of_a_bill_has_most_of_its_days_the_earlier_of_two(period: str, month: str) -> None:
    assert month_of_period(Window.parse(period)) == month


@pytest.mark.parametrize(
    ("after", "first"), [(0, "2026-01-01"), (1, "2026-02-01"), (-1, "2025-12-01"), (-13, "2024-12-01")]
)
def test_months_are_counted_over_years(after: int, first: str) -> None:
    assert first_of_month(date(2026, 1, 31), after).isoformat() == first


@at_the_bound("MAX_INVOICE_LINES")
def test_a_bill_of_too_many_lines_keeps_its_sums_by_kind(*, size: int, fits: bool) -> None:
    # given: the smallest spend and credit are last
    kinds = (InvoiceLineKind.SPEND, InvoiceLineKind.CREDIT)
    lines = [InvoiceLine(line=str(n), kind=kinds[n % 2], amount=size + n, tax=n) for n in range(size)]

    # when
    kept = condensed(lines)

    # then
    assert len(kept) <= 500
    assert (kept == tuple(lines)) is fits
    for kind in kinds:
        of_kind = [[line for line in some if line.kind is kind] for some in (lines, kept)]
        amounts = [(sum(line.amount for line in some), sum(line.tax for line in some)) for some in of_kind]
        assert amounts[0] == amounts[1]
