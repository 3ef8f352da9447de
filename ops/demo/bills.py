"""Compares the stored invoices with what the platforms billed: each document before tax, its tax, and its month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.money import MICRO
from adweir.model.times import first_of_month
from adweir.platforms import REGISTRY
from ops.client import Api
from ops.demo.world import WorldDoors

_MONTHS = 2
"""Documents that were issued since the month before last are pulled by every run."""


class BilledDocument(NamedTuple):
    """What a document bills, in millionths, and for which month."""

    month: str
    amount: int
    tax: int


def wrong_bills(api: Api, world: WorldDoors, profiles: Iterable[Mapping[str, Any]]) -> list[str]:
    """Documents of these ad accounts that differ, are missing, or that no platform issued; a line each.

    Those of platforms without invoices in their API would come by file. A document is issued after its month, so those
    issued since the first of the oldest month are all that the months can have.
    """
    pulled = {str(spec.name) for spec in REGISTRY.specs() if Dataset.INVOICES in spec.datasets}
    wanted, today = {each["profile_id"] for each in profiles if each["platform"] in pulled}, world.day(0)
    first = first_of_month(today, -_MONTHS)
    oldest = first_of_month(first, -_MONTHS).isoformat()
    found = [
        bill for platform in sorted(pulled) for bill in world.get("bills", platform=platform, start=oldest)["bills"]
    ]
    billed = [bill for bill in found if bill["profile_id"] in wanted]
    span = {"start": oldest, "end": today.isoformat()}
    return list(differences(stored(api.records("invoices", {"date_range": span})), billed, first))


def stored(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], BilledDocument]:
    """The lines of the API → documents by platform and number."""
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        total = sums[line["platform"], line["invoice_id"], line["month"]]
        for place, name in enumerate(("amount", "tax")):
            total[place] += int(Decimal(str(line[name])) * MICRO)
    return {(platform, number): BilledDocument(month, *total) for (platform, number, month), total in sums.items()}


def differences(
    found: Mapping[tuple[str, str], BilledDocument], billed: Iterable[Mapping[str, Any]], first: date
) -> Iterator[str]:
    """A line per difference. Documents that come with the invoice of a month since `first` have to be there."""
    unknown = dict(found)
    for bill in billed:
        key = bill["platform"], bill["number"]
        truth = BilledDocument(bill["month"][:7], bill["net_micros"], bill["tax_micros"])
        own = unknown.pop(key, None)
        if own not in {truth, None} or (own is None and date.fromisoformat(bill["billed_with"]) >= first):
            yield f"{' '.join(key)}: stored {own or 'nothing'}, billed {truth}"
    for key, own in unknown.items():
        yield f"{' '.join(key)}: stored {own}, never billed"
