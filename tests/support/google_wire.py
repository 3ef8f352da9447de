"""Google Ads answers as tests need them, and a stub that gives access tokens beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import msgspec
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import OwnTokens, PullContext
from adweir.platforms.google_ads import client as google
from adweir.platforms.google_ads.client import GoogleConnector
from support.meta_wire import AS_OF
from support.platforms import wiring
from support.stub_http import Answer, Call, StubServer

GOOGLE_ADS = Platform("google_ads")
CUSTOMER = "1234567890"
SECRET = {
    "client_id": "42-abc.apps.googleusercontent.com",
    "client_secret": "GOCSPX-of-the-client",
    "refresh_token": "1//0gRefreshOfTheUser",
}
WEEK = Window(date(2026, 11, 1), date(2026, 11, 7))
QUOTA = {"quotaError": "RESOURCE_EXHAUSTED"}


def row(**changes: Any) -> dict[str, Any]:
    """An ad's row; a change replaces a member, one to None leaves it out. `metrics` are merged."""
    metrics = {
        "impressions": "1200",
        "clicks": "34",
        "interactions": "34",
        "costMicros": "45670000",
        "conversions": 2.5,
        "conversionsValue": 310.75,
        "allConversions": 3,
        "allConversionsValue": 320.5,
        "viewThroughConversions": "1",
    }
    changed = changes.pop("metrics", {})
    made = {
        "campaign": {"resourceName": "customers/1234567890/campaigns/111", "id": "111"},
        "adGroup": {"resourceName": "customers/1234567890/adGroups/222", "id": "222"},
        "adGroupAd": {"resourceName": "customers/1234567890/adGroupAds/222~333", "ad": {"id": "333"}},
        "metrics": {name: value for name, value in (metrics | changed).items() if value is not None},
        "segments": {"date": "2026-11-01"},
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def page(rows: list[Any], following: str = "") -> dict[str, Any]:
    """A page of `search`."""
    return {"results": rows, "fieldMask": "x"} | ({"nextPageToken": following} if following else {})


def batch(rows: list[Any]) -> dict[str, Any]:
    """An element of `searchStream`."""
    return {"results": rows, "fieldMask": "x", "requestId": "aBcDeFgHiJkLmNoPqRsTuV"}


def failed(code: int, status: str, *codes: Mapping[str, str], **details: Any) -> dict[str, Any]:
    """An answer with a GoogleAdsFailure."""
    errors = [{"errorCode": dict(each), "message": "why", "details": details} for each in codes]
    failure = {
        "@type": "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure",
        "errors": errors,
        "requestId": "req-1",
    }
    return {"error": {"code": code, "message": "said", "status": status, "details": [failure] if codes else []}}


def quota(delay: str | None = "60s", scope: str = "DEVELOPER") -> dict[str, Any]:
    """429, as Google answers it."""
    details = {"rateScope": scope, "rateName": "Number of operations for explorer access"}
    return failed(
        429,
        "RESOURCE_EXHAUSTED",
        QUOTA,
        quotaErrorDetails=details | ({} if delay is None else {"retryDelay": delay}),
    )


def query_of(call: Call) -> str:
    found: str = msgspec.json.decode(call.body)["query"]
    return found


@dataclass
class GoogleStub:
    """Gives tokens `ya29.<n>`, refuses all but the newest one, and answers the API's calls by `answers` in turn.

    When none are left, `route` answers.
    """

    stub: StubServer
    answers: list[Answer] = field(default_factory=list)
    route: Callable[[Call], Answer] = lambda _: Answer(200, [batch([])])
    token_answers: list[Answer] = field(default_factory=list)
    given: int = 0

    def __post_init__(self) -> None:
        self.stub.route = self._answer

    @property
    def calls(self) -> list[Call]:
        """The API's calls."""
        return [call for call in self.stub.calls if call.path != "/token"]

    @property
    def tokens(self) -> list[Call]:
        return [call for call in self.stub.calls if call.path == "/token"]

    def _answer(self, call: Call) -> Answer:
        if call.path == "/token":
            if self.token_answers:
                return self.token_answers.pop(0)
            self.given += 1
            token = f"ya29.a0Invented{self.given}"
            return Answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
        if call.headers.get("Authorization") != f"Bearer ya29.a0Invented{self.given}":
            return Answer(401, failed(401, "UNAUTHENTICATED", {"authenticationError": "OAUTH_TOKEN_EXPIRED"}))
        return self.answers.pop(0) if self.answers else self.route(call)


def connected(
    stub: StubServer, session: requests.Session, clock: Any, *, route: str = "", **secret: str
) -> GoogleConnector:
    """The connector over a stub server."""
    wired = wiring(
        GOOGLE_ADS,
        session,
        clock,
        urls={"api": stub.url, "token": f"{stub.url}/token"},
        tokens=OwnTokens(clock),
        route=route,
    )
    return google.connect(
        credential=Credential(account_id="acme", platform=GOOGLE_ADS, secret_id="s"),
        secret=SECRET | secret,
        wiring=wired,
    )


def task(dataset: Dataset = Dataset.AD_DAILY, **changes: Any) -> Task:
    window = WEEK if dataset.grain or dataset is Dataset.INVOICES else None
    made = Task("r", "s", "acme", GOOGLE_ADS, CUSTOMER, dataset, "all", window, deadline=0)
    return replace(made, **changes)


def context(dataset: Dataset = Dataset.AD_DAILY, **changes: Any) -> PullContext:
    base = PullContext("acme", CUSTOMER, dataset, "all", None, AS_OF, "USD", "America/New_York")
    return base._replace(**changes)
