"""Creates, changes, pauses, resumes and removes jobs: in the catalog, and their schedules.

The catalog decides, by version, who changes a job; only then is its schedule written. In between the stored job says
that a change is under way, so that one which broke off is seen, goes on firing by the schedule that it has, and is
completed by the next change.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.errors import Conflict, NotFound, Unavailable, Unprocessable
from adweir.model.ids import IdKind, NewId, run_id_for
from adweir.model.jobs import JobState, ScheduledJob, UnderWay
from adweir.model.messages import StartRun
from adweir.model.ports import SCHEDULED_AT, ScheduleEntry, ScheduleStore
from adweir.model.times import iso
from adweir.pipeline.flow_forms import find_flow
from adweir.pipeline.jobs.checks import JobChecks, covers, gone
from adweir.pipeline.jobs.fired import trigger_of

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.platforms import Platforms
    from adweir.store.catalog.store import Catalog

_TIMES = ("schedule", "timezone", "state")
"""The fields of a job that its schedule is made of."""


class ScheduledJobs:
    """The deployment's jobs. Every method but `run` raises Conflict when two change a job at the same moment."""

    def __init__(
        self, catalog: Catalog, schedules: ScheduleStore, platforms: Platforms, clock: Clock, new_id: NewId
    ) -> None:
        self._catalog = catalog
        self._schedules = schedules
        self._checks = JobChecks(catalog, platforms)
        self._clock = clock
        self._new_id = new_id

    def create(self, fields: Mapping[str, Any]) -> ScheduledJob:
        """A new job. Raises Unprocessable that lists every fault, Conflict for a taken name or one job too many."""
        now = iso(self._clock.now())
        moments = dict.fromkeys(("anchor", "changed_at", "created_at", "updated_at"), now)
        job_id = IdKind.JOB.make(self._new_id)
        job = self._checks.checked(
            ScheduledJob.model_validate({**fields, **moments, "job_id": job_id}), self._clock.now()
        )
        self._make_room(job)
        begun = job.model_copy(update={"under_way": UnderWay.CREATION})
        if not self._catalog.put_job(begun, None):
            raise Conflict(f"there is a job {job.name} already: change it, or remove it first")
        try:
            self._schedules.put(_entry(begun, self._clock))
        except Unprocessable:
            self._catalog.drop_job(begun)
            raise
        except Unavailable:
            with suppress(Unavailable):
                self._schedules.remove(job_id)  # perhaps only its reply was lost
                self._catalog.drop_job(begun)
            raise
        return self._settled(begun)

    def change(self, name: str, changes: Mapping[str, Any], read: int | None = None) -> ScheduledJob:
        """Change fields of a job, each as a whole. Raises NotFound, Unprocessable, Conflict.

        What was due before the change still runs; from then on it fires by the new times alone. Here and below,
        Conflict also where the job has not the version that was `read`, if one is given.
        """
        return self._change(self._as_read(name, read), changes, check=True)

    def _as_read(self, name: str, version: int | None) -> ScheduledJob:
        found = self._catalog.job(name)
        if version not in {None, found.version}:
            raise _meanwhile(name)
        return found

    def _change(self, read: ScheduledJob, changes: Mapping[str, Any], *, check: bool) -> ScheduledJob:
        name = read.name
        now = iso(self._clock.now())
        job = ScheduledJob.model_validate(
            {**read.model_dump(), **changes, "version": read.version + 1, "updated_at": now}
        )
        if job.schedule != read.schedule:
            job = job.model_copy(update={"anchor": now})
        if check:
            job = self._checks.checked(job, self._clock.now())
            self._make_room(job)
        if not read.under_way and all(getattr(job, field) == getattr(read, field) for field in _TIMES):
            if not self._catalog.put_job(job, read):
                raise _meanwhile(name)
            return job
        begun = job.model_copy(update={"under_way": UnderWay.CHANGE, "changed_at": now})
        if not self._catalog.put_job(begun, read):
            raise _meanwhile(name)
        try:
            self._schedules.put(_entry(begun, self._clock))
        except Unprocessable:
            self._catalog.put_job(read.model_copy(update={"version": begun.version + 1}), begun)
            raise
        return self._settled(begun)

    def pause(self, name: str, read: int | None = None) -> ScheduledJob:
        """Fire no more until it is resumed; what is under way goes on. Raises NotFound, Conflict."""
        return self._switch(name, JobState.PAUSED, read)

    def resume(self, name: str) -> ScheduledJob:
        """Fire again at its times; what was due meanwhile is not made up. Raises NotFound, Conflict, Unprocessable."""
        return self._switch(name, JobState.ACTIVE)

    def _switch(self, name: str, state: JobState, version: int | None = None) -> ScheduledJob:
        read = self._as_read(name, version)
        if read.state is state and not read.under_way:
            return read
        return self._change(read, {"state": state}, check=state is JobState.ACTIVE)  # what cannot run can be paused

    def remove(self, name: str, version: int | None = None) -> ScheduledJob:
        """Forget a job and its schedule; runs that it started go on. Raises NotFound, Conflict."""
        read = self._as_read(name, version)
        begun = read.model_copy(update={"under_way": UnderWay.REMOVAL, "version": read.version + 1})
        if not self._catalog.put_job(begun, read):
            raise _meanwhile(name)
        self._schedules.remove(read.job_id)
        if not self._catalog.drop_job(begun):
            raise _meanwhile(name)
        return read

    def run(self, name: str) -> StartRun:
        """What starts a job's workflow now, whether it is paused or not.

        Raises NotFound, and Conflict for a job that cannot run as it is.
        """
        job, now = self._catalog.job(name), self._clock.now()
        try:
            flow, covered = find_flow(self._catalog, job.workflow), covers(self._catalog, job)
        except Unprocessable as error:
            raise Conflict(f"{error.message}; change the job") from None
        if covered is None:
            raise Conflict(gone(job))
        return StartRun(
            workflow=flow.name,
            scheduled_at=now,
            scope=covered[0],
            args=covered[1],
            run_id=run_id_for(job.name, now, self._new_id()),
            trigger=trigger_of(job.name),
        )

    def _make_room(self, job: ScheduledJob) -> None:
        """Raises Conflict when there are too many other jobs."""
        others = [other for other in self._catalog.jobs() if other.name != job.name]
        if len(others) >= limits.MAX_JOBS:
            raise Conflict(f"there are {limits.MAX_JOBS} jobs: remove one that nobody needs")
        for account_id in job.accounts:
            if sum(account_id in other.accounts for other in others) >= limits.MAX_ACCOUNT_JOBS:
                raise Conflict(f"account {account_id} has {limits.MAX_ACCOUNT_JOBS} jobs: remove one that nobody needs")

    def _settled(self, begun: ScheduledJob) -> ScheduledJob:
        """The job whose schedule is written. Who was overtaken writes the schedule of who was later once more."""
        done = begun.model_copy(update={"under_way": UnderWay.NOTHING, "version": begun.version + 1})
        if self._catalog.put_job(done, begun):
            return done
        try:
            current = self._catalog.job(begun.name)
        except NotFound:
            current = None
        if current is None or current.job_id != begun.job_id:
            self._schedules.remove(begun.job_id)
        else:
            self._schedules.put(_entry(current, self._clock))
        raise _meanwhile(begun.name)


def _entry(job: ScheduledJob, clock: Clock) -> ScheduleEntry:
    """A job's schedule. Raises Unprocessable."""
    timing = job.timing()
    return ScheduleEntry(
        name=job.job_id,
        expression=timing.expression,
        timezone=timing.timezone,
        start=timing.start(clock.now()),
        enabled=job.state is JobState.ACTIVE,
        message={
            "kind": "job",
            "name": job.name,
            "job_id": job.job_id,
            "since": job.changed_at,
            "scheduled_at": SCHEDULED_AT,
        },
    )


def _meanwhile(name: str) -> Conflict:
    return Conflict(f"someone else is changing job {name} at the same moment; try again")
