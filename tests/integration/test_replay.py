"""Replays: stored answers are loaded again with the profile's present options; the platform is not asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import BadInput, Unprocessable
from adweir.model.messages import Message, ObjectArrived, Replay, Scope, StartRun
from adweir.model.metrics import Grain, Level, Series
from adweir.model.tasks import Cause, TaskState
from adweir.model.times import Window, iso
from adweir.pipeline.replays import Replayer
from adweir.platforms import REGISTRY
from adweir.reporting.replays import progress
from adweir.runtime.settings import Settings
from adweir.store.ledger.replays import ReplayRecord
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.load_world import META, LoadWorld, insights
from support.machine import Machine
from support.toy_world import BIG, DAYS, TODAY, TOY, ToyApi, toy_folder, toy_machine

VISITS, CALLS = 7_000_000, 1_500_000
"""Conversions of a day by either option, in the `radio` slice."""


class World:
    """A client with an ad account; conversions are visits."""

    def __init__(self, machine: Machine, api: ToyApi) -> None:
        self.machine, self.api, self.app = machine, api, machine.app
        self.app.catalog.create_account("acme", "Acme", "data@acme.example")
        self.app.registration.register("acme", "toy", {"token": "t0ken-of-the-toy", "app": "an-app"})
        listed = Profile(
            account_id="acme", platform=TOY, profile_id=BIG, name="Big", currency="EUR", timezone="Europe/Berlin"
        )
        self.app.catalog.put_objects([listed], "2026-11-19T00:00:00.000000Z")
        self.choose("visits")

    def daily(self, run_id: str) -> None:
        """Pull the ad account's metrics and nothing else."""
        scope = Scope(profiles=(BIG,), datasets=("campaign_daily",))
        now = self.machine.clock.now()
        self.machine.run(StartRun(workflow="daily", scheduled_at=now, run_id=run_id, scope=scope))

    def choose(self, conversion: str) -> None:
        self.app.catalog.change_options(TOY, BIG, lambda _options: {"conversion": conversion})

    def request(self, window: Window = DAYS, datasets: tuple[str, ...] = (), replay_id: str = "") -> str:
        """Ask for a replay, and do not work on it yet."""
        profile = self.app.catalog.profile(TOY, BIG)
        assert profile is not None
        replay_id = replay_id or self.app.new_id()
        self.app.replayer.request(replay_id, profile, window, datasets, Cause.REPLAY)
        return replay_id

    def replay(self, window: Window = DAYS) -> ReplayRecord:
        """Ask for a replay and work until it is done."""
        replay_id = self.request(window)
        self.machine.run()
        return self.record(replay_id)

    def record(self, replay_id: str) -> ReplayRecord:
        found = self.app.ledger.replays.get(replay_id)
        assert found is not None
        return found

    def held_back(self) -> list[Message]:
        """Send the objects of the replay that was asked for, and hold them back on their way."""
        for message in self.machine.queues.runs.take():
            assert isinstance(message, Replay)
            self.app.orchestrate(message, lambda: 60.0)
        return self.machine.queues.landing.take()

    def deliver(self, messages: list[Message]) -> None:
        for message in messages:
            self.machine.queues.landing.send(message)
        self.machine.run()

    def conversions(self, number: int = 1) -> dict[str, int | None]:
        """Day → conversions of the big account's campaign (1: radio, 2: television)."""
        days = Window(DAYS.start, DAYS.end + timedelta(days=5))
        rows = self.app.metrics.read(Series(TOY, BIG, Level.CAMPAIGN, Grain.DAY), days)
        return {row.day: row.slot[2] for row in rows if row.entity_id == f"{BIG}-{number}"}

    def keys(self, prefix: str) -> list[str]:
        return [info.key for info in self.app.raw.list(prefix)]


@pytest.fixture
def listed(tables: None, settings: Settings, tmp_path: Path) -> Iterator[World]:
    """The client as it was registered: nothing was pulled."""
    with toy_folder(tmp_path), toy_machine(settings, ready_at=1) as (machine, api):
        yield World(machine, api)


@pytest.fixture
def world(listed: World) -> World:
    """The client after its first daily run."""
    listed.daily("run_1")
    return listed


def each_day(value: int, window: Window = DAYS) -> dict[str, int]:
    return {str(day): value for day in window.days()}


def test_changed_options_reach_stored_days_without_a_request(world: World) -> None:
    """Given days counted by visits, when calls are chosen and the days are replayed, then they are counted by calls."""
    assert world.conversions() == each_day(VISITS)
    tasks = {task.id: (task.state, task.updated_at) for task in world.app.ledger.tasks("run_1")}
    asked, changes = world.api.calls, set(world.keys("changes/"))

    world.choose("calls")
    record = world.replay()

    assert world.conversions() == each_day(CALLS)
    assert world.conversions(2) == each_day(250_000)
    assert world.api.calls == asked
    assert record.ended
    assert [one.state for one in record.objects] == ["loaded"] * 4  # two slices, each in two weeks
    assert sum(one.slots_changed for one in record.objects) == 2 * DAYS.length
    assert {task.id: (task.state, task.updated_at) for task in world.app.ledger.tasks("run_1")} == tasks
    assert len(set(world.keys("changes/")) - changes) == 4


def test_only_the_days_asked_for_are_replayed_and_whole_pulls_of_them(world: World) -> None:
    world.choose("calls")

    world.replay(Window(date(2026, 11, 18), date(2026, 11, 19)))

    first, second = Window(DAYS.start, date(2026, 11, 16)), Window(date(2026, 11, 17), DAYS.end)
    assert world.conversions() == each_day(VISITS, first) | each_day(CALLS, second)


def test_a_replay_twice_changes_nothing(world: World) -> None:
    world.choose("calls")
    world.replay()

    again = world.replay()

    assert [(one.state, one.slots_changed) for one in again.objects] == [("loaded", 0)] * 4


def test_an_older_replay_that_comes_late_changes_nothing(world: World) -> None:
    world.request()
    late = world.held_back()
    world.choose("calls")
    world.replay()

    world.choose("visits")  # what the late messages would be counted by
    world.deliver(late)

    assert world.conversions() == each_day(CALLS)


def test_a_newer_pull_wins_over_a_replay_that_was_asked_for_before(world: World) -> None:
    world.request()
    late = world.held_back()
    world.choose("calls")
    world.machine.clock.advance(86_400)
    world.daily("run_2")

    world.choose("visits")
    world.deliver(late)

    again = Window(date(2026, 11, 18), date(2026, 11, 20))  # three days back, and the new one
    assert world.conversions() == each_day(VISITS) | each_day(CALLS, again)


def test_a_replay_after_a_newer_pull_loads_what_answers_now(world: World) -> None:
    world.machine.clock.advance(86_400)
    world.daily("run_2")
    world.choose("calls")

    record = world.replay(Window(DAYS.start, date(2026, 11, 20)))

    assert set(world.conversions().values()) == {CALLS}
    assert len(record.objects) == 6


def test_days_whose_raw_object_is_gone_are_said(world: World) -> None:
    (gone, *_) = world.keys(f"raw/{TOY}/{BIG}/campaign_daily/")
    days = world.app.raw.metadata(gone)["window"]
    world.machine.app.s3.delete_object(Bucket=world.app.settings.bucket, Key=gone)
    world.choose("calls")

    record = world.replay()

    assert record.ended
    assert [(one.dataset, str(one.window)) for one in record.lost] == [("campaign_daily", days)]
    assert [one.state for one in record.objects] == ["loaded"] * 3
    shown = progress(record)
    assert (shown["state"], shown["sent"], shown["loaded"], shown["failed"]) == ("ended", 3, 3, 0)
    assert [str(each["start"]) for each in shown["not_replayable"]] == [days[:10]]


def test_an_object_that_cannot_be_read_fails_alone_and_leaves_its_task(world: World) -> None:
    (broken, *_) = world.keys(f"raw/{TOY}/{BIG}/campaign_daily/")
    metadata = world.app.raw.metadata(broken)
    world.app.raw.put(broken, b"not a raw object", metadata)
    world.choose("calls")

    record = world.replay()

    assert record.ended
    assert sorted(one.state for one in record.objects) == ["failed", "loaded", "loaded", "loaded"]
    (failed,) = progress(record)["failures"]
    assert failed["object_key"] == broken
    assert failed["reason"]
    task = world.app.ledger.get_task("run_1", metadata["task-id"])
    assert task is not None
    assert task.state is TaskState.LOADED


@at_the_bound("MAX_REPLAYED_OBJECTS", as_if=2)
def test_a_large_replay_continues_in_further_messages(world: World, size: int, fits: bool) -> None:
    """Two objects a message: four make two messages that hand on, and a last one that finds nothing more."""
    world.request(replay_id="r")

    handed_on, objects = [], 0
    for _ in range(5):
        messages = world.machine.queues.runs.take()
        for message in messages:
            assert isinstance(message, Replay)
            world.app.orchestrate(message, lambda: 60.0)
            taken = world.machine.queues.landing.take()
            objects += len(taken)
            handed_on.append(len(taken))
            world.machine.queues.landing.send_many((each, "") for each in taken)
            world.machine.queues.landing.take()

    assert objects == 4
    assert handed_on == [2, 2]
    assert (size in handed_on) is fits
    assert not world.record("r").sending


def test_a_replay_without_time_left_goes_on_in_another_message(world: World) -> None:
    world.request(replay_id="r")
    (message,) = world.machine.queues.runs.take()
    assert isinstance(message, Replay)

    world.app.orchestrate(message, lambda: 5.0)

    part = world.machine.queues.landing.take()
    assert world.record("r").sending
    world.machine.queues.landing.send_many((each, "") for each in part)
    world.machine.run()
    assert world.record("r").ended


def test_options_that_change_while_a_pull_is_loaded_apply_to_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a load that has read the options, when they change before it is stored, then it is loaded once more."""
    store, changed = world.app.metrics.load, list[bool]()

    def changing(*args: Any, **options: Any) -> Any:
        if not changed:
            world.choose("calls")
            changed.append(True)
        return store(*args, **options)

    monkeypatch.setattr(world.app.metrics, "load", changing)
    (key, *_) = world.keys(f"raw/{TOY}/{BIG}/campaign_daily/")
    load = world.app.ledger.replays.next_load(f"{TOY}#{BIG}")
    world.deliver([ObjectArrived(bucket=world.app.settings.bucket, key=key, load=load, cause="replay")])

    metadata = world.app.raw.metadata(key)
    number, calls = (1, CALLS) if metadata["slice"] == "radio" else (2, 250_000)
    assert each_day(calls, Window.parse(metadata["window"])).items() <= world.conversions(number).items()
    assert len(changed) == 1


def test_two_replays_of_one_second_have_an_order(listed: World) -> None:
    one, two = (listed.app.ledger.replays.next_load("x#1") for _ in range(2))

    assert two == one + 1


@pytest.mark.parametrize("name", ["campaigns", "ad_daily", "nonsense"])
def test_a_dataset_without_metrics_there_is_refused(listed: World, name: str) -> None:
    with pytest.raises(Unprocessable, match="campaign_daily"):
        listed.request(datasets=(name,))


@at_the_bound("MAX_BACKFILL_DAYS")
def test_a_replay_s_range(listed: World, size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        listed.request(Window(TODAY.date() - timedelta(days=size - 1), TODAY.date()))


def test_a_replay_says_what_it_will_load(world: World) -> None:
    profile = world.app.catalog.profile(TOY, BIG)
    assert profile is not None

    asked, will = world.app.replayer.request("r", profile, DAYS, (), Cause.OPTIONS)

    assert [tuple(each) for each in will] == [("campaign_daily", DAYS.length, 4)]
    assert world.record("r").requested_at == iso(world.machine.clock.now())
    assert world.record("r").replay == asked


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30])
def test_a_cursor_that_no_replay_has_is_refused(world: World, cursor: str) -> None:
    profile = world.app.catalog.profile(TOY, BIG)
    assert profile is not None
    asked, _ = world.app.replayer.request("r", profile, DAYS, (), Cause.OPTIONS)

    with pytest.raises(BadInput, match="cursor"):
        world.app.replayer.send(asked.model_copy(update={"cursor": cursor}), lambda: 60.0)


class TestMeta:
    """Meta's ads: those kept by the account's total come from the pull that last brought them."""

    @pytest.fixture
    def loads(self, tables: None, clock: FrozenClock) -> LoadWorld:
        return LoadWorld(clock, "adweir-data")

    def test_kept_rows_are_counted_anew_and_stay_kept(self, loads: LoadWorld) -> None:
        # given two ads and their account's total, and a newer pull that lacks the second
        day = loads.plan().window
        assert day is not None
        both = [bought(0), bought(1)]
        for run_id, dataset, rows in (
            ("first", Dataset.AD_DAILY, both),
            ("second", Dataset.AD_DAILY, both[:1]),
            ("totals", Dataset.ACCOUNT_DAILY, [bought(0) | {"spend": "4.00", "impressions": "20"}]),
        ):
            loads.clock.advance(3600)
            assert loads.pull(loads.plan(dataset, run_id=run_id), {"data": rows}) == "loaded"
        assert conversions(loads) == {"8~0": 3_000_000, "8~1": 3_000_000}

        # when leads are chosen instead of purchases, and the day is replayed
        loads.catalog.change_options(META, "1", lambda _options: {"conversions": ["leads"]})
        replayer = Replayer(loads.metrics, loads.raw, loads.ledger, loads.queues, REGISTRY)
        replayer.request("r", loads.profile("1"), day, ["ad_daily"], Cause.OPTIONS)
        (message,) = loads.queues.runs.take()[-1:]
        assert isinstance(message, Replay)
        replayer.send(message, lambda: 60.0)
        sent = loads.queues.landing.take()
        for one in sent:
            assert isinstance(one, ObjectArrived)
            loads.loader.load(one, lambda: 300.0)

        # then both count leads, by the pull that brought each last
        assert len(sent) == 2
        assert conversions(loads) == {"8~0": 7_000_000, "8~1": 7_000_000}
        record = loads.ledger.replays.get("r")
        assert record is not None
        assert record.ended
        assert sum(one.slots_changed for one in record.objects) == 2

    def test_messages_that_have_no_time_left_get_on_all_the_same(self, loads: LoadWorld) -> None:
        # given three pulls of a day
        day = loads.plan().window
        assert day is not None
        for run_id, dataset in (("one", Dataset.AD_DAILY), ("two", Dataset.AD_DAILY), ("three", Dataset.ACCOUNT_DAILY)):
            loads.clock.advance(3600)
            assert loads.pull(loads.plan(dataset, run_id=run_id), {"data": [bought(0)]}) == "loaded"
        replayer = Replayer(loads.metrics, loads.raw, loads.ledger, loads.queues, REGISTRY)
        replayer.request("r", loads.profile("1"), day, ["ad_daily", "account_daily"], Cause.REPLAY)
        # when each message is handled at the last moment
        handled = 0
        while messages := [each for each in loads.queues.runs.take() if isinstance(each, Replay)]:
            for message in messages:
                handled += 1
                assert handled < 20, "a replay that never ends"
                replayer.send(message, lambda: 0.5)
        # then both answers were sent, and the replay ended
        assert len(loads.queues.landing.take()) == 2
        record = loads.ledger.replays.get("r")
        assert record is not None
        assert not record.sending

    @at_the_bound("MAX_REPLAY_PLACE")
    def test_a_message_goes_on_at_a_part_that_there_may_be(self, loads: LoadWorld, size: int, fits: bool) -> None:
        day = loads.plan().window
        assert day is not None
        replayer = Replayer(loads.metrics, loads.raw, loads.ledger, loads.queues, REGISTRY)
        asked, _ = replayer.request("r", loads.profile("1"), day, ["ad_daily"], Cause.REPLAY)
        with refuses(BadInput, fits=fits):
            replayer.send(asked.model_copy(update={"cursor": str(size)}), lambda: 60.0)

    @at_the_bound("MAX_COUNTED_HOURLY_DAYS")
    def test_the_hours_of_a_long_range_are_not_counted(self, loads: LoadWorld, size: int, fits: bool) -> None:
        days = Window(TODAY.date() - timedelta(days=size - 1), TODAY.date())
        replayer = Replayer(loads.metrics, loads.raw, loads.ledger, loads.queues, REGISTRY)

        _, will = replayer.request("r", loads.profile("1"), days, ["ad_daily", "campaign_hourly"], Cause.REPLAY)

        counted = {each.dataset: each.days for each in will}
        assert counted == {Dataset.AD_DAILY: 0, Dataset.CAMPAIGN_HOURLY: 0 if fits else None}


def bought(number: int) -> dict[str, Any]:
    """A row of Meta's: an ad with three purchases and seven leads."""
    row: dict[str, Any] = insights(["2.00"])["data"][0]
    actions = [{"action_type": "omni_purchase", "value": "3"}, {"action_type": "lead", "value": "7"}]
    return row | {"account_id": "1", "ad_id": str(number), "actions": actions}


def conversions(loads: LoadWorld) -> dict[str, int | None]:
    return {entity: slot[2] for entity, _, _, slot in loads.stored(Level.AD)}
