"""Records of objects, account days and invoices, as every reader shows them: money in units, no date as null."""

from __future__ import annotations

from typing import Any

from adweir.model.entities import PlatformObject, Profile
from adweir.model.invoices import Invoice, InvoiceLine
from adweir.model.metrics import Slot
from adweir.model.money import from_micros, to_units
from adweir.reporting.ads import status_on
from adweir.reporting.totals import measures

ACCOUNT_DAY_METRICS = ("spend", "impressions", "clicks", "conversions", "revenue", "roas")
"""Those of an account day, in which each is called `daily_<metric>`."""

INVOICE_FIELDS = (
    "platform",
    "profile_id",
    "account_id",
    "client_account_id",
    "month",
    "invoice_id",
    "document",
    "line",
    "kind",
    "amount",
    "tax",
    "total",
    "currency",
    "campaign_id",
    "campaign",
    "budget",
    "about_month",
    "start_date",
    "end_date",
    "issued_on",
    "due_on",
    "status",
    "status_raw",
    "corrects",
    "replaces",
    "source",
    "as_of",
)
"""The names in a record of an invoice's line."""


def object_record(item: PlatformObject, profile: Profile, today: str) -> dict[str, Any]:
    """A campaign, ad group, keyword or creative. `today` is the profile's, ISO; "" where its time zone is unknown."""
    record = item.model_dump(mode="json")
    record["status"] = status_on(today, item.status, item.end_date).value
    for name in ("budget", "bid"):
        if record.get(name) is not None:
            record[name] = from_micros(record[name])
    for each in record.get("budgets", ()):
        each["amount"] = to_units(each["amount"])
    for name in ("start_date", "end_date"):
        record[name] = record[name] or None
    return record | {"profile_id": profile.shown_id, "currency": profile.currency} | accounts(profile)


def line_record(profile: Profile, invoice: Invoice, line: InvoiceLine) -> dict[str, Any]:
    """A line, with what its document says; money in units, what there is not as null."""
    record: dict[str, Any] = {
        **accounts(profile),
        "platform": str(profile.platform),
        "profile_id": profile.shown_id,
        "month": invoice.month,
        "invoice_id": invoice.invoice_id,
        "document": invoice.document.value,
        "line": line.line,
        "kind": line.kind.value,
        "amount": from_micros(line.amount),
        "tax": from_micros(line.tax),
        "total": from_micros(line.amount + line.tax),
        "currency": invoice.currency,
        "campaign_id": line.campaign_id or None,
        "campaign": line.campaign or None,
        "budget": line.budget or None,
        "about_month": line.about_month or None,
        "start_date": invoice.start or None,
        "end_date": invoice.end or None,
        "issued_on": invoice.issued_on or None,
        "due_on": invoice.due_on or None,
        "status": invoice.status.value,
        "status_raw": invoice.status_raw,
        "corrects": invoice.corrects or None,
        "replaces": list(invoice.replaces),
        "source": invoice.source.value,
        "as_of": invoice.as_of,
    }
    return {name: record[name] for name in INVOICE_FIELDS}


def account_day(
    profile: Profile, day: str, currency: str, slot: Slot, active: tuple[int | None, int | None]
) -> dict[str, Any]:
    """The 14 fields of an account day. `active`: campaigns and ads with numbers on the day, None where unknown."""
    numbers = measures(slot)
    return {
        "account_id": profile.shown_id,
        "platform": str(profile.platform),
        "account_name": profile.name,
        "currency": currency,
        "timezone": profile.timezone,
        "date": day,
        **{f"daily_{name}": numbers[name] for name in ACCOUNT_DAY_METRICS},
        "campaign_count": active[0],
        "ad_count": active[1],
    }


def accounts(profile: Profile) -> dict[str, Any]:
    """Whose a record is: the platform's ad account, and the client beside it."""
    return {"account_id": profile.shown_id, "client_account_id": profile.account_id}
