"""TikTok's answers as tests need them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, BinaryIO

import msgspec
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import PullContext
from adweir.platforms.tiktok_ads import client as tiktok
from adweir.platforms.tiktok_ads.client import TikTokConnector
from support.platforms import TIKTOK_ADS, wiring
from support.stub_http import Answer, Call, StubServer

AS_OF = "2026-11-20T12:00:00.000000Z"
ADVERTISER = "7000000000000000101"
Row = dict[str, Any]


@dataclass
class WirePage:
    """`platforms.connector.RawPage` from memory."""

    number: int
    stream: BinaryIO
    label: str = ""
    media: str = "json"


def stored(body: bytes | Row, label: str = "", media: str = "json") -> WirePage:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return WirePage(1, io.BytesIO(raw), label, media)


def envelope(data: Any, code: int = 0, message: str = "OK") -> Row:
    return {"code": code, "message": message, "request_id": "20261108060000ABCDEF", "data": data}


def listed(entries: Iterable[Any], page: int = 1, pages: int = 1, total: int | None = None) -> Row:
    """A list's page; `total` is by default that of the entries."""
    found = list(entries)
    info = {
        "page": page,
        "page_size": 1000,
        "total_number": len(found) if total is None else total,
        "total_page": pages,
    }
    return envelope({"list": found, "page_info": info})


def report_row(dimensions: Row | None = None, **metrics: Any) -> Row:
    """The reference's sample of an ad's day; a metric that is None is left out."""
    sample = {
        "campaign_id": "1800000000000001",
        "adgroup_id": "1800000000000002",
        "spend": "45.67",
        "impressions": "1200",
        "clicks": "34",
        "conversion": "3",
        "complete_payment": "2",
        "total_complete_payment_rate": "310.75",
        "total_purchase": "-",
        "total_purchase_value": "-",
        "onsite_shopping": "0",
        "total_onsite_shopping_value": "0",
        "offline_shopping_events": "-",
        "offline_shopping_events_value": "-",
        "conversion_rate_v2": "0.25",
    }
    known = {"ad_id": "1800000000000003", "stat_time_day": "2026-11-01 00:00:00"}
    return {
        "dimensions": {name: value for name, value in (known | (dimensions or {})).items() if value is not None},
        "metrics": {name: value for name, value in (sample | metrics).items() if value is not None},
    }


def advertisement(**changes: Any) -> Row:
    """The reference's sample of an ad."""
    return {
        "advertiser_id": ADVERTISER,
        "campaign_id": "1800000000000001",
        "campaign_name": "Spark",
        "adgroup_id": "1800000000000002",
        "adgroup_name": "US 18-34",
        "ad_id": "1800000000000003",
        "ad_name": "Video A",
        "ad_text": "Find your pair today",
        "ad_format": "SINGLE_VIDEO",
        "call_to_action": "SHOP_NOW",
        "call_to_action_id": None,
        "display_name": "Acme",
        "identity_id": "id1",
        "image_ids": ["ad-site-i18n-sg/20261101abc"],
        "video_id": "v10033g50000invented",
        "landing_page_url": "https://example.com/shoes",
        "landing_page_urls": None,
        "operation_status": "ENABLE",
        "secondary_status": "AD_STATUS_DELIVERY_OK",
        "create_time": "2026-10-01 09:00:00",
        "modify_time": "2026-11-01 09:00:00",
    } | changes


def context(dataset: Dataset = Dataset.AD_DAILY, **changes: Any) -> PullContext:
    base = PullContext("acme", ADVERTISER, dataset, "all", None, AS_OF, "USD", "America/New_York")
    return base._replace(**changes)


def by_path(answers: dict[str, Callable[[Call], Any] | Any]) -> Callable[[Call], Answer]:
    """A route that answers by the path below the version; an unknown one as TikTok does without a slash."""

    def route(call: Call) -> Answer:
        found = answers.get(call.path.removeprefix("/open_api/v1.3"))
        if found is None:
            return Answer(404, b"404 page not found")
        made = found(call) if callable(found) else found
        return made if isinstance(made, Answer) else Answer(200, made)

    return route


CREDENTIAL = Credential(account_id="acme", platform=Platform("tiktok_ads"), secret_id="s")
SECRET = {"access_token": "tok-" + "invented", "app_id": "7000000000000000001", "secret": "app" + "secret"}
WEEK = Window(date(2026, 11, 1), date(2026, 11, 7))
NEWEST = {"X-Tt-Ads-Throttle": "20000"}
"""The header of a report that covers the newest ads only."""


def task(dataset: Dataset = Dataset.AD_DAILY, **changes: Any) -> Task:
    """A week of an advertiser's ads."""
    made = Task("r", "s", "acme", Platform("tiktok_ads"), ADVERTISER, dataset, "all", WEEK, deadline=0)
    return replace(made, **changes)


@contextmanager
def connecting(stub: StubServer, clock: Any) -> Iterator[Callable[..., TikTokConnector]]:
    """Makes connectors to the stub; its arguments are further fields of the credential."""
    with requests.Session() as session:
        yield lambda **more: tiktok.connect(
            credential=CREDENTIAL,
            secret=SECRET | more,
            wiring=wiring(TIKTOK_ADS, session, clock, urls={"api": stub.url}),
        )


def rows(count: int, first: int = 0) -> list[Any]:
    """Rows of so many ads, numbered from there."""
    return [report_row({"ad_id": f"18{number:017d}"}) for number in range(first, first + count)]
