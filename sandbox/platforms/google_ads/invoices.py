"""InvoiceService: what a customer on monthly invoicing was billed (Google Ads API, Invoice; v26's resources.Invoice).

An invoice keeps what was known when it was issued. It bills the month's served amount less overdelivery, credits the
invalid activity that was found since in the month before, and adds tax; once a quarter it has a promotional credit. A
removed campaign brings a credit memo that corrects the invoice before. Amounts are micros; adjustments of 0 are absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from sandbox.platforms.google_ads.accounts import GoogleAccount
from sandbox.platforms.google_ads.errors import GoogleAdsError, request_error
from sandbox.platforms.google_ads.periods import MONTHS, month_after
from sandbox.world import World, WorldProfile
from sandbox.world.world import Moment

_TAXES = {"DE": 190, "GB": 200, "JP": 100}
"""Per mille; customers elsewhere pay none here."""
_OVERDELIVERY, _PROMOTION, _CORRECTION = 4, 15, 10
"""Per mille of what was served."""
_DAYS_TO_ISSUE, _DAYS_TO_PAY = 2, 30
_OLDEST_YEAR = 2019


class Bill(NamedTuple):
    """A month's amounts in the currency's minor units; credits are negative."""

    first: date
    served: int
    overdelivery: int
    invalid: int
    promotion: int

    @property
    def billed(self) -> int:
        """What the account budget is charged."""
        return self.served + self.overdelivery

    @property
    def subtotal(self) -> int:
        """Before tax, without adjustments of the invoice itself."""
        return self.billed + self.invalid


def invoices(world: World, account: GoogleAccount, asked: Mapping[str, str]) -> dict[str, Any]:
    """`customers/{id}/invoices?billingSetup=…&issueYear=…&issueMonth=…`. Raises Google's errors."""
    profile, first = _invoiced(account, asked), _month(asked)
    if profile is None or not _is_issued(world, profile, first):
        return {}
    granular = asked.get("includeGranularLevelInvoiceDetails") == "true"
    found = [_invoice(world, profile, first, granular=granular)]
    before = month_after(first, -1)
    if _had_removals(profile) and before >= world.first_day.replace(day=1):
        found.append(_credit_memo(world, profile, first))
    return {"invoices": found}


def bill(world: World, profile: WorldProfile, first: date) -> Bill:
    """What the month that begins on this day was billed."""
    served, before = _spend(world, profile, first, first), month_after(first, -1)
    known, corrected = _spend(world, profile, before, before), _spend(world, profile, before, first)
    promotion = -(served * _PROMOTION // 1000) if first.month % 3 == 1 else 0
    return Bill(first, served, -(served * _OVERDELIVERY // 1000), corrected - known, promotion)


def pays_by_invoice(profile: WorldProfile) -> bool:
    """Those that sell do; the others pay by card."""
    return profile.traits.sells


def _invoiced(account: GoogleAccount, asked: Mapping[str, str]) -> WorldProfile | None:
    """The account's profile, when it has invoices. Raises InvoiceError's codes."""
    setup = f"customers/{account.id}/billingSetups/{account.id[-6:]}"
    if not asked.get("billingSetup"):
        raise request_error("REQUIRED_FIELD_MISSING", "The required field was not present: billing_setup.")
    if account.manager or account.test:
        raise _invoice_error("NON_SERVING_CUSTOMER", "Invoices cannot be fetched for an account that does not serve.")
    if account.profile is None or asked["billingSetup"] != setup:
        raise _invoice_error("NOT_INVOICED_CUSTOMER", "The customer has no billing setup of that name.")
    if not pays_by_invoice(account.profile):
        text = "The billing setup is not on monthly invoicing."
        raise _invoice_error("BILLING_SETUP_NOT_ON_MONTHLY_INVOICING", text)
    return account.profile


def _month(asked: Mapping[str, str]) -> date:
    """The first day of the month of issue. Raises."""
    year, month = asked.get("issueYear", ""), asked.get("issueMonth", "")
    if not (year.isascii() and year.isdigit() and len(year) == 4) or month not in MONTHS:
        raise request_error("INVALID_ENUM_VALUE", "The issue year is yyyy, the issue month a month's name.")
    if int(year) < _OLDEST_YEAR:
        raise _invoice_error("YEAR_MONTH_TOO_OLD", "Invoices are there from 2019.")
    return date(int(year), MONTHS.index(month) + 1, 1)


def _invoice_error(code: str, text: str) -> GoogleAdsError:
    return GoogleAdsError("invoiceError", code, text)


def _last(first: date) -> date:
    return month_after(first, 1) - timedelta(days=1)


def _issued_on(first: date) -> date:
    """When a month's numbers were taken."""
    return _last(first) + timedelta(days=_DAYS_TO_ISSUE)


def _is_issued(world: World, profile: WorldProfile, first: date) -> bool:
    return world.moment(profile).today >= _issued_on(first) and _last(first) >= world.first_day


def _spend(world: World, profile: WorldProfile, first: date, issued: date) -> int:
    """What a month's clicks cost, as was known when the month that begins on `issued` was billed; minor units."""
    moment = Moment(_issued_on(issued), 12)
    return sum(row.numbers.spend for row in world.rows(profile, "account", first, _last(first), moment=moment))


def _had_removals(profile: WorldProfile) -> bool:
    return any(campaign.status == "DELETED" for campaign in profile.campaigns)


def _name(profile: WorldProfile, first: date, kind: str) -> tuple[str, str]:
    """An invoice's resource name and its number."""
    number = f"{profile.id[-5:]}{first:%y%m}{kind}"
    return f"customers/{profile.id}/invoices/{number}", number


def _range(first: date) -> dict[str, str]:
    return {"startDate": first.isoformat(), "endDate": _last(first).isoformat()}


def _invoice(world: World, profile: WorldProfile, first: date, *, granular: bool) -> dict[str, Any]:
    made = bill(world, profile, first)
    name, number = _name(profile, first, "1")
    tax = made.subtotal * _TAXES.get(profile.country, 0) // 1000
    summary: dict[str, Any] = {
        "customer": f"customers/{profile.id}",
        "customerDescriptiveName": profile.name,
        "accountBudgetName": "Account budget",
        **_amounts(profile, made.subtotal, tax),
        "billableActivityDateRange": _range(first),
        "servedAmountMicros": _micros(profile, made.served),
        "billedAmountMicros": _micros(profile, made.billed),
        "overdeliveryAmountMicros": _micros(profile, made.overdelivery),
        "invalidActivityAmountMicros": _micros(profile, made.invalid),
    }
    if made.invalid:
        before = month_after(first, -1)
        summary["invalidActivitySummaries"] = [
            {
                "originalMonthOfService": MONTHS[before.month - 1],
                "originalYearOfService": str(before.year),
                "originalInvoiceId": _name(profile, before, "1")[1],
                "amountMicros": _micros(profile, made.invalid),
            }
        ]
    if granular:
        summary["campaignSummaries"] = _campaigns(world, profile, first)
    found = _head(profile, name, number, "INVOICE", first)
    if made.promotion:
        found["adjustmentsSubtotalAmountMicros"] = _micros(profile, made.promotion)
        found["adjustmentsTotalAmountMicros"] = _micros(profile, made.promotion)
    amounts = _amounts(profile, made.subtotal + made.promotion, tax)
    return {**found, **amounts, "accountBudgetSummaries": [summary]}


def _credit_memo(world: World, profile: WorldProfile, first: date) -> dict[str, Any]:
    """A late adjustment of the invoice of the month before."""
    before = month_after(first, -1)
    name, number = _name(profile, first, "2")
    credit = -(_spend(world, profile, before, before) * _CORRECTION // 1000)
    found = _head(profile, name, number, "CREDIT_MEMO", first)
    found["adjustmentsSubtotalAmountMicros"] = _micros(profile, credit)
    found["adjustmentsTotalAmountMicros"] = _micros(profile, credit)
    return {**found, **_amounts(profile, credit, 0), "correctedInvoice": _name(profile, before, "1")[0]}


def _head(profile: WorldProfile, name: str, number: str, kind: str, first: date) -> dict[str, Any]:
    stem = profile.id[-4:]
    return {
        "resourceName": name,
        "id": number,
        "type": kind,
        "billingSetup": f"customers/{profile.id}/billingSetups/{profile.id[-6:]}",
        "paymentsAccountId": f"{stem}-5678-9012-3456",
        "paymentsProfileId": f"{stem}-5678-9012",
        "issueDate": _last(first).isoformat(),
        "dueDate": (_last(first) + timedelta(days=_DAYS_TO_PAY)).isoformat(),
        "serviceDateRange": _range(first),
        "currencyCode": profile.currency,
    }


def _campaigns(world: World, profile: WorldProfile, first: date) -> list[dict[str, Any]]:
    """What each campaign's clicks cost."""
    costs: dict[str, tuple[int, int]] = {}
    moment = Moment(_issued_on(first), 12)
    for row in world.rows(profile, "campaign", first, _last(first), moment=moment):
        if row.campaign is not None:
            clicks, spend = costs.get(row.campaign.name, (0, 0))
            costs[row.campaign.name] = clicks + row.numbers.clicks, spend + row.numbers.spend
    return [
        {
            "campaignDescription": name,
            "quantity": str(clicks),
            "unitOfMeasure": "CLICKS",
            "amountMicros": _micros(profile, spend),
        }
        for name, (clicks, spend) in costs.items()
    ]


def _micros(profile: WorldProfile, minor: int) -> str:
    return str(minor * profile.minor_micros)


def _amounts(profile: WorldProfile, subtotal: int, tax: int) -> dict[str, str]:
    return {
        "subtotalAmountMicros": _micros(profile, subtotal),
        "taxAmountMicros": _micros(profile, tax),
        "totalAmountMicros": _micros(profile, subtotal + tax),
    }
