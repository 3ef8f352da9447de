"""What travels through our queues: small, versionless JSON with ids only; the ledger and S3 hold the rest."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import AdweirError
from adweir.model.labels import DEFAULT
from adweir.model.platforms import Platform
from adweir.model.tasks import AnyTask, Cause, Task

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
"""A count, a size or a time: what is larger, or negative, no code of ours has written."""
Id = Annotated[str, Field(max_length=limits.MAX_OBJECT_ID_CHARS)]
"""An id or a name: part of a key, which a longer one could not be."""
Slice = Annotated[str, Field(max_length=limits.MAX_OBJECT_ID_CHARS + len("campaign="))]
Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(3000, 1, 1))]


class Message(BaseModel):
    """Base of queue messages.

    `not_before` (Unix seconds) and `attempt` belong to waiting: a message that asks to wait longer than SQS can delay
    (900 s) is sent again until its time has come.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    not_before: Count = 0
    attempt: Count = 0

    def later(self, due: int, error: AdweirError) -> Self:
        """The same message, which waits until `due` (Unix seconds) because of an error."""
        return self.model_copy(update={"not_before": due, "attempt": self.attempt + 1, **self._waits(due, error)})

    def _waits(self, _due: int, _error: AdweirError) -> dict[str, Any]:
        """Which fields say what the message waits for."""
        return {}


class TaskMessage(Message):
    """collect, reports and etl queues: work on this task of this generation.

    On the reports queue also: `report_deadline` (Unix seconds by our clock; 0: none), after which the report is given
    up, and `resubmits`, how often it was requested again.

    `account_id` to `label` are the task's own, so that a worker can read all that it needs with one request. They may
    be absent, and the stored task decides.
    """

    run_id: Id
    task_id: Id
    generation: Count = 0
    report_deadline: Count = 0
    resubmits: Count = 0
    account_id: Id = ""
    platform: Platform | None = None
    profile_id: Id = ""
    label: Id = ""

    @classmethod
    def of(cls, task: AnyTask, *, report_deadline: int = 0, resubmits: int = 0) -> Self:
        """Work on this task."""
        if not isinstance(task, Task):
            return cls(run_id=task.run_id, task_id=task.id, generation=task.generation, account_id=task.account_id)
        return cls(
            run_id=task.run_id,
            task_id=task.id,
            generation=task.generation,
            report_deadline=report_deadline,
            resubmits=resubmits,
            account_id=task.account_id,
            platform=task.platform,
            profile_id=task.profile_id,
            label=task.label,
        )


class Scope(BaseModel):
    """What a run covers; empty tuples mean all.

    `lookback_days`: so many days before an ad account's today are pulled again, in place of what its datasets and its
    options say; 0 leaves it to them. `campaign` and `mix_days`: media-mix datasets are made of this cross-platform
    campaign alone, and of so many days before an ad account's today; without them of all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts: tuple[Id, ...] = ()
    platforms: tuple[Id, ...] = ()
    profiles: tuple[Id, ...] = ()
    datasets: tuple[Id, ...] = ()
    slice: Slice = "all"
    start: Id = ""
    end: Id = ""
    lookback_days: Annotated[int, Field(ge=0, le=limits.MAX_LOOKBACK_DAYS)] = 0
    campaign: Id = ""
    mix_days: Annotated[int, Field(ge=0, le=limits.MAX_MIX_DAYS)] = 0

    @property
    def only_account(self) -> str:
        """The client account that it is about, "" for several or all."""
        return self.accounts[0] if len(self.accounts) == 1 else ""


class StartRun(Message):
    """runs queue: begin a workflow. The same `run_id` twice is one run.

    `scheduled_at` is the time the schedule meant (ISO 8601); planning uses only it. `args` are the arguments of the
    workflow (`pipeline.pipelines`); what they say of the scope is in the scope, too. `then_id`: where the run of this
    id has begun before `scheduled_at`, too early to see what this message is about, the run that is begun in its place,
    at `then_at` (Unix seconds). `arrived`: what the run follows, by its name in how many loads (`model.arrivals`).
    """

    kind: Literal["start"] = "start"
    workflow: Id
    scheduled_at: datetime
    scope: Scope = Scope()
    args: dict[str, Any] = {}
    run_id: Id = ""
    trigger: Id = "schedule"
    then_id: Id = ""
    then_at: Count = 0
    arrived: dict[Id, Count] = {}


class StartJob(Message):
    """runs queue: a job's schedule fired. `since` is the job's `changed_at` as of which the schedule was made (it tells
    schedules apart), `scheduled_at` the time that was due."""

    kind: Literal["job"] = "job"
    name: Id
    job_id: Id
    since: Id
    scheduled_at: datetime


class PlanStage(Message):
    """runs queue: plan a stage that one worker has won the right to start."""

    kind: Literal["plan"] = "plan"
    run_id: Id
    stage: Id


class Advance(Message):
    """runs queue: a task of this run became terminal; see whether its stage ended."""

    kind: Literal["advance"] = "advance"
    run_id: Id
    task_id: Id = ""


class Sweep(Message):
    """runs queue: fail what is overdue, send again what makes no progress, advance every open run."""

    kind: Literal["sweep"] = "sweep"


class Redrive(Message):
    """runs queue: plan the failed, parked and quarantined tasks of a run again as a new generation.

    `accept_vanish` lets through a pull that `mass_vanish` held back.
    """

    kind: Literal["redrive"] = "redrive"
    run_id: Id
    task_ids: tuple[Id, ...] = ()
    accept_vanish: bool = False


class CancelRun(Message):
    """runs queue: make the open tasks of a run cancelled."""

    kind: Literal["cancel"] = "cancel"
    run_id: Id


class Narrow(Message):
    """runs queue: the object of this task takes too long to load; pull half of its days at a time."""

    kind: Literal["narrow"] = "narrow"
    run_id: Id
    task_id: Id
    generation: Count = 0


class RedriveCredential(Message):
    """runs queue: a new credential arrived; redrive the tasks that waited for it."""

    kind: Literal["redrive_credential"] = "redrive_credential"
    account_id: Id
    platform: Id
    label: Id = DEFAULT


class ResumeTasks(Message):
    """runs queue: a brake was released by hand; try the tasks again that waited for it.

    `profile` is the part of `Task.profile_key` behind the platform; empty means all ad accounts of the platform.
    """

    kind: Literal["resume"] = "resume"
    platform: Id
    profile: Id = ""


class Replay(Message):
    """runs queue: load the stored raw objects again that answer for a profile's days.

    `load` orders it (`model.tasks.Stamp`), `cause` is why. A message that cannot send them all sends one with the
    `cursor` at which the next continues.
    """

    kind: Literal["replay"] = "replay"
    replay_id: Id
    account_id: Id
    platform: Platform
    profile_id: Id
    datasets: tuple[Dataset, ...]
    start: Day
    end: Day
    load: Count
    cause: Cause
    cursor: str = ""


class ReplayHeld(Message):
    """runs queue: load an object again of which rows are in quarantine.

    `key` in version `version_id` ("": the newest) goes to the landing queue as this `load`; `group` is its fair-queue
    key.
    """

    kind: Literal["replay_held"] = "replay_held"
    key: str = Field(max_length=limits.MAX_OBJECT_KEY_CHARS)
    version_id: str = Field(default="", max_length=limits.MAX_OBJECT_KEY_CHARS)
    load: Count
    group: str = ""


RunMessage = Annotated[
    StartRun
    | StartJob
    | PlanStage
    | Advance
    | Sweep
    | Narrow
    | Redrive
    | CancelRun
    | RedriveCredential
    | ResumeTasks
    | Replay
    | ReplayHeld,
    Field(discriminator="kind"),
]
RUN_MESSAGE: TypeAdapter[RunMessage] = TypeAdapter(RunMessage, config=ConfigDict(defer_build=True))


class ObjectArrived(Message):
    """landing queue, after parsing EventBridge's or S3's own notification: an object to load.

    A raw object that is loaded again by a replay has the replay's `load`, `cause` and id. One that waits names the
    lease that was `busy`: until `busy_until` (Unix seconds) its waiting takes no more than a look at that. `stuck`
    counts the invocations that read it, one after another, and had no time to store anything.
    """

    bucket: str
    key: str
    version_id: str = ""
    size: Count = 0
    load: Count = 0
    cause: Cause | Literal[""] = ""
    replay_id: Id = ""
    busy: str = ""
    busy_until: Count = 0
    stuck: Count = 0

    def _waits(self, due: int, error: AdweirError) -> dict[str, Any]:
        busy = str(error.context.get("lease", ""))
        goes_on = busy == self.busy and due < self.busy_until
        until = self.busy_until if goes_on else due + limits.MAX_LEASE_LOOKS_SECONDS
        stuck = self.stuck + 1 if error.context.get("is_stuck") else self.stuck if busy else 0
        return {"busy": busy, "busy_until": until, "stuck": stuck}


class MakeExport(Message):
    """etl queue: go on with an export; `part` is the part to make next, of at most so many `days` (0: a month).

    `query`: the warehouse's, whose rows it is made of, and `basis` what the query was begun on; how often it was looked
    at is `attempt`. `stored`: no warehouse is asked, or not any more.
    """

    kind: Literal["export"] = "export"
    export_id: Id
    part: int = Field(default=0, ge=0)
    days: int = Field(default=0, ge=0)
    query: str = Field(default="", max_length=128)
    basis: str = Field(default="", max_length=128)
    stored: bool = False
