"""Dropped files of other tools that take more memory than there is: loaded in shares, as one load would have."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.entities import own_profile_id
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.store.raw.store import ObjectHead
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import LoadWorld, load

HOURS = "drops/acme/snapchat_ads/campaign_performance/hours.csv"
ORDERS = "drops/acme/shopify/orders/orders.csv"
SHOP = "drops/acme/shop/orders/orders.csv"
LATER = "drops/acme/shop/orders/later.csv"
PERIODS = [("2026-09-01", "2026-10-31"), ("2026-11-01", "2026-11-30")]


def hours() -> bytes:
    """Hours of 10 campaigns on four days of two months, whose days are their sums; two lines at fault."""
    lines = ["date,campaign_id,impressions,swipes,spend\n"]
    lines += [
        f"{day},c{n},{n + hour},{n},{n * 1_500_000}\n"
        for hour in range(5)
        for day in ("2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")
        for n in range(10)
    ]
    lines[100:100] = ["2026-10-30,c1,x,1,1\n", "2026-10-30,c1,1,1\n"]
    return "".join(lines).encode()


def orders() -> bytes:
    """Orders of four days, in two currencies, some of several lines, not all of them paid; one comes again."""
    lines = ["Name,Created at,Currency,Total,Refunded Amount,Financial Status,Cancelled at\n"]
    for n in range(200):
        code, status = ("EUR", "USD")[n % 3 == 0], ("paid", "voided")[n % 7 == 0]
        lines.append(f"#{n},2026-{10 + n % 2}-0{1 + n % 4} 10:00:00 +0000,{code},{n}.50,0.50,{status},\n")
        lines += [f"#{n},2026-{10 + n % 2}-0{1 + n % 4} 10:00:00 +0000,,,,,\n"] * (n % 5 == 0)
    return "".join([*lines, lines[7], lines[9].replace(".50,", ".75,")]).encode()


FILES = {HOURS: (hours(), Series(Platform("snapchat_ads"), "", Level.CAMPAIGN, Grain.DAY)),
         ORDERS: (orders(), Series(Platform("shopify"), "", Level.ORDER, Grain.DAY)),
         SHOP: (b"", Series(Platform("shop"), "", Level.ORDER, Grain.DAY))}  # fmt: skip
SAME = ("rows_read", "rows_stored", "duplicates", "rows_left_out", "rows_quarantined", "reasons", "stored_for")


@pytest.fixture
def world(tables: None, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> LoadWorld:
    found = LoadWorld(clock, "adweir-data")
    head = found.raw.head

    def dated(key: str, version: str = "") -> ObjectHead:
        said = head(key, version)
        return said._replace(last_modified=said.last_modified + timedelta(minutes="/later" in key))

    monkeypatch.setattr(found.raw, "head", dated)
    return found


def everything(world: LoadWorld, key: str) -> list[Any]:
    series = FILES[key.replace("-again", "")][1]._replace(profile_id=own_profile_id("acme"))
    found = []
    for start, end in PERIODS:
        window = Window(date.fromisoformat(start), date.fromisoformat(end))
        found += [(row.entity_id, str(row.day), tuple(row.slot)) for row in world.metrics.read(series, window)]
    return sorted(found)


@pytest.mark.parametrize(("key", "held"), [(HOURS, 26_000), (HOURS, 12_000), (ORDERS, 88_000)])
def test_shares_of_a_mapped_file_store_what_one_load_stores(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, key: str, held: int
) -> None:
    # given a file that is loaded in shares
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MAX_DROP_HELD_BYTES", held)
        invocations = load(world, key, FILES[key][0])
    (shared,) = world.receipts()
    assert invocations > 1 + shared["shares"] > 2
    before = everything(world, key)
    assert before

    # when the same lines come in one load
    again = key.replace(".csv", "-again.csv")
    assert load(world, again, FILES[key][0] + b"\n") == 1

    # then it changes nothing, and says the same
    assert everything(world, key) == before
    (one,) = (each for each in world.receipts() if each["key"] == again)
    same = [name for name in SAME if key != ORDERS or name != "rows_stored"]  # a share stores the days of its orders
    assert {name: one[name] for name in same} == {name: shared[name] for name in same}
    assert one["slots_changed"] == 0


def shop(*numbers: int, day: int, revenue: int) -> str:
    lines = [f"{n},2026-11-{day + n % 3:02},{revenue + n},a{n % 2}\n" for n in numbers]
    return "order_id,date,revenue,channel\n" + "".join(lines)


def revenue_of(world: LoadWorld) -> dict[tuple[str, str], int]:
    """By channel and day, in units."""
    found = everything(world, SHOP)
    return {(entity, day): slot[4] // 1_000_000 for entity, day, slot in found if slot[4]}


def shop_sums(moved: range) -> dict[tuple[str, str], int]:
    """What counts of 150 orders, of which these were stated again six days later, at a hundred more."""
    sums = Counter[tuple[str, str]]()
    for n in range(150):
        day, revenue = (7, 200) if n in moved else (1, 100)
        sums[f"channel=a{n % 2}", f"2026-11-{day + n % 3:02}"] += revenue + n
    return dict(sums)


MOVED = range(20, 120)


@pytest.mark.parametrize("held", [12_000, 24_000])
def test_orders_that_are_stated_again_in_shares_count_at_their_new_places_alone(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    # given orders, and a register whose shards are small
    monkeypatch.setattr(limits, "MAX_SHARD_RECORDS", 16)
    load(world, SHOP, shop(*range(150), day=1, revenue=100).encode())
    assert revenue_of(world) == shop_sums(range(0))

    # when a later file has many of them at other days and amounts, and a line at fault, and is loaded in shares
    monkeypatch.setattr(limits, "MAX_DROP_HELD_BYTES", held)
    body = shop(*MOVED, day=7, revenue=200) + "1,2026-11-09,many,a0\n,2026-11-09,5,a0\n"
    assert load(world, LATER, body.encode()) > 3

    # then each counts once
    assert revenue_of(world) == shop_sums(MOVED)
    receipt = max(world.receipts(), key=lambda each: each["rows_quarantined"])
    assert (receipt["rows_read"], receipt["rows_quarantined"]) == (len(MOVED) + 2, 2)
    assert receipt["shares"] > 1

    # and when the shares come again, nothing changes
    load(world, LATER.replace(".csv", "-again.csv"), f"{body}\n".encode())
    assert revenue_of(world) == shop_sums(MOVED)


@pytest.mark.parametrize("at", [1, 3, 6, 10, 15, 21, 28])
def test_orders_stated_again_in_shares_survive_a_kill_at_any_write(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(limits, "MAX_SHARD_RECORDS", 64)
    load(world, SHOP, shop(*range(150), day=1, revenue=100).encode())
    monkeypatch.setattr(limits, "MAX_DROP_HELD_BYTES", 24_000)
    world.raw.put(LATER, shop(*MOVED, day=7, revenue=200).encode())
    killer = Crash(at, after=True)
    killer.watch(world.raw, "put_once", "swap", "delete")
    killer.watch(world.metrics._table, "put", "write")
    with pytest.raises(Killed):
        load(world, LATER)
    world.clock.advance(120)

    load(world, LATER)

    assert revenue_of(world) == shop_sums(MOVED)


def test_hours_of_a_file_in_shares_are_added_up(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_DROP_HELD_BYTES", 12_000)

    load(world, HOURS, hours())

    days = ("2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")
    expected = [(f"c{n}", day, (5 * n + 10, 5 * n, None, 7_500_000 * n, None)) for n in range(10) for day in days]
    assert everything(world, HOURS) == sorted(expected)


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [*(("receipts", "put", call) for call in range(1, 8)), ("raw", "put", 1), ("metrics", "load", 2)],
)
def test_a_mapped_file_in_shares_that_is_killed_at_any_step_converges(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, owner: str, name: str, call: int
) -> None:
    monkeypatch.setattr(limits, "MAX_DROP_HELD_BYTES", 26_000)
    world.raw.put(HOURS, hours())
    killer = Crash(call, after=True)
    killer.watch(world.ledger.receipts if owner == "receipts" else getattr(world, owner), name)
    with pytest.raises(Killed):
        load(world, HOURS)
    world.clock.advance(61)  # its lease ends

    load(world, HOURS)

    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["rows_stored"], receipt["rows_quarantined"]) == ("loaded", 40, 2)
    assert len(everything(world, HOURS)) == 40
