"""The world's bills as a file to drop: a line per line of a bill, with adweir's own columns (docs/data-model.md)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from sandbox.world import WorldProfile
from sandbox.world.bills import Bill
from sandbox.world.catalog import MINOR_DIGITS
from sandbox.world.months import last_of
from sandbox.world.traits import LineKind

COLUMNS = (
    "platform", "profile_id", "month", "invoice_id", "document", "corrects", "start_date", "end_date", "issued_on",
    "due_on", "currency", "line", "kind", "campaign_id", "campaign", "about_month", "amount", "tax",
)  # fmt: skip
_DAYS_TO_PAY = 30
_KINDS = {LineKind.PROMOTION: "credit"}
"""Kinds of lines that the file calls otherwise than the world."""


def bill_file(bills: Iterable[Bill]) -> str:
    """The CSV. A document's tax is a line of its own, as it is rounded once for all others."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for bill in bills:
        writer.writerows(_lines(bill))
    return text.getvalue()


def _lines(bill: Bill) -> Iterator[dict[str, str]]:
    profile = bill.profile
    about = {
        "platform": profile.platform,
        "profile_id": profile.id,
        "month": f"{bill.month:%Y-%m}",
        "invoice_id": bill.number,
        "document": bill.kind,
        "corrects": bill.corrects,
        "start_date": bill.month.isoformat(),
        "end_date": last_of(bill.month).isoformat(),
        "issued_on": bill.issued.isoformat(),
        "due_on": (bill.issued + timedelta(days=_DAYS_TO_PAY)).isoformat(),
        "currency": profile.currency,
    }
    for number, line in enumerate(bill.lines, 1):
        campaign = {"campaign_id": line.campaign.id, "campaign": line.campaign.name} if line.campaign else {}
        earlier = {"about_month": f"{line.month:%Y-%m}"} if line.month != bill.month else {}
        kind = _KINDS.get(line.kind, str(line.kind))
        yield {**about, "line": str(number), "kind": kind, **campaign, **earlier, "amount": _amount(profile, line.net)}
    if bill.tax:
        yield {**about, "line": "tax", "kind": "tax", "amount": "0", "tax": _amount(profile, bill.tax)}


def _amount(profile: WorldProfile, minor: int) -> str:
    return f"{Decimal(minor).scaleb(-MINOR_DIGITS[profile.currency]):f}"
