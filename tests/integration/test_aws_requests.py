"""How many AWS requests a task takes: each is a round trip that somebody waits and pays for (bench/calls.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign
from adweir.model.errors import Throttled
from adweir.model.messages import ObjectArrived, PlanStage, Sweep
from adweir.model.metrics import Level
from adweir.model.runs import StageState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window, epoch, iso, parse_instant
from adweir.platforms.connector import ReportState
from adweir.runtime.settings import Settings
from adweir.store.catalog import objects
from adweir.store.catalog.objects import object_key
from adweir.store.catalog.store import Catalog
from adweir.store.ledger import Ledger
from support.aws_calls import AwsCalls, Call
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.collect_world import CollectWorld, collecting
from support.load_world import DAY, META, LoadWorld, insights
from support.pipeline import a_run, a_task
from support.pipeline_world import PipelineWorld

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def calls(tables: None) -> Iterator[AwsCalls]:
    with AwsCalls().counting() as counted:
        yield counted


@pytest.fixture
def world(clock: FrozenClock) -> Iterator[CollectWorld]:
    with collecting(clock) as made:
        made.collect(made.plan(Dataset.AD_GROUPS))  # a container that has worked before
        made.queues.reports.take()
        yield made


def asked(calls: AwsCalls, service: str = "dynamodb") -> Counter[str]:
    """What was asked of a service since the last call."""
    found = Counter({call.operation: n for call, n in calls.requests.items() if call.service == service})
    calls.clear()
    return found


def test_a_list_is_collected_with_one_read_and_two_writes(world: CollectWorld, calls: AwsCalls) -> None:
    task = world.plan(Dataset.CAMPAIGNS)
    message = world.message(task)
    calls.about = "collect"

    assert world.deliver(message, world.collector.collect) == "done"

    assert asked(calls) == {"BatchGetItem": 1, "UpdateItem": 2}
    assert world.state(task) is TaskState.LANDED


def test_a_report_that_is_being_made_is_polled_with_one_read(world: CollectWorld, calls: AwsCalls) -> None:
    task = world.plan()
    world.deliver(world.message(task), world.collector.collect)
    (poll,) = world.queues.reports.take()
    calls.about = "poll"

    assert [world.poll(poll) for _ in range(3)] == ["not_ready"] * 3
    assert asked(calls) == {"BatchGetItem": 3}
    assert asked(calls, "s3") == {}

    world.connector.becomes("report-1", ReportState.READY)
    assert world.poll(poll) == "done"
    assert asked(calls) == {"BatchGetItem": 1, "UpdateItem": 2}


def test_a_long_poll_says_every_few_minutes_that_it_is_alive(
    world: CollectWorld, calls: AwsCalls, clock: FrozenClock
) -> None:
    task = world.plan()
    world.deliver(world.message(task), world.collector.collect)
    (poll,) = world.queues.reports.take()
    clock.advance(301)
    calls.about = "poll"

    world.poll(poll)

    assert asked(calls) == {"BatchGetItem": 1, "UpdateItem": 1}
    assert world.task(task).updated_at > task.updated_at
    assert "is being made" in (world.task(task).waits or {})["reason"]


def test_a_message_without_the_task_s_own_ids_takes_one_read_more(world: CollectWorld, calls: AwsCalls) -> None:
    task = world.plan(Dataset.CAMPAIGNS)
    calls.about = "collect"

    assert world.collect(task) == "done"

    assert asked(calls) == {"GetItem": 1, "BatchGetItem": 1, "UpdateItem": 2}


def test_a_run_that_is_not_done_is_advanced_with_one_query(clock: FrozenClock, calls: AwsCalls) -> None:
    world = PipelineWorld(clock)
    world.ledger.create_run(a_run(stage="pulls", stage_state=StageState.OPEN))
    world.ledger.plan(a_task(stage="pulls"))
    calls.about = "advance"

    world.engine.progress.advance("run-1")

    assert asked(calls) == {"Query": 1}


@at_the_bound("MAX_KNOWN_WAYS", as_if=3)
def test_a_container_remembers_the_brakes_of_so_many_ad_accounts(
    world: CollectWorld, calls: AwsCalls, size: int, fits: bool
) -> None:
    """One more is forgotten: its brakes are read with a request of their own."""
    assert limits.MAX_KNOWN_WAYS == 3
    for number in range(size - 1):
        world.add_profile(str(1000 + number), kind="seller")
        world.collect(world.plan(Dataset.CAMPAIGNS, profile_id=str(1000 + number)))
    task = world.plan(Dataset.CAMPAIGNS)
    calls.about = "collect"

    world.deliver(world.message(task), world.collector.collect)

    assert asked(calls)["BatchGetItem"] == (1 if fits else 2)


@pytest.mark.parametrize("profiles", [10, 30])
def test_planning_takes_a_read_per_series_and_few_writes(clock: FrozenClock, calls: AwsCalls, profiles: int) -> None:
    """Twenty-five profiles with two data sets each are stored with one transaction; coverage is not counted here."""
    world = PipelineWorld(clock)
    for number in range(profiles):
        world.add_profile(str(number))
    world.ledger.create_run(a_run("r", workflow="daily", stage="pulls"))
    calls.about = "plan"

    world.handle(PlanStage(run_id="r", stage="pulls"))

    found, chunks = asked(calls), -(-profiles * 2 // 50)
    assert len(world.collect.messages) == profiles * 2
    assert found["TransactWriteItems"] == chunks
    assert found["PutItem"] == 1 + chunks + 1  # the planning marker, how far it came, the run
    assert found.total() == 9 + 2 * chunks


@at_the_bound("MAX_KNOWN_OPTIONS", as_if=3)
def test_a_container_remembers_the_options_of_so_many_ad_accounts(
    clock: FrozenClock, settings: Settings, calls: AwsCalls, size: int, fits: bool
) -> None:
    """Those that are remembered are looked up once per load, at its end; of one more the oldest are forgotten."""
    world = LoadWorld(clock, settings.bucket)

    def load(profile_id: str, run_id: str) -> None:
        task = world.put_task(Dataset.AD_DAILY, DAY, profile_id, run_id=run_id, deadline=epoch(clock.now()) + 3600)
        key = world.land(task, insights(["1.00"]))
        calls.about = "load"
        world.arrive(key)
        calls.about = ""
        assert world.state(task) is TaskState.LOADED

    load("1", "first")
    for number in range(1, size):
        world.add_profile(str(number + 1000))
        load(str(number + 1000), "first")
    clock.advance(1)
    asked(calls)

    load("1", "second")

    assert asked(calls)["GetItem"] == (1 if fits else 2)


@at_the_bound("MAX_OPTIONS_AGE_SECONDS")
def test_options_that_are_remembered_for_too_long_are_looked_up_before_a_load_too(
    clock: FrozenClock, settings: Settings, calls: AwsCalls, size: int, fits: bool
) -> None:
    world = LoadWorld(clock, settings.bucket)
    world.pull(world.plan(run_id="first"), insights(["1.00"]))
    clock.advance(size)
    key = world.land(world.plan(run_id="second"), insights(["1.00"]))
    calls.about = "load"

    world.arrive(key)

    assert asked(calls)["GetItem"] == (1 if fits else 2)


def test_a_report_of_two_months_is_loaded_with_few_requests(
    clock: FrozenClock, settings: Settings, calls: AwsCalls
) -> None:
    """Account totals decide what is gone. Per month: its lease is taken and given back, it is read, marked, written and
    covered. What was found by day is read and written once, and the profile's options are looked at once."""
    world = LoadWorld(clock, settings.bucket)
    window = Window(date(2026, 10, 25), date(2026, 11, 18))

    def days(spend: str) -> dict[str, Any]:
        return {"data": [*insights([spend])["data"], *insights([spend], "2026-10-26")["data"]]}

    world.pull(world.plan(window=window, run_id="first"), days("1.00"))
    clock.advance(1)
    task = world.plan(window=window, run_id="second")
    key = world.land(task, days("2.00"))
    calls.about = "load"

    world.arrive(key)

    ends = {"PutItem": 2, "TransactWriteItems": 2, "GetItem": 1, "BatchGetItem": 1}  # quality, success; counts, task
    months = {"UpdateItem": 4, "Query": 2, "PutItem": 4, "BatchWriteItem": 2}
    assert asked(calls) == Counter(ends) + Counter(months)
    assert world.task(task).counts["slots_changed"] == 2


def test_a_load_that_waits_for_another_reads_its_lease_and_nothing_else(
    clock: FrozenClock, settings: Settings, calls: AwsCalls
) -> None:
    """Its first round reads the object and tries for a while; a neighbor's load usually ends within seconds."""
    world = LoadWorld(clock, settings.bucket)
    key = world.land(world.plan(), insights(["1.00"]))
    message = ObjectArrived(bucket=world.bucket, key=key)
    calls.about = "load"

    def waits() -> ObjectArrived:
        with pytest.raises(Throttled) as refused:
            world.loader.load(message, world.remaining)
        return message.later(epoch(clock.now()) + 2, refused.value)

    with world.ledger.lease("metrics#meta_ads#1#ad#day#pull#2026-11", 3600):
        message = waits()
        assert calls.requests[Call("load", "s3", "GetObject")] == 1
        assert calls.requests.total() <= 20
        calls.clear()
        for _ in range(20):
            clock.advance(2)
            message = waits()
        assert calls.requests == {Call("load", "dynamodb", "GetItem"): 20}

    world.loader.load(message, world.remaining)
    assert world.stored(Level.AD)


@at_the_bound("MAX_LEASE_LOOKS_SECONDS")
def test_after_minutes_of_looking_at_a_lease_the_task_hears_that_its_object_waits(
    clock: FrozenClock, settings: Settings, size: int, fits: bool
) -> None:
    world = LoadWorld(clock, settings.bucket)
    task = world.plan()
    key = world.land(task, insights(["1.00"]))
    message, begun = ObjectArrived(bucket=world.bucket, key=key), epoch(clock.now())
    with world.ledger.lease("metrics#meta_ads#1#ad#day#pull#2026-11", 3600):
        for seconds in (0, size - 1):
            clock.advance(seconds)
            with pytest.raises(Throttled) as refused:
                world.loader.load(message, world.remaining)
            message = message.later(begun, refused.value)

    waited = parse_instant(world.task(task).updated_at)
    assert (epoch(waited) == begun) == fits


def campaigns(number: int, **changes: str) -> list[AdCampaign]:
    return [AdCampaign(platform=META, profile_id="1", id=str(n), campaign_id=str(n), **changes) for n in range(number)]


@pytest.mark.parametrize("number", [40, 240])
def test_objects_are_looked_up_and_written_a_hundred_at_a_time(
    clock: FrozenClock, calls: AwsCalls, number: int
) -> None:
    """Each with the coverage of the two slices that it is in."""
    catalog, hundreds = Catalog(clock), -(-number // 100)
    reads = -(-(number * 2 + 1) // 100)
    calls.about = "list"

    assert catalog.put_objects(campaigns(number), iso(clock.now())) == (number, 0, 0)
    assert asked(calls) == {"BatchGetItem": reads, "TransactWriteItems": hundreds}

    clock.advance(1)
    assert catalog.put_objects(campaigns(number), iso(clock.now())) == (0, 0, number)
    assert asked(calls) == {"BatchGetItem": reads}

    assert catalog.put_objects(campaigns(number, name="new"), iso(clock.now())) == (0, number, 0)
    assert asked(calls) == {"BatchGetItem": reads, "TransactWriteItems": hundreds}


def ads(number: int, step: int = 1, profile_id: str = "1") -> list[Ad]:
    numbers = range(10_000, 10_000 + number * step, step)
    return [
        Ad(platform=META, profile_id=profile_id, id=str(n), campaign_id="c", ad_group_id=f"g{n // 10}") for n in numbers
    ]


@pytest.mark.parametrize("profiles", [1, 3])
def test_the_ads_of_a_push_are_looked_up_many_at_a_time(
    clock: FrozenClock, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch, profiles: int
) -> None:
    """By their ids alone, here fifty in place of a thousand keys per query."""
    monkeypatch.setattr(objects, "_NEIGHBORS", 50)
    catalog, names = Catalog(clock), [str(number) for number in range(1, profiles + 1)]
    stored = ads(140)
    for profile_id in names:
        catalog.put_objects([ad.model_copy(update={"profile_id": profile_id}) for ad in stored], iso(clock.now()))
    calls.about = "push"

    found = catalog.find_objects(META, names, Dataset.ADS, [ad.id for ad in stored[20:120]])

    assert asked(calls) == {"Query": 3 * profiles, "BatchGetItem": profiles}
    assert {object_id: len(objects) for object_id, objects in found.items()} == {
        ad.id: profiles for ad in stored[20:120]
    }
    assert [one.profile_id for one in found["10020"]] == names


@pytest.mark.parametrize("every", [1, 2, 25, 70])
def test_ads_are_found_however_far_apart_they_are(
    clock: FrozenClock, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    """Those with two groups too, wherever an answer ends, and at no more than a query each."""
    monkeypatch.setattr(objects, "_NEIGHBORS", 12)
    catalog, stored = Catalog(clock), ads(140)
    moved = [ad.model_copy(update={"ad_group_id": "other"}) for ad in stored[::3]]
    catalog.put_objects([*stored, *moved], iso(clock.now()))
    wanted = [ad.id for ad in stored[::every]]
    calls.about = "push"

    found = catalog.find_objects(META, ["1"], Dataset.ADS, [*wanted, "1", "99999"])

    assert asked(calls)["Query"] <= len(wanted) + 2
    assert {one: {each.ad_group_id for each in found[one]} for one in found} == {
        one: {ad.ad_group_id for ad in [*stored, *moved] if ad.id == one} for one in wanted
    }
    assert sum(map(len, found.values())) == len({object_key(ad) for ad in [*stored, *moved] if ad.id in wanted})


def test_objects_that_another_listing_puts_at_the_same_moment_are_written_one_by_one(
    clock: FrozenClock, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, together = Catalog(clock), Catalog._put_together
    older = iso(clock.now())
    clock.advance(1)
    newer = iso(clock.now())

    def beaten(catalog: Catalog, puts: Any) -> bool:
        monkeypatch.setattr(Catalog, "_put_together", together)
        catalog.put_objects(campaigns(2, name="newer"), newer)
        return together(catalog, puts)

    monkeypatch.setattr(Catalog, "_put_together", beaten)

    assert catalog.put_objects(campaigns(3, name="older"), older) == (1, 0, 2)

    names = [one.name for one in catalog.objects(META, "1", Dataset.CAMPAIGNS)]
    assert names == ["newer", "newer", "older"]


def stalled(clock: FrozenClock, tasks: int, **facts: int) -> PipelineWorld:
    """An open stage whose tasks lost their messages half an hour ago."""
    world = PipelineWorld(clock)
    world.ledger.create_run(a_run("r", workflow="daily", stage="pulls", stage_state=StageState.OPEN))
    world.ledger.plan_together([a_task(run_id="r", stage="pulls", profile_id=str(n), **facts) for n in range(tasks)])
    clock.advance(1801)
    return world


@pytest.mark.parametrize("tasks", [20, 240])
def test_a_sweep_reads_stalled_tasks_by_the_hundred_and_writes_each_once(
    clock: FrozenClock, calls: AwsCalls, tasks: int
) -> None:
    world = stalled(clock, tasks)
    calls.about = "sweep"

    world.handle(Sweep())

    found = asked(calls)
    assert len(world.collect.messages) == tasks
    assert found["UpdateItem"] == tasks
    assert found.total() - tasks <= 8 + -(-tasks // 100)


@pytest.mark.parametrize("tasks", [20, 240])
def test_a_sweep_ends_overdue_tasks_fifty_at_a_time(clock: FrozenClock, calls: AwsCalls, tasks: int) -> None:
    world = stalled(clock, tasks, deadline=epoch(clock.now()) + 60)
    calls.about = "sweep"

    world.handle(Sweep())

    found, ended = asked(calls), list(world.ledger.tasks("r"))
    assert {task.state for task in ended} == {TaskState.FAILED}
    assert {(task.error or {})["code"] for task in ended} == {"deadline"}
    assert not list(world.ledger.open_tasks("r"))
    assert found["TransactWriteItems"] == -(-tasks // 50)
    assert found.total() - found["TransactWriteItems"] <= 17 + -(-tasks // 100)


def test_overdue_tasks_of_which_one_has_ended_meanwhile_are_ended_one_by_one(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given three overdue tasks, one of which is loaded while the sweep looks at them
    world = stalled(clock, 3, deadline=epoch(clock.now()) + 60)
    together = type(world.ledger).fail_together

    def beaten(ledger: Ledger, failed: Sequence[tuple[Task, Mapping[str, Any]]]) -> bool:
        ledger.finish("r", failed[0][0].id, 0, TaskState.LOADED)
        return together(ledger, failed)

    monkeypatch.setattr(type(world.ledger), "fail_together", beaten)
    # when it ends them
    world.handle(Sweep())
    # then that one stays loaded
    states = [task.state for task in world.ledger.tasks("r")]
    assert sorted(states) == [TaskState.FAILED, TaskState.FAILED, TaskState.LOADED]
    assert not list(world.ledger.open_tasks("r"))


@at_the_bound("MAX_SWEEP_PARTS", as_if=3)
def test_a_sweep_whose_time_ran_out_goes_on_at_once_but_not_for_ever(clock: FrozenClock, size: int, fits: bool) -> None:
    world, left = stalled(clock, 12), iter([60.0] * 8 + [1.0] * 100)

    world.engine.handle(Sweep(attempt=size - 1), lambda: next(left))

    assert 0 < len(world.collect.messages) < 12
    assert [message.attempt for message in world.runs.messages] == ([size] if fits else [])
    if fits:
        world.handle(world.runs.take()[0])
        assert len(world.collect.messages) == 12
        assert world.runs.messages == []
