"""A loopback server that speaks Amazon's wire, with answers that a test can script."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

import requests
from werkzeug.wrappers import Response

from adweir.model.datasets import Dataset
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.amazon_ads import AmazonCredential
from adweir.platforms.amazon_ads.api import AmazonCalls, Hosts
from adweir.platforms.amazon_ads.client import AmazonConnector
from adweir.platforms.http import Http
from sandbox.serving import HttpServer
from sandbox.web import PlatformRequest
from support.clock import FrozenClock

CREATED_AT = "2026-11-20T11:59:00.000Z"
MEDIA = {
    "/sp/campaigns/list": "application/vnd.spCampaign.v3+json",
    "/sp/adGroups/list": "application/vnd.spAdGroup.v3+json",
    "/sp/productAds/list": "application/vnd.spProductAd.v3+json",
    "/sp/keywords/list": "application/vnd.spKeyword.v3+json",
    "/sp/targets/list": "application/vnd.spTargetingClause.v3+json",
    "/sp/negativeKeywords/list": "application/vnd.spNegativeKeyword.v3+json",
    "/sp/campaignNegativeKeywords/list": "application/vnd.spCampaignNegativeKeyword.v3+json",
    "/sp/negativeTargets/list": "application/vnd.spNegativeTargetingClause.v3+json",
    "/sp/campaignNegativeTargets/list": "application/vnd.spCampaignNegativeTargetingClause.v3+json",
    "/sb/v4/campaigns/list": "application/vnd.sbcampaignresource.v4+json",
    "/sb/v4/adGroups/list": "application/vnd.sbadgroupresource.v4+json",
    "/sb/v4/ads/list": "application/vnd.sbadresource.v4+json",
    "/sb/targets/list": "application/json",
    "/sb/themes/list": "application/json",
    "/sb/negativeTargets/list": "application/json",
    "/reporting/reports": "application/vnd.createasyncreportrequest.v3+json",
}
KEYS = {
    "/sp/targets/list": "targetingClauses",
    "/sp/negativeTargets/list": "negativeTargetingClauses",
    "/sp/campaignNegativeTargets/list": "campaignNegativeTargetingClauses",
}
"""Where the key that holds a list is not its resource's name."""


SECRET = {"client_id": "amzn1.x", "client_secret": "s3cret", "refresh_token": "Atzr|1"}


class MemoryTokens:
    """The token cache of one container."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str:
        with self._lock:
            if key not in self._tokens:
                self._tokens[key] = refresh()[0]
            return self._tokens[key]

    def forget(self, key: str) -> None:
        with self._lock:
            self._tokens.pop(key, None)


class Seen(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    """A scripted answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


class AmazonStub:
    """`script(path, *answers)` answers the next requests of a path; afterwards the normal behaviour is back."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.tokens_given = 0
        self.valid_tokens: set[str] = set()
        self.token_delay = threading.Event()
        self.token_delay.set()
        self.profiles: list[Any] = []
        self.lists: dict[str, list[Any]] = defaultdict(list)
        self.reports: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.file_serial = 0
        self.base = ""
        self._scripts: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self._lock = threading.Lock()

    def script(self, path: str, *answers: Answer) -> None:
        self._scripts[path].extend(answers)

    def requests(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == path]

    def put_file(self, report_id: str, rows: Any) -> str:
        """Make a report COMPLETED with a file; return the file's path."""
        self.file_serial += 1
        path = f"/files/{self.file_serial}"
        self.files[path] = gzip.compress(json.dumps(rows).encode())
        report = self.reports[report_id]
        report.update(
            status="COMPLETED", url=f"{self.base}{path}?X-Amz-Signature=secret", fileSize=len(self.files[path])
        )
        return path

    def answer(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            if self._scripts[seen.path]:
                return self._scripts[seen.path].popleft()
        if seen.path == "/auth/o2/token":
            return self._token()
        return self._file(seen) if seen.path.startswith("/files/") else self._api(seen)

    def _file(self, seen: Seen) -> Answer:
        if "authorization" in seen.headers:
            return Answer(400, {"message": "only one auth mechanism allowed"})
        file = self.files.get(seen.path)
        return Answer(403, b"<Error>expired</Error>") if file is None else Answer(200, file)

    def _api(self, seen: Seen) -> Answer:
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid_tokens:
            return Answer(401, {"code": "UNAUTHORIZED", "details": "HTTP 401 Unauthorized"})
        if seen.path == "/v2/profiles":
            return Answer(200, self.profiles)
        if not seen.headers.get("amazon-advertising-api-scope"):
            return Answer(401, {"code": "UNAUTHORIZED", "details": "Not authorized to access scope"})
        return self._scoped(seen)

    def _token(self) -> Answer:
        self.token_delay.wait(5)
        with self._lock:
            self.tokens_given += 1
            token = f"Atza|{self.tokens_given}"
            self.valid_tokens.add(token)
        return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def _scoped(self, seen: Seen) -> Answer:
        if seen.method == "POST" and seen.headers["content-type"] != MEDIA[seen.path]:
            return Answer(415, {"code": "415", "details": "Unsupported Media Type"})
        if seen.path.endswith("/list"):
            key = KEYS.get(seen.path) or seen.path.split("/")[-2]
            start, size = int(seen.json().get("nextToken", "0")), seen.json()["maxResults"]
            items = self.lists[seen.path]
            body = {key: items[start : start + size], "totalResults": len(items)}
            return Answer(200, body | ({"nextToken": str(start + size)} if start + size < len(items) else {}))
        if seen.path.startswith(("/sd/", "/sb/")):
            start, named = int(seen.query["startIndex"][0]), seen.query.get("campaignIdFilter", [""])[0].split(",")
            items = [one for one in self.lists[seen.path] if named == [""] or str(one["campaignId"]) in named]
            return Answer(200, items[start : start + int(seen.query["count"][0])])
        if seen.path == "/reporting/reports":
            return self._create(seen.json())
        report = self.reports.get(seen.path.rpartition("/")[2])
        return Answer(404, {"code": "404", "detail": "Report not found"}) if report is None else Answer(200, report)

    def _create(self, asked: dict[str, Any]) -> Answer:
        for report in self.reports.values():
            same = all(report[name] == asked[name] for name in ("startDate", "endDate", "configuration"))
            if same and report["status"] in {"PENDING", "PROCESSING"}:
                said = f"The Request is a duplicate of : {report['reportId']}"
                return Answer(425, {"code": "425", "detail": said})
        report_id = f"report-{len(self.reports) + 1}"
        blank = {"failureReason": None, "fileSize": None, "url": None, "urlExpiresAt": None}
        self.reports[report_id] = {"reportId": report_id, "status": "PENDING", "createdAt": CREATED_AT} | asked | blank
        return Answer(200, self.reports[report_id])


def connected(stub: AmazonStub, session: requests.Session, clock: FrozenClock) -> AmazonConnector:
    """A connector for the stub that never sleeps."""
    http = Http(session, clock, random.Random(1), sleep=lambda _: None)
    hosts = Hosts(stub.base, f"{stub.base}/auth/o2/token")
    calls = AmazonCalls(AmazonCredential.read(SECRET), hosts, http, clock, MemoryTokens())
    return AmazonConnector(calls, clock)


def task(dataset: Dataset = Dataset.AD_DAILY, slice_: str = "sp", window: str = "2026-11-01..2026-11-07") -> Task:
    """A task of profile 123; `window` counts for metrics."""
    return Task(
        run_id="r1",
        stage="metrics",
        account_id="acme",
        platform=Platform("amazon_ads"),
        profile_id="123",
        dataset=dataset,
        slice=slice_,
        window=Window.parse(window) if dataset.grain else None,
        deadline=0,
    )


@contextmanager
def amazon_stub() -> Iterator[AmazonStub]:
    """Serve a stub on a free loopback port."""
    stub = AmazonStub()

    def respond(request: PlatformRequest) -> Response:
        query, headers = request.args.to_dict(flat=False), {name.lower(): v for name, v in request.headers.items()}
        answer = stub.answer(Seen(request.method, request.path, query, headers, request.get_data()))
        sent = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        return Response(sent, answer.status, answer.headers)

    with HttpServer(respond) as server:
        stub.base = server.url
        yield stub
