"""Calls to the sandbox's Amazon as one client makes them: a token, a scope, and whatever headers it likes."""

from __future__ import annotations

import gzip
import json
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import requests

from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile

PLATFORM = "amazon_ads"
REPORT_MEDIA = "application/vnd.createasyncreportrequest.v3+json"
START, END = "2026-11-14", "2026-11-20"


class AmazonCaller:
    """One credential of a company, and one of its profiles: `label` names the credential, `place` the profile."""

    def __init__(self, server: PlatformServer, company: str, label: str = "", place: int = 0) -> None:
        self.server = server
        self.session = requests.Session()
        self.company: Company = server.outside.company(company)
        self.secrets = self.company.bodies(PLATFORM)[label]
        self.profile: WorldProfile = self.company.on(PLATFORM)[place]
        form = {name: self.secrets[name] for name in ("client_id", "client_secret", "refresh_token")}
        answer = self.session.post(f"{server.url}/auth/o2/token", form | {"grant_type": "refresh_token"}, timeout=5)
        self.token = answer.json()["access_token"]

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> requests.Response:
        """One request; `body` is sent as JSON without a content type, unless `headers` has one."""
        sent = {
            "Authorization": f"Bearer {self.token}",
            "Amazon-Advertising-API-ClientId": self.secrets["client_id"],
            "Amazon-Advertising-API-Scope": self.profile.id,
        } | (headers or {})
        data = None if body is None else json.dumps(body)
        return self.session.request(method, f"{self.server.url}{path}", data=data, headers=sent, timeout=5)

    def got(self, path: str, **query: str) -> requests.Response:
        """A list that is asked by GET, with its parameters."""
        return self.ask("GET", f"{path}?{urlencode(query)}")

    def listed(self, path: str, media: str, body: Any = None) -> dict[str, Any]:
        """A list that is asked by POST, with its media type in both headers."""
        answer = self.ask("POST", path, body or {}, {"Content-Type": media, "Accept": media})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def create(self, configuration: dict[str, Any], start: str = START, end: str = END) -> requests.Response:
        """A report's request."""
        body = {"name": "test", "startDate": start, "endDate": end, "configuration": configuration}
        return self.ask("POST", "/reporting/reports", body, {"Content-Type": REPORT_MEDIA})

    def report(
        self, type_id: str, group_by: list[str], columns: list[str], start: str = START, **more: Any
    ) -> list[dict[str, Any]]:
        """A finished report's rows, numbers exact; daily when `date` is among the columns."""
        products = {"sp": "SPONSORED_PRODUCTS", "sb": "SPONSORED_BRANDS", "sd": "SPONSORED_DISPLAY"}
        configuration = {
            "adProduct": products[type_id[:2]],
            "reportTypeId": type_id,
            "groupBy": group_by,
            "columns": columns,
            "timeUnit": "DAILY" if "date" in columns else "SUMMARY",
            "format": "GZIP_JSON",
            **more,
        }
        created = self.create(configuration, start)
        assert created.status_code == 200, created.text
        while (answer := self.ask("GET", f"/reporting/reports/{created.json()['reportId']}").json())["url"] is None:
            time.sleep(0.01)
        packed = requests.get(answer["url"], timeout=5).content
        rows: list[dict[str, Any]] = json.loads(gzip.decompress(packed), parse_float=Decimal)
        return rows
