"""Invoices: `GET /invoices` and `GET /invoices/{invoiceId}` (OpenAPI file Advertising Billing 3.0, tag "invoice").

The world's bills in Amazon's form: a line for each campaign, promotions and adjustments as lists of their own, tax on
the whole. With the media types of version 1.1 in Accept, an answer is the object itself; with any other it is
`{"status", "payload"}`, and some names differ, as python-amazon-ad-api and airbyte's forks receive it.

Assumed, as no document says it: credits have negative amounts; `amountDue` contains the tax; dates filter by the
invoice's date; the newest is first; what is ACCUMULATING or PROCESSING has neither that date nor an end.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, bad_request
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.platforms.amazon_ads.portfolios import portfolio_of, portfolios
from sandbox.platforms.amazon_ads.spelling import money
from sandbox.web import PlatformRequest, broken_off, json_answer
from sandbox.world import WorldProfile
from sandbox.world.bills import Bill, BillLine, invoice_number
from sandbox.world.months import last_of
from sandbox.world.traits import LineKind

_LIST_MEDIA, _ONE_MEDIA = "application/vnd.invoices.v1.1+json", "application/vnd.invoice.v1.1+json"
_STATUSES = ("ACCUMULATING", "PROCESSING", "ISSUED", "PAID_IN_PART", "PAID_IN_FULL", "WRITTEN_OFF")
"""Those that an invoice may have. The parameter takes the first two as well, which its own enum lacks."""
_MOST, _LATEST = 100, "99999999"
_DAYS_TO_PAY, _DAYS_TO_PAY_IN_PART = 30, 15
_PROGRAMS = {"sp": "SPONSORED PRODUCT", "sb": "SPONSORED BRANDS", "sd": "SPONSORED DISPLAY"}
_METHODS = {"seller": "CREDIT_CARD", "vendor": "ELECTRONIC_FUNDS_TRANSFER"}
_TAXES = {"DE": "VAT", "JP": "Consumption Tax"}
_OLD_NAMES = {"issuerContactInfo": "issuerContactInformation", "payerContactInfo": "payerContactInformation"} | {
    "thirdPartyContactInfo": "thirdPartyContactInformation"
}
_PARAMETERS = {"invoiceStatuses", "startDate", "endDate", "count", "cursor"}
Json = dict[str, Any]


class _Asked(NamedTuple):
    """What a list is to have. A cursor repeats it, with the place at which the page starts."""

    statuses: list[str]
    start: str
    end: str
    size: int
    place: int = 0

    def wants(self, summary: Json) -> bool:
        """Whether it has a status and a date that are asked for; the running month's date is still to come."""
        right = not self.statuses or summary["status"] in self.statuses
        return right and self.start <= summary.get("invoiceDate", _LATEST) <= self.end


class Invoices:
    """Called from many threads."""

    def __init__(self, outside: Outside) -> None:
        self._outside, self._bills = outside, outside.bills

    def listed(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """A page of the summaries. Raises Amazon's 400 and 401."""
        _check_permission(profile)
        asked = _asked(request.args.to_dict())
        found = [summary for summary in self._summaries(profile) if asked.wants(summary)]
        after = asked.place + asked.size
        payload: Json = {"invoiceSummaries": found[asked.place : after]}
        new, more = request.headers.get("Accept") == _LIST_MEDIA, after < len(found)
        if more or new:  # version 1.1 documents null for the last page; clients of version 1 look for the name alone
            payload["nextCursor"] = _cursor(asked._replace(place=after)) if more else None
        return self._page(profile, payload, more=more, media=_LIST_MEDIA if new else "")

    def one(self, request: PlatformRequest, profile: WorldProfile, invoice_id: str) -> Response:
        """An invoice with its lines. Raises Amazon's 401, and 404 for one that the profile does not have."""
        _check_permission(profile)
        new = request.headers.get("Accept") == _ONE_MEDIA
        bill = self._bills.numbered(profile, invoice_id)
        if bill is not None:
            invoice = self._invoice(bill)
        else:
            coming = next((each for each in self._coming(profile) if each["id"] == invoice_id), None)
            if coming is None:
                raise AmazonRefusal(404, f"Could not find invoice {invoice_id}", "NOT_FOUND")
            invoice = _whole(profile, coming)
        if new:
            return _answer(invoice, _ONE_MEDIA)
        return _answer({_OLD_NAMES.get(name, name): value for name, value in invoice.items()}, "")

    def _page(self, profile: WorldProfile, payload: Json, *, more: bool, media: str) -> Response:
        options = self._outside.switches.take("truncated_paging", PLATFORM, profile.id) if more else None
        if options is not None and options.get("mode") != "cut":
            del payload["nextCursor"]
        answer = _answer(payload, media)
        return broken_off(answer) if options is not None and options.get("mode") == "cut" else answer

    def _summaries(self, profile: WorldProfile) -> Iterator[Json]:
        """Newest first."""
        yield from self._coming(profile)
        today = self._outside.world.moment(profile).today
        for bill in reversed(list(self._bills.issued(profile))):
            yield _summary(bill, today)

    def _coming(self, profile: WorldProfile) -> Iterator[Json]:
        """What has no invoice yet: the running month, and for some days the one before."""
        today = self._outside.world.moment(profile).today
        for month, spent in self._bills.unbilled(profile):
            yield {
                "id": invoice_number(profile, month),
                "status": "ACCUMULATING" if month <= today <= last_of(month) else "PROCESSING",
                "fromDate": _day(month),
                "amountDue": _amount(profile, spent),
                "remainingAmountDue": _amount(profile, spent),
            }

    def _invoice(self, bill: Bill) -> Json:
        """Everything about an invoice."""
        profile = bill.profile
        summary = _summary(bill, self._outside.world.moment(profile).today)
        spend = [line for line in bill.lines if line.kind == LineKind.SPEND]
        totals = Counter[str]()
        for line in spend:
            totals[_portfolio(line)] += line.net
        names = {entry["portfolioId"]: entry["name"] for entry in portfolios(self._outside.world, profile)}
        found = _whole(profile, summary)
        found["invoiceLines"] = [_line(profile, line) for line in spend]
        found["promotions"] = [
            {
                "amount": _amount(profile, line.net),
                "lastConsumedDate": summary["toDate"],
                "description": "Promotional credit",
            }
            for line in bill.lines
            if line.kind == LineKind.PROMOTION
        ]
        found["adjustments"] = [
            {
                "amount": _amount(profile, line.net),
                "accountingDate": summary["toDate"],
                "comments": f"Adjustment of invoice {invoice_number(profile, line.month)}",
            }
            for line in bill.lines
            if line.kind in (LineKind.ADJUSTMENT, LineKind.INVALID)
        ]
        found["portfolios"] = [
            {
                "id": int(portfolio),
                "name": names[portfolio],
                "totalAmount": _amount(profile, total),
                "feeAmount": _amount(profile, 0),
            }
            for portfolio, total in totals.items()
            if portfolio
        ]
        found["payments"] = _payments(bill, summary)
        found["taxDetail"]["taxBreakups"] = _taxes(bill)
        return found


# -- what is asked ---------------------------------------------------------------------------------------------------


def _check_permission(profile: WorldProfile) -> None:
    """Raise the documented 401: the user is not allowed to invoke the operation."""
    if profile.billing is None:
        text = "the user has none of the permissions nemo_transactions_view and nemo_transactions_edit"
        raise AmazonRefusal(401, f"Not authorized to access scope {profile.id}: {text}", "UNAUTHORIZED")


def _asked(query: Mapping[str, str]) -> _Asked:
    """The list's question; that of a cursor is in the cursor. Raises Amazon's 400."""
    for name in query:
        if name not in _PARAMETERS:
            raise bad_request(f"The parameter {name} is not known")
    if "cursor" in query and "count" in query:
        raise bad_request("count cannot be combined with cursor")
    if "cursor" in query:
        return _of_cursor(query["cursor"])
    statuses = [word for word in query.get("invoiceStatuses", "").split(",") if word]
    for status in statuses:
        if status not in _STATUSES:
            raise bad_request(f"invoiceStatuses cannot be {status}")
    count = query.get("count", str(_MOST))
    if not (count.isascii() and count.isdigit() and int(count) <= _MOST):
        raise bad_request(f"count must be a number from 0 to {_MOST}")
    return _Asked(statuses, _bound(query, "startDate", ""), _bound(query, "endDate", _LATEST), int(count))


def _bound(query: Mapping[str, str], name: str, default: str) -> str:
    """A date as invoices have it; the default is before or after all of them."""
    if name not in query:
        return default
    try:
        return _day(date.fromisoformat(query[name]))
    except ValueError:
        raise bad_request(f"{name} must be a date, YYYY-MM-DD") from None


def _cursor(asked: _Asked) -> str:
    return base64.urlsafe_b64encode(json.dumps(asked).encode()).decode()


def _of_cursor(cursor: str) -> _Asked:
    wrong = bad_request("cursor is not valid")
    try:
        statuses, start, end, size, place = json.loads(base64.urlsafe_b64decode(cursor))
        asked = _Asked([str(status) for status in statuses], str(start), str(end), int(size), int(place))
    except (ValueError, TypeError, OverflowError):
        raise wrong from None
    if not (0 <= asked.size <= _MOST and asked.place >= 0):
        raise wrong
    return asked


# -- what is answered ------------------------------------------------------------------------------------------------


def _answer(payload: Json, media: str) -> Response:
    if media:
        return json_answer(payload, headers={"Content-Type": media})
    return json_answer({"status": "success", "payload": payload})


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(profile: WorldProfile, minor: int) -> Json:
    return {"amount": money(profile, minor), "currencyCode": profile.currency}


def _summary(bill: Bill, today: date) -> Json:
    """An invoice in the list. Sellers' cards are charged at once; vendors pay within 30 days, half of it before."""
    profile, due = bill.profile, bill.issued + timedelta(days=_DAYS_TO_PAY)
    status, paid, tax_paid = "ISSUED", 0, 0
    if profile.kind == "seller" or today >= due:
        status, paid, tax_paid = "PAID_IN_FULL", bill.total, bill.tax
    elif today >= bill.issued + timedelta(days=_DAYS_TO_PAY_IN_PART):
        status, paid, tax_paid = "PAID_IN_PART", bill.total // 2, bill.tax // 2
    return {
        "id": bill.number,
        "status": status,
        "fromDate": _day(bill.month),
        "toDate": _day(last_of(bill.month)),
        "invoiceDate": _day(bill.issued),
        "dueDate": _day(due),
        "paymentMethod": _METHODS[profile.kind],
        "paymentTermsDays": _DAYS_TO_PAY,
        "paymentTermsType": "NET",
        "amountDue": _amount(profile, bill.total),
        "taxAmountDue": _amount(profile, bill.tax),
        "remainingAmountDue": _amount(profile, bill.total - paid),
        "remainingTaxAmountDue": _amount(profile, bill.tax - tax_paid),
        "taxRate": _rate(profile),
        "fees": [],
        "remainingFees": [],
        "downloadableDocuments": ["INVOICE"],
    }


def _whole(profile: WorldProfile, summary: Json) -> Json:
    """An invoice before it has lines."""
    return {
        "invoiceSummary": summary,
        "invoiceLines": [],
        "promotions": [],
        "adjustments": [],
        "portfolios": [],
        "payments": [],
        "taxDetail": {"taxCalculationDate": summary.get("toDate", summary["fromDate"]), "taxBreakups": []},
        "issuerContactInfo": _contact("Amazon Advertising", profile.country),
        "payerContactInfo": _contact(profile.name, profile.country),
        "thirdPartyContactInfo": [],
    }


def _contact(name: str, country: str) -> Json:
    lines = {"addressLine1": "1 Example Street", "addressLine2": "", "addressLine3": ""}
    place = {"city": "Example", "stateOrRegion": "", "postalCode": "00000", "countryCode": country}
    return {
        "address": {"companyName": name, **lines, **place},
        "email": {"displayName": name, "emailAddress": "billing@example.com"},
    }


def _line(profile: WorldProfile, line: BillLine) -> Json:
    """A campaign's clicks."""
    campaign = line.campaign
    assert campaign is not None  # noqa: S101 - spend is a campaign's
    price = (money(profile, line.net) / line.clicks).quantize(Decimal("0.01")) if line.clicks else Decimal(0)
    portfolio = _portfolio(line)
    return {
        "name": campaign.name,
        "campaignId": int(campaign.id),
        "campaignName": campaign.name,
        **({"portfolioId": int(portfolio)} if portfolio else {}),
        "programName": _PROGRAMS[campaign.product],
        "priceType": "CPC",
        "costEventType": "CLICKS",
        "costEventCount": line.clicks,
        "cost": _amount(profile, line.net),
        "costPerUnit": price,
        "costPerEventType": price,
        "fees": [],
    }


def _portfolio(line: BillLine) -> str:
    return portfolio_of(line.campaign) if line.campaign else ""


def _payments(bill: Bill, summary: Json) -> list[Json]:
    """The payment by card."""
    if bill.profile.kind != "seller":
        return []
    paid = {"id": int(bill.number), "paymentMethod": summary["paymentMethod"], "amount": summary["amountDue"]}
    return [{**paid, "status": "SUCCEEDED", "lastPaymentAttemptDate": summary["invoiceDate"]}]


def _taxes(bill: Bill) -> list[Json]:
    """The tax of the account's country."""
    country = bill.profile.country
    if not bill.tax:
        return []
    return [
        {
            "taxName": _TAXES[country],
            "taxRate": _rate(bill.profile),
            "taxAmount": _amount(bill.profile, bill.tax),
            "issuerJurisdiction": country,
            "payerJurisdiction": country,
            "issuerTaxInformation": {"taxId": f"{country}000000000"},
            "payerTaxInformation": {},
            "taxedJurisdictionName": country,
        }
    ]


def _rate(profile: WorldProfile) -> Decimal:
    return Decimal(profile.billing.tax if profile.billing else 0).scaleb(-3)
