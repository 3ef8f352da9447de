"""A file whose mapping was corrected: dropped again or replayed, it is read by the new one; nothing newer is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.errors import NotReady
from adweir.model.messages import ObjectArrived
from adweir.store.catalog.mappings import StoredMapping
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import LoadWorld

KEY = "drops/acme/agency/campaign_performance/a.csv"
FILE = b"Camp,When,Spent\n7,2026-11-17,12.50\n7,2026-11-18,3.25\n"
WRONG, RIGHT = "micros", "ones"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def use(world: LoadWorld, unit: str) -> None:
    columns = [
        {"field": "campaign_id", "names": ["Camp"]},
        {"field": "date", "names": ["When"]},
        {"field": "spend", "names": ["Spent"], "unit": unit},
    ]
    said = {"source": "agency", "data_type": "campaign_performance", "columns": columns}
    body = said | {"constants": {"platform": "meta"}}
    world.catalog.put_mapping(StoredMapping("acme", "agency", "campaign_performance", body))


def spent(world: LoadWorld) -> list[int | None]:
    return [row[3][3] for row in world.stored()]


def newest(world: LoadWorld, key: str) -> dict[str, Any]:
    return max((each for each in world.receipts() if each["key"] == key), key=lambda each: str(each["version"]))


@pytest.mark.parametrize("again", [KEY, KEY.replace("a.csv", "b.csv")])
def test_the_same_bytes_are_read_again_by_a_corrected_mapping(world: LoadWorld, again: str) -> None:
    use(world, WRONG)
    world.arrive(KEY, FILE)
    assert spent(world) == [12, 3]

    use(world, RIGHT)
    world.arrive(again, FILE if again != KEY else b"")

    assert spent(world) == [12_500_000, 3_250_000]
    assert (newest(world, again)["state"], newest(world, again)["slots_changed"]) == ("loaded", 2)
    world.arrive(again, FILE)
    assert spent(world) == [12_500_000, 3_250_000]


def test_a_mapping_that_is_changed_back_counts_again(world: LoadWorld) -> None:
    for unit, expected in ((RIGHT, 3_250_000), (WRONG, 3), (RIGHT, 3_250_000)):
        use(world, unit)
        world.arrive(KEY, b"" if expected == 3 else FILE)
        assert spent(world)[1] == expected


def test_a_replay_by_a_corrected_mapping_replaces_nothing_of_a_newer_file(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, first, other = world.raw.head, world.clock.now(), KEY.replace("a.csv", "b.csv")
    times = {KEY: first, other: first + timedelta(hours=1)}
    monkeypatch.setattr(world.raw, "head", lambda *key: head(*key)._replace(last_modified=times[key[0]]))
    use(world, WRONG)
    world.arrive(KEY, FILE)
    use(world, RIGHT)
    world.arrive(other, b"Camp,When,Spent\n7,2026-11-18,99\n")
    world.arrive(KEY)
    assert spent(world) == [12_500_000, 99_000_000]


@pytest.mark.parametrize("call", [1, 2, 3, 4, 6])
def test_a_load_in_shares_begins_again_when_its_mapping_is_changed_meanwhile(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Given a load that is killed at a note of how far it is, then all shares are read by the mapping of today."""
    monkeypatch.setattr(limits, "MAX_DROP_HELD_BYTES", 700)
    use(world, WRONG)
    world.raw.put(KEY, b"Camp,When,Spent\n7,2026-09-17,12.50\n8,2026-10-18,3.25\n9,2026-11-18,1\n")
    killer = Crash(call, after=True)
    killer.watch(world.ledger.receipts, "put")
    with pytest.raises(Killed):
        load(world)
    world.clock.advance(61)
    use(world, RIGHT)

    load(world)

    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["rows_stored"], receipt["shares"] > 2) == ("loaded", 3, True)
    assert spent(world) == [1_000_000]


def load(world: LoadWorld) -> None:
    for _ in range(20):
        try:
            return world.loader.load(ObjectArrived(bucket=world.bucket, key=KEY), world.remaining)
        except NotReady:
            continue
    raise AssertionError("it does not end")


def test_a_rate_that_was_read_by_a_wrong_mapping_is_corrected_by_a_replay(world: LoadWorld) -> None:
    key = "drops/acme/bank/rates/a.csv"
    for column, rate in (("sell", "1.20"), ("mid", "1.10")):
        fields = {"date": "Day", "base": "From", "quote": "To", "rate": column}
        columns = [{"field": field, "names": [name]} for field, name in fields.items()]
        body = {"source": "bank", "data_type": "rates", "columns": columns}
        world.catalog.put_mapping(StoredMapping("acme", "bank", "rates", body))
        world.arrive(key, b"Day,From,To,mid,sell\n2026-11-18,EUR,USD,1.10,1.20\n" if column == "sell" else b"")
        (row,) = world.catalog.references("acme", "rates")
        assert row.cells["rate"] == rate
