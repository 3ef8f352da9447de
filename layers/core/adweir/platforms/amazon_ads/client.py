"""Amazon Ads over HTTP for one credential."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

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
from adweir.platforms.amazon_ads import MAX_WINDOW_DAYS, SB, SD, SP, AmazonCredential, wire
from adweir.platforms.amazon_ads.api import (
    JSON,
    MAX_REPORT_BYTES,
    MAX_UNPACKED_BYTES,
    AmazonCalls,
    Hosts,
    decode,
    error_of,
)
from adweir.platforms.amazon_ads.verbs import PlainVerbs
from adweir.platforms.connector import Mode, Page, Report, ReportState, Wiring
from adweir.platforms.http import Http
from adweir.platforms.packed import unpacked

if TYPE_CHECKING:
    from adweir.model.entities import Credential

_CREATE_REPORT = "application/vnd.createasyncreportrequest.v3+json"
_PAGE_SIZE = 100
"""Limits differ by resource and are unpublished; 100 is safe for all."""
_DUPLICATE = re.compile(r"duplicate of\s*:\s*([0-9A-Za-z._-]+)")


class _List(NamedTuple):
    path: str
    media: str


_LISTS = {
    (Dataset.CAMPAIGNS, SP): _List("/sp/campaigns/list", "application/vnd.spCampaign.v3+json"),
    (Dataset.AD_GROUPS, SP): _List("/sp/adGroups/list", "application/vnd.spAdGroup.v3+json"),
    (Dataset.ADS, SP): _List("/sp/productAds/list", "application/vnd.spProductAd.v3+json"),
    (Dataset.KEYWORDS, SP): _List("/sp/keywords/list", "application/vnd.spKeyword.v3+json"),
    (Dataset.CAMPAIGNS, SB): _List("/sb/v4/campaigns/list", "application/vnd.sbcampaignresource.v4+json"),
    (Dataset.AD_GROUPS, SB): _List("/sb/v4/adGroups/list", "application/vnd.sbadgroupresource.v4+json"),
    (Dataset.ADS, SB): _List("/sb/v4/ads/list", "application/vnd.sbadresource.v4+json"),
}
_DISPLAY_LISTS = {
    Dataset.CAMPAIGNS: "/sd/campaigns",
    Dataset.AD_GROUPS: "/sd/adGroups",
    Dataset.ADS: "/sd/productAds",
}

_COMMON_COLUMNS = ["date", "campaignId", "adGroupId", "adId", "impressions", "clicks", "cost"]
_CURRENCY = ["campaignBudgetCurrencyCode"]
_REPORTS: Mapping[str, Mapping[str, Any]] = {
    SP: {
        "adProduct": "SPONSORED_PRODUCTS",
        "groupBy": ["advertiser"],
        "reportTypeId": "spAdvertisedProduct",
        # Sellers are measured by 7 days, vendors by 14: both are requested; when loading, the profile's kind decides.
        "columns": [*_COMMON_COLUMNS, "purchases7d", "sales7d", "purchases14d", "sales14d", *_CURRENCY],
    },
    SB: {
        "adProduct": "SPONSORED_BRANDS",
        "groupBy": ["ads"],
        "reportTypeId": "sbAds",
        "columns": [*_COMMON_COLUMNS, "purchases", "sales", *_CURRENCY],
    },
    SD: {
        "adProduct": "SPONSORED_DISPLAY",
        "groupBy": ["advertiser"],
        "reportTypeId": "sdAdvertisedProduct",
        "columns": [*_COMMON_COLUMNS, "purchases", "sales", *_CURRENCY],
    },
}


def connect(*, credential: Credential, secret: Mapping[str, str], wiring: Wiring) -> AmazonConnector:
    """The connector of a credential, in the region of its route. Raises AuthExpired for a secret that is not one."""
    try:
        values = AmazonCredential.read(secret)
    except Unprocessable as error:
        raise AuthExpired(error.message) from None
    region = wiring.route or values.route
    hosts = Hosts(wiring.urls("api", region), wiring.urls("token", region))
    http = Http(wiring.session, wiring.clock, wiring.rng)
    api = AmazonCalls(values, hosts, http, wiring.clock, wiring.tokens)
    return AmazonConnector(api, wiring.clock, account_id=credential.account_id, route=region)


class AmazonConnector(PlainVerbs):
    """Implements `platforms.connector.Connector`; the plain verbs are in `verbs`, the calls in `api`."""

    def __init__(
        self,
        api: AmazonCalls,
        clock: Clock,
        *,
        account_id: str = "",
        route: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(account_id, clock, sleep)
        self.api = api
        self.route = route
        self._known: dict[str, wire.WireReport] = {}

    def profiles(self) -> Iterator[Page]:
        """All profiles of the region, in one answer: Amazon does not page it."""
        params = {"apiProgram": "campaign", "accessLevel": "view", "profileTypeFilter": "seller,vendor"}
        answer = self.api.get("/v2/profiles", params=params)
        yield Page(answer.body, answer.url, answer.status, last=True)

    def mode(self, task: Task) -> Mode:
        """Metrics are reports, everything else pages."""
        return Mode.REPORT if task.dataset.grain else Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """An entity list, 100 objects per page. Raises RequestRejected for a dataset that Amazon does not have.

        The last page has no nextToken; one that stops short of the list's own total is not taken for the end.
        """
        if task.slice == SD and task.dataset in _DISPLAY_LISTS:
            yield from self._display(_DISPLAY_LISTS[task.dataset], task.profile_id, int(resume or 0))
            return
        found = _LISTS.get((task.dataset, task.slice))
        if found is None:
            raise RequestRejected(f"amazon_ads has no list {task.dataset} of slice {task.slice}")
        body: dict[str, Any] = {
            "maxResults": _PAGE_SIZE,
            "stateFilter": {"include": ["ENABLED", "PAUSED", "ARCHIVED"]},
        }
        counted, _, following = resume.partition(" ")
        seen = int(counted or 0)
        if following:
            body["nextToken"] = following
        while True:
            answer = self.api.post(found.path, task.profile_id, found.media, body)
            envelope = decode(answer, wire.Envelope)
            seen += envelope.count
            token = envelope.next_token
            if token and token == body.get("nextToken"):
                raise Transient(f"{answer.url} repeats its nextToken")
            last = not token and seen >= envelope.total_results
            yield Page(answer.body, answer.url, answer.status, last, resume=f"{seen} {token}" if token else "")
            if not token:
                return
            body["nextToken"] = token

    def _display(self, path: str, profile_id: str, start: int) -> Iterator[Page]:
        """Sponsored Display pages by position; a page that is not full is the last one."""
        before = b""
        while True:
            params = {"startIndex": str(start), "count": str(_PAGE_SIZE), "stateFilter": "enabled,paused,archived"}
            answer = self.api.get(path, profile_id, params)
            if answer.body == before:
                return  # the server ignores the position: the list may be incomplete
            before, count = answer.body, len(decode(answer, list[msgspec.Raw]))
            following = str(start + count)
            yield Page(answer.body, answer.url, answer.status, last=count != _PAGE_SIZE, resume=following)
            if count != _PAGE_SIZE:
                return
            start += count

    def create_report(self, task: Task) -> Report:
        """Ask for the daily ad report of the task's slice, or adopt the one being made for the same request (425).

        `as_of` is the moment before asking, or Amazon's own creation time of an adopted report.
        """
        if task.dataset is not Dataset.AD_DAILY or task.slice not in _REPORTS or task.window is None:
            raise RequestRejected(f"amazon_ads has no report {task.dataset} of slice {task.slice}")
        if task.window.length > MAX_WINDOW_DAYS:
            raise TooMuchData(f"a report covers at most {MAX_WINDOW_DAYS} days, asked: {task.window}")
        body = {
            "name": task.id,
            "startDate": task.window.start.isoformat(),
            "endDate": task.window.end.isoformat(),
            "configuration": {**_REPORTS[task.slice], "timeUnit": "DAILY", "format": "GZIP_JSON"},
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
