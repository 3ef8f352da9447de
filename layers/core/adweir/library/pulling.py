"""Pulls for one call of a verb: pages are followed to their end, reports asked for, waited for and read.

Rows pass the checks of the system (`quality.rules`): a row that comes twice counts once, and one that it would put in
quarantine is an error here, because nobody would look at it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from adweir.library.dates import today_of
from adweir.library.waiting import Waiting
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import (
    AdweirError,
    BadInput,
    Narrowable,
    NotApplicable,
    NotReady,
    OutOfRetention,
    ReportFailed,
    Throttled,
    TooMuchData,
    Transient,
)
from adweir.model.invoices import Invoice
from adweir.model.metrics import BadRow, Source
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp, Task
from adweir.model.times import Window, epoch, iso
from adweir.platforms.base import DatasetSpec, Pace, PlatformSpec, ProfileOptions
from adweir.platforms.connector import (
    Connector,
    InvoiceReader,
    Mode,
    Normalizer,
    Page,
    PageInHand,
    PullContext,
    Report,
    ReportState,
)
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows

_T = TypeVar("_T")
ACCOUNT = "direct"
"""The client that a lone credential belongs to."""
_NAMED = 10


@dataclass(frozen=True)
class Lone:
    """One credential on its own: its platform, and its connector by route."""

    spec: PlatformSpec
    normalizer: Normalizer
    connector: Callable[[str], Connector]
    options: ProfileOptions
    waiting: Waiting
    new_id: Callable[[], str]
    invoices: Callable[[], InvoiceReader]
    """Made when it is asked for: only platforms that have the dataset have a reader."""


@dataclass(eq=False)
class AskedPull:
    """A task, and its report where the platform makes one and was asked for it.

    `asked_at`: when the platform was last asked about the report, by the monotonic clock; None: long ago.
    """

    task: Task
    profile: Profile | None
    report: Report | None = None
    asked_at: float | None = None


@dataclass(eq=False)
class _Open:
    """A report that the platform makes, and for how many tasks."""

    asked: AskedPull
    report: Report
    users: int = 1


class Pulling:
    """The pulls of one call. Leaving the context discards the reports that nobody reads any more."""

    def __init__(self, lone: Lone) -> None:
        self._lone = lone
        self._waiting = lone.waiting
        self._run = lone.new_id()
        self._open: dict[str, _Open] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        while self._open:
            _, each = self._open.popitem()
            self._discard(each.asked, each.report)

    # What a verb asks for

    def objects(self, profile: Profile | None, dataset: Dataset) -> Iterator[Any]:
        """The objects of a dataset, of each slice that the profile uses; nothing where the platform has none.

        Raises BadInput for one that cannot be read, Transient when the list broke off before its end.
        """
        seen: set[tuple[str, ...]] = set()
        for asked in self.lists(profile, dataset):
            with suppress(NotApplicable):
                context = self._context(asked)
                for page in self.pages(asked):
                    for batch in self._lone.normalizer.object_batches(page, context):
                        if batch.bad:
                            raise _unreadable(asked.task, len(batch.bad), batch.bad)
                        for each in batch.objects:
                            key = _identity(each)
                            if key not in seen:
                                seen.add(key)
                                yield each

    def lists(self, profile: Profile | None, dataset: Dataset) -> list[AskedPull]:
        """A task per slice of a dataset of objects."""
        served = self._lone.spec.datasets.get(dataset)
        slices = served.slices if served else ()
        return [AskedPull(self._task(profile, dataset, slice_, None), profile) for slice_ in slices]

    def invoices(self, profile: Profile, window: Window) -> Iterator[Invoice]:
        """The invoices that were issued in a window. Raises BadInput for one that cannot be read."""
        asked = self.issued(profile, window)
        with suppress(NotApplicable):
            context = self._context(asked)
            for page in self.pages(asked):
                for batch in self._lone.invoices().invoice_batches(page, context):
                    if batch.bad:
                        raise _unreadable(asked.task, len(batch.bad), batch.bad)
                    yield from batch.invoices

    def issued(self, profile: Profile, window: Window) -> AskedPull:
        """The task for the invoices of a window."""
        return AskedPull(self._task(profile, Dataset.INVOICES, ALL, window), profile)

    def begin(self, profile: Profile, dataset: Dataset, window: Window | None) -> list[AskedPull]:
        """The tasks for a window of metrics, whose reports the platform begins to make.

        No tasks where the platform does not have the dataset, or there is no window. Raises OutOfRetention.
        """
        served = self._lone.spec.datasets.get(dataset)
        if served is None or window is None:
            return []
        self._check_retention(served, profile, window)
        tasks = [
            AskedPull(self._task(profile, dataset, slice_, piece), profile)
            for slice_ in served.slices
            for piece in window.pieces(served.max_window_days or window.length)
        ]
        return self._begun(tasks)

    def ahead(self, profiles: Iterable[Profile], ask: Callable[[Profile], _T]) -> Iterator[tuple[Profile, _T]]:
        """Each profile with what was asked for it; others are asked for while reports are being made."""
        waiting: deque[tuple[Profile, _T]] = deque()
        for profile in profiles:
            waiting.append((profile, ask(profile)))
            while waiting and not 0 < len(self._open) < limits.MAX_CLIENT_OPEN_REPORTS:
                yield waiting.popleft()
        yield from waiting

    def rows(self, asked: Iterable[AskedPull]) -> Iterator[tuple[Task, PullRows]]:
        """The rows of the tasks, each when its report is there; a task that is too large is asked for in parts."""
        for each in asked:
            try:
                rows = self._loaded(each)
            except NotApplicable:
                self._let_go(each)
            except Narrowable as error:
                self._let_go(each)
                yield from self.rows(self._narrower(each, error))
            else:
                self._let_go(each)
                yield each.task, rows

    def pages(self, asked: AskedPull) -> Iterator[PageInHand]:
        """A task's pages to the platform's end marker; goes on after a pause where the platform has a cursor.

        Raises Transient when there is no end.
        """
        number, resume, complete, pauses = 0, "", False, self._waiting.pauses()
        while True:
            try:
                for page in self._from(asked, resume):
                    number += 1
                    with _in_hand(page, number) as hand:
                        yield hand
                    resume, complete = page.resume, complete or page.last
                break
            except (Throttled, Transient) as error:
                if number and not resume:
                    raise
                pauses.after(error)
        if not complete:
            what = f"{asked.task.dataset} of {asked.task.profile_key}"
            raise Transient(f"{what} ended after {number} pages, before the platform's end: it is not whole, ask again")

    def state(self, asked: AskedPull) -> Report:
        """A report's state now. Raises what the platform raises."""
        report = cast("Report", asked.report)
        return self._waiting.patiently(lambda: self._of(asked).report(asked.task, report.id))

    def keep(self) -> None:
        """Leave the reports to who asked for them."""
        self._open.clear()

    def task(self, profile: Profile, dataset: Dataset, slice_: str, window: Window, report_id: str) -> AskedPull:
        """A task that was asked for earlier."""
        report = Report(report_id, ReportState.PENDING, self._waiting.clock.now()) if report_id else None
        return AskedPull(self._task(profile, dataset, slice_, window), profile, report)

    # How

    def _begun(self, tasks: list[AskedPull]) -> list[AskedPull]:
        """The tasks whose data the profile has. A report that cannot be asked for now is when its turn comes."""
        kept = []
        for asked in tasks:
            with suppress(NotApplicable):
                if len(self._open) < limits.MAX_CLIENT_OPEN_REPORTS:
                    with suppress(Narrowable, Throttled, NotReady, Transient):
                        self._ask(asked, lambda create: create())
                kept.append(asked)
        return kept

    def _ask(self, asked: AskedPull, how: Callable[[Callable[[], Report]], Report] | None = None) -> None:
        """Have the task's report made, or share one that answers for it too; patiently, or `how` else."""
        connector, task = self._of(asked), asked.task
        if asked.report is not None or _mode(connector, task) is Mode.PAGES:
            return
        key = connector.report_key(task)
        if key and key in self._open:
            self._open[key].users += 1
            asked.report, asked.asked_at = self._open[key].report, self._open[key].asked.asked_at
            return
        asked.report = (how or self._waiting.patiently)(lambda: connector.create_report(task))
        asked.asked_at = self._waiting.clock.monotonic()
        self._open[key or task.id] = _Open(asked, asked.report)

    def _let_go(self, asked: AskedPull, *, failed: bool = False) -> None:
        """Discard the task's report when it was its last user, or when the report failed."""
        report, asked.report = asked.report, None
        if report is None:
            return
        key = self._of(asked).report_key(asked.task) or asked.task.id
        opened = self._open.get(key)
        if opened is not None and opened.report.id == report.id:
            opened.users -= 1
            if opened.users and not failed:
                return
            del self._open[key]
        self._discard(asked, report)

    def _discard(self, asked: AskedPull, report: Report) -> None:
        with suppress(AdweirError):  # the numbers are there; a report that is left over costs nothing here
            self._of(asked).discard_report(asked.task, report.id)

    def _loaded(self, asked: AskedPull) -> PullRows:
        for again in range(limits.MAX_RESUBMITTED_REPORTS + 1):
            self._ask(asked)
            try:
                if asked.report is not None:
                    self._await(asked)
                return self._waiting.patiently(lambda: self._load(asked))
            except ReportFailed:
                if again == limits.MAX_RESUBMITTED_REPORTS:
                    raise
                self._let_go(asked, failed=True)
        raise AssertionError("unreachable: the last try returns or raises")

    def _await(self, asked: AskedPull) -> Report:
        """The task's report once it is ready. Raises ReportFailed, TooMuchData, NotReady when the patience ends."""
        report = cast("Report", asked.report)
        polls = self._waiting.polls(self._pace(asked.task), asked.asked_at)
        while report.state is ReportState.PENDING:
            polls.next(report.id)
            report = self.state(asked)
        if report.state is ReportState.FAILED:
            if report.too_large:
                raise TooMuchData(f"the report is too large: {report.reason}", report_id=report.id)
            raise ReportFailed(f"the platform could not make the report: {report.reason}", report_id=report.id)
        asked.report = report
        return report

    def _load(self, asked: AskedPull) -> PullRows:
        """All rows of a task, checked. Raises BadInput for rows that the system would not store."""
        task, context, brought = asked.task, self._context(asked), PullRows()
        with _RefusedRows() as refused:
            loop = RowLoop(self._pull(task), [day.isoformat() for day in _window(task).days()], brought, refused)
            for page in self.pages(asked):
                for batch in self._lone.normalizer.metric_batches(page, context):
                    loop.take(batch.rows, batch.bad, page.number)
            loop.finish()
        if loop.rejected:
            raise _unreadable(task, loop.rejected, refused.first)
        return brought

    def _narrower(self, asked: AskedPull, error: Narrowable) -> list[AskedPull]:
        """Smaller tasks instead of one that was too large. Raises the error when there are none."""
        task = asked.task
        parts = self._of(asked).narrower(task, error) if task.depth < limits.MAX_SPLIT_DEPTH else ()
        if not parts:
            raise error
        return self._begun([AskedPull(part, asked.profile) for part in parts])

    def _from(self, asked: AskedPull, resume: str) -> Iterator[Page]:
        connector, task = self._of(asked), asked.task
        if task.dataset is Dataset.PROFILES:
            return connector.profiles()
        self._ask(asked)
        if asked.report is not None:
            return connector.report_pages(replace(task, cursor=resume), self._await(asked).id)
        return connector.pages(task, resume) if resume else connector.pages(task)

    def _of(self, asked: AskedPull) -> Connector:
        return self._lone.connector(asked.profile.route if asked.profile else "")

    def _pace(self, task: Task) -> Pace:
        return self._lone.spec.datasets[task.dataset].pace

    def _check_retention(self, served: DatasetSpec, profile: Profile, window: Window) -> None:
        today = today_of(profile, self._waiting.clock)
        kept = [oldest for slice_ in served.slices if (oldest := served.oldest(slice_, today)) is not None]
        if kept and window.start < max(kept):
            raise OutOfRetention(
                f"{self._lone.spec.title} keeps {served.dataset} since {max(kept)} only: begin the range on that day",
                oldest=max(kept),
            )

    def _task(self, profile: Profile | None, dataset: Dataset, slice_: str, window: Window | None) -> Task:
        return Task(
            run_id=self._run,
            stage="",
            account_id=ACCOUNT,
            platform=self._lone.spec.name,
            profile_id=profile.profile_id if profile else "",
            dataset=dataset,
            slice=slice_,
            window=window,
            deadline=epoch(self._waiting.clock.now()) + int(self._waiting.seconds),
            timezone=profile.timezone if profile else "UTC",
            currency=profile.currency if profile else "",
        )

    def _context(self, asked: AskedPull) -> PullContext:
        task, profile = asked.task, asked.profile
        return PullContext(
            account_id=ACCOUNT,
            profile_id=task.profile_id,
            dataset=task.dataset,
            slice=task.slice,
            window=task.window,
            as_of=iso(self._waiting.clock.now()),
            currency=task.currency,
            timezone=task.timezone,
            profile_kind=profile.kind if profile else "",
            country=profile.country if profile else "",
            route=self._of(asked).route,
            options=self._lone.options,
        )

    def _pull(self, task: Task) -> Pull:
        dataset = task.dataset
        if dataset.grain is None:
            raise BadInput(f"{dataset} has no metrics")
        return Pull(
            platform=task.platform,
            profile_id=task.profile_id,
            level=dataset.level,
            grain=dataset.grain,
            source=Source.PULL,
            slice=task.slice,
            window=_window(task),
            stamp=Stamp.of(self._waiting.clock.now(), task.id),
            complete=True,
            currency=task.currency,
            timezone=task.timezone,
            breakdown=dataset.breakdown,
        )


class _RefusedRows(Quarantine):
    """Keeps the first rows that are refused, for the message."""

    def __init__(self) -> None:
        super().__init__()
        self.first: list[BadRow] = []

    def add(self, bad: BadRow, page: int = 0) -> None:  # noqa: ARG002  a message has no use for it
        if len(self.first) < _NAMED:
            self.first.append(bad)


def _unreadable(task: Task, count: int, bad: list[BadRow]) -> BadInput:
    faults: list[dict[str, Any]] = [fault for row in bad[:_NAMED] for fault in row.errors][:_NAMED]
    why = "; ".join(dict.fromkeys(str(fault.get("message", "")) for fault in faults))
    what = f"{task.dataset} of {task.profile_key}"
    return BadInput(f"{count} rows of {what} cannot be used: {why[:300]}; raw=True shows what was sent", faults)


def _identity(found: PlatformObject | Profile) -> tuple[str, ...]:
    """Ids are unique within their parent: Google's keywords have those of their texts."""
    return (found.profile_id,) if isinstance(found, Profile) else (found.campaign_id, found.ad_group_id, found.id)


def _window(task: Task) -> Window:
    return cast("Window", task.window)


def _mode(connector: Connector, task: Task) -> Mode:
    return Mode(task.mode) if task.mode else connector.mode(task)


@contextmanager
def _in_hand(page: Page, number: int) -> Iterator[PageInHand]:
    """A page as the normalizers read it; one that comes in chunks goes through a file."""
    if isinstance(page.body, bytes):
        yield PageInHand.of(page, number)
        return
    with SpooledTemporaryFile(max_size=limits.MAX_RESPONSE_BYTES) as file:
        for chunk in page.body:
            file.write(chunk)
        file.seek(0)
        yield PageInHand(number, page.label, page.media, cast("Any", file))
