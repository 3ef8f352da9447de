"""One HTTP server that speaks the platforms' protocols over the world: `python -m sandbox.server --port 8090`."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self, cast

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from sandbox.control import ROOT, Control
from sandbox.outside import SLOW_ANSWER, Outside
from sandbox.platforms.base import StandIn
from sandbox.request_log import RequestLog
from sandbox.web import PlatformRequest, json_answer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = logging.getLogger("sandbox.server")


class _ConnectionHandler(WSGIRequestHandler):
    """Serves one connection and logs no request: their URLs carry tokens.

    werkzeug's own handler closes the connection after each answer, which costs the connectors' sessions about 1.5 ms
    per request. It does so because an unread body would be taken for the next request; ours is always read first.
    """

    protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 75

    @property
    def _owner(self) -> PlatformServer:
        return cast("PlatformServer", self.server.app)

    def setup(self) -> None:
        super().setup()
        self._owner.connections.add(self.connection)

    def finish(self) -> None:
        self._owner.connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """Answer one request; an answer shorter than its announced length ends the connection."""
        answer = Response.from_app(self._owner, self.make_environ(), buffered=True)
        body = answer.get_data()
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.close_connection |= len(body) < (answer.content_length or 0)
        self.wfile.flush()

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing."""


class PlatformServer:
    """The server as a value: `start()`, `url`, `stop()`, or a `with` block. Port 0 takes a free one."""

    def __init__(self, outside: Outside, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.outside = outside
        self.log = RequestLog()
        self.connections: set[socket.socket] = set()
        self._apis = {stand_in.platform: stand_in.api(self.outside) for stand_in in self.outside.stand_ins}
        self.control = Control(self.outside, self._apis, self.log)
        self._server = make_server(host, port, self, threaded=True, request_handler=_ConnectionHandler)
        self._thread: threading.Thread | None = None

    @property
    def netloc(self) -> str:
        """Host and port."""
        return f"{self._server.host}:{self._server.port}"

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end: the base of every platform's documented paths."""
        return f"http://{self.netloc}"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The server as a WSGI application."""
        return self.answer(PlatformRequest(environ))(environ, start_response)

    def answer(self, request: PlatformRequest) -> Response:
        """Answer as /_world or as the platform whose host or path it is; 599 for a fault of the sandbox itself."""
        try:
            request.get_data()
        except RequestEntityTooLarge:
            return json_answer({"error": "body too large"}, 413, {"Connection": "close"})
        if request.path == ROOT or request.path.startswith(f"{ROOT}/"):
            return self.control.handle(request)
        stand_in = self._addressed(request)
        if stand_in is None:
            return json_answer({"error": f"no platform has the path {request.path}"}, 404)
        api = self._apis[stand_in.platform]
        try:
            answer, profile_id = api.handle(request), api.profile_id(request)
        except Exception:
            log.exception("the sandbox failed on %s %s", request.method, request.path)
            return json_answer({"error": "the sandbox failed; see its log"}, 599)
        slow = self.outside.switches.take(SLOW_ANSWER, stand_in.platform, profile_id)
        if slow is not None:
            time.sleep(float(slow.get("seconds", 1)))
        self.log.add(request.method, request.path, answer.status_code, profile_id)
        return answer

    def _addressed(self, request: PlatformRequest) -> StandIn | None:
        """The platform that a request is for: by its Host header when that is a platform's own, else by its path."""
        host = request.host.partition(":")[0]
        platforms = self.outside.stand_ins
        by_host = (stand_in for stand_in in platforms if host in stand_in.hosts)
        by_path = (stand_in for stand_in in platforms if stand_in.paths.match(request.path))
        return next(by_host, None) or next(by_path, None)

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, hang up on idle clients, write the state. Safe to call twice."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
            self._thread = None
        self._server.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the client had hung up already")
        self.outside.save()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Prints one line when it listens."""
    parser = argparse.ArgumentParser(prog="sandbox.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--state", type=Path, help="keeps the world's clock over a restart")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--anchor", type=date.fromisoformat, help="the world's first today (default: this day)")
    parser.add_argument("--report-seconds", type=float, default=0.5, help="how long an asynchronous report takes")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    outside = Outside(seed=asked.seed, anchor=asked.anchor, state_path=asked.state, report_seconds=asked.report_seconds)
    server = PlatformServer(outside, host=asked.host, port=asked.port)
    with server:
        sys.stdout.write(f"platforms at {server.url}, the world at {server.url}{ROOT}\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
