"""One HTTP server that speaks the platforms' protocols over the world: `python -m sandbox.server --port 8090`."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
import time
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.control import Control, RequestLog
from sandbox.outside import Outside
from sandbox.platforms.amazon_ads import AmazonApi
from sandbox.platforms.meta import VERSIONED, MetaApi
from sandbox.web import Request, Response

log = logging.getLogger("sandbox.server")
_MOST_BODY = 8 * 1024 * 1024


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, address: tuple[str, int], owner: PlatformServer) -> None:
        self.owner = owner
        self.open_sockets: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Clients that hang up are no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            log.exception("request from %s failed", client_address)  # noqa: LOG004 - called while one is handled

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open_sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open_sockets.discard(request)
        super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]
    server: _Server
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 75

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > _MOST_BODY:
            self.close_connection = True
            self._send(Response.json({"error": "body too large"}, 413))
            return
        body = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = "/" + unquote(parts.path).lstrip("/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        base = f"http://{headers.get('host', self.server.owner.netloc)}"
        response = self.server.owner.answer(Request(self.command, path, query, headers, body, base))
        if response.wait:
            time.sleep(response.wait)
        self._send(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer  # noqa: N815 - the names http.server calls

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: len(response.body) // 2] if response.cut else response.body)
        self.wfile.flush()
        if response.cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        log.debug(format, *args)


class PlatformServer:
    """The server as a value: `start()`, `url`, `stop()`, or a `with` block. Port 0 takes a free one."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 7,
        anchor: date | None = None,
        state_path: Path | None = None,
        report_seconds: float = 0.5,
    ) -> None:
        today = datetime.now(UTC).date()
        self.outside = Outside(
            seed=seed, anchor=anchor, today=today, state_path=state_path, report_seconds=report_seconds
        )
        self.log = RequestLog()
        self._meta, self._amazon = MetaApi(self.outside), AmazonApi(self.outside)
        self.control = Control(self.outside, self.log)
        self._host = host
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None

    @property
    def netloc(self) -> str:
        return f"{self._host}:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end. Both platforms' base URL."""
        return f"http://{self.netloc}"

    def answer(self, request: Request) -> Response:
        """Route by path: /_world, Meta's /vNN.N, else Amazon. A fault of the sandbox itself answers 599."""
        if request.path == "/_world" or request.path.startswith("/_world/"):
            return self.control.handle(request)
        try:
            meta = VERSIONED.match(request.path)
            response = self._meta.handle(request) if meta else self._amazon.handle(request)
        except Exception:
            log.exception("the sandbox failed on %s %s", request.method, request.path)
            return Response.json({"error": "the sandbox failed; see its log"}, 599)
        slow = self.outside.switches.take("slow_answer", "meta_ads" if meta else "amazon_ads")
        if slow is not None:
            response.wait = float(slow.get("seconds", 1))
        scope = request.headers.get("amazon-advertising-api-scope", "")
        self.log.add(request.method, request.path, response.status, scope)
        return response

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
        for connection in list(self._server.open_sockets):
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
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.DEBUG if asked.verbose else logging.WARNING)
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    server = PlatformServer(
        host=asked.host, port=asked.port, seed=asked.seed, anchor=asked.anchor, state_path=asked.state,
        report_seconds=asked.report_seconds,
    )  # fmt: skip
    with server:
        sys.stdout.write(f"platforms at {server.url}, the world at {server.url}/_world\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
