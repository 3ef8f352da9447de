"""Raw objects of pulls → stored metrics and objects, and the end of their tasks; also repeated and killed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Status
from adweir.model.errors import BadInput, Throttled, Unavailable
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain, Level, Series
from adweir.model.money import to_micros
from adweir.model.platforms import Platform
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window, iso
from adweir.platforms import Platforms
from adweir.platforms.base import PlatformSpec, ProfileOptions
from adweir.platforms.connector import ObjectBatch, Page, PullContext, RowBatch
from adweir.store.raw.header import PullHeader
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import META, LoadWorld, insights

ADS = ["1.00", "free", "2.00"]
OLD = Window(date(2026, 11, 2), date(2026, 11, 2))


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def campaigns(*ids: str) -> dict[str, Any]:
    return {"data": [{"id": one, "name": f"c{one}", "effective_status": "ACTIVE"} for one in ids]}


def test_a_bad_row_of_a_pull_is_quarantined_and_the_others_stored(world: LoadWorld) -> None:
    task = world.plan()
    assert world.pull(task, insights(ADS)) == "loaded"
    assert [row[0] for row in world.stored(Level.AD)] == ["8~0", "8~2"]
    assert world.raw.exists(f"quarantine/{task.id}.0.jsonl.gz")
    assert world.bus.names() == ["MetricsChanged", "QualityBreached"]
    ((report,), _) = world.findings.quality("meta_ads#1")
    assert (report["rows_read"], report["rows_stored"], report["rows_quarantined"]) == (3, 2, 1)


def test_a_pull_that_cannot_be_read_stores_nothing_and_is_reported(world: LoadWorld) -> None:
    assert world.pull(world.plan(), b"<html>") == "quarantined"
    assert world.stored(Level.AD) == []
    assert world.bus.names() == ["QualityBreached"]


def test_a_pull_of_poor_quality_is_stored_and_reported(world: LoadWorld) -> None:
    rows = insights(["1.00"] * 4)
    for row in rows["data"]:
        row["impressions"] = "0"  # spend and clicks without a single impression
    assert world.pull(world.plan(), rows) == "loaded"
    assert len(world.stored(Level.AD)) == 4
    (breach,) = [event for event in world.bus.events if event.name == "QualityBreached"]
    assert (breach.reason, breach.rows_quarantined) == ("score", 0)
    assert breach.score < 0.8


def test_one_bad_row_among_ten_thousand_costs_that_row_alone(world: LoadWorld) -> None:
    month = Window(date(2026, 10, 25), date(2026, 11, 18))
    rows = [
        row
        | {
            "ad_id": str(ad),
            "date_start": day.isoformat(),
            "date_stop": day.isoformat(),
            "spend": f"{ad}.{ad % 100:02}",
        }
        for row in insights(["1.00"])["data"]
        for ad in range(400)
        for day in month.days()
    ]
    assert len(rows) == 10_000
    bad = rows[7_777]
    bad["clicks"] = "-3"

    task = world.plan(window=month)
    assert world.pull(task, {"data": rows}) == "loaded"

    stored = world.metrics.read(Series(META, "1", Level.AD, Grain.DAY), month)
    found = {(row.entity_id, row.day): row.slot[3] for row in stored}
    assert len(found) == 9_999
    assert (f"8~{bad['ad_id']}", bad["date_start"]) not in found
    assert sum(spend or 0 for spend in found.values()) == sum(to_micros(row["spend"]) for row in rows if row is not bad)
    (line,) = gzip.decompress(world.raw.get_bytes(f"quarantine/{task.id}.0.jsonl.gz")).splitlines()
    assert [error["field"] for error in json.loads(line)["errors"]] == ["clicks"]


@pytest.mark.parametrize("metadata", [{}, {"schema": "9"}])
def test_an_object_without_a_known_purpose_goes_to_the_dead_letter_queue(
    world: LoadWorld, metadata: dict[str, str]
) -> None:
    with pytest.raises(BadInput):
        world.arrive("raw/meta_ads/1/ad_daily/x.0.gz", b"x", metadata)


class TestMassVanish:
    """Where no total decides, here of the totals themselves: a pull that would zero most of what is stored on settled
    days waits for a second opinion or an operator."""

    def pulled(self, world: LoadWorld, run_id: str) -> Task:
        return world.plan(Dataset.ACCOUNT_DAILY, OLD, run_id)

    def vanished(self, world: LoadWorld) -> Task:
        day = {"date_start": "2026-11-02", "date_stop": "2026-11-02"}
        row = {"account_id": "1", "impressions": "10", "clicks": "1", "spend": "3.00"}
        world.pull(self.pulled(world, "before"), {"data": [row | day]})
        world.clock.advance(3600)
        task = self.pulled(world, "after")
        assert world.pull(task, {"data": []}) == "quarantined"
        return task

    def test_it_is_held_back_and_reported(self, world: LoadWorld) -> None:
        task = self.vanished(world)
        assert len(world.stored(Level.ACCOUNT)) == 1
        found = world.ledger.get_pull(task.run_id, task.id)
        assert found is not None
        assert found.error is not None
        assert found.error["code"] == "mass_vanish"
        assert world.bus.names()[-1] == "QualityBreached"
        assert world.bus.events[-1].reason == "mass_vanish"

    def test_an_operator_lets_it_through_by_a_redrive_that_accepts_it(self, world: LoadWorld) -> None:
        task = self.vanished(world)
        again = world.ledger.redrive(world.task(task), task.deadline + 7200, accept_vanish=True)
        assert again is not None
        assert world.pull(again, {"data": []}) == "loaded"
        assert world.stored(Level.ACCOUNT) == []

    def test_a_permission_for_one_generation_does_not_hold_for_another(self, world: LoadWorld) -> None:
        task = self.vanished(world)
        key = PullHeader.of(task).key
        world.ledger.redrive(world.task(task), task.deadline + 7200, accept_vanish=True)
        world.arrive(key)  # the old object again
        assert len(world.stored(Level.ACCOUNT)) == 1

    def test_a_second_pull_that_agrees_goes_through(self, world: LoadWorld) -> None:
        self.vanished(world)
        world.clock.advance(3600)
        assert world.pull(self.pulled(world, "again"), {"data": []}) == "loaded"
        assert world.stored(Level.ACCOUNT) == []


def test_an_empty_answer_for_ads_leaves_their_history_to_the_account_total(world: LoadWorld) -> None:
    # given two ads of a settled day, and the account's total
    world.pull(world.plan(window=OLD, run_id="before"), insights(["1.00", "2.00"], "2026-11-02"))
    # when a complete answer lacks them, then they are kept
    world.clock.advance(3600)
    assert world.pull(world.plan(window=OLD, run_id="after"), {"data": []}) == "loaded"
    assert len(world.stored(Level.AD)) == 2
    # and when the account's newer total does not contain them either, then they are gone
    world.clock.advance(3600)
    assert world.pull(world.plan(Dataset.ACCOUNT_DAILY, OLD, "total"), {"data": []}) == "loaded"
    assert world.stored(Level.AD) == []


class TestObjects:
    """Entity pulls."""

    def names(self, world: LoadWorld) -> dict[str, Status]:
        return {item.id: item.status for item in world.catalog.objects(META, "1", Dataset.CAMPAIGNS)}

    def entities(self, world: LoadWorld, run_id: str = "r") -> Task:
        return world.plan(Dataset.CAMPAIGNS, None, run_id)

    def test_what_a_complete_pull_did_not_bring_is_removed(self, world: LoadWorld) -> None:
        world.clock.advance(60)
        assert world.pull(self.entities(world), campaigns("8", "9")) == "loaded"
        assert self.names(world) == {"7": Status.REMOVED, "8": Status.ACTIVE, "9": Status.ACTIVE}
        (event,) = world.bus.events
        assert (event.name, event.added, event.removed) == ("EntitiesChanged", 2, 1)

    def test_an_incomplete_pull_removes_nothing(self, world: LoadWorld) -> None:
        world.clock.advance(60)
        world.arrive(world.land(self.entities(world), campaigns("8"), complete=False))
        assert self.names(world)["7"] is not Status.REMOVED

    def test_a_bad_object_counts_as_brought_and_one_without_an_id_forbids_removing(self, world: LoadWorld) -> None:
        world.clock.advance(60)
        broken = {"data": [*campaigns("8")["data"], {"id": "7", "name": 5}]}
        assert world.pull(self.entities(world), broken) == "loaded"
        assert self.names(world)["7"] is not Status.REMOVED
        assert world.bus.names() == ["EntitiesChanged", "QualityBreached"]
        world.clock.advance(60)
        assert world.pull(self.entities(world, "r2"), {"data": [{"name": "nameless"}]}) == "loaded"
        assert Status.REMOVED not in self.names(world).values()

    def test_an_object_whose_id_no_key_can_hold_is_quarantined_alone(self, tables: None, clock: FrozenClock) -> None:
        class Reads:
            def object_batches(self, page: Any, context: Any) -> Iterator[ObjectBatch]:
                ids = ("8", "!8", "9" * 1025)
                yield ObjectBatch(
                    [AdCampaign(platform=META, profile_id="1", id=one, campaign_id=one) for one in ids], []
                )

        class Reading(Platforms):
            def normalizer(self, platform: Platform) -> Any:
                return Reads()

        world = LoadWorld(clock, "adweir-data", Reading({META: "adweir.platforms.meta"}))
        world.clock.advance(60)
        task = self.entities(world)
        assert world.pull(task, b"{}") == "loaded"
        assert set(self.names(world)) == {"7", "8"}
        assert self.names(world)["7"] is not Status.REMOVED
        assert world.task(task).counts["rows_quarantined"] == 2

    def test_a_list_without_changes_publishes_nothing(self, world: LoadWorld) -> None:
        world.clock.advance(60)
        world.pull(self.entities(world), campaigns("7"))
        said = world.bus.names()
        world.clock.advance(60)
        world.pull(self.entities(world, "r2"), campaigns("7"))
        assert world.bus.names() == said

    def test_profiles_belong_to_the_account_that_listed_them_first(self, world: LoadWorld) -> None:
        listed = {"id": "act_1", "account_id": "1", "name": "n", "currency": "USD",
                  "timezone_name": "America/New_York", "account_status": 1}  # fmt: skip
        world.clock.advance(60)
        assert world.pull(
            world.plan(Dataset.PROFILES, None), {"data": [listed | {"account_id": "2", "id": "act_2"}]}
        ) == ("loaded")
        assert {profile.profile_id: profile.status for profile in world.catalog.profiles("acme")} == {
            "1": "removed",
            "2": "active",
        }


class TestWaiting:
    """Another worker is writing the partition."""

    LEASE = "metrics#meta_ads#1#ad#day#pull#2026-11"

    def test_it_waits_until_the_task_s_deadline(self, world: LoadWorld, clock: FrozenClock) -> None:
        task = world.plan()
        key = world.land(task, insights(["1.00"]))
        message = ObjectArrived(bucket=world.bucket, key=key)
        with world.ledger.lease(self.LEASE, 7200):
            with pytest.raises(Throttled):
                world.loader.load(message, lambda: 300.0)
            clock.advance(3600)
            world.arrive(key)
        found = world.ledger.get_task(task.run_id, task.id)
        assert found is not None
        assert (found.state, found.error and found.error["code"]) == (TaskState.FAILED, "deadline")

    def test_a_replay_without_a_task_ends_too(self, world: LoadWorld) -> None:
        task = world.plan()
        key = world.land(task, insights(["1.00"]))
        world.ledger.finish("r", task.id, 0, TaskState.CANCELLED)
        with world.ledger.lease(self.LEASE, 7200):
            with pytest.raises(Throttled):
                world.loader.load(ObjectArrived(bucket=world.bucket, key=key), lambda: 300.0)
            with pytest.raises(Unavailable):
                world.loader.load(ObjectArrived(bucket=world.bucket, key=key, attempt=10_000), lambda: 300.0)


@pytest.mark.parametrize("step", ["put", "load", "publish", "put_quality", "finish_loaded", "send"])
def test_a_load_killed_at_any_step_converges_when_delivered_again(world: LoadWorld, step: str) -> None:
    task = world.plan()
    key = world.land(task, insights(ADS))
    owners = (world.queues.runs, world.raw, world.metrics, world.bus, world.findings, world.ledger)
    Crash(1, after=True).watch(next(owner for owner in owners if hasattr(owner, step)), step)
    with pytest.raises(Killed):
        world.arrive(key)
    world.arrive(key)
    assert [row[0] for row in world.stored(Level.AD)] == ["8~0", "8~2"]
    assert (world.task(task).state, world.queues.runs.messages[-1].run_id) == (TaskState.LOADED, "r")
    assert len(world.findings.quality("meta_ads#1")[0]) == 1


@pytest.mark.parametrize("step", ["put_objects", "remove_missing", "publish", "finish_loaded", "send"])
def test_an_entity_load_killed_at_any_step_converges(world: LoadWorld, step: str) -> None:
    world.clock.advance(60)
    task = world.plan(Dataset.CAMPAIGNS, None)
    key = world.land(task, campaigns("8"))
    owners = (world.queues.runs, world.catalog, world.bus, world.ledger)
    Crash(1, after=True).watch(next(owner for owner in owners if hasattr(owner, step)), step)
    with pytest.raises(Killed):
        world.arrive(key)
    world.arrive(key)
    found = {item.id: item.status for item in world.catalog.objects(META, "1", Dataset.CAMPAIGNS)}
    assert found == {"7": Status.REMOVED, "8": Status.ACTIVE}
    assert world.task(task).state is TaskState.LOADED


def test_an_object_without_a_window_is_not_taken_for_metrics(world: LoadWorld) -> None:
    assert world.pull(world.plan(window=None), insights(ADS)) == "quarantined"


def test_a_pull_that_is_not_applicable_ends_its_task_skipped_and_is_coverage(world: LoadWorld) -> None:
    # given the object of a pull that the platform refused as not applicable
    task = world.plan()
    header = replace(PullHeader.of(task, as_of=iso(world.clock.now())), not_applicable=True)
    with world.raw.writer(header) as writer:
        writer.write(Page(b"no such product", "", 403, last=False))
        key = writer.commit(complete=False)
    # when it arrives, twice
    for _ in range(2):
        world.loader.load(ObjectArrived(bucket=world.bucket, key=key), lambda: 60.0)
    # then its days are neither covered nor missing
    assert world.state(task) is TaskState.SKIPPED
    series, window = header.pull().series, header.pull().window
    states = world.metrics.days(series, window)
    assert set(states) == set(window.days())
    assert all(state.not_applicable and not state.slices for state in states.values())


class Choice(ProfileOptions):
    conversions: tuple[str, ...] = ("purchase",)


class Choosing(Platforms):
    """The platform with options, and a normalizer that records the options that it gets."""

    def __init__(self) -> None:
        super().__init__({META: "adweir.platforms.meta"})
        self.options: list[ProfileOptions] = []

    def spec(self, platform: Platform) -> PlatformSpec:
        return replace(super().spec(platform), options=Choice)

    def normalizer(self, platform: Platform) -> Any:
        return self

    def metric_batches(self, _page: Any, context: PullContext) -> Iterator[RowBatch]:
        self.options.append(context.options)
        yield RowBatch([], [])


@pytest.mark.parametrize(
    ("chosen", "state"),
    [({}, "purchase"), ({"conversions": ["lead"]}, "lead"), ({"colour": "red"}, "quarantined")],
)
def test_a_profile_s_options_of_today_reach_the_normalizer(
    tables: None, clock: FrozenClock, chosen: dict[str, Any], state: str
) -> None:
    # given a profile whose options were set
    platforms = Choosing()
    world = LoadWorld(clock, "adweir-data", platforms)
    world.add_profile("2", options=chosen)
    task = world.put_task(Dataset.AD_DAILY, OLD, "2")
    # when a pull of it is loaded
    outcome = world.pull(task, b"{}")
    # then the normalizer knows them; options that the platform does not have stop the load
    seen = [str(options.conversions[0]) for options in platforms.options if isinstance(options, Choice)]
    assert (seen or [outcome]) == [state]


@at_the_bound("MAX_OBJECT_BYTES")
def test_an_object_that_no_item_can_hold_costs_itself_alone(world: LoadWorld, size: int, fits: bool) -> None:
    # given a list in which one campaign's name is absurd
    world.clock.advance(60)
    world.pull(world.plan(Dataset.CAMPAIGNS, None), campaigns("9"))
    (plain,) = (each for each in world.catalog.objects(META, "1", Dataset.CAMPAIGNS) if each.id == "9")
    left = size - len(plain.model_copy(update={"name": ""}).model_dump_json(exclude={"as_of"}))
    listed = campaigns("8", "9")
    listed["data"][1]["name"] = "é" * (left // 2) + "x" * (left % 2)
    # when it is loaded
    world.clock.advance(60)
    task = world.plan(Dataset.CAMPAIGNS, None, "next")
    assert world.pull(task, listed) == "loaded"
    # then the others are there, and it is as it was before
    found = {each.id: len(each.name) for each in world.catalog.objects(META, "1", Dataset.CAMPAIGNS)}
    assert found == {"7": 0, "8": 2, "9": left - left // 2 if fits else 2}
    assert world.task(task).counts["rows_quarantined"] == (not fits)
