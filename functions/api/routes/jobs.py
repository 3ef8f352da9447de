"""Jobs: workflows that start by themselves, at the times of a schedule."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.jobs import JobState, ScheduledJob
from adweir.model.labels import PATTERN
from adweir.model.schedules import Schedule
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import Given, Instant, NextToken, OneOf, PlatformName, RunId, Shown, StartedRun

Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_PATH_ID_CHARS)]
Names = Annotated[list[Name], Field(max_length=limits.MAX_SCOPE_NAMES)]
JobName = Annotated[
    str, StringConstraints(pattern=PATTERN, max_length=limits.MAX_WORD_CHARS), Field(examples=["nightly"])
]
JobPath = Annotated[str, Path(description="The job's name.")]
Arguments = Annotated[dict[str, Any], Field(max_length=limits.MAX_SCOPE_NAMES)]
_ARGUMENTS = "`datasets`, `slice`, `start`, `end`, as in the scope of a run; of a pipeline also its `arguments`."


class JobFields(Given):
    """What a job runs, on what, and when."""

    workflow: Name = Field(description="The workflow's name.", examples=["daily"])
    schedule: Schedule = Field(description="When it fires.")
    timezone: Name = Field(
        default="UTC", description="The IANA time zone of its clock times.", examples=["Europe/Berlin"]
    )
    args: Arguments = Field(default={}, description=_ARGUMENTS, examples=[{"datasets": ["campaign_daily"]}])
    accounts: Names = Field(default=[], description="Client companies, by id. None means all.", examples=[[]])
    profiles: Names = Field(
        default=[],
        description="Ad accounts: by their platform's id, or `<platform>#<id>`. None means all.",
        examples=[[]],
    )
    platforms: Annotated[list[PlatformName], Field(max_length=limits.MAX_SCOPE_NAMES)] = Field(
        default=[], description="None means all.", examples=[[]]
    )
    lookback_days: int = Field(
        default=0,
        ge=0,
        le=limits.MAX_LOOKBACK_DAYS,
        description="So many days before each ad account's today are pulled again; 0: as many as its datasets and its"
        " options say.",
    )


class NewJob(JobFields):
    """A job to store and to schedule."""

    name: JobName


class JobChange(Given):
    """The fields to change, each as a whole; the others stay."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    workflow: Name = Field(default="", min_length=1)
    schedule: Schedule | None = Field(default=None, description="When it fires.")
    timezone: Name = Field(default="", description="The IANA time zone of its clock times.")
    args: Arguments = Field(default={}, description=_ARGUMENTS)
    accounts: Names = Field(default=[], description="Client companies, by id. None means all.")
    profiles: Names = Field(default=[], description="Ad accounts. None means all.")
    platforms: Annotated[list[PlatformName], Field(max_length=limits.MAX_SCOPE_NAMES)] = Field(
        default=[], description="None means all."
    )
    lookback_days: int = Field(default=0, ge=0, le=limits.MAX_LOOKBACK_DAYS)


class FiringAnswer(Shown):
    """What came of a time at which a job fired."""

    scheduled_at: Instant
    outcome: Annotated[str, OneOf("started", "skipped", "refused")]
    run_id: RunId | None = Field(description="The run that was started.")
    reason: str | None = Field(description="Why none was.")
    at: Instant


class JobAnswer(Shown):
    """A job and its next times."""

    name: JobName
    job_id: str = Field(description="The name of its schedule.", examples=["job_5f0c1d2e3b4a59687786"])
    state: JobState
    workflow: str
    args: dict[str, Any]
    schedule: dict[str, Any] = Field(description="As it was stored.", examples=[{"type": "daily", "at": "05:30"}])
    timezone: str
    accounts: list[str]
    profiles: list[str]
    platforms: list[str]
    lookback_days: int
    next_runs: list[Instant] = Field(
        description="Its next times, on its time zone's clocks; none while it is paused.",
        examples=[["2026-11-24T05:30:00+01:00"]],
    )
    last_fired: FiringAnswer | None = Field(description="The newest of the last 90 days.")
    problem: str | None = Field(description="What keeps it from doing what it is for, and what to do.")
    version: int = Field(description="Grows with each change.", ge=1)
    created_at: Instant
    updated_at: Instant


class StoredJob(JobAnswer):
    """The job as it is stored now."""

    warnings: list[str] = Field(description="What may not be expected, e.g. days on which its time does not exist.")


class JobList(Shown):
    """All jobs, by name."""

    jobs: list[JobAnswer]
    next_token: NextToken = None


class RemovedJob(Shown):
    """The job that was removed."""

    name: str
    status: Literal["removed"] = "removed"


jobs = Resource("Jobs", "Workflows that start by themselves")


@jobs.route("POST", "/api/v1/jobs", "Create a job", scope="write", status=201, errors=(409,))
def create_job(app: Here, caller: Caller, new: NewJob) -> StoredJob:
    """It fires from its next time on. `warnings` names the days on which a clock change leaves its time out."""
    return _stored(app, caller, "create job", app.jobs.create(new.model_dump(exclude_unset=True)), None)


@jobs.route("GET", "/api/v1/jobs", "List the jobs")
def list_jobs(app: Here) -> JobList:
    return JobList(jobs=_shown(app, app.catalog.jobs()))


@jobs.route("GET", "/api/v1/jobs/{name}", "Get a job")
def get_job(app: Here, name: JobPath) -> JobAnswer:
    return _shown(app, [app.catalog.job(name)])[0]


@jobs.route("PATCH", "/api/v1/jobs/{name}", "Change a job", scope="write", errors=(409,))
def change_job(app: Here, caller: Caller, name: JobPath, change: JobChange) -> StoredJob:
    """What was due before the change still runs, as the job is then; from then on it fires by its new times alone."""
    changes = change.model_dump(exclude_unset=True)
    if not changes or changes.get("schedule", "") is None:
        raise Unprocessable("nothing to change", [{"field": "body", "message": "at least one field is needed"}])
    was = app.catalog.job(name)
    return _stored(app, caller, "change job", app.jobs.change(name, changes), was)


@jobs.route("POST", "/api/v1/jobs/{name}/pause", "Pause a job", scope="write", errors=(409,))
def pause_job(app: Here, caller: Caller, name: JobPath) -> StoredJob:
    """It fires no more until it is resumed. Runs that it started go on. May be repeated."""
    was = app.catalog.job(name)
    return _stored(app, caller, "pause job", app.jobs.pause(name), was)


@jobs.route("POST", "/api/v1/jobs/{name}/resume", "Resume a job", scope="write", errors=(409,))
def resume_job(app: Here, caller: Caller, name: JobPath) -> StoredJob:
    """It fires from its next time on; what was due meanwhile is not made up. May be repeated."""
    was = app.catalog.job(name)
    return _stored(app, caller, "resume job", app.jobs.resume(name), was)


@jobs.route("POST", "/api/v1/jobs/{name}/run", "Run a job now", scope="write", status=202, errors=(409,))
def run_job(app: Here, caller: Caller, name: JobPath) -> StartedRun:
    """Starts its workflow as its schedule would, a paused job's too. Its times stay as they are."""
    from adweir.pipeline.starting import ask_for

    run_id = ask_for(app.ledger, app.queues.runs, app.jobs.run(name))
    note_change(app, caller, "run job", name, f"run_id {run_id}", kind="job")
    return StartedRun(run_id=run_id)


@jobs.route("DELETE", "/api/v1/jobs/{name}", "Remove a job", scope="write", errors=(409,))
def remove_job(app: Here, caller: Caller, name: JobPath) -> RemovedJob:
    """Runs that it started go on. A removal that broke off can be requested again."""
    job = app.jobs.remove(name)
    note_change(app, caller, "remove job", name, "removed", kind="job")
    return RemovedJob(name=job.name)


def _stored(app: App, caller: str, deed: str, job: ScheduledJob, was: ScheduledJob | None) -> StoredJob:
    from adweir.pipeline.jobs.checks import left_out, warnings
    from adweir.pipeline.recorded import job_changes

    note_change(app, caller, deed, job.name, f"version {job.version}", kind="job", changes=job_changes(was, job))
    said = [*left_out(app.catalog, job, app.stage_kinds), *warnings(job, app.clock.now())]
    return StoredJob(**_shown(app, [job])[0].model_dump(), warnings=said[: limits.MAX_WARNINGS])


def _shown(app: App, found: list[ScheduledJob]) -> list[JobAnswer]:
    from adweir.pipeline.jobs.shown import shown_jobs

    return [JobAnswer(**each) for each in shown_jobs(found, app.catalog, app.ledger, app.clock.now())]
