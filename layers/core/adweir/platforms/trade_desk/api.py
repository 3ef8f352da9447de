"""Calls to The Trade Desk for one credential: its token, the pages of its queries, errors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from adweir.model import limits
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    RequestRejected,
    Throttled,
    ThrottleScope,
    Transient,
)
from adweir.model.log import log
from adweir.model.times import Clock
from adweir.platforms import json_text
from adweir.platforms.connector import TokenCache
from adweir.platforms.http import S3_HOSTS, Http, Redirected, Response, fault, is_file_on, retry_after, same_origin
from adweir.platforms.trade_desk import TradeDeskCredential, wire

PAGE_SIZE = 100
"""Safe for every query; some take 1,000."""
MAX_REPORT_BYTES = 8 << 30
_TOKEN_MINUTES = 1440
_MOST_PAGES = 10_000
_HOPS = 5
_NO_CONTENT = 240
"""The platform's own status for an answer without a body."""
_OWN_HOSTS = re.compile(r"(?:[a-z0-9-]+\.)*thetradedesk\.com")
_GUESSED_WAIT = 60.0
"""Limits are per endpoint and user for about a minute; older gateways do not say how long."""
_W = TypeVar("_W")


class QueryPage(NamedTuple):
    """One page of a query. `following`: the index of the next page's first row, -1 on the last one.

    `whole`: False on a last page that comes before as many rows as the platform has counted.
    """

    response: Response
    found: wire.WirePaged[msgspec.Raw]
    following: int
    whole: bool = True

    @property
    def ends(self) -> bool:
        """Whether the list is complete with this page."""
        return self.following < 0 and self.whole


class TradeDeskCalls:
    """Authenticated calls. A login is renewed when its token ends; a token of the web page cannot be."""

    def __init__(self, secret: TradeDeskCredential, base: str, http: Http, clock: Clock, tokens: TokenCache) -> None:
        self.secret = secret
        self.base = base.rstrip("/")
        self._http = http
        self._clock = clock
        self._tokens = tokens
        # The password is part of the key: a replaced credential must not use the token of the old one.
        identity = f"{secret.login}\x1f{secret.password}"
        self._token_key = f"trade_desk#{hashlib.sha256(identity.encode()).hexdigest()[:20]}"

    def warn_of_the_end(self) -> None:
        """Log when the web page's token ends within 30 days: one of 365 days has stopped a connector unseen."""
        if not (self.secret.token and self.secret.token_expires):
            return
        ends = self.secret.ends
        if ends is None:
            log.warning("token_expires of The Trade Desk is no date: nobody will say that the token ends soon")
            return
        left = ends - self._clock.now().date()
        if left.days <= limits.CREDENTIAL_ENDS_SOON_DAYS:
            log.warning("the token of The Trade Desk ends soon", extra={"ends": str(ends), "days_left": left.days})

    def get(self, path: str) -> Response:
        """GET; raises what a status that is not 2xx means."""
        return self._checked("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any], *, repeat: bool = True) -> Response:
        """POST; `repeat`: sending it twice does no harm, as with every query."""
        return self._checked("POST", path, body, resend=repeat)

    def delete(self, path: str) -> None:
        """DELETE; what is gone already is no error."""
        answer = self._call("DELETE", path, None, resend=True)
        if not answer.ok and answer.status not in (403, 404):
            raise self._fault(answer)

    def query(self, path: str, body: Mapping[str, Any], start: int = 0) -> Iterator[QueryPage]:
        """A query's pages. The next one begins at the index and the number of rows that came."""
        counted = 0
        for _ in range(_MOST_PAGES):
            response = self.post(path, {**body, "PageStartIndex": start, "PageSize": PAGE_SIZE})
            if response.status == _NO_CONTENT or not response.body:
                yield QueryPage(response, wire.WirePaged(), -1, start >= counted)
                return
            found = decode(response, wire.WirePaged[msgspec.Raw])
            count = len(found.result or ())
            start += count
            total = found.total_filtered_count
            counted = counted if total is None else total
            ended = not count or (start >= total if total is not None else count < PAGE_SIZE)
            yield QueryPage(response, found, -1 if ended else start, not ended or start >= counted)
            if ended:
                return
        raise RequestRejected(f"{path} has no end after {_MOST_PAGES} pages")

    def file(self, url: str, seen: Callable[[Response], None]) -> Iterator[bytes]:
        """A report's file in chunks; redirects are followed by hand, and only the platform's own hosts get the token.

        Raises RequestRejected for a URL on a host that is neither the platform's nor Amazon S3.
        """
        renewed = bool(self.secret.token)
        for _ in range(_HOPS):
            own = same_origin(url, self.base) or is_file_on(url, _OWN_HOSTS)
            if not own and not is_file_on(url, S3_HOSTS) and not _both_here(url, self.base):
                raise RequestRejected("the report's URL is neither on the platform's hosts nor in Amazon S3")
            headers = {"TTD-Auth": self._token()} if own else {}
            try:
                yield from self._http.download(
                    url, max_bytes=MAX_REPORT_BYTES, headers=headers, refusal=self._fault, seen=seen
                )
            except Redirected as elsewhere:
                url = urljoin(url, elsewhere.location)
            except AuthExpired:
                if renewed or not own:
                    raise
                renewed = True
                self._tokens.forget(self._token_key)
            else:
                return
        raise RequestRejected(f"the report's URL redirects more than {_HOPS} times")

    def _checked(self, method: str, path: str, body: Any, *, resend: bool | None = None) -> Response:
        answer = self._call(method, path, body, resend=resend)
        if answer.ok:
            return answer
        raise self._fault(answer)

    def _call(self, method: str, path: str, body: Any, *, resend: bool | None) -> Response:
        """One call; with a login, a refused token is replaced once."""
        answer = self._send(method, path, body, resend=resend)
        if answer.status == 401 and not self.secret.token:
            self._tokens.forget(self._token_key)
            answer = self._send(method, path, body, resend=resend)
        return answer

    def _send(self, method: str, path: str, body: Any, *, resend: bool | None) -> Response:
        headers = {"TTD-Auth": self._token(), "Accept": "application/json"}
        return self._http.request(method, self.base + path, headers=headers, json=body, resend=resend)

    def _token(self) -> str:
        return self.secret.token or self._tokens.get(self._token_key, self._login)

    def _login(self) -> tuple[str, int]:
        """A new token for the login: (token, seconds). Raises AuthExpired for one that is refused."""
        body = {
            "Login": self.secret.login,
            "Password": self.secret.password,
            "TokenExpirationInMinutes": _TOKEN_MINUTES,
        }
        answer = self._http.request("POST", f"{self.base}/authentication", json=body, resend=True)
        if answer.ok:
            token = decode(answer, wire.DeskWireToken).token
            if not (token.isascii() and token.isprintable() and token):  # no header can hold it
                raise Transient(f"{answer.url} answers with a token that is not printable ASCII")
            return token, _TOKEN_MINUTES * 60
        if answer.status in (400, 401, 403):
            raise AuthExpired(f"the login is refused ({answer.status}): {error_of(answer)}"[:300])
        raise self._fault(answer)

    def _fault(self, answer: Response) -> AdweirError:
        """The error that a status means. 403 is a lost permission, or an object that does not exist."""
        said = error_of(answer)
        message = f"{answer.url} answered {answer.status}: {said}"[:300]
        wait = retry_after(answer.headers, self._clock.now())
        if answer.status == 429 or (answer.status == 503 and wait is not None):
            return Throttled(
                message,
                _GUESSED_WAIT if wait is None else wait,
                guessed=wait is None,
                scope=ThrottleScope.CREDENTIAL,
                status=answer.status,
            )
        if answer.status == 403:
            return AccessDenied(message, status=403)
        if answer.status == 409:
            return Transient(message, status=409)
        if answer.status == 410:
            return RequestRejected(f"{message}; the endpoint is retired", status=410)
        return fault(answer, self._clock.now(), said)


def decode(answer: Response, kind: type[_W]) -> _W:
    """The decoded body. Raises Transient for a body of another form: a proxy may have answered."""
    try:
        return json_text.decoded(answer.body, kind)
    except (ValueError, RecursionError) as error:
        text = f"{answer.url} answered {answer.status} with an unexpected body: {error}"
        raise Transient(text[: limits.MAX_REASON_CHARS]) from None


def _both_here(url: str, base: str) -> bool:
    """Whether both are on this machine, where a sandbox stands in for the platform and its storage."""
    try:
        return all(urlsplit(one).hostname in ("localhost", "127.0.0.1") for one in (url, base))
    except ValueError:
        return False


def error_of(answer: Response) -> str:
    """The error that the body describes, or ""."""
    try:
        return msgspec.json.decode(answer.body, type=wire.DeskWireError).text
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
