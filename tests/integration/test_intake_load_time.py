"""A load fits the time it has: it stops in time, another invocation goes on, and what can never fit says so."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from typing import Any

import pytest
from msgspec import json

from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Profile
from adweir.model.errors import AdweirError, NotReady, Throttled
from adweir.model.messages import Narrow, ObjectArrived
from adweir.model.platforms import Platform
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window, iso
from adweir.platforms.connector import Page
from adweir.quality.rules import RowLoop
from adweir.runtime.settings import Settings
from adweir.store.metrics import load
from adweir.store.metrics.load import PartitionLoader
from adweir.store.metrics.members import NewMembers
from adweir.store.metrics.partitions import MetricsTable, key_of
from adweir.store.raw.header import PullHeader
from support.clock import FrozenClock
from support.load_world import LoadWorld, insights

pytestmark = pytest.mark.usefixtures("tables")
META = Platform("meta_ads")
MARGIN = 20


@pytest.fixture
def world(clock: FrozenClock, settings: Settings) -> LoadWorld:
    return LoadWorld(clock, settings.bucket)


class Invocation:
    """What is left of one invocation; each item that is written takes `a_write` seconds."""

    def __init__(self, world: LoadWorld, patch: pytest.MonkeyPatch, a_write: float) -> None:
        self._clock, self._ends = world.clock, 0.0
        write = MetricsTable._write_batch

        def slow(table: MetricsTable, batch: list[dict[str, object]]) -> float:
            world.clock.advance(a_write * len(batch))
            return write(table, batch)

        patch.setattr(MetricsTable, "_write_batch", slow)

    def begin(self, seconds: float) -> None:
        self._ends = self._clock.monotonic() + seconds

    def left(self) -> float:
        return self._ends - self._clock.monotonic()


def takes(seconds: float, owner: type, name: str, world: LoadWorld, patch: pytest.MonkeyPatch) -> None:
    """Each call of this method takes so long."""
    method = getattr(owner, name)

    def slow(*args: Any) -> Any:
        world.clock.advance(seconds)
        return method(*args)

    patch.setattr(owner, name, slow)


def deliver(world: LoadWorld, key: str, invocation: Invocation, seconds: float) -> str:
    """One delivery; the outcome in a word."""
    return delivered(world, ObjectArrived(bucket=world.bucket, key=key), invocation, seconds)[0]


def delivered(
    world: LoadWorld, message: ObjectArrived, invocation: Invocation, seconds: float
) -> tuple[str, ObjectArrived]:
    """The outcome of a delivery, and the message that goes on."""
    invocation.begin(seconds)
    try:
        world.loader.load(message, invocation.left)
    except (NotReady, Throttled) as error:
        assert invocation.left() > 0, "killed"
        return "goes on" if isinstance(error, NotReady) else "waits", message.later(0, error)
    except AdweirError as error:
        world.loader.settle(message, error)
        return error.code, message
    assert invocation.left() > 0, "killed"
    return "done", message


def two_months(world: LoadWorld) -> tuple[Task, str]:
    """A pull over the end of a month: two partitions with 30 ads each."""
    window = Window(date(2026, 10, 31), date(2026, 11, 1))
    task = world.plan(window=window)
    rows = [row for day in window.days() for row in insights(["1.00"] * 30, day.isoformat())["data"]]
    return task, world.land(task, {"data": rows})


def test_a_load_that_does_not_fit_goes_on_in_other_invocations(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given writes that take a second each, and invocations that have time for 15 of them
    invocation = Invocation(world, monkeypatch, a_write=1)
    task, key = two_months(world)

    outcomes = [deliver(world, key, invocation, MARGIN + 40)]
    while outcomes[-1] == "goes on" and len(outcomes) < 20:
        outcomes.append(deliver(world, key, invocation, MARGIN + 40))

    assert outcomes[-1] == "done"
    assert len(outcomes) > 1
    assert world.state(task) is TaskState.LOADED
    (event,) = [event for event in world.bus.events if event.name == "MetricsChanged"]
    assert event.slots_changed == 60
    assert len(event.changes_keys) >= 2


def test_a_partition_that_is_done_is_not_written_again(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, str]] = []
    write = MetricsTable._write_batch

    def counted(table: MetricsTable, batch: list[dict[str, Any]]) -> float:
        items = json.decode(json.encode([request["PutRequest"]["Item"] for request in batch]))
        written.extend(map(key_of, items))
        return write(table, batch)

    monkeypatch.setattr(MetricsTable, "_write_batch", counted)
    invocation = Invocation(world, monkeypatch, a_write=1)
    _, key = two_months(world)
    while deliver(world, key, invocation, MARGIN + 40) == "goes on":
        assert len(written) < 500

    assert len(written) == len(set(written)) > 60


def test_a_task_past_its_deadline_does_not_go_on(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    invocation = Invocation(world, monkeypatch, a_write=1)
    task, key = two_months(world)
    world.clock.advance(3601)
    assert deliver(world, key, invocation, MARGIN + 5) == "deadline"
    assert world.state(task) is TaskState.FAILED


def test_an_object_that_takes_too_long_to_read_says_so(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    task, key = two_months(world)
    invocation = Invocation(world, monkeypatch, a_write=0)
    takes(250, RowLoop, "take", world, monkeypatch)

    assert deliver(world, key, invocation, 300) == "too_large"
    assert world.queues.runs.take() == [Narrow(run_id=task.run_id, task_id=task.id)]
    assert world.state(task) is not TaskState.QUARANTINED


def test_an_object_that_takes_too_long_when_it_is_loaded_again_says_so(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an object that was loaded, and that somebody has loaded again
    task, key = two_months(world)
    invocation = Invocation(world, monkeypatch, a_write=0)
    assert deliver(world, key, invocation, 300) == "done"
    world.bus.events.clear()
    takes(250, RowLoop, "take", world, monkeypatch)
    # when there is no time for it, then that is reported, and nothing is pulled
    assert deliver(world, key, invocation, 300) == "too_large"
    assert world.bus.names() == ["QualityBreached"]
    assert not any(isinstance(message, Narrow) for message in world.queues.runs.messages)
    assert world.state(task) is TaskState.LOADED


def test_a_day_that_takes_too_long_to_read_says_so(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    task = world.plan()
    key = world.land(task, insights(["1.00"] * 30))
    invocation = Invocation(world, monkeypatch, a_write=0)
    takes(250, RowLoop, "take", world, monkeypatch)

    assert deliver(world, key, invocation, 300) == "too_large"
    assert world.state(task) is TaskState.QUARANTINED
    assert "takes too long to read" in str(world.task(task).error)


def test_a_load_of_which_no_invocation_stores_anything_is_pulled_in_halves(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an object that is read in time, but whose merge alone takes an invocation
    task, key = two_months(world)
    invocation = Invocation(world, monkeypatch, a_write=0)
    takes(30, PartitionLoader, "_merge", world, monkeypatch)
    # when it is delivered again and again, also while another load holds its partition
    message, outcomes = ObjectArrived(bucket=world.bucket, key=key), list[str]()
    for number in range(6):
        held = world.ledger.lease("metrics#meta_ads#1#ad#day#pull#2026-10", 60) if number in {0, 2} else nullcontext()
        with held:
            outcome, message = delivered(world, message, invocation, MARGIN + 25)
        outcomes.append(outcome)
    # then the fourth that could have stored something gives up
    assert outcomes == ["waits", "goes on", "waits", "goes on", "goes on", "too_large"]
    assert world.queues.runs.take() == [Narrow(run_id=task.run_id, task_id=task.id)]


def test_a_merge_stops_when_its_invocation_s_time_is_up(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    # given months whose merge takes half a minute each, a second per ad
    task, key = two_months(world)
    invocation = Invocation(world, monkeypatch, a_write=0)
    takes(1, NewMembers, "note", world, monkeypatch)
    monkeypatch.setattr(load, "_BETWEEN_LOOKS", 2)
    # when an invocation has less
    outcome = deliver(world, key, invocation, MARGIN + 15)
    # then it hands on at once, and one that has the time loads all
    assert outcome == "goes on"
    assert invocation.left() > MARGIN - 3
    assert deliver(world, key, invocation, 300) == "done"
    assert world.state(task) is TaskState.LOADED


def test_a_load_of_which_each_invocation_stores_a_month_is_not_too_large(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an object of two months, and invocations that have time to store one and to merge the other
    _, key = two_months(world)
    invocation = Invocation(world, monkeypatch, a_write=0)
    takes(30, PartitionLoader, "_merge", world, monkeypatch)
    message = ObjectArrived(bucket=world.bucket, key=key, stuck=3)
    # when it is delivered, after three that stored nothing
    outcome, message = delivered(world, message, invocation, MARGIN + 50)
    # then it has got on
    assert (outcome, message.stuck) == ("goes on", 0)
    assert delivered(world, message, invocation, MARGIN + 50)[0] == "done"


def test_an_object_is_not_called_too_large_by_an_invocation_that_had_no_time_to_read_it(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 was slow, or its process froze, before the first row was read."""
    task, key = two_months(world)
    invocation = Invocation(world, monkeypatch, a_write=0)
    takes(15, RowLoop, "take", world, monkeypatch)

    assert deliver(world, key, invocation, MARGIN - 1) == "goes on"
    assert deliver(world, key, invocation, 300) == "done"
    assert world.state(task) is TaskState.LOADED


def test_a_long_list_of_objects_goes_on_in_other_invocations(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    invocation = Invocation(world, monkeypatch, a_write=0)
    put = world.catalog._put_together

    def slow(*args: Any) -> bool:
        world.clock.advance(5)
        return put(*args)

    monkeypatch.setattr(world.catalog, "_put_together", slow)
    task = world.plan(Dataset.CAMPAIGNS, None)
    with world.raw.writer(PullHeader.of(task, as_of=iso(world.clock.now()))) as writer:
        for page in range(6):
            rows = ",".join(f'{{"id":"{page}{number:03}","name":"n"}}' for number in range(50))
            writer.write(Page(f'{{"data":[{rows}]}}'.encode(), "https://graph.example/x", 200, last=page == 5))
        key = writer.commit(complete=True)

    outcomes = [deliver(world, key, invocation, MARGIN + 12)]
    monkeypatch.setattr(world.catalog, "_put_together", put)
    outcomes.append(deliver(world, key, invocation, MARGIN + 12))

    assert outcomes == ["goes on", "done"]
    assert world.state(task) is TaskState.LOADED
    assert len(list(world.catalog.objects(META, "1", Dataset.CAMPAIGNS))) == 301
    (event,) = [event for event in world.bus.events if event.name == "EntitiesChanged"]
    assert event.added + event.changed == 300


def test_many_removals_go_on_in_other_invocations(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [AdCampaign(platform=META, profile_id="1", id=f"old-{n}", campaign_id=f"old-{n}") for n in range(30)]
    world.catalog.put_objects(known, iso(world.clock.now()))
    world.clock.advance(1)
    task = world.plan(Dataset.CAMPAIGNS, None)
    key = world.land(task, {"data": [{"id": "7", "name": "n"}]})
    invocation = Invocation(world, monkeypatch, a_write=0)
    change = world.catalog._change

    def slow(*args: Any, **options: Any) -> Any:
        world.clock.advance(1)
        return change(*args, **options)

    monkeypatch.setattr(world.catalog, "_change", slow)

    outcomes = [deliver(world, key, invocation, MARGIN + 20) for _ in range(2)]

    assert outcomes == ["goes on", "done"]
    (event,) = [event for event in world.bus.events if event.name == "EntitiesChanged"]
    assert event.removed == 30


def test_a_dropped_file_goes_on_in_other_invocations(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Profile(account_id="acme", platform=META, profile_id="2", name="n", currency="USD", timezone="UTC")
    world.catalog.put_objects([other], iso(world.clock.now()))
    head = "platform,profile_id,level,date,entity_id,impressions,clicks,spend"
    lines = [f"meta,{profile},campaign,2026-11-18,{n},10,1,1.00" for profile in (1, 2) for n in range(30)]
    key = "drops/acme/a.csv"
    world.raw.put(key, "\n".join([head, *lines]).encode())
    invocation = Invocation(world, monkeypatch, a_write=1)

    outcomes = [deliver(world, key, invocation, MARGIN + 40)]
    while outcomes[-1] == "goes on" and len(outcomes) < 20:
        outcomes.append(deliver(world, key, invocation, MARGIN + 40))

    assert outcomes[-1] == "done"
    assert len(outcomes) > 1
    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["rows_stored"]) == ("loaded", 60)
