"""Invoices: what a platform billed an ad account for a month, line by line, in millionths of the bill's currency.

An invoice is a document: its amounts never change. What was wrong with one is put right by another one, a credit or
debit memo. So the documents of a month always add up: a memo does not take the place of what it corrects.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from adweir.model import limits
from adweir.model.metrics import Source
from adweir.model.platforms import Platform
from adweir.model.times import DAY, Window, first_of_month


class InvoiceLineKind(StrEnum):
    """What a line bills. Whatever is no spend says why a bill differs from the metrics.

    SPEND: what delivery of the month cost. OVERDELIVERY: what was delivered over a budget and is not charged.
    INVALID_TRAFFIC: given back for clicks and impressions that were found invalid. CREDIT: promotions, coupons,
    goodwill, and what a credit memo gives back. ADJUSTMENT: corrections, and what the platform does not explain. FEE:
    regulatory and other fees on top of the spend. TAX: a tax that the platform states for several lines together; its
    `amount` is 0.
    """

    SPEND = "spend"
    OVERDELIVERY = "overdelivery"
    INVALID_TRAFFIC = "invalid_traffic"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    FEE = "fee"
    TAX = "tax"


class DocumentKind(StrEnum):
    """CREDIT_MEMO gives back, DEBIT_MEMO charges more for something that was invoiced before."""

    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    DEBIT_MEMO = "debit_memo"


class InvoiceStatus(StrEnum):
    """What was paid of it; `status_raw` beside it keeps the platform's own word. UNKNOWN: the platform does not say."""

    ISSUED = "issued"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    WRITTEN_OFF = "written_off"
    UNKNOWN = "unknown"


BillingMonth = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
"""`2026-10`."""


class _BillPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class InvoiceLine(_BillPart):
    """One line. `amount` is before tax, `tax` on top of it; both negative where something is given back.

    `line` tells it apart in its invoice. `campaign_id` and `campaign` (its name), and `budget` (an account budget or
    portfolio), where the platform names them. `about_month`: the earlier month that a correction is about.
    """

    line: str
    kind: InvoiceLineKind
    amount: int
    tax: int = 0
    campaign_id: str = ""
    campaign: str = ""
    budget: str = ""
    about_month: str = ""


class Invoice(_BillPart):
    """A document, as far as it is about one ad account: the parts of others in it belong to their profiles.

    `month` is the billing period's; `start` and `end` are the period itself where the platform states it. `corrects`
    and `replaces` name other invoices.
    """

    platform: Platform
    profile_id: str
    invoice_id: str
    month: BillingMonth
    currency: str
    lines: tuple[InvoiceLine, ...]
    document: DocumentKind = DocumentKind.INVOICE
    start: str = ""
    end: str = ""
    issued_on: str = ""
    due_on: str = ""
    status: InvoiceStatus = InvoiceStatus.UNKNOWN
    status_raw: str = ""
    corrects: str = ""
    replaces: tuple[str, ...] = ()
    source: Source = Source.PULL
    as_of: str = ""

    @property
    def is_whole_month(self) -> bool:
        """Whether the billing period, where it is stated, lies within the month."""
        return all(not day or day.startswith(self.month) for day in (self.start, self.end))


def month_of(day: date) -> str:
    """`2026-10` for a day in October."""
    return day.isoformat()[:7]


def month_of_period(period: Window) -> str:
    """The month that has most days of a billing period, of two with equally many the earlier."""
    days: dict[str, int] = {}
    first = first_of_month(period.start)
    while first <= period.end:
        following = first_of_month(first, 1)
        days[month_of(first)] = (min(period.end, following - DAY) - max(period.start, first)).days + 1
        first = following
    return max(days, key=lambda month: (days[month], -int(month.replace("-", ""))))


def condensed(lines: Iterable[InvoiceLine]) -> tuple[InvoiceLine, ...]:
    """At most `limits.MAX_INVOICE_LINES` lines with the same sums: the smallest are added up, a line per kind."""
    every = list(lines)
    most = limits.MAX_INVOICE_LINES - len(InvoiceLineKind)
    if len(every) <= limits.MAX_INVOICE_LINES:
        return tuple(every)
    every.sort(key=lambda line: (-abs(line.amount), -abs(line.tax), line.line))
    sums: dict[InvoiceLineKind, tuple[int, int]] = {}
    for line in every[most:]:
        amount, tax = sums.get(line.kind, (0, 0))
        sums[line.kind] = amount + line.amount, tax + line.tax
    others = (InvoiceLine(line=f"other/{kind}", kind=kind, amount=a, tax=t) for kind, (a, t) in sorted(sums.items()))
    return (*every[:most], *others)


def stored(invoice: Invoice) -> dict[str, Any]:
    """The content of an invoice as it is kept, without what orders its versions."""
    return invoice.model_dump(mode="json", exclude_defaults=True, exclude={"as_of"})
