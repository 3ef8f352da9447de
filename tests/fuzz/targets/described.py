"""Specs and the answers of what they describe, through the connector of `generic` and its normalizer.

A spec is stored or refused with a reason. One that is stored asks only the hosts that it names, ends, shows no secret,
and what its answers say is kept or quarantined.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import AdweirError
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import OwnTokens, Wiring
from adweir.platforms.described.language import Spec, checked_spec, read_spec
from fuzz import damage, pulls
from fuzz.documents import Document, mutated
from fuzz.pulls import SECRETS
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer
from support.clock import FrozenClock
from support.described_api import example

GENERIC = Platform("generic")
_SECRET = {
    "access_token": SECRETS[0],
    "token": SECRETS[0],
    "client_id": "1",
    "client_secret": SECRETS[1],
    "refresh_token": SECRETS[2],
    "username": "user",
    "password": SECRETS[1],
}
_TOKEN = json.dumps({"access_token": SECRETS[3], "expires_in": 3600}).encode()
_MOST_REQUESTS = 5_000
"""More than any bound of the connector lets one pull make on these answers."""


class _Seed(NamedTuple):
    """A spec, one of its datasets, and what its API answers."""

    spec: Document
    dataset: Dataset
    answer: Document


def _own(**daily: Any) -> dict[str, Any]:
    request = {"path": "/stats/{profile}", "query": {"from": "{start}", "to": "{end}"}}
    fields = {"date": "day", "impressions": "views", "clicks": "n.clicks", "spend": {"path": "cost", "unit": "minor"}}
    described = {"request": request, "records": "rows[]", "fields": fields} | daily
    return {
        "base_url": "https://api.example.com/v1",
        "auth": {"type": "bearer"},
        "pace": {"requests_per_minute": 600},
        "signs": [{"path": "error.code", "values": ["190"], "means": "auth_expired"}],
        "accounts": {"named": [{"id": "77", "currency": "USD", "timezone": "America/New_York"}]},
        "datasets": {"account_daily": described},
    }


_ROWS = [
    {"day": f"2026-11-0{day}", "views": 5 * day, "n": {"clicks": day}, "cost": 125 * day, "id": f"c{day}", "name": "A"}
    for day in range(1, 4)
]
_PAGES: tuple[dict[str, Any], ...] = (
    {"type": "page", "parameter": "page", "size_parameter": "size", "size": 3, "last_page": "meta.pages"},
    {"type": "offset", "parameter": "offset", "size_parameter": "limit", "size": 3, "total": "meta.total"},
    {"type": "cursor", "cursor": "next", "parameter": "after"},
    {"type": "next_link", "link": "link"},
)
_ANSWER = {
    "rows": _ROWS, "meta": {"pages": 2, "total": 3}, "next": "n-2", "link": "https://api.example.com/v1/stats/77?page=2",
}  # fmt: skip
_ITEMS = {
    "items": [
        {"id": "549", "name": "Shop", "currency": "USD", "country": "US", "summary_status": "RUNNING",
         "daily_spend_cap": 5_000_000, "start_time": 1_780_000_000, "end_time": None},
    ],
    "bookmark": None,
}  # fmt: skip
_CSV = b"""AdvertiserId;Day;Currency;Displays;Clicks;AdvertiserCost
77;2026-11-01;USD;10;2;1.25
77;2026-11-02;USD;1;0;0
"""
SEEDS = (
    *(
        _Seed(Document.of(_own(paging=paging)), Dataset.ACCOUNT_DAILY, Document.of(_ANSWER | {"next": None}))
        for paging in _PAGES
    ),
    _Seed(Document.of(_own()), Dataset.ACCOUNT_DAILY, Document.of(_ANSWER)),
    _Seed(Document.of(example("pinterest")), Dataset.CAMPAIGNS, Document.of(_ITEMS)),
    _Seed(Document.of(example("pinterest")), Dataset.PROFILES, Document.of(_ITEMS)),
    _Seed(Document.of(example("criteo")), Dataset.ACCOUNT_DAILY, Document.of(_CSV.decode())),
)


class _Api:
    """Answers every host of a spec: its tokens, its rows, after three answers no rows more."""

    def __init__(self, spec: Spec, answer: bytes) -> None:
        self._hosts = {urlsplit(url).netloc for _, url in spec.urls()}
        self._answer = answer
        self.requests = 0

    def __call__(self, request: bytes) -> bytes:
        head = request.partition(b"\r\n\r\n")[0].decode("latin-1")
        host = next(line[6:].strip() for line in head.split("\r\n") if line.lower().startswith("host: "))
        if host not in self._hosts and f"{host}:443" not in self._hosts:
            raise Broken(f"asks {host!r}, the spec names {sorted(self._hosts)}"[:300])
        self.requests += 1
        if self.requests > _MOST_REQUESTS:
            raise Broken("asks without an end")
        if "token" in head.split(" ")[1]:
            return http_answer(200, _TOKEN)
        return self._answer if self.requests <= 3 else http_answer(200, b'{"rows":[],"items":[]}')


class DescribedPulls:
    """Pulls of one ad account."""

    name = "described"
    most_memory = 24 << 20

    def __init__(self) -> None:
        self._wire = Wire()

    def make(self, rng: Random) -> Case:
        number = rng.randrange(len(SEEDS))
        seed = SEEDS[number]
        spec, body, status = seed.spec.text, _body(seed), 200
        if rng.random() < 0.5:
            spec = mutated(seed.spec, rng)
        else:
            is_text = seed.answer.text[:1] == b'"'
            body = damage.damaged(body, rng) if is_text else mutated(seed.answer, rng)
            status = rng.choice((200, 200, 200, 200, 206, 400, 401, 429, 500))
        return {"about": json.dumps(number).encode(), "spec": spec, "answer": http_answer(status, body)}

    def check(self, case: Case) -> str:
        dataset = SEEDS[json.loads(case["about"])].dataset
        try:
            checked_spec(msgspec.json.decode(case["spec"]))  # as the API reads a body
        except (ValueError, RecursionError, AdweirError):
            return "spec refused"
        text = case["spec"].decode().replace("https://", "http://")  # as far as the wire goes there is no TLS
        spec = read_spec(text)
        try:
            return self._pulled(spec, text, dataset, case["answer"])
        except AdweirError as error:
            return error.code

    def close(self) -> None:
        self._wire.close()

    def _pulled(self, spec: Spec, text: str, dataset: Dataset, answer: bytes) -> str:
        clock = FrozenClock(pulls.NOW)
        wiring = Wiring(
            urls=lambda *_: "",
            session=self._wire.reset(_Api(spec, answer)),
            clock=clock,
            rng=random.Random(1),
            tokens=OwnTokens(clock),
            spec=lambda _: text,
            sleep=lambda _: None,
            paces={},
        )
        credential = Credential(account_id="acme", platform=GENERIC, secret_id="s", label="api")
        secret: Mapping[str, str] = {name: _SECRET.get(name, SECRETS[1]) for name in spec.credential_fields()}
        task = _task(dataset)
        context = pulls.context_of(task, route="api", objects=lambda _: [], spec=lambda _: text)
        return pulls.judge(pulls.read(REGISTRY.connect(credential, secret, wiring), task, context), task)


TARGET = DescribedPulls


def _body(seed: _Seed) -> bytes:
    """The answer as it is sent: a text is not JSON there."""
    text = seed.answer.text
    return json.loads(text).encode() if text[:1] == b'"' else text


def _task(dataset: Dataset) -> Task:
    profile = "" if dataset is Dataset.PROFILES else "api~77"
    window = Window.parse("2026-11-01..2026-11-07") if dataset.grain else None
    return Task(
        "r", "m", "acme", GENERIC, profile, dataset, ALL, window, 0,
        as_of=pulls.AS_OF, timezone="America/New_York", currency="USD",
    )  # fmt: skip
