"""The one way connectors speak HTTP: limits on time and size, short retries in place, no secret in any message."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any, TypedDict, Unpack
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
import urllib3

from adweir.model import limits
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    RequestRejected,
    Throttled,
    TooMuchData,
    Transient,
)
from adweir.model.times import Clock
from adweir.model.urls import without_secrets
from adweir.platforms.call_log import SEEN_BYTES, Exchange
from adweir.platforms.session import answer_seconds, await_turn, cut_off, request_seconds, wire_of

TIMEOUT = (5.0, 60.0)
"""Seconds to connect, and between two bytes of an answer; `session.request_seconds` is for all of it."""
PATIENCE = 10.0
"""Seconds that the retries of one request may wait altogether."""
_TRIES = 4
_CHUNK = 1 << 20
_REFUSAL_BYTES = 64 << 10
"""Of the body of an answer that is not 2xx."""
_LEAST_SECONDS = 1.0
_BROKEN_SERVER = frozenset({500, 502, 503, 504})
_BROKEN_WIRE = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole. `url` is without secrets, `headers` are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def data(self) -> Any:
        """The decoded JSON body. Raises Transient for other text: a proxy or load balancer may have answered."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Transient(f"{self.url} answered {self.status} with text that is not JSON") from None


class Redirected(RequestRejected):
    """The answer is a redirect, which is not followed. `location` is the URL that it names, with its secrets."""

    def __init__(self, message: str, location: str) -> None:
        super().__init__(message)
        self.location = location


def server_broke(response: Response) -> bool:
    """Whether to retry by default: 500, 502, 503, 504."""
    return response.status in _BROKEN_SERVER


class How(TypedDict, total=False):
    """How a request is sent; all of it may be left out."""

    params: Mapping[str, str] | None
    """The query."""
    headers: Mapping[str, str] | None
    form: Mapping[str, str] | None
    """A body as a form."""
    json: Any
    """A body as JSON; a Content-Type in `headers` wins."""
    retry: Callable[[Response], bool]
    """Which answers are worth another try in place; without it 500, 502, 503 and 504."""
    resend: bool | None
    """Whether a request that was sent may be repeated; None: a GET or HEAD may."""
    max_bytes: int
    """The largest answer, `limits.MAX_RESPONSE_BYTES` when left out."""


class Http:
    """Requests over one session.

    Connection faults and answers for which `retry` says so are repeated in place with jittered backoff, waiting at most
    `PATIENCE` seconds in all; then the answer is returned as it is, and a connection fault is raised as Transient. A
    request that was sent and may have had an effect (POST and the like) is repeated only when `resend` says so.
    Redirects are refused: a token must not go to a host that an answer names. All tries of a request together may take
    `session.request_seconds` (a download: of waiting for its bytes), then it is Transient.
    """

    def __init__(
        self,
        session: requests.Session,
        clock: Clock,
        rng: Random,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeout: tuple[float, float] = TIMEOUT,
        seen: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._session = session
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._timeout = timeout
        self._seen = seen

    def request(self, method: str, url: str, **how: Unpack[How]) -> Response:
        """Send and read the whole answer, whatever its status.

        Raises Transient, TooMuchData (an answer over `max_bytes`), RequestRejected (a redirect).
        """
        sent = dict(how.get("headers") or {})
        form, json, resend = how.get("form"), how.get("json"), how.get("resend")
        data: Any = dict(form) if form is not None else None
        if json is not None:
            data = msgspec.json.encode(json)
            sent.setdefault("Content-Type", "application/json")
        again = method in {"GET", "HEAD"} if resend is None else resend
        retry, max_bytes = how.get("retry", server_broke), how.get("max_bytes", limits.MAX_RESPONSE_BYTES)
        patience = _Patience(self._clock)
        for wait in self._waits():
            answer = self._once(_Request(method, url, how.get("params"), sent, data), max_bytes, patience)
            if isinstance(answer, Response):
                if not (again and retry(answer)) or wait is None or patience.left <= 0:
                    return answer
                asked = retry_after(answer.headers, self._clock.now())
                if asked is not None and asked > wait:
                    return answer
            elif wait is None or patience.left <= 0 or not (again or answer.before_sending):
                raise Transient(f"{method} {without_secrets(url)}: {answer.name}", wire_fault=answer.name)
            self._sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    def download(
        self,
        url: str,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        question: Any = None,
        refusal: Callable[[Response], AdweirError] | None = None,
        seen: Callable[[Response], None] | None = None,
    ) -> Iterator[bytes]:
        """GET a file in chunks, in bounded memory. Connection faults are retried until the first byte came.

        With a `question` it is POSTed as JSON, and the answer streamed: it has to be one that may be asked again.
        `seen` is shown the answer before its body, and may refuse it. Raises what `refusal` (without it, `fault`) makes
        of a status that is not 2xx and of the beginning of its body, Redirected, Transient when the transfer breaks,
        TooMuchData.
        """
        request = _Request("GET", url, headers=headers)
        if question is not None:
            sent = {"Content-Type": "application/json", **(headers or {})}
            request = _Request("POST", url, headers=sent, data=msgspec.json.encode(question))
        patience = _Patience(self._clock)
        for wait in self._waits():
            begun = False
            name = ""
            try:
                with self._noting(request) as note, self._send(request, patience) as answer:
                    note.status = answer.status_code
                    if not 200 <= answer.status_code < 300:
                        body = answer.raw.read(_REFUSAL_BYTES, decode_content=True)
                        note.received = body
                        refused = Response(answer.status_code, answer.headers, body, without_secrets(url))
                        if wait is None or not server_broke(refused):
                            raise refusal(refused) if refusal else fault(refused, self._clock.now())
                        name = f"status {answer.status_code}"
                    else:
                        if seen:
                            seen(Response(answer.status_code, answer.headers, b"", without_secrets(url)))
                        for chunk in _chunks(answer, max_bytes, url, patience):
                            note.received = note.received if begun else chunk
                            begun = True
                            yield chunk
                        return
            except _BROKEN_WIRE as error:
                name = type(error).__name__
            if begun or wait is None or patience.left <= 0:
                raise Transient(f"{request.method} {without_secrets(url)}: {name}")
            self._sleep(wait)

    def _once(self, request: _Request, max_bytes: int, patience: _Patience) -> Response | _Broken:
        try:
            with self._noting(request) as note, self._send(request, patience) as answer:
                note.status = answer.status_code
                body = b"".join(_chunks(answer, max_bytes, request.url, patience))
                note.received = body
                return Response(answer.status_code, answer.headers, body, without_secrets(answer.url))
        except _BROKEN_WIRE as error:
            # Only its name goes on: the messages of these classes carry the URL, and with it the token.
            return _Broken(type(error).__name__, isinstance(error, requests.ConnectTimeout))

    @contextmanager
    def _noting(self, request: _Request) -> Iterator[_Note]:
        """Tell of the try that the block is; of an error by its name."""
        note, begun = _Note(), self._clock.monotonic()
        try:
            yield note
        except Exception as error:
            note.error = type(error).__name__
            raise
        finally:
            if self._seen:
                url, sent = request.as_sent()
                seconds, received = self._clock.monotonic() - begun, note.received[:SEEN_BYTES]
                self._seen(Exchange(request.method, url, sent, note.status, received, seconds, note.error))

    def _send(self, request: _Request, patience: _Patience) -> requests.Response:
        what = f"{request.method} {without_secrets(request.url)}"
        await_turn(self._session)
        try:
            with patience.spent():
                answer = self._session.request(
                    request.method,
                    request.url,
                    params=request.params,
                    headers=request.headers,
                    data=request.data,
                    timeout=self._timeout,
                    stream=True,
                    allow_redirects=False,
                )
        except requests.RequestException:
            raise
        except ValueError as error:  # a header that is not latin-1, or a redirect to what is not a URL
            raise RequestRejected(f"{what} cannot be asked: {type(error).__name__}") from None
        if answer.is_redirect:
            answer.close()
            raise Redirected(f"{what} redirects ({answer.status_code}); refused", answer.headers["Location"])
        return answer

    def _waits(self) -> Iterator[float | None]:
        """How long to wait after each try; None after the last."""
        left = min(PATIENCE, request_seconds.get())
        for attempt in range(_TRIES - 1):
            wait = min(left, 0.5 * 2**attempt * (0.5 + self._rng.random()))
            left -= wait
            yield wait
        yield None


@dataclass(frozen=True, slots=True)
class _Broken:
    name: str
    before_sending: bool


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    data: Any = None

    def as_sent(self) -> tuple[str, bytes]:
        """The URL with all of its query, and the beginning of the body."""
        url, data = self.url, self.data
        if self.params:
            url += ("&" if "?" in url else "?") + urlencode(self.params)
        body = urlencode(data).encode() if isinstance(data, Mapping) else data or b""
        return url, body[:SEEN_BYTES]


@dataclass(slots=True)
class _Note:
    """What is known of a try."""

    status: int | None = None
    received: bytes = b""
    error: str = ""


class _Patience:
    """The seconds that a request may still take, all its tries together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.left = request_seconds.get()

    @contextmanager
    def spent(self) -> Iterator[float]:
        """Count the seconds of the block, which waits for the other side."""
        begin = self._clock.monotonic()
        token = answer_seconds.set(max(self.left, _LEAST_SECONDS))
        try:
            yield max(self.left, _LEAST_SECONDS)
        finally:
            answer_seconds.reset(token)
            self.left -= self._clock.monotonic() - begin


def _chunks(answer: requests.Response, max_bytes: int, url: str, patience: _Patience) -> Iterator[bytes]:
    """The body after transport decoding. Raises TimeoutError, an OSError, when it takes too long."""
    size = 0
    while True:
        with patience.spent() as seconds, cut_off(wire_of(answer), seconds):
            chunk = answer.raw.read(_CHUNK, decode_content=True)
        if not chunk:
            return
        if patience.left < 0:
            raise TimeoutError("the answer takes too long")
        size += len(chunk)
        if size > max_bytes:
            raise TooMuchData(f"{without_secrets(url)} answers with more than {max_bytes} bytes")
        yield chunk


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The Retry-After header, seconds or an HTTP date, as seconds from `now` (0 to a day); None without a valid one."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text) if text[0].isdigit() else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, min(seconds, limits.MAX_PLATFORM_WAIT_SECONDS))


def fault(response: Response, now: datetime, detail: str = "") -> AdweirError:
    """What an answer that is not 2xx means by its status alone, for platforms that follow HTTP.

    429, and 503 with Retry-After: Throttled; 408 and 5xx: Transient; 401: AuthExpired; 403: AccessDenied; else
    RequestRejected. `detail` is the platform's own message.
    """
    message = f"{response.url} answered {response.status}" + (f": {detail[:300]}" if detail else "")
    status = response.status
    wait = retry_after(response.headers, now)
    if status == 429 or (status == 503 and wait is not None):
        return Throttled(message, retry_after=60.0 if wait is None else wait, status=status)
    if status == 408 or status >= 500:
        return Transient(message, status=status)
    kind: type[AdweirError] = {401: AuthExpired, 403: AccessDenied}.get(status, RequestRejected)
    return kind(message, status=status)


def same_origin(url: str, base: str) -> bool:
    """Whether a URL from an answer has the scheme, host and port of `base`: only then may it get the token."""
    try:
        ours, theirs = urlsplit(base), urlsplit(url)
        return (ours.scheme, ours.hostname, _port(ours)) == (theirs.scheme, theirs.hostname, _port(theirs))
    except ValueError:
        return False


S3_HOSTS = re.compile(r"[a-z0-9][a-z0-9.-]*\.s3(?:\.dualstack)?(?:[.-][a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com")
"""Any bucket of Amazon S3."""


def is_file_on(url: str, hosts: re.Pattern[str]) -> bool:
    """Whether a URL from an answer is https on one of these hosts, at the usual port: only then may it be asked."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and parts.port in (None, 443) and bool(hosts.fullmatch(parts.hostname or ""))
    except ValueError:
        return False


def _port(parts: Any) -> int | None:
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
