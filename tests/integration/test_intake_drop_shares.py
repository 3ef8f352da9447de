"""Dropped files whose rows take more memory than there is: loaded in shares, as one load would have."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.intake.load.drop_shares import ShareCounter, shares
from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.metrics import Grain, Level, MetricRow, Series
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms.files.batches import DropBatch
from adweir.platforms.files.normalize import Target
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import META, LoadWorld, load

HEADER = "platform,profile_id,level,date,hour,campaign_id,impressions,clicks,spend,ad_product\n"
KEY = "drops/acme/a.csv"


def big_file() -> bytes:
    """Three months, two of them of many campaigns; duplicates, rows that contradict each other, and lines at fault."""
    lines = [f"meta,1,campaign,2026-{month}-0{day},,c{n},{n},1,{n}.5,\n"
             for month, most in (("09", 2), ("10", 30), ("11", 12)) for day in (1, 2) for n in range(most)]  # fmt: skip
    lines += ["meta,1,campaign,2026-11-03,7,c1,5,1,2,\n", "meta,2,campaign,2026-11-03,,c1,5,1,2,\n"]
    lines += [lines[0], lines[5].replace(".5,", ".7,"), "broken\n", "meta,1,campaign,1999-01-01,,c1,5,1,2,\n"]
    return (HEADER + "".join(lines)).encode()


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def everything(world: LoadWorld) -> list[Any]:
    """All stored numbers of the campaigns, of days and hours."""
    days = [day for month in ("09", "10", "11") for day in stored(world, Grain.DAY, month)]
    return days + stored(world, Grain.HOUR, "11")


def stored(world: LoadWorld, grain: Grain, month: str) -> list[Any]:
    window = Window(date.fromisoformat(f"2026-{month}-01"), date.fromisoformat(f"2026-{month}-30"))
    rows = world.metrics.read(Series(META, "1", Level.CAMPAIGN, grain), window)
    return sorted((row.entity_id, str(row.day), row.hour, tuple(row.slot)) for row in rows)


SAME = ("rows_read", "rows_stored", "duplicates", "rows_quarantined", "reasons", "stored_for", "first_quarantined")


@pytest.mark.parametrize("held", [7_000, 20_000])
def test_shares_store_what_one_load_stores_and_leave_one_receipt(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    # given a file that is loaded in shares; of the smaller bound, a month is cut
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MAX_DROP_HELD_BYTES", held)
        invocations = load(world, KEY, big_file())
        assert load(world, KEY) == 1  # the notification comes again
    (shared,) = world.receipts()
    before = everything(world)
    assert invocations > 1 + shared["shares"] > 2
    assert len(before) == 89

    # when the same lines come in one load
    assert load(world, "drops/acme/b.csv", big_file() + b"\n") == 1

    # then it finds all done
    assert everything(world) == before
    one = next(each for each in world.receipts() if each["key"] != KEY)
    assert {name: one[name] for name in SAME} == {name: shared[name] for name in SAME}
    assert (one["slots_changed"], shared["slots_changed"]) == (0, 89)
    assert len(shared["quarantine_keys"]) > 1
    assert all(world.raw.exists(key) for key in shared["quarantine_keys"])


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        *(("receipts", "put", call) for call in range(1, 8)),
        ("raw", "put", 1),
        ("metrics", "load", 2),
        ("raw", "put_once", 5),
    ],
)
def test_a_load_in_shares_that_is_killed_at_any_step_converges(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, owner: str, name: str, call: int
) -> None:
    monkeypatch.setattr(limits, "MAX_DROP_HELD_BYTES", 20_000)
    world.raw.put(KEY, big_file())
    killer = Crash(call, after=True)
    killer.watch(world.ledger.receipts if owner == "receipts" else getattr(world, owner), name)
    with pytest.raises(Killed):
        load(world, KEY)
    world.clock.advance(61)  # its lease ends

    load(world, KEY)

    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["rows_stored"], receipt["rows_quarantined"]) == ("loaded", 89, 4)
    assert len(everything(world)) == 89


@at_the_bound("MAX_DROP_HELD_BYTES", as_if=1_400)
def test_a_file_whose_rows_take_too_much_memory_is_loaded_in_shares(world: LoadWorld, size: int, fits: bool) -> None:
    """Each row takes 120 bytes, each of two campaigns 470 and its texts, however many rows it has."""
    other = "p" * (size - 3 * 120 - 2 * (470 + 1 + 1) - 4)
    lines = [f"meta,1,campaign,2026-11-{day},,7,10,1,1,é\n" for day in (17, 18)]
    lines.append(f"meta,1,campaign,2026-11-18,,8,10,1,1,{other}\n")

    assert (load(world, KEY, (HEADER + "".join(lines)).encode()) == 1) is fits

    (receipt,) = world.receipts()
    assert (receipt["state"], len(world.stored())) == ("loaded", 3)


@at_the_bound("MAX_DROP_SHARES", as_if=3)
def test_how_many_shares_a_file_may_have(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_DROP_HELD_BYTES", 300)
    lines = [f"meta,1,campaign,2026-{month:02}-01,,c,1,1,1,\n" for month in range(1, size + 1)]
    load(world, KEY, (HEADER + "".join(lines)).encode())
    (receipt,) = world.receipts()
    assert "more than 3 shares" in receipt.get("reason", "") or fits


@at_the_bound("MAX_QUARANTINED_NAMED", as_if=2)
def test_the_quarantined_lines_that_a_receipt_names(world: LoadWorld, size: int, fits: bool) -> None:
    load(world, KEY, (HEADER + "broken\n" * size).encode())
    (receipt,) = world.receipts()
    assert (len(receipt["first_quarantined"]) == size) is fits
    fault = {"field": "", "rule": "fields", "message": "the line has 1 fields, the header 10"}
    assert receipt["first_quarantined"][0] == {"line": 2} | fault


DAYS = st.sampled_from(["2026-09-30", "2026-10-01", "2026-11-01"])
ROWS = st.lists(st.tuples(st.sampled_from(["1", "2"]), DAYS, st.integers(0, 40)), min_size=1, max_size=60)


@given(ROWS, st.integers(200, 3_000))
def test_each_row_is_in_one_share(rows: list[tuple[str, str, int]], most: int) -> None:
    batches = []
    for profile in ("1", "2"):
        target = Target(Platform("meta_ads"), profile, Level.AD, Grain.DAY)
        some = [MetricRow(f"e{entity}", day, 1, 1, 1, 1, 1) for own, day, entity in rows if own == profile]
        if some:
            batches.append(DropBatch(target, MetricColumns.of(some) if profile == "1" else some, [""] * len(some)))
    counter = ShareCounter()
    for batch in batches:
        counter.take(batch)

    found = shares(counter.bounds(most, 120, 470))

    for batch in batches:
        kept = [share.of(batch) for share in found]
        assert all(sum(one) == 1 for one in zip(*kept, strict=True))
