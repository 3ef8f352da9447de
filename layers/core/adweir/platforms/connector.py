"""How the rooms above speak to a platform: connectors fetch its pages, normalizers read them."""

from __future__ import annotations

import io
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import Narrowable, NotFound, RequestRejected
from adweir.model.invoices import Invoice
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.tasks import Task
from adweir.model.times import Clock, Window
from adweir.platforms.base import ProfileOptions

if TYPE_CHECKING:
    import requests

    from adweir.platforms.call_log import CallSink, Exchange
    from adweir.platforms.http import Http


_REFRESHED_BEFORE_SECONDS = 60


class Mode(StrEnum):
    """How a dataset is fetched: pages of one synchronous answer, or an asynchronous report."""

    PAGES = "pages"
    REPORT = "report"


class Page(NamedTuple):
    """One answer of a platform as it came, after transport decoding; `guarded` replaces secrets in it.

    `body` is all of it, or its chunks: those are stored as they come, so a file of any size fits. A file that the
    platform sent packed comes unpacked (`platforms.packed`). `url` is without secrets. `last` is True on the page that
    the platform marked as the end: a pull is complete only when it saw one. `label` says what the page is about where
    the answers of a pull differ (a manager's id, an endpoint), `media` how it is written (json, csv). `resume`: the
    platform's cursor of the page after this one.
    """

    body: bytes | Iterable[bytes]
    url: str
    status: int
    last: bool
    label: str = ""
    media: str = "json"
    resume: str = ""

    def content(self) -> bytes:
        """The whole body, for the plain verbs. A body of chunks can be read once."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)


class ReportState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Report(NamedTuple):
    """An asynchronous report on the platform. `as_of` is its creation time by the platform's clock, if reported.

    `reason` explains FAILED; with `too_large` the platform says that a report for less may succeed. `progress` is 0-100
    where known.
    """

    id: str
    state: ReportState
    as_of: datetime
    reason: str = ""
    progress: int = 0
    adopted: bool = False
    too_large: bool = False


class TokenCache(Protocol):
    """The shared access tokens (`store.ledger`)."""

    def get(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str: ...
    def forget(self, key: str) -> None: ...


class OwnTokens:
    """Access tokens of one connection that nobody shares, each until a minute before its end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}

    def get(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str:
        token, end = self._known.get(key, ("", 0.0))
        if not token or self._clock.monotonic() >= end:
            token, seconds = refresh()
            self._known[key] = token, self._clock.monotonic() + seconds - _REFRESHED_BEFORE_SECONDS
        return token

    def forget(self, key: str) -> None:
        self._known.pop(key, None)


def no_spec(name: str) -> str:
    """Where no spec is stored. Raises NotFound."""
    raise NotFound(f"there is no spec {name[:64]}")


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a connector works with, whatever its platform.

    `urls` gives the base URL of a name and route. `route` is the profile's; "" for the one of the credential.
    `stream_queue` is the ARN of the queue to which the platform may send by itself, "" where it may not.
    `keep_secret` takes a value that the connector makes of its credential (a proof); access tokens are known already.
    `spec` gives the JSON of a stored spec. `paces` holds, by what is asked, when the next request may be sent.
    `feeds` reads the buckets that specs may name (`described.buckets.FeedObjects`). `calls` takes
    each request for the API log; the boundary (`platforms.guarded`) puts `seen` in its place, which cleans them first.
    """

    urls: Callable[[str, str], str]
    session: requests.Session
    clock: Clock
    rng: Random
    tokens: TokenCache
    route: str = ""
    keep_secret: Callable[[str], None] = lambda _value: None
    spec: Callable[[str], str] = no_spec
    sleep: Callable[[float], None] = time.sleep
    paces: dict[str, float] = field(default_factory=dict)
    stream_queue: str = ""
    feeds: Any = None
    calls: CallSink | None = None
    seen: Callable[[Exchange], None] | None = None

    def http(self) -> Http:
        """What a connector asks its platform by."""
        from adweir.platforms.http import Http  # noqa: PLC0415  loads `requests`, and normalizers need none of it

        return Http(self.session, self.clock, self.rng, sleep=self.sleep, seen=self.seen)


class Connector(ABC):
    """A platform's API for one credential. Raises only from `model.errors`.

    NotApplicable ends a task as skipped. Throttled names the scope that has to wait. TooMuchData has the
    task replaced by what `narrower` makes of it, ReportFailed too, once per run and kind of report.
    """

    route: str = ""
    """The route of this connection's requests; kept with the raw object."""

    def under(self, options: ProfileOptions) -> Connector:  # noqa: ARG002  most options say how answers are read
        """The connector for a profile of these options, where they say what is asked for."""
        return self

    @abstractmethod
    def profiles(self) -> Iterator[Page]:
        """Pages that list the ad accounts that this credential can read."""

    @abstractmethod
    def mode(self, task: Task) -> Mode:
        """Pages or report, for this task's dataset and window. Not called where the task has a mode."""

    @abstractmethod
    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """The synchronous answer, page by page, in bounded memory. TooMuchData when it does not fit.

        With `resume` from the page after the one that had it: only connectors whose pages have one are asked so.
        """

    def report_key(self, task: Task) -> str:  # noqa: ARG002  most platforms' reports serve one profile
        """The common key of the tasks of a run that one report serves (a partner's id, dataset and window).

        The report of the first of them then answers for all, and `report_pages` keeps the rows of its own profile.
        "" for a report of the task's own.
        """
        return ""

    def create_report(self, task: Task) -> Report:
        """Ask for a report, or adopt the one that the platform is already making for the same request."""
        raise RequestRejected(f"{task.platform} makes no reports")

    def report(self, task: Task, report_id: str) -> Report:
        """The report's state now."""
        raise RequestRejected(f"{task.platform} makes no reports: {report_id}")

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """Download a READY report; where `task.cursor` is set (`Page.resume` of the last kept page), from there on."""
        raise RequestRejected(f"{task.platform} makes no reports: {report_id}")

    def discard_report(self, task: Task, report_id: str) -> None:  # noqa: B027  most platforms delete theirs themselves
        """The report was landed or abandoned. For platforms on which reports pile up; may be called repeatedly."""

    def narrower(self, task: Task, error: Narrowable) -> Sequence[Task]:  # noqa: ARG002  a platform's own rule may ask
        """Narrower tasks that together answer for this one (`task.child`); none when it cannot be narrowed.

        The same task and error must give the same tasks: a worker that died is followed by one that asks again.
        """
        return task.halves()


class RawPage(Protocol):
    """A stored page as the normalizers read it: `stream` yields the decompressed body, once."""

    @property
    def number(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def media(self) -> str: ...
    @property
    def stream(self) -> BinaryIO: ...


class PageInHand(NamedTuple):
    """A page that was never stored, as the normalizers read it."""

    number: int
    label: str
    media: str
    stream: BinaryIO

    @classmethod
    def of(cls, page: Page, number: int) -> PageInHand:
        return cls(number, page.label, page.media, io.BytesIO(page.content()))


class RowBatch(NamedTuple):
    """Some metric rows of a page (`MetricColumns` where all are plain), and the rows that cannot be read as such."""

    rows: Sequence[MetricRow]
    bad: list[BadRow]


class ObjectBatch(NamedTuple):
    """Some catalog objects of a page (profiles, campaigns, ...), and those that cannot be read."""

    objects: list[PlatformObject | Profile]
    bad: list[BadRow]


class InvoiceBatch(NamedTuple):
    """The invoices of a page, and those that cannot be read."""

    invoices: list[Invoice]
    bad: list[BadRow]


def _no_objects(_dataset: Dataset) -> Iterable[PlatformObject]:
    return ()


class PullContext(NamedTuple):
    """What a normalizer needs to know about the pull of a page. `options` are the profile's current ones.

    `objects` gives those of a dataset as the catalog has them; none where there is no catalog. `spec` gives the JSON of
    a stored spec as it is now, so that a replay applies what was mended.
    """

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
    route: str = ""
    options: ProfileOptions = ProfileOptions()
    objects: Callable[[Dataset], Iterable[PlatformObject]] = _no_objects
    spec: Callable[[str], str] = no_spec


class Normalizer(Protocol):
    """Wire bytes → our vocabulary, in bounded memory. One module-level object per platform.

    A row that cannot be read becomes a BadRow; a page that cannot be read at all raises BadInput.
    """

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]: ...
    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]: ...

    # For rows that another program fetched (`adweir.normalize`):

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:
        """The body of a page as the platform would send these rows, as its SDK gives them; `json_page` for most."""
        ...

    def account_of(self, row: Mapping[str, Any]) -> str:
        """The id of the ad account that a row names; "" where it names none."""
        ...


class InvoiceReader(Protocol):
    """Pages of invoices → invoices as far as they are about the pull's profile. One object per platform that has any.

    Amounts are exact. What one invoice bills to several profiles is in the invoices of all of them together once.
    """

    def invoice_batches(self, page: RawPage, context: PullContext) -> Iterator[InvoiceBatch]: ...


_encode = msgspec.json.Encoder(decimal_format="number").encode


def json_page(rows: Sequence[Mapping[str, Any]], *members: str) -> bytes:
    """Rows as JSON: an array, in an object under each of the members, the outermost first."""
    body: Any = rows
    for member in reversed(members):
        body = {member: body}
    return _encode(body)
