"""Microsoft Advertising over HTTP for one credential."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adweir.model.errors import AdweirError, AuthExpired, ReportFailed, Transient, Unprocessable
from adweir.model.tasks import Task
from adweir.model.times import Clock
from adweir.platforms.connector import Connector, Mode, Page, Report, ReportState, Wiring
from adweir.platforms.microsoft_ads import MicrosoftCredential, faults, reports, wire
from adweir.platforms.microsoft_ads.api import MicrosoftCalls, MicrosoftHosts, decode
from adweir.platforms.microsoft_ads.listing import MicrosoftListing
from adweir.platforms.packed import unzipped

if TYPE_CHECKING:
    from adweir.model.entities import Credential

MAX_UNPACKED_BYTES = 8 << 30
"""A report's file unpacked: 32 times what it may have packed."""
_STATES = {"Success": ReportState.READY, "Error": ReportState.FAILED}


def connect(
    *,
    credential: Credential,  # noqa: ARG001  its secret says it all
    secret: Mapping[str, str],
    wiring: Wiring,
) -> MicrosoftConnector:
    """The connector of a credential; the route is a profile's customer. Raises AuthExpired for no credential."""
    try:
        values = MicrosoftCredential.read(secret)
    except Unprocessable as error:
        raise AuthExpired(error.message) from None
    hosts = MicrosoftHosts(*(wiring.urls(name, "").rstrip("/") for name in MicrosoftHosts._fields))
    calls = MicrosoftCalls(values, hosts, wiring.http(), wiring.clock, wiring.tokens)
    return MicrosoftConnector(calls, wiring.clock, route=wiring.route)


class MicrosoftConnector(Connector):
    """Implements `platforms.connector.Connector`; the calls are in `api`, the lists in `listing`."""

    def __init__(self, calls: MicrosoftCalls, clock: Clock, *, route: str = "") -> None:
        self.route = route
        self._calls = calls
        self._clock = clock
        self._listing = MicrosoftListing(calls, route)

    def profiles(self) -> Iterator[Page]:
        """The ad accounts that the user may see."""
        return self._listing.profiles()

    def mode(self, task: Task) -> Mode:
        """Metrics are reports, everything else pages."""
        return Mode.REPORT if task.dataset.grain else Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """A list of the ad account's objects."""
        return self._listing.objects(task, resume)

    def create_report(self, task: Task) -> Report:
        """Ask for a report; `as_of` is the moment before. Microsoft does not list reports, so none is adopted."""
        before = self._clock.now()
        answer = self._calls.reporting(
            "/GenerateReport/Submit", reports.request(task), task.profile_id, self.route, repeat=False
        )
        return Report(decode(answer, wire.SubmittedReport).report_request_id, ReportState.PENDING, before)

    def report(self, task: Task, report_id: str) -> Report:
        """The report's state. One that Microsoft no longer knows has failed; a state that is not known goes on."""
        now = self._clock.now()
        try:
            found = self._poll(task, report_id)
        except AdweirError as error:
            if error.context.get("platform_code") not in faults.REPORT_GONE:
                raise
            return Report(report_id, ReportState.FAILED, now, "Microsoft Advertising no longer knows the report")
        state = _STATES.get(found.status or "", ReportState.PENDING)
        reason = "Microsoft Advertising could not make the report" if state is ReportState.FAILED else ""
        return Report(report_id, state, now, reason)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The report's file, unpacked, as one page in chunks; a report without a file has no rows.

        When its URL is refused, as after five minutes, a fresh one is asked for, once; then ReportFailed, so that the
        report is requested again. Raises Transient for a page in HTML in the file's place.
        """
        for _ in range(2):
            found = self._poll(task, report_id)
            if _STATES.get(found.status or "") is not ReportState.READY:
                raise ReportFailed(f"report {report_id} has no file", report_id=report_id)
            if not found.report_download_url:
                yield Page(b"", self._calls.hosts.reporting, 200, last=True, media="csv")
                return
            file = self._calls.file(found.report_download_url)
            if file is not None:
                bare = urlsplit(found.report_download_url)._replace(query="", fragment="").geturl()
                yield Page(unzipped(_no_html(file), MAX_UNPACKED_BYTES), bare, 200, last=True, media="csv")
                return
        raise ReportFailed(f"the download of report {report_id} is refused", report_id=report_id)

    def _poll(self, task: Task, report_id: str) -> wire.ReportProgress:
        asked = {"ReportRequestId": report_id}
        answer = self._calls.reporting("/GenerateReport/Poll", asked, task.profile_id, self.route)
        return decode(answer, wire.PolledReport).report_request_status


def _no_html(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, unless they begin a page of a proxy."""
    first = next(chunks, b"")
    if first.lstrip()[:1] == b"<":
        raise Transient("the report's URL answers with a page in HTML")
    yield from chain((first,), chunks)
