"""The sandbox world's file of bills, dropped and stored: what adweir then has is what the world billed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from adweir.model.invoices import Invoice
from adweir.model.platforms import Platform
from sandbox.bill_file import bill_file
from sandbox.outside import Outside
from sandbox.platforms import population, stand_ins
from sandbox.world import World, WorldProfile
from sandbox.world.bills import Bills
from support.clock import FrozenClock
from support.load_world import LoadWorld
from support.platform_server import ANCHOR

SINCE = date(2026, 9, 1)
KINDS = {"promotion": "credit"}
"""The world's kinds of lines that have another name in adweir."""


@pytest.fixture(scope="module")
def outside() -> World:
    """Only read."""
    return Outside(anchor=ANCHOR, population=population(stand_ins(), awkward=True)).world


def without_api(world: World) -> list[WorldProfile]:
    """The invoiced ad accounts of the platforms that show no invoices."""
    return [p for p in world.profiles if p.billing and p.platform in ("tiktok_ads", "trade_desk")]


def by_kind(bill: dict[str, Any]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for line in bill["lines"]:
        sums[KINDS.get(line["kind"], line["kind"])] += line["net_micros"]
    return dict(sums)


def stored_by_kind(invoice: Invoice) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for line in invoice.lines:
        sums[line.kind] += line.amount
    return {kind: amount for kind, amount in sums.items() if amount}


def test_a_dropped_file_of_bills_is_what_the_world_billed(tables: None, clock: FrozenClock, outside: World) -> None:
    # given
    world, bills = LoadWorld(clock, "adweir-data"), Bills(outside)
    profiles = without_api(outside)
    for profile in profiles:
        world.platform = Platform(profile.platform)
        world.add_profile(profile.id, timezone=profile.timezone, currency=profile.currency)
    text = bill_file(bill for profile in profiles for bill in bills.issued(profile, SINCE))

    # when
    world.arrive("drops/acme/adweir/invoices/world.csv", text.encode())

    # then
    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["reasons"]) == ("loaded", {})
    for profile in profiles:
        truth = {bill["number"]: bill for bill in bills.truth(profile, SINCE, date.max)}
        found = {each.invoice_id: each for each in world.catalog.invoices(Platform(profile.platform), profile.id)}
        assert found.keys() == truth.keys()
        for number, invoice in found.items():
            bill = truth[number]
            assert (invoice.document, invoice.month, invoice.corrects) == (
                bill["kind"], bill["month"][:7], bill["corrects"],
            )  # fmt: skip
            assert stored_by_kind(invoice) == by_kind(bill)
            assert sum(line.tax for line in invoice.lines) == bill["tax_micros"]
