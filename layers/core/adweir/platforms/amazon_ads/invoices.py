"""Amazon's invoices: `GET /invoices`, and `GET /invoices/{id}` for the lines of those issued in the months asked.

Amazon's documents do not say in which order they are listed, nor whether `amountDue` has the tax and the fees. So all
pages are read, and lines are what an invoice itemizes: costs of campaigns, promotions, fees, adjustments. What they
leave of the amount due is a line of its own. A promotion is itemized twice, by line and by promotion: it counts once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from adweir.model.errors import AccessDenied, NotApplicable, RequestRejected, Transient
from adweir.model.invoices import (
    Invoice,
    InvoiceLine,
    InvoiceLineKind,
    InvoiceStatus,
    condensed,
    month_of_period,
)
from adweir.model.metrics import BadRow
from adweir.model.money import rounded
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms import json_items
from adweir.platforms.amazon_ads.api import decode
from adweir.platforms.connector import InvoiceBatch, Page, PullContext, RawPage
from adweir.platforms.json_items import UNREADABLE

if TYPE_CHECKING:
    from adweir.platforms.amazon_ads.api import AmazonCalls

LABEL = "invoice"
"""The label of a page that is one invoice; those of the list have none."""
_PLATFORM = Platform("amazon_ads")
_MOST_PAGES = 200
_AT_ONCE = "100"
_ID = re.compile(r"[0-9A-Za-z._-]{1,100}")
_NO_INVOICE = "ACCUMULATING"
"""Not documented: what an invoice will bill that is not issued yet (python-amazon-ad-api)."""
_STATUSES: Mapping[str, InvoiceStatus] = {
    "ISSUED": InvoiceStatus.ISSUED,
    "PAID_IN_PART": InvoiceStatus.PARTLY_PAID,
    "PAID_IN_FULL": InvoiceStatus.PAID,
    "WRITTEN_OFF": InvoiceStatus.WRITTEN_OFF,
}


class Amount(msgspec.Struct, rename="camel"):
    amount: Decimal
    currency_code: str = ""


class InvoiceFee(msgspec.Struct, rename="camel"):
    """A regulatory fee."""

    cost: Amount
    fee_type: str = ""


class AmazonSummary(msgspec.Struct, rename="camel"):
    """`invoiceSummary`; days are written 20261031."""

    id: str
    status: str
    from_date: str
    to_date: str
    invoice_date: str
    amount_due: Amount
    due_date: str | None = None
    tax_amount_due: Amount | None = None
    fees: list[InvoiceFee] | None = None


class CampaignCost(msgspec.Struct, rename="camel"):
    """`invoiceLines`: a campaign's events of one kind."""

    cost: Amount
    campaign_id: int | str | None = None
    campaign_name: str | None = None
    portfolio_id: int | str | None = None
    promotion_amount: Amount | None = None


class Portfolio(msgspec.Struct, rename="camel"):
    id: int | str
    name: str | None = None


class InvoiceAdjustment(msgspec.Struct, rename="camel"):
    amount: Amount


class InvoicePromotion(msgspec.Struct, rename="camel"):
    amount: Amount


class AmazonInvoice(msgspec.Struct, rename="camel"):
    """`payload` of one invoice."""

    invoice_summary: AmazonSummary
    invoice_lines: list[CampaignCost] | None = None
    adjustments: list[InvoiceAdjustment] | None = None
    promotions: list[InvoicePromotion] | None = None
    portfolios: list[Portfolio] | None = None


class _OneInvoice(msgspec.Struct):
    payload: AmazonInvoice


class ListedInvoice(msgspec.Struct, rename="camel"):
    id: str
    invoice_date: str = ""
    status: str = ""


class _InvoiceList(msgspec.Struct, rename="camel"):
    invoice_summaries: list[ListedInvoice] = []
    next_cursor: str | None = None


class _ListAnswer(msgspec.Struct):
    payload: _InvoiceList
    status: str = ""


_decode_one = msgspec.json.Decoder(_OneInvoice).decode


def invoice_pages(api: AmazonCalls, profile_id: str, window: Window) -> Iterator[Page]:
    """The list's pages, then a page per invoice that was issued in the window.

    Raises NotApplicable where the user may not see the billing history: that says nothing about the profile.
    """
    try:
        listed: list[ListedInvoice] = []
        held: Page | None = None
        for page, found in _list(api, profile_id):
            if held:
                yield held
            held, listed = page, listed + found
        for each in listed:
            if each.status == _NO_INVOICE or not window.start <= _day(each.invoice_date) <= window.end:
                continue
            if not _ID.fullmatch(each.id):
                raise RequestRejected(f"no id of an invoice: {each.id[:60]!r}")
            answer = api.get(f"/invoices/{each.id}", profile_id)
            if held:
                yield held
            held = Page(answer.body, answer.url, answer.status, last=False, label=LABEL)
        if held:
            yield held._replace(last=True)
    except AccessDenied as error:
        message = f"no invoices without the permission to view the billing history: {error.message}"
        raise NotApplicable(message) from None


def _list(api: AmazonCalls, profile_id: str) -> Iterator[tuple[Page, list[ListedInvoice]]]:
    """The pages of all invoices; `count` must not be sent together with a cursor."""
    params = {"count": _AT_ONCE}
    for _ in range(_MOST_PAGES):
        answer = api.get("/invoices", profile_id, params)
        found = decode(answer, _ListAnswer).payload
        yield Page(answer.body, answer.url, answer.status, last=False), found.invoice_summaries
        if not found.next_cursor:
            return
        if params.get("cursor") == found.next_cursor:
            raise Transient(f"{answer.url} names the same page again")
        params = {"cursor": found.next_cursor}
    raise RequestRejected(f"amazon_ads lists more than {_MOST_PAGES} pages of invoices")


class AmazonInvoices:
    """`platforms.connector.InvoiceReader` of Amazon Ads."""

    def invoice_batches(self, page: RawPage, context: PullContext) -> Iterator[InvoiceBatch]:
        """The invoice of a page; none of a page of the list."""
        if page.label != LABEL:
            return
        body = page.stream.read()
        try:
            yield InvoiceBatch([_invoice(_decode_one(body).payload, context)], [])
        except (ValueError, OverflowError, *UNREADABLE) as error:
            raw = json_items.loose(msgspec.Raw(body))
            yield InvoiceBatch([], [BadRow(1, raw, [json_items.fault(error)])])


READER = AmazonInvoices()


def _invoice(raw: AmazonInvoice, context: PullContext) -> Invoice:
    """Raises ValueError."""
    summary = raw.invoice_summary
    _check_currency(raw)
    start, end = _day(summary.from_date), _day(summary.to_date)
    return Invoice(
        platform=_PLATFORM,
        profile_id=context.profile_id,
        invoice_id=summary.id,
        month=month_of_period(Window(start, max(start, end))),
        currency=summary.amount_due.currency_code or context.currency,
        lines=condensed(_lines(raw)),
        start=start.isoformat(),
        end=end.isoformat(),
        issued_on=_day(summary.invoice_date).isoformat(),
        due_on=_day(summary.due_date).isoformat() if summary.due_date else "",
        status=_STATUSES.get(summary.status, InvoiceStatus.UNKNOWN),
        status_raw=summary.status,
    )


def _lines(raw: AmazonInvoice) -> Iterator[InvoiceLine]:
    lines = [*_of_campaigns(raw), *_beside(raw)]
    yield from lines
    summary = raw.invoice_summary
    due, tax = _micros(summary.amount_due), _micros(summary.tax_amount_due)
    itemized = sum(line.amount for line in lines)
    fees = sum(line.amount for line in lines if line.kind is InvoiceLineKind.FEE)
    if due not in {itemized, itemized + tax, itemized - fees, itemized - fees + tax}:
        yield InvoiceLine(line="rest", kind=InvoiceLineKind.ADJUSTMENT, amount=due - tax - itemized)
    if tax:
        yield InvoiceLine(line="tax", kind=InvoiceLineKind.TAX, amount=0, tax=tax)


def _of_campaigns(raw: AmazonInvoice) -> Iterator[InvoiceLine]:
    """A campaign's costs, and the promotions on them."""
    portfolios = {str(each.id): each.name or "" for each in raw.portfolios or ()}
    costs: dict[tuple[str, str, str], tuple[int, int]] = {}
    for each in raw.invoice_lines or ():
        key = _text(each.campaign_id), each.campaign_name or "", portfolios.get(_text(each.portfolio_id), "")
        cost, promoted = costs.get(key, (0, 0))
        costs[key] = cost + _micros(each.cost), promoted - abs(_micros(each.promotion_amount))
    for number, ((campaign_id, name, budget), sums) in enumerate(costs.items()):
        of_campaign = campaign_id or str(number)
        for kind, amount in zip((InvoiceLineKind.SPEND, InvoiceLineKind.CREDIT), sums, strict=True):
            if amount or kind is InvoiceLineKind.SPEND:
                line = f"{kind}/{of_campaign}/{number}"
                yield InvoiceLine(
                    line=line, kind=kind, amount=amount, campaign_id=campaign_id, campaign=name, budget=budget
                )


def _beside(raw: AmazonInvoice) -> Iterator[InvoiceLine]:
    """Promotions where the lines have none, adjustments, and the summary's fees, which are those of all lines."""
    if not any(_micros(each.promotion_amount) for each in raw.invoice_lines or ()):
        for number, promotion in enumerate(raw.promotions or ()):
            amount = -abs(_micros(promotion.amount))
            yield InvoiceLine(line=f"promotion/{number}", kind=InvoiceLineKind.CREDIT, amount=amount)
    for number, adjustment in enumerate(raw.adjustments or ()):
        amount = _micros(adjustment.amount)
        yield InvoiceLine(line=f"adjustment/{number}", kind=InvoiceLineKind.ADJUSTMENT, amount=amount)
    for number, fee in enumerate(raw.invoice_summary.fees or ()):
        yield InvoiceLine(line=f"fee/{number}", kind=InvoiceLineKind.FEE, amount=_micros(fee.cost))


def _check_currency(raw: AmazonInvoice) -> None:
    """Raises ValueError (field, message) for amounts that cannot be added up."""
    summary = raw.invoice_summary
    amounts = [summary.amount_due, summary.tax_amount_due, *(fee.cost for fee in summary.fees or ())]
    amounts += [amount for line in raw.invoice_lines or () for amount in (line.cost, line.promotion_amount)]
    amounts += [each.amount for each in (*(raw.adjustments or ()), *(raw.promotions or ()))]
    codes = {each.currency_code for each in amounts if each} - {""}
    if len(codes) > 1:
        raise ValueError("currencyCode", f"amounts in several currencies: {', '.join(sorted(codes))}"[:200])


def _micros(found: Amount | None) -> int:
    """Amounts are doubles, so that a sum may end in digits that mean nothing: they are rounded to millionths."""
    return rounded(found.amount)[0] if found else 0


def _text(value: int | str | None) -> str:
    return "" if value is None else str(value)


def _day(text: str) -> date:
    """`20261031`, or with dashes. Raises ValueError (field, message)."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("date", f"not a day: {text[:40]!r}") from None
