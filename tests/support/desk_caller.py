"""Calls to the sandbox's The Trade Desk as one client makes them: a token, and whatever bodies and headers it likes."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import requests

from sandbox.platforms.trade_desk import STAND_IN
from sandbox.platforms.trade_desk.population import PARTNERS
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile

PLATFORM = STAND_IN.platform
START, END = "2026-11-14", "2026-11-21"
"""The seven days before the world's today; a report's end is exclusive."""
PAGE = {"PageStartIndex": 0, "PageSize": 100}


class DeskCaller:
    """One company's credential."""

    def __init__(self, server: PlatformServer, company: str) -> None:
        self.server = server
        self.session = requests.Session()
        self.company: Company = server.outside.company(company)
        self.secrets = self.company.bodies(PLATFORM)[""]
        self.profiles: list[WorldProfile] = self.company.on(PLATFORM)
        self.partner = PARTNERS[company]
        self.token = self.secrets.get("token") or self.log_in().json()["Token"]

    def log_in(self, **changes: Any) -> requests.Response:
        """A login's answer; `changes` replace properties of its body."""
        body = {"Login": self.secrets.get("login"), "Password": self.secrets.get("password")} | changes
        return self.session.post(f"{self.server.url}/v3/authentication", json=body, timeout=5)

    def ask(
        self, path: str, body: Any = None, method: str = "POST", headers: dict[str, str] | None = None
    ) -> requests.Response:
        """One request with the token."""
        sent = {"TTD-Auth": self.token} | (headers or {})
        return self.session.request(method, f"{self.server.url}/v3{path}", json=body, headers=sent, timeout=5)

    def listed(self, path: str, **body: Any) -> dict[str, Any]:
        """A list's answer."""
        answer = self.ask(path, PAGE | body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def schedule(self, template: int = 168_005, **changes: Any) -> requests.Response:
        """A new schedule's answer: one CSV file of a partner's week; a property that is set to None is left out."""
        body = {
            "ReportScheduleName": "test",
            "ReportTemplateId": template,
            "ReportFileFormat": "CSV",
            "ReportDateRange": "Custom",
            "ReportStartDateInclusive": f"{START}T00:00:00",
            "ReportEndDateExclusive": f"{END}T00:00:00",
            "ReportFrequency": "Once",
            "ScheduleStartDate": f"{END}T00:00:00",
            "TimeZone": "UTC",
            "ReportDateFormat": "Sortable",
            "ReportNumericFormat": "US",
            "IncludeHeaders": True,
            "PartnerFilters": [self.partner.id],
        } | changes
        return self.ask("/myreports/reportschedule", {name: value for name, value in body.items() if value is not None})

    def executions(self, schedule_id: int, **body: Any) -> list[dict[str, Any]]:
        """The schedule's executions, asked by partner unless `body` names advertisers."""
        of = "advertisers" if "AdvertiserIds" in body else "partners"
        asked = {"ReportScheduleIds": [schedule_id]} | ({"PartnerIds": [self.partner.id]} if of == "partners" else {})
        found: list[dict[str, Any]] = self.listed(f"/myreports/reportexecution/query/{of}", **asked, **body)["Result"]
        return found

    def link(self, schedule_id: int, **body: Any) -> str:
        """The finished report's link."""
        while not (deliveries := self.executions(schedule_id, **body)[0]["ReportDeliveries"]):
            time.sleep(0.01)
        return str(deliveries[0]["DownloadURL"])

    def download(self, url: str, **how: Any) -> requests.Response:
        """What a link answers, with the token."""
        return self.session.get(url, headers={"TTD-Auth": self.token}, timeout=5, **how)

    def file(self, template: int = 168_005, **changes: Any) -> bytes:
        """A finished report's bytes."""
        created = self.schedule(template, **changes)
        assert created.status_code == 200, created.text
        asked = {"AdvertiserIds": changes["AdvertiserFilters"]} if changes.get("AdvertiserFilters") else {}
        return self.download(self.link(created.json()["ReportScheduleId"], **asked)).content

    def rows(self, template: int = 168_005, **changes: Any) -> list[dict[str, str]]:
        """A finished report's rows."""
        return list(csv.DictReader(io.StringIO(self.file(template, **changes).decode())))
