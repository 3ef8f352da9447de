"""Calls to the Business API: the token, parameters as JSON text, and the envelope of every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, Unpack

import msgspec

from adweir.model.errors import AdweirError, RequestRejected, Throttled, ThrottleScope, Transient
from adweir.model.log import log
from adweir.model.times import Clock
from adweir.platforms.http import How, Http, Response, fault
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.tiktok_ads import API_PATH, TikTokCredential, faults, wire

T = TypeVar("T")
NEWEST_ONLY = "X-Tt-Ads-Throttle"
"""The header of a report that covers only the newest 20,000 ads of the account: its one sign [1740302848100353]."""
_ENDING = "X-Api-Deprecation-Info"
_envelope = msgspec.json.Decoder(wire.Envelope).decode


class TikTokAnswer(NamedTuple):
    """A successful answer. `whole` is False where TikTok says that a part is missing (code 20001)."""

    response: Response
    data: msgspec.Raw
    whole: bool

    @property
    def newest_only(self) -> bool:
        """Whether the rows are those of the newest ads alone."""
        return NEWEST_ONLY in self.response.headers

    def read(self, kind: type[T]) -> T:
        """The data as that type. Raises Transient for anything else."""
        try:
            return msgspec.json.decode(self.data, type=kind)
        except UNREADABLE:
            raise Transient(f"{self.response.url} answered with something that is not a {kind.__name__}") from None


class TikTokCalls:
    """One token's calls. A path begins and ends with a slash: without the last one TikTok finds nothing."""

    def __init__(self, http: Http, clock: Clock, *, base_url: str, credential: TikTokCredential) -> None:
        self._http = http
        self._clock = clock
        self._base = f"{base_url}{API_PATH}"
        self._headers = {"Access-Token": credential.access_token}
        self._app = {"app_id": credential.app_id, "secret": credential.secret}
        self._warned = set[str]()

    def get(self, path: str, params: Mapping[str, Any]) -> TikTokAnswer:
        """GET; lists and objects go as JSON text. Raises what the code of the answer means."""
        query = {name: value if isinstance(value, str) else encode(value) for name, value in params.items()}
        try:
            return self._checked(path, self._asked("GET", path, params=query))
        except AdweirError as error:
            if error.context.get("platform_code") != faults.SLOW_STATISTICS:
                raise
        return self._checked(path, self._asked("GET", path, params=query))

    def post(self, path: str, body: Mapping[str, Any]) -> TikTokAnswer:
        """POST JSON."""
        return self._checked(path, self._asked("POST", path, json=body))

    def advertisers(self) -> TikTokAnswer:
        """The ids of the advertisers that the token covers now."""
        return self._checked(_ADVERTISERS, self._asked("GET", _ADVERTISERS, params=self._app))

    def text(self, path: str, params: Mapping[str, str], max_bytes: int) -> Response:
        """An answer that is no JSON where it succeeds. Raises what an envelope in its place means."""
        response = self._asked("GET", path, params=params, max_bytes=max_bytes)
        if response.ok and not response.body.lstrip().startswith(b"{"):
            return response
        self._checked(path, response)
        raise Transient(f"{response.url} answered with JSON where a file was expected")

    def _asked(self, method: str, path: str, **how: Unpack[How]) -> Response:
        try:
            sent: How = {**how, "headers": self._headers, "resend": False}
            return self._http.request(method, f"{self._base}{path}", **sent)
        except Transient as error:
            raise faults.no_answer(error) from None

    def _checked(self, path: str, response: Response) -> TikTokAnswer:
        try:
            envelope = _envelope(response.body)
        except UNREADABLE:
            raise self._without_envelope(response) from None
        self._warn(path, "TikTok announces the end of an endpoint", response.headers.get(_ENDING, ""))
        if envelope.code == faults.PARTIAL:
            self._warn(path, "a part is missing from what TikTok answers", envelope.message or "no reason given")
        if envelope.code in (faults.OK, faults.PARTIAL):
            return TikTokAnswer(response, envelope.data, envelope.code == faults.OK)
        raise faults.to_fault(envelope.code, envelope.message, path, envelope.request_id, self._clock.now())

    def _warn(self, path: str, text: str, said: str) -> None:
        """Log what TikTok says beside an answer, once per endpoint and connection."""
        if said and path + text not in self._warned:
            self._warned.add(path + text)
            log.warning(text, extra={"path": path, "said": said[:300]})

    def _without_envelope(self, response: Response) -> AdweirError:
        """A gateway answers in its own way: TikTok asks to wait about five minutes after a 5xx."""
        if response.status >= 500:
            said = f"{response.url} answered {response.status}"
            return Throttled(said, faults.MINUTES, guessed=True, status=response.status)
        if response.ok:
            return Transient(f"{response.url} answered {response.status} with text that is not JSON")
        error = fault(response, self._clock.now())
        if isinstance(error, Throttled):
            error.scope = ThrottleScope.APP
        return error


_ADVERTISERS = "/oauth2/advertiser/get/"


def encode(value: Any) -> str:
    """A parameter as JSON text."""
    return msgspec.json.encode(value).decode()


def digits(text: str) -> str:
    """An id of TikTok's. Raises RequestRejected for anything else."""
    if not (text.isdecimal() and text.isascii()):
        raise RequestRejected(f"not an id of TikTok's: {text[:40]!r}")
    return text


def chunks(ids: Sequence[str], most: int) -> list[Sequence[str]]:
    """The ids, so many at a time."""
    return [ids[at : at + most] for at in range(0, len(ids), most)]
