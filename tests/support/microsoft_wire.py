"""A stub of Microsoft Advertising for tests of its connector: answers in the form of its documents."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import Connector, PullContext
from adweir.platforms.guarded import connect as guarded
from adweir.platforms.microsoft_ads import MicrosoftCredential
from adweir.platforms.microsoft_ads.client import connect
from adweir.platforms.microsoft_ads.options import MicrosoftOptions
from support.amazon_stub import MemoryTokens
from support.platforms import wiring
from support.stub_http import Answer, Call, StubServer

MICROSOFT = Platform("microsoft_ads")
SECRET = {
    "client_id": "6731de76-14a6-49ae-97bc-6eba6914391e",
    "client_secret": "cl1ent-s3cret",
    "refresh_token": "M.R3_BAY.-refresh",
    "developer_token": "BBD37VB98",
}
ACCOUNT, CUSTOMER = "180530421", "25310987"
DAYS = Window(date(2026, 11, 1), date(2026, 11, 7))
URLS = {
    "customer": "/CustomerManagement/v13", "campaign": "/CampaignManagement/v13", "reporting": "/Reporting/v13",
    "login": "",
}  # fmt: skip
TOKEN_PATH = "/common/oauth2/v2.0/token"
SEARCH = "/CustomerManagement/v13/Accounts/Search"
SUBMIT, POLL = "/Reporting/v13/GenerateReport/Submit", "/Reporting/v13/GenerateReport/Poll"


def fault(code: int, name: str = "", status: int = 400, where: str = "Errors") -> Answer:
    """A fault: AdApiFaultDetail has `Errors`, ApiFaultDetail `OperationErrors` and `BatchErrors`."""
    error = {"Code": code, "ErrorCode": name, "Message": "Said so.", "Detail": None}
    return Answer(status, {"TrackingId": "t1", "Type": "AdApiFaultDetail", where: [error]})


def zipped(text: str) -> bytes:
    """A report's file: a zip archive with one CSV file, which begins with a byte order mark."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.csv", text.encode("utf-8-sig"))
    return file.getvalue()


def body(call: Call) -> dict[str, Any]:
    """A request's JSON."""
    found: dict[str, Any] = json.loads(call.body)
    return found


def header(call: Call, name: str) -> str:
    """A request's header, "" where it has none."""
    return {key.lower(): value for key, value in call.headers.items()}.get(name.lower(), "")


class MicrosoftStub:
    """Answers by path, each a list whose last one stays; a report is done at once, and its file is `report`."""

    def __init__(self, stub: StubServer) -> None:
        self.stub = stub
        self.report = zipped("")
        self.answers: dict[str, list[Answer | Callable[[Call], Answer]]] = {
            TOKEN_PATH: [Answer(200, {"access_token": "a1", "expires_in": 3599, "refresh_token": "other"})],
            "/CustomerManagement/v13/User/Query": [Answer(200, {"User": {"Id": "77"}, "CustomerRoles": []})],
            SUBMIT: [Answer(200, {"ReportRequestId": "30000001_1"})],
            POLL: [lambda _: self.polled("Success", f"{stub.url}/files/1?sig=s3cret")],
            "/files/1": [lambda _: Answer(200, self.report)],
        }
        stub.route = self._answer

    def polled(self, status: str, url: str | None = None) -> Answer:
        """An answer about a report."""
        return Answer(200, {"ReportRequestStatus": {"Status": status, "ReportDownloadUrl": url}})

    def calls(self, path: str) -> list[Call]:
        """The requests of a path."""
        return [call for call in self.stub.calls if call.path == path]

    def _answer(self, call: Call) -> Answer:
        planned = self.answers.get(call.path)
        if not planned:
            return Answer(404, b"")
        one = planned.pop(0) if len(planned) > 1 else planned[0]
        return one(call) if callable(one) else one


def connected(
    stub: StubServer, session: requests.Session, clock: Any, route: str = CUSTOMER, **secret: str
) -> Connector:
    """The connector as the functions wire it; a field that is set to "" is left out of the credential."""
    urls = {name: f"{stub.url}{path}" for name, path in URLS.items()}
    wired = wiring(MICROSOFT, session, clock, urls=urls, tokens=MemoryTokens(), route=route)
    credential = Credential(account_id="a", platform=MICROSOFT, secret_id="s")
    values = {name: value for name, value in (SECRET | secret).items() if value}
    return guarded(connect, MicrosoftCredential, credential, values, wired)


def task(dataset: Dataset, slice_: str = ALL, window: Window = DAYS) -> Task:
    """A task about the ad account."""
    return Task("r", "m", "a", MICROSOFT, ACCOUNT, dataset, slice_, window if dataset.grain else None, 0)


def context(dataset: Dataset, **options: Any) -> PullContext:
    """What a normalizer is told about a pull."""
    chosen = MicrosoftOptions.model_validate(options)
    window = DAYS if dataset.grain else None
    return PullContext("a", ACCOUNT, dataset, ALL, window, "now", "EUR", "UTC", options=chosen)
