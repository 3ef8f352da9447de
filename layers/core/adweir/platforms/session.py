"""The HTTP session that all connectors share: connections stay open, cookies do not stay, and answers end in time.

It takes the machine's proxies and certificates (`HTTPS_PROXY`, `REQUESTS_CA_BUNDLE`), never a password of `~/.netrc`.

A socket's time-out is about the next byte. An answer that sends one each second would hold a function until Lambda ends
it; so the connection is cut off when a whole answer takes too long.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast
from urllib.request import getproxies

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from adweir.model import limits

answer_seconds: ContextVar[float] = ContextVar("answer_seconds", default=limits.MAX_ANSWER_SECONDS)
"""How long the next answer's headers may take."""
request_seconds: ContextVar[float] = ContextVar("request_seconds", default=limits.MAX_ANSWER_SECONDS)
"""How long a request with all its tries may take; less where somebody waits for the answer."""
_WIRE = "adweir_wire"
_IDLE_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class _Watched:
    """A block that has until `end`, by the monotonic clock; then its socket is shut."""

    wire: socket.socket | None
    end: float
    late: bool = False

    def cut(self) -> None:
        self.late = True
        if self.wire is not None:
            with suppress(OSError):  # it was closed in this moment
                self.wire.shutdown(socket.SHUT_RDWR)


class _Watch:
    """One thread for all that is watched. A thread for each, as a `threading.Timer` is, costs more than a page does."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: set[_Watched] = set()
        self._wakes = 0.0
        self._runs = False

    def add(self, watched: _Watched) -> None:
        """Begin to watch."""
        with self._changed:
            self._watched.add(watched)
            if not self._runs:
                threading.Thread(target=self._run, name="cut-off", daemon=True).start()
                self._runs = True
            elif watched.end < self._wakes:
                self._changed.notify()

    def drop(self, watched: _Watched) -> None:
        """Watch no longer: after this, it is not cut off any more."""
        with self._changed:
            self._watched.discard(watched)

    def _run(self) -> None:
        """Sleep until the next one is late. Ends when there has been nothing to watch for a while."""
        with self._changed:
            idle = False
            while self._watched or not idle:
                idle = not self._watched
                now = time.monotonic()
                self._wakes = min((each.end for each in self._watched), default=now + _IDLE_SECONDS)
                self._changed.wait(self._wakes - now)
                for each in [each for each in self._watched if each.end <= time.monotonic()]:
                    each.cut()
                    self._watched.discard(each)
            self._runs = False


_WATCH = _Watch()


@contextmanager
def cut_off(wire: socket.socket | None, seconds: float) -> Iterator[None]:
    """Shut the socket when the block takes longer; the block then raises TimeoutError or the like."""
    watched = _Watched(wire, time.monotonic() + seconds)
    _WATCH.add(watched)
    try:
        yield
    finally:
        _WATCH.drop(watched)
    if watched.late:  # an answer without a length seems to end there
        raise TimeoutError("the answer takes too long")


def wire_of(answer: requests.Response) -> socket.socket | None:
    """The socket that an answer comes from; None for one of another session."""
    found: socket.socket | None = getattr(answer.raw, _WIRE, None)
    return found


class _Punctual:
    """A connection whose answers begin in time, and keep their socket: http.client forgets one that will be closed."""

    sock: socket.socket | None

    def getresponse(self) -> HTTPResponse:
        wire, answer = self.sock, None
        try:
            with cut_off(wire, answer_seconds.get()):
                answer = super().getresponse()  # type: ignore[misc]  # the connection's
        except TimeoutError:
            if answer is not None:  # headers that were cut off look like headers that ended
                answer.close()
            raise
        setattr(answer, _WIRE, wire)
        return cast("HTTPResponse", answer)


class _Connection(_Punctual, HTTPConnection):  # type: ignore[misc]  # urllib3 overrides http.client's, too
    pass


class SecureConnection(_Punctual, HTTPSConnection):  # type: ignore[misc]  # urllib3 overrides http.client's, too
    """A connection by TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class SecurePool(HTTPSConnectionPool):
    """The connections to one host by TLS."""

    ConnectionCls = SecureConnection


class SessionAdapter(HTTPAdapter):
    """What a session sends by."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": SecurePool}


class _Session(requests.Session):
    turn: Callable[[], None] | None = None


def await_turn(session: requests.Session) -> None:
    """Wait until the session may send its next request; its time-outs begin afterwards."""
    turn: Callable[[], None] | None = getattr(session, "turn", None)
    if turn is not None:
        turn()


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def certificates(session: requests.Session) -> Any:
    """The certificates that the environment names; True for those that requests brings."""
    return session.merge_environment_settings("https://localhost", {}, stream=False, verify=True, cert=None)["verify"]


def new_session(turn: Callable[[], None] | None = None) -> requests.Session:
    """A session without retries of its own. No cookie of one credential's answer goes with another's request.

    `turn` is called before each request, and waits where requests are limited.
    """
    session = _Session()
    session.turn = turn
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Without this, requests looks the host up in ~/.netrc each time, and what is there replaces the credential's token.
    session.auth = _unchanged
    # It also reads the environment for each request, a tenth of a page's time: in vain where that names nothing.
    session.trust_env = bool(getproxies()) or certificates(session) is not True
    for scheme in ("http://", "https://"):
        session.mount(scheme, SessionAdapter())
    return session
