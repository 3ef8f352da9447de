"""A stub of The Trade Desk on a loopback server: answers by path, and one execution in a state."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.platforms import wiring
from support.stub_http import Answer, Call, StubServer

DESK = Platform("trade_desk")
LOGIN = {"login": "api@partner", "password": "pass-word"}
DAYS = Window(date(2026, 11, 1), date(2026, 11, 7))
SCHEDULE = {
    "ReportScheduleId": 555001,
    "ReportStartDateInclusive": "2026-11-01T00:00:00",
    "ReportDateFormat": "US",
    "ReportNumericFormat": "International",
}
DELIVERY = {"DownloadURL": "{url}/reportdownload/1?sig=abc", "DownloadURLExpirationUTC": "2036-11-15T06:12:00"}

HEADER = b"Date,Advertiser ID\n"


class Desk:
    """A stub of the platform: answers by path, and one execution in a state."""

    def __init__(self, stub: StubServer) -> None:
        self.stub = stub
        self.answers: dict[str, Answer] = {}
        self.later: dict[str, Answer] = {}
        """The answers to pages after the first one."""
        self.state = "Complete"
        self.deliveries: list[dict[str, Any]] = [DELIVERY]
        stub.route = self.answer

    def answer(self, call: Call) -> Answer:
        path = call.path.removeprefix("/v3")
        if path in self.answers:
            is_later = path in self.later and json.loads(call.body)["PageStartIndex"]
            return (self.later if is_later else self.answers)[path]
        if path == "/authentication":
            return Answer(200, {"Token": "made-token"})
        if path.startswith("/myreports/reportschedule"):
            return Answer(240) if call.method == "DELETE" else Answer(200, SCHEDULE)
        if path.endswith("reporttemplateheader/query"):
            return Answer(200, {"Result": [{"ReportTemplateId": 7, "Name": "ADWEIR"}, {"ReportTemplateId": 8}]})
        if "/reportexecution/query/" in path:
            deliveries = [
                {name: value.format(url=self.stub.url) for name, value in one.items()} for one in self.deliveries
            ]
            execution = {
                "ReportExecutionId": 2, "ReportScheduleId": 555001, "ReportScheduleName": "mine",
                "ReportExecutionState": self.state, "ReportDeliveries": deliveries,
            }  # fmt: skip
            older = execution | {"ReportExecutionId": 1, "ReportExecutionState": "Failed"}
            other = execution | {"ReportScheduleId": 9, "ReportExecutionId": 3, "ReportExecutionState": "Failed"}
            return Answer(200, {"Result": [older, execution, other], "TotalFilteredCount": 3})
        return Answer(200, {"Result": []})

    def calls(self, part: str) -> list[Call]:
        return [call for call in self.stub.calls if part in call.path]


def made(desk: Desk) -> list[Call]:
    """What was asked about single schedules."""
    return [call for call in desk.calls("/myreports/reportschedule") if not call.path.endswith("/query")]


def connected(
    desk: Desk, session: requests.Session, clock: FrozenClock, route: str = "par0001", **secret: str
) -> Connector:
    wired = wiring(DESK, session, clock, urls={"api": f"{desk.stub.url}/v3"}, tokens=MemoryTokens(), route=route)
    credential = Credential(account_id="a", platform=DESK, secret_id="s")
    return REGISTRY.connect(credential, secret or LOGIN, wired)


def task(dataset: Dataset = Dataset.AD_DAILY, window: Window | None = DAYS) -> Task:
    return Task("r", "m", "a", DESK, "abc1234", dataset, ALL, window if dataset.grain else None, 0)
