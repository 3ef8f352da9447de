"""Amazon Ads over HTTP for one credential."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AuthExpired,
    ReportFailed,
    RequestRejected,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.tasks import Task
from adweir.model.times import Clock, parse_instant
from adweir.platforms.amazon_ads import MAX_WINDOW_DAYS, AmazonCredential, wire
from adweir.platforms.amazon_ads.api import (
    JSON,
    MAX_REPORT_BYTES,
    MAX_UNPACKED_BYTES,
    AmazonCalls,
    Hosts,
    decode,
    error_of,
)
from adweir.platforms.amazon_ads.invoices import invoice_pages
from adweir.platforms.amazon_ads.listing import ListPages
from adweir.platforms.amazon_ads.lists import LISTS
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.amazon_ads.reports import PRODUCTS, REPORTS
from adweir.platforms.base import ProfileOptions
from adweir.platforms.connector import Connector, Mode, Page, Report, ReportState, Wiring
from adweir.platforms.packed import unpacked

if TYPE_CHECKING:
    from adweir.model.entities import Credential

_CREATE_REPORT = "application/vnd.createasyncreportrequest.v3+json"
_DUPLICATE = re.compile(r"duplicate of\s*:\s*([0-9A-Za-z._-]+)")


def connect(
    *,
    credential: Credential,  # noqa: ARG001  its secret says it all
    secret: Mapping[str, str],
    wiring: Wiring,
) -> AmazonConnector:
    """The connector of a credential, in the region of its route. Raises AuthExpired for a secret that is not one."""
    try:
        values = AmazonCredential.read(secret)
    except Unprocessable as error:
        raise AuthExpired(error.message) from None
    region = wiring.route or values.route
    hosts = Hosts(wiring.urls("api", region), wiring.urls("token", region))
    api = AmazonCalls(values, hosts, wiring.http(), wiring.clock, wiring.tokens)
    return AmazonConnector(api, wiring.clock, route=region, stream_queue=wiring.stream_queue)


class AmazonConnector(Connector):
    """Implements `platforms.connector.Connector`; the calls are in `api`."""

    def __init__(
        self,
        api: AmazonCalls,
        clock: Clock,
        *,
        route: str = "",
        stream_queue: str = "",
        streams: Sequence[str] | None = None,
    ) -> None:
        self._clock = clock
        self.api = api
        self.route = route
        self._stream_queue = stream_queue
        self._streams = streams
        self._known: dict[str, wire.WireReport] = {}

    def under(self, options: ProfileOptions) -> AmazonConnector:
        """With the subscriptions that a profile is to have."""
        streams = options.streams if isinstance(options, AmazonOptions) else None
        queue = self._stream_queue
        return AmazonConnector(self.api, self._clock, route=self.route, stream_queue=queue, streams=streams)

    def profiles(self) -> Iterator[Page]:
        """All profiles of the region, in one answer: Amazon does not page it."""
        params = {"apiProgram": "campaign", "accessLevel": "view", "profileTypeFilter": "seller,vendor"}
        answer = self.api.get("/v2/profiles", params=params)
        yield Page(answer.body, answer.url, answer.status, last=True)

    def mode(self, task: Task) -> Mode:
        """Metrics are reports, everything else pages."""
        return Mode.REPORT if task.dataset.grain else Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """The lists that answer for a dataset, 100 objects per page; each page is labelled with its list.

        Raises RequestRejected for a dataset that Amazon does not have.
        """
        if task.dataset is Dataset.INVOICES:
            if task.window is None:
                raise RequestRejected("amazon_ads: invoices are asked for by month")
            yield from invoice_pages(self.api, task.profile_id, task.window)
            return
        if task.dataset is Dataset.STREAMS:
            from adweir.platforms.amazon_ads import subscriptions  # noqa: PLC0415  few profiles have any

            now = self._clock.now()
            wanted = self._streams
            yield from subscriptions.pages(self.api, task.profile_id, wanted, self._stream_queue, self.route, now)
            return
        lists = LISTS.get((task.dataset, task.slice))
        if lists is None:
            raise RequestRejected(f"amazon_ads has no list {task.dataset} of slice {task.slice}")
        (campaigns,) = LISTS[Dataset.CAMPAIGNS, task.slice]
        yield from ListPages(self.api, task.profile_id, campaigns).of(lists, resume)

    def create_report(self, task: Task) -> Report:
        """Ask for the task's report by day, or adopt the one being made for the same request (425).

        `as_of` is the moment before asking, or Amazon's own creation time of an adopted report.
        """
        kind = REPORTS.get((task.dataset, task.slice))
        if kind is None or task.window is None:
            raise RequestRejected(f"amazon_ads has no report {task.dataset} of slice {task.slice}")
        if task.window.length > MAX_WINDOW_DAYS:
            raise TooMuchData(f"a report covers at most {MAX_WINDOW_DAYS} days, asked: {task.window}")
        body = {
            "name": task.id,
            "startDate": task.window.start.isoformat(),
            "endDate": task.window.end.isoformat(),
            "configuration": {
                "adProduct": PRODUCTS[task.slice],
                "reportTypeId": kind.type_id,
                "groupBy": kind.group_by,
                "columns": kind.columns,
                "timeUnit": "DAILY",
                "format": "GZIP_JSON",
            },
        }
        before = self._clock.now()
        answer = self.api.post(
            "/reporting/reports", task.profile_id, _CREATE_REPORT, body, accept=JSON, expected=(425,)
        )
        if answer.status != 425:
            return self._report(decode(answer, wire.WireReport))._replace(as_of=before)
        duplicate = _DUPLICATE.search(error_of(answer).text)
        if duplicate is None:
            raise Transient(f"{answer.url} answered 425 without the report's id: {error_of(answer).text[:200]}")
        return self.report(task, duplicate[1])._replace(adopted=True)

    def report(self, task: Task, report_id: str) -> Report:
        """The report's state; one that Amazon no longer knows counts as failed."""
        found = self._status(task.profile_id, report_id)
        if found is None:
            gone = "Amazon no longer knows the report"
            return Report(report_id, ReportState.FAILED, self._clock.now(), reason=gone)
        return self._report(found)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The report's file, unpacked, as one page in chunks.

        When its URL has expired, the status is asked for a fresh one, once; then ReportFailed, so that the report is
        requested again; so does a damaged file. TooMuchData over `MAX_REPORT_BYTES` or `MAX_UNPACKED_BYTES`.
        """
        known = self._known.pop(report_id, None)
        for again in (False, True):
            found = known if known and not again else self._status(task.profile_id, report_id)
            if found is None or found.status != "COMPLETED" or not found.url:
                raise ReportFailed(f"report {report_id} has no file", report_id=report_id)
            if (found.file_size or 0) > MAX_REPORT_BYTES:
                raise TooMuchData(f"the report's file has {found.file_size} bytes", report_id=report_id)
            file = self.api.file(found.url)
            if file is not None:
                bare = urlsplit(found.url)._replace(query="", fragment="").geturl()
                yield Page(unpacked(file, MAX_UNPACKED_BYTES), bare, 200, last=True)
                return
        raise ReportFailed(f"the download of report {report_id} is refused", report_id=report_id)

    def _status(self, profile_id: str, report_id: str) -> wire.WireReport | None:
        if not re.fullmatch(r"[0-9A-Za-z._-]+", report_id):
            raise RequestRejected(f"no report id: {report_id[:60]!r}")
        answer = self.api.get(f"/reporting/reports/{report_id}", profile_id, expected=(404,))
        return None if answer.status == 404 else decode(answer, wire.WireReport)

    def _report(self, found: wire.WireReport) -> Report:
        state = {"COMPLETED": ReportState.READY, "FAILED": ReportState.FAILED}.get(found.status, ReportState.PENDING)
        if state is ReportState.READY:
            self._known[found.report_id] = found
        reason = (found.failure_reason or "no reason given") if state is ReportState.FAILED else ""
        return Report(found.report_id, state, self._created(found), reason=reason)

    def _created(self, found: wire.WireReport) -> datetime:
        try:
            return parse_instant(found.created_at or "")
        except ValueError:
            return self._clock.now()
