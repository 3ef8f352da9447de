"""How far a backfill says that it has come, and that command line and API show it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus
from adweir.model.errors import ThrottleScope
from adweir.model.labels import DEFAULT, owner
from adweir.model.messages import CancelRun, Scope, Sweep, TaskMessage
from adweir.model.slices import ALL
from adweir.model.tasks import Task, TaskState
from adweir.pipeline.releasing import backfilled
from adweir.platforms import REGISTRY
from adweir.platforms.base import DatasetSpec
from adweir.store.ledger.brakes import scope_key
from ops.backfill_lines import lines_of
from ops.output import span_text
from support.clock import FrozenClock
from support.documents import blocks
from support.pipeline_world import (
    BACK,
    DAILY,
    META,
    PipelineWorld,
    advance,
    begin,
    run_of,
    run_to_end,
    world_to_backfill,
)
from support.template import ROOT

pytestmark = pytest.mark.usefixtures("tables")
WHOLE = {"total": 270, "done": 270, "failed": 0}


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return world_to_backfill(clock)


def far(world: PipelineWorld, run_id: str = "back") -> dict[str, Any]:
    run, tasks = run_of(world, run_id), world.ledger.pulls(run_id)
    found = backfilled(world.ledger, world.catalog, REGISTRY.parse, run, tasks, world.clock.now())
    assert found is not None
    return found


def work(world: PipelineWorld, seconds: float = 60.0) -> None:
    """Work on all that is released, which takes so long."""
    for message in world.collect.take():
        world.clock.advance(seconds)
        world.work(message)
        advance(world)


def of(found: dict[str, Any], name: str) -> tuple[int, int, int]:
    counts = found[name]
    return counts["total"], counts["done"], counts["failed"]


def test_what_is_still_to_be_planned_is_in_the_total(world: PipelineWorld) -> None:
    begin(world, BACK)

    found = far(world)

    assert of(found, "windows") == (9, 0, 0)
    assert of(found, "days") == (270, 0, 0)
    (meta,) = found["platforms"]
    assert (meta["platform"], meta["whole_since"], meta["waits_for"]) == ("meta_ads", None, None)
    assert found["estimate"] == {
        "seconds": None,
        "at_least": None,
        "at_most": None,
        "reason": "no estimate before 12 windows of meta_ads have ended; 0 have",
    }


def test_the_oldest_day_that_is_whole_back_to_now_goes_back_span_by_span(world: PipelineWorld) -> None:
    begin(world, BACK)
    seen: list[str | None] = []
    while not seen or seen[-1] != "2026-06-01":
        work(world)
        if not seen or seen[-1] != far(world)["platforms"][0]["whole_since"]:
            seen.append(far(world)["platforms"][0]["whole_since"])

    assert seen == [None, "2026-07-31", "2026-07-01", "2026-06-01"]
    assert far(world)["days"] == WHOLE
    assert far(world)["estimate"]["reason"] == "nothing is left to do"


def test_a_failed_window_is_where_the_whole_days_end(world: PipelineWorld) -> None:
    def fate(task: Task) -> TaskState:
        july = task.window is not None and task.window.start.month == 7 and task.window.end.month == 7
        return TaskState.FAILED if july and task.dataset is Dataset.AD_DAILY else TaskState.LOADED

    world.fate = fate
    run_to_end(world, BACK)

    found = far(world)
    assert of(found, "windows") == (9, 8, 1)
    assert found["platforms"][0]["whole_since"] == "2026-07-31"


def test_of_a_window_that_was_split_the_others_of_its_span_are_still_to_come(world: PipelineWorld) -> None:
    """Given a span of six windows, when the first was split into days, and all that was released has loaded."""
    world.specs[META] = {Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, max_window_days=5)}
    begin(world, BACK)
    first, *others = world.collect.take()
    task = world.ledger.claim("back", first.task_id, first.generation, 30)
    assert task is not None
    assert task.window is not None
    parts = [task.child(window=window) for window in task.window.pieces(1)]
    world.ledger.split(task, parts)
    for message in (*map(TaskMessage.of, parts), *others):
        world.work(message)

    found = far(world)

    done = len(parts) + len(others)
    assert (of(found, "windows"), of(found, "days")) == ((18 + 4, done, 0), (90, 5 * (1 + len(others)), 0))
    assert found["platforms"][0]["whole_since"] is None


def test_what_a_cancelled_backfill_left_is_still_in_its_total(world: PipelineWorld) -> None:
    begin(world, BACK)
    work(world)
    world.runs.send(CancelRun(run_id="back"))
    world.drain()

    found = far(world)

    assert of(found, "windows")[:2] == (9, 2)
    assert found["estimate"]["reason"] == "the run is cancelled: start the backfill again for the rest"


def test_what_an_ad_account_that_is_pulled_no_more_left_is_still_in_the_total(world: PipelineWorld) -> None:
    # given a backfill amid which the permission for its ad account is lost
    begin(world, BACK)
    work(world)
    world.catalog.mark_profile(META, "1", ProfileStatus.DENIED)

    # when it ends
    while world.collect.messages:
        work(world)
    assert run_of(world, "back").state.is_terminal

    # then it does not say that all is there
    found = far(world)
    assert (of(found, "windows"), of(found, "days")) == ((9, 5, 0), (270, 150, 0))
    assert found["platforms"][0]["whole_since"] == "2026-07-31"
    assert found["estimate"]["reason"] == "nothing is left to do"


def test_days_that_a_platform_does_not_keep_any_more_are_not_called_whole(world: PipelineWorld) -> None:
    world.specs[META] = {Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, max_window_days=30, retention_days={ALL: 120})}
    run_to_end(world, BACK.model_copy(update={"scope": Scope(start="2025-01-01", end="2026-08-29")}))

    assert far(world)["platforms"][0]["whole_since"] == "2026-07-23"


def test_it_says_what_a_platform_waits_for(world: PipelineWorld) -> None:
    begin(world, BACK)
    begin(world, DAILY)
    daily = far(world)["platforms"][0]
    world.drain()
    world.ledger.brakes.trip(META, "1", 600, "too many requests")
    begin(world, BACK.model_copy(update={"run_id": "older", "scope": Scope(start="2026-01-01", end="2026-05-31")}))
    braked = far(world, "older")["platforms"][0]

    assert (daily["waits_for"], daily["until"]) == ("a run of the workflow daily goes first", None)
    assert braked["waits_for"] == "the brake meta_ads:1: too many requests"
    assert braked["until"] is not None


def test_brakes_of_others_are_none_of_a_backfill_s(world: PipelineWorld) -> None:
    """Given brakes of an ad account and of a credential of another client, then nothing waits for them."""
    begin(world, BACK)
    for key in ("2", scope_key(ThrottleScope.CREDENTIAL, owner("rival", DEFAULT))):
        world.ledger.brakes.trip(META, key, 600, "too many requests for rival")
    free = far(world)["platforms"][0]
    own = scope_key(ThrottleScope.CREDENTIAL, owner(world.account_id, DEFAULT))
    world.ledger.brakes.trip(META, own, 600, "too many requests")
    braked = far(world)["platforms"][0]

    assert (free["waits_for"], free["until"]) == (None, None)
    assert braked["waits_for"] == f"the brake meta_ads:{own.removeprefix('!')}: too many requests"


def test_it_says_which_credential_a_person_has_to_store(world: PipelineWorld) -> None:
    begin(world, BACK)
    (credential,) = [one for one in world.catalog.credentials() if one.account_id == world.account_id]
    world.ledger.brakes.trip(META, "1", 600, "too many requests")
    world.catalog.mark_broken(credential, "the token is expired")
    waiting = far(world)

    (meta,) = waiting["platforms"]
    named = f"the credential default of {world.account_id} is broken: the token is expired"
    assert (meta["waits_for"], meta["until"]) == (named, None)
    assert list(lines_of(waiting))[1].endswith(f"; waits: {named}")


def test_the_true_end_lies_in_the_estimate(world: PipelineWorld) -> None:
    """Given an ad account whose windows take a minute each, one after another."""
    years = BACK.model_copy(update={"scope": Scope(start="2025-01-01", end="2026-08-29")})
    world.specs[META] = {Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, max_window_days=10)}
    begin(world, years)
    looks: list[tuple[float, dict[str, Any]]] = []
    while world.collect.messages:
        message = world.collect.messages.pop(0)
        world.clock.advance(60)
        world.work(message)
        advance(world)
        looks.append((world.clock.now().timestamp(), far(world)["estimate"]))

    end = looks[-1][0]
    judged = [(end - at, one) for at, one in looks if one["seconds"] is not None]
    assert len(judged) > 40
    inside = sum(one["at_least"] <= truth <= one["at_most"] for truth, one in judged)
    assert inside == len(judged)


def test_a_brake_makes_the_estimate_later(world: PipelineWorld) -> None:
    world.specs[META] = {Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, max_window_days=10)}
    begin(world, BACK.model_copy(update={"scope": Scope(start="2025-01-01", end="2026-08-29")}))
    for _ in range(6):
        work(world)
    before = far(world)["estimate"]["seconds"]

    world.ledger.brakes.trip(META, "1", 36_000, "the day's quota is used up")

    assert far(world)["estimate"]["seconds"] >= 36_000 > before


def test_a_run_without_lanes_has_none(world: PipelineWorld) -> None:
    run_to_end(world, DAILY)
    assert backfilled(world.ledger, world.catalog, lambda name: META, run_of(world), (), world.clock.now()) is None


def test_people_read_it_in_lines(world: PipelineWorld) -> None:
    begin(world, BACK)
    work(world)
    first = list(lines_of(far(world)))
    world.runs.send(Sweep())
    world.drain()

    assert first == [
        "60 of 270 days; no estimate before 12 windows of meta_ads have ended; 2 have",
        "  meta_ads            2 of 9      windows  not whole yet",
    ]
    assert list(lines_of(far(world))) == [
        "270 of 270 days; nothing is left to do",
        "  meta_ads            9 of 9      windows  whole since 2026-06-01",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (90, "2 min"), (3599, "1 h 0 min"), (12_000, "3 h 20 min"), (200_000, "2 d 7 h")],
)
def test_seconds_are_said_in_words(seconds: int, text: str) -> None:
    assert span_text(seconds) == text


def test_an_estimate_is_a_range() -> None:
    counts = {"total": 9, "done": 3, "failed": 1}
    estimate = {"seconds": 5400, "at_least": 4000, "at_most": 8000, "reason": None}

    (line,) = lines_of({"days": counts, "windows": counts, "platforms": [], "estimate": estimate})

    assert line == "3 of 9 days, 1 failed; about 1 h 30 min left (1 h 7 min to 2 h 13 min)"


def test_the_lines_in_the_documents_are_those_of_the_command() -> None:
    (block,) = [
        each for each in blocks(ROOT / "docs/operations.md") if each.text.startswith("$ .venv/bin/adweir backfill ")
    ]
    lines = block.text.splitlines()[2:]
    looks = [index for index, line in enumerate(lines) if not line.startswith(" ")]

    for first, end in zip(looks, [*looks[1:], len(lines)], strict=True):
        assert list(lines_of(_read(lines[first:end]))) == lines[first:end]
    assert len(looks) == 3


def _read(lines: list[str]) -> dict[str, Any]:
    """The numbers of lines for people, as `lines_of` takes them."""
    done, total, says = re.fullmatch(r"(\S+) of (\S+) days; (.*)", lines[0]).groups()  # type: ignore[union-attr]
    spans = [int(number) * {"s": 1, "min": 60}[unit] for number, unit in re.findall(r"(\d+) (s|min)\b", says)]
    seconds, least, most = spans if len(spans) == 3 else (None, None, None)
    platforms = []
    for line in lines[1:]:
        name, ended, of, since, _, waits = re.fullmatch(  # type: ignore[union-attr]
            r"  (\w+) +(\S+) of (\S+) +windows  whole since ([\d-]+)(; waits: (.*))?", line
        ).groups()
        counts = {"done": _number(ended), "total": _number(of)}
        platforms.append({"platform": name, "windows": counts, "whole_since": since, "waits_for": waits})
    return {
        "days": {"done": _number(done), "total": _number(total), "failed": 0},
        "estimate": {"seconds": seconds, "at_least": least, "at_most": most, "reason": says},
        "platforms": platforms,
    }


def _number(text: str) -> int:
    return int(text.replace(",", ""))
