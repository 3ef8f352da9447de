"""Several credentials of one platform under one account: each with its own label, secret, route and ad accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from adweir.intake.doors.registration import parse_label
from adweir.model.entities import Credential, Profile, ProfileStatus
from adweir.model.errors import AuthExpired, Conflict, NotFound, Unprocessable
from adweir.model.messages import RedriveCredential
from adweir.model.platforms import Platform
from adweir.model.tasks import TaskState
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.catalog.profiles import Listing
from adweir.store.catalog.store import Catalog
from support.clock import FrozenClock
from support.collect_world import CollectWorld
from support.outlets import MemoryQueues
from support.pipeline import a_run, a_task
from support.pipeline_world import PipelineWorld

AMAZON, META = Platform("amazon_ads"), Platform("meta_ads")
T1, T2, T3 = (f"2026-11-2{n}T00:00:00.000000Z" for n in range(3))


@pytest.fixture
def catalog(tables: None, clock: FrozenClock) -> Catalog:
    catalog = Catalog(clock)
    catalog.create_account("acc", "Acme", "a@b.example")
    for label, route in (("us", "na"), ("eu", "eu")):
        store(catalog, label, route=route)
    return catalog


def store(catalog: Catalog, label: str, **values: Any) -> Credential:
    named = {"account_id": "acc", "platform": AMAZON, "label": label, "secret_id": f"s/{label}"}
    return catalog.put_credential(Credential(**(named | values)))


def listed(catalog: Catalog, label: str, as_of: str, *ids: str) -> None:
    """A complete listing by one credential."""
    fields = {"name": "Shop", "currency": "EUR", "timezone": "UTC", "route": label}
    found = [Profile(account_id="acc", platform=AMAZON, profile_id=id_, **fields) for id_ in ids]
    catalog.put_objects(found, as_of, label)
    catalog.remove_missing_profiles(Listing(AMAZON, "acc", label, as_of), set(ids))


def reached(catalog: Catalog) -> dict[str, tuple[str, str, str]]:
    return {p.profile_id: (p.credential, p.route, p.status.value) for p in catalog.profiles("acc")}


@pytest.mark.parametrize(("text", "label"), [("", "default"), (" EU ", "eu"), ("team-1_b", "team-1_b")])
def test_a_label_is_a_short_word_in_lower_case(text: str, label: str) -> None:
    assert parse_label(text) == label


@pytest.mark.parametrize("text", ["a b", "a/b", "-a", "ä", "a#b", "a:b", "x" * 33, "a\nb"])
def test_another_label_is_refused(text: str) -> None:
    with pytest.raises(Unprocessable, match="label"):
        parse_label(text)


def test_a_listing_says_nothing_about_what_another_credential_reaches(catalog: Catalog) -> None:
    listed(catalog, "us", T1, "1", "2")
    listed(catalog, "eu", T2, "3")
    listed(catalog, "us", T3, "1")

    assert reached(catalog) == {
        "1": ("us", "us", "active"),
        "2": ("us", "us", "removed"),
        "3": ("eu", "eu", "active"),
    }


def test_a_profile_that_two_credentials_reach_stays_with_the_first_while_that_one_works(catalog: Catalog) -> None:
    listed(catalog, "us", T1, "1")
    listed(catalog, "eu", T2, "1")
    assert reached(catalog) == {"1": ("us", "us", "active")}

    # when the first one breaks
    first = catalog.credential("acc", AMAZON, "us")
    assert first is not None
    catalog.mark_broken(first, "revoked")
    listed(catalog, "eu", T3, "1")

    # then
    assert reached(catalog) == {"1": ("eu", "eu", "active")}


@pytest.mark.parametrize("status", [ProfileStatus.DENIED, ProfileStatus.REMOVED])
def test_a_profile_that_its_credential_lost_goes_to_another_that_lists_it(
    catalog: Catalog, status: ProfileStatus
) -> None:
    listed(catalog, "us", T1, "1")
    catalog.mark_profile(AMAZON, "1", status)

    listed(catalog, "eu", T2, "1")

    assert reached(catalog) == {"1": ("eu", "eu", "active")}


def test_deleting_a_credential_removes_only_what_it_reached(catalog: Catalog) -> None:
    listed(catalog, "us", T1, "1")
    listed(catalog, "eu", T1, "3")

    catalog.delete_credential("acc", AMAZON, "us")

    assert [credential.label for credential in catalog.account_credentials("acc")] == ["eu"]
    assert reached(catalog) == {"1": ("us", "us", "removed"), "3": ("eu", "eu", "active")}
    with pytest.raises(NotFound):
        catalog.delete_credential("acc", AMAZON, "us")


def test_options_that_are_set_during_a_listing_are_not_lost(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a listing that has read the profile and not yet written it, when its options change, then both stay."""
    listed(catalog, "us", T1, "1")
    put, pending = catalog._put, [True]

    def late(*args: Any) -> bool:
        if pending.pop() if pending else False:
            catalog.change_options(AMAZON, "1", lambda options: {**options, "a": 1})
        return put(*args)

    monkeypatch.setattr(catalog, "_put", late)
    fields = {"name": "Renamed", "currency": "EUR", "timezone": "UTC", "route": "us"}
    catalog.put_objects([Profile(account_id="acc", platform=AMAZON, profile_id="1", **fields)], T2, "us")

    found = catalog.profile(AMAZON, "1")
    assert found is not None
    assert (found.name, found.options) == ("Renamed", {"a": 1})


class TestWorking:
    """Planning, collecting, parking and redriving by label."""

    @pytest.fixture
    def world(self, tables: None, clock: FrozenClock) -> Iterator[CollectWorld]:
        s3: Any = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="adweir-data")
        yield CollectWorld(clock, s3, "adweir-data")
        s3.close()

    @pytest.fixture
    def pipeline(self, tables: None, clock: FrozenClock) -> PipelineWorld:
        return PipelineWorld(clock)

    def test_each_credential_lists_its_ad_accounts_in_a_task_of_its_own(self, pipeline: PipelineWorld) -> None:
        pipeline.add_credential("acc-1", label="eu")
        pipeline.ledger.create_run(a_run("r"))

        pipeline.engine.plan_stage("r", "profiles", lambda: 60.0)

        tasks = list(pipeline.ledger.pulls("r"))
        assert {(task.profile_key, task.label) for task in tasks} == {
            ("meta_ads#@acc-1", "default"),
            ("meta_ads#@acc-1:eu", "eu"),
        }

    def test_a_new_credential_redrives_only_the_tasks_that_waited_for_it(self, pipeline: PipelineWorld) -> None:
        pipeline.ledger.create_run(a_run("r", workflow="weekly", stage="metrics"))
        mine = a_task(run_id="r", label="eu")
        other = a_task(run_id="r", profile_id="222")
        for task in (mine, other):
            pipeline.ledger.plan(task)
            pipeline.ledger.finish("r", task.id, 0, TaskState.PARKED)

        pipeline.handle(RedriveCredential(account_id="acc-1", platform="meta", label="eu"))

        assert (pipeline.task(mine).state, pipeline.task(mine).label) == (TaskState.PLANNED, "eu")
        assert pipeline.state(other) is TaskState.PARKED
        assert list(pipeline.ledger.parked("acc-1", META, "eu")) == []

    def test_a_profile_is_pulled_with_the_credential_that_reaches_it(self, world: CollectWorld) -> None:
        world.add_credential("acme", label="eu", route="eu")
        world.add_profile("9", credential="eu", route="eu")

        world.collect(world.plan(profile_id="123"))
        world.collect(world.plan(profile_id="9"))

        assert world.connected == [("default", ""), ("eu", "eu")]

    def test_a_broken_credential_parks_the_tasks_of_its_label_alone(self, world: CollectWorld) -> None:
        world.add_credential("acme", label="eu")
        world.add_profile("9", credential="eu")
        mine, other = world.plan(profile_id="9"), world.plan(profile_id="123")

        world.connector.error = AuthExpired("revoked")
        world.collect(mine)
        world.connector.error = None
        world.collect(other)

        assert (world.state(mine), world.state(other)) == (TaskState.PARKED, TaskState.WAITING_REPORT)
        assert {c.label: c.state for c in world.catalog.credentials()} == {"default": "active", "eu": "broken"}
        assert [task.id for task in world.ledger.parked("acme", AMAZON, "eu")] == [mine.id]
        (event,) = world.bus.events
        assert event.label == "eu"

    def test_a_credential_that_is_replaced_while_a_task_is_being_parked_redrives_it(self, world: CollectWorld) -> None:
        """Given a worker that has marked the credential broken, when a new one comes before the task is parked."""
        task = world.plan()
        world.connector.error = AuthExpired("revoked")
        mark = world.catalog.mark_broken

        def replaced(credential: Credential, reason: str) -> bool:
            marked = mark(credential, reason)
            world.add_credential("acme")  # and orchestrate finds nothing parked to redrive
            return marked

        world.catalog.mark_broken = replaced  # type: ignore[method-assign]
        world.collect(task)

        assert world.state(task) is TaskState.PARKED
        again = [message for message in world.queues.runs.take() if isinstance(message, RedriveCredential)]
        assert again == [RedriveCredential(account_id="acme", platform="amazon_ads")]


class TestStoringAnew:
    """A credential that was deleted and is stored again."""

    @pytest.fixture
    def queues(self) -> MemoryQueues:
        return MemoryQueues()

    @pytest.fixture
    def app(self, tables: None, clock: FrozenClock, settings: Settings, queues: MemoryQueues) -> App:
        app = App(settings, clock)
        app.__dict__["queues"] = queues
        app.catalog.create_account("acc", "A", "a@b.example")
        return app

    def test_it_redrives_the_tasks_that_waited(self, app: App, queues: MemoryQueues) -> None:
        app.registration.register("acc", "meta", {"access_token": "old-token-1"})
        app.registration.forget("acc", "meta")

        app.registration.register("acc", "meta", {"access_token": "new-token-1"})

        assert queues.runs.take() == [RedriveCredential(account_id="acc", platform="meta_ads")]

    def test_a_warm_worker_reads_its_values_again(self, app: App, queues: MemoryQueues, clock: FrozenClock) -> None:
        app.connector(app.registration.register("acc", "meta", {"access_token": "old-token-1"})[0])
        clock.advance(60)
        other = App(app.settings, clock)
        other.__dict__["queues"] = queues
        other.registration.forget("acc", "meta")
        fresh, _ = other.registration.register("acc", "meta", {"access_token": "new-token-1"})
        clock.advance(60)

        app.connector(fresh)

        assert app.secrets.get(fresh.secret_id) == {"access_token": "new-token-1"}

    def test_one_that_was_stored_since_it_was_read_is_not_replaced(self, app: App) -> None:
        fresh, _ = app.registration.register("acc", "meta", {"access_token": "old-token-1"}, read=0)

        for stale in (0, fresh.version + 1):
            with pytest.raises(Conflict, match="someone else is replacing this credential"):
                app.registration.register("acc", "meta", {"access_token": "new-token-1"}, read=stale)

        assert app.secrets.get(fresh.secret_id) == {"access_token": "old-token-1"}
        again, _ = app.registration.register("acc", "meta", {"access_token": "new-token-1"}, read=fresh.version)
        assert again.version == fresh.version + 1

    def test_each_label_has_a_secret_of_its_own(self, app: App) -> None:
        for label, token in (("", "token-one"), ("eu", "token-two")):
            app.registration.register("acc", "meta", {"access_token": token}, label)

        named = {c.label: app.secrets.get(c.secret_id)["access_token"] for c in app.catalog.credentials()}
        assert named == {"default": "token-one", "eu": "token-two"}
        app.registration.forget("acc", "meta", "eu")
        assert [c.label for c in app.catalog.credentials()] == ["default"]
        app.registration.forget_account("acc")
        with pytest.raises(NotFound):
            app.secrets.get("adweir/credential/acc/meta_ads/default")
