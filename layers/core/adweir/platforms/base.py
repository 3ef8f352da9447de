"""What every platform folder provides; the rooms above know platforms only through this page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol

from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window


class Mode(StrEnum):
    """How a dataset is fetched: pages of one synchronous answer, or an asynchronous report."""

    PAGES = "pages"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """How a platform serves a dataset.

    `slices`: the pulls that together answer for everything. `lookback_days`: how far back every daily run pulls again;
    `settles_after_days`: how far back the platform may restate at all, which the weekly run pulls again.
    `max_window_days`: the longest window of one request (0: entities). `retention_days`: how long data is kept, by
    slice; key `all` where slices do not differ.
    """

    dataset: Dataset
    slices: tuple[str, ...] = (ALL,)
    lookback_days: int = 0
    max_window_days: int = 0
    retention_days: Mapping[str, int] | None = None
    settles_after_days: int = 0

    def oldest(self, slice_: str, today: date) -> date | None:
        """The first day the platform still keeps, or None when it keeps all."""
        kept = (self.retention_days or {}).get(slice_) or (self.retention_days or {}).get(ALL)
        return None if kept is None else date.fromordinal(today.toordinal() - kept)


class Page(NamedTuple):
    """One answer of a platform as it came: `body` exactly the bytes (after transport decoding), `url` without secrets.

    `encoding` is "gzip" when the body itself is a gzip file (Amazon's reports). `last` is True on the page that the
    platform marked as the end: a pull is complete only when it saw one.
    """

    body: bytes
    url: str
    status: int
    last: bool
    encoding: str = ""


class ReportState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Report(NamedTuple):
    """An asynchronous report on the platform. `as_of` is its creation time by the platform's clock where it tells one.

    `reason` explains FAILED. `progress` is 0-100 where known.
    """

    id: str
    state: ReportState
    as_of: datetime
    reason: str = ""
    progress: int = 0
    adopted: bool = False


class Connector(Protocol):
    """A platform's API for one credential. Raises only from `model.errors`."""

    def profiles(self) -> Iterator[Page]:
        """Pages that list the ad accounts that this credential can read."""
        ...

    def mode(self, task: Task) -> Mode:
        """Pages or report, for this task's dataset and window."""
        ...

    def pages(self, task: Task) -> Iterator[Page]:
        """The synchronous answer, page by page, in bounded memory. TooMuchData when it does not fit."""
        ...

    def create_report(self, task: Task) -> Report:
        """Ask for a report, or adopt the one that the platform already makes for the same question."""
        ...

    def report(self, task: Task, report_id: str) -> Report:
        """The report's state now."""
        ...

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """Download a READY report."""
        ...


class RawPage(Protocol):
    """A stored page as the normalizers read it: `stream` yields the decompressed body, once."""

    @property
    def number(self) -> int: ...
    @property
    def stream(self) -> BinaryIO: ...


class RowBatch(NamedTuple):
    """Some metric rows of a page, and the rows that cannot be read as such."""

    rows: list[MetricRow]
    bad: list[BadRow]


class ObjectBatch(NamedTuple):
    """Some catalog objects of a page (profiles, campaigns, ...), and those that cannot be read."""

    objects: list[PlatformObject | Profile]
    bad: list[BadRow]


class PullContext(NamedTuple):
    """What a normalizer needs to know about the pull that fetched the page."""

    account_id: str
    profile_id: str
    dataset: Dataset
    slice: str
    window: Window | None
    as_of: str
    currency: str
    timezone: str
    profile_kind: str = ""
    country: str = ""


class Normalizer(Protocol):
    """Wire bytes → our vocabulary, in bounded memory (design section 6). One module-level object a platform.

    A row that cannot be read becomes a BadRow; a page that cannot be read at all raises BadInput.
    """

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]: ...
    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]: ...
