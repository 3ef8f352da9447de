"""What the system does by itself is in the audit: an operator can trace why an ad account is not pulled any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adweir.model.datasets import Dataset
from adweir.model.deeds import Deed
from adweir.model.entities import ProfileStatus
from adweir.model.errors import AccessDenied, AuthExpired, Throttled, ThrottleScope, Transient, Unavailable
from adweir.model.messages import RedriveCredential
from adweir.model.platforms import Platform
from adweir.model.tasks import TaskState
from adweir.store.ledger.audit import Audit
from adweir.store.ledger.brakes import THRESHOLD
from support.clock import FrozenClock
from support.collect_world import CollectWorld, collecting
from support.load_world import LoadWorld
from support.pipeline_world import DAILY, PipelineWorld
from support.world import World


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> Iterator[CollectWorld]:
    with collecting(clock) as made:
        made.ledger.audit.service = "collect"
        yield made


def deeds(world: World) -> list[Deed]:
    return world.ledger.audit.page(50, "")[0][::-1]


def test_a_credential_that_is_refused_is_recorded_once_with_the_platforms_words(world: CollectWorld) -> None:
    world.connector.error = AuthExpired("the token was revoked")
    for slice_ in ("sp", "sb"):
        assert world.collect(world.plan(slice_=slice_)) == "settled:auth_expired"

    (deed,) = deeds(world)

    assert (deed.who, deed.action, deed.kind) == ("collect", "mark credential broken", "credential")
    assert (deed.subject, deed.account_id) == ("amazon_ads default of acme", "acme")
    assert deed.reason == "the token was revoked"
    assert deed.changes == (("status", "active", "broken"),)


def test_an_ad_account_that_is_denied_is_recorded_once(world: CollectWorld, clock: FrozenClock) -> None:
    world.connector.error = AccessDenied("no permission")
    world.collect(world.plan(slice_="sp"))
    clock.advance(7200)
    world.collect(world.plan(slice_="sb"))  # it is denied already

    (deed,) = deeds(world)

    assert (deed.action, deed.subject, deed.reason) == ("mark profile denied", "amazon_ads#123", "no permission")


def test_the_record_of_a_denied_ad_account_says_what_it_was_before(world: CollectWorld) -> None:
    world.catalog.mark_profile(Platform("amazon_ads"), "123", ProfileStatus.REMOVED)
    world.connector.error = AccessDenied("no permission")
    world.collect(world.plan())

    (deed,) = deeds(world)

    assert deed.changes == (("status", "removed", "denied"),)


def test_a_pause_is_recorded_when_it_is_set_and_when_a_pull_gets_through(
    world: CollectWorld, clock: FrozenClock
) -> None:
    world.connector.error = Throttled("429 slow down", retry_after=60, scope=ThrottleScope.REGION)
    task = world.plan()
    world.collect(task)
    world.connector.error = None
    clock.advance(61)
    world.collect(task)

    first, last = deeds(world)

    assert (first.action, first.reason, first.outcome) == (
        "set brake",
        "429 slow down",
        "paused until 2026-11-20T12:01:00.000000Z",
    )
    assert first.subject.startswith("amazon_ads:region:")
    assert first.account_id == ""
    assert (last.action, last.subject) == ("clear brake", first.subject)
    assert last.outcome == "it was on since 2026-11-20T12:00:00.000000Z"


def test_a_circuit_is_recorded_when_it_opens_and_not_for_each_fault(world: CollectWorld) -> None:
    task = world.plan()
    for _ in range(THRESHOLD):
        assert deeds(world) == []
        world.connector.error = Transient("503", status=503)
        world.collect(task)

    (deed,) = deeds(world)

    assert (deed.subject, deed.reason, deed.account_id) == ("amazon_ads:123", "503", "acme")
    assert deed.outcome.startswith("circuit open until 2026-11-20T12:00:30")


def test_a_deed_that_cannot_be_recorded_holds_nothing_up(
    world: CollectWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_audit: Audit, _deed: Deed) -> Deed:
        raise Unavailable("the ledger does not answer")

    monkeypatch.setattr(Audit, "note", away)
    world.connector.error = AccessDenied("no permission")
    task = world.plan()

    assert world.collect(task) == "settled:access_denied"

    assert world.state(task) == "failed"
    assert "not in the audit: mark profile denied amazon_ads#123" in caplog.text


def test_a_listing_that_finds_other_ad_accounts_is_recorded(tables: None, clock: FrozenClock) -> None:
    # given a listing that lacks the known ad account, and has another
    world = LoadWorld(clock, "adweir-data")
    clock.advance(60)
    listed = {"id": "act_2", "account_id": "2", "name": "n", "currency": "USD", "timezone_name": "UTC"}
    world.pull(world.plan(Dataset.PROFILES, None), {"data": [listed | {"account_status": 1}]})

    (deed,) = deeds(world)

    assert (deed.action, deed.subject, deed.account_id) == ("list profiles", "meta_ads default of acme", "acme")
    assert deed.outcome.startswith("1 added, 1 removed, by task ")


def test_parked_tasks_that_a_new_credential_brings_back_are_recorded(tables: None, clock: FrozenClock) -> None:
    # given a run whose tasks were parked, as their credential was broken
    world = PipelineWorld(clock)
    world.fate = lambda task: TaskState.PARKED if task.window else TaskState.LOADED
    world.handle(DAILY)
    world.drain()
    assert deeds(world) == []
    # when a new one comes
    world.handle(RedriveCredential(account_id="acc-1", platform="meta_ads"))

    (deed,) = deeds(world)

    assert (deed.action, deed.subject, deed.kind, deed.account_id) == ("redrive run", "r", "run", "acc-1")
    assert deed.reason == "there is a new credential default of meta_ads"
    assert deed.outcome == "1 parked tasks are tried again"
