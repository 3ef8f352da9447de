"""A loopback HTTP server whose answers a test scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from werkzeug.wrappers import Response

from sandbox.serving import HttpServer
from sandbox.web import PlatformRequest, broken_off


@dataclass
class Call:
    """A request as it arrived: query and form decoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Answer:
    """What to send back; a `body` that is not bytes is sent as JSON. `hang_up` closes after half the body."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else msgspec.json.encode(self.body)


class StubServer:
    """Answers with `script`'s answers in turn, then with what `route` makes of the call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.script: list[Answer] = []
        self.route: Callable[[Call], Answer] = lambda _: Answer(404, {"error": "nothing scripted"})
        self.url = ""

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        return self.script.pop(0) if self.script else self.route(call)


@contextmanager
def serving() -> Iterator[StubServer]:
    """A stub server on a free port of the loopback address."""
    stub = StubServer()

    def answer(request: PlatformRequest) -> Response:
        query = request.args.to_dict()
        call = Call(request.method, request.path, query, dict(request.headers), request.get_data())
        scripted = stub.answer(call)
        response = Response(scripted.raw, scripted.status, scripted.headers)
        return broken_off(response) if scripted.hang_up else response

    with HttpServer(answer) as server:
        stub.url = server.url
        yield stub
