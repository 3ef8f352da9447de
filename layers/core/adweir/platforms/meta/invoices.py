"""Meta's invoices: `/{business}/business_invoices` (OmegaCustomerTrx), and each one's `/campaigns` (InvoiceCampaign).

Only businesses on monthly invoicing have any, and only people with a finance role may read them. An invoice may bill
several ad accounts of the business: each campaign names its own, and what the campaigns leave of the invoice is counted
for one of the accounts, the first by number. Invoices are asked for by the day of issue, so that a late memo about an
old billing period comes too; the billing period is the month. A credit memo is subtracted, whatever its sign, and a pro
forma invoice bills nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from adweir.model.errors import AccessDenied, NotApplicable, RequestRejected, Transient
from adweir.model.invoices import (
    DocumentKind,
    Invoice,
    InvoiceLine,
    InvoiceLineKind,
    InvoiceStatus,
    condensed,
)
from adweir.model.metrics import BadRow
from adweir.model.money import to_micros
from adweir.model.platforms import Platform
from adweir.model.times import DAY, Window
from adweir.platforms import json_items
from adweir.platforms.connector import InvoiceBatch, Page, PullContext, RawPage
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.meta import faults
from adweir.platforms.meta.ids import digits
from adweir.platforms.meta.pages import items

if TYPE_CHECKING:
    from adweir.platforms.meta.graph import Graph

LABEL = "invoice"
"""The label of a page that is one invoice with its campaigns, put together of Meta's answers; lists have none."""
_PLATFORM = Platform("meta_ads")
FIELDS = (
    "id,invoice_id,type,invoice_type,billing_period,invoice_date,due_date,payment_status,"
    "currency,amount,billed_amount_details,ad_account_ids"
)
CAMPAIGN_FIELDS = "ad_account_id,campaign_id,campaign_name,billed_amount_details"
_DOCUMENTS: Mapping[str, DocumentKind] = {
    "INV": DocumentKind.INVOICE,
    "INVOICE": DocumentKind.INVOICE,
    "CM": DocumentKind.CREDIT_MEMO,
    "CREDIT_MEMO": DocumentKind.CREDIT_MEMO,
    "DM": DocumentKind.DEBIT_MEMO,
    "DEBIT_MEMO": DocumentKind.DEBIT_MEMO,
}
"""By `type`: the SDK's enum has the short names, the documents' sample the word."""
_OF_NOBODY = {"field": "ad_account_ids", "rule": "format", "message": "it is not said which ad account this bills"}
_PRO_FORMA = frozenset({"PRO_FORMA", "PROFORMA"})
_KINDS: Mapping[DocumentKind, InvoiceLineKind] = {
    DocumentKind.INVOICE: InvoiceLineKind.SPEND,
    DocumentKind.CREDIT_MEMO: InvoiceLineKind.CREDIT,
    DocumentKind.DEBIT_MEMO: InvoiceLineKind.ADJUSTMENT,
}
_STATUSES: Mapping[str, InvoiceStatus] = {
    "UNPAID": InvoiceStatus.ISSUED,
    "PARTIALLY_PAID": InvoiceStatus.PARTLY_PAID,
    "PAID": InvoiceStatus.PAID,
}


class BilledAmount(msgspec.Struct):
    """`billed_amount_details`."""

    net_amount: str
    tax_amount: str = "0"
    currency: str = ""


class BilledCampaign(msgspec.Struct):
    billed_amount_details: BilledAmount
    campaign_id: str = ""
    campaign_name: str = ""
    ad_account_id: str = ""


class MetaInvoice(msgspec.Struct):
    id: str
    billing_period: str
    type: str = ""
    invoice_id: str = ""
    invoice_type: str = ""
    invoice_date: str = ""
    due_date: str = ""
    payment_status: str = ""
    currency: str = ""
    amount: str = ""
    billed_amount_details: BilledAmount | None = None
    ad_account_ids: list[str] = []

    @property
    def accounts(self) -> list[str]:
        """The ad accounts that it bills, by number: the first one's is what no campaign explains."""
        numbers = {each.removeprefix("act_") for each in self.ad_account_ids}
        return sorted(numbers, key=lambda number: (len(number), number))

    @property
    def kind(self) -> str:
        """`CM`; of a word its capitals, `CREDIT_MEMO`."""
        return _word(self.type or self.invoice_type)


class _Owner(msgspec.Struct):
    id: str = ""


class _OwnedAccount(msgspec.Struct):
    business: _Owner = msgspec.field(default_factory=_Owner)


class _WithCampaigns(msgspec.Struct):
    invoice: MetaInvoice
    campaigns: list[BilledCampaign]


_decode_account = msgspec.json.Decoder(_OwnedAccount).decode
_decode_invoice = msgspec.json.Decoder(MetaInvoice).decode
_decode_whole = msgspec.json.Decoder(_WithCampaigns).decode


def invoice_pages(graph: Graph, account: str, window: Window) -> Iterator[Page]:
    """The business's list of invoices, then a page per invoice that bills the ad account (`act_…`).

    Raises NotApplicable where the ad account is in no business, or the business's invoices are not shown.
    """
    business = _business(graph, account)
    asked = {
        "fields": FIELDS,
        "issue_start_date": window.start.isoformat(),
        "issue_end_date": (window.end + DAY).isoformat(),
    }
    try:
        held: Page | None = None
        wanted: list[tuple[msgspec.Raw, MetaInvoice]] = []
        for page in graph.pages(f"{business}/business_invoices", asked):
            if held:
                yield held
            held, wanted = page._replace(last=False, resume=""), wanted + _billing(page.content(), account)
        for raw, invoice in wanted:
            if held:
                yield held
            campaigns = [
                bytes(each)
                for page in graph.pages(f"{digits(invoice.id)}/campaigns", {"fields": CAMPAIGN_FIELDS})
                for each in items(page.content())
            ]
            body = b'{"invoice":' + bytes(raw) + b',"campaigns":[' + b",".join(campaigns) + b"]}"
            held = Page(body, f"{invoice.id}/campaigns", 200, last=False, label=LABEL)
        if held:
            yield held._replace(last=True)
    except (AccessDenied, RequestRejected) as error:
        if isinstance(error, RequestRejected) and error.context.get("subcode") != faults.GONE:
            raise
        raise NotApplicable(f"Meta shows no invoices of the business without a finance role: {error.message}") from None


def _business(graph: Graph, account: str) -> str:
    answer = graph.get(account, {"fields": "business"})
    try:
        business = _decode_account(answer.body).business.id
    except UNREADABLE:
        raise Transient("Meta answered with something that is not an ad account") from None
    if not business:
        raise NotApplicable("Meta names no business of the ad account: nothing is invoiced")
    return digits(business)


def _billing(body: bytes, account: str) -> list[tuple[msgspec.Raw, MetaInvoice]]:
    """The invoices of a page that the ad account is part of, and those that cannot be read."""
    found = []
    for raw in items(body):
        try:
            invoice = _decode_invoice(raw)
        except UNREADABLE:
            continue  # the reader of the list's page says what is wrong
        if invoice.kind not in _PRO_FORMA and account.removeprefix("act_") in invoice.accounts:
            found.append((raw, invoice))
    return found


class MetaInvoices:
    """`platforms.connector.InvoiceReader` of Meta."""

    def invoice_batches(self, page: RawPage, context: PullContext) -> Iterator[InvoiceBatch]:
        """The invoice of a page; of a page of the list only what cannot be read."""
        body = page.stream.read()
        if page.label != LABEL:
            yield InvoiceBatch([], list(_unread(body)))
            return
        try:
            found = _decode_whole(body)
            yield InvoiceBatch([_invoice(found.invoice, found.campaigns, context)], [])
        except (ValueError, OverflowError, *UNREADABLE) as error:
            raw = json_items.loose(msgspec.Raw(body))
            yield InvoiceBatch([], [BadRow(1, raw, [json_items.fault(error)])])


READER = MetaInvoices()


def _unread(body: bytes) -> Iterator[BadRow]:
    """Invoices of a list that cannot be read, or do not say whom they bill."""
    for line, raw in enumerate(items(body), 1):
        try:
            invoice = _decode_invoice(raw)
        except UNREADABLE as error:
            yield BadRow(line, json_items.loose(raw), [json_items.fault(error)])
            continue
        if not invoice.accounts and invoice.kind not in _PRO_FORMA:
            yield BadRow(line, json_items.loose(raw), [_OF_NOBODY])


def _invoice(raw: MetaInvoice, campaigns: list[BilledCampaign], context: PullContext) -> Invoice:
    """Raises ValueError (field, message)."""
    if raw.kind not in _DOCUMENTS:
        raise ValueError("type", f"an unknown type of document: {raw.type[:40]!r}")
    document, billed = _DOCUMENTS[raw.kind], raw.billed_amount_details
    currency = (billed.currency if billed else "") or raw.currency or context.currency
    foreign = {each.billed_amount_details.currency for each in campaigns} - {"", currency}
    if foreign:
        raise ValueError("currency", f"campaigns of an invoice in {currency} are in {', '.join(sorted(foreign))}"[:200])
    return Invoice(
        platform=_PLATFORM,
        profile_id=context.profile_id,
        invoice_id=raw.invoice_id or raw.id,
        month=raw.billing_period[:7],
        currency=currency,
        lines=condensed(_lines(raw, campaigns, document, context.profile_id.removeprefix("act_"))),
        document=document,
        issued_on=raw.invoice_date[:10],
        due_on=raw.due_date[:10],
        status=_STATUSES.get(_word(raw.payment_status), InvoiceStatus.UNKNOWN),
        status_raw=raw.payment_status,
    )


def _lines(
    raw: MetaInvoice, campaigns: list[BilledCampaign], document: DocumentKind, account: str
) -> Iterator[InvoiceLine]:
    """The lines of one of the invoice's ad accounts."""
    net, tax = _amounts(raw.billed_amount_details or BilledAmount(raw.amount))
    sign = -1 if document is DocumentKind.CREDIT_MEMO and net > 0 else 1
    kind = _KINDS[document]
    for number, each in enumerate(campaigns):
        amount, own_tax = _amounts(each.billed_amount_details)
        net, tax = net - amount, tax - own_tax
        if (each.ad_account_id.removeprefix("act_") or raw.accounts[0]) == account:
            yield InvoiceLine(
                line=f"campaign/{each.campaign_id or number}/{number}",
                kind=kind,
                amount=sign * amount,
                tax=sign * own_tax,
                campaign_id=each.campaign_id,
                campaign=each.campaign_name,
            )
    if account == raw.accounts[0] and (net or not campaigns):
        rest = kind if not campaigns or document is not DocumentKind.INVOICE else InvoiceLineKind.ADJUSTMENT
        yield InvoiceLine(line="rest", kind=rest, amount=sign * net, tax=sign * tax)
    elif account == raw.accounts[0] and tax:
        yield InvoiceLine(line="rest", kind=InvoiceLineKind.TAX, amount=0, tax=sign * tax)


def _amounts(found: BilledAmount) -> tuple[int, int]:
    return to_micros(found.net_amount), to_micros(found.tax_amount)


def _word(text: str) -> str:
    """`Partially Paid` → `PARTIALLY_PAID`."""
    return text.strip().upper().replace(" ", "_").replace("-", "_")
