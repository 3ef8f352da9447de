"""Amazon's answers through its connector, over the product's own HTTP session, and through its normalizer.

Tokens, profiles, lists of all versions with a second page where they have one, reports from their creation to the
packed file, errors: one answer of a pull is changed, its JSON, its bytes, its headers or all of it.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, NamedTuple

import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import guarded
from adweir.platforms.amazon_ads import AmazonCredential
from adweir.platforms.amazon_ads.api import AmazonCalls, Hosts
from adweir.platforms.amazon_ads.client import AmazonConnector
from adweir.platforms.amazon_ads.lists import LISTS, ObjectList, Turning
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.amazon_ads.reports import REPORTS
from adweir.platforms.connector import Connector, Wiring
from adweir.platforms.http import Http
from fuzz import awkward, corpus, damage, pulls, recorded
from fuzz.documents import Document, mutated
from fuzz.pulls import SECRETS, Pulled
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer
from support.amazon_samples import METRICS, OBJECTS
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.platforms import AMAZON_ADS, wiring

BASE = "http://ads.test"
_SECRET = {"client_id": "amzn1.x", "client_secret": SECRETS[1], "refresh_token": SECRETS[2]}
_MOST_REQUESTS = 150
_REPORT = {"reportId": "r-1", "status": "COMPLETED", "createdAt": "2026-11-20T11:59:00.000Z", "fileSize": 900}
_OPTIONS: tuple[dict[str, Any], ...] = ({}, {"basis": "view"}, {"products": "promoted", "window": "30d"})


class Question(NamedTuple):
    """A pull: its dataset and slice, and which of the profile's options hold.

    `recorded`: the answers are those of the sandbox instead of the samples.
    """

    dataset: Dataset
    slice: str
    options: int = 0
    recorded: bool = False

    def task(self) -> Task:
        """The task; its window is that of the rows."""
        if self.recorded:
            return recorded.task_of(AMAZON_ADS, self.dataset, self.slice)
        days = [row["date"] for row in _rows(self)] if self.dataset.grain else []
        window = Window.parse(f"{min(days)}..{max(days)}") if days else None
        profile = "" if self.dataset is Dataset.PROFILES else "123"
        return Task(
            "r", "m", "acme", AMAZON_ADS, profile, self.dataset, self.slice, window, 0,
            as_of=pulls.AS_OF, timezone="America/Los_Angeles", currency="USD",
        )  # fmt: skip

    @property
    def lists(self) -> tuple[ObjectList, ...]:
        """The lists that are asked."""
        return LISTS.get((self.dataset, self.slice), ())


QUESTIONS = (
    Question(Dataset.PROFILES, "all"),
    *(Question(*key) for key in LISTS),
    *(Question(*key) for key in REPORTS),
    *(Question(Dataset.AD_DAILY, product, options) for product in ("sp", "sb", "sd") for options in (1, 2)),
    *(
        Question(dataset, product, recorded=True)
        for dataset in (Dataset.CAMPAIGNS, Dataset.ADS, Dataset.AD_DAILY, Dataset.CAMPAIGN_DAILY)
        for product in ("sp", "sb", "sd")
    ),
)


def _rows(question: Question) -> list[Any]:
    found: list[Any] = corpus.answer("amazon_ads", METRICS[question.dataset, question.slice])
    return found * 2 if len(found) < 3 else found


@cache
def _honest(question: Question) -> dict[str, tuple[Document, tuple[str | int, ...]]]:
    """What Amazon answers by route: the JSON, and where its rows or objects are."""
    token = Document.of({"access_token": SECRETS[3], "token_type": "bearer", "expires_in": 3600})
    found: dict[str, tuple[Document, tuple[str | int, ...]]] = {"token": (token, ("access_token",))}
    if question.dataset.grain:
        blank = {"failureReason": None, "fileSize": None, "url": None}
        found["create"] = Document.of(_REPORT | {"status": "PENDING"} | blank), ()
        found["status"] = Document.of(_REPORT | {"url": f"{BASE}/files/1?X-Amz-Signature=secret"}), ()
    if question.recorded:
        found |= _recorded(question)
    elif question.dataset.grain:
        found["file"] = Document.of(_rows(question)), ()
    elif question.dataset is Dataset.PROFILES:
        found["/v2/profiles"] = Document.of(corpus.answer("amazon_ads", "profiles")), ()
    else:
        campaigns = LISTS[Dataset.CAMPAIGNS, question.slice]
        for one, name in zip(question.lists, OBJECTS[question.dataset, question.slice], strict=True):
            found |= _list(one, name)
        found |= _list(campaigns[0], OBJECTS[Dataset.CAMPAIGNS, question.slice][0])
    return found


def _recorded(question: Question) -> dict[str, tuple[Document, tuple[str | int, ...]]]:
    """The sandbox's lists and files for the same pull; its tokens and reports have the time in them."""
    keys = {one.path: one.key for one in question.lists} | ({"file": ""} if question.dataset.grain else {})
    bodies = recorded.record(question.task(), _route_of, _connected)
    found: dict[str, tuple[Document, tuple[str | int, ...]]] = {}
    for route, key in keys.items():
        text = gzip.decompress(bodies[route]) if route == "file" else bodies[route]
        found[route] = Document.of(recorded.shortened(text, key)), (key,) if key else ()
    return found


def _connected(session: requests.Session) -> Connector:
    """The connector of the sandbox's client."""
    company, _ = recorded.owner("amazon_ads")
    wired = wiring(AMAZON_ADS, session, FrozenClock(pulls.NOW), tokens=MemoryTokens())
    credential = Credential(account_id="acme", platform=AMAZON_ADS, secret_id="s")
    return _connect(credential=credential, secret=company.credentials["amazon_ads"], wiring=wired)


def _list(one: ObjectList, name: str) -> dict[str, tuple[Document, tuple[str | int, ...]]]:
    """The first page of a list, and the second where its kind has one."""
    answer = corpus.answer("amazon_ads", name)
    if one.paging is Turning.POSITION:
        return {one.path: (Document.of(answer), ())}
    items = answer[one.key]
    first = answer | {one.key: items, "nextToken": "page-2", "totalResults": len(items) + 1}
    last = {one.key: items[:1], "totalResults": len(items) + 1}
    return {one.path: (Document.of(first), (one.key,)), f"{one.path} 2": (Document.of(last), (one.key,))}


class Amazon:
    """Pulls of one profile."""

    name = "amazon"
    most_memory = 24 << 20

    def __init__(self) -> None:
        self._wire = Wire()
        self._clock = FrozenClock(pulls.NOW)

    def make(self, rng: Random) -> Case:
        number = rng.randrange(len(QUESTIONS))
        honest = _honest(QUESTIONS[number])
        route = rng.choice([name for name in honest if name != "token" or rng.random() < 0.5] or ["token"])
        document, path = honest[route]
        about: dict[str, Any] = {"question": number, "spoiled": 0}
        items = len([place for place in document.places if place.path[:-1] == path]) if _has_items(route) else 0
        if items and not route.endswith(" 2") and rng.random() < 0.55:
            about["spoiled"] = rng.randint(1, items)
            about["list"] = route
            spoiled = mutated(document, rng, within=(*path, about["spoiled"] - 1))
            changed = http_answer(200, _as_sent(route, spoiled))
        else:
            changed = _changed(route, document, rng)
        return {"about": json.dumps(about).encode(), **_sent(QUESTIONS[number]), route: changed}

    def check(self, case: Case) -> str:
        return pulls.checked(case, QUESTIONS, self._read, self._expected)

    def close(self) -> None:
        self._wire.close()

    @cache  # noqa: B019  a target lives as long as its process
    def _expected(self, question: Question) -> Pulled:
        return self._read(question, _sent(question))

    def _read(self, question: Question, answers: Mapping[str, bytes]) -> Pulled:
        task = question.task()
        options = AmazonOptions.model_validate(_OPTIONS[question.options])
        more: dict[str, Any] = {"profile_kind": "seller", "country": "US", "options": options}
        return pulls.read(self._connector(answers), task, pulls.context_of(task, **more))

    def _connector(self, answers: Mapping[str, bytes]) -> Connector:
        session = self._wire.reset(_Ads(answers))
        wired = wiring(AMAZON_ADS, session, self._clock, tokens=MemoryTokens())
        credential = Credential(account_id="acme", platform=AMAZON_ADS, secret_id="s")
        return guarded.connect(_connect, AmazonCredential, credential, _SECRET, wired)


TARGET = Amazon


def _connect(*, credential: Credential, secret: Mapping[str, str], wiring: Wiring) -> AmazonConnector:
    """As the product's own `connect`, but that it never sleeps."""
    http = Http(wiring.session, wiring.clock, random.Random(1), sleep=lambda _: None)
    hosts = Hosts(BASE, f"{BASE}/auth/o2/token")
    calls = AmazonCalls(AmazonCredential.read(secret), hosts, http, wiring.clock, wiring.tokens)
    return AmazonConnector(calls, wiring.clock)


@cache
def _sent(question: Question) -> dict[str, bytes]:
    return {route: http_answer(200, _as_sent(route, found.text)) for route, (found, _) in _honest(question).items()}


def _has_items(route: str) -> bool:
    return route not in {"token", "create", "status"}


def _as_sent(route: str, text: bytes) -> bytes:
    return gzip.compress(text, 1, mtime=0) if route == "file" else text


class _Ads:
    """Answers a request with the answer for its route; after the second page of a list there is nothing."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = answers
        self._requests = 0
        self._asked: dict[str, int] = {}

    def __call__(self, request: bytes) -> bytes:
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise Broken(f"asks over {_MOST_REQUESTS} times")
        route = _route_of(request)
        turned = route.endswith(" 2")
        self._asked[route] = self._asked.get(route, 0) + turned
        found = self._answers.get(route, b"")
        return found if found and self._asked[route] < 5 else http_answer(404, b'{"code":"404"}')


def _route_of(request: bytes) -> str:
    """Which of a pull's requests it is: a list goes by its path, its second page by ` 2` behind it."""
    line, _, _ = request.partition(b"\r\n")
    method, target, _ = (*line.decode("latin-1").split(" "), "", "")[:3]
    path = target.partition("?")[0]
    if path == "/auth/o2/token":
        return "token"
    if path.startswith("/reporting/reports"):
        return "create" if method == "POST" else "status"
    if path.startswith(("/sp/", "/sb/", "/sd/", "/v2/")):
        return f"{path} 2" if b"nextToken" in request else path
    return "file"


def _changed(route: str, honest: Document, rng: Random) -> bytes:
    """An answer with its JSON changed, or its bytes, or an error instead, or its headers, or all of its bytes."""
    kind = rng.random()
    if kind < 0.45:
        return http_answer(rng.choice((200, 200, 207)), _as_sent(route, mutated(honest, rng)))
    if kind < 0.6:
        damaged = damage.damaged(honest.text, rng)
        return http_answer(200, damage.packed(damaged, rng) if route == "file" else damaged)
    if kind < 0.85:
        status, error = rng.choice(corpus.answers("amazon_ads", "errors"))
        body = mutated(error, rng) if rng.random() < 0.6 else damage.digits(error.text, rng)
        headers = {"Retry-After": _header(rng)} if rng.random() < 0.5 else {}
        return http_answer(rng.choice((status, status, 200, 400, 403, 425, 429, 500, 503)), body, headers)
    if kind < 0.9:
        name = rng.choice(("Location", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Content-Type"))
        return http_answer(rng.choice((200, 302)), _as_sent(route, honest.text), {name: _header(rng)})
    return damage.damaged(http_answer(200, damage.packed(honest.text, rng), {"Content-Encoding": "gzip"}), rng)


def _header(rng: Random) -> str:
    seeds = ("0", "120", "Wed, 21 Oct 2026 07:28:00 GMT", "gzip", "chunked", "1e9", "Fri, 31 Dec 9999 23:59:59 GMT")
    text = (
        awkward.plain(rng) if rng.random() < 0.5 else damage.damaged(rng.choice(seeds).encode(), rng).decode("latin-1")
    )
    return text.replace("\r", " ").replace("\n", " ")[:5000]
