"""Google's answers through its connector, over the product's own HTTP session, and through its normalizer.

The token, lists by pages, numbers by stream, answers that are added up, names of regions, errors: one answer of a pull
is changed, its JSON, its bytes, its headers or all of it. The honest ones are the sandbox's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from random import Random
from typing import Any, NamedTuple

import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.tasks import Task
from adweir.platforms import guarded
from adweir.platforms.connector import Connector
from adweir.platforms.google_ads import SPEC, GoogleCredential
from adweir.platforms.google_ads.api import GoogleCalls, GoogleHosts
from adweir.platforms.google_ads.client import GoogleConnector
from adweir.platforms.google_ads.options import GoogleOptions
from adweir.platforms.http import Http
from fuzz import awkward, corpus, damage, pulls, recorded
from fuzz.documents import Document, mutated
from fuzz.pulls import SECRETS, Pulled
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.google_wire import GOOGLE_ADS
from support.platforms import wiring

BASE = "http://googleads.test"
_SECRET = {"client_id": "42-abc.apps.googleusercontent.com", "client_secret": SECRETS[1], "refresh_token": SECRETS[2]}
_MOST_REQUESTS = 150
_OPTIONS: tuple[dict[str, Any], ...] = ({}, {"actions": ["PURCHASE"]}, {"clock": "conversion"})
_ASKED = re.compile(rb" FROM ([a-z_]+)")
_SELECTED = re.compile(rb"segments\.conversion_action|by_conversion_date")


class Question(NamedTuple):
    """A pull: its dataset, and which of the profile's options hold."""

    dataset: Dataset
    options: int = 0

    def task(self) -> Task:
        """The task of the recorded ad account."""
        return recorded.task_of(GOOGLE_ADS, self.dataset)

    @property
    def is_plain(self) -> bool:
        """Whether its first answer is a page by itself, with rows or objects one by one."""
        added = (Dataset.CAMPAIGN_BY_REGION_DAILY, Dataset.CREATIVES, Dataset.CHANGES)
        return not self.options and self.dataset not in added and self.dataset is not Dataset.PROFILES


QUESTIONS = (
    *(Question(dataset) for dataset in SPEC.datasets if dataset is not Dataset.INVOICES),
    *(Question(Dataset.AD_DAILY, options) for options in (1, 2)),
    *(Question(Dataset.CAMPAIGN_BY_REGION_DAILY, options) for options in (1, 2)),
)


@cache
def _honest(question: Question) -> dict[str, Document]:
    """What the sandbox answers to each request of a pull, by its route, with the first few rows."""
    bodies = recorded.record(question.task(), _route_of, partial(_connected, options=question.options))
    return {route: Document.of(_shortened(body)) for route, body in bodies.items()}


def _shortened(body: bytes) -> Any:
    found = json.loads(body)
    if isinstance(found, list):
        return [recorded.shortened(json.dumps(batch).encode(), "results") for batch in found[:2]]
    return recorded.shortened(body, "results")


class Google:
    """Pulls of one ad account."""

    name = "google"
    most_memory = 24 << 20

    def __init__(self) -> None:
        self._wire = Wire()
        self._clock = FrozenClock(pulls.NOW)

    def make(self, rng: Random) -> Case:
        number = rng.randrange(len(QUESTIONS))
        question = QUESTIONS[number]
        honest = _honest(question)
        routes = [name for name in honest if name != "token"]
        route = "token" if rng.random() < 0.03 else rng.choice(routes)
        about: dict[str, Any] = {"question": number, "spoiled": 0}
        within: tuple[str | int, ...] = (0, "results") if honest[route].text.startswith(b"[") else ("results",)
        items = sum(
            len(place.path) == len(within) + 1 and place.path[: len(within)] == within for place in honest[route].places
        )
        if question.is_plain and route == routes[0] and items and rng.random() < 0.5:
            about["spoiled"] = rng.randint(1, items)
            spoiled = mutated(honest[route], rng, within=(*within, about["spoiled"] - 1))
            changed = http_answer(200, spoiled)
        else:
            changed = _changed(honest[route], rng)
        parts = {name: http_answer(200, document.text) for name, document in honest.items()}
        return {"about": json.dumps(about).encode(), **parts, route: changed}

    def check(self, case: Case) -> str:
        return pulls.checked(case, QUESTIONS, self._read, self._expected)

    def close(self) -> None:
        self._wire.close()

    @cache  # noqa: B019  a target lives as long as its process
    def _expected(self, question: Question) -> Pulled:
        honest = _honest(question)
        return self._read(question, {name: http_answer(200, document.text) for name, document in honest.items()})

    def _read(self, question: Question, answers: Mapping[str, bytes]) -> Pulled:
        task, options = question.task(), GoogleOptions.model_validate(_OPTIONS[question.options])
        return pulls.read(self._connector(answers).under(options), task, pulls.context_of(task, options=options))

    def _connector(self, answers: Mapping[str, bytes]) -> Connector:
        session = self._wire.reset(_GoogleAds(answers))
        wired = wiring(GOOGLE_ADS, session, self._clock, tokens=MemoryTokens())
        credential = Credential(account_id="acme", platform=GOOGLE_ADS, secret_id="s")
        connect: Callable[..., Connector] = partial(_connect, session)
        return guarded.connect(connect, GoogleCredential, credential, _SECRET, wired)


TARGET = Google


class _GoogleAds:
    """Answers a request with the answer for its route; one without an answer has no rows."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = answers
        self._requests = 0

    def __call__(self, request: bytes) -> bytes:
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise Broken(f"asks over {_MOST_REQUESTS} times")
        empty = b"[{}]" if b"Stream " in request.partition(b"\r\n")[0] else b"{}"
        # A page token leads to a last page: honest answers have none, so one is a part of what was changed.
        follows = b'"pageToken"' in request
        return http_answer(200, empty) if follows else self._answers.get(_route_of(request), http_answer(200, empty))


def _route_of(request: bytes) -> str:
    """Which of a pull's requests it is: the token, the customers, or a question by its resource and what it is for."""
    target = request.split(b" ", 2)[1]
    if target.endswith(b"/token"):
        return "token"
    asked = _ASKED.search(request)
    if asked is None:
        return "customers"
    return asked[1].decode() + ("+" if _SELECTED.search(request) else "")


def _connect(session: requests.Session, *, credential: Credential, secret: Mapping[str, str], wiring: Any) -> Connector:
    http = Http(session, wiring.clock, wiring.rng, sleep=lambda _: None)
    hosts = GoogleHosts(BASE, f"{BASE}/token")
    return GoogleConnector(GoogleCalls(GoogleCredential.read(secret), hosts, http, wiring.clock, wiring.tokens))


def _connected(session: requests.Session, *, options: int) -> Connector:
    """The connector of the sandbox's client, through its manager."""
    company, _ = recorded.owner("google_ads")
    clock = FrozenClock(pulls.NOW)
    wired = wiring(GOOGLE_ADS, session, clock, tokens=MemoryTokens())
    http = Http(session, clock, wired.rng, sleep=lambda _: None)
    secret = GoogleCredential.read(company.credentials["google_ads"])
    calls = GoogleCalls(secret, GoogleHosts(BASE, f"{BASE}/token"), http, clock, wired.tokens)
    return GoogleConnector(calls, calls.accessible()[0]).under(GoogleOptions.model_validate(_OPTIONS[options]))


def _changed(honest: Document, rng: Random) -> bytes:
    """An answer with its JSON changed, or its bytes, or an error instead, or its headers, or all of its bytes."""
    kind = rng.random()
    if kind < 0.4:
        return http_answer(200, mutated(honest, rng))
    if kind < 0.6:
        return http_answer(rng.choice((200, 200, 201, 206)), damage.damaged(honest.text, rng))
    if kind < 0.8:
        status, error = rng.choice(corpus.answers("google_ads", "errors"))
        body = mutated(error, rng) if rng.random() < 0.6 else damage.digits(error.text, rng)
        return http_answer(rng.choice((status, status, 200, 400, 401, 429, 500, 503)), body)
    if kind < 0.9:
        odd = awkward.plain(rng).replace("\r", " ").replace("\n", " ")[:2000]
        name = rng.choice(("Retry-After", "Location", "Content-Length", "Content-Encoding", "Transfer-Encoding"))
        return http_answer(200, honest.text, {name: odd})
    return damage.damaged(http_answer(200, damage.packed(honest.text, rng), {"Content-Encoding": "gzip"}), rng)
