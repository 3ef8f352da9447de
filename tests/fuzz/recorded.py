"""What the sandbox's platforms answer to pulls: the other half of the corpus, beside the documents' samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import requests
from werkzeug.test import EnvironBuilder

from adweir.model.datasets import Dataset
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import Connector
from fuzz import pulls
from fuzz.transport import Wire, http_answer
from sandbox.outside import Outside
from sandbox.platforms import population, stand_ins
from sandbox.web import PlatformRequest
from sandbox.world import Company, WorldProfile

_MOST_ITEMS = 4
"""Rows or objects that are kept of a page."""
DAYS = Window(date(2026, 11, 14), date(2026, 11, 15))


class _World(NamedTuple):
    outside: Outside
    apis: Mapping[str, Any]


@cache
def _world() -> _World:
    present = stand_ins()
    outside = Outside(anchor=date(2026, 11, 21), report_seconds=0.0, population=population(present))
    return _World(outside, {each.platform: each.api(outside) for each in present})


def owner(platform: str) -> tuple[Company, WorldProfile]:
    """The client whose answers are recorded, and its ad account."""
    company = _world().outside.world.companies[0]
    return company, company.on(platform)[0]


class Recorder:
    """Answers requests as a platform of the sandbox does, and keeps the last answer of each route."""

    def __init__(self, platform: str, route_of: Callable[[bytes], str]) -> None:
        self._api = _world().apis[platform]
        self._route_of = route_of
        self.bodies: dict[str, bytes] = {}

    def __call__(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        path, _, query = target.partition("?")
        headers = [(name, value) for name, _, value in (each.partition(": ") for each in lines)]
        made = EnvironBuilder(path, method=method, query_string=query, headers=headers, data=body).get_environ()
        answer = self._api.handle(PlatformRequest(made))
        data = answer.get_data()
        self.bodies[self._route_of(request)] = data
        kept = {name: answer.headers[name] for name in ("Content-Type",) if name in answer.headers}
        return http_answer(answer.status_code, data, kept)


def record(
    task: Task, route_of: Callable[[bytes], str], connect: Callable[[requests.Session], Connector]
) -> dict[str, bytes]:
    """The bodies of all answers of a pull, by route."""
    recorder, wire = Recorder(str(task.platform), route_of), Wire()
    try:
        for page in pulls.asked(connect(wire.reset(recorder)), task):
            page.content()
    finally:
        wire.close()
    return recorder.bodies


def shortened(body: bytes, key: str) -> Any:
    """An answer with only the first few of its rows or objects: those under `key`, or of a bare list."""
    found = json.loads(body)
    if isinstance(found, list):
        return found[:_MOST_ITEMS]
    return found | {key: found[key][:_MOST_ITEMS]} if isinstance(found.get(key), list) else found


def task_of(platform: Any, dataset: Dataset, slice_: str = "all") -> Task:
    """A task of the recorded ad account."""
    _, profile = owner(str(platform))
    profile_id = "" if dataset is Dataset.PROFILES else profile.id
    return Task(
        "r", "m", "acme", platform, profile_id, dataset, slice_, DAYS if dataset.grain else None, 0,
        as_of=pulls.AS_OF, timezone=profile.timezone, currency=profile.currency,
    )  # fmt: skip
