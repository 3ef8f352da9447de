"""Calls to Microsoft Advertising for one credential: access token, headers, errors, files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from adweir.model.errors import AccessDenied, AuthExpired, RequestRejected, Transient
from adweir.model.times import Clock
from adweir.platforms import json_text
from adweir.platforms.connector import TokenCache
from adweir.platforms.http import Http, Response, is_file_on, same_origin, server_broke
from adweir.platforms.microsoft_ads import MicrosoftCredential, faults
from adweir.platforms.oauth import DEAD, TokenRenewal, token_key

MAX_REPORT_BYTES = 256 << 20
"""A report's file as Microsoft packs it: half of what a function's disk holds. A larger one is split."""
_SCOPE = "https://ads.microsoft.com/msads.manage offline_access"
_DEAD = DEAD | {"interaction_required", "consent_required", "login_required"}
"""Errors of the Microsoft identity platform after which a person has to sign in ("Get access and refresh tokens")."""
_FILE_HOSTS = re.compile(r"(?:[a-z0-9-]+\.)*microsoft\.com|[a-z0-9]{3,24}\.blob\.core\.windows\.net")
"""Reports come from Microsoft's own hosts, or from storage of Azure; no document names them ("ReportRequestStatus")."""
_W = TypeVar("_W")


class MicrosoftHosts(NamedTuple):
    """The base URLs of the services, and of the identity platform."""

    customer: str
    campaign: str
    reporting: str
    login: str


class MicrosoftCalls:
    """Authenticated calls. `customer` is the customer that owns the ad account, "" while ad accounts are listed."""

    def __init__(
        self, secret: MicrosoftCredential, hosts: MicrosoftHosts, http: Http, clock: Clock, tokens: TokenCache
    ) -> None:
        self._secret = secret
        self.hosts = hosts
        self._http = http
        self._clock = clock
        self._tokens = tokens
        self.token_key = token_key("microsoft_ads", secret.client_id, secret.client_secret, secret.refresh_token)
        url = f"{hosts.login}/{secret.tenant}/oauth2/v2.0/token"
        self._renewal = TokenRenewal(http, clock, url, "Microsoft identity platform", _DEAD)

    def listed(self, path: str, body: Mapping[str, Any]) -> Response:
        """A question of the Customer Management service about the user."""
        return self._checked(f"{self.hosts.customer}{path}", body, {})

    def campaigns(self, path: str, body: Mapping[str, Any], account: str, customer: str) -> Response:
        """A question of the Campaign Management service about an ad account."""
        return self._checked(f"{self.hosts.campaign}{path}", body, _about(account, customer))

    def reporting(
        self, path: str, body: Mapping[str, Any], account: str, customer: str, *, repeat: bool = True
    ) -> Response:
        """A request of the Reporting service. `repeat`: sending it twice does no harm."""
        return self._checked(f"{self.hosts.reporting}{path}", body, _about(account, customer), repeat=repeat)

    def file(self, url: str) -> Iterator[bytes] | None:
        """A report's file in chunks, or None when its URL is refused, as after its five minutes.

        The URL needs no token, so none is sent. Raises RequestRejected for one that is neither Microsoft's nor on the
        API's own host.
        """
        if not is_file_on(url, _FILE_HOSTS) and not same_origin(url, self.hosts.reporting):
            raise RequestRejected("the report's URL is neither on Microsoft's hosts nor in its storage")
        chunks = self._http.download(url, max_bytes=MAX_REPORT_BYTES)
        try:
            first = next(chunks, b"")
        except (AccessDenied, AuthExpired, RequestRejected):
            return None
        return chain((first,), chunks)

    def _checked(self, url: str, body: Mapping[str, Any], about: Mapping[str, str], *, repeat: bool = True) -> Response:
        """The answer; an access token that is refused is replaced once. Raises what a refusal means."""
        answer = self._send(url, body, about, repeat=repeat)
        if answer.status == 401 or faults.codes(answer) & faults.TOKEN_REFUSED:
            self._tokens.forget(self.token_key)
            answer = self._send(url, body, about, repeat=repeat)
        if answer.ok:
            return answer
        error = faults.refusal(answer, self._clock.now())
        if isinstance(error, AuthExpired) and about and 105 in faults.codes(answer) and self._user_is_known():
            raise AccessDenied(error.message, **error.context)
        raise error

    def _send(self, url: str, body: Mapping[str, Any], about: Mapping[str, str], *, repeat: bool) -> Response:
        token = self._tokens.get(self.token_key, self._refresh)
        headers = {"Authorization": f"Bearer {token}", "DeveloperToken": self._secret.developer_token, **about}
        return self._http.request("POST", url, headers=headers, json=body, resend=repeat, retry=_broke)

    def _user_is_known(self) -> bool:
        """Whether the credential works: InvalidCredentials is also said of an ad account that is not active."""
        return self._send(f"{self.hosts.customer}{WHO}", ME, {}, repeat=True).ok

    def _refresh(self) -> tuple[str, int]:
        """A new access token. The new refresh token beside it is not kept: the old one goes on until its own end."""
        form = self._secret.model_dump(include={"client_id", "client_secret", "refresh_token"}, exclude_defaults=True)
        return self._renewal.renew({**form, "scope": _SCOPE})


WHO = "/User/Query"
ME: Mapping[str, Any] = {"UserId": None}
"""The user of the access token ("GetUser Service Operation")."""


def decode(answer: Response, kind: type[_W]) -> _W:
    """The decoded body. Raises Transient for a body of another form: a proxy may have answered."""
    try:
        return json_text.decoded(answer.body, kind)
    except (ValueError, RecursionError) as error:
        raise Transient(f"{answer.url} answered {answer.status} with an unexpected body: {error}"[:300]) from None


def _about(account: str, customer: str) -> dict[str, str]:
    return {"CustomerAccountId": account} | ({"CustomerId": customer} if customer else {})


def _broke(answer: Response) -> bool:
    """A fault that says what is wrong is not worth another try in place, whatever its status."""
    return server_broke(answer) and not faults.errors_of(answer)
