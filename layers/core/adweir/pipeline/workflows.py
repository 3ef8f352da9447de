"""Workflows, declared as data: which stages, what each does, on which others it waits.

The built-in ones are here. Those that users store have the same form (`pipeline.flow_forms`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from graphlib import TopologicalSorter

from adweir.intake.collect.planner import Reach
from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.flows import OnFailure, StageKind, SumGrain, SumLevel, WorkflowBuilder
from adweir.model.messages import Scope
from adweir.model.metrics import Grain
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser, platform_named
from adweir.model.runs import REFRESH
from adweir.model.slices import ALL
from adweir.platforms.base import DatasetSpec

_BILLS = (Dataset.INVOICES,)
"""They change once a month, and cost a request per month: the weekly run is often enough."""
_NO_OBJECTS = (Dataset.PROFILES, Dataset.CHANGES, *_BILLS)
_ENTITIES = tuple(dataset for dataset in Dataset if dataset.grain is None and dataset not in _NO_OBJECTS)
_DAILY = tuple(dataset for dataset in Dataset if dataset.grain is Grain.DAY)
_HOURLY = tuple(dataset for dataset in Dataset if dataset.grain is Grain.HOUR)
_LADDER = (Dataset.AD_DAILY, Dataset.AD_GROUP_DAILY, Dataset.CAMPAIGN_DAILY)
"""From the finest level up; the account's own totals have a stage of their own."""
_TOTALS = (Dataset.ACCOUNT_DAILY,)
_OBJECT_LADDER = (Dataset.ADS, Dataset.AD_GROUPS, Dataset.CAMPAIGNS)
_BESIDE = tuple(dataset for dataset in _DAILY if dataset not in (*_LADDER, *_TOTALS))


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, which begins when those that it comes `after` have ended.

    A pull stage pulls what a platform has of `datasets`, in this order; `accepts` lists what a scope may name here. A
    level is left out where a finer one sums to it (`DatasetSpec.sums_to_parent`), and what is pulled on request only
    where nobody wants it; not so of an `exact` stage, which pulls what it names. `platforms` are those that it pulls
    from, all when empty. Of each of the `alternatives`, which `datasets` has all of, it pulls the first that a platform
    has. The stage passes when at least one task and at least the share `threshold` of its tasks loaded, or when it had
    no task at all. What is open after `timeout` has failed. A `patient` stage is planned and pulled as
    `pipeline.releasing` says. An aggregate stage sums by `levels` and per `grains`, by and per all when empty.
    """

    name: str
    datasets: tuple[Dataset, ...] = ()
    accepts: tuple[Dataset, ...] = ()
    reach: Reach = Reach.FRESH
    threshold: float = 0.0
    kind: StageKind = StageKind.PULL
    after: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.STOP
    timeout: timedelta | None = None
    platforms: tuple[str, ...] = ()
    exact: bool = False
    alternatives: tuple[tuple[Dataset, ...], ...] = ()
    patient: bool = False
    levels: tuple[SumLevel, ...] = ()
    grains: tuple[SumGrain, ...] = ()

    def choose(
        self, specs: Mapping[Dataset, DatasetSpec], scope: Scope, wanted: Collection[str] = ()
    ) -> list[DatasetSpec]:
        """What to pull from a platform that serves `specs`; `wanted` are a profile's datasets on request."""
        if self.exact:
            own = [specs[dataset] for dataset in self.datasets if dataset in specs]
            return [
                spec
                for spec in own
                if (not scope.datasets or spec.dataset in scope.datasets) and _has_slices(spec, scope)
            ]
        if scope.datasets:
            named = [specs[dataset] for dataset in self.accepts if dataset in specs and dataset in scope.datasets]
            return [spec for spec in named if _has_slices(spec, scope)]
        if self.alternatives:
            sliced = {dataset: spec for dataset, spec in specs.items() if _has_slices(spec, scope)}
            found = (_first_of(each, sliced, wanted) for each in self.alternatives)
            return [spec for spec in found if spec is not None]
        finer = {dataset: _LADDER[:place] for place, dataset in enumerate(_LADDER)} | dict.fromkeys(_TOTALS, _LADDER)
        chosen: list[DatasetSpec] = []
        for dataset in self.datasets:
            spec = specs.get(dataset)
            if spec is None or (spec.on_request and dataset not in wanted) or not _has_slices(spec, scope):
                continue
            if not any(specs[below].sums_to_parent for below in finer.get(dataset, ()) if below in specs):
                chosen.append(spec)
        return chosen

    def pulls_from(self, platform: Platform, parse: PlatformParser) -> bool:
        """Whether it pulls from a platform, if it pulls at all."""
        named = {platform_named(name, parse) for name in self.platforms}
        return not named or platform in named

    def passes(self, tasks: int, good: int) -> bool:
        """Whether `good` (loaded or skipped) of `tasks` are enough."""
        return tasks == 0 or (good > 0 and good >= self.threshold * tasks)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow: its stages, each before those that come after it.

    `joins`: only one run of a scope is open at a time, and who asks for another joins it.
    """

    name: str
    about: str
    stages: tuple[Stage, ...]
    joins: bool = True

    @staticmethod
    def build(name: str, about: str = "") -> WorkflowBuilder:
        """The fluent form of what users store as JSON."""
        return WorkflowBuilder(name, about)

    def stage(self, name: str) -> Stage:
        """A stage by name. Raises Unprocessable."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise Unprocessable(f"workflow {self.name} has no stage {name!r}", [{"field": "stage"}])

    @property
    def pulls(self) -> bool:
        """Whether it pulls anything."""
        return any(stage.kind is StageKind.PULL for stage in self.stages)

    def behind(self, names: Collection[str]) -> set[str]:
        """The stages that come after any of these, at any distance."""
        found: set[str] = set()
        for stage in self.stages:
            if any(before in names or before in found for before in stage.after):
                found.add(stage.name)
        return found

    @property
    def accepts(self) -> tuple[Dataset, ...]:
        """The datasets that a scope may name."""
        return tuple(dataset for stage in self.stages for dataset in stage.accepts)


def _has_slices(spec: DatasetSpec, scope: Scope) -> bool:
    """An account's total has no part that could be asked for alone."""
    return scope.slice == ALL or spec.dataset not in _TOTALS


def _first_of(
    datasets: tuple[Dataset, ...], specs: Mapping[Dataset, DatasetSpec], wanted: Collection[str]
) -> DatasetSpec | None:
    """The first dataset that a platform has and that is not on request, or is wanted."""
    served = (specs[dataset] for dataset in datasets if dataset in specs)
    return next((spec for spec in served if not spec.on_request or spec.dataset in wanted), None)


def one_of(name: str, *alternatives: tuple[Dataset, ...]) -> Stage:
    """A stage that pulls of each of these the first that a platform has."""
    every = tuple(dataset for each in alternatives for dataset in each)
    return Stage(name, every, every, alternatives=alternatives)


def in_order(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Stages in an order in which each follows those that it comes after. Raises graphlib.CycleError."""
    named = {stage.name: stage for stage in stages}
    order = TopologicalSorter({stage.name: stage.after for stage in named.values()}).static_order()
    return tuple(named[name] for name in order)


def _chain(*stages: Stage) -> tuple[Stage, ...]:
    """Stages one after the other."""
    before = ((), *((stage.name,) for stage in stages))
    return tuple(replace(stage, after=names) for stage, names in zip(stages, before, strict=False))


_METRICS = (*_LADDER, *_BESIDE)
_PROFILES = Stage("profiles", (Dataset.PROFILES,), (Dataset.PROFILES,))
# Metrics first: their reports are made on the platforms while the objects are listed. Neither needs the other.
_PULLS = Stage("pulls", (*_METRICS, *_ENTITIES), (*_ENTITIES, *_METRICS, *_BILLS))
_PULLS_AND_BILLS = replace(_PULLS, datasets=(*_PULLS.datasets, *_BILLS))
# Totals last: only a total that is newer than the levels can say whether what they no longer bring is gone.
# What follows works on all that is stored: also when no total came.
_TOTAL = Stage("totals", _TOTALS, _TOTALS, on_failure=OnFailure.GO_ON)
# Of the pipelines, where nothing is reconciled (`pipeline.pipelines`).
_ADS = one_of("ads", _LADDER, _OBJECT_LADDER)
CAMPAIGNS = one_of("campaigns", _LADDER[::-1])
_ACCOUNTS = one_of("totals", (*_TOTALS, *_LADDER[::-1]))
# The tables for SQL and features show the scores of days. The others need nothing of each other, and no failure of one
# ends another.
_WORK = tuple(
    Stage(kind.value, kind=kind, after=after, on_failure=OnFailure.GO_ON)
    for kind, after in (
        (StageKind.RECONCILE, ()),
        (StageKind.ETL, ()),
        (StageKind.DETECT, ()),
        (StageKind.LEARN, ()),
        (StageKind.ENRICH, ()),
        (StageKind.CURATE, (StageKind.RECONCILE.value,)),
        (StageKind.FEATURES, (StageKind.RECONCILE.value,)),
    )
)
"""What is made of the days that runs brought."""


def _then_work(*stages: Stage) -> tuple[Stage, ...]:
    """Stages one after the other, and behind the last of them what is made of the days they brought."""
    last = (stages[-1].name,)
    return (*_chain(*stages), *(replace(stage, after=stage.after or last) for stage in _WORK))


_YEARS = Stage(
    "metrics",
    (*_METRICS, *_TOTALS, *_BILLS),
    (*_METRICS, *_HOURLY, *_TOTALS, *_BILLS),
    Reach.MISSING,
    patient=True,
)


def _metrics(reach: Reach, accepts: tuple[Dataset, ...], beside: tuple[Dataset, ...] = ()) -> tuple[Stage, ...]:
    metrics = Stage("metrics", (*_METRICS, *beside), (*accepts, *beside), reach)
    return _then_work(metrics, replace(_TOTAL, reach=reach))


WORKFLOWS: Mapping[str, Workflow] = {
    workflow.name: workflow
    for workflow in (
        Workflow("daily", "ad accounts, then their objects and the days that are missing or still change",
                 _then_work(_PROFILES, _PULLS, _TOTAL)),
        Workflow("sync", "the daily workflow and the newest invoices, asked for through the API",
                 _then_work(_PROFILES, _PULLS_AND_BILLS, _TOTAL)),
        Workflow("weekly", "every day that a platform may still restate, and the newest invoices",
                 _metrics(Reach.SETTLING, _METRICS, _BILLS)),
        Workflow("hourly", "today's hours of the platforms that report them, and what changed where that is wanted",
                 _chain(Stage("metrics", (Dataset.CAMPAIGN_HOURLY,), _HOURLY),
                        Stage("changes", (Dataset.CHANGES,), (Dataset.CHANGES,)))),
        # Each of these says that something changed just now: a run that has begun may not have seen it.
        Workflow("repull", "a platform said that these objects or days changed: all of them again",
                 _metrics(Reach.WHOLE, (*_ENTITIES, *_METRICS, *_HOURLY)), joins=False),
        Workflow("backfill", "the days of a range that were never pulled, and the invoices of its months",
                 _then_work(_YEARS)),
        Workflow(REFRESH, "scores, bills, media-mix datasets, anomalies, arms, enriched ads, features and tables"
                 " for SQL anew, from the store", _WORK),
        Workflow("ad", "pipeline: ads and their days, or the finest level that a platform has",
                 _chain(_PROFILES, _ADS)),
        Workflow("account", "pipeline: ad accounts and the days of each as a whole", _chain(_PROFILES, _ACCOUNTS)),
        Workflow("platform", "pipeline: all that sync pulls", _chain(_PROFILES, _PULLS_AND_BILLS, _TOTAL)),
    )
}  # fmt: skip


def workflow(name: str) -> Workflow:
    """A built-in workflow by name. Raises Unprocessable that lists the known."""
    if name not in WORKFLOWS:
        raise unknown_workflow(name, WORKFLOWS)
    return WORKFLOWS[name]


def unknown_workflow(name: str, known: Iterable[str]) -> Unprocessable:
    """The error for a name that is none of the known workflows."""
    message = f"unknown workflow {name[:40]!r}; known: {', '.join(sorted(known))}"
    return Unprocessable(message, [{"field": "workflow", "message": "unknown"}])


def joins(name: str) -> bool:
    """Whether only one run of a workflow and scope is open at a time; so it is of all that users store."""
    return name not in WORKFLOWS or WORKFLOWS[name].joins
