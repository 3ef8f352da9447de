"""Workflows as data: the JSON that users write, and its fluent form. `pipeline.flow_forms` checks what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.model import limits

_Name = Annotated[str, StringConstraints(max_length=limits.MAX_WORD_CHARS)]
Days = Literal["fresh", "settling", "whole", "missing"]
"""Which days a stage asks for (`intake.collect.planner.Reach`)."""


class StageKind(StrEnum):
    """What a stage does. The function of a kind may not be deployed: then the stage is left out."""

    PULL = "pull"
    RECONCILE = "reconcile"
    AGGREGATE = "aggregate"
    CURATE = "curate"
    DETECT = "detect"
    LEARN = "learn"
    ENRICH = "enrich"
    FEATURES = "features"
    ETL = "etl"
    REPORT = "report"
    DIGEST = "digest"


KINDS: Mapping[StageKind, str] = {
    StageKind.PULL: "pulls datasets from the platforms",
    StageKind.RECONCILE: "compares what is stored with the platforms' own totals",
    StageKind.AGGREGATE: "sums metrics by platform, channel, campaign and arm, per day, week and month",
    StageKind.CURATE: "keeps what is stored as tables that SQL reads",
    StageKind.DETECT: "looks for anomalies",
    StageKind.LEARN: "learns which arms of campaigns convert best",
    StageKind.ENRICH: "adds what models say of ads",
    StageKind.FEATURES: "records features of ads and ad accounts",
    StageKind.ETL: "builds the media-mix datasets of the client accounts",
    StageKind.REPORT: "makes reports",
    StageKind.DIGEST: "sends a digest",
}

WORKERS: Mapping[StageKind, str] = {
    StageKind.RECONCILE: "etl",
    StageKind.AGGREGATE: "etl",
    StageKind.ETL: "etl",
    StageKind.CURATE: "curate",
    StageKind.DETECT: "detect",
    StageKind.LEARN: "learn",
    StageKind.ENRICH: "enrich",
    StageKind.FEATURES: "features",
}
"""By kind of stages whose tasks are those of client accounts: the function that does them, whose queue has its name."""


class SumLevel(StrEnum):
    """By what a stage of the kind `aggregate` sums."""

    PLATFORM = "platform"
    CHANNEL = "channel"
    CAMPAIGN = "campaign"
    ARM = "arm"


class SumGrain(StrEnum):
    """Per what it sums; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class OnFailure(StrEnum):
    """What a run does when too few tasks of a stage loaded.

    STOP: it begins no other stage. GO_ON: the stages after it run as if it had not failed. SKIP: the stages that depend
    on it are left out, and the others run.
    """

    STOP = "stop"
    GO_ON = "go_on"
    SKIP = "skip"


class StageForm(BaseModel):
    """A stage of a workflow."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: _Name = Field(description="Its name in the workflow: lower-case letters, digits, - and _, at most 32.")
    kind: StageKind = Field(description="What it does.")
    after: tuple[_Name, ...] = Field(
        default=(),
        max_length=limits.MAX_WORKFLOW_STAGES,
        description="The stages that have to end before it begins; none: it begins with the run.",
    )
    datasets: tuple[_Name, ...] = Field(
        default=(),
        max_length=limits.MAX_SCOPE_NAMES,
        description="Of `pull`: what it pulls, where a platform has it.",
        examples=[["campaign_daily"]],
    )
    platforms: tuple[_Name, ...] = Field(
        default=(), max_length=limits.MAX_SCOPE_NAMES, description="Of `pull`: from which platforms; none means all."
    )
    reach: Days | None = Field(default=None, description="Of `pull`: which days it asks for; `fresh` when left out.")
    levels: tuple[_Name, ...] = Field(
        default=(),
        max_length=limits.MAX_SCOPE_NAMES,
        description="Of `aggregate`: by what it sums; none means by each: platform, channel, campaign, arm.",
    )
    grains: tuple[_Name, ...] = Field(
        default=(),
        max_length=limits.MAX_SCOPE_NAMES,
        description="Of `aggregate`: per what it sums; none means per each: day, week, month.",
    )
    threshold: float = Field(
        default=0.0, ge=0.0, le=1.0, description="The share of its tasks that has to load; at least one always has to."
    )
    timeout_minutes: int | None = Field(
        default=None,
        ge=1,
        le=limits.MAX_STAGE_TIMEOUT_MINUTES,
        description="What is open so long after it began has failed.",
    )
    on_failure: OnFailure = Field(
        default=OnFailure.STOP,
        description="When too few of its tasks load: begin no other stage, go on, or skip what comes after it.",
    )


class WorkflowForm(BaseModel):
    """A workflow: stages, of which each begins when those that it comes after have ended."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    about: Annotated[str, StringConstraints(max_length=limits.MAX_NAME_CHARS)] = Field(
        default="", description="What it is for."
    )
    stages: tuple[StageForm, ...] = Field(min_length=1, max_length=limits.MAX_WORKFLOW_STAGES)


class WorkflowBuilder:
    """A workflow, stage by stage; each call returns a longer one. `form` is what the API takes.

    `Workflow.build("nightly").stage("google", "pull", datasets=["ad_daily"], platforms=["google_ads"])
    .stage("model", "etl", after=["google"]).form()`
    """

    def __init__(self, name: str, about: str = "", stages: tuple[Mapping[str, Any], ...] = ()) -> None:
        self.name = name
        self._about = about
        self._stages = stages

    def stage(self, name: str, kind: str, *, after: Iterable[str] = (), **fields: Any) -> Self:
        """With one stage more; `fields` are those of `StageForm`."""
        fresh = {"name": name, "kind": kind, "after": list(after), **fields}
        return type(self)(self.name, self._about, (*self._stages, fresh))

    def form(self) -> dict[str, Any]:
        """The workflow as JSON. Raises pydantic's ValidationError for fields and values that no stage has."""
        given = {"name": self.name, "about": self._about, "stages": [dict(stage) for stage in self._stages]}
        WorkflowForm.model_validate({key: value for key, value in given.items() if key != "name"})
        return given
