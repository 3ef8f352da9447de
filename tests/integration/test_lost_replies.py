"""A write succeeds and its reply is lost: the SDK sends it again, and it must know its own work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, ProfileStatus
from adweir.model.errors import Throttled, Unavailable
from adweir.model.platforms import Platform
from adweir.model.runs import RunState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import iso
from adweir.platforms.connector import ReportState
from adweir.runtime.settings import Settings
from adweir.store.catalog.objects import ObjectListing
from adweir.store.catalog.profiles import Listing
from adweir.store.catalog.store import Catalog
from adweir.store.ledger import Ledger
from support.clock import FrozenClock
from support.collect_world import CollectWorld
from support.load_world import LoadWorld, insights
from support.lost_replies import LostReplies
from support.pipeline import a_run, a_task
from support.pipeline_world import HOURLY, PipelineWorld, run_to_end

pytestmark = pytest.mark.usefixtures("tables")
META = Platform("meta_ads")
REPORTED_AT = "2026-11-20T11:00:00.000000Z"


@pytest.fixture
def lost(tables: None, monkeypatch: pytest.MonkeyPatch) -> LostReplies:
    return LostReplies(monkeypatch)


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


@pytest.fixture
def catalog(clock: FrozenClock) -> Catalog:
    return Catalog(clock)


def claimed(ledger: Ledger) -> Task:
    ledger.plan(a_task())
    task = ledger.claim("run-1", a_task().id, 0, 330)
    assert task is not None
    return task


def finished(ledger: Ledger, state: TaskState = TaskState.FAILED) -> Task:
    task = claimed(ledger)
    ledger.finish("run-1", task.id, 0, state)
    stored = ledger.get_pull("run-1", task.id)
    assert stored is not None
    return stored


# --- leases and claims


def test_a_lease_whose_reply_was_lost_is_held_and_given_back(ledger: Ledger, lost: LostReplies) -> None:
    lost.lose()
    with ledger.lease("x", 330) as lease:
        lease.check()
        with pytest.raises(Throttled):
            ledger._take("x", 330)
    with ledger.lease("x", 330) as following:
        assert following.fence > lease.fence


def test_a_claim_whose_reply_was_lost_is_held(ledger: Ledger, lost: LostReplies) -> None:
    ledger.plan(a_task())
    lost.lose()

    task = ledger.claim("run-1", a_task().id, 0, 330)

    assert task is not None
    assert (task.state, task.attempts) == (TaskState.RUNNING, 1)
    with pytest.raises(Throttled):
        ledger.claim("run-1", task.id, 0, 330)


def test_the_lock_of_a_token_whose_reply_was_lost_is_held(ledger: Ledger, lost: LostReplies) -> None:
    lost.lose()
    assert ledger.tokens.get("k", lambda: ("token", 3600)) == "token"


def test_a_lease_is_free_again_when_no_reply_comes_at_all(ledger: Ledger, lost: LostReplies) -> None:
    lost.lose(every_try=True)
    with pytest.raises(Unavailable), ledger.lease("x", 330):
        pass

    with ledger.lease("x", 330) as lease:
        lease.check()


def test_a_task_can_be_claimed_again_when_no_reply_comes_at_all(ledger: Ledger, lost: LostReplies) -> None:
    ledger.plan(a_task())
    lost.lose(every_try=True)
    with pytest.raises(Unavailable):
        ledger.claim("run-1", a_task().id, 0, 330)

    task = ledger.claim("run-1", a_task().id, 0, 330)

    assert task is not None
    assert task.attempts == 2


def test_what_somebody_else_took_over_meanwhile_stays_theirs(
    ledger: Ledger, lost: LostReplies, clock: FrozenClock
) -> None:
    """The write was done, its time ran out, another worker took over: the write that is sent again must not win."""
    others: list[Any] = []

    def another_takes_it() -> None:
        clock.advance(2)
        others.append(ledger._take("x", 330))

    lost.lose()
    lost.between = another_takes_it
    with pytest.raises(Throttled), ledger.lease("x", 1):
        pass

    others[0].check()


# --- every other write that is answered by yes or no

# What is there before, the write, and which of its requests decides.
WRITES: dict[str, tuple[Callable[[Ledger], Any], Callable[[Ledger, Any], Any], int]] = {
    "create_run": (lambda ledger: None, lambda ledger, _: ledger.create_run(a_run()), 3),
    "change_run": (
        lambda ledger: (ledger.create_run(a_run()), ledger.get_run("run-1"))[1],
        lambda ledger, run: ledger.change_run(run, reason="pulls"),
        1,
    ),
    "plan": (lambda ledger: None, lambda ledger, _: ledger.plan(a_task()), 2),
    "wait_report": (claimed, lambda ledger, task: ledger.wait_report(task, "r", REPORTED_AT), 1),
    "keep_part": (claimed, lambda ledger, task: ledger.keep_part(task, [1], "2", REPORTED_AT), 1),
    "landed": (claimed, lambda ledger, task: ledger.landed(task, "raw/x", REPORTED_AT), 1),
    "release": (claimed, lambda ledger, task: ledger.release(task), 1),
    "note_resent": (
        lambda ledger: ledger.get_task("run-1", claimed(ledger).id),
        lambda ledger, task: ledger.note_resent(task),
        1,
    ),
    "finish": (claimed, lambda ledger, task: ledger.finish("run-1", task.id, 0, TaskState.LOADED), 2),
    "redrive": (finished, lambda ledger, task: ledger.redrive(task, 2_000_000_000), 2),
    "receipts.put": (lambda ledger: None, lambda ledger, _: ledger.receipts.put("k", {"state": "loaded"}), 1),
    "replays.next_load": (lambda ledger: None, lambda ledger, _: ledger.replays.next_load("meta_ads#1"), 1),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_is_sent_again_says_that_it_was_done(
    name: str, ledger: Ledger, lost: LostReplies, clock: FrozenClock
) -> None:
    prepare, write, decisive = WRITES[name]
    subject = prepare(ledger)
    clock.advance(1)
    lost.lose(decisive)

    assert write(ledger, subject)


def test_a_half_open_circuit_lets_the_probe_through_whose_reply_was_lost(
    ledger: Ledger, lost: LostReplies, clock: FrozenClock
) -> None:
    for _ in range(5):
        ledger.brakes.failure(META, "1")
    clock.advance(31)
    lost.lose()

    ledger.brakes.check(META, "1")

    with pytest.raises(Throttled):
        ledger.brakes.check(META, "1")


def test_a_load_counts_as_a_success_though_its_worker_died_at_the_end(ledger: Ledger, lost: LostReplies) -> None:
    task = claimed(ledger)
    lost.lose(2, every_try=True)
    with pytest.raises(Unavailable):
        ledger.finish("run-1", task.id, 0, TaskState.LOADED)

    ledger.finish("run-1", task.id, 0, TaskState.LOADED)

    assert [key for key, *_ in ledger.successes()] == ["meta_ads#111"]
    assert not ledger.progress("run-1")[1]


# --- the catalog


def test_a_client_is_created_though_the_reply_was_lost(catalog: Catalog, lost: LostReplies) -> None:
    lost.lose()
    assert catalog.create_account("acc-1", "A", "a@b.example").account_id == "acc-1"


def test_a_replaced_credential_is_one_version_more(clock: FrozenClock, lost: LostReplies) -> None:
    world = PipelineWorld(clock)
    before = world.credential()
    lost.lose()

    assert world.add_credential(world.account_id).version == before.version + 1

    lost.lose()
    assert world.catalog.mark_broken(world.credential(), "revoked")


def test_what_a_listing_brought_is_counted_though_the_reply_was_lost(clock: FrozenClock, lost: LostReplies) -> None:
    world = PipelineWorld(clock)
    at = iso(clock.now())
    campaign = AdCampaign(platform=META, profile_id="1", id="7", campaign_id="7")
    lost.lose()
    assert world.catalog.put_objects([campaign], at) == (1, 0, 0)

    clock.advance(1)
    lost.lose()
    later = iso(clock.now())
    assert world.catalog.remove_missing(ObjectListing(META, "1", Dataset.CAMPAIGNS, "all", later), set()) == 1

    profile = world.add_profile("9")
    clock.advance(1)
    lost.lose()
    renamed = profile.model_copy(update={"name": "another"})
    assert world.catalog.put_objects([renamed], iso(clock.now())) == (0, 1, 0)

    clock.advance(1)
    lost.lose()
    listing = Listing(META, world.account_id, profile.credential, iso(clock.now()))
    assert world.catalog.remove_missing_profiles(listing, set()) == 1
    assert world.profile("9").status == ProfileStatus.REMOVED


# --- whole pieces of work: whichever reply is lost, nothing waits and nothing is done twice


def test_a_run_goes_on_at_once_whichever_reply_is_lost(clock: FrozenClock, lost: LostReplies) -> None:
    world = PipelineWorld(clock)
    world.add_profile("1")
    lost.lose(0)
    run_to_end(world, HOURLY.model_copy(update={"run_id": "dry"}))
    began, writes = clock.now(), lost.writes

    for at in range(1, writes + 1):
        run_id = f"run-{at}"
        lost.lose(at)
        run_to_end(world, HOURLY.model_copy(update={"run_id": run_id}))

        run = world.ledger.get_run(run_id)
        assert run is not None
        assert run.state is RunState.SUCCEEDED, f"reply {at} was lost"
        assert clock.now() == began, f"something waited after reply {at} was lost"
        assert [event.run_id for event in world.bus.events].count(run_id) == 1, f"reply {at} was lost"


def test_a_report_is_landed_at_once_whichever_reply_is_lost(
    clock: FrozenClock, settings: Settings, lost: LostReplies
) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=settings.bucket)
    world = CollectWorld(clock, s3, settings.bucket)

    def pull(run_id: str, at: int) -> int:
        world.connector.reports.clear()
        task = world.plan(run_id=run_id)
        lost.lose(at)
        assert world.collect(task) == "done", f"reply {at} was lost"
        (message,) = world.queues.reports.take()
        world.connector.becomes("report-1", ReportState.READY)
        assert world.poll(message) == "done", f"reply {at} was lost"
        assert world.state(task) is TaskState.LANDED, f"reply {at} was lost"
        assert world.task(task).as_of == iso(datetime(2026, 11, 20, 11, 0, tzinfo=UTC))
        return lost.writes

    for at in range(1, pull("dry", 0) + 1):
        pull(f"run-{at}", at)


def test_rows_are_loaded_at_once_whichever_reply_is_lost(
    clock: FrozenClock, settings: Settings, lost: LostReplies
) -> None:
    world = LoadWorld(clock, settings.bucket)

    def load(run_id: str, at: int, spend: str) -> int:
        clock.advance(1)
        task = world.plan(run_id=run_id)
        key = world.land(task, insights([spend]))
        lost.lose(at)
        world.arrive(key)
        assert world.state(task) is TaskState.LOADED, f"reply {at} was lost"
        assert world.task(task).counts["slots_changed"] == 1, f"reply {at} was lost"
        assert world.bus.events[-1].changes_keys, f"reply {at} was lost"
        return lost.writes

    for at in range(1, load("dry", 0, "1.00") + 1):
        load(f"run-{at}", at, f"{at + 1}.00")
