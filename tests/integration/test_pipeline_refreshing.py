"""What comes outside of runs is followed by a run of `refresh`: one at a time per client, and none too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from adweir.model.entities import ProfileStatus
from adweir.model.flows import StageKind
from adweir.model.messages import CancelRun, PlanStage, Scope, StartRun, Sweep
from adweir.model.runs import Run, RunState
from adweir.model.tasks import TaskState
from adweir.model.times import iso
from adweir.pipeline.health import health
from adweir.pipeline.refreshing import ARRIVALS
from adweir.pipeline.throughput import metrics
from adweir.pipeline.workflows import WORKFLOWS
from adweir.reporting.runs import summary
from support.aws_calls import AwsCalls
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.pipeline import a_run
from support.pipeline_world import DAILY, MORNING, PipelineWorld, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")

BY_HAND = StartRun(workflow="refresh", scheduled_at=MORNING, run_id="by-hand", scope=Scope(accounts=("acc-1",)))
KINDS = (StageKind.RECONCILE, StageKind.ETL, StageKind.CURATE, StageKind.DETECT, StageKind.ENRICH, StageKind.FEATURES)


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    made = PipelineWorld(clock)
    made.add_profile("1")
    return made


def refreshes(world: PipelineWorld) -> list[Run]:
    return [run for run in world.ledger.list_runs(1000)[0] if run.workflow == "refresh"]


def sweep(world: PipelineWorld, *, work: bool = True) -> None:
    """Five minutes later."""
    world.clock.advance(300)
    world.handle(Sweep())
    if work:
        world.drain()


def marks(world: PipelineWorld) -> dict[str, dict[str, int]]:
    return {account: {mark.what: mark.loads for mark in found} for account, found in world.ledger.unfollowed.waiting()}


def test_what_came_outside_of_runs_is_worked_on_with_the_next_sweep_and_says_why(world: PipelineWorld) -> None:
    # given two loads of files and a push, of one client of two
    world.add_profile("2", account_id="acc-2")
    for what in ("file", "push by hour", "file"):
        world.ledger.unfollowed.note("acc-1", what)
    came = iso(world.clock.now())
    # when the sweep comes, and again
    for _ in range(3):
        sweep(world)
    # then one run has followed it
    (run,) = refreshes(world)
    assert (run.state, run.scope, run.trigger) == (RunState.SUCCEEDED, Scope(accounts=("acc-1",)), ARRIVALS)
    assert run.scheduled_at == came
    assert Counter(world.done) == Counter((kind, "acc-1") for kind in KINDS)
    assert summary(run)["because"] == "file: 2 loads, push by hour: 1 load"
    (deed,) = world.ledger.audit.page(10, "")[0]
    assert (deed.action, deed.subject, deed.reason) == ("start refresh", "acc-1", summary(run)["because"])
    assert (deed.outcome, deed.kind, deed.account_id) == (f"began run {run.run_id}", "run", "acc-1")
    assert marks(world) == {}


def test_hundreds_of_pushes_start_one_run(world: PipelineWorld) -> None:
    for _ in range(300):
        world.ledger.unfollowed.note("acc-1", "push")
    for _ in range(2):
        sweep(world)

    assert [run.arrived for run in refreshes(world)] == [{"push": 300}]


def test_hours_alone_start_a_run_that_has_nothing_to_do(world: PipelineWorld) -> None:
    world.ledger.unfollowed.note("acc-1", "stream by hour")
    sweep(world)

    (run,) = refreshes(world)
    names = ("reconcile", "etl", "detect", "learn", "enrich", "curate", "features")
    assert (run.state, [(stage.name, stage.tasks) for stage in run.stages]) == (
        RunState.SUCCEEDED, [(name, 0) for name in names]
    )  # fmt: skip
    assert world.done == []


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_comes_while_a_client_s_run_is_open_waits_for_its_end(world: PipelineWorld, by_hand: bool) -> None:
    # given a run of the client, which is open
    if by_hand:
        world.handle(BY_HAND)
    else:
        world.ledger.unfollowed.note("acc-1", "file")
        sweep(world, work=False)
    (first,) = refreshes(world)
    # when more comes, and two sweeps
    world.ledger.unfollowed.note("acc-1", "file")
    for _ in range(2):
        sweep(world, work=False)
    # then it waits
    assert [run.run_id for run in refreshes(world)] == [first.run_id]
    assert marks(world) == {"acc-1": {"file": 1}}
    # and begins with the first sweep after the end
    world.drain()
    assert len(world.done) == len(KINDS)
    sweep(world)
    assert [run.state for run in refreshes(world)] == [RunState.SUCCEEDED] * 2
    assert (len(world.done), marks(world)) == (2 * len(KINDS), {})


def test_what_comes_while_a_sweep_begins_a_run_starts_another_one(world: PipelineWorld) -> None:
    """Between the look at the marks and their removal, which is when a count of them may be the same again."""
    world.ledger.unfollowed.note("acc-1", "file")
    start = world.engine.start

    def meanwhile(message: StartRun, *, waits: bool = True) -> str:
        found = start(message, waits=waits)
        for account_id, seen in list(world.ledger.unfollowed.waiting()):
            world.ledger.unfollowed.followed(account_id, seen)  # by another sweep
        world.ledger.unfollowed.note("acc-1", "file")
        return found

    world.engine.start = meanwhile  # type: ignore[method-assign]
    sweep(world)
    world.engine.start = start  # type: ignore[method-assign]
    assert marks(world) == {"acc-1": {"file": 1}}

    sweep(world)

    assert (len(refreshes(world)), marks(world)) == (2, {})


@pytest.mark.parametrize("deleted", [True, False])
def test_nothing_begins_for_a_client_without_an_active_ad_account(world: PipelineWorld, deleted: bool) -> None:
    world.add_profile("2", account_id="acc-2", status=ProfileStatus.DENIED)
    world.ledger.unfollowed.note("acc-1" if deleted else "acc-2", "file")
    if deleted:
        world.catalog.delete_account("acc-1")

    sweep(world)

    assert (refreshes(world), marks(world)) == ([], {})


def test_a_sweep_that_dies_after_any_write_is_followed_by_exactly_one_run(world: PipelineWorld) -> None:
    """Each death is one of a client of its own; its sweep comes again, or the next one does."""
    clients = list[str]()
    for number in range(1, 40):
        clients.append(f"acc-{number:02}")
        world.add_profile(clients[-1], account_id=clients[-1])
        world.ledger.unfollowed.note(clients[-1], "file")
        crash = Crash(number, after=True)
        with world.dying(crash), suppress(Killed):
            world.handle(Sweep())
        world.runs.messages.append(Sweep())
        world.drain()
        if crash.writes < number:
            break
    # then no run began twice, and none was left out
    assert len(clients) >= 8
    assert Counter(run.scope.only_account for run in refreshes(world)) == Counter(clients)
    assert {run.state for run in refreshes(world)} == {RunState.SUCCEEDED}
    assert (marks(world), list(world.ledger.open_runs())) == ({}, [])


@at_the_bound("MAX_REFRESHES_BEGUN", as_if=2)
def test_one_message_of_a_sweep_begins_so_many_runs_and_the_next_goes_on(
    world: PipelineWorld, size: int, fits: bool
) -> None:
    for number in range(size):
        world.add_profile(str(number), account_id=f"acc-{number}")
        world.ledger.unfollowed.note(f"acc-{number}", "push by hour")

    world.handle(Sweep())

    assert len(marks(world)) == (0 if fits else 1)
    assert [message for message in world.runs.messages if isinstance(message, Sweep)] == (
        [] if fits else [Sweep(attempt=1)]
    )
    world.drain()
    assert (len(refreshes(world)), marks(world)) == (size, {})


def test_a_client_of_whom_nothing_can_be_begun_does_not_hold_up_the_others(world: PipelineWorld) -> None:
    world.add_profile("2", account_id="acc-2")
    for account_id in ("acc-1", "acc-2"):
        world.ledger.unfollowed.note(account_id, "file")
    start = world.engine.start

    def refuses(message: StartRun, *, waits: bool = True) -> str:
        if message.scope.accounts == ("acc-1",):
            raise ValueError("poison")
        return start(message, waits=waits)

    world.engine.start = refuses  # type: ignore[method-assign]
    sweep(world)

    assert [run.scope.only_account for run in refreshes(world)] == ["acc-2"]
    assert marks(world) == {"acc-1": {"file": 1}}
    assert [fault.what for fault in world.ledger.faults.newest()] == ["what follows the data of acc-1"]


# --- runs that did not follow what they loaded


def until_pulled(world: PipelineWorld) -> None:
    """Work until the pulls of a daily run have loaded, and nothing that follows them was planned."""
    world.runs.send(DAILY)
    while True:
        messages = [*world.runs.take(), *world.collect.take()]
        for message in messages:
            if isinstance(message, PlanStage) and message.stage in {"totals", "reconcile"}:
                return
            world._deliver(world.runs if message in world.runs.messages else world.collect, message, lose=False)


def test_what_a_cancelled_run_had_loaded_is_followed(world: PipelineWorld) -> None:
    until_pulled(world)
    world.handle(CancelRun(run_id="r"))
    world.drain()
    assert (state(world), world.done, marks(world)) == (RunState.CANCELLED, [], {"acc-1": {"run cut short": 1}})

    sweep(world)

    assert [run.arrived for run in refreshes(world)] == [{"run cut short": 1}]
    assert len(world.done) == len(KINDS)


@pytest.mark.parametrize("fate", [TaskState.LOADED, TaskState.FAILED])
def test_a_run_whose_own_stages_ran_or_that_loaded_nothing_is_followed_by_none(
    world: PipelineWorld, fate: TaskState
) -> None:
    world.fate = lambda task: fate if task.window else TaskState.LOADED
    run_to_end(world)
    sweep(world)

    assert (refreshes(world), marks(world)) == ([], {})


# --- how it shows, and what it costs


def test_many_runs_that_follow_data_do_not_push_the_daily_run_out_of_sight(world: PipelineWorld) -> None:
    run_to_end(world)
    for number in range(25):
        world.clock.advance(300)
        world.ledger.create_run(a_run(f"refresh-{number}", workflow="refresh"))

    last = health(world.ledger, world.catalog, list, world.clock)["parts"]["runs"]["last"]

    assert (list(last), last["daily"]["run_id"]) == (["daily"], "r")
    assert [run["run_id"] for run in metrics(world.ledger)["runs"]] == ["r"]
    found, token = world.ledger.list_runs(20)
    rest, end = world.ledger.list_runs(20, token)
    assert [run.run_id for run in (*found, *rest)] == [*(f"refresh-{number}" for number in range(24, -1, -1)), "r"]
    assert end == ""


@pytest.fixture
def calls(tables: None) -> Iterator[AwsCalls]:
    with AwsCalls().counting() as counted:
        yield counted


def asked(calls: AwsCalls) -> int:
    found = calls.of("dynamodb")
    calls.clear()
    return found


def test_how_many_requests_an_arrival_costs(world: PipelineWorld, calls: AwsCalls) -> None:
    calls.about = "sweep"
    world.handle(Sweep())
    quiet = asked(calls)

    world.ledger.unfollowed.note("acc-1", "push by hour")
    assert asked(calls) == 1

    world.handle(Sweep())
    begun = asked(calls) - quiet
    world.drain()
    ended = asked(calls)

    stages = len(WORKFLOWS["refresh"].stages)
    assert (quiet, begun <= 10, ended <= 6 + 10 * stages) == (4, True, True)
