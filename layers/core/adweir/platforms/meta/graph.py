"""Graph's plumbing: authentication, errors, usage, paging."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from adweir.model.errors import AdweirError, RequestRejected, Throttled, TooMuchData, Transient
from adweir.model.times import Clock
from adweir.platforms.connector import Page
from adweir.platforms.http import Http, Response, fault, same_origin, server_broke
from adweir.platforms.meta import faults, wire
from adweir.platforms.meta.faults import Meaning
from adweir.platforms.meta.pages import UNREADABLE

LARGEST_PAGE = 500
SMALLEST_PAGE = 25
_envelope = msgspec.json.Decoder(wire.GraphAnswer).decode
_WORTH_A_RETRY = frozenset({Meaning.RETRY, Meaning.RETRY_THEN_LESS, Meaning.SMALLER})


class Graph:
    """Authenticated calls to the Graph API below a URL, which ends with the version."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        base_url: str,
        access_token: str,
        app_secret: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._clock = clock
        self._sleep = sleep
        self._base = base_url
        self._auth = {"access_token": access_token}
        if app_secret:
            proof = hmac.new(app_secret.encode(), access_token.encode(), hashlib.sha256)
            self._auth["appsecret_proof"] = proof.hexdigest()

    @property
    def proofs(self) -> Collection[str]:
        """The secret values that each request carries."""
        return self._auth.values()

    def get(self, path: str, params: Mapping[str, str]) -> Response:
        """GET a node. Raises what the error in the answer means."""
        return self._checked(self._http.request("GET", self._url(path), params=self._signed(params), retry=_retry))

    def post(self, path: str, form: Mapping[str, str]) -> Response:
        """POST a form; the token stays in the query, as the official client has it."""
        return self._checked(self._http.request("POST", self._url(path), params=self._auth, form=form, retry=_retry))

    def pages(self, path: str, params: Mapping[str, str], limit: int = LARGEST_PAGE, after: str = "") -> Iterator[Page]:
        """An edge's pages, following `paging.next` on our own host only, from the cursor `after`.

        Halves `limit` while Meta asks for smaller pages, then raises TooMuchData, as it does at once where the size of
        a page does not matter. After a page that used up more than 95 %
        of a quota it raises Throttled instead of asking for the next one.
        """
        url, query = self._url(path), dict(params) | ({"after": after} if after else {})
        while True:
            query["limit"] = str(limit)
            smallest = limit <= SMALLEST_PAGE
            try:
                retry = _retry if smallest else _retry_page
                answer = self._http.request("GET", url, params=self._signed(query), retry=retry)
                frame = self._framed(answer)
            except TooMuchData as error:
                if smallest or error.context.get("subcode") == faults.TIMED_OUT:
                    raise
                limit = max(SMALLEST_PAGE, limit // 2)
                continue
            following = frame.following and self._next(frame.following, (url, query))
            resume = following[1].get("after", "") if following else ""
            yield Page(answer.body, answer.url, answer.status, last=frame.ended, resume=resume)
            if not following:
                return
            usage = faults.read_usage(answer.headers, faults.kind_of(path))
            if usage.at_the_wall:
                said = f"Meta: {usage.percent:.0f} % of the quota is used"
                raise Throttled(said, retry_after=usage.wait, scope=usage.scope)
            if usage.pause:
                self._sleep(usage.pause)
            url, query = following

    def _next(self, following: str, current: tuple[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
        if not same_origin(following, self._base):
            raise RequestRejected(f"paging leads to another host: {following.partition('?')[0][:80]!r}")
        parts = urlsplit(following)
        query = {name: value for name, value in parse_qsl(parts.query) if name not in self._auth}
        target = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", query
        if (target[0], query.get("after")) == (current[0], current[1].get("after")):
            raise RequestRejected("the next page is this one again")
        return target

    def _url(self, path: str) -> str:
        return f"{self._base}/{path}"

    def _signed(self, params: Mapping[str, str]) -> dict[str, str]:
        return {**params, **self._auth}

    def _framed(self, answer: Response) -> _Frame:
        """A page's frame. Raises Transient when the answer is not a page, TooMuchData when a smaller one may come."""
        error = None if answer.ok else _error_of(answer)
        if error and faults.meaning(error, answer.status) is Meaning.SMALLER:
            raise TooMuchData(self._fault(answer, error).message)
        self._refuse(answer)
        try:
            frame = _frame(answer.body)
        except UNREADABLE:
            frame = None
        if frame is None:
            raise Transient(f"{answer.url} answered with something that is not a page")
        if frame.error:
            raise self._fault(answer, frame.error)
        return frame

    def _checked(self, answer: Response) -> Response:
        self._refuse(answer)
        error = _error_of(answer)
        if error:
            raise self._fault(answer, error)
        return answer

    def _refuse(self, answer: Response) -> None:
        if not answer.ok:
            error = _error_of(answer)
            raise self._fault(answer, error) if error else fault(answer, self._clock.now())

    def _fault(self, answer: Response, error: wire.Error) -> AdweirError:
        return faults.to_fault(error, answer, self._clock.now())


class _Frame(NamedTuple):
    """What surrounds a page's rows. `ended` is Meta's end marker: cursors without `next`, or no rows at all; rows
    without cursors are an answer cut short."""

    following: str | None
    ended: bool
    error: wire.Error | None = None


def _frame(body: bytes) -> _Frame | None:
    """The frame of a page; None for anything else. Raises what decoding raises.

    The loader decodes the half megabyte of rows. Here only `next` is needed, which comes after the rows.
    """
    at = body.rfind(b'"paging":')
    if body.startswith(b'{"data":[') and body[at - 2 : at] == b"],":
        try:
            tail = _envelope(b"{" + body[at:])
        except UNREADABLE:
            tail = None  # another "paging", inside the rows: look at all of it
        if tail and tail.paging and tail.paging.cursors:
            return _Frame(tail.paging.next, ended=not tail.paging.next)
    whole = _envelope(body)
    if whole.error:
        return _Frame(None, ended=False, error=whole.error)
    data = bytes(whole.data)
    if not data.startswith(b"["):
        return None
    paging = whole.paging or wire.Paging()
    return _Frame(paging.next, ended=not paging.next and (bool(paging.cursors) or not data[1:-1].strip()))


def _error_of(answer: Response) -> wire.Error | None:
    try:
        return _envelope(answer.body).error
    except UNREADABLE:
        return None


def _retry(answer: Response, worth: Container[Meaning] = _WORTH_A_RETRY) -> bool:
    """Whether to ask again at once: by Meta's own code where there is one."""
    if answer.ok:
        return False
    error = _error_of(answer)
    return faults.meaning(error, answer.status) in worth if error else server_broke(answer)


def _retry_page(answer: Response) -> bool:
    """The same for a page that may also be smaller."""
    return _retry(answer, _WORTH_A_RETRY - {Meaning.SMALLER})
