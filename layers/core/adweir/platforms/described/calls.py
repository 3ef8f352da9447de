"""Requests of a described API for one credential: its address, its authentication, its pace, what its answers mean."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from adweir.model import limits
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    NotApplicable,
    NotReady,
    RequestRejected,
    Throttled,
    TooMuchData,
    Transient,
)
from adweir.platforms.addresses import AllowedHosts
from adweir.platforms.connector import Wiring
from adweir.platforms.described import answers, paths, templates
from adweir.platforms.described.language import Spec
from adweir.platforms.described.parts import AnswerMeaning, Packing, Sign, SpecRequest
from adweir.platforms.described.ways import BasicAuth, HeaderKey, LoginForToken, OAuth2, QueryKey
from adweir.platforms.http import PATIENCE, Response, fault, retry_after, same_origin
from adweir.platforms.oauth import TokenRenewal, token_key
from adweir.platforms.packed import unpacked, unzipped

MAX_FILE_BYTES = 256 << 20
"""A file as it is sent: what is stored of it fits on a function's disk."""
MAX_UNPACKED_BYTES = 4 << 30
_GUESSED_SECONDS = 60.0
_READY_SECONDS = 900.0
_NO_SECONDS = 1e8
"""A header with more has the Unix time at which the wait ends."""
_ERRORS: Mapping[AnswerMeaning, type[AdweirError]] = {
    AnswerMeaning.TRANSIENT: Transient,
    AnswerMeaning.TOO_MUCH_DATA: TooMuchData,
    AnswerMeaning.NOT_APPLICABLE: NotApplicable,
    AnswerMeaning.AUTH_EXPIRED: AuthExpired,
    AnswerMeaning.ACCESS_DENIED: AccessDenied,
    AnswerMeaning.REJECTED: RequestRejected,
}


@dataclass(frozen=True, slots=True)
class Filled:
    """A request whose placeholders have their values. `query`: parameters in their order."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None


class Calls:
    """Asks one API. The credential goes to the host of the spec's base URL, and to where the spec has tokens made."""

    def __init__(self, name: str, spec: Spec, secret: Mapping[str, str], wiring: Wiring) -> None:
        self.spec = spec
        self._secret = secret
        self._wiring = wiring
        self._http = wiring.http()
        self._key = token_key("described", name, spec.base_url, *sorted(f"{k}={v}" for k, v in secret.items()))

    def filled(self, question: SpecRequest, values: templates.Values, timezone: str = "UTC") -> Filled:
        """The request for these values."""
        url = self.spec.base_url.rstrip("/") + templates.fill(question.path, values, timezone, _in_path)
        query = [
            (name, templates.fill(each, values, timezone))
            for name, value in question.query.items()
            for each in (value if isinstance(value, list) else (value,))
        ]
        own = {name: templates.fill(text, values, timezone) for name, text in question.headers.items()}
        body = templates.fill_all(question.body, values, timezone)
        form = None if question.form is None else templates.fill_all(question.form, values, timezone)
        return Filled(question.method, url, tuple(query), {**self.spec.headers, **own}, body, form)

    def following(self, asked: Filled, link: str) -> Filled:
        """The request for a link of an answer, without its secrets. Raises RequestRejected for another host."""
        url = _joined(asked.url, link)
        if not same_origin(url, self.spec.base_url):
            raise RequestRejected(f"the next page is on another host: {urlsplit(url).hostname}")
        parts = urlsplit(url)
        ours = {way.parameter for way in self.spec.auth if isinstance(way, QueryKey)}
        query = tuple(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in ours)
        bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        return Filled(asked.method, bare, query, asked.headers, asked.json, asked.form)

    def ask(self, asked: Filled) -> Response:
        """The whole answer. Raises what it means where it is none."""
        answer = self._answer(asked)
        if answer.status == 401 and self._forget_tokens():
            answer = self._answer(asked)
        error = self.meaning(answer)
        if error is not None:
            raise error
        return answer

    def file(self, asked: Filled, packed: Packing, *, bare: bool = False) -> Iterator[bytes]:
        """The answer unpacked and piece by piece; `bare`: without the credential. Raises what it means."""
        heads: list[Response] = []
        chunks = self._download(asked, heads, bare=bare)
        whole = chunks if bare else self._with_new_tokens(chunks, asked, heads)
        return self._no_page(opened(self._no_sign(whole, heads), packed), asked)

    def linked_file(self, link: str, asked: Filled, packed: Packing) -> Iterator[bytes]:
        """The file at a URL of an answer: with the credential on the API's own host, else without.

        Raises RequestRejected for a host that the spec does not name.
        """
        url = _joined(asked.url, link)
        own = same_origin(url, self.spec.base_url)
        if not own:
            why = AllowedHosts(",".join(self.spec.file_hosts)).refusal(url)
            if why:
                host = urlsplit(url).hostname
                raise RequestRejected(f"the report's file is on {host}, which the spec's file_hosts do not name")
        return self.file(Filled("GET", url, headers=self.spec.headers if own else {}), packed, bare=not own)

    def meaning(self, answer: Response) -> AdweirError | None:
        """The error that an answer means by the spec's signs, else by its status; None for one that is none."""
        found = self._by_signs(answer)
        if found is not None or answer.ok:
            return found
        error = fault(answer, self._wiring.clock.now(), answers.excerpt(answer.body))
        return self._throttled(answer, error.message, None) if isinstance(error, Throttled) else error

    # -- how a request goes out ---------------------------------------------------------------------------------------

    def _answer(self, asked: Filled) -> Response:
        self._await_turn()
        headers, query = self._authentication()
        return self._http.request(
            asked.method,
            _url(asked, query),
            headers={**asked.headers, **headers},
            json=asked.json,
            form=asked.form,
            resend=True,
            max_bytes=limits.MAX_DESCRIBED_BYTES,
        )

    def _download(self, asked: Filled, heads: list[Response], *, bare: bool = False) -> Iterator[bytes]:
        """The bytes of an answer as it is sent. What it says besides is added to `heads`, and may mean an error."""
        self._await_turn()
        headers, query = ({}, ()) if bare else self._authentication()

        def refusal(answer: Response) -> AdweirError:
            heads.append(answer)
            return self.meaning(answer) or RequestRejected(f"{answer.url} answered {answer.status}")

        def seen(answer: Response) -> None:
            heads.append(answer)
            if error := self._by_signs(answer):
                raise error

        return self._http.download(
            _url(asked, query),
            max_bytes=MAX_FILE_BYTES,
            headers={**asked.headers, **headers},
            question=asked.json,
            refusal=refusal,
            seen=seen,
        )

    def _with_new_tokens(self, chunks: Iterator[bytes], asked: Filled, heads: list[Response]) -> Iterator[bytes]:
        """The same chunks; where the access token was refused, those of a second try with a new one."""
        try:
            yield from chunks
        except AdweirError:
            if [head.status for head in heads] != [401] or not self._forget_tokens():
                raise
            yield from self._download(asked, heads)

    def _authentication(self) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
        """Headers and parameters of the query."""
        headers: dict[str, str] = {}
        query: list[tuple[str, str]] = []
        for place, way in enumerate(self.spec.auth):
            if isinstance(way, QueryKey):
                query.append((way.parameter, self._secret[way.value]))
            elif isinstance(way, BasicAuth):
                headers["Authorization"] = self._basic(way.username, way.password)
            elif isinstance(way, OAuth2 | LoginForToken):
                token = self._wiring.tokens.get(f"{self._key}#{place}", self._maker(way))
                headers[way.header] = f"{way.scheme} {token}".strip()
            elif isinstance(way, HeaderKey):
                headers[way.header] = f"{way.scheme} {self._secret[way.value]}".strip()
            else:
                headers["Authorization"] = f"Bearer {self._secret[way.value]}"
        return headers, tuple(query)

    def _basic(self, user: str, password: str) -> str:
        proof = base64.b64encode(f"{self._secret[user]}:{self._secret[password]}".encode()).decode()
        self._wiring.keep_secret(proof)
        return f"Basic {proof}"

    def _maker(self, way: OAuth2 | LoginForToken) -> Callable[[], tuple[str, int]]:
        return (lambda: self._logged_in(way)) if isinstance(way, LoginForToken) else (lambda: self._renewed(way))

    def _renewed(self, way: OAuth2) -> tuple[str, int]:
        form = {**way.parameters, "grant_type": way.grant}
        headers = None
        if way.grant == "refresh_token":
            form["refresh_token"] = self._secret[way.refresh_token]
        if way.client == "basic":
            headers = {"Authorization": self._basic(way.client_id, way.client_secret)}
        else:
            form |= {"client_id": self._secret[way.client_id], "client_secret": self._secret[way.client_secret]}
        renewal = TokenRenewal(self._http, self._wiring.clock, way.token_url, urlsplit(way.token_url).hostname or "")
        return renewal.renew(form, headers, self._by_signs)

    def _logged_in(self, way: LoginForToken) -> tuple[str, int]:
        headers, json = {}, None
        if way.client == "basic":
            headers["Authorization"] = self._basic(way.username, way.password)
        else:
            json = {way.username_in: self._secret[way.username], way.password_in: self._secret[way.password]}
        answer = self._http.request(way.method, way.login_url, headers=headers, json=json, resend=True)
        if answer.status in {400, 401, 403}:
            raise AuthExpired(f"{answer.url} answered {answer.status}: {answers.excerpt(answer.body)}")
        error = self.meaning(answer)
        if error is not None:
            raise error
        token = paths.walk(answers.decoded(answer), paths.split(way.token))
        if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
            raise Transient(f"{answer.url} answers without a token at {way.token!r}")
        return token, way.seconds

    def _forget_tokens(self) -> bool:
        """Have the access tokens made anew; False where there are none."""
        made = [place for place, way in enumerate(self.spec.auth) if isinstance(way, OAuth2 | LoginForToken)]
        for place in made:
            self._wiring.tokens.forget(f"{self._key}#{place}")
        return bool(made)

    def _await_turn(self) -> None:
        """Keep the spec's pace. Raises Throttled where the next turn is too far off to sleep until then."""
        most = self.spec.pace.requests_per_minute
        if most is None:
            return
        now, paces = self._wiring.clock.monotonic(), self._wiring.paces
        wait = min(paces.get(self._key, 0.0) - now, 60 / most)
        if wait > PATIENCE:
            raise Throttled("the spec's pace lets the next request wait", wait, scope=self.spec.pace.concerns)
        if wait > 0:
            self._wiring.sleep(wait)
        if len(paces) >= limits.MAX_KNOWN_TOKENS:
            paces.clear()
        paces[self._key] = now + max(wait, 0.0) + 60 / most

    # -- what an answer means -----------------------------------------------------------------------------------------

    def _by_signs(self, answer: Response) -> AdweirError | None:
        body = answers.decoded_or_none(answer.body) if any(sign.path for sign in self.spec.signs) else None
        for sign in self.spec.signs:
            found = _seen(sign, answer.status, body)
            if found is not None:
                return self._error(sign, answer, found)
        return None

    def _no_sign(self, chunks: Iterator[bytes], heads: Sequence[Response]) -> Iterator[bytes]:
        """The same chunks. Raises what they mean where they are no file but an answer in JSON with one of the signs."""
        first = next(chunks, b"")
        if first.lstrip()[:1] == b"{" and any(sign.path for sign in self.spec.signs):
            second = next(chunks, b"")
            error = None if second else self._by_signs(replace(heads[-1], body=first))
            if error is not None:
                raise error
            chunks = chain((second,), chunks)
        yield from chain((first,), chunks)

    def _no_page(self, chunks: Iterator[bytes], asked: Filled) -> Iterator[bytes]:
        """The same chunks. Raises Transient where they begin as a page in HTML, which a proxy may have answered."""
        first = next(chunks, b"")
        begin = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if begin == b"<":
            raise Transient(f"{asked.url} answers with a page in HTML")
        yield from chain((first,), chunks)

    def _error(self, sign: Sign, answer: Response, found: str) -> AdweirError:
        message = f"{answer.url} answered {answer.status}: {found or answers.excerpt(answer.body)}"[:400]
        if sign.means is AnswerMeaning.NOT_READY:
            return NotReady(message, _READY_SECONDS if sign.wait_seconds is None else sign.wait_seconds)
        if sign.means is AnswerMeaning.THROTTLED:
            return self._throttled(answer, message, sign.wait_seconds)
        return _ERRORS[sign.means](message, status=answer.status)

    def _throttled(self, answer: Response, message: str, seconds: float | None) -> Throttled:
        pace = self.spec.pace
        said = _seconds(answer.headers.get(pace.wait_header, ""), self._wiring.clock.now().timestamp())
        wait = seconds if said is None else said
        wait = retry_after(answer.headers, self._wiring.clock.now()) if wait is None else wait
        wait = pace.wait_seconds if wait is None else wait
        guessed = wait is None
        return Throttled(
            message,
            _GUESSED_SECONDS if wait is None else wait,
            guessed=guessed,
            scope=pace.concerns,
            status=answer.status,
        )


def opened(chunks: Iterator[bytes], packed: Packing) -> Iterator[bytes]:
    """A file unpacked."""
    if packed is Packing.GZIP:
        return unpacked(chunks, MAX_UNPACKED_BYTES)
    return unzipped(chunks, MAX_UNPACKED_BYTES) if packed is Packing.ZIP else chunks


def _url(asked: Filled, more: tuple[tuple[str, str], ...]) -> str:
    query = urlencode([*asked.query, *more])
    return asked.url + (("&" if "?" in asked.url else "?") + query if query else "")


def _joined(base: str, link: str) -> str:
    """The URL of a link in an answer. Raises RequestRejected for what is none."""
    try:
        return urlsplit(urljoin(base, link)).geturl()
    except ValueError:
        raise RequestRejected(f"{base} answers with a link that is no URL: {link[:80]!r}") from None


def _in_path(text: str) -> str:
    """A value as a part of a path. Raises RequestRejected for dots, which would lead to another one."""
    if text in {".", ".."}:
        raise RequestRejected(f"{text!r} cannot be part of a path")
    return quote(text, safe="")


def _seconds(text: str, now: float) -> float | None:
    """Seconds, or the Unix time at which the wait ends; None for anything else."""
    try:
        number = float(text)
    except ValueError:
        return None
    number = number - now if number > _NO_SECONDS else number
    return min(max(number, 0.0), limits.MAX_PLATFORM_WAIT_SECONDS) if number == number else None  # noqa: PLR0124  NaN


def _seen(sign: Sign, status: int, body: Any) -> str | None:
    """What a sign is recognized by; None where it is not."""
    if sign.status is not None and sign.status != status:
        return None
    if sign.path is None:
        return ""
    value = paths.FoundRecord((body,)).at(sign.path)
    if value is paths.MISSING or value is None:
        return None
    text = answers.word(value)
    matches = (
        (not sign.values or text in sign.values) and text not in sign.but and (sign.contains.lower() in text.lower())
    )
    return text[:200] if matches else None
