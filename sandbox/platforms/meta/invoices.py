"""Invoices of a business (Marketing API, Business, Business Invoices, and Omega Customer Trx; business manager API,
Month-End Invoicing).

The world's bills in Meta's form. A document's billing period is the first day of its month of service; a credit memo
has that of the invoice that it corrects. Amounts are text; those of a credit memo are positive, its type says that they
are to be taken away. Before each invoice there was a pro forma one with the same amounts. Promotional credits and
location fees are in the invoice's amount and in no campaign's; each campaign's tax is rounded by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from sandbox.outside import Outside
from sandbox.platforms.meta import periods
from sandbox.platforms.meta.errors import GraphError
from sandbox.platforms.meta.insight_values import money
from sandbox.platforms.meta.population import PLATFORM, WITHOUT_FINANCE_ROLE
from sandbox.platforms.meta.vocabulary import INVOICE_TYPES, one_of
from sandbox.world import WorldProfile
from sandbox.world.bills import INVOICE, Bill, part
from sandbox.world.months import month_after
from sandbox.world.traits import LineKind

_DAYS_TO_PAY, _DEFAULT_MONTHS = 30, 6
_STEM = "1659"
_KINDS = {"INV": "Invoice", "CM": "Credit Memo", "PRO_FORMA": "Pro Forma"}
Json = dict[str, Any]


class BusinessInvoices:
    """Called from many threads."""

    def __init__(self, outside: Outside) -> None:
        self._outside, self._bills = outside, outside.bills

    def listed(self, profile: WorldProfile, params: Mapping[str, str]) -> list[Json]:
        """The documents that a request asks for, newest period first. Raises Meta's errors 100 and 200.

        By their billing periods between `start_date` and `end_date`, neither of which is in it itself (Business
        Invoices, Parameters); with `issue_start_date` by their own dates, from it on; with `invoice_id` or `root_id`
        that one alone.
        """
        if profile.id in WITHOUT_FINANCE_ROLE:
            raise GraphError("(#200) Permissions error: the business's invoices need a finance role", 200, status=403)
        kind = one_of("type", params["type"], INVOICE_TYPES) if params.get("type") else ""
        for name, field in (("invoice_id", "invoice_id"), ("root_id", "id")):
            if name in params:
                return [each for each in self._documents(profile) if each[field] == params[name]]
        today = self._outside.world.moment(profile).today
        if "issue_start_date" in params:
            first, end = _day(params, "issue_start_date", today), _day(params, "issue_end_date", today)
            found = [
                i for i in self._documents(profile) if first.isoformat() <= i["invoice_date"][:10] < end.isoformat()
            ]
        else:
            after = _day(params, "start_date", month_after(today, -_DEFAULT_MONTHS))
            end = _day(params, "end_date", today)
            found = [i for i in self._documents(profile) if after.isoformat() < i["billing_period"] < end.isoformat()]
        chosen = [each for each in found if kind in ("", each["type"])]
        return sorted(chosen, key=lambda each: str(each["billing_period"]), reverse=True)

    def find(self, node: str) -> tuple[WorldProfile, Json] | None:
        """A document by its id, and whose it is."""
        if not (node.startswith(_STEM) and node.isascii() and node.isdigit()):
            return None
        for profile in self._outside.world.profiles:
            if profile.platform == PLATFORM and node.startswith(f"{_STEM}{profile.id[-5:]}"):
                return next(((profile, each) for each in self._documents(profile) if each["id"] == node), None)
        return None

    def _documents(self, profile: WorldProfile) -> Iterator[Json]:
        today = self._outside.world.moment(profile).today
        for bill in self._bills.issued(profile):
            if bill.kind == INVOICE:
                yield _document(bill, "PRO_FORMA", f"{bill.number[:-2]}00", bill.issued - timedelta(days=1), today)
            yield _document(bill, "INV" if bill.kind == INVOICE else "CM", bill.number, bill.issued, today)


def _day(params: Mapping[str, str], name: str, default: date) -> date:
    return periods.day(params[name]) if name in params else default


def _document(bill: Bill, kind: str, number: str, issued: date, today: date) -> Json:
    """An invoice's node; `campaigns` are its edge. An invoice is paid when it is due, a credit memo at once."""
    profile, sign, due = bill.profile, 1 if bill.kind == INVOICE else -1, issued + timedelta(days=_DAYS_TO_PAY)
    paid = kind == "CM" or today >= due
    return {
        "id": f"{_STEM}{number}",
        "ad_account_ids": [profile.id],
        "advertiser_name": profile.name,
        "amount": money(profile, sign * bill.total),
        "amount_due": _currency_amount(profile, 0 if paid else bill.total),
        "billed_amount_details": _details(profile, sign * bill.net, sign * bill.tax),
        "billing_period": bill.month.isoformat(),
        "currency": profile.currency,
        "download_uri": f"https://business.example/invoices/{number}.pdf",
        "due_date": _midnight(due),
        "entity": "FBUS" if profile.country == "US" else "FBIRL",
        "invoice_date": _midnight(issued),
        "invoice_id": number,
        "invoice_type": _KINDS[kind],
        "liability_type": "Normal",
        "payment_status": "Paid" if paid else "Unpaid",
        "payment_term": "Net 30",
        "type": kind,
        "campaigns": list(_campaigns(bill)),
    }


def _campaigns(bill: Bill) -> Iterator[Json]:
    """What each campaign is billed."""
    profile = bill.profile
    for line in bill.lines:
        if line.kind == LineKind.SPEND and line.campaign is not None:
            tax = part(line.net, profile.billing.tax if profile.billing else 0)
            yield {
                "ad_account_id": profile.id,
                "campaign_id": line.campaign.id,
                "campaign_name": line.campaign.name,
                "billed_amount_details": _details(profile, line.net, tax),
                "clicks": line.clicks,
            }


def _details(profile: WorldProfile, net: int, tax: int) -> Json:
    amounts = {"net_amount": net, "tax_amount": tax, "total_amount": net + tax}
    return {"currency": profile.currency} | {name: money(profile, minor) for name, minor in amounts.items()}


def _currency_amount(profile: WorldProfile, minor: int) -> Json:
    """Meta's CurrencyAmount; `offsetted_amount` counts the currency's smallest units."""
    hundredths = minor * profile.minor_micros // 10_000
    amounts = {"amount": money(profile, minor), "amount_in_hundredths": str(hundredths)}
    return amounts | {"currency": profile.currency, "offsetted_amount": str(minor)}


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00+0000"
