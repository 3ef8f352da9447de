"""Access tokens from a refresh token (RFC 6749, section 6), for the platforms that renew theirs so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from adweir.model.errors import AdweirError, AuthExpired, Throttled, ThrottleScope, Transient
from adweir.model.times import Clock
from adweir.platforms.http import Http, Response, fault, retry_after
from adweir.platforms.json_items import UNREADABLE

DEAD = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})
"""Errors (RFC 6749, section 5.2) that no further try can mend: a person has to agree anew."""
_UNSAID_SECONDS = 5.0
_UNSAID_LIFE = 3600
_LONGEST_LIFE = 2_592_000
"""30 days: a token that lives longer is asked for anew."""


class AccessToken(msgspec.Struct):
    """`expires_in`: seconds; some issuers write them as text, or leave them out."""

    access_token: str
    expires_in: float | str | None = None

    def seconds(self) -> int:
        """How long it lives: an hour where the issuer does not say so."""
        try:
            said = float(_UNSAID_LIFE if self.expires_in is None else self.expires_in)
        except ValueError:
            return _UNSAID_LIFE
        return int(min(max(said, 0), _LONGEST_LIFE)) if said == said else _UNSAID_LIFE  # noqa: PLR0124  NaN


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


_token = msgspec.json.Decoder(AccessToken).decode
_refusal = msgspec.json.Decoder(_Refusal).decode


class TokenRenewal:
    """Asks `url` for an access token. `issuer` is what messages call it, `dead` the errors that end the credential."""

    def __init__(self, http: Http, clock: Clock, url: str, issuer: str, dead: frozenset[str] = DEAD) -> None:
        self._http = http
        self._clock = clock
        self._url = url
        self._issuer = issuer
        self._dead = dead

    def renew(
        self,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        means: Callable[[Response], AdweirError | None] = lambda _: None,
    ) -> tuple[str, int]:
        """A new access token: (token, seconds). `form`: the client and its refresh token, under the names of the RFC.

        `headers` may have the client instead; a `grant_type` in the form replaces the refresh token's. `means` says
        what an answer means, where it knows better than the RFC.

        Raises AuthExpired for a credential that is refused, Throttled, Transient.
        """
        sent = {"grant_type": "refresh_token", **form}
        answer = self._http.request("POST", self._url, form=sent, headers=headers, resend=True)
        if not answer.ok:
            raise means(answer) or self._fault(answer)
        try:
            token = _token(answer.body)
        except UNREADABLE as error:
            raise Transient(f"{answer.url} answered {answer.status} with an unexpected body: {error}"[:300]) from None
        if not (token.access_token.isascii() and token.access_token.isprintable() and token.access_token):
            raise Transient(f"{answer.url} answers with an access token that no header can hold")
        return token.access_token, token.seconds()

    def _fault(self, answer: Response) -> AdweirError:
        try:
            said = _refusal(answer.body)
        except UNREADABLE:
            said = _Refusal()
        text = f"{self._issuer}: {said.error or answer.status}: {said.error_description}"[:300]
        if said.error in self._dead or answer.status in {401, 403}:
            return AuthExpired(text)
        if answer.status == 429:
            wait = retry_after(answer.headers, self._clock.now())
            seconds = _UNSAID_SECONDS if wait is None else wait
            return Throttled(text, seconds, guessed=wait is None, scope=ThrottleScope.CREDENTIAL)
        return fault(answer, self._clock.now(), text)


def token_key(platform: str, *values: str) -> str:
    """What a token is kept under: its credential's values are a part, so that a replaced one never uses the old."""
    digest = hashlib.sha256("\x1f".join(values).encode()).hexdigest()
    return f"{platform}#{digest[:20]}"
