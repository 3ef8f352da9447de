"""Amazon Ads over HTTP for one credential (platform-protocols sections 3.1 to 3.7)."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    ReportFailed,
    RequestRejected,
    Throttled,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.tasks import Task
from adweir.model.times import Clock, parse_instant
from adweir.platforms.amazon_ads import MAX_WINDOW_DAYS, SB, SD, SP, AmazonCredential, wire
from adweir.platforms.amazon_ads.verbs import PlainVerbs
from adweir.platforms.connector import Mode, Page, Report, ReportState, TokenCache, Wiring
from adweir.platforms.http import Http, Response, fault, retry_after, same_origin

if TYPE_CHECKING:
    from adweir.model.entities import Credential

_JSON = "application/json"
_CREATE_REPORT = "application/vnd.createasyncreportrequest.v3+json"
_PAGE_SIZE = 100
"""Limits differ by resource and are unpublished; 100 is safe for all."""
MAX_REPORT_BYTES = 64 << 20
"""A gzip report is held in memory once; a larger one is split."""
_DUPLICATE = re.compile(r"duplicate of\s*:\s*([0-9A-Za-z._-]+)")
_DEAD = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})
_W = TypeVar("_W")


class Hosts(NamedTuple):
    """Where requests go: the API's base URL and the token's URL of a region."""

    api: str
    token: str


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
        # Sellers are measured by 7 days, vendors by 14: both are asked for, the profile's kind decides on loading.
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
    return AmazonConnector(
        values,
        Hosts(wiring.urls("api", region), wiring.urls("token", region)),
        Http(wiring.session, wiring.clock, wiring.rng),
        wiring.clock,
        wiring.tokens,
        account_id=credential.account_id,
    )


class AmazonConnector(PlainVerbs):
    """Implements `platforms.base.Connector`; the plain verbs are in `verbs`."""

    def __init__(
        self,
        secret: AmazonCredential,
        hosts: Hosts,
        http: Http,
        clock: Clock,
        tokens: TokenCache,
        *,
        account_id: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(account_id, clock, sleep)
        self._secret = secret
        self._api = hosts.api.rstrip("/")
        self._token_url = hosts.token
        self._http = http
        self._tokens = tokens
        # A replaced credential must not live on with the access token of the old one: its values are part of the key.
        identity = f"{secret.client_id}\x1f{secret.client_secret}\x1f{secret.refresh_token}"
        self._token_key = f"amazon_ads#{hashlib.sha256(identity.encode()).hexdigest()[:20]}"
        self._known: dict[str, wire.WireReport] = {}

    def profiles(self) -> Iterator[Page]:
        """All profiles of the region, in one answer: Amazon does not page it."""
        params = {"apiProgram": "campaign", "accessLevel": "view", "profileTypeFilter": "seller,vendor"}
        answer = self._call("GET", "/v2/profiles", params=params)
        yield Page(answer.body, answer.url, answer.status, last=True)

    def mode(self, task: Task) -> Mode:
        """Metrics are reports, everything else pages."""
        return Mode.REPORT if task.dataset.grain else Mode.PAGES

    def pages(self, task: Task) -> Iterator[Page]:
        """An entity list, a hundred objects a page. Raises RequestRejected for a dataset that Amazon has not.

        The last page has no nextToken; one that stops short of the list's own total is not taken for the end.
        """
        if task.slice == SD and task.dataset in _DISPLAY_LISTS:
            yield from self._display(_DISPLAY_LISTS[task.dataset], task.profile_id)
            return
        found = _LISTS.get((task.dataset, task.slice))
        if found is None:
            raise RequestRejected(f"amazon_ads has no list {task.dataset} of slice {task.slice}")
        body: dict[str, Any] = {
            "maxResults": _PAGE_SIZE,
            "stateFilter": {"include": ["ENABLED", "PAUSED", "ARCHIVED"]},
        }
        seen = 0
        while True:
            answer = self._call("POST", found.path, profile_id=task.profile_id, media=found.media, body=body)
            envelope = _decode(answer, wire.Envelope)
            seen += envelope.count
            token = envelope.next_token
            if token and token == body.get("nextToken"):
                raise Transient(f"{answer.url} repeats its nextToken")
            yield Page(answer.body, answer.url, answer.status, last=not token and seen >= envelope.total_results)
            if not token:
                return
            body["nextToken"] = token

    def _display(self, path: str, profile_id: str) -> Iterator[Page]:
        """Sponsored Display pages by position; a page that is not full is the last one."""
        start, before = 0, b""
        while True:
            params = {"startIndex": str(start), "count": str(_PAGE_SIZE), "stateFilter": "enabled,paused,archived"}
            answer = self._call("GET", path, profile_id=profile_id, params=params)
            if answer.body == before:
                return  # the position is ignored: what came is not known to be all
            before, count = answer.body, len(_decode(answer, list[msgspec.Raw]))
            yield Page(answer.body, answer.url, answer.status, last=count != _PAGE_SIZE)
            if count != _PAGE_SIZE:
                return
            start += count

    def create_report(self, task: Task) -> Report:
        """Ask for the daily ad report of the task's slice, or adopt the one being made for the same question (425).

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
        answer = self._call(
            "POST",
            "/reporting/reports",
            profile_id=task.profile_id,
            media=_CREATE_REPORT,
            accept=_JSON,
            body=body,
            expected=(425,),
        )
        if answer.status != 425:
            return self._report(_decode(answer, wire.WireReport))._replace(as_of=before)
        duplicate = _DUPLICATE.search(_error(answer).text)
        if duplicate is None:
            raise Transient(f"{answer.url} answered 425 without the report's id: {_error(answer).text[:200]}")
        return self.report(task, duplicate[1])._replace(adopted=True)

    def report(self, task: Task, report_id: str) -> Report:
        """The report's state; one that Amazon no longer knows counts as failed."""
        found = self._status(task.profile_id, report_id)
        if found is None:
            gone = "Amazon no longer knows the report"
            return Report(report_id, ReportState.FAILED, self._clock.now(), reason=gone)
        return self._report(found)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The report's file, as one page.

        Its URL is signed and refuses our headers, so none are sent. When it has expired, the status is asked for a
        fresh one, once; then ReportFailed, so that the report is requested again. TooMuchData over 64 MiB.
        """
        known = self._known.pop(report_id, None)
        for again in (False, True):
            found = known if known and not again else self._status(task.profile_id, report_id)
            if found is None or found.status != "COMPLETED" or not found.url:
                raise ReportFailed(f"report {report_id} has no file", report_id=report_id)
            if (found.file_size or 0) > MAX_REPORT_BYTES:
                raise TooMuchData(f"the report's file has {found.file_size} bytes", report_id=report_id)
            body = self._download(found.url)
            if body is not None:
                bare = urlsplit(found.url)._replace(query="", fragment="").geturl()
                yield Page(body, bare, 200, last=True, encoding="gzip" if body[:2] == b"\x1f\x8b" else "")
                return
        raise ReportFailed(f"the download of report {report_id} is refused", report_id=report_id)

    def _download(self, url: str) -> bytes | None:
        """The file, or None when the URL is refused, as an expired one is."""
        if urlsplit(url).scheme != "https" and not same_origin(url, self._api):
            raise RequestRejected("the report's URL is neither https nor on the API's own host")
        try:
            return b"".join(self._http.download(url, max_bytes=MAX_REPORT_BYTES))
        except (AccessDenied, AuthExpired, RequestRejected):
            return None

    def _status(self, profile_id: str, report_id: str) -> wire.WireReport | None:
        if not re.fullmatch(r"[0-9A-Za-z._-]+", report_id):
            raise RequestRejected(f"no report id: {report_id[:60]!r}")
        answer = self._call("GET", f"/reporting/reports/{report_id}", profile_id=profile_id, expected=(404,))
        return None if answer.status == 404 else _decode(answer, wire.WireReport)

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

    def _call(
        self,
        method: str,
        path: str,
        *,
        profile_id: str = "",
        media: str = "",
        accept: str = "",
        params: Mapping[str, str] | None = None,
        body: Any = None,
        expected: Collection[int] = (),
    ) -> Response:
        """One API call; a refused access token is refreshed once. Every call may be repeated: lists only read, and a
        report asked for twice is a 425. Raises what a status that is neither 2xx nor `expected` means.
        """
        headers = {"Amazon-Advertising-API-ClientId": self._secret.client_id, "Accept": accept or media or _JSON}
        if profile_id:
            headers["Amazon-Advertising-API-Scope"] = profile_id
        if media:
            headers["Content-Type"] = media
        answer = self._send(method, path, headers, params, body)
        if answer.status == 401:
            self._tokens.forget(self._token_key)
            answer = self._send(method, path, headers, params, body)
        if answer.ok or answer.status in expected:
            return answer
        raise self._fault(answer, scoped=bool(profile_id))

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], params: Mapping[str, str] | None, body: Any
    ) -> Response:
        token = self._tokens.get(self._token_key, self._refresh)
        authorized = {**headers, "Authorization": f"Bearer {token}"}
        return self._http.request(method, self._api + path, params=params, headers=authorized, json=body, resend=True)

    def _refresh(self) -> tuple[str, int]:
        """A new access token from Login with Amazon: (token, seconds). Raises AuthExpired for a dead credential."""
        form = self._secret.model_dump(include={"refresh_token", "client_id", "client_secret"})
        answer = self._http.request("POST", self._token_url, form={"grant_type": "refresh_token", **form}, resend=True)
        if answer.ok:
            token = _decode(answer, wire.WireToken)
            return token.access_token, token.expires_in
        said = _error(answer)
        if said.error in _DEAD:
            raise AuthExpired(f"Login with Amazon: {said.error}: {said.text}"[:300])
        if answer.status in {401, 403}:
            raise AuthExpired(f"Login with Amazon answered {answer.status}: {said.text}"[:300])
        raise self._throttled(answer) or fault(answer, self._clock.now(), said.text)

    def _fault(self, answer: Response, *, scoped: bool) -> AdweirError:
        """Section 3.7: 401 and 403 mean the profile where one was named, else the credential."""
        said = _error(answer).text
        if answer.status in {401, 403}:
            kind = AccessDenied if scoped else AuthExpired
            return kind(f"{answer.url} answered {answer.status}: {said}"[:300], status=answer.status)
        return self._throttled(answer) or fault(answer, self._clock.now(), said)

    def _throttled(self, answer: Response) -> Throttled | None:
        """429 without Retry-After: the caller doubles its wait by attempt (`guessed`)."""
        if answer.status != 429:
            return None
        wait = retry_after(answer.headers, self._clock.now())
        message = f"{answer.url} answered 429"
        return Throttled(message, retry_after=2.0 if wait is None else wait, status=429, guessed=wait is None)


def _decode(answer: Response, kind: type[_W]) -> _W:
    """A body that is not what was asked for came from something between us: Transient."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Transient(f"{answer.url} answered {answer.status} with an unexpected body: {error}"[:300]) from None


def _error(answer: Response) -> wire.WireError:
    try:
        return msgspec.json.decode(answer.body, type=wire.WireError)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return wire.WireError()
