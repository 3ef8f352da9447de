"""Calls to Amazon Ads for one credential: headers, access token, errors."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import msgspec

from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    NotApplicable,
    OutOfRetention,
    RequestRejected,
    Throttled,
    ThrottleScope,
    Transient,
)
from adweir.model.times import Clock
from adweir.platforms import json_text
from adweir.platforms.amazon_ads import AmazonCredential, wire
from adweir.platforms.connector import TokenCache
from adweir.platforms.http import S3_HOSTS, Http, Response, fault, is_file_on, retry_after, same_origin
from adweir.platforms.oauth import TokenRenewal, token_key

JSON = "application/json"
MAX_REPORT_BYTES = 256 << 20
"""A report's file as Amazon packs it: half of what a function's disk holds. A larger one is split."""
MAX_UNPACKED_BYTES = 8 << 30
"""The same file unpacked: 32 times as much; reports are about 15 times as long as their files."""
_OTHER_PRODUCT = re.compile(
    r"not authorized for sponsored (products|brands|display)"
    r"|do not have access to sponsored (products|brands|display) functionality"
    r"|tactic T000\d0 is not supported",
    re.IGNORECASE,
)
"""What Amazon says of an ad product that the advertiser or the marketplace does not have; the profile is healthy.

403 (airbytehq/airbyte, pull 5023); 400 to authors of books (KDP) and in some marketplaces (Airbyte's source).
"""
_NO_PERMISSION = re.compile(r"not authorized to access", re.IGNORECASE)
_KEPT_SINCE = re.compile(r"retention start date \((\d{4}-\d\d-\d\d)\)")
_REPORTS = "/reporting/"
_W = TypeVar("_W")


class Hosts(NamedTuple):
    """Where requests go: the API's base URL and the token's URL of a region."""

    api: str
    token: str


class AmazonCalls:
    """Authenticated calls to one region."""

    def __init__(self, secret: AmazonCredential, hosts: Hosts, http: Http, clock: Clock, tokens: TokenCache) -> None:
        self._secret = secret
        self.hosts = Hosts(hosts.api.rstrip("/"), hosts.token)
        self._http = http
        self._clock = clock
        self._tokens = tokens
        self.token_key = token_key("amazon_ads", secret.client_id, secret.client_secret, secret.refresh_token)
        self._renewal = TokenRenewal(http, clock, hosts.token, "Login with Amazon")

    def get(
        self,
        path: str,
        profile_id: str = "",
        params: Mapping[str, str] | None = None,
        expected: Collection[int] = (),
        accept: str = JSON,
    ) -> Response:
        """GET; raises what a status that is neither 2xx nor `expected` means."""
        return self._call("GET", path, self._headers(profile_id, accept), params, None, expected)

    def post(
        self, path: str, profile_id: str, media: str, body: Any, *, accept: str = "", expected: Collection[int] = ()
    ) -> Response:
        """POST JSON of a media type; raises as `get` does."""
        headers = self._headers(profile_id, accept or media) | {"Content-Type": media}
        return self._call("POST", path, headers, None, body, expected)

    def put(self, path: str, profile_id: str, media: str, body: Any) -> Response:
        """PUT JSON of a media type; raises as `get` does."""
        headers = self._headers(profile_id, media) | {"Content-Type": media}
        return self._call("PUT", path, headers, None, body, ())

    def file(self, url: str) -> Iterator[bytes] | None:
        """A report's file in chunks, or None when the URL is refused, as an expired one is.

        The URL is signed and refuses our headers, so none are sent. Raises RequestRejected for one that is neither in
        Amazon S3 nor on the API's own host: reports are in buckets like `offline-report-storage-eu-west-1-prod`, and
        Amazon documents no list of them.
        """
        if not is_file_on(url, S3_HOSTS) and not same_origin(url, self.hosts.api):
            raise RequestRejected("the report's URL is neither in Amazon S3 nor on the API's own host")
        chunks = self._http.download(url, max_bytes=MAX_REPORT_BYTES)
        try:
            first = next(chunks, b"")
        except (AccessDenied, AuthExpired, RequestRejected):
            return None
        return chain((first,), chunks)

    def _headers(self, profile_id: str, accept: str) -> dict[str, str]:
        headers = {"Amazon-Advertising-API-ClientId": self._secret.client_id, "Accept": accept}
        return headers | {"Amazon-Advertising-API-Scope": profile_id} if profile_id else headers

    def _call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        body: Any,
        expected: Collection[int],
    ) -> Response:
        """One API call; a refused access token is refreshed once.

        Every call may be repeated: lists only read, and a report asked for twice is a 425.
        """
        answer = self._send(method, path, headers, params, body)
        if answer.status == 401:
            self._tokens.forget(self.token_key)
            answer = self._send(method, path, headers, params, body)
        if answer.ok or answer.status in expected:
            return answer
        raise self._fault(answer, path, scoped="Amazon-Advertising-API-Scope" in headers)

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], params: Mapping[str, str] | None, body: Any
    ) -> Response:
        token = self._tokens.get(self.token_key, self._refresh)
        sent = {**headers, "Authorization": f"Bearer {token}"}
        return self._http.request(method, self.hosts.api + path, params=params, headers=sent, json=body, resend=True)

    def _refresh(self) -> tuple[str, int]:
        return self._renewal.renew(self._secret.model_dump(include={"refresh_token", "client_id", "client_secret"}))

    def _fault(self, answer: Response, path: str, *, scoped: bool) -> AdweirError:
        """The error that a status means. A lost permission concerns the profile if the call named one, else all.

        A 401 with a token that Login with Amazon has just given passes (airbytehq/airbyte, issue 54650: `Unauthorized`
        while a report is polled), unless it speaks of the permission.
        """
        said = error_of(answer).text
        if answer.status in {400, 403} and scoped and _OTHER_PRODUCT.search(said):
            return NotApplicable(said[:300])
        message = f"{answer.url} answered {answer.status}: {said}"[:300]
        if answer.status == 403 or (answer.status == 401 and _NO_PERMISSION.search(said)):
            return (AccessDenied if scoped else AuthExpired)(message, status=answer.status)
        if answer.status == 401:
            return Transient(message, status=401)
        oldest = _kept_since(said) if answer.status == 400 else None
        if oldest:
            return OutOfRetention(message, oldest=oldest)
        scope = ThrottleScope.REGION if path.startswith(_REPORTS) else ThrottleScope.PROFILE
        return self._throttled(answer, scope) or fault(answer, self._clock.now(), said)

    def _throttled(self, answer: Response, scope: ThrottleScope) -> Throttled | None:
        """429 without Retry-After: the caller doubles its wait by attempt (`guessed`)."""
        if answer.status != 429:
            return None
        wait = retry_after(answer.headers, self._clock.now())
        message = f"{answer.url} answered 429"
        seconds = 2.0 if wait is None else wait
        return Throttled(message, retry_after=seconds, status=429, guessed=wait is None, scope=scope)


def _kept_since(said: str) -> date | None:
    """The first day that Amazon keeps, where a message names it."""
    found = _KEPT_SINCE.search(said)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def decode(answer: Response, kind: type[_W]) -> _W:
    """The decoded body. Raises Transient for a body of another form: a proxy may have answered."""
    try:
        return json_text.decoded(answer.body, kind)
    except (ValueError, RecursionError) as error:
        raise unexpected(answer, error) from None


def unexpected(answer: Response, error: Exception) -> Transient:
    """The fault of an answer whose body is not what was asked for."""
    return Transient(f"{answer.url} answered {answer.status} with an unexpected body: {error}"[:300])


def error_of(answer: Response) -> wire.WireError:
    """The error that the body describes; empty when it describes none."""
    try:
        return msgspec.json.decode(answer.body, type=wire.WireError)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return wire.WireError()
