"""Google's invoices (InvoiceService.ListInvoices, resources.Invoice of v26): questions, and pages → invoices.

An invoice may bill several customers of one payments account, and whoever asks gets the whole of it: each customer's
part is in `accountBudgetSummaries` and `accountSummaries` ("Consolidated billing"). What only the invoice as a whole
states (adjustments, regulatory costs, export charges) is one customer's, the first by number: so it is counted once,
however many customers are asked. An amount of 0 is absent.

Documents add up: a credit memo is negative, and what replaces an invoice comes with a memo that cancels the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.invoices import (
    DocumentKind,
    Invoice,
    InvoiceLine,
    InvoiceLineKind,
    condensed,
    month_of,
    month_of_period,
)
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.model.times import Window, first_of_month
from adweir.platforms import json_items
from adweir.platforms.connector import InvoiceBatch, PullContext, RawPage
from adweir.platforms.json_items import UNREADABLE

_PLATFORM = Platform("google_ads")
MONTHS = (
    "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE",
    "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER",
)  # fmt: skip
"""MonthOfYearEnum."""
_INT64_CHARS = 20
OLDEST = date(2019, 1, 1)
"""Invoices issued before cannot be asked for (YEAR_MONTH_TOO_OLD)."""
_DOCUMENTS: Mapping[str, DocumentKind] = {
    "INVOICE": DocumentKind.INVOICE,
    "CREDIT_MEMO": DocumentKind.CREDIT_MEMO,
}


def questions(window: Window, setup: str) -> Iterator[dict[str, str]]:
    """A question per month of issue that the window touches, for a billing setup by its resource name.

    Only granular details say which campaigns were billed, and of which kinds the adjustments are.
    """
    month = max(first_of_month(window.start), OLDEST)
    while month <= window.end:
        asked = {"billingSetup": setup, "issueYear": str(month.year), "issueMonth": MONTHS[month.month - 1]}
        yield asked | {"includeGranularLevelInvoiceDetails": "true"}
        month = first_of_month(month, 1)


class BillingSetup(msgspec.Struct, rename="camel"):
    resource_name: str


class _SetupRow(msgspec.Struct, rename="camel"):
    billing_setup: BillingSetup


def setups(body: bytes) -> list[str]:
    """The resource names of a page of billing setups, whatever their status: an ended one was billed too."""
    rows = json_items.items(body, "results") or ()
    return [_decode_setup(row).billing_setup.resource_name for row in rows]


class DateRange(msgspec.Struct, rename="camel"):
    start_date: str = ""
    end_date: str = ""


class InvalidActivity(msgspec.Struct, rename="camel"):
    original_month_of_service: str = ""
    original_year_of_service: str = ""


class CampaignSummary(msgspec.Struct, rename="camel"):
    """What a campaign was served; Google names it and gives no id."""

    campaign_description: str = ""
    amount_micros: str = "0"


class BudgetSummary(msgspec.Struct, rename="camel"):
    """`Invoice.AccountBudgetSummary`; what is served, billed and credited only customers on Google's list are told."""

    customer: str = ""
    account_budget_name: str = ""
    subtotal_amount_micros: str = "0"
    tax_amount_micros: str = "0"
    served_amount_micros: str = ""
    overdelivery_amount_micros: str = "0"
    invalid_activity_amount_micros: str = "0"
    invalid_activity_summaries: list[InvalidActivity] = []
    campaign_summaries: list[CampaignSummary] = []


class AccountSummary(msgspec.Struct, rename="camel"):
    """`Invoice.AccountSummary`: one customer's part of what is billed beside the budgets."""

    customer: str = ""
    billing_correction_subtotal_amount_micros: str = "0"
    billing_correction_tax_amount_micros: str = "0"
    coupon_adjustment_subtotal_amount_micros: str = "0"
    coupon_adjustment_tax_amount_micros: str = "0"
    excess_credit_adjustment_subtotal_amount_micros: str = "0"
    excess_credit_adjustment_tax_amount_micros: str = "0"
    regulatory_costs_subtotal_amount_micros: str = "0"
    regulatory_costs_tax_amount_micros: str = "0"
    export_charge_subtotal_amount_micros: str = "0"
    export_charge_tax_amount_micros: str = "0"


class GoogleInvoice(msgspec.Struct, rename="camel"):
    id: str
    currency_code: str
    type: str
    billing_setup: str = ""
    issue_date: str = ""
    due_date: str = ""
    service_date_range: DateRange = msgspec.field(default_factory=DateRange)
    subtotal_amount_micros: str = "0"
    tax_amount_micros: str = "0"
    adjustments_subtotal_amount_micros: str = "0"
    adjustments_tax_amount_micros: str = "0"
    regulatory_costs_subtotal_amount_micros: str = "0"
    regulatory_costs_tax_amount_micros: str = "0"
    export_charge_subtotal_amount_micros: str = "0"
    export_charge_tax_amount_micros: str = "0"
    corrected_invoice: str = ""
    replaced_invoices: list[str] = []
    account_budget_summaries: list[BudgetSummary] = []
    account_summaries: list[AccountSummary] = []

    @property
    def first_customer(self) -> str:
        """Whose is what the invoice states for nobody: the same customer, whoever asks."""
        named = {each.customer for each in self.account_budget_summaries if each.customer}
        named |= {each.customer for each in self.account_summaries if each.customer}
        return min(named, key=lambda name: (len(name), name)) if named else _customer_of(self.billing_setup)


_decode_setup = msgspec.json.Decoder(_SetupRow).decode
_decode = msgspec.json.Decoder(GoogleInvoice).decode
_PARTS: Mapping[str, tuple[tuple[str, InvoiceLineKind], ...]] = {
    "adjustments": (
        ("billing_correction", InvoiceLineKind.ADJUSTMENT),
        ("coupon_adjustment", InvoiceLineKind.CREDIT),
        ("excess_credit_adjustment", InvoiceLineKind.CREDIT),
    ),
    "regulatory_costs": (("regulatory_costs", InvoiceLineKind.FEE),),
    "export_charge": (("export_charge", InvoiceLineKind.FEE),),
}
"""What an invoice states as a whole, and by which amounts of its accounts."""


class _Taxed(NamedTuple):
    """An amount before tax, and the tax."""

    amount: int = 0
    tax: int = 0

    def minus(self, other: _Taxed) -> _Taxed:
        return _Taxed(self.amount - other.amount, self.tax - other.tax)


class GoogleInvoices:
    """`platforms.connector.InvoiceReader` of Google Ads."""

    def invoice_batches(self, page: RawPage, context: PullContext) -> Iterator[InvoiceBatch]:
        """The invoices of a page, as far as they bill the pull's customer."""
        batch = InvoiceBatch([], [])
        for line, raw in enumerate(json_items.items(page.stream.read(), "invoices") or (), 1):
            try:
                found = _invoice(_decode(raw), context)
            except (ValueError, OverflowError, *UNREADABLE) as error:
                batch.bad.append(BadRow(line, json_items.loose(raw), [json_items.fault(error)]))
            else:
                batch.invoices.extend([found] if found else [])
        yield batch


READER = GoogleInvoices()


def _invoice(raw: GoogleInvoice, context: PullContext) -> Invoice | None:
    """The customer's part of an invoice; None where it has none. Raises ValueError (field, message)."""
    if raw.type not in _DOCUMENTS:
        raise ValueError("type", f"an unknown type of document: {raw.type[:40]!r}")
    document, customer = _DOCUMENTS[raw.type], f"customers/{context.profile_id}"
    lines = [*_of_budgets(raw, customer, document), *_of_accounts(raw, customer)]
    if customer == (raw.first_customer or customer):
        lines += _of_nobody(raw)
    if not lines:
        return None
    period = raw.service_date_range
    start, end = period.start_date or raw.issue_date, period.end_date or raw.issue_date
    return Invoice(
        platform=_PLATFORM,
        profile_id=context.profile_id,
        invoice_id=raw.id,
        month=month_of_period(Window(date.fromisoformat(start), date.fromisoformat(end))),
        currency=raw.currency_code,
        lines=condensed(lines),
        document=document,
        start=period.start_date,
        end=period.end_date,
        issued_on=raw.issue_date,
        due_on=raw.due_date,
        corrects=raw.corrected_invoice.rpartition("/")[2],
        replaces=tuple(name.rpartition("/")[2] for name in raw.replaced_invoices),
    )


def _of_budgets(raw: GoogleInvoice, customer: str, document: DocumentKind) -> Iterator[InvoiceLine]:
    """What a customer's account budgets are billed; the lines of a budget add up to its subtotal and tax."""
    spent = InvoiceLineKind.SPEND if document is DocumentKind.INVOICE else InvoiceLineKind.CREDIT
    for place, summary in enumerate(raw.account_budget_summaries):
        if summary.customer != customer:
            continue
        subtotal, tax = _sum_of(summary, "")
        over, invalid = _micros(summary, "overdelivery_amount"), _micros(summary, "invalid_activity_amount")
        served = _micros(summary, "served_amount") if summary.served_amount_micros else subtotal - over - invalid
        months = {month for each in summary.invalid_activity_summaries if (month := _month(each))}
        yield from _spent(summary, place, spent, served)
        amounts = {
            InvoiceLineKind.OVERDELIVERY: (over, ""),
            InvoiceLineKind.INVALID_TRAFFIC: (invalid, months.pop() if len(months) == 1 else ""),
            InvoiceLineKind.ADJUSTMENT: (subtotal - served - over - invalid, ""),
        }
        for kind, (amount, about) in amounts.items():
            if amount:
                line = f"budget/{place}/{kind}"
                budget = summary.account_budget_name
                yield InvoiceLine(line=line, kind=kind, amount=amount, budget=budget, about_month=about)
        if tax:
            yield _line(f"budget/{place}/tax", InvoiceLineKind.TAX, _Taxed(0, tax), summary.account_budget_name)


def _spent(summary: BudgetSummary, place: int, kind: InvoiceLineKind, served: int) -> Iterator[InvoiceLine]:
    """What a budget was charged, by campaign where the campaigns add up to it."""
    campaigns = [(each.campaign_description, _micros(each, "amount")) for each in summary.campaign_summaries]
    if not campaigns or sum(amount for _, amount in campaigns) != served:
        campaigns = [("", served)]
    for number, (name, amount) in enumerate(campaigns):
        line = f"budget/{place}/{kind}" + (f"/{number}" if name or len(campaigns) > 1 else "")
        budget = summary.account_budget_name
        yield InvoiceLine(line=line, kind=kind, amount=amount, budget=budget, campaign=name)


def _of_accounts(raw: GoogleInvoice, customer: str) -> Iterator[InvoiceLine]:
    """What a customer is billed or credited beside its budgets."""
    for place, summary in enumerate(raw.account_summaries):
        for name, kind in (part for parts in _PARTS.values() for part in parts):
            if summary.customer == customer and any(total := _sum_of(summary, name)):
                yield _line(f"account/{place}/{name}", kind, total)


def _of_nobody(raw: GoogleInvoice) -> Iterator[InvoiceLine]:
    """What the invoice states and no customer's part of it explains. All lines of all customers are its total.

    The subtotal has the budgets and the adjustments; regulatory costs and export charges stand beside it (since
    v6). Its tax is that of everything.
    """
    rest = _sum_of(raw, "")
    for summary in raw.account_budget_summaries:
        rest = rest.minus(_sum_of(summary, ""))
    for whole, parts in _PARTS.items():
        stated = _sum_of(raw, whole)
        rest = rest.minus(stated if whole == "adjustments" else stated._replace(amount=0))
        own = stated
        for account in raw.account_summaries:
            for name, _ in parts:
                own = own.minus(_sum_of(account, name))
        if any(own):
            yield _line(whole, InvoiceLineKind.ADJUSTMENT if whole == "adjustments" else InvoiceLineKind.FEE, own)
    if any(rest):
        yield _line("rest", InvoiceLineKind.ADJUSTMENT, rest)


def _line(line: str, kind: InvoiceLineKind, total: _Taxed, budget: str = "") -> InvoiceLine:
    return InvoiceLine(line=line, kind=kind, amount=total.amount, tax=total.tax, budget=budget)


def _sum_of(part: GoogleInvoice | AccountSummary | BudgetSummary, name: str) -> _Taxed:
    """`<name>_subtotal_amount_micros` and its tax; without a name those of the whole part."""
    of = f"{name}_" if name else ""
    return _Taxed(_micros(part, f"{of}subtotal_amount"), _micros(part, f"{of}tax_amount"))


def _micros(part: GoogleInvoice | AccountSummary | BudgetSummary | CampaignSummary, name: str) -> int:
    """An int64 as text. Raises ValueError (field, message)."""
    text = str(getattr(part, f"{name}_micros"))
    if not text.removeprefix("-").isdecimal() or len(text) > _INT64_CHARS or abs(int(text)) > limits.MAX_MICROS:
        raise ValueError(name, f"not an amount, or out of range: {text[:40]!r}")
    return int(text)


def _month(found: InvalidActivity) -> str:
    """The month whose activity was found invalid, `2026-09`; "" where Google does not say."""
    if found.original_month_of_service not in MONTHS or not found.original_year_of_service.isdecimal():
        return ""
    return month_of(date(int(found.original_year_of_service), MONTHS.index(found.original_month_of_service) + 1, 1))


def _customer_of(name: str) -> str:
    """`customers/<id>` of a resource name."""
    return "/".join(name.split("/")[:2])
