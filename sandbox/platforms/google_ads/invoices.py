"""InvoiceService: what a customer on monthly invoicing was billed (Google Ads API, Invoice; v26's resources.Invoice).

The world's bills in Google's form. An account budget bills the month's served amount less overdelivery, and credits
the invalid activity that was found since in earlier months; promotional credits are adjustments of the invoice. The
subtotal has both; regulatory costs stand beside it, in the total alone. Tax is of all of it. A credit memo corrects an
earlier invoice. Amounts are micros; those of an invoice's adjustments and regulatory costs are absent when they are 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sandbox.platforms.google_ads.accounts import GoogleAccount
from sandbox.platforms.google_ads.errors import GoogleAdsError, request_error
from sandbox.platforms.google_ads.periods import MONTHS
from sandbox.world import WorldProfile
from sandbox.world.bills import CREDIT_MEMO, INVOICE, Bill, BillLine, Bills, invoice_number, part
from sandbox.world.months import last_of
from sandbox.world.traits import LineKind

_DAYS_TO_PAY = 30
_OLDEST_YEAR = 2019
_PARTS = {
    LineKind.PROMOTION: "couponAdjustment",
    LineKind.ADJUSTMENT: "billingCorrection",
    LineKind.FEE: "regulatoryCosts",
}
_FEES = {"GB": "UK_DST_FEE"}
"""By country (v26's enum RegulatoryFeeType)."""
_DESCRIPTIONS = {LineKind.PROMOTION: "Promotional credit", LineKind.ADJUSTMENT: "Billing correction"}


def invoices(bills: Bills, account: GoogleAccount, asked: Mapping[str, str]) -> dict[str, Any]:
    """`customers/{id}/invoices?billingSetup=…&issueYear=…&issueMonth=…`. Raises Google's errors."""
    profile, month = _invoiced(account, asked), _month(asked)
    granular = asked.get("includeGranularLevelInvoiceDetails") == "true"
    found = [_invoice(bill, granular=granular) for bill in bills.of_month(profile, month)]
    return {"invoices": found} if found else {}


def _invoiced(account: GoogleAccount, asked: Mapping[str, str]) -> WorldProfile:
    """The account's profile, when it has invoices. Raises InvoiceError's codes."""
    setup = f"customers/{account.id}/billingSetups/{account.id[-6:]}"
    if not asked.get("billingSetup"):
        raise request_error("REQUIRED_FIELD_MISSING", "The required field was not present: billing_setup.")
    if account.manager or account.test:
        raise _invoice_error("NON_SERVING_CUSTOMER", "Invoices cannot be fetched for an account that does not serve.")
    if account.profile is None or asked["billingSetup"] != setup:
        raise _invoice_error("NOT_INVOICED_CUSTOMER", "The customer has no billing setup of that name.")
    if account.profile.billing is None:
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


def _name(profile: WorldProfile, number: str) -> str:
    return f"customers/{profile.id}/invoices/{number}"


def _range(month: date) -> dict[str, str]:
    return {"startDate": month.isoformat(), "endDate": last_of(month).isoformat()}


def _invoice(bill: Bill, *, granular: bool) -> dict[str, Any]:
    """A document, issued on the last day of its month. All tax that is not of an adjustment or a regulatory cost is the
    account budget's.
    """
    profile, issued = bill.profile, last_of(bill.billed_with)
    adjusted = bill.of(LineKind.PROMOTION, LineKind.ADJUSTMENT)
    regulatory = bill.of(LineKind.FEE)
    taxes = [_tax(profile, amount) for amount in (adjusted, regulatory)]
    found: dict[str, Any] = {
        "resourceName": _name(profile, bill.number),
        "id": bill.number,
        "type": {INVOICE: "INVOICE", CREDIT_MEMO: "CREDIT_MEMO"}[bill.kind],
        "billingSetup": f"customers/{profile.id}/billingSetups/{profile.id[-6:]}",
        "paymentsAccountId": f"{profile.id[-4:]}-5678-9012-3456",
        "paymentsProfileId": f"{profile.id[-4:]}-5678-9012",
        "issueDate": issued.isoformat(),
        "dueDate": (issued + timedelta(days=_DAYS_TO_PAY)).isoformat(),
        "serviceDateRange": _range(bill.month),
        "currencyCode": profile.currency,
        **(_amounts(profile, "adjustments", adjusted, taxes[0]) if adjusted else {}),
        **(_amounts(profile, "regulatoryCosts", regulatory, taxes[1]) if regulatory else {}),
        "subtotalAmountMicros": _micros(profile, bill.net - regulatory),
        "taxAmountMicros": _micros(profile, bill.tax),
        "totalAmountMicros": _micros(profile, bill.total),
    }
    if bill.corrects:
        found["correctedInvoice"] = _name(profile, bill.corrects)
    else:
        found["accountBudgetSummaries"] = [_budget(bill, bill.tax - sum(taxes), granular=granular)]
    found["accountSummaries"] = [_account(bill, granular=granular)]
    return found


def _budget(bill: Bill, tax: int, *, granular: bool) -> dict[str, Any]:
    """The account's one budget."""
    profile, served, invalid = bill.profile, bill.of(LineKind.SPEND), bill.of(LineKind.INVALID)
    overdelivery = bill.of(LineKind.OVERDELIVERY)
    taken_back = [line for line in bill.lines if line.kind == LineKind.INVALID]
    found: dict[str, Any] = {
        "customer": f"customers/{profile.id}",
        "customerDescriptiveName": profile.name,
        "accountBudget": f"customers/{profile.id}/accountBudgets/{profile.id[:6]}",
        "accountBudgetName": "Account budget",
        **_amounts(profile, "", served + overdelivery + invalid, tax),
        "billableActivityDateRange": _range(bill.month),
        "servedAmountMicros": _micros(profile, served),
        "billedAmountMicros": _micros(profile, served + overdelivery),
        "overdeliveryAmountMicros": _micros(profile, overdelivery),
        "invalidActivityAmountMicros": _micros(profile, invalid),
    }
    if taken_back:
        found["invalidActivitySummaries"] = [_invalid(profile, line) for line in taken_back]
    if granular:
        found["campaignSummaries"] = [_campaign(profile, line) for line in bill.lines if line.kind == LineKind.SPEND]
    return found


def _account(bill: Bill, *, granular: bool) -> dict[str, Any]:
    """All that the document has of the account."""
    profile = bill.profile
    found: dict[str, Any] = {"customer": f"customers/{profile.id}"}
    for kind, name in _PARTS.items():
        if amount := bill.of(kind):
            found |= _amounts(profile, name, amount, _tax(profile, amount))
    found |= _amounts(profile, "", bill.net, bill.tax)
    if granular:
        adjusted = [line for line in bill.lines if line.kind in _DESCRIPTIONS]
        fees = [line for line in bill.lines if line.kind == LineKind.FEE]
        if adjusted:
            found["adjustmentSummaries"] = [
                {"adjustmentDescription": _DESCRIPTIONS[line.kind], "amountMicros": _micros(profile, line.net)}
                for line in adjusted
            ]
        if fees:
            found["regulatoryCostSummaries"] = [
                {"regulatoryFeeType": _FEES[profile.country], "amountMicros": _micros(profile, line.net)}
                for line in fees
            ]
    return found


def _invalid(profile: WorldProfile, line: BillLine) -> dict[str, Any]:
    """What was credited of an earlier month."""
    return {
        "originalMonthOfService": MONTHS[line.month.month - 1],
        "originalYearOfService": str(line.month.year),
        "originalInvoiceId": invoice_number(profile, line.month),
        "originalAccountBudgetName": "Account budget",
        "amountMicros": _micros(profile, line.net),
    }


def _campaign(profile: WorldProfile, line: BillLine) -> dict[str, Any]:
    """What a campaign's clicks cost."""
    assert line.campaign is not None  # noqa: S101 - spend is a campaign's
    return {
        "campaignDescription": line.campaign.name,
        "quantity": str(line.clicks),
        "unitOfMeasure": "CLICKS",
        "amountMicros": _micros(profile, line.net),
    }


def _tax(profile: WorldProfile, amount: int) -> int:
    return part(amount, profile.billing.tax) if profile.billing else 0


def _micros(profile: WorldProfile, minor: int) -> str:
    return str(minor * profile.minor_micros)


def _amounts(profile: WorldProfile, of: str, subtotal: int, tax: int) -> dict[str, str]:
    """`of`: what stands before the three amounts' names."""
    named = {"Subtotal": subtotal, "Tax": tax, "Total": subtotal + tax}
    return {
        f"{of}{name}AmountMicros" if of else f"{name.lower()}AmountMicros": _micros(profile, amount)
        for name, amount in named.items()
    }
