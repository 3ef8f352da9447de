"""The product's own HTTP session on sockets that hold the scripted answers: nothing leaves the process.

requests, urllib3 and http.client work as they do on a real connection, so they also refuse what they would refuse
there: headers that are not latin-1, answers without a status line, bodies cut short.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Callable
from typing import Any, cast

import requests
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from adweir.platforms import session as product

Answerer = Callable[[bytes], bytes]
"""The bytes of a request → the bytes of its answer, status line and headers included."""


class _Socket:
    """As much of a socket as http.client and urllib3 use."""

    def __init__(self, answer: Answerer, idle: int) -> None:
        self._answer = answer
        self._idle = idle
        self._sent = b""

    def sendall(self, data: bytes) -> None:
        self._sent += bytes(data)

    def makefile(self, _mode: str, *_: Any, **__: Any) -> io.BytesIO:
        sent, self._sent = self._sent, b""
        return io.BytesIO(self._answer(sent))

    def fileno(self) -> int:
        """A descriptor that is never readable: urllib3 asks whether an idle connection was closed."""
        return self._idle

    def settimeout(self, _seconds: float | None) -> None:
        """Answers come at once."""

    def shutdown(self, _how: int) -> None:
        """Nothing to cut off."""

    def close(self) -> None:
        """Nothing to close."""


class Wire:
    """A session whose requests `answer` answers; plain http only."""

    def __init__(self) -> None:
        self.answer: Answerer = lambda _: b""
        self._idle, self._other_end = os.pipe()
        self.session = product.new_session()
        self.session.trust_env = False  # looking for proxies takes a tenth of the time
        wire = self

        class Connection(product._Punctual, HTTPConnection):  # type: ignore[misc]  # as the product's own
            def connect(self) -> None:
                self.sock = cast("socket.socket", _Socket(wire.answer, wire._idle))

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        adapter = cast("Any", self.session.get_adapter("http://"))
        adapter.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": Pool}

    def close(self) -> None:
        self.session.close()
        os.close(self._idle)
        os.close(self._other_end)

    def reset(self, answer: Answerer) -> requests.Session:
        """Begin with new connections that are answered so."""
        self.answer = answer
        for adapter in self.session.adapters.values():
            adapter.close()
        return self.session


def http_answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """An answer as it stands on the wire."""
    named = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("utf-8", "surrogateescape") + body
