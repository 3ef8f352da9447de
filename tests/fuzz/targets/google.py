"""Google's answers through its connector, over the product's own HTTP session, and through its normalizer.

The token, lists by pages, numbers by stream, answers that are added up, names of regions, errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

import requests

from adweir.model.datasets import Dataset
from adweir.platforms.connector import Connector
from adweir.platforms.google_ads import SPEC, GoogleCredential
from adweir.platforms.google_ads.api import GoogleCalls, GoogleHosts
from adweir.platforms.google_ads.client import GoogleConnector
from adweir.platforms.http import Http
from fuzz import corpus, pulls, recorded
from fuzz.pulls import SECRETS
from fuzz.recorded_pulls import RecordedPulls, RecordedQuestion, Told
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.google_wire import GOOGLE_ADS

BASE = "http://googleads.test"
_SECRET = {"client_id": "42-abc.apps.googleusercontent.com", "client_secret": SECRETS[1], "refresh_token": SECRETS[2]}
_ASKED = re.compile(rb" FROM ([a-z_]+)")
_BESIDE = re.compile(rb"segments\.conversion_action|by_conversion_date")
_ADDED = (Dataset.CAMPAIGN_BY_REGION_DAILY, Dataset.CREATIVES, Dataset.CHANGES, Dataset.PROFILES)
_ACTIONS, _CLOCK = (("actions", ("PURCHASE",)),), (("clock", "conversion"),)
QUESTIONS = (
    *(RecordedQuestion(GOOGLE_ADS, dataset) for dataset in SPEC.datasets if dataset is not Dataset.INVOICES),
    *(RecordedQuestion(GOOGLE_ADS, Dataset.AD_DAILY, options) for options in (_ACTIONS, _CLOCK)),
    *(RecordedQuestion(GOOGLE_ADS, Dataset.CAMPAIGN_BY_REGION_DAILY, options) for options in (_ACTIONS, _CLOCK)),
)


class Google(RecordedPulls):
    """Pulls of one ad account."""

    name = "google"

    def __init__(self) -> None:
        super().__init__(
            Told(QUESTIONS, _connect, _route_of, corpus.answers("google_ads", "errors"), _rows, _otherwise)
        )


TARGET = Google


def _connect(session: requests.Session, secret: Mapping[str, str] | None) -> Connector:
    """Through the manager of the sandbox's client where it is that one's."""
    clock = FrozenClock(pulls.NOW)
    http = Http(session, clock, Random(1), sleep=lambda _: None)
    own = recorded.owner("google_ads")[0].credentials["google_ads"] if secret is None else _SECRET
    hosts = GoogleHosts(BASE, f"{BASE}/token")
    calls = GoogleCalls(GoogleCredential.read(own), hosts, http, clock, MemoryTokens())
    return GoogleConnector(calls, calls.accessible()[0] if secret is None else "")


def _route_of(request: bytes) -> str:
    """The token, the customers, or a question by its resource and what it is for."""
    if request.split(b" ", 2)[1].endswith(b"/token"):
        return "token"
    asked = _ASKED.search(request)
    if asked is None:
        return "customers"
    return asked[1].decode() + ("+" if _BESIDE.search(request) else "") + ("2" if b'"pageToken"' in request else "")


def _rows(question: RecordedQuestion, route: str) -> tuple[str | int, ...] | None:
    """Of the pull's first question only: its page is the first."""
    first = not question.options and question.dataset not in _ADDED and route not in ("token", "customers", "asset")
    if not first or route in ("asset_group", "campaign_criterion"):
        return None
    return (0, "results") if question.dataset.grain else ("results",)


def _otherwise(request: bytes) -> bytes:
    return b"[{}]" if b"Stream " in request.partition(b"\r\n")[0] else b"{}"
