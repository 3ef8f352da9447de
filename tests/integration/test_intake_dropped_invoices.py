"""Files of invoices in the bucket → documents; held back whole, dropped twice, corrected."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from adweir.model.invoices import DocumentKind, Invoice, InvoiceLineKind, InvoiceStatus
from adweir.model.metrics import Source
from adweir.store.raw.store import RawStore
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.load_world import META, LoadWorld

HEADER = "platform,profile_id,month,invoice,line,kind,amount,tax,currency\n"
KEY = "drops/acme/adweir/invoices/october.csv"


@pytest.fixture
def world(tables: None, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> LoadWorld:
    """Objects are written when the clock says."""
    made = LoadWorld(clock, "adweir-data")
    head = made.raw.head
    monkeypatch.setattr(made.raw, "head", lambda *key: head(*key)._replace(last_modified=clock.now()))
    return made


def drop(world: LoadWorld, *lines: str, header: str = HEADER, key: str = KEY) -> dict[str, Any]:
    """Drop a file a second later than the one before; returns its receipt."""
    before = {receipt["key"] for receipt in world.receipts()}
    world.clock.advance(1)
    world.arrive(key, (header + "\n".join(lines)).encode())
    (receipt,) = [each for each in world.receipts() if each["key"] not in before]
    return receipt


def stored(world: LoadWorld, profile_id: str = "1") -> list[Invoice]:
    return list(world.catalog.invoices(META, profile_id))


def refused(raw: RawStore, receipt: dict[str, Any]) -> list[tuple[int, str]]:
    lines = gzip.decompress(raw.get_bytes(receipt["quarantine_key"])).splitlines()
    return [(each["line"], each["errors"][0]["rule"]) for each in map(json.loads, lines)]


def test_a_file_s_lines_become_the_documents_that_they_name(world: LoadWorld) -> None:
    # when
    receipt = drop(
        world,
        "meta,1,2026-10,A1,media,spend,1000.10,190.02,eur",
        "facebook,1,2026-10-31,A1,promo,credit,-50,-9.50,EUR",
        "meta,1,2026-10,A2,,fee,3.000001,,USD",
    )

    # then
    assert (receipt["state"], receipt["rows_read"], receipt["rows_stored"]) == ("loaded", 3, 3)
    assert receipt["stored_for"] == ["meta_ads#1#invoices"]
    first, second = stored(world)
    assert (first.invoice_id, first.month, first.currency, first.source) == ("A1", "2026-10", "EUR", Source.FILE)
    assert [(line.line, line.kind, line.amount, line.tax) for line in first.lines] == [
        ("media", InvoiceLineKind.SPEND, 1_000_100_000, 190_020_000),
        ("promo", InvoiceLineKind.CREDIT, -50_000_000, -9_500_000),
    ]
    assert (second.currency, second.lines[0].line, second.lines[0].amount) == ("USD", "4", 3_000_001)
    assert world.bus.names() == ["EntitiesChanged"]


def test_the_least_that_a_file_has_is_a_month_a_kind_and_an_amount(world: LoadWorld) -> None:
    """Without a number the lines of a month are one document, without a currency they are in the profile's."""
    drop(world, "meta,1,2026-10,spend,5", "meta,1,2026-10,tax,0", header="platform,profile_id,month,kind,amount\n")
    (found,) = stored(world)
    assert (found.invoice_id, found.currency, len(found.lines)) == ("file-2026-10", "USD", 2)


def test_a_document_has_what_its_head_says(world: LoadWorld) -> None:
    header = HEADER.strip() + ",document,status,start_date,issued_on,due_on,corrects,campaign_id,campaign,about_month\n"
    tail = "credit_memo,paid,2026-10-01,2026-11-02,2026-12-02,A1,7,Autumn,2026-09"
    drop(world, f"meta,1,2026-10,M1,1,adjustment,-7,,,{tail}", header=header)
    (found,) = stored(world)
    assert (found.document, found.status, found.corrects) == (DocumentKind.CREDIT_MEMO, InvoiceStatus.PAID, "A1")
    assert (found.start, found.issued_on, found.due_on) == ("2026-10-01", "2026-11-02", "2026-12-02")
    (line,) = found.lines
    assert (line.campaign_id, line.campaign, line.about_month) == ("7", "Autumn", "2026-09")


def test_a_bad_line_holds_back_its_invoice_and_no_other(world: LoadWorld) -> None:
    """Half a bill is a wrong total."""
    receipt = drop(
        world,
        "meta,1,2026-10,A1,1,spend,10,,",
        "meta,1,2026-10,A1,2,rent,10,,",
        "meta,1,2026-10,A1,3,spend,10,,",
        "meta,1,2026-10,A2,1,spend,10,,",
        "meta,1,2026-10,A2,1,spend,11,,",
        "meta,1,2026-10,A3,1,spend,10,,EUR",
        "meta,1,2026-10,A3,2,spend,10,,USD",
        "meta,1,2026-10,A4,1,spend,10,,",
    )
    assert [found.invoice_id for found in stored(world)] == ["A4"]
    assert (receipt["rows_stored"], receipt["rows_quarantined"]) == (1, 7)
    assert receipt["reasons"] == {"whole": 4, "consistent": 2, "allowed": 1}
    assert sorted(refused(world.raw, receipt)) == [
        (2, "whole"), (3, "allowed"), (4, "whole"), (5, "whole"), (6, "consistent"), (7, "whole"), (8, "consistent"),
    ]  # fmt: skip
    assert world.bus.names() == ["EntitiesChanged", "QualityBreached"]


def test_a_line_that_does_not_say_whose_it_is_holds_back_all(world: LoadWorld) -> None:
    for number, line in enumerate(("broken", "meta,1,October,A2,1,spend,1,,", "myspace,1,2026-10,A2,1,spend,1,,")):
        receipt = drop(world, "meta,1,2026-10,A1,1,spend,10,,", line, key=KEY.replace("october", str(number)))
        assert stored(world) == []
        assert (receipt["state"], receipt["rows_stored"], receipt["rows_quarantined"]) == ("loaded", 0, 2)


def test_the_same_file_again_changes_nothing_and_a_later_one_replaces_its_documents(world: LoadWorld) -> None:
    # given
    drop(world, "meta,1,2026-10,A1,1,spend,10,,", "meta,1,2026-10,A1,2,fee,1,,", "meta,1,2026-10,A2,1,spend,5,,")

    # when
    again = drop(
        world, "meta,1,2026-10,A1,1,spend,10,,", "meta,1,2026-10,A1,2,fee,1,,", "meta,1,2026-10,A2,1,spend,5,,",
        key=KEY.replace("october", "again"),
    )  # fmt: skip
    corrected = drop(world, "meta,1,2026-10,A1,1,spend,12,,", key=KEY.replace("october", "corrected"))

    # then
    assert (again["state"], corrected["slots_changed"]) == ("duplicate", 1)
    amounts = {found.invoice_id: [line.amount for line in found.lines] for found in stored(world)}
    assert amounts == {"A1": [12_000_000], "A2": [5_000_000]}


def test_an_unknown_profile_s_file_can_be_dropped_again_when_it_is_listed(world: LoadWorld) -> None:
    lines = ("meta,77,2026-10,A1,1,spend,10,,", "meta,1,2026-10,A1,1,spend,10,,")
    first = drop(world, *lines)
    assert (first["rows_stored"], first["reasons"]) == (1, {"whole": 1})
    world.add_profile("77")
    second = drop(world, *lines, key=KEY.replace("october", "again"))
    assert (second["state"], second["rows_stored"]) == ("loaded", 2)
    assert len(stored(world, "77")) == 1


@pytest.mark.parametrize(
    ("header", "missing"),
    [("platform,profile_id,month,kind\n", "amount"), ("profile_id,month,kind,amount\n", "platform")],
)
def test_a_file_without_a_column_is_rejected_whole(world: LoadWorld, header: str, missing: str) -> None:
    receipt = drop(world, "x", header=header)
    assert (receipt["state"], receipt["reason"]) == ("rejected", f"the header is wrong: {missing} missing")


def test_each_column_is_checked(world: LoadWorld) -> None:
    wrong = [
        ("meta,1,2026-10,A1,1,spend,1.0000001,,", "number"),
        ("meta,1,2026-10,A1,1,spend,,,", "required"),
        ("meta,1,2026-10,A1,1,spend,1,x,", "number"),
        ("meta,1,2026-10,A1,1,spend,1,,EURO", "format"),
        ("meta,1,2026-13,A1,1,spend,1,,", "format"),
        ("meta,1,,A1,1,spend,1,,", "required"),
        ("meta,,2026-10,A1,1,spend,1,,", "required"),
        ("meta,1,2026-10,A#1,1,spend,1,,", "format"),
    ]
    for number, (line, rule) in enumerate(wrong):
        assert drop(world, line, key=KEY.replace("october", str(number)))["reasons"] == {rule: 1}, line


@at_the_bound("MAX_DROPPED_BILL_LINES", as_if=3)
def test_a_file_of_too_many_bills_is_rejected_before_anything_is_stored(
    world: LoadWorld, size: int, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = drop(world, *(f"meta,1,2026-10,A{number},1,spend,1,," for number in range(size)))
    assert receipt["state"] == ("loaded" if fits else "rejected")
    assert len(stored(world)) == (size if fits else 0)
