"""Calls to the sandbox's Microsoft Advertising as one client makes them: a token, and whatever bodies and headers."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from typing import Any

import requests

from sandbox.platforms.microsoft_ads import STAND_IN
from sandbox.platforms.microsoft_ads.api import PREFIX
from sandbox.platforms.microsoft_ads.login import SCOPE
from sandbox.platforms.microsoft_ads.population import USERS, account_of
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile

PLATFORM = STAND_IN.platform
START, END = (2026, 11, 14), (2026, 11, 20)
"""The seven days before the world's today, both included."""


class MicrosoftCaller:
    """One company's credential, and its first ad account."""

    def __init__(self, server: PlatformServer, company: str, place: int = 0) -> None:
        self.server = server
        self.session = requests.Session()
        self.company: Company = server.outside.company(company)
        self.secrets = self.company.bodies(PLATFORM)[""]
        self.user = USERS[company]
        self.profile: WorldProfile = self.company.on(PLATFORM)[place]
        self.headers = {
            "Authorization": f"Bearer {self.log_in().json()['access_token']}",
            "DeveloperToken": self.secrets["developer_token"],
            "CustomerId": account_of(self.profile.id).customer,
            "CustomerAccountId": self.profile.id,
        }

    def log_in(self, tenant: str | None = None, **changes: str | None) -> requests.Response:
        """The token endpoint's answer; `changes` replace parameters, None leaves one out."""
        form = {name: self.secrets.get(name) for name in ("client_id", "client_secret", "refresh_token")}
        form |= {"grant_type": "refresh_token", "scope": SCOPE} | changes
        sent = {name: value for name, value in form.items() if value is not None}
        path = f"{tenant or self.user.tenant}/oauth2/v2.0/token"
        return self.session.post(f"{self.server.url}/{path}", data=sent, timeout=5)

    def ask(self, path: str, body: Any, **headers: str | None) -> requests.Response:
        """One request; `headers` replace the usual ones, None leaves one out."""
        sent = {name: value for name, value in (self.headers | headers).items() if value is not None}
        return self.session.post(f"{self.server.url}{PREFIX}/{path}", json=body, headers=sent, timeout=5)

    def listed(self, path: str, **body: Any) -> list[dict[str, Any]]:
        """A list of Campaign Management."""
        answer = self.ask(f"CampaignManagement/v13/{path}", body)
        assert answer.status_code == 200, answer.text
        (found,) = answer.json().values()
        return list(found)

    def request(self, kind: str, columns: str, **changes: Any) -> dict[str, Any]:
        """A report request: the first ad account's week by day, without anything around the rows."""
        days = [dict(zip(("Year", "Month", "Day"), day, strict=True)) for day in (START, END)]
        return {
            "Type": f"{kind}ReportRequest",
            "Aggregation": "Daily",
            "Columns": columns.split(),
            "FormatVersion": "2.0",
            "ExcludeReportHeader": True,
            "ExcludeReportFooter": True,
            "Scope": {"AccountIds": [self.profile.id]},
            "Time": {"CustomDateRangeStart": days[0], "CustomDateRangeEnd": days[1]},
        } | changes

    def submit(self, kind: str, columns: str, **changes: Any) -> requests.Response:
        """The answer to a report request."""
        body = {"ReportRequest": self.request(kind, columns, **changes)}
        return self.ask("Reporting/v13/GenerateReport/Submit", body)

    def poll(self, report_id: str) -> requests.Response:
        """The answer about a report."""
        return self.ask("Reporting/v13/GenerateReport/Poll", {"ReportRequestId": report_id})

    def url(self, kind: str, columns: str, **changes: Any) -> str | None:
        """A finished report's URL."""
        submitted = self.submit(kind, columns, **changes)
        assert submitted.status_code == 200, submitted.text
        while True:
            status = self.poll(submitted.json()["ReportRequestId"]).json()["ReportRequestStatus"]
            if status["Status"] != "Pending":
                assert status["Status"] == "Success"
                found: str | None = status["ReportDownloadUrl"]
                return found
            time.sleep(0.01)

    def file(self, kind: str, columns: str, **changes: Any) -> bytes:
        """What is in a finished report's archive."""
        url = self.url(kind, columns, **changes)
        assert url is not None
        with zipfile.ZipFile(io.BytesIO(self.session.get(url, timeout=5).content)) as archive:
            (name,) = archive.namelist()
            return archive.read(name)

    def rows(self, kind: str, columns: str, **changes: Any) -> list[dict[str, str]]:
        """A finished report's rows."""
        return list(csv.DictReader(io.StringIO(self.file(kind, columns, **changes).decode("utf-8-sig"))))


def codes(answer: requests.Response) -> list[int]:
    """The numeric codes of a fault."""
    fault = answer.json()
    return [error["Code"] for name in ("Errors", "OperationErrors", "BatchErrors") for error in fault.get(name, ())]
