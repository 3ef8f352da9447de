"""A target whose honest answers are the sandbox's: one answer of a pull is changed, its JSON, bytes, headers or all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, NamedTuple, Protocol

import requests

from adweir.model.datasets import Dataset
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector
from adweir.platforms.guarded import Guarded
from adweir.platforms.redaction import Redactor
from fuzz import awkward, damage, pulls, recorded
from fuzz.documents import Document, mutated
from fuzz.pulls import SECRETS, Pulled
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer

_MOST_REQUESTS = 150
_HEADERS = ("Retry-After", "Location", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Content-Type")


class RecordedQuestion(NamedTuple):
    """A pull: its dataset, and the profile's options."""

    platform: Platform
    dataset: Dataset
    options: tuple[tuple[str, Any], ...] = ()

    def task(self) -> Task:
        """The task of the recorded ad account."""
        task = recorded.task_of(self.platform, self.dataset)
        if task.window is None or REGISTRY.datasets(self.platform)[self.dataset].max_window_days > 1:
            return task
        return replace(task, window=Window(task.window.start, task.window.start), id="")


class Connect(Protocol):
    """A platform's connector over a session; without a secret that of the recorded client, and its route."""

    def __call__(self, session: requests.Session, secret: Mapping[str, str] | None) -> Connector: ...


class Told(NamedTuple):
    """What a platform's target tells: how to connect, which answer a request is for, and errors as (status, body).

    `rows`: where an answer of this route has rows or objects, one by one and none beside them; None elsewhere.
    `otherwise`: the body for a request that the honest pull does not make. `tidy`: corrects what a shortened answer
    says of its length.
    """

    questions: Sequence[RecordedQuestion]
    connect: Connect
    route_of: Callable[[bytes], str]
    errors: Sequence[tuple[int, Document]]
    rows: Callable[[RecordedQuestion, str], tuple[str | int, ...] | None]
    otherwise: Callable[[bytes], bytes]
    tidy: Callable[[dict[str, Any]], None] = lambda _answer: None


class RecordedPulls:
    """Pulls of one ad account."""

    name = ""
    most_memory = 24 << 20

    def __init__(self, told: Told) -> None:
        self._told = told
        self._wire = Wire()

    def make(self, rng: Random) -> Case:
        number = rng.randrange(len(self._told.questions))
        question = self._told.questions[number]
        honest = self._honest(question)
        route = rng.choice([*honest])
        about: dict[str, Any] = {"question": number, "spoiled": 0}
        changed = honest[route]
        within = self._told.rows(question, route)
        items = 0 if within is None else _items(changed, within)
        if within is not None and items and rng.random() < 0.5:
            about["spoiled"] = rng.randint(1, items)
            answer = http_answer(200, mutated(changed, rng, within=(*within, about["spoiled"] - 1)))
        else:
            answer = self._changed(changed, rng)
        parts = {name: http_answer(200, document.text) for name, document in honest.items()}
        return {"about": json.dumps(about).encode(), **parts, route: answer}

    def check(self, case: Case) -> str:
        return pulls.checked(case, self._told.questions, self._read, self._expected)

    def close(self) -> None:
        self._wire.close()

    @cache  # noqa: B019  a target lives as long as its process
    def _honest(self, question: RecordedQuestion) -> dict[str, Document]:
        """What the sandbox answers to each request of a pull, by its route, with the first few rows."""

        def connected(session: requests.Session) -> Connector:
            return self._told.connect(session, None).under(_options(question))

        bodies = recorded.record(question.task(), self._told.route_of, connected)
        return {route: _document(body, self._told.tidy) for route, body in bodies.items()}

    @cache  # noqa: B019  a target lives as long as its process
    def _expected(self, question: RecordedQuestion) -> Pulled:
        honest = self._honest(question)
        return self._read(question, {name: http_answer(200, document.text) for name, document in honest.items()})

    def _read(self, question: RecordedQuestion, answers: Mapping[str, bytes]) -> Pulled:
        task, options = question.task(), _options(question)
        session = self._wire.reset(_Answering(answers, self._told))
        guarded = Guarded(self._told.connect(session, {}).under(options), Redactor(SECRETS))
        return pulls.read(guarded, task, pulls.context_of(task, options=options))

    def _changed(self, honest: Document, rng: Random) -> bytes:
        """An answer with its JSON changed, or its bytes, or an error instead, or its headers, or all of its bytes."""
        kind = rng.random()
        if kind < 0.4 and honest.places:
            return http_answer(200, mutated(honest, rng))
        if kind < 0.6:
            return http_answer(rng.choice((200, 200, 201, 206)), damage.damaged(honest.text, rng))
        if kind < 0.8:
            status, error = rng.choice(self._told.errors)
            body = mutated(error, rng) if rng.random() < 0.6 else damage.digits(error.text, rng)
            return http_answer(rng.choice((status, status, 200, 400, 401, 429, 500, 503)), body)
        if kind < 0.9:
            odd = awkward.plain(rng).replace("\r", " ").replace("\n", " ")[:2000]
            return http_answer(200, honest.text, {rng.choice(_HEADERS): odd})
        packed = damage.packed(honest.text, rng)
        return damage.damaged(http_answer(200, packed, {"Content-Encoding": "gzip"}), rng)


class _Answering:
    """Answers a request with the answer for its route."""

    def __init__(self, answers: Mapping[str, bytes], told: Told) -> None:
        self._answers = answers
        self._told = told
        self._requests = 0

    def __call__(self, request: bytes) -> bytes:
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise Broken(f"asks over {_MOST_REQUESTS} times")
        answer = self._answers.get(self._told.route_of(request))
        return http_answer(200, self._told.otherwise(request)) if answer is None else answer


def _options(question: RecordedQuestion) -> Any:
    return REGISTRY.spec(question.platform).options.model_validate(dict(question.options))


def _document(body: bytes, count: Callable[[dict[str, Any]], None]) -> Document:
    """An answer with its first rows; one that is no JSON has no places to change, and its first lines."""
    try:
        found = json.loads(body)
    except ValueError:
        return Document(b"\n".join(body.split(b"\n")[:6]) + b"\n")
    short = _short(found)
    if isinstance(short, dict):
        count(short)
    return Document.of(short)


def _short(found: Any) -> Any:
    """Lists in it with their first few elements."""
    if isinstance(found, dict):
        return {name: _short(value) for name, value in found.items()}
    return [_short(each) for each in found[:4]] if isinstance(found, list) else found


def _items(document: Document, within: tuple[str | int, ...]) -> int:
    return sum(len(each.path) == len(within) + 1 and each.path[: len(within)] == within for each in document.places)
