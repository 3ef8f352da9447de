"""An HTTP server on this machine, on werkzeug: connections stay open, and no request is logged."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self, cast

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from sandbox.web import PlatformRequest, json_answer

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

log = logging.getLogger("sandbox.serving")
Answerer = Callable[[PlatformRequest], Response]


class _ConnectionHandler(WSGIRequestHandler):
    """Serves one connection and logs no request, since URLs carry tokens.

    werkzeug's own handler closes the connection after each answer, because an unread body would be taken for the next
    request; that costs a client's session about 1.5 ms per request. Here the body is read before the answer is made.
    """

    protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 75
    connections: ClassVar[set[socket.socket]]

    def setup(self) -> None:
        """Begin a connection."""
        super().setup()
        self.connections.add(self.connection)

    def finish(self) -> None:
        """End a connection."""
        self.connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """Answer one request; an answer shorter than its announced length ends the connection."""
        answer = self._answered(PlatformRequest(self.make_environ()))
        body = answer.get_data()
        if answer.content_length is None:
            answer.content_length = len(body)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.close_connection |= len(body) < (answer.content_length or 0)
        self.wfile.flush()

    def _answered(self, request: PlatformRequest) -> Response:
        try:
            request.get_data()
        except RequestEntityTooLarge:
            return json_answer({"error": "body too large"}, 413, {"Connection": "close"})
        return cast("Answerer", self.server.app)(request)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing."""


class HttpServer:
    """A server as a value: `start()`, `url`, `stop()`, or a `with` block. Port 0 takes a free one."""

    def __init__(self, answer: Answerer, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`answer` is called in one thread per connection."""
        self._connections: set[socket.socket] = set()
        handler = type("_Handler", (_ConnectionHandler,), {"connections": self._connections})
        # werkzeug keeps the application for its handler, which is ours and needs no WSGI in between.
        application = cast("WSGIApplication", answer)
        self._server = make_server(host, port, application, threaded=True, request_handler=handler)
        self._thread: threading.Thread | None = None

    @property
    def netloc(self) -> str:
        """Host and port."""
        return f"{self._server.host}:{self._server.port}"

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{self.netloc}"

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and hang up on idle clients. May be called again."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
            self._thread = None
        self._server.server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the client had hung up already")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
