"""A loopback HTTP server whose answers a test scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec


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
    """What to send back; `body` that is no bytes goes out as JSON. `hang_up` closes after half the body."""

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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            answer = stub.answer(Call(self.command, parts.path, query, dict(self.headers), body))
            raw = answer.raw
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if answer.hang_up:
                self.wfile.write(raw[: len(raw) // 2])
                self.close_connection = True
            else:
                self.wfile.write(raw)

        do_GET = do_POST = respond  # noqa: N815  http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
