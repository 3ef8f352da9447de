"""The community's Amazon Ads client (python-amazon-ad-api), bound to a running sandbox."""

from __future__ import annotations

import gzip
import json
import logging
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from sandbox.server import PlatformServer
from support.platform_server import owner, running

_handlers = list(logging.getLogger().handlers)
import ad_api.base  # noqa: E402, F401 - before ad_api.auth, or the package imports itself in a circle
from ad_api.api import Reports  # noqa: E402
from ad_api.auth import access_token_client  # noqa: E402

logging.getLogger().handlers[:] = _handlers  # the client configures the root logger on import

START, END = "2026-10-22", "2026-11-21"
COLUMNS = {
    "sp": ["purchases7d", "sales7d", "purchases14d", "sales14d"],
    "sb": ["purchases", "sales"],
    "sd": ["purchases", "sales"],
}
TYPES = {
    "sp": ("SPONSORED_PRODUCTS", "spAdvertisedProduct", "advertiser"),
    "sb": ("SPONSORED_BRANDS", "sbAds", "ads"),
    "sd": ("SPONSORED_DISPLAY", "sdAdvertisedProduct", "advertiser"),
}


class SdkClient:
    """The SDK's classes bound to one company's credential and profile."""

    def __init__(self, server: PlatformServer, place: int, credential: str = "amazon_ads", profile: int = 0) -> None:
        self.server = server
        self.company = owner(server, "amazon_ads", place)[0]
        self.profile = self.company.on("amazon_ads")[profile]
        amazon = self.company.credentials[credential]
        self.bound: dict[str, Any] = {
            "marketplace": types.SimpleNamespace(endpoint=server.url),
            "credentials": {
                "refresh_token": amazon["refresh_token"],
                "client_id": amazon["client_id"],
                "client_secret": amazon["client_secret"],
                "profile_id": self.profile.id,
            },
        }

    def report_body(self, product: str = "sp", **changes: Any) -> dict[str, Any]:
        ad_product, kind, group = TYPES[product]
        columns = ["date", "campaignId", "adGroupId", "adId", "impressions", "clicks", "cost", *COLUMNS[product]]
        configuration = {
            "adProduct": ad_product,
            "groupBy": [group],
            "columns": columns,
            "reportTypeId": kind,
            "timeUnit": "DAILY",
            "format": "GZIP_JSON",
        }
        configuration |= changes.pop("configuration", {})
        return {"name": product, "startDate": START, "endDate": END, "configuration": configuration} | changes

    def create(self, body: dict[str, Any]) -> Any:
        return Reports(**self.bound).post_report(body=json.dumps(body)).payload

    def finished(self, report_id: str) -> Any:
        while (answer := Reports(**self.bound).get_report(reportId=report_id).payload)["status"] in (
            "PENDING",
            "PROCESSING",
        ):
            time.sleep(0.01)
        return answer

    def rows(self, url: str) -> list[dict[str, Any]]:
        raw = Reports(**self.bound).download_report(url=url, format="raw").payload
        return list(json.loads(gzip.decompress(raw), parse_float=Decimal))


@contextmanager
def sdk_server(*, awkward: bool = False) -> Iterator[PlatformServer]:
    """A running sandbox that the client asks for its tokens too."""
    with running(awkward=awkward) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(access_token_client.AccessTokenClient, "scheme", "http://")
        patch.setattr(access_token_client.AccessTokenClient, "host", server.netloc)
        access_token_client.cache.clear()
        yield server
        access_token_client.cache.clear()


def micros(value: int | Decimal) -> int:
    scaled = Decimal(value) * 1_000_000
    assert scaled == int(scaled)
    return int(scaled)
