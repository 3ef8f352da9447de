"""The pipeline's own state."""

from typing import Annotated

from pydantic import ConfigDict, Field

from adweir.model import limits
from adweir.model.runs import RunState
from adweir.runtime.routes import Here, Resource
from routes.fields import (
    Instant,
    OneOf,
    PlatformId,
    RunId,
    Shown,
)

Health = Annotated[str, OneOf("healthy", "degraded", "unhealthy")]


class Part(Shown):
    """A part of the pipeline. `reason` says why it is not healthy; null where it is."""

    model_config = ConfigDict(extra="allow")
    status: Health
    reason: str | None = None


class PipelineParts(Shown):
    """The parts of the pipeline."""

    model_config = ConfigDict(extra="allow")
    store: Part = Field(
        description="`items`: each table, the bucket, the secrets and each queue; does it answer, and its `latency_ms`."
    )
    profiles: Part = Field(
        description="`items`: each ad account's last success, how many days it is behind, and what it waits for."
    )
    credentials: Part = Field(
        description="`broken`: the credentials that their platform refused; `ending`: those that end within"
        f" {limits.CREDENTIAL_ENDS_SOON_DAYS} days, or have ended, with their `ends_on` and `days_left`."
    )
    brakes: Part = Field(description="`on`: the pauses and circuit breakers that are in force.")
    queues: Part = Field(description="`items`: by queue the messages that are visible, in flight and delayed.")
    dead_letters: Part = Field(description="The same for the dead-letter queues.")
    runs: Part = Field(
        description="`last`: the newest finished run of each workflow; `troubled`: those that nothing has repaired."
    )
    jobs: Part = Field(description="`items`: the jobs that do not do what they are for, and why.")
    breaches: Part = Field(description="`items`: what is wrong with the data of ad accounts, and since when.")
    faults: Part = Field(description="`items`: stored items that cannot be read, and what was gone on past.")


class PipelineHealth(Shown):
    """The worst part's status, and each part."""

    status: Health
    checked_at: Instant
    parts: PipelineParts


class MeasuredStage(Shown):
    """A stage that ended."""

    name: str
    seconds: float | None
    tasks: int
    loaded: int
    failed: int


class MeasuredRun(Shown):
    """A run and how long it took."""

    run_id: RunId
    workflow: str
    state: RunState
    started_at: str
    ended_at: str | None
    seconds: float | None
    stages: list[MeasuredStage]


class StageSums(Shown):
    """A stage's tasks on one platform, over the newest runs."""

    workflow: str
    stage: str
    platform: PlatformId | None = Field(description="Null where the stage pulls nothing.")
    tasks: dict[str, int] = Field(description="Tasks by state.")
    failures: dict[str, int] = Field(description="Errors by code.")
    counts: dict[str, int] = Field(description="Rows read, stored, quarantined, …")
    seconds_mean: float | None = Field(description="From planning to load, waiting included.")
    seconds_max: float | None
    rows_per_second: float | None


class PipelineMetrics(Shown):
    """Counts, durations and failures of the newest runs."""

    runs: list[MeasuredRun]
    stages: list[StageSums]


pipeline = Resource("Pipeline", "The state of the pipeline")


@pipeline.route("GET", "/api/v1/pipeline/health", "Get the state of the pipeline")
def get_health(app: Here) -> PipelineHealth:
    """One degraded part degrades the whole.

    It is unhealthy when a table, the bucket, the secrets or a queue does not answer, no ad account succeeded lately,
    nothing has repaired a failed run, or a part cannot be read.
    """
    return PipelineHealth.of(app.health())


@pipeline.route("GET", "/api/v1/pipeline/metrics", "Get counts, durations and failures")
def get_metrics(app: Here) -> PipelineMetrics:
    """Of the newest runs, by workflow, stage and platform."""
    from adweir.pipeline.throughput import metrics

    return PipelineMetrics.of(metrics(app.ledger))
