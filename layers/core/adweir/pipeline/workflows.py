"""Workflows, declared as data: which stages, which datasets, how far back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adweir.intake.collect.planner import Reach
from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.messages import Scope
from adweir.platforms.base import DatasetSpec

_ENTITIES = (Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS, Dataset.KEYWORDS)
_DAILY = tuple(dataset for dataset in Dataset if dataset.value.endswith("_daily"))
_HOURLY = tuple(dataset for dataset in Dataset if dataset.value.endswith("_hourly"))
_FINEST_DAILY = (Dataset.AD_DAILY, Dataset.AD_GROUP_DAILY, Dataset.CAMPAIGN_DAILY)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: of each group in `datasets`, it pulls the first one that a platform has.

    Levels above the finest are summed on reading, so they are pulled only where a scope names them; `accepts` lists
    what a scope may name here. The run goes on after the stage when at least one task and at least the share
    `threshold` of its tasks loaded, or when it had no task at all.
    """

    name: str
    datasets: tuple[tuple[Dataset, ...], ...]
    accepts: tuple[Dataset, ...]
    reach: Reach = Reach.FRESH
    threshold: float = 0.0

    def choose(self, specs: Mapping[Dataset, DatasetSpec], scope: Scope) -> list[DatasetSpec]:
        """What to pull from a platform that serves `specs`."""
        if scope.datasets:
            return [specs[dataset] for dataset in self.accepts if dataset in specs and dataset in scope.datasets]
        firsts = (next((dataset for dataset in group if dataset in specs), None) for group in self.datasets)
        return [specs[dataset] for dataset in firsts if dataset is not None]

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


_PROFILES = Stage("profiles", ((Dataset.PROFILES,),), (Dataset.PROFILES,))
# Metrics first: their reports are made on the platforms while the objects are listed. Neither needs the other.
_PULLS = Stage("pulls", (_FINEST_DAILY, *((dataset,) for dataset in _ENTITIES)), (*_ENTITIES, *_DAILY))

WORKFLOWS: Mapping[str, Workflow] = {
    workflow.name: workflow
    for workflow in (
        Workflow("daily", "ad accounts, then their objects and the days that are missing or still change",
                 (_PROFILES, _PULLS)),
        Workflow("sync", "the daily workflow, asked for through the API", (_PROFILES, _PULLS)),
        Workflow("weekly", "every day that a platform may still restate",
                 (Stage("metrics", (_FINEST_DAILY,), _DAILY, Reach.SETTLING),)),
        Workflow("hourly", "today's hours of the platforms that report them",
                 (Stage("metrics", ((Dataset.CAMPAIGN_HOURLY,),), _HOURLY),)),
        Workflow("repull", "a platform said that these objects or days changed: all of them again",
                 (Stage("metrics", (_FINEST_DAILY,), (*_ENTITIES, *_DAILY, *_HOURLY), Reach.WHOLE),)),
        Workflow("backfill", "the days of a range that were never pulled",
                 (Stage("metrics", (_FINEST_DAILY,), (*_DAILY, *_HOURLY), Reach.MISSING),)),
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
