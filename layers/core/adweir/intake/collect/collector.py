"""`collect`: a task becomes its raw object, or a report that the platform makes and `poll_reports` waits for."""

from __future__ import annotations

from adweir.intake.collect.claim import Remaining, Tools, Worker
from adweir.model.entities import Profile
from adweir.model.errors import OutOfRetention, TooMuchData
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task, TaskState
from adweir.model.times import epoch, iso, local_date
from adweir.platforms.base import Connector, Mode

__all__ = ["Collector"]


class Collector(Worker):
    """Works on one task message at a time.

    Every step may be repeated. A worker that dies leaves a hold that expires; the next one finds the object already in
    S3 (`If-None-Match`), adopts the report that the platform already makes, or sends the poll message again.
    """

    def collect(self, message: TaskMessage, remaining: Remaining) -> None:
        """Pull the message's task. Raises from the error tree; `Outcomes.settle` says what becomes of it then."""
        with self.claimed(message) as task:
            if task is None:
                return
            if task.state is TaskState.WAITING_REPORT:
                # The worker that created the report may have died before its poll message was sent.
                self.tools.ledger.release(task)
                poll_later(self.tools, task)
            elif task.state is TaskState.LANDED:
                # Its object's arrival drives `validate`; nothing is left to collect.
                self.tools.ledger.release(task)
            else:
                self._work(task, message, remaining)

    def _work(self, task: Task, message: TaskMessage, remaining: Remaining) -> None:
        self._check_retention(task)
        with self.platform(task, message) as (connector, profile):
            if task.profile_id and connector.mode(task) is Mode.REPORT:
                self._ask(task, connector)
            else:
                self._pull(task, connector, profile, remaining)

    def _check_retention(self, task: Task) -> None:
        spec = self.tools.specs(task.platform).get(task.dataset)
        if spec is None or task.window is None:
            return
        oldest = spec.oldest(task.slice, local_date(self.tools.clock.now(), task.timezone))
        if oldest is not None and task.window.start < oldest:
            raise OutOfRetention(f"{task.platform} keeps {task.slice} since {oldest}", oldest=oldest)

    def _ask(self, task: Task, connector: Connector) -> None:
        report = connector.create_report(task)
        if self.tools.ledger.wait_report(task, report.id, iso(report.as_of)):
            poll_later(self.tools, task)

    def _pull(self, task: Task, connector: Connector, profile: Profile | None, remaining: Remaining) -> None:
        tools = self.tools
        header = self.header(task, profile, iso(tools.clock.now()))
        if self.landed_before(task, header):
            return
        complete = False
        with tools.raw.writer(header) as writer:
            for page in connector.pages(task) if task.profile_id else connector.profiles():
                writer.write(page)
                complete = complete or page.last
                if not page.last and remaining() < tools.margin_seconds:
                    raise TooMuchData("the answer has more pages than one invocation has time for")
            key = writer.commit(complete)
        as_of = header.as_of
        if writer.existed:
            as_of = header.parse(tools.raw.metadata(key)).as_of
        tools.ledger.landed(task, key, as_of)


def poll_later(tools: Tools, task: Task, *, resubmits: int = 0) -> None:
    """Have `poll_reports` look after the task's report, for the first time one poll interval from now."""
    message = TaskMessage(
        run_id=task.run_id,
        task_id=task.id,
        generation=task.generation,
        report_deadline=epoch(tools.clock.now()) + tools.report_timeout_seconds,
        resubmits=resubmits,
    )
    tools.queues.reports_queue.send(message, delay=max(1, round(tools.poll_seconds)), group=task.profile_key)
