"""Requests to platforms for the API log: what was asked, what came back, how long it took. Headers are never kept.

`platforms.http` tells of each try. The boundary of the connector (`platforms.guarded`) takes out the values of its
credential, then whatever else looks like a secret, and only then hands the call on.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit, urlunsplit

from adweir.model.calls import FIRST_REFUSED, OUTBOUND, ApiCall
from adweir.model.log import log
from adweir.model.scrubbing import cut, hidden, message_kept, scrubbed
from adweir.model.times import Clock, iso

if TYPE_CHECKING:
    from adweir.platforms.redaction import Redactor

SEEN_BYTES = 16 << 10
"""The beginning of a body that is looked at."""
_BINARY = "(binary)"


class Exchange(NamedTuple):
    """One try of a request. `url` has the whole query, `sent` and `received` are the beginnings of the bodies.

    `status` is None where no answer came; `error` then names why. `seconds` are those until the answer was read, of a
    file until its end.
    """

    method: str
    url: str
    sent: bytes
    status: int | None
    received: bytes
    seconds: float
    error: str = ""


class CallSink(Protocol):
    """Where calls go."""

    def takes(self, *, success: bool) -> bool:
        """Whether one more call is kept, to be asked once for each: most of a long pull's are not."""

    def add(self, call: ApiCall) -> None:
        """Keep a call."""

    def failed(self, message: str) -> None:
        """The newest call was no success, whatever its status: in the connector's words."""


class GuardedCalls:
    """Makes calls of the exchanges of one connection. Nothing that goes wrong here concerns who makes the request."""

    def __init__(self, sink: CallSink, platform: str, redactor: Redactor, clock: Clock) -> None:
        self._sink = sink
        self._platform = platform
        self._redactor = redactor
        self._clock = clock
        self._open = False
        self._hushed = False

    def __call__(self, exchange: Exchange) -> None:
        self._open = False
        try:
            good = exchange.status is not None and exchange.status < FIRST_REFUSED and not exchange.error
            if self._sink.takes(success=good):
                self._sink.add(self._call(exchange, success=good))
                self._open = True
        except Exception as error:  # noqa: BLE001  the boundary; its message may have the URL
            log.error("a call of %s is not in the API log: %s", self._platform, type(error).__name__)  # noqa: TRY400

    @contextmanager
    def hushed(self) -> Iterator[None]:
        """Of the calls within, which make tokens, the bodies have the names of their fields only."""
        before, self._hushed = self._hushed, True
        try:
            yield
        finally:
            self._hushed = before

    def begin(self) -> None:
        """What `failed` says is about calls from now on."""
        self._open = False

    def failed(self, message: str) -> None:
        """The connector makes an error of the newest answer. Of one that was not kept nothing is noted."""
        if self._open:
            self._open = False
            self._sink.failed(self._said(message))

    def _call(self, exchange: Exchange, *, success: bool) -> ApiCall:
        parts = urlsplit(self._redactor.text(exchange.url))
        place = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        query = scrubbed(parts.query, names_only=self._hushed)
        asked = [text for text in (query, self._kept(exchange.sent)) if text]
        return ApiCall(
            timestamp=iso(self._clock.now()),
            direction=OUTBOUND,
            platform=self._platform,
            endpoint=cut(hidden(place[:SEEN_BYTES])),
            method=exchange.method,
            status_code=exchange.status,
            response_time=round(exchange.seconds, 3),
            success=success,
            error_message=self._said(exchange.error),
            request_data=cut("\n".join(asked)),
            response_data=self._kept(exchange.received),
        )

    def _said(self, message: str) -> str:
        return message_kept(self._redactor.text(message))

    def _kept(self, body: bytes) -> str:
        """The beginning of a body as it may be kept; what is no text is named so."""
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(self._redactor.body(body[:SEEN_BYTES]))
        except UnicodeDecodeError:
            return _BINARY
        return _BINARY if "\0" in text else scrubbed(text, names_only=self._hushed)
