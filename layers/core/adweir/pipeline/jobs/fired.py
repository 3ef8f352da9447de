"""What becomes of a job that fired: a run, once per time that was due, or a reason why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING

from pydantic import ValidationError

from adweir.model.errors import NotFound, Unprocessable
from adweir.model.ids import run_id_for
from adweir.model.jobs import JobState, ScheduledJob, UnderWay
from adweir.model.log import log
from adweir.model.messages import StartJob, StartRun
from adweir.model.times import iso
from adweir.pipeline.alone import explain
from adweir.pipeline.jobs.checks import covers, gone
from adweir.pipeline.scopes import check_scheduled
from adweir.store.ledger.fired import REFUSED, SKIPPED, STARTED, Firing

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger


class FiredJobs:
    """Starts the runs of jobs that fired; `start` is the engine's."""

    def __init__(self, catalog: Catalog, ledger: Ledger, clock: Clock, start: Callable[[StartRun], str]) -> None:
        self._catalog = catalog
        self._ledger = ledger
        self._clock = clock
        self._start = start

    def start(self, message: StartJob) -> None:
        """Start the job's workflow for a time that was due. May be repeated, as EventBridge Scheduler may repeat it:
        the job and the time name the run.

        A job that is not there any more, or not to run, starts none; what came of the time is noted. Raises
        Unprocessable for a time that no schedule can mean.
        """
        check_scheduled(message.scheduled_at, self._clock.now())
        try:
            job = self._catalog.job(message.name)
        except NotFound:
            log.info("job %s fired and is not there any more", message.name)
            return
        if job.job_id != message.job_id:
            log.info("an earlier job %s fired", message.name)
            return
        scheduled_at = iso(message.scheduled_at.replace(tzinfo=message.scheduled_at.tzinfo or UTC))
        if reason := _why_not(job, message.since, scheduled_at):
            self._ledger.fired.note(job.job_id, Firing(scheduled_at, SKIPPED, reason=reason))
            return
        try:
            run_id = self._begin(job, message)
        except (Unprocessable, ValidationError) as error:
            reason = error.message if isinstance(error, Unprocessable) else explain(error)
            self._ledger.fired.note(job.job_id, Firing(scheduled_at, REFUSED, reason=reason))
            self._ledger.faults.note(f"job {job.name}", reason)
            return
        came = Firing(scheduled_at, STARTED, run_id) if run_id else Firing(scheduled_at, SKIPPED, reason=gone(job))
        self._ledger.fired.note(job.job_id, came)

    def _begin(self, job: ScheduledJob, message: StartJob) -> str:
        """The id of the run that was begun, "" where nothing is left to cover. Raises Unprocessable."""
        covered = covers(self._catalog, job)
        if covered is None:
            return ""
        scope, args = covered
        return self._start(
            StartRun(
                workflow=job.workflow,
                scheduled_at=message.scheduled_at,
                scope=scope,
                args=args,
                run_id=run_id_of_job(job, message),
                trigger=trigger_of(job.name),
            )
        )


def trigger_of(name: str) -> str:
    """What the runs of a job name as their trigger."""
    return f"job:{name}"


def run_id_of_job(job: ScheduledJob, message: StartJob) -> str:
    """The id of the run of a job for a time. What the job covers may change while it fires, and is no part of it."""
    at = message.scheduled_at.astimezone(UTC) if message.scheduled_at.tzinfo else message.scheduled_at
    return run_id_for(job.name, at, hashlib.sha256(f"{job.job_id} {at.isoformat()}".encode()).hexdigest())


def _why_not(job: ScheduledJob, since: str, scheduled_at: str) -> str:
    """Why a job does not run for a time at which it fired; "" where it does."""
    if job.under_way is UnderWay.REMOVAL:
        return "the job is being removed"
    if job.state is JobState.PAUSED:
        return "the job is paused"
    if since != job.changed_at and scheduled_at >= job.changed_at and not job.under_way:
        return "its times were changed before this one was due"
    return ""
