"""What the sweep publishes about the pipeline's state, which the alarms ring on; and that a repair ends it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from adweir.model.breaches import Breach, Subject
from adweir.model.entities import Account, ProfileStatus, own_profile_id
from adweir.model.errors import ThrottleScope
from adweir.model.messages import Advance, Redrive, Scope
from adweir.model.operation_metrics import OperationMetric
from adweir.model.platforms import Platform
from adweir.model.tasks import TaskState
from adweir.model.terms import Terms
from adweir.pipeline.health import health
from adweir.pipeline.late import Late
from adweir.pipeline.watch import look, see
from adweir.store.ledger.brakes import scope_key
from support.bounds import at_the_bound
from support.breach_world import late_breach
from support.clock import FrozenClock
from support.pipeline_world import DAILY, META, PipelineWorld, run_to_end

pytestmark = pytest.mark.usefixtures("tables")
QUIET = {
    "RunsFailed": 0,
    "RunsPartial": 0,
    "ProfilesStale": 0,
    "CredentialsBroken": 0,
    "CredentialsEnding": 0,
    "BrakesStaying": 0,
}


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock, found=("1", "2"))


def seen(world: PipelineWorld, *breaches: Breach) -> dict[str, int]:
    """What is not as it should be."""
    found = look(world.ledger, world.catalog, world.clock, see(world.ledger, world.catalog), Late.of(breaches))
    assert found.pop(OperationMetric.SWEEPS_ENDED) == 1
    assert set(found) == set(QUIET)
    return {name: number for name, number in found.items() if number}


def fails(*profiles: str) -> Any:
    """The fate of tasks: those of these profiles fail."""
    return lambda task: TaskState.FAILED if task.profile_id in profiles else TaskState.LOADED


def test_a_pipeline_that_works_has_nothing_to_report(world: PipelineWorld) -> None:
    run_to_end(world)
    assert seen(world) == {}


@pytest.mark.parametrize("platform", [META, Platform("shop")])
def test_what_no_platform_lists_is_neither_pulled_nor_stale(world: PipelineWorld, platform: Platform) -> None:
    """Given figures of the client's own, of a source called as a platform or not, then nothing is planned for them."""
    account = Account(account_id="acc", company_name="Acme", primary_contact_email="a@example.com")
    own = own_profile_id(account.account_id)
    assert world.catalog.unlisted_profile(account, platform, own, Terms("EUR", "UTC"))
    run_to_end(world)
    assert seen(world, late_breach(Subject("acc", platform))) == {}
    part = health(world.ledger, world.catalog, list, world.clock)["parts"]["profiles"]
    assert [item["profile_id"] for item in part["items"]] == ["1", "2"]
    assert f"{platform}#{own}" not in {key for key, _, _ in world.tasks("r")}


def test_a_partial_run_is_reported_until_its_redrive_succeeds(world: PipelineWorld) -> None:
    # given a run of which a part failed
    world.fate = fails("2")
    run_to_end(world)
    assert seen(world) == {"RunsPartial": 1}
    # when it is redriven in vain, then nothing changes
    world.clock.advance(60)
    world.runs.send(Redrive(run_id="r"))
    world.drain()
    assert seen(world) == {"RunsPartial": 1}
    # when it is redriven and succeeds, then it is over
    world.fate = fails()
    world.runs.send(Redrive(run_id="r"))
    world.drain()
    assert seen(world) == {}


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ({}, 0),
        ({"scope": Scope(accounts=("acc-1",))}, 1),
        ({"workflow": "sync"}, 0),
        ({"workflow": "hourly"}, 1),
    ],
    ids=["the same", "of one client", "another name", "another workflow"],
)
def test_a_failed_run_is_reported_until_a_later_one_of_its_kind_succeeds(
    world: PipelineWorld, later: dict[str, Any], left: int
) -> None:
    # given a run of everything that failed
    world.fate = lambda _task: TaskState.FAILED
    run_to_end(world)
    assert seen(world)["RunsFailed"] == 1
    # when another succeeds, then it is over if that one covers the first
    world.fate = fails()
    world.clock.advance(3600)
    run_to_end(world, DAILY.model_copy(update={"run_id": "r2", **later}))
    assert seen(world).get("RunsFailed", 0) == left
    # and in any case after two days
    world.clock.advance(2 * 86_400)
    assert "RunsFailed" not in seen(world)


def test_an_ad_account_that_is_late_is_stale_and_one_without_permission_is_not(world: PipelineWorld) -> None:
    run_to_end(world)
    world.clock.advance(27 * 3600)
    assert seen(world) == {}
    late = late_breach(Subject(world.account_id, META))
    assert seen(world, late) == {"ProfilesStale": 2}
    world.catalog.mark_profile(META, "2", ProfileStatus.DENIED)
    assert seen(world, late) == {"ProfilesStale": 1}


def test_a_broken_credential_is_reported_until_a_new_one_is_stored(world: PipelineWorld) -> None:
    world.break_credential()
    assert seen(world) == {"CredentialsBroken": 1}
    world.add_credential(world.account_id)
    assert seen(world) == {}


@at_the_bound("CREDENTIAL_ENDS_SOON_DAYS")
def test_a_credential_that_ends_soon_is_reported_until_a_new_one_is_stored(
    world: PipelineWorld, size: int, fits: bool
) -> None:
    today = world.clock.now().date()
    world.add_credential(world.account_id, ends_on=str(today + timedelta(days=size)))
    assert seen(world) == ({"CredentialsEnding": 1} if fits else {})
    # and one that has ended, until it is refused or replaced
    world.add_credential(world.account_id, ends_on=str(today - timedelta(days=1)))
    assert seen(world) == {"CredentialsEnding": 1}
    world.break_credential()
    assert seen(world) == {"CredentialsBroken": 1}
    world.add_credential(world.account_id, ends_on=str(today + timedelta(days=365)))
    assert seen(world) == {}


def braked(world: PipelineWorld, steps: Iterable[int], key: str) -> None:
    """Pauses of a minute, one after each of these waits."""
    for wait in steps:
        world.clock.advance(wait)
        world.ledger.brakes.trip(META, key, 60, "code 17")


def test_a_brake_under_which_nothing_succeeds_for_an_hour_stays_and_a_success_ends_it(world: PipelineWorld) -> None:
    # given an application that is paused again and again
    key = scope_key(ThrottleScope.APP, "one")
    braked(world, (0, 600, 1200, 1799), key)
    assert seen(world) == {}
    # when that has gone on for an hour, then the brake stays
    braked(world, (1,), key)
    assert seen(world) == {"BrakesStaying": 1}
    # and when a task got through in between, it is a new one
    world.clock.advance(61)
    world.ledger.brakes.success(META, *world.ledger.brakes.check(META, "1", key))
    braked(world, (600,), key)
    assert seen(world) == {}


def test_the_end_of_a_run_is_counted_once_however_often_it_is_announced(world: PipelineWorld) -> None:
    # given a run that ended, whose end was not announced yet
    world.fate = fails("2")
    marks: list[int] = []
    unmark = world.ledger.unmark_open

    def lost(run_id: str, mark: int) -> bool:
        marks.append(mark)
        return len(marks) > 2 and unmark(run_id, mark)

    world.ledger.unmark_open = lost  # type: ignore[method-assign]
    run_to_end(world)
    # when it is announced again
    while world.ledger.open_mark("r"):
        world.runs.send(Advance(run_id="r"))
        world.drain()
    # then it was published each time and counted once
    assert world.bus.names().count("RunFinished") == len(marks) > 1
    assert [event.tasks_failed for event in world.bus.counted if event.name == "RunFinished"] == [2]
