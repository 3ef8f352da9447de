"""Many days of the pipeline in one simulation: a daily run and 24 hourly ones each, with deaths, lost replies and a
platform that restates, throttles and fails. What the tables hold is counted each night and compared with a prediction.

The ledger's history is kept for ten days here, not ninety: so within a month its size has to stop growing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from unittest import mock

from adweir.model.flows import StageKind
from adweir.model.messages import StartRun
from adweir.pipeline.workflows import WORKFLOWS
from adweir.platforms.connector import Mode
from adweir.store.ledger import receipts, rows, runs
from simulation.containers import FINDINGS, LEDGER, METRICS, TABLES
from simulation.platform import SLICES
from simulation.simulation import Outcome, Simulation
from simulation.story import Story, Wish, story_of
from simulation.weather import climate

HISTORY = timedelta(days=10)
"""How long the ledger's history is kept in a season."""
TOLERANCE = 0.1
"""Splits, runs that others join and tasks that are planned again make more or fewer items than a quiet day does."""
_BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
_DAY = 86_400.0
_DAILY_AT, _HOURLY_AT = 5.5 * 3600, 900.0
_CAMPAIGNS = 2 * len(SLICES)
_WORK = [stage.kind for stage in WORKFLOWS["daily"].stages if stage.kind is not StageKind.PULL]
_TASKS = {"daily": 3 + len(_WORK) - _WORK.count(StageKind.LEARN), "hourly": 2}
"""Where nothing is split: the list of ad accounts, two slices and the work of a client without arms; two slices."""
_SOMETIMES = {f"{METRICS} hour": 0.6, f"{LEDGER} audit": 0.0}
"""A restatement takes campaigns away: of some, nothing is ever stored on a day. Brakes come with the weather."""
_DEEDS = 2
"""A brake is set, and cleared: the audit has each once an hour at most."""
_STAGES = {name: len(WORKFLOWS[name].stages) for name in ("daily", "hourly")}
"""Each is planned under a lease of its own."""


def season(seed: int, days: int) -> Story:
    """The story of so many days."""
    rng = random.Random(f"season {seed}")
    wishes = []
    for day in range(days):
        wishes.append(_run("daily", day * _DAY + _DAILY_AT))
        wishes += [_run("hourly", day * _DAY + hour * 3600 + _HOURLY_AT) for hour in range(24)]
    habits = replace(
        story_of(seed).habits,
        mode=rng.choice((Mode.PAGES, Mode.REPORT)),
        campaigns=_CAMPAIGNS // len(SLICES),
        restates=tuple(sorted(rng.uniform(0.0, days * _DAY) for _ in range(2 * days))),
        throttles=0.03,
        faults=0.03,
        fails=0.02,
        empty=0.01,
        truncated=0.02,
        refuses_tv=False,
        too_much=0.02,
        rejects=0.01,
        totals=False,
        hours=True,
    )
    return Story(
        seed=seed,
        start=_BEGIN,
        workers=4,
        wishes=tuple(sorted(wishes, key=lambda wish: wish.after)),
        habits=habits,
        weather=climate(rng, days),
        late=0.05,
    )


def _run(workflow: str, after: float) -> Wish:
    at = _BEGIN + timedelta(seconds=after)
    return Wish(after, StartRun(workflow=workflow, scheduled_at=at, run_id=f"{workflow}-{at:%m-%dT%H}"))


@dataclass(frozen=True)
class Size:
    """What the tables hold at the end of a day: items and bytes, by table and what they are (`ledger task`)."""

    items: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)


class Season(Simulation):
    """A simulation of many days. `sizes`: what the tables hold at the end of each."""

    def __init__(self, seed: int, days: int, *, keep: bool = False) -> None:
        super().__init__(seed, keep=keep, story=season(seed, days))
        self.days = days
        self.sizes: list[Size] = []
        for day in range(1, days + 1):
            self.scheduler.at(self.story.start.timestamp() + day * _DAY - 1.0, self._night)

    def run(self) -> Outcome:
        """Tell it to its end, with a short history."""
        with ExitStack() as stack:
            for module in (rows, runs, receipts):
                stack.enter_context(mock.patch.object(module, "HISTORY", HISTORY))
            outcome = super().run()
        if not outcome.faults:
            outcome.faults += grown(self.sizes, self.days)
        return outcome

    def _is_over(self) -> bool:
        return bool(self.watch.faults or self.fleet.faults) or (len(self.sizes) == self.days and super()._is_over())

    @property
    def dead(self) -> int:
        """Messages that were given up."""
        return sum(len(line.dead) for line in self.sqs.queues.values())

    def _night(self) -> None:
        """What has expired is deleted, as DynamoDB does within days; then the tables are weighed."""
        size = Size()
        for table in TABLES:
            self.dynamodb.expire(table, self.scheduler.now)
            for item, weight in self.dynamodb.weighed(table):
                kind = f"{table} {_kind(item['pk']['S'], item['sk']['S'])}"
                size.items[kind] += 1
                size.bytes[kind] += weight
        self.sizes.append(size)


def predicted(days: int) -> Mapping[str, int]:
    """Items after so many days, of the kinds that grow: those of the ledger until its history is full.

    Per run there are an item, one in the list of runs, its tasks, and a lease per stage that was planned.
    """
    kept = min(days, HISTORY.days)
    daily, hourly, months = kept, 24 * kept, 1 + days // 30
    return {
        f"{LEDGER} run": daily + hourly,
        f"{LEDGER} runs": daily + hourly,
        f"{LEDGER} task": daily * _TASKS["daily"] + hourly * _TASKS["hourly"],
        f"{LEDGER} audit": 24 * kept * _DEEDS,
        f"{LEDGER} lease": daily * (_STAGES["daily"] + 1) + hourly * _STAGES["hourly"] + months,
        f"{FINDINGS} quality": days * (len(SLICES) * (24 + 1)),
        f"{METRICS} hour": (days + 1) * (_CAMPAIGNS + 1),
    }


def grown(sizes: Sequence[Size], days: int) -> Iterator[str]:
    """What has another size than was predicted, and what grows although nothing was predicted of it."""
    last, half, expected = sizes[-1], sizes[len(sizes) // 2], predicted(days)
    for kind, wanted in expected.items():
        least = _SOMETIMES.get(kind, 1 - TOLERANCE)
        if not least * wanted <= last.items[kind] <= (1 + TOLERANCE) * wanted:
            yield f"after {days} days there are {last.items[kind]} items {kind}; {wanted} were predicted"
    for kind in sorted(last.items.keys() - expected.keys()):
        before, now = half.items[kind], last.items[kind]
        if now > before * (1 + TOLERANCE) + 5:
            yield f"items {kind} grow without end: {before} after half of the days, {now} after all"


def _kind(pk: str, sk: str) -> str:
    """What an item is, by its keys."""
    part = pk.partition("#")[0]
    if part == "run":
        return sk.partition("#")[0]
    return "hour" if "#hour#" in pk else "day" if "#day#" in pk else part
