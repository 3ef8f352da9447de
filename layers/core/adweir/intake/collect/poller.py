"""`poll_reports`: polls a report at the platform's pace, lands it when it is ready, repeats it when it failed."""

from __future__ import annotations

from typing import NamedTuple

from adweir.intake.collect.asking import ask, let_go
from adweir.intake.collect.claim import Remaining, waits_for
from adweir.intake.collect.gate import FirstLook
from adweir.intake.collect.worker import Timing, Worker, too_slow
from adweir.model import limits, trace
from adweir.model.entities import Profile
from adweir.model.errors import (
    AdweirError,
    NotReady,
    ReportFailed,
    Throttled,
    TooMuchData,
    Transient,
    Unavailable,
)
from adweir.model.log import log
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task, TaskState
from adweir.model.times import epoch, iso, parse_instant
from adweir.platforms.connector import Connector, Report, ReportState

_CONSTANT_POLLS = 5
_GROWTH = 1.5
_SAID_SECONDS = 300


def rhythm(attempt: int, timing: Timing) -> float:
    """Seconds until poll number `attempt` + 1: constant for the first five, then growing to the longest."""
    grown = timing.poll * _GROWTH ** min(max(0, attempt - _CONSTANT_POLLS + 1), 64)
    return min(grown, max(timing.poll, timing.poll_max))


class Opened(NamedTuple):
    """What one poll works with: the open connector, the task's profile, and the seconds that are left."""

    connector: Connector
    profile: Profile | None
    remaining: Remaining


class Poller(Worker):
    """Works on one poll message at a time; waiting is a new delayed message, never a sleeping function."""

    def poll(self, message: TaskMessage, remaining: Remaining) -> None:
        """Poll the task's report once.

        Raises NotReady while it is being made, ReportFailed when it failed or came too late twice, TooMuchData when it
        is too large: `Outcomes.settle` then asks for smaller windows.
        """
        seen = self.gate.look(message)
        task, wait = seen.task, None
        if task is None or not self._waits(task, message):
            if task is not None and self._left(task, message):
                self._leave(task, message, seen)
            self._end(message, task)
            return
        trace.add(platform=task.platform, profile_id=task.profile_id, dataset=task.dataset)
        try:
            with self.gate.open(task, message, seen) as (connector, profile), self.applicable(task, profile):
                wait = self._look(task, message, Opened(connector, profile, remaining))
        except (Throttled, Transient) as error:
            self.ledger.note_wait(task.run_id, task.id, task.generation, waits_for(error, self.clock.now()))
            raise
        if wait is not None:
            raise wait

    def _waits(self, task: Task, message: TaskMessage) -> bool:
        """Whether the report is waited for, by nobody else at this moment, and not too late."""
        now = epoch(self.clock.now())
        ours = task.generation == message.generation and task.state is TaskState.WAITING_REPORT
        return ours and task.hold_until <= now <= task.deadline

    def _left(self, task: Task, message: TaskMessage) -> bool:
        """Whether the task ends, or was ended, while its report is made, and the report would stay on the platform."""
        late = task.state is TaskState.WAITING_REPORT and epoch(self.clock.now()) > task.deadline
        over = late or task.state in (TaskState.FAILED, TaskState.CANCELLED)
        ours = task.generation == message.generation and bool(task.report_id)
        return ours and over and self.gate.keeps_reports(task.platform)

    def _leave(self, task: Task, message: TaskMessage, seen: FirstLook) -> None:
        """Discard the report of a task that ended without it; where that fails, the task has ended all the same."""
        try:
            with self.gate.open(task, message, seen) as (connector, _):
                let_go(self.ledger, connector, task)
        except AdweirError as error:
            log.warning("a report stays on the platform", extra={"code": error.code, "reason": error.message})

    def _end(self, message: TaskMessage, task: Task | None) -> None:
        """Acknowledge a message that has nothing to poll. Raises what claiming its task does."""
        with self.claims.claimed(message, task) as held:
            if held is not None:
                self.ledger.release(held)

    def _look(self, task: Task, message: TaskMessage, opened: Opened) -> NotReady | None:
        """Ask for the report. As long as it is being made nothing is claimed: asking twice does no harm."""
        connector = opened.connector
        if self.landed_before(task, self.header(task, opened.profile, task.as_of, connector.route)):
            return None
        report = connector.report(task, task.report_id)
        overdue = 0 < message.report_deadline < epoch(self.clock.now())
        if report.state is ReportState.PENDING and not overdue:
            seconds = rhythm(message.attempt, self.timing(task))
            wait = NotReady(f"report {task.report_id} is being made", seconds, progress=report.progress)
            self._note(task, wait)
            return wait
        with self.claims.claimed(message, task) as held:
            if held is None:
                return None
            if (held.state, held.report_id) != (task.state, task.report_id):  # another worker went on with it
                self.ledger.release(held)
                return None
            found = self._take(held, message, report, opened)
            if found is not None:
                self.ledger.release(held, waits_for(found, self.clock.now()))
            return found

    def _note(self, task: Task, wait: NotReady) -> None:
        """Say in the task what it waits for, often enough for the sweep to see that its message is alive."""
        now = self.clock.now()
        unsaid = (now - parse_instant(task.updated_at)).total_seconds()
        if task.waits or unsaid >= min(_SAID_SECONDS, self.timing(task).poll_max):
            self.ledger.note_wait(task.run_id, task.id, task.generation, waits_for(wait, now))

    def _take(self, task: Task, message: TaskMessage, report: Report, opened: Opened) -> NotReady | None:
        """Do what a report that is no longer being made, or is overdue, asks for."""
        connector = opened.connector
        if report.state is ReportState.READY:
            try:
                return self._land(task, opened)
            except ReportFailed as error:  # its file is gone
                self._again(task, message, connector, error.message)
            except (Throttled, Transient, Unavailable):
                raise
            except AdweirError:  # the task ends without its report
                let_go(self.ledger, connector, task)
                raise
        elif report.state is ReportState.FAILED and report.too_large:
            let_go(self.ledger, connector, task)
            raise TooMuchData(f"the report is too large: {report.reason}", report_id=task.report_id)
        else:
            reason = report.reason or f"not ready after {self.timing(task).report_timeout} s"
            self._again(task, message, connector, reason)
        return None

    def _land(self, task: Task, opened: Opened) -> NotReady | None:
        """Download the report. A download that has to pause keeps its pages and goes on at the platform's cursor."""
        complete, cursor, watch = False, "", self.watch(task, opened.remaining)
        with self.raw.writer(self.header(task, opened.profile, task.as_of, opened.connector.route)) as writer:
            try:
                for page in opened.connector.report_pages(task, task.report_id):
                    writer.write(self.in_time(page, task, opened.remaining))
                    complete, cursor = complete or page.last, page.resume
                    if watch.is_short() and not page.last:
                        if not cursor:
                            raise too_slow()
                        self.keep(task, writer, task.as_of, cursor)
                        return NotReady("the download continues in another invocation", after=1)
            except Throttled:
                self.keep(task, writer, task.as_of, cursor)
                raise
            key = writer.commit(complete)
        self.ledger.landed(task, key, task.as_of)
        let_go(self.ledger, opened.connector, task)
        return None

    def _again(self, task: Task, message: TaskMessage, connector: Connector, reason: str) -> None:
        """Request the report once more, and discard the one that failed."""
        let_go(self.ledger, connector, task)
        if message.resubmits >= limits.MAX_RESUBMITTED_REPORTS:
            raise ReportFailed(f"the report failed twice: {reason}", report_id=task.report_id)
        report = ask(self.ledger, connector, task)
        if report.id == task.report_id:
            # The platform refuses a second report while it makes the first.
            raise ReportFailed(f"the platform holds on to the report: {reason}", report_id=task.report_id)
        if self.ledger.wait_report(task, report.id, iso(report.as_of)):
            self.poll_later(task, resubmits=message.resubmits + 1)
