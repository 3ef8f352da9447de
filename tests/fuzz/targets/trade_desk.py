"""The Trade Desk's answers through its connector, over the product's own HTTP session, and through its normalizer.

The token, lists, templates, schedules, executions, the CSV of a report, errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import requests

from adweir.platforms.connector import Connector
from adweir.platforms.http import Http
from adweir.platforms.trade_desk import SPEC, TradeDeskCredential
from adweir.platforms.trade_desk.api import TradeDeskCalls
from adweir.platforms.trade_desk.client import TradeDeskConnector
from fuzz import pulls, recorded
from fuzz.documents import Document
from fuzz.pulls import SECRETS
from fuzz.recorded_pulls import RecordedPulls, RecordedQuestion, Told
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.desk_puller import TRADE_DESK

BASE = "http://ext-api.test"
_SECRET = {"login": "data@acme.example", "password": SECRETS[1]}
_LATER = re.compile(rb'"PageStartIndex": ?[1-9]')
_EMPTY = b'{"Result":[]}'
QUESTIONS = tuple(RecordedQuestion(TRADE_DESK, dataset) for dataset in SPEC.datasets)
_ERRORS = [
    (status, Document.of({"Message": f"why: {SECRETS[3]}", "ErrorDetails": [{"Property": "X", "Reasons": ["no"]}]}))
    for status in (400, 401, 403, 404, 429, 500, 503)
]


class TradeDesk(RecordedPulls):
    """Pulls of one advertiser."""

    name = "trade_desk"

    def __init__(self) -> None:
        super().__init__(
            Told(QUESTIONS, _connect, _route_of, _ERRORS, lambda *_: None, lambda _request: b'{"Result":[]}')
        )


TARGET = TradeDesk


def _connect(session: requests.Session, secret: Mapping[str, str] | None) -> Connector:
    clock = FrozenClock(pulls.NOW)
    http = Http(session, clock, Random(1), sleep=lambda _: None)
    own = recorded.owner("trade_desk")[0].credentials["trade_desk"] if secret is None else _SECRET
    calls = TradeDeskCalls(TradeDeskCredential.read(own), f"{BASE}/v3", http, clock, MemoryTokens())
    return TradeDeskConnector(calls, clock, route="")


def _route_of(request: bytes) -> str:
    """The method and the path, without the ids in it; further pages are another one."""
    method, target, _ = request.split(b" ", 2)
    path = b"/".join(step for step in target.partition(b"?")[0].split(b"/") if not step.isdigit())
    return (method + b" " + path + (b" 2" if _LATER.search(request) else b"")).decode()


def _count(answer: dict[str, Any]) -> None:
    counted = {"ResultCount", "TotalFilteredCount", "TotalUnfilteredCount"} & answer.keys()
    answer |= dict.fromkeys(counted, len(answer.get("Result") or ()))
