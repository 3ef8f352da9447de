"""uvicorn's answers in one piece. Run by aws_server.py, beside which it lies.

uvicorn writes the head of an answer and its body apart: two calls of the system, and the client wakes up twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

if TYPE_CHECKING:
    import asyncio


class _Joined:
    """A connection to which the head of an answer is written together with what comes after it."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """The first time, keep it for the second."""
        if self._head is None:
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWrite(RequestResponseCycle):
    """An answer whose head goes out with the beginning of its body."""

    async def send(self, message: Any) -> None:
        """What ASGI's `send` does. Nothing comes after the head of an answer to HEAD."""
        if message["type"] == "http.response.start" and self.scope["method"] != "HEAD":
            self.transport = cast("asyncio.Transport", _Joined(self.transport))
        await super().send(message)


def mend(server: Any) -> None:
    """Have `server`, uvicorn's module for httptools, answer so."""
    server.RequestResponseCycle = OneWrite
