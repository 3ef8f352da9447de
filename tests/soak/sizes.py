"""Memory and tables against what is worked out before anything is measured.

The items follow from what a run plans and from the platforms' truth: which levels are pulled, of which days, which
entities delivered then (docs/data-model.md says which item holds what). The bytes of an item follow from its keys and
attributes, as DynamoDB counts them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from adweir.model.flows import StageKind
from adweir.model.metrics import Grain
from adweir.pipeline.workflows import WORKFLOWS
from adweir.platforms.base import DatasetSpec
from ops.demo.world import WorldDoors
from sandbox.aws.values import weigh
from soak.ground import Ground
from soak.plan import Extent, Owned, chosen

MEMORY_MB: Final = {
    "orchestrate": 1024,
    "collect": 1024,
    "poll_reports": 1024,
    "validate": 1769,
    "etl": 3008,
    "curate": 3008,
    "detect": 1769,
    "learn": 1769,
    "enrich": 1769,
    "features": 3008,
}
"""As template.yaml has it: MemoryPeakPercent is a share of it."""
_PEAK_MB: Final = 140
"""What a container needs for its imports and a pull of some thousand rows; it must not grow with the runs."""
_WORK: Final = [stage.kind for stage in WORKFLOWS["daily"].stages if stage.kind is not StageKind.PULL]
_AFTER: Final = len(_WORK) - _WORK.count(StageKind.LEARN)
"""Stages that have a task per client, whatever is pulled; no client of the soak has arms to learn."""
_STAGES: Final = {"daily": len(WORKFLOWS["daily"].stages), "hourly": len(WORKFLOWS["hourly"].stages)}
"""Each is planned under a lease of its own."""
_BUCKET, _SLOT, _COVERAGE, _DAY, _LIST = 320, 34, 150, 16, 110
"""Bytes: a bucket's keys, sums and parents; a day in it (a list of five numbers and its name); coverage, and a day and
slice in it; the list of a campaign's entities."""
_TASK = 850
"""Bytes of a task: what is to be pulled (360), its keys, states, times and counts."""


class Measure(NamedTuple):
    """Something that was predicted; `tolerance` is the share by which it may be more or less, or more only."""

    name: str
    predicted: float
    measured: float
    unit: str
    tolerance: float
    may_be_less: bool = False

    @property
    def wrong(self) -> str:
        """A line when it is not as predicted."""
        more = self.measured - self.predicted
        if (more if self.may_be_less else abs(more)) <= self.tolerance * self.predicted:
            return ""
        allowed = f"{self.predicted:,.0f} {self.unit} ± {self.tolerance:.0%}"
        return f"{self.name}: {self.measured:,.0f} {self.unit}, and {allowed} were predicted"


def table(found: Sequence[Measure]) -> Iterator[str]:
    """The measures as lines."""
    yield f"{'size':28}{'predicted':>12}{'measured':>12}       may differ by"
    for each in found:
        row = f"{each.name:28}{each.predicted:>12,.0f}{each.measured:>12,.0f}"
        yield f"{row} {each.unit:6}{each.tolerance:>6.0%}{'  WRONG' if each.wrong else ''}"


Since = tuple[date, int]
"""The world's today when the soak began, and how many days of history the first run pulls."""


class Buckets(NamedTuple):
    """Items of the metrics table, and the days (or hours) that they hold."""

    items: int
    slots: int
    partitions: int
    covered: int
    lists: int

    @property
    def bytes(self) -> int:
        """All of them."""
        own = self.items * _BUCKET + self.slots * _SLOT
        return own + self.partitions * _COVERAGE + self.covered * _DAY + self.lists * _LIST


def predicted_buckets(
    world: WorldDoors, owned: Sequence[Owned], hourly: Sequence[Owned], extent: Extent, since: Since
) -> Buckets:
    """What the runs store, by the truth of the days that each dataset is asked for."""
    anchor, history = since
    found: Counter[str] = Counter()
    for one in owned:
        for spec in chosen(one.platform, "daily", extent):
            if spec.dataset.grain is Grain.DAY:
                first = anchor - timedelta(days=max(history, spec.lookback_days))
                found += _stored(world, one, spec, (first, anchor + timedelta(days=extent.days - 1)))
    for one in hourly if extent.hourly_runs else ():
        for spec in chosen(one.platform, "hourly", Extent()):
            if spec.dataset.grain is Grain.HOUR:
                found += _stored(world, one, spec, (anchor - timedelta(days=2), anchor + timedelta(days=extent.days)))
    return Buckets(*(found[name] for name in Buckets._fields))


def _stored(world: WorldDoors, one: Owned, spec: DatasetSpec, days: tuple[date, date]) -> Counter[str]:
    hourly, level = spec.dataset.grain is Grain.HOUR, str(spec.dataset.level)
    span = {"start": days[0].isoformat(), "end": days[1].isoformat()} | ({"hourly": "1"} if hourly else {})
    rows = world.get("truth", platform=one.platform, profile_id=one.profile_id, level=level, **span)["rows"]
    length = 10 if hourly else 7
    parts = {row["date"][:length] for row in rows}
    lists = {(row["campaign_id"], row["date"][:length]) for row in rows} if level not in ("account", "campaign") else ()
    return Counter(
        items=len({(row["entity_id"], row["date"][:length]) for row in rows}),
        slots=len(rows),
        partitions=len(parts),
        covered=len({row["date"] for row in rows}) * len(spec.slices),
        lists=len(lists),
    )


def predicted_tasks(owned: Iterable[Owned], name: str, extent: Extent, history: int) -> int:
    """The tasks of a run of a workflow where nothing is split."""
    total = 0
    for one in owned:
        for spec in chosen(one.platform, name, extent):
            days = max(history, spec.lookback_days) if spec.dataset.grain is Grain.DAY else spec.lookback_days + 1
            windows = math.ceil(days / spec.max_window_days) if spec.dataset.grain and spec.max_window_days else 1
            total += len(spec.slices) * windows
    return total


def measured(ground: Ground, owned: Sequence[Owned], extent: Extent, since: Since, began: float) -> list[Measure]:
    """All of them. `began`: when the soak did (Unix seconds)."""
    hourly = owned[: extent.hourly_profiles]
    buckets = predicted_buckets(ground.river.world, owned, hourly, extent, since)
    ours = {(one.platform, one.profile_id) for one in owned}
    items, lists, coverage, weight = Counter[str](), 0, 0, 0
    for (pk, sk), item in ground.river.table("Metrics").items():
        if tuple(pk.split("#")[:2]) in ours:
            weight += weigh({"M": item})
            lists += sk.startswith("!!")
            coverage += sk == "!coverage"
            items["bucket"] += not sk.startswith("!")
    found = [
        Measure("metrics: buckets", buckets.items, items["bucket"], "items", 0.15),
        Measure("metrics: lists of campaigns", buckets.lists, lists, "items", 0.15),
        Measure("metrics: bytes", buckets.bytes / 1000, weight / 1000, "kB", 0.3),
    ]
    found += _of_the_ledger(ground, owned, hourly, extent, since[1])
    return found + list(_memory(ground, began))


def _memory(ground: Ground, began: float) -> Iterator[Measure]:
    """The peak of each function. Where it worked before the soak began, its containers may be larger already."""
    before, since = dict[str, float](), dict[str, float]()
    for line in ground.log():
        name = str(line.get("function"))
        if "MemoryPeakPercent" in line and name in MEMORY_MB:
            peaks = since if line["_aws"]["Timestamp"] >= began * 1000 else before
            peaks[name] = max(peaks.get(name, 0.0), max(line["MemoryPeakPercent"]) * MEMORY_MB[name] / 100)
    for name, peak in sorted(since.items()):
        yield Measure(f"memory: {name}", max(_PEAK_MB, before.get(name, 0.0)), peak, "MB", 0.25, may_be_less=True)


def _of_the_ledger(
    ground: Ground, owned: Sequence[Owned], hourly: Sequence[Owned], extent: Extent, history: int
) -> Iterator[Measure]:
    """Tasks of all runs, listings among them, and what each run has beside them."""
    runs = Counter(run_id_kind(run_id) for run_id in ground.runs)
    ids = {one.profile_id for one in owned}
    others = [
        Owned("", one["platform"], one["profile_id"]) for one in ground.profiles() if one["profile_id"] not in ids
    ]
    """Ad accounts without numbers, such as Google's test accounts: they are asked for everything, too."""
    tasks = runs["daily"] * predicted_tasks(owned, "daily", extent, history)
    tasks += runs["daily"] * (predicted_tasks(others, "daily", extent, history) - len(others))
    tasks += runs["hourly"] * predicted_tasks(hourly, "hourly", Extent(), history)
    tasks += runs["listing"] * len(owned)
    tasks += (runs["daily"] + runs["listing"]) * _AFTER * len({one.account_id for one in owned})
    rows, weight, leases = 0, 0, 0
    for (pk, sk), item in ground.river.table("Ledger").items():
        if sk.startswith("task#") and pk.removeprefix("run#") in ground.runs:
            rows += 1
            weight += weigh({"M": item})
        leases += sk == "lease" and any(pk.startswith(f"lease#plan#{run_id}#") for run_id in ground.runs)
    stages = sum(_STAGES.get(kind, 1 + len(_WORK)) * number for kind, number in runs.items())
    yield Measure("ledger: tasks", tasks, rows, "items", 0.15)
    yield Measure("ledger: bytes of tasks", tasks * _TASK / 1000, weight / 1000, "kB", 0.3)
    yield Measure("ledger: leases of plans", stages, leases, "items", 0.5)


def run_id_kind(run_id: str) -> str:
    """Whether a run was a daily or hourly one, or a list of the ad accounts."""
    return "listing" if "listing" in run_id else "hourly" if "hour" in run_id else "daily"
