"""Calls to the sandbox's TikTok as one client makes them: a token, and parameters as JSON text."""

from __future__ import annotations

import json
from typing import Any

import requests

from sandbox.platforms.tiktok_ads import STAND_IN
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile

PLATFORM = STAND_IN.platform
START, END = "2026-11-01", "2026-11-20"
LEVELS = {
    "account": ("AUCTION_ADVERTISER", "advertiser_id", ""),
    "campaign": ("AUCTION_CAMPAIGN", "campaign_id", "campaign_status"),
    "ad_group": ("AUCTION_ADGROUP", "adgroup_id", "adgroup_status"),
    "ad": ("AUCTION_AD", "ad_id", "ad_status"),
}
NUMBERS = ["impressions", "clicks", "conversion", "spend", "total_complete_payment_rate"]


def condition(name: str, *values: str, kind: str = "IN") -> dict[str, str]:
    """One condition of a report."""
    return {"field_name": name, "filter_type": kind, "filter_value": json.dumps(list(values))}


ALONE = [condition("buying_type", "RESERVATION_TOP_VIEW"), condition("campaign_system_origins", "PROMOTE")]
"""What a report leaves out unless one of them asks for it alone."""


class TikTokCaller:
    """A company's token, and one of its advertisers."""

    def __init__(self, server: PlatformServer, company: str, place: int = 0) -> None:
        self.server = server
        self.company: Company = server.outside.company(company)
        self.secrets = dict(self.company.credentials[PLATFORM])
        self.profile: WorldProfile = self.company.on(PLATFORM)[place]

    def ask(self, path: str, **query: Any) -> requests.Response:
        """A GET about the advertiser; lists and objects become JSON text."""
        params = {"advertiser_id": self.profile.id} | query
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        return requests.get(self._url(path), params=texts, headers=self._headers, timeout=10)

    def post(self, path: str, **body: Any) -> requests.Response:
        """A POST about the advertiser."""
        sent = {"advertiser_id": self.profile.id} | body
        return requests.post(self._url(path), json=sent, headers=self._headers, timeout=10)

    def data(self, path: str, **query: Any) -> Any:
        """The data of an answer that is a success."""
        answer = self.ask(path, **query)
        found = answer.json()
        assert (answer.status_code, found["code"]) == (200, 0), answer.text
        return found["data"]

    def code(self, path: str, **query: Any) -> int:
        """The code of an answer, which comes with HTTP status 200 whatever it is."""
        answer = self.ask(path, **query)
        assert answer.status_code == 200
        found: int = answer.json()["code"]
        return found

    def report(self, level: str = "ad", **query: Any) -> dict[str, Any]:
        """A page of a report by day, deleted objects among it."""
        name, id_name, status = LEVELS[level]
        asked: dict[str, Any] = {
            "report_type": "BASIC",
            "data_level": name,
            "dimensions": [id_name, "stat_time_day"],
            "metrics": NUMBERS,
            "start_date": START,
            "end_date": END,
            "page_size": 1000,
            "filtering": [condition(status, "STATUS_ALL")] if status else [],
        }
        found: dict[str, Any] = self.data("report/integrated/get", **(asked | query))
        return found

    def refused(self, level: str = "ad", **query: Any) -> tuple[int, str]:
        """Code and message of a report that is refused."""
        name, id_name, _ = LEVELS[level]
        asked = {"report_type": "BASIC", "data_level": name, "dimensions": [id_name, "stat_time_day"]}
        days = {"start_date": START, "end_date": END}
        found = self.ask("report/integrated/get", **(asked | days | query)).json()
        return found["code"], found["message"]

    @property
    def _headers(self) -> dict[str, str]:
        return {"Access-Token": self.secrets["access_token"]}

    def _url(self, path: str) -> str:
        return f"{self.server.url}/open_api/v1.3/{path}/"
