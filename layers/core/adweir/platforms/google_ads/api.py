"""Calls to Google Ads for one credential: access token, headers, errors; questions by page and by stream."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import BinaryIO, NamedTuple, TypeVar, cast

import msgspec

from adweir.model.errors import BadInput, Transient
from adweir.model.times import Clock
from adweir.platforms import json_text
from adweir.platforms.connector import TokenCache
from adweir.platforms.google_ads import API_VERSION, GoogleCredential, faults
from adweir.platforms.google_ads.faults import TokenRefused
from adweir.platforms.http import Http, Response
from adweir.platforms.json_array import Unreadable, read_array
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.oauth import DEAD, TokenRenewal, token_key

MAX_STREAM_BYTES = 4 << 30
"""An answer by stream; a longer one is asked for by fewer days."""
_DEAD = DEAD | {"deleted_client", "disabled_client"}
_BATCH = re.compile(
    rb"\}[ \t\r\n]*,[ \t\r\n]*\{(?=[ \t\r\n]*"
    rb'"(?:results|fieldMask|requestId|summaryRow|queryResourceConsumption|metricAttributes|error)")'
)
"""Where a batch of a stream ends and the next begins: its members (`SearchGoogleAdsStreamResponse`) are no row's."""
_W = TypeVar("_W")


class GoogleHosts(NamedTuple):
    """The API's base URL, and the URL of access tokens."""

    api: str
    token: str


class Accessible(msgspec.Struct, rename="camel"):
    """`listAccessibleCustomers`: `customers/<id>`."""

    resource_names: list[str] = []


_accessible = msgspec.json.Decoder(Accessible).decode


class AnswerFrame(msgspec.Struct, rename="camel"):
    """What surrounds the rows of a page or batch, which stay undecoded."""

    results: msgspec.Raw = msgspec.Raw()
    next_page_token: str = ""
    error: faults.GoogleStatus | None = None


_decode_frame = msgspec.json.Decoder(AnswerFrame).decode


def _framed(body: bytes) -> AnswerFrame:
    """The frame of a page or batch; one row that no decoder takes costs itself only. Raises what decoding raises."""
    try:
        return _decode_frame(body)
    except UNREADABLE:
        held = json_text.member(body, b"results")
        if not held or not held.startswith(b"["):
            raise
        return _decode_frame(body.replace(held, b"[]", 1))


class SearchPage(NamedTuple):
    """A page of `search`, and the token of the next one, "" after the last."""

    answer: Response
    following: str


class GoogleCalls:
    """Authenticated calls. `login` is the manager account that the requests go through, "" on direct access."""

    def __init__(
        self, secret: GoogleCredential, hosts: GoogleHosts, http: Http, clock: Clock, tokens: TokenCache
    ) -> None:
        self._secret = secret
        self._hosts = GoogleHosts(hosts.api.rstrip("/"), hosts.token)
        self._http = http
        self._clock = clock
        self._tokens = tokens
        self.token_key = token_key("google_ads", secret.client_id, secret.client_secret, secret.refresh_token)
        self._renewal = TokenRenewal(http, clock, self._hosts.token, "Google OAuth", _DEAD)

    def now(self) -> datetime:
        """The moment by which questions about what is recent are asked."""
        return self._clock.now()

    def accessible(self) -> list[str]:
        """The ids of the customers that the user reaches directly, managers among them."""
        url = self._url("customers:listAccessibleCustomers")
        answer = self._authorized(lambda headers: self._http.request("GET", url, headers=headers), self._headers(""))
        names = self._decoded(answer, _accessible).resource_names
        return sorted({name.removeprefix("customers/") for name in names})

    def search(self, customer: str, login: str, query: str, token: str = "") -> Iterator[SearchPage]:
        """The pages of a question's answer, of 10,000 rows each (a size cannot be chosen), from a page's token on.

        Raises PageTokenEnded where the token is too old.
        """
        url = self._url(f"customers/{customer}/googleAds:search")
        while True:
            body = {"query": query} | ({"pageToken": token} if token else {})
            answer = self._authorized(
                lambda headers, body=body: self._http.request(  # type: ignore[misc]
                    "POST", url, headers=headers, json=body, resend=True
                ),
                self._headers(login),
            )
            frame = self._decoded(answer, _framed)
            following = frame.next_page_token
            if following and following == token:
                raise Transient(f"{answer.url} names the same page again")
            yield SearchPage(answer, following)
            if not following:
                return
            token = following

    def invoices(self, customer: str, login: str, asked: Mapping[str, str]) -> Response:
        """The invoices of a month. Raises NotApplicable for a customer that is not on monthly invoicing."""
        url = self._url(f"customers/{customer}/invoices")
        return self._authorized(
            lambda headers: self._http.request("GET", url, headers=headers, params=asked), self._headers(login)
        )

    def stream(self, customer: str, login: str, query: str) -> Iterator[tuple[bytes, bool]]:
        """The batches of an answer by stream, each as Google sent it, and whether it is the last one.

        An answer is whole only when its array is closed and none of its elements is an error: the last batch comes when
        that is known (second reading of the reference, 19). Memory holds a batch or two.
        """
        for again in (False, True):
            batches = self._batches(customer, login, query)
            begun = False
            try:
                for batch in batches:
                    begun = True
                    yield batch
            except TokenRefused:
                if again or begun:
                    raise
                self._tokens.forget(self.token_key)
            else:
                return

    def _batches(self, customer: str, login: str, query: str) -> Iterator[tuple[bytes, bool]]:
        url = self._url(f"customers/{customer}/googleAds:searchStream")
        chunks = self._http.download(
            url,
            max_bytes=MAX_STREAM_BYTES,
            headers=self._bearing(self._headers(login)),
            question={"query": query},
            refusal=lambda answer: faults.refusal(answer, self._clock.now()),
        )
        held: bytes | None = None
        try:
            for piece in read_array(cast("BinaryIO", _Chunks(chunks)), msgspec.Raw, boundary=_BATCH):
                for element in piece.rows:
                    text = element.raw if isinstance(element, Unreadable) else bytes(element)
                    batch = self._checked(text, url)
                    if held is not None:
                        yield held, False
                    held = batch
        except BadInput as error:
            raise Transient(f"{url} did not stream a whole array: {error.message}") from None
        yield (b"{}" if held is None else held), True

    def _checked(self, batch: bytes, url: str) -> bytes:
        """The batch. Raises what an error in its place means, Transient for what is no batch."""
        try:
            frame = _framed(batch)
        except UNREADABLE as error:
            stated = faults.status_of(batch)
            if stated:
                raise faults.to_fault(stated, self._clock.now()) from None
            raise Transient(f"{url} streamed something that is not a batch: {error}"[:300]) from None
        if frame.error:
            raise faults.to_fault(frame.error, self._clock.now())
        return batch

    def _url(self, path: str) -> str:
        return f"{self._hosts.api}/{API_VERSION}/{path}"

    def _headers(self, login: str) -> dict[str, str]:
        headers = {"developer-token": self._secret.developer_token} if self._secret.developer_token else {}
        return headers | ({"login-customer-id": login} if login else {})

    def _bearing(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**headers, "Authorization": f"Bearer {self._tokens.get(self.token_key, self._refresh)}"}

    def _authorized(self, ask: Callable[[dict[str, str]], Response], headers: Mapping[str, str]) -> Response:
        """The answer to a request; an access token that is refused is replaced once. Raises what a refusal means."""
        answer = ask(self._bearing(headers))
        if answer.status == 401:
            self._tokens.forget(self.token_key)
            answer = ask(self._bearing(headers))
        if not answer.ok:
            raise faults.refusal(answer, self._clock.now())
        return answer

    def _decoded(self, answer: Response, decode: Callable[[bytes], _W]) -> _W:
        """The decoded body. Raises Transient for another one, and what an error in it means."""
        stated = faults.status_of(answer.body) if b'"error"' in answer.body[:200] else None
        if stated:
            raise faults.to_fault(stated, self._clock.now())
        try:
            return decode(answer.body)
        except UNREADABLE as error:
            raise Transient(f"{answer.url} answered {answer.status} with an unexpected body: {error}"[:300]) from None

    def _refresh(self) -> tuple[str, int]:
        return self._renewal.renew(self._secret.model_dump(include={"client_id", "client_secret", "refresh_token"}))


class _Chunks(io.RawIOBase):
    """Chunks as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The rest of a chunk, at most so many bytes of it; b"" at the end."""
        if not self._rest:
            self._rest = next(self._chunks, b"")
        cut = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:cut], self._rest[cut:]
        return found
