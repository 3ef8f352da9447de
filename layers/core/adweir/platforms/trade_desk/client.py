"""The Trade Desk over HTTP for one credential."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    ReportFailed,
    RequestRejected,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.tasks import Task
from adweir.model.times import Clock
from adweir.platforms.connector import Connector, Mode, Page, Report, ReportState, Wiring
from adweir.platforms.http import Response
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.trade_desk import MAX_WINDOW_DAYS, TradeDeskCredential, wire
from adweir.platforms.trade_desk.api import QueryPage, TradeDeskCalls, decode
from adweir.platforms.trade_desk.my_reports import DeskOwner, MyReports, schedule_name
from adweir.platforms.trade_desk.own_rows import NotTold, own_rows

if TYPE_CHECKING:
    from adweir.model.entities import Credential

_EVERY = ["Available", "Archived"]
_QUERIES = {
    Dataset.CAMPAIGNS: "/campaign/query/advertiser",
    Dataset.AD_GROUPS: "/adgroup/query/advertiser",
    Dataset.CREATIVES: "/creative/query/advertiser",
}
_ZIP = b"PK\x03\x04"
_BOM = b"\xef\xbb\xbf"
_decode_partner = msgspec.json.Decoder(wire.WirePartner).decode
_decode_group = msgspec.json.Decoder(wire.DeskWireAdGroup).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def connect(*, credential: Credential, secret: Mapping[str, str], wiring: Wiring) -> TradeDeskConnector:  # noqa: ARG001  the seam's
    """The connector of a credential; the route is a profile's partner. Raises AuthExpired for no credential."""
    try:
        values = TradeDeskCredential.read(secret)
    except Unprocessable as error:
        raise AuthExpired(error.message) from None
    api = TradeDeskCalls(values, wiring.urls("api", ""), wiring.http(), wiring.clock, wiring.tokens)
    return TradeDeskConnector(api, wiring.clock, route=wiring.route)


class TradeDeskConnector(Connector):
    """Implements `platforms.connector.Connector`; the calls are in `api`, reports in `my_reports`."""

    def __init__(self, api: TradeDeskCalls, clock: Clock, *, route: str = "") -> None:
        self.api = api
        self.route = route
        self._clock = clock
        self._reports = MyReports(api)

    def profiles(self) -> Iterator[Page]:
        """The advertisers of each partner; a page is labelled with its partner, which becomes the profile's route.

        A partner without rights is left out, and then no page is the last one, as where a list stopped before its end:
        the advertisers that it lacks are not gone. When all partners are left out, AccessDenied.
        """
        self.api.warn_of_the_end()
        partners = self._partners()
        if not partners:
            yield Page(b'{"Result":[]}', f"{self.api.base}/partner/query", 200, last=True)
        denied: list[AccessDenied] = []
        whole = True
        for number, partner in enumerate(partners, 1):
            body = {"PartnerId": partner, "Availabilities": _EVERY}
            try:
                for page in self.api.query("/advertiser/query/partner", body):
                    whole = whole and page.whole
                    last = page.following < 0 and number == len(partners) and whole and not denied
                    yield Page(page.response.body or b"{}", page.response.url, page.response.status, last, partner)
            except AccessDenied as error:
                denied.append(error)
        if partners and len(denied) == len(partners):
            raise denied[0]

    def mode(self, task: Task) -> Mode:
        """Metrics are reports, everything else pages."""
        return Mode.REPORT if task.dataset.grain else Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """A list of the advertiser's objects, archived ones too, 100 per page; ads are composed of three lists."""
        if task.dataset is Dataset.ADS:
            yield from self._ads(task, resume)
            return
        path = _QUERIES.get(task.dataset)
        if path is None:
            raise RequestRejected(f"trade_desk has no {task.dataset}")
        for page in self.api.query(path, _of(task), int(resume or 0)):
            following = str(page.following) if page.following >= 0 else ""
            response = page.response
            yield Page(response.body or b"{}", response.url, response.status, page.ends, resume=following)

    def report_key(self, task: Task) -> str:
        """A partner, its days and a breakdown: every level of all its advertisers is read from one file.

        The file has the advertisers that its credential may read, and its columns: another credential has another one.
        """
        owner = self._owner(task)
        return f"{owner.id}#{task.window}#{task.dataset.breakdown}#{task.label}" if owner.is_partner else ""

    def create_report(self, task: Task) -> Report:
        """A one-off schedule for the task's days, or the one that an interrupted try has left."""
        if task.window is None:
            raise RequestRejected(f"trade_desk has no report {task.dataset}")
        if task.window.length > MAX_WINDOW_DAYS:
            raise TooMuchData(f"a report covers at most {MAX_WINDOW_DAYS} days, asked: {task.window}")
        owner, name, before = self._owner(task), schedule_name(task, self.report_key(task)), self._clock.now()
        known = self._reports.known(owner, name)
        if known and known != task.report_id:
            return Report(known, ReportState.PENDING, before, adopted=True)
        self._reports.sweep(owner, before)
        made = self._reports.begin(owner, name, task.window, before, task.dataset.breakdown)
        return Report(made, ReportState.PENDING, before)

    def report(self, task: Task, report_id: str) -> Report:
        """The state of the schedule's newest execution; every state that is not known as an end goes on."""
        found = self._reports.execution(self._owner(task), report_id)
        now = self._clock.now()
        if found is None or not (found.done or found.broken):
            return Report(report_id, ReportState.PENDING, now)
        state = ReportState.READY if found.done else ReportState.FAILED
        return Report(report_id, state, now, reason="" if found.done else found.reason)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The report's CSV as one page in chunks, labelled with the formats that its schedule declares.

        Of a partner's file, the rows of the task's advertiser. A URL that has expired or is refused is asked for anew,
        once; then ReportFailed, so that the report is requested again. Raises RequestRejected for a workbook, and for a
        partner's file that does not say whose its rows are: then the template has to be another one.
        """
        label, owner = str(self._reports.formats(report_id)), self._owner(task)
        for again in (False, True):
            found = self._reports.execution(owner, report_id)
            if found is None or not found.done or not found.url:
                raise ReportFailed(f"report {report_id} has no file", report_id=report_id)
            if found.expires is not None and found.expires <= self._clock.now():
                continue
            try:
                body = _checked(self.api.file(found.url, _is_text))
                if owner.is_partner:
                    body = self._named(own_rows(body, task.profile_id), task.profile_id)
            except (_Workbook, NotTold):
                raise
            except (AccessDenied, RequestRejected) as error:
                if again:
                    raise ReportFailed(f"the download is refused: {error.message}", report_id=report_id) from error
                continue
            yield Page(body, f"{self.api.base}/myreports/{report_id}.csv", 200, last=True, label=label, media="csv")
            return
        raise ReportFailed(f"the download of report {report_id} has expired", report_id=report_id)

    def _named(self, chunks: Iterator[bytes], advertiser: str) -> Iterator[bytes]:
        """The same chunks. A partner's report goes on without the rows of an advertiser that it may not read.

        So one that the file does not name is asked for: it had nothing, or this raises AccessDenied, RequestRejected
        for one that is another partner's by now, and nothing is stored.
        """
        wanted, named, tail = advertiser.encode(), False, b""
        for chunk in chunks:
            named = named or wanted in tail + chunk
            tail = chunk[-len(wanted) :]
            yield chunk
        if not named:
            found = decode(self.api.get(f"/advertiser/{advertiser}"), wire.DeskWireOwned).partner_id
            if found and found != self.route:
                raise RequestRejected(
                    f"advertiser {advertiser} is one of partner {found[:40]} by now, not {self.route}"
                )

    def discard_report(self, task: Task, report_id: str) -> None:  # noqa: ARG002  the seam's
        """Delete the schedule."""
        self._reports.delete(report_id)

    def _owner(self, task: Task) -> DeskOwner:
        partner = self.route if self.api.secret.reports == "partner" else ""
        return DeskOwner.of(partner, task.profile_id)

    def _partners(self) -> list[str]:
        pages = self.api.query("/partner/query", {})
        try:
            return [_decode_partner(raw).partner_id for page in pages for raw in _whole(page)]
        except UNREADABLE as error:  # the advertisers of one that is left out would count as gone
            raise Transient(f"{self.api.base}/partner/query answered a partner that cannot be read: {error}") from None

    def _ads(self, task: Task, resume: str) -> Iterator[Page]:
        """Pages of ad groups, each with the creatives and campaigns that its ad groups name."""
        creatives = self._by_id(task, Dataset.CREATIVES, "CreativeId")
        campaigns = self._by_id(task, Dataset.CAMPAIGNS, "CampaignId")
        for page in self.api.query("/adgroup/query/advertiser", _of(task), int(resume or 0)):
            groups = list(page.found.result or ())
            named, parents = dict[str, msgspec.Raw](), dict[str, msgspec.Raw]()
            for group in _readable(groups):
                ids = (group.bidding.creative_ids if group.bidding else None) or ()
                named |= {one: creatives[one] for one in ids if one in creatives}
                if group.campaign_id in campaigns:
                    parents[group.campaign_id] = campaigns[group.campaign_id]
            together = {"AdGroups": groups, "Creatives": list(named.values()), "Campaigns": list(parents.values())}
            following = str(page.following) if page.following >= 0 else ""
            body = msgspec.json.encode(together)
            yield Page(body, page.response.url, page.response.status, page.ends, resume=following)

    def _by_id(self, task: Task, dataset: Dataset, name: str) -> dict[str, msgspec.Raw]:
        """All objects of a list, undecoded. Raises TooMuchData where they are too many to hold."""
        found: dict[str, msgspec.Raw] = {}
        size = 0
        for page in self.api.query(_QUERIES[dataset], _of(task)):
            for raw in _whole(page):
                with suppress(*UNREADABLE):  # one without a name is nobody's; lists of its kind quarantine it
                    key = _decode_members(raw).get(name)
                    found[msgspec.json.decode(key, type=str) if key else ""] = raw.copy()
                size += len(raw)
            if size > limits.MAX_RESPONSE_BYTES:
                raise TooMuchData(f"the advertiser's {dataset} have more than {limits.MAX_RESPONSE_BYTES} bytes")
        return found


def _whole(page: QueryPage) -> Sequence[msgspec.Raw]:
    """The rows of a page. Raises Transient where the list ended before its end: what it lacks would count as gone."""
    if not page.whole:
        raise Transient(f"{page.response.url} stopped listing before its end")
    return page.found.result or ()


def _readable(groups: Iterable[msgspec.Raw]) -> Iterator[wire.DeskWireAdGroup]:
    """The ad groups that can be read; the normalizer quarantines the others."""
    for raw in groups:
        with suppress(*UNREADABLE):
            yield _decode_group(raw)


class _Workbook(RequestRejected):
    """The file is a workbook."""


def _of(task: Task) -> dict[str, object]:
    return {"AdvertiserId": task.profile_id, "Availabilities": _EVERY}


def _is_text(answer: Response) -> None:
    """Refuse a page in HTML, which is the log-in page, and a workbook."""
    media = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media == "text/html":
        raise Transient(f"{answer.url} answers with a page in HTML instead of the report")
    if "spreadsheet" in media or "excel" in media:
        raise _Workbook("the report is an Excel workbook: choose a template for CSV files")


def _checked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, once their beginning has shown that they are a CSV file; an empty file is an empty report."""
    first = next(chunks, b"")
    start = first.removeprefix(_BOM).lstrip()[:64].lower()
    if first.startswith(_ZIP):
        raise _Workbook("the report is an Excel workbook: choose a template for CSV files")
    if start.startswith(b"<"):
        raise Transient("the report's URL answers with a page in HTML")
    return chain((first,), chunks)
