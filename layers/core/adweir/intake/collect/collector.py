"""`collect`: a task becomes its raw object, or a report that the platform makes and `poll_reports` waits for."""

from __future__ import annotations

from collections.abc import Iterator

from adweir.intake.collect.asking import ask
from adweir.intake.collect.claim import Remaining
from adweir.intake.collect.gate import FirstLook
from adweir.intake.collect.worker import Worker, too_slow
from adweir.model.entities import Profile
from adweir.model.errors import NotReady, OutOfRetention, Throttled, TooMuchData
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task, TaskState
from adweir.model.times import iso, local_date
from adweir.platforms.connector import Connector, Mode, Page

_TRIES_FROM_THE_START = 5
"""Tries of a pull that has no cursor, and so begins at its first page again when the platform asks to wait amid it."""


class Collector(Worker):
    """Works on one task message at a time.

    Every step may be repeated. A worker that dies leaves a hold that expires; the next one finds the object already in
    S3 (`If-None-Match`), adopts the report that the platform already makes, or sends the poll message again.
    """

    def collect(self, message: TaskMessage, remaining: Remaining) -> None:
        """Pull the message's task. Raises from the error tree; `Outcomes.settle` says what becomes of it then."""
        seen = self.gate.look(message)
        with self.claims.claimed(message, seen.task) as task:
            if task is None:
                return
            if task.state is TaskState.WAITING_REPORT:
                # The worker that created the report may have died before its poll message was sent.
                self.ledger.release(task)
                self.poll_later(task)
            elif task.state is TaskState.LANDED:
                # Its object's arrival drives `validate`; nothing is left to collect.
                self.ledger.release(task)
            else:
                self._work(task, message, seen, remaining)

    def _work(self, task: Task, message: TaskMessage, seen: FirstLook, remaining: Remaining) -> None:
        self._check_retention(task)
        with self.gate.open(task, message, seen) as (connector, profile), self.applicable(task, profile):
            mode = Mode(task.mode) if task.mode else connector.mode(task)
            if task.profile_id and mode is Mode.REPORT:
                self._ask(task, connector)
            else:
                self._pull(task, connector, profile, remaining)

    def _check_retention(self, task: Task) -> None:
        spec = self._specs(task.platform).get(task.dataset)
        if spec is None or task.window is None:
            return
        oldest = spec.oldest(task.slice, local_date(self.clock.now(), task.timezone))
        if oldest is not None and task.window.start < oldest:
            raise OutOfRetention(f"{task.platform} keeps {task.slice} since {oldest}", oldest=oldest)

    def _ask(self, task: Task, connector: Connector) -> None:
        report = ask(self.ledger, connector, task)
        if self.ledger.wait_report(task, report.id, iso(report.as_of)):
            self.poll_later(task)

    def _pull(self, task: Task, connector: Connector, profile: Profile | None, remaining: Remaining) -> None:
        header = self.header(task, profile, task.as_of or iso(self.clock.now()), connector.route)
        if self.landed_before(task, header):
            return
        complete, cursor, watch = False, "", self.watch(task, remaining)
        with self.raw.writer(header) as writer:
            try:
                for page in self._pages(task, connector):
                    writer.write(self.in_time(page, task, remaining))
                    complete, cursor = complete or page.last, page.resume if task.profile_id else ""
                    if watch.is_short() and not page.last:
                        self._pause(cursor)
            except (Throttled, NotReady) as error:
                from_the_start = task.profile_id and writer.pages and not cursor
                if from_the_start and task.attempts >= _TRIES_FROM_THE_START:
                    message = f"the pull begins anew each time and came no further in {task.attempts} tries"
                    raise TooMuchData(f"{message}: {error.message}") from error
                self.keep(task, writer, header.as_of, cursor)
                raise
            key = writer.commit(complete)
        as_of = header.as_of
        if writer.existed:
            as_of = header.parse(self.raw.metadata(key)).as_of
        self.ledger.landed(task, key, as_of)

    def _pages(self, task: Task, connector: Connector) -> Iterator[Page]:
        if not task.profile_id:
            return connector.profiles()
        return connector.pages(task, task.cursor) if task.cursor else connector.pages(task)

    def _pause(self, cursor: str) -> None:
        """Time is up: continue in another invocation if the platform has a cursor, else narrow the task."""
        if not cursor:
            raise too_slow()
        raise NotReady("the pull continues in another invocation", after=1)
