"""Workflows, declared as data: which stages, which datasets, how far back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from adweir.intake.collect.planner import Reach
from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.messages import Scope
from adweir.model.metrics import Grain
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
_BESIDE = tuple(dataset for dataset in _DAILY if dataset not in (*_LADDER, *_TOTALS))


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage pulls what a platform has of `datasets`, in this order; `accepts` lists what a scope may name here.

    A level is left out where a finer one sums to it (`DatasetSpec.sums_to_parent`), and what is pulled on request only
    where nobody wants it. The run goes on after the stage when at least one task and at least the share
    `threshold` of its tasks loaded, or when it had no task at all.
    """

    name: str
    datasets: tuple[Dataset, ...]
    accepts: tuple[Dataset, ...]
    reach: Reach = Reach.FRESH
    threshold: float = 0.0

    def choose(
        self, specs: Mapping[Dataset, DatasetSpec], scope: Scope, wanted: Collection[str] = ()
    ) -> list[DatasetSpec]:
        """What to pull from a platform that serves `specs`; `wanted` are a profile's datasets on request."""
        if scope.datasets:
            named = [specs[dataset] for dataset in self.accepts if dataset in specs and dataset in scope.datasets]
            return [spec for spec in named if _has_slices(spec, scope)]
        finer = {dataset: _LADDER[:place] for place, dataset in enumerate(_LADDER)} | dict.fromkeys(_TOTALS, _LADDER)
        chosen: list[DatasetSpec] = []
        for dataset in self.datasets:
            spec = specs.get(dataset)
            if spec is None or (spec.on_request and dataset not in wanted) or not _has_slices(spec, scope):
                continue
            if not any(specs[below].sums_to_parent for below in finer.get(dataset, ()) if below in specs):
                chosen.append(spec)
        return chosen

    def goes_on(self, tasks: int, good: int) -> bool:
        """Whether `good` (loaded or skipped) of `tasks` are enough."""
        return tasks == 0 or (good > 0 and good >= self.threshold * tasks)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow: its stages run one after the other."""

    name: str
    about: str
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage:
        """A stage by name. Raises Unprocessable."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise Unprocessable(f"workflow {self.name} has no stage {name!r}", [{"field": "stage"}])

    def after(self, name: str) -> Stage | None:
        """The stage that follows, or None after the last."""
        names = [stage.name for stage in self.stages]
        following = names.index(self.stage(name).name) + 1
        return self.stages[following] if following < len(names) else None

    @property
    def accepts(self) -> tuple[Dataset, ...]:
        """The datasets that a scope may name."""
        return tuple(dataset for stage in self.stages for dataset in stage.accepts)


def _has_slices(spec: DatasetSpec, scope: Scope) -> bool:
    """An account's total has no part that could be asked for alone."""
    return scope.slice == ALL or spec.dataset not in _TOTALS


_METRICS = (*_LADDER, *_BESIDE)
_PROFILES = Stage("profiles", (Dataset.PROFILES,), (Dataset.PROFILES,))
# Metrics first: their reports are made on the platforms while the objects are listed. Neither needs the other.
_PULLS = Stage("pulls", (*_METRICS, *_ENTITIES), (*_ENTITIES, *_METRICS, *_BILLS))
_PULLS_AND_BILLS = replace(_PULLS, datasets=(*_PULLS.datasets, *_BILLS))
# Totals last: only a total that is newer than the levels can say whether what they no longer bring is gone.
_TOTAL = Stage("totals", _TOTALS, _TOTALS)


def _metrics(reach: Reach, accepts: tuple[Dataset, ...], beside: tuple[Dataset, ...] = ()) -> tuple[Stage, Stage]:
    return Stage("metrics", (*_METRICS, *beside), (*accepts, *beside), reach), Stage("totals", _TOTALS, _TOTALS, reach)


WORKFLOWS: Mapping[str, Workflow] = {
    workflow.name: workflow
    for workflow in (
        Workflow("daily", "ad accounts, then their objects and the days that are missing or still change",
                 (_PROFILES, _PULLS, _TOTAL)),
        Workflow("sync", "the daily workflow and the newest invoices, asked for through the API",
                 (_PROFILES, _PULLS_AND_BILLS, _TOTAL)),
        Workflow("weekly", "every day that a platform may still restate, and the newest invoices",
                 _metrics(Reach.SETTLING, _METRICS, _BILLS)),
        Workflow("hourly", "today's hours of the platforms that report them, and what changed where that is wanted",
                 (Stage("metrics", (Dataset.CAMPAIGN_HOURLY,), _HOURLY),
                  Stage("changes", (Dataset.CHANGES,), (Dataset.CHANGES,)))),
        Workflow("repull", "a platform said that these objects or days changed: all of them again",
                 _metrics(Reach.WHOLE, (*_ENTITIES, *_METRICS, *_HOURLY))),
        Workflow("backfill", "the days of a range that were never pulled, and the invoices of its months",
                 _metrics(Reach.MISSING, (*_METRICS, *_HOURLY), _BILLS)),
    )
}  # fmt: skip


def workflow(name: str) -> Workflow:
    """A workflow by name. Raises Unprocessable that lists the known."""
    try:
        return WORKFLOWS[name]
    except KeyError:
        raise Unprocessable(
            f"unknown workflow {name[:40]!r}; known: {', '.join(sorted(WORKFLOWS))}",
            [{"field": "workflow", "message": "unknown"}],
        ) from None
