"""`adweir backfill`: starts one and shows how far it comes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from adweir.model.messages import StartRun
from adweir.model.tasks import TaskState
from adweir.platforms import REGISTRY
from ops import backfills
from support.clock import FrozenClock
from support.command_line import Run, commands_on
from support.pipeline_world import PipelineWorld, world_to_backfill

DAYS = ("--start", "2026-06-01", "--end", "2026-08-29")


class BackfillMachine:
    """As much of the App as the command uses."""

    def __init__(self, world: PipelineWorld) -> None:
        self.catalog, self.ledger, self.clock, self.queues = world.catalog, world.ledger, world.clock, world.queues
        self.platforms = REGISTRY

    def app(self) -> BackfillMachine:
        return self

    def new_id(self) -> str:
        return "5f0c1d2e3b4a59687786950413223140"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> PipelineWorld:
    return world_to_backfill(clock)


@pytest.fixture
def adweir(world: PipelineWorld, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line; while it sleeps, the functions work on a message each."""

    def sleep(seconds: float) -> None:
        assert seconds >= 2.0
        messages: list[Any] = world.runs.take()
        for message in messages:
            world.handle(message)
        for task in [] if messages else world.collect.take():
            world.clock.advance(30)
            world.work(task)
        for queue in world.queues.workers.values():
            for task in queue.take():
                world.work_on_account(task)

    monkeypatch.setattr(time, "sleep", sleep)
    return commands_on(BackfillMachine(world), monkeypatch, group="backfill")


def test_a_backfill_is_started_and_shown_until_its_end(adweir: Run, world: PipelineWorld) -> None:
    said = adweir(*DAYS, "--account", "acc-1", "--platform", "meta").output.splitlines()

    (run,) = world.ledger.list_runs()[0]
    assert said[0] == run.run_id
    assert (run.workflow, run.scope.platforms, run.scope.start) == ("backfill", ("meta_ads",), "2026-06-01")
    assert "0 of 270 days; no estimate before 12 windows of meta_ads have ended; 0 have" in said
    assert any(line.endswith("whole since 2026-07-31") for line in said)
    assert said[-3:] == [
        "270 of 270 days; nothing is left to do",
        "  meta_ads            9 of 9      windows  whole since 2026-06-01",
        f"{run.run_id} succeeded: 0 rows stored",
    ]


def test_for_programs_each_change_of_a_backfill_is_an_object(adweir: Run, world: PipelineWorld) -> None:
    looks = [json.loads(line) for line in adweir(*DAYS, "--json").stdout.splitlines()]

    assert {each["run_id"] for each in looks} == {world.ledger.list_runs()[0][0].run_id}
    assert (looks[0]["state"], looks[-1]["state"]) == ("running", "succeeded")
    assert looks[-1]["backfill"]["days"] == {"total": 270, "done": 270, "failed": 0}


def test_the_same_command_shows_the_backfill_that_is_under_way(adweir: Run, world: PipelineWorld) -> None:
    first = backfills._ask(BackfillMachine(world), "", [], {"start": DAYS[1], "end": DAYS[3]})  # type: ignore[arg-type]

    said = adweir(*DAYS).output.splitlines()

    assert said[0] == first
    assert len(world.ledger.list_runs()[0]) == 1


def test_what_failed_is_said(adweir: Run, world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED

    said = adweir(*DAYS, expect=1).output

    assert "270 failed" in said
    assert "9 failed: no reason is recorded" in said
    assert "when the cause is mended: adweir redrive run_backfill-" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--start", "yesterday", "--end", "2026-08-29"), 2, "'yesterday' is not a day such as 2026-11-01"),
        (("--start", "2026-08-29", "--end", "2026-06-01"), 1, "workflow backfill: end: is before start"),
        ((*DAYS, "--account", "acc-7"), 1, "acc-7"),
        ((*DAYS, "--platform", "myspace"), 1, "myspace"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    adweir: Run, world: PipelineWorld, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = adweir(*arguments, expect=code)

    assert said in done.output
    assert not [message for message in world.runs.take() if isinstance(message, StartRun)]


def test_an_account_is_named_where_there_are_several(adweir: Run, world: PipelineWorld) -> None:
    world.add_credential("acc-2")

    assert "Add --account ID: acc-1 (Acc-1), acc-2" in adweir(*DAYS, expect=1).output
