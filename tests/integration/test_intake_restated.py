"""Orders and deals that are exported again: each counts once, as the newest file that names it says, to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from adweir.model.events import QualityBreached
from adweir.model.mappings import parse_mapping
from adweir.platforms import REGISTRY
from adweir.platforms.files import builtin
from adweir.reporting.query import Queries
from adweir.reporting.records import RecordRequest, StoredRecords
from adweir.store.catalog.mappings import EVERYONE, StoredMapping
from adweir.store.registers import REGISTERS
from support.clock import FrozenClock
from support.crash import Killed
from support.load_world import LoadWorld

Row = tuple[str, str, Decimal]


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


class Files:
    """Drops files, each a minute after the one before it, and has them loaded in any order."""

    def __init__(self, world: LoadWorld, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.folder = world, f"drops/acme/{kind}"
        self.bodies: list[str] = []
        head, began = world.raw.head, world.clock.now()

        def dated(key: str, version: str = "") -> Any:
            found, name = head(key, version), key.removeprefix(f"{self.folder}/").removesuffix(".csv")
            return found._replace(last_modified=began + timedelta(minutes=int(name))) if name.isdigit() else found

        monkeypatch.setattr(world.raw, "head", dated)

    def load(self, *bodies: str, order: tuple[int, ...] = ()) -> list[Row]:
        first = len(self.bodies)
        self.bodies += bodies
        for number in order or range(len(bodies)):
            self.world.arrive(f"{self.folder}/{first + number}.csv", bodies[number].encode())
        return self.shown()

    def shown(self) -> list[Row]:
        """Day, channel and revenue of what counts, and nothing else has revenue."""
        world = self.world
        queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
        asked = RecordRequest(
            self.folder.rsplit("/", 1)[1], {"date_range": {"start": "2026-11-10", "end": "2026-11-30"}}
        )
        found = StoredRecords(world.catalog, queries).retrieve(asked, world.clock.now()).records
        assert all(each["revenue"] == 0 for each in found if not each["conversions"])
        return sorted((each["date"], each["channel"] or "", each["revenue"]) for each in found if each["conversions"])

    def receipt(self, number: int) -> dict[str, Any]:
        (found,) = [each for each in self.world.receipts() if each["key"].endswith(f"/{number}.csv")]
        return found


SHOPIFY = "Name,Email,Financial Status,Currency,Total,Created at,Lineitem name,Cancelled at,Refunded Amount\n"


def bought(number: int, day: int, total: str, status: str = "paid", cancelled: str = "", refunded: str = "0.00") -> str:
    at = f"2026-11-{day} 10:00:00 -0500"
    first = f"#{number},ann@example.com,{status},USD,{total},{at},Boots,{cancelled},{refunded}\n"
    return f"{first}#{number},ann@example.com,,,,{at},Laces,,\n"


def days(found: list[Row]) -> list[tuple[str, str]]:
    return [(day, str(revenue)) for day, _, revenue in found]


ALL = SHOPIFY + bought(1, 17, "10.10") + bought(2, 18, "20.20") + bought(3, 18, "30.30") + bought(4, 18, "40.40")
CHANGED = (
    SHOPIFY + bought(2, 18, "20.20", "voided", "2026-11-19 09:00:00 -0500") + bought(3, 18, "30.30", refunded="5.05")
)
PAID = SHOPIFY + bought(5, 19, "7.77", "pending") + bought(4, 18, "40.40", "refunded", refunded="40.40")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_list_of_changed_orders_changes_these_and_no_other(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    """Given all orders, then some of them cancelled and refunded, when they are loaded in any order, then no cent is
    lost and none counts twice."""
    files = Files(world, "shopify/orders", monkeypatch)
    assert days(files.load(ALL, CHANGED, PAID, order=order)) == [("2026-11-17", "10.1"), ("2026-11-18", "25.25")]
    # when a file of orders of the same days comes, then the others stay
    later = SHOPIFY + bought(5, 19, "7.77") + bought(6, 17, "0.01")
    assert days(files.load(later)) == [("2026-11-17", "10.11"), ("2026-11-18", "25.25"), ("2026-11-19", "7.77")]


def test_a_file_of_cancelled_orders_alone_takes_them_back(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(world, "shopify/orders", monkeypatch)
    files.load(SHOPIFY + bought(1, 17, "10.10"))
    cancelled = SHOPIFY + bought(1, 17, "10.10", "refunded", "2026-11-19 09:00:00 -0500")
    assert files.load(cancelled) == []
    left = files.receipt(1)
    assert (left["state"], left["slots_changed"], left["rows_left_out"]) == ("loaded", 1, {"filtered": 1, "no_data": 1})


def test_a_deal_that_moved_counts_at_its_new_place_alone(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a deal of another day and channel by now, and a file with neither the old day nor the old channel."""
    files = Files(world, "hubspot/deals", monkeypatch)
    header = "Record ID,Deal Stage,Close Date,Amount,Original Source\n"
    files.load(header + "1,Closed Won,2026-11-18,100.01,Ads\n2,Closed Won,2026-11-18,5,Ads\n")
    moved = header + "1,Closed Won,2026-11-21,100.02,Direct\n"
    assert files.load(moved) == [("2026-11-18", "Ads", Decimal(5)), ("2026-11-21", "Direct", Decimal("100.02"))]
    # and one that is open again counts nowhere
    assert files.load(header + "1,Contract sent,2026-12-01,100.02,Direct\n") == [("2026-11-18", "Ads", Decimal(5))]


def test_a_line_that_is_refused_leaves_its_order_as_it_was(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(world, "shop/orders", monkeypatch)
    header = "order_id,date,revenue\n"
    files.load(header + "1,2026-11-18,5\n2,2026-11-18,7\n")
    # when later lines have no amount that can be read, and a day that cannot be
    found = files.load(header + "1,2026-11-18,many\n2,2011-11-18,7\n3,2026-11-18,1\n")
    assert days(found) == [("2026-11-18", "13")]
    assert files.receipt(1)["rows_quarantined"] == 2


@pytest.mark.parametrize("cells", ["2026-11-18,9999999999", "2011-11-18,5"])
def test_a_file_of_refused_lines_alone_is_reported(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, cells: str
) -> None:
    files = Files(world, "shop/orders", monkeypatch)
    assert files.load(f"order_id,date,revenue\n1,{cells}\n") == []
    breaches = [event for event in world.bus.events if isinstance(event, QualityBreached)]
    assert [(event.reason, event.rows_quarantined) for event in breaches] == [("rows_quarantined", 1)]


def test_an_order_that_the_mapping_reads_otherwise_by_now_is_not_at_both_places(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(world, "shopify/orders", monkeypatch)
    files.load(ALL)
    own = builtin.find("shopify", "orders")
    assert own is not None
    said = own.model_dump(mode="json") | {"constants": {"channel": "shop"}}
    body = parse_mapping(said).model_dump(mode="json")
    world.catalog.put_mapping(StoredMapping(EVERYONE, "shopify", "orders", body))
    world.arrive(f"{files.folder}/0.csv")
    assert files.shown() == [("2026-11-17", "shop", Decimal("10.1")), ("2026-11-18", "shop", Decimal("90.9"))]


def test_what_is_kept_of_orders_names_none(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(world, "shop/orders", monkeypatch)
    files.load("order_id,date,revenue,email\nann@example.com,2026-11-18,5,ann@example.com\n")
    kept = [world.raw.get_bytes(each.key) for each in world.raw.list(REGISTERS)]
    assert len(kept) == 4
    assert not any(b"ann" in body for body in kept)


@pytest.mark.parametrize("at", range(1, 14))
def test_a_load_that_was_killed_between_two_places_is_made_whole(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Given an order that moves, when its loader dies at a write, then the same message again counts it once."""
    files = Files(world, "shop/orders", monkeypatch)
    files.load("order_id,date,revenue,channel\n1,2026-11-18,5,a\n2,2026-11-18,7,a\n")
    world.crash.watch(world.raw, "put_once", "swap", "delete")
    world.crash.watch(world.metrics._table, "put", "write")
    world.crash.arm(at)
    try:
        files.load("order_id,date,revenue,channel\n1,2026-11-19,5,b\n")
    except Killed:
        world.clock.advance(120)
        world.arrive(f"{files.folder}/1.csv")
    else:
        assert at > 11
    assert files.shown() == [("2026-11-18", "a", Decimal(7)), ("2026-11-19", "b", Decimal(5))]


LOADER = "ID,STAGENAME,AMOUNT,CLOSEDATE,LEADSOURCE\n"
REPORT = "Opportunity Owner,Opportunity ID,Opportunity Name,Stage,Total Amount,Close Date\n"
BY_LOADER = (
    LOADER
    + "0065g00000ABCdeAAH,Closed Won,100.50,2026-11-18,Web\n"
    + "0065g00000ABCdfAAH,Closed Won,7.0,2026-11-18,Web\n"
)
IN_REPORT = (
    REPORT
    + "Sam,0065g00000ABCde,Acme,Closed Won,100.50,2026-11-18\n"
    + "Sam,0065g00000ABCDE,Other,Closed Won,3.00,2026-11-18\n"
    + "Grand Totals (2 records)\n"
)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_deals_of_salesforce_s_data_loader_and_of_its_reports_are_the_same_deals(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    """Given ids of 18 characters in one and of 15 in the other, then a deal of both counts once, as the later says."""
    files = Files(world, "salesforce/deals", monkeypatch)
    assert files.load(BY_LOADER, IN_REPORT, order=order) == [
        ("2026-11-18", "", Decimal("103.5")),
        ("2026-11-18", "Web", Decimal(7)),
    ]


def test_a_report_of_salesforce_without_ids_is_refused(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two deals may have one name, and a deal of the other files is not known again by it."""
    files = Files(world, "salesforce/deals", monkeypatch)
    assert files.load("Opportunity Name,Stage,Total Amount,Close Date\nAcme,Closed Won,5,2026-11-18\n") == []
    left = files.receipt(0)
    assert (left["state"], "Opportunity ID" in left["reason"]) == ("rejected", True)


def test_a_deal_that_was_deleted_in_salesforce_counts_no_longer(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(world, "salesforce/deals", monkeypatch)
    header = "ID,ISDELETED,STAGENAME,AMOUNT,CLOSEDATE\n"
    first = files.load(header + "0065g1,false,Closed Won,5,2026-11-18\n0065g2,FALSE,Closed Won,7,2026-11-18\n")
    assert days(first) == [("2026-11-18", "12")]
    assert days(files.load(header + "0065g1,true,Closed Won,5,2026-11-18\n")) == [("2026-11-18", "7")]
    # and restored, it counts again
    assert days(files.load(header + "0065g1,false,Closed Won,5,2026-11-18\n")) == [("2026-11-18", "12")]
