"""Invoices pulled from the sandbox and read: documents, lines, taxes and months are what the world billed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import NotApplicable
from adweir.model.invoices import Invoice
from adweir.model.platforms import Platform
from adweir.model.times import Window
from sandbox.platforms.google_ads import STAND_IN
from sandbox.server import PlatformServer
from sandbox.world.bills import CREDIT_MEMO, Bills
from support.google_wire import GOOGLE_ADS
from support.platform_server import running
from support.platforms import AMAZON_ADS, META_ADS
from support.puller import Puller

MONTHS = Window(date(2026, 8, 1), date(2026, 11, 20))
KINDS = {"promotion": "credit"}
"""The world's kinds of lines that have another name here."""


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    """Only read."""
    with running(awkward=True) as started:
        yield started


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def billed(server: PlatformServer, platform: Platform) -> list[int]:
    """The places of the companies whose ad account on a platform pays by invoice."""
    firsts = [next((p for p in c.profiles if p.platform == platform), None) for c in server.outside.world.companies]
    return [place for place, profile in enumerate(firsts) if profile is not None and profile.billing]


def issued(server: PlatformServer, puller: Puller) -> dict[str, dict[str, Any]]:
    """All documents of the world, by number."""
    truth = Bills(server.outside.world).truth(puller.profile, date.min, MONTHS.end)
    return {bill["number"]: bill for bill in truth}


def by_kind(invoice: Invoice) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for line in invoice.lines:
        sums[line.kind] += line.amount
    return {kind: amount for kind, amount in sums.items() if amount}


def truly_by_kind(platform: Platform, bill: dict[str, Any]) -> dict[str, int]:
    """Meta itemizes campaigns alone: of the rest of an invoice, and of a memo, it says no kind."""
    sums: Counter[str] = Counter()
    for line in bill["lines"]:
        kind = KINDS.get(line["kind"], line["kind"])
        if platform == META_ADS:
            kind = "credit" if bill["kind"] == CREDIT_MEMO else kind if kind == "spend" else "adjustment"
        sums[kind] += line["net_micros"]
    return {kind: amount for kind, amount in sums.items() if amount}


@pytest.mark.parametrize("platform", [GOOGLE_ADS, META_ADS, AMAZON_ADS])
def test_what_is_pulled_is_what_the_world_billed(
    server: PlatformServer, session: requests.Session, platform: Platform
) -> None:
    places = billed(server, platform)
    assert places
    for place in places:
        # given
        puller = Puller(server, platform, place, session, MONTHS)
        truth = issued(server, puller)

        # when
        pulled = puller.pull(Dataset.INVOICES)
        found = {each.invoice_id: each for each in pulled.invoices()}

        # then
        assert pulled.pages[-1][2]
        newest = {number for number, bill in truth.items() if bill["billed_with"] >= MONTHS.start.isoformat()}
        assert newest <= set(found) <= set(truth)
        for number, invoice in found.items():
            bill = truth[number]
            assert (invoice.document, invoice.month) == (bill["kind"], bill["month"][:7])
            corrects = "" if platform == META_ADS else bill["corrects"]  # Meta's memos name no invoice
            assert (invoice.currency, invoice.corrects) == (bill["currency"], corrects)
            assert by_kind(invoice) == truly_by_kind(platform, bill), number
            assert sum(line.tax for line in invoice.lines) == bill["tax_micros"], number


def test_a_customer_that_pays_by_card_has_no_invoices(session: requests.Session) -> None:
    with running([STAND_IN], awkward=True) as server:
        unbilled = set(range(len(server.outside.world.companies))) - set(billed(server, GOOGLE_ADS))
        puller = Puller(server, GOOGLE_ADS, min(unbilled), session, MONTHS)
        with pytest.raises(NotApplicable, match="BILLING_SETUP_NOT_ON_MONTHLY_INVOICING"):
            puller.pull(Dataset.INVOICES)
