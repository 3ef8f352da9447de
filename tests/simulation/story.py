"""What a seed asks for: the moment, the workers, the runs and wishes, the platform's habits, the weather."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.messages import CancelRun, Message, Redrive, Replay, Scope, StartRun, Sweep
from adweir.model.tasks import Cause
from adweir.platforms.connector import Mode
from simulation.platform import NAME, SLICES
from simulation.weather import Weather

PROFILE = "p1"
ACCOUNT = "acme"
_FIRST_DAY = datetime(2026, 11, 20, tzinfo=UTC)
_DATASET = "campaign_daily"
_WITH_TOTALS = 0.2
_WITH_BRANCHES = 0.25
_WITH_A_REPEATED_RUN = 0.15
_WITH_REPLAYS = 0.2
BRANCHES = "branches"
"""The name of the workflow that a user of the stories has stored: two branches that are joined."""


class Wish(NamedTuple):
    """A message for the runs queue, sent so many seconds after the story begins."""

    after: float
    message: Message


@dataclass(frozen=True)
class Habits:
    """How the platform answers: probabilities per question, and when (seconds after the beginning) it restates."""

    mode: Mode
    campaigns: int
    restates: tuple[float, ...]
    throttles: float
    faults: float
    pending: float
    fails: float
    empty: float
    truncated: float
    refuses_tv: bool
    too_much: float
    rejects: float
    totals: bool
    """Whether it reports account totals."""
    flow: Mapping[str, Any]
    """The stored workflow."""
    hours: bool = False
    """Whether it reports campaigns by the hour."""

    @property
    def spec(self) -> str:
        """Which of `containers.PLATFORMS` it is."""
        return "hours" if self.hours else "totals" if self.totals else "plain"


@dataclass(frozen=True)
class Story:
    """Everything that is decided before the first turn."""

    seed: int
    start: datetime
    workers: int
    wishes: tuple[Wish, ...]
    habits: Habits
    weather: Weather
    late: float
    """How likely an object's notification comes late, and a message twice."""

    @property
    def runs(self) -> dict[str, StartRun]:
        """The runs that are asked for, by id."""
        return {wish.message.run_id: wish.message for wish in self.wishes if isinstance(wish.message, StartRun)}


def story_of(seed: int) -> Story:
    """The story of a seed."""
    rng, totals = random.Random(f"story {seed}"), random.Random(f"totals {seed}").random() < _WITH_TOTALS
    branching, back = random.Random(f"branches {seed}"), random.Random(f"back {seed}")
    start = _FIRST_DAY + timedelta(days=rng.choice((0, 0, 12)), hours=rng.choice((1, 6, 12, 20)))
    workers, wishes = rng.randint(2, 4), _wishes(rng, start, totals=totals)
    wishes = _repeated(random.Random(f"again {seed}"), _branched(branching, _longer(back, wishes)))
    return Story(
        seed=seed,
        start=start,
        workers=workers,
        wishes=wishes if totals else _replayed(random.Random(f"replays {seed}"), wishes, start),
        habits=_habits(rng, _flow(branching), totals=totals),
        weather=Weather.drawn(rng),
        late=rng.choice((0.0, 0.1, 0.3)),
    )


def _wishes(rng: random.Random, start: datetime, *, totals: bool) -> tuple[Wish, ...]:
    wishes: list[Wish] = []
    for number in range(rng.choice((2, 2, 3) if totals else (1, 1, 2, 2))):
        after = rng.choice((0.0, rng.uniform(0.0, 5.0), rng.uniform(0.0, 600.0))) if number else 0.0
        run = _run(rng, f"run-{number}", start, totals=totals)
        wishes += [Wish(after, run)] * rng.choice((1, 1, 1, 2))
        if rng.random() < 0.3:
            again = Redrive(run_id=run.run_id)
            wishes += [Wish(after + rng.uniform(1.0, rng.choice((300.0, 3000.0))), again)] * rng.choice((1, 2, 3))
        if rng.random() < 0.05:
            wishes.append(Wish(after + rng.uniform(0.0, 60.0), CancelRun(run_id=run.run_id)))
    return tuple(sorted(wishes, key=lambda wish: wish.after))


def _run(rng: random.Random, run_id: str, start: datetime, *, totals: bool) -> StartRun:
    if rng.random() < 0.1:
        return StartRun(workflow="daily", scheduled_at=start, run_id=run_id)
    yesterday = start.date() - timedelta(days=1)
    days = rng.choice((0, 1))
    scope = Scope(
        profiles=(PROFILE,),
        datasets=(_DATASET, "account_daily") if totals else (_DATASET,),
        slice=rng.choice(("all", *SLICES)),
        start=(yesterday - timedelta(days=days)).isoformat(),
        end=yesterday.isoformat(),
    )
    return StartRun(
        workflow=rng.choice(("repull", "repull", "backfill")), scheduled_at=start, scope=scope, run_id=run_id
    )


def _longer(rng: random.Random, wishes: tuple[Wish, ...]) -> tuple[Wish, ...]:
    """Some of the backfills have more windows than may be under way at a time."""
    runs = {wish.message.run_id: wish.message for wish in wishes if isinstance(wish.message, StartRun)}
    days = {name: rng.choice((0, 0, 2, 3)) for name, run in sorted(runs.items()) if run.workflow == "backfill"}
    return tuple(
        Wish(wish.after, _reaching(wish.message, days[wish.message.run_id]))
        if isinstance(wish.message, StartRun) and wish.message.run_id in days
        else wish
        for wish in wishes
    )


def _reaching(run: StartRun, days: int) -> StartRun:
    start = date.fromisoformat(run.scope.start) - timedelta(days=days)
    return run.model_copy(update={"scope": run.scope.model_copy(update={"start": start.isoformat()})})


def _branched(rng: random.Random, wishes: tuple[Wish, ...]) -> tuple[Wish, ...]:
    """Some of the runs are of the stored workflow."""
    names = {wish.message.run_id for wish in wishes if isinstance(wish.message, StartRun)}
    chosen = {name for name in sorted(names) if rng.random() < _WITH_BRANCHES}
    return tuple(
        Wish(wish.after, wish.message.model_copy(update={"workflow": BRANCHES}))
        if isinstance(wish.message, StartRun) and wish.message.run_id in chosen
        else wish
        for wish in wishes
    )


def _repeated(rng: random.Random, wishes: tuple[Wish, ...]) -> tuple[Wish, ...]:
    """Sometimes the second run is asked for as the first was, later, and the first is redriven about then."""
    runs = [message for wish in wishes if isinstance(message := wish.message, StartRun)]
    second = next((run for run in runs if run.run_id != runs[0].run_id), None)
    if second is None or rng.random() >= _WITH_A_REPEATED_RUN:
        return wishes
    at = rng.uniform(20.0, 900.0)
    first = runs[0].model_copy(update={"workflow": BRANCHES})
    later = first.scheduled_at + timedelta(seconds=at)
    asked = {
        first.run_id: first,
        second.run_id: first.model_copy(update={"run_id": second.run_id, "scheduled_at": later}),
    }

    def changed(wish: Wish) -> Wish:
        run = wish.message
        if not isinstance(run, StartRun):
            return wish
        return Wish(at if run.run_id == second.run_id else wish.after, asked.get(run.run_id, run))

    redriven = Wish(at + rng.uniform(0.0, 60.0), Redrive(run_id=first.run_id))
    return tuple(sorted([*map(changed, wishes), redriven], key=lambda wish: wish.after))


def _replayed(rng: random.Random, wishes: tuple[Wish, ...], start: datetime) -> tuple[Wish, ...]:
    """Sometimes what is stored is loaded again, once or more, outside of any run, and sweeps come meanwhile."""
    if rng.random() >= _WITH_REPLAYS:
        return wishes
    asked = []
    for number in range(1, rng.choice((2, 3, 4))):
        replay = Replay(
            replay_id=f"replay-{number}",
            account_id=ACCOUNT,
            platform=NAME,
            profile_id=PROFILE,
            datasets=(Dataset(_DATASET),),
            start=start.date() - timedelta(days=5),
            end=start.date(),
            load=number,
            cause=Cause.REPLAY,
        )
        after = rng.uniform(60.0, 1500.0)
        asked += [Wish(after, replay), *(Wish(after + rng.uniform(0.0, 12.0), Sweep()) for _ in range(6))]
    return tuple(sorted([*wishes, *asked], key=lambda wish: wish.after))


def _flow(rng: random.Random) -> Mapping[str, Any]:
    def branch(name: str, dataset: str) -> dict[str, Any]:
        found: dict[str, Any] = {"name": name, "kind": "pull", "datasets": [dataset], "reach": "whole"}
        rule = {"threshold": rng.choice((0.0, 0.5, 1.0)), "on_failure": rng.choice(("stop", "go_on", "skip"))}
        return found | rule | ({"timeout_minutes": rng.choice((20, 240))} if rng.random() < 0.3 else {})

    joined = branch("totals", "account_daily") | {"after": ["lists", "days"]}
    work = {"name": "work", "kind": "etl", "after": ["totals"]}
    return {"stages": [joined, branch("lists", "profiles"), branch("days", _DATASET), work]}


def _habits(rng: random.Random, flow: Mapping[str, Any], *, totals: bool) -> Habits:
    def sometimes(rate: float) -> float:
        return rate if rng.random() < 0.3 else 0.0

    return Habits(
        mode=rng.choice((Mode.PAGES, Mode.REPORT)),
        campaigns=3 if totals else rng.randint(1, 3),
        restates=tuple(
            sorted(
                rng.uniform(0.0, rng.choice((10.0, 600.0)))
                for _ in range(rng.randint(2, 6) if totals else rng.randint(0, 4))
            )
        ),
        throttles=sometimes(0.2),
        faults=sometimes(0.2),
        pending=rng.choice((0.0, 0.5)),
        fails=sometimes(0.3),
        empty=sometimes(0.3),
        truncated=sometimes(0.4),
        refuses_tv=rng.random() < 0.1,
        too_much=sometimes(0.3),
        rejects=sometimes(0.3),
        totals=totals,
        flow=flow,
    )
