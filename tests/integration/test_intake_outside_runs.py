"""Whatever is stored outside of runs leaves a mark, so that a run follows it; what belongs to a run leaves none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain, Level
from adweir.model.money import MICRO
from adweir.model.tasks import Cause, TaskState
from adweir.store.ledger.rows import Row
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.door import Door
from support.load_world import DAY, LoadWorld, insights
from support.stream_world import StreamWorld, traffic

HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend\n"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def marks(world: LoadWorld) -> dict[str, int]:
    return {mark.what: mark.loads for _, found in world.ledger.unfollowed.waiting() for mark in found}


def a_file(spend: int) -> bytes:
    return (HEADER + f"meta,1,campaign,2026-11-18,{spend},10,1,{spend}.50\n").encode()


# --- what leaves a mark


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("drops/acme/a.csv", a_file(1)),
        (
            "drops/acme/adweir/invoices/october.csv",
            b"platform,profile_id,month,invoice,line,kind,amount,tax,currency\nmeta,1,2026-10,A1,media,spend,1,0,EUR\n",
        ),
        ("drops/acme/bank/rates/rates.csv", b"date,base,quote,rate\n2026-11-01,EUR,USD,1.0845\n"),
    ],
)
def test_a_dropped_file_leaves_a_mark_of_its_client_and_its_copy_none(world: LoadWorld, key: str, body: bytes) -> None:
    world.arrive(key, body)
    assert [receipt["state"] for receipt in world.receipts()] == ["loaded"]
    assert [account for account, _ in world.ledger.unfollowed.waiting()] == ["acme"]
    assert marks(world) == {"file": 1}

    world.arrive(key.replace(".csv", "-again.csv"), body)

    assert marks(world) == {"file": 1}


def test_a_file_that_stores_nothing_leaves_none(world: LoadWorld) -> None:
    world.arrive("drops/acme/a.csv", b"no,columns\n")
    world.arrive("drops/acme/b.csv", (HEADER + "meta,999,campaign,2026-11-18,7,10,1,1\n").encode())

    assert marks(world) == {}


def test_a_push_leaves_a_mark_of_hours(world: LoadWorld) -> None:
    metric = {"campaign_id": "7", "timestamp": "2026-11-20T03:30:00Z", "impressions": 9, "clicks": 1, "cost": 1.25}
    Door(world).push([metric])

    assert marks(world) == {"push by hour": 1}


def test_the_stream_leaves_marks_of_hours_of_the_ad_account_s_client() -> None:
    world = StreamWorld()
    world.work(traffic(1, 100, 4, 1.94))

    assert set(world.unfollowed) == {(world.catalog.profiles()[0].account_id, "stream by hour")}


@pytest.mark.parametrize("dataset", [Dataset.AD_DAILY, Dataset.CAMPAIGNS])
def test_what_is_loaded_again_from_raw_leaves_a_mark(world: LoadWorld, dataset: Dataset) -> None:
    # given a pull that has loaded, which leaves none: its run follows it
    is_list = dataset.grain is None
    task = world.plan(dataset, None if is_list else DAY)
    key = world.land(task, {"data": [{"id": "8", "name": "x"}]} if is_list else insights(["1.00"]))
    world.arrive(key)
    assert (world.state(task), marks(world)) == (TaskState.LOADED, {})
    # when it comes again as it was, then as a replay
    world.arrive(key)
    assert marks(world) == {}
    again = ObjectArrived(bucket=world.bucket, key=key, load=1_800_000_000, cause=Cause.REPLAY)
    world.loader.load(again, world.remaining)
    # then the replay is followed
    assert marks(world) == {"replay": 1}


@pytest.mark.parametrize(("end", "marked"), [(TaskState.FAILED, 1), (TaskState.CANCELLED, 1), (TaskState.LOADED, 0)])
def test_a_pull_that_is_stored_after_its_task_has_ended_otherwise_leaves_a_mark(
    world: LoadWorld, end: TaskState, marked: int
) -> None:
    task = world.plan()
    key = world.land(task, insights(["1.00"]))
    world.ledger.finish("r", task.id, 0, end)

    world.arrive(key)

    assert world.stored(Level.AD) != []
    assert marks(world) == ({"late pull": 1} if marked else {})


# --- workers that die


def killed(world: LoadWorld, number: int, deliver: Callable[[], None]) -> bool:
    """Deliver something whose worker dies right after a write; False when it has not so many."""
    crash = Crash(number, after=True)
    with pytest.MonkeyPatch.context() as patch:
        crash.watch(Row, "save", "update", "delete", put=patch.setattr)
        for owner, name in ((world.metrics, "load"), (world.raw, "put"), (world.bus, "publish")):
            crash.watch(owner, name, put=patch.setattr)
        try:
            deliver()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("door", ["file", "push", "late"])
def test_numbers_whose_load_dies_anywhere_are_followed_by_a_run_that_begins_after_they_were_stored(
    world: LoadWorld, door: str
) -> None:
    """A sweep takes each mark away at once. Those that a redelivery leaves, or that were there after the numbers were,
    are all that begin a run."""
    deaths = 0
    for number in range(1, 60):
        deliver = arrival(world, door, number)
        died = killed(world, number, deliver)
        followed = stored(world, number) and bool(marks(world))
        sweep(world)
        if died:
            deaths += 1
            world.clock.advance(200)  # its leases end
            deliver()
            followed |= stored(world, number) and bool(marks(world))
            sweep(world)
        assert followed, number
        if not died:
            break
    assert deaths >= 5


def arrival(world: LoadWorld, door: str, spend: int) -> Callable[[], None]:
    """Something with this spend, to be delivered as often as it takes."""
    if door == "file":
        key = f"drops/acme/{spend}.csv"
        world.raw.put(key, a_file(spend))
    elif door == "late":
        world.clock.advance(1)
        task = world.plan(run_id=f"r{spend}")
        key = world.land(task, insights([f"{spend}.50"]))
        world.ledger.finish(task.run_id, task.id, 0, TaskState.CANCELLED)
    else:
        metric: dict[str, Any] = {"campaign_id": "7", "timestamp": "2026-11-20T03:30:00Z", "impressions": 9}
        doors = Door(world)
        world.clock.advance(1)
        held, world.arrive = world.arrive, lambda *_: None  # type: ignore[method-assign]
        key = doors.push([metric | {"clicks": 1, "cost": f"{spend}.50"}], id_=f"m{spend}").key
        world.arrive = held  # type: ignore[method-assign]
    message = ObjectArrived(bucket=world.bucket, key=key)
    return lambda: world.loader.load(message, world.remaining)


def stored(world: LoadWorld, spend: int) -> bool:
    rows = [*world.stored(Level.CAMPAIGN), *world.stored(Level.AD), *world.stored(Level.CAMPAIGN, Grain.HOUR)]
    return any(row[3][3] == spend * MICRO + MICRO // 2 for row in rows)


def sweep(world: LoadWorld) -> None:
    for account_id, found in list(world.ledger.unfollowed.waiting()):
        world.ledger.unfollowed.followed(account_id, found)
