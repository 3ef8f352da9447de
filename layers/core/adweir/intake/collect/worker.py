"""What the collector and the poller have in common: their parts, the pull's header, and a task that landed before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adweir.intake.collect.claim import Claims, Remaining
from adweir.intake.collect.gate import Gate
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import NotApplicable, NotFound, OutOfRetention, TooMuchData
from adweir.model.messages import TaskMessage
from adweir.model.platforms import Platform
from adweir.model.ports import Queues
from adweir.model.tasks import Task
from adweir.model.times import epoch, iso
from adweir.platforms.base import DatasetSpec, Pace
from adweir.platforms.connector import Page
from adweir.store.raw.header import PullHeader

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore, RawWriter


SpecsOf = Callable[[Platform], Mapping[Dataset, DatasetSpec]]
"""What a platform serves."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: `margin` stays unused at an invocation's end, `poll` to `poll_max` lie between two polls of a report.

    A report that is not ready after `report_timeout` is given up.
    """

    margin: float = 20
    poll: float = 60
    poll_max: float = 300
    report_timeout: int = 10_800

    def at(self, pace: Pace) -> Timing:
        """This timing, with the values that a dataset's pace replaces."""
        return Timing(
            self.margin,
            self.poll if pace.poll_seconds is None else pace.poll_seconds,
            self.poll_max if pace.poll_max_seconds is None else pace.poll_max_seconds,
            self.report_timeout if pace.report_timeout_seconds is None else pace.report_timeout_seconds,
        )


class Watch:
    """Says, after each page, whether another would still fit: as slow a one as the slowest so far, and the margin."""

    def __init__(self, remaining: Remaining, margin: float) -> None:
        self._remaining = remaining
        self._margin = margin
        self._before = remaining()
        self._slowest = 0.0

    def is_short(self) -> bool:
        """Whether it is time to stop. To be asked once per page."""
        now = self._remaining()
        self._slowest = max(self._slowest, self._before - now)
        self._before = now
        return now < self._margin + self._slowest


class Worker:
    """Base of the collector and the poller."""

    def __init__(
        self, claims: Claims, gate: Gate, raw: RawStore, queues: Queues, timing: Timing, specs: SpecsOf
    ) -> None:
        self.claims = claims
        self.gate = gate
        self.raw = raw
        self.queues = queues
        self._timing = timing
        self._specs = specs
        self.ledger = claims.ledger
        self.clock = claims.clock

    def header(self, task: Task, profile: Profile | None, as_of: str, route: str) -> PullHeader:
        """The header of the pull's raw object."""
        kind, country = (profile.kind, profile.country) if profile else ("", "")
        return PullHeader.of(task, as_of=as_of, profile_kind=kind, country=country, route=route)

    def timing(self, task: Task) -> Timing:
        """The deployment's timing, unless the dataset has its own pace."""
        spec = self._specs(task.platform).get(task.dataset)
        return self._timing.at(spec.pace) if spec else self._timing

    @contextmanager
    def applicable(self, task: Task, profile: Profile | None) -> Iterator[None]:
        """A refusal as not applicable lands like data: loading it ends the task and records the slice in coverage.

        So does one of days that are all older than the platform keeps: no backfill asks for them again. Raises
        NotApplicable for entities, of which there is no coverage, and OutOfRetention where some days are kept.
        """
        try:
            yield
        except (NotApplicable, OutOfRetention) as error:
            is_old = task.window is not None and isinstance(error, OutOfRetention) and task.window.end < error.oldest
            if task.dataset.grain is None or not (is_old or isinstance(error, NotApplicable)):
                raise
            header = self.header(task, profile, task.as_of or iso(self.clock.now()), "")
            with self.raw.writer(replace(header, not_applicable=True)) as writer:
                writer.write(Page(error.message.encode(), "", 403, last=False, label="not_applicable", media="text"))
                key = writer.commit(complete=False)
            self.ledger.landed(task, key, header.as_of)

    def landed_before(self, task: Task, header: PullHeader) -> bool:
        """Finish what a worker that died between the object and the ledger left: True when the object is there."""
        if task.attempts < 2:
            return False
        try:
            found = PullHeader.parse(self.raw.metadata(header.key))
        except NotFound:
            return False
        self.ledger.landed(task, header.key, found.as_of)
        return True

    def keep(self, task: Task, writer: RawWriter, as_of: str, cursor: str) -> None:
        """Store the pages of a pull that has to pause, and the cursor; nothing when a page broke off.

        Raises TooMuchData for a pull that paused too often.
        """
        if not cursor or not writer.pages or not writer.whole:
            return
        if len(task.parts) >= limits.MAX_PULL_PARTS:
            raise TooMuchData(f"the pull paused {limits.MAX_PULL_PARTS} times")
        writer.keep(task.attempts)
        self.ledger.keep_part(task, (*task.parts, task.attempts), cursor, as_of)

    def in_time(self, page: Page, task: Task, remaining: Remaining) -> Page:
        """The page, whose chunks are fetched only as long as there is time. They raise TooMuchData."""
        if isinstance(page.body, bytes):
            return page
        margin = self.timing(task).margin
        return page._replace(body=_in_time(page.body, lambda: remaining() < margin))

    def watch(self, task: Task, remaining: Remaining) -> Watch:
        """A watch for the pages of a pull that begins now."""
        return Watch(remaining, self.timing(task).margin)

    def poll_later(self, task: Task, *, resubmits: int = 0) -> None:
        """Have `poll_reports` poll the task's report, first one poll interval from now."""
        deadline = epoch(self.clock.now()) + self.timing(task).report_timeout
        message = TaskMessage.of(task, report_deadline=deadline, resubmits=resubmits)
        self.queues.reports.send(message, delay=max(1, round(self.timing(task).poll)), group=task.profile_key)


def _in_time(chunks: Iterable[bytes], is_short: Callable[[], bool]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        if is_short():
            raise too_slow()


def too_slow() -> TooMuchData:
    """The error of a pull that cannot go on in another invocation."""
    return TooMuchData("the answer has more than one invocation has time for")
