"""TikTok's answers through its connector, over the product's own HTTP session, and through its normalizer.

Lists, reports, what is asked for alone, images and videos, envelopes with errors at HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import requests

from adweir.model.platforms import Platform
from adweir.platforms.connector import Connector
from adweir.platforms.http import Http
from adweir.platforms.tiktok_ads import SPEC, TikTokCredential
from adweir.platforms.tiktok_ads.calls import TikTokCalls
from adweir.platforms.tiktok_ads.client import TikTokConnector
from adweir.platforms.tiktok_ads.tasks import ReportTasks
from fuzz import pulls, recorded
from fuzz.documents import Document
from fuzz.pulls import SECRETS
from fuzz.recorded_pulls import RecordedPulls, RecordedQuestion, Told
from support.clock import FrozenClock

TIKTOK = Platform("tiktok_ads")
BASE = "http://business-api.test"
_SECRET = {"access_token": SECRETS[0], "app_id": "1", "secret": SECRETS[1]}
QUESTIONS = tuple(RecordedQuestion(TIKTOK, dataset) for dataset in SPEC.datasets)
_EMPTY = b'{"code":0,"message":"OK","request_id":"r","data":{"list":[],"page_info":{"page":1,"total_page":1}}}'
_CODES = (40001, 40002, 40100, 40101, 40102, 40105, 40700, 50000, 50002, 51010, 61000)
_ERRORS = [
    (200, Document.of({"code": code, "message": f"Access token {SECRETS[0]}: why", "request_id": "r", "data": {}}))
    for code in _CODES
]


class TikTok(RecordedPulls):
    """Pulls of one advertiser."""

    name = "tiktok"

    def __init__(self) -> None:
        super().__init__(Told(QUESTIONS, _connect, _route_of, _ERRORS, lambda *_: None, lambda _: _EMPTY, _count))


TARGET = TikTok


def _connect(session: requests.Session, secret: Mapping[str, str] | None) -> Connector:
    clock = FrozenClock(pulls.NOW)
    http = Http(session, clock, Random(1), sleep=lambda _: None)
    own = recorded.owner("tiktok_ads")[0].credentials["tiktok_ads"] if secret is None else _SECRET
    calls = TikTokCalls(http, clock, base_url=BASE, credential=TikTokCredential.read(own))
    return TikTokConnector(calls, ReportTasks(calls, clock.now), may_make_tasks=False)


def _route_of(request: bytes) -> str:
    """The path; what is asked for beyond the usual objects, and further pages, are other ones."""
    target = request.split(b" ", 2)[1]
    path, _, query = target.partition(b"?")
    more = b"2" if b"&page=2" in query or b"?page=2" in target else b""
    return (path.rpartition(b"v1.3/")[2] + (b"+" if b"filtering" in query else b"") + more).decode()


def _count(answer: dict[str, Any]) -> None:
    data = answer.get("data") or {}
    if "page_info" in data:
        data["page_info"] |= {"page": 1, "total_page": 1, "total_number": len(data["list"])}
