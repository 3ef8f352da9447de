"""Tokens: an access token for a refresh token, and what an access token opens.

Source: the description's `oauth/token` (basic authentication by the application, a form, continuous refresh tokens of
60 days) and its security schemes. An access token made by hand in the developer's console works like one of a refresh.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.pinterest_ads.advertisers import PLATFORM
from sandbox.platforms.pinterest_ads.errors import PinterestRefusal, forbidden, invalid, unauthorized
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company, WorldProfile

SCOPE = "ads:read"
_ACCESS_SECONDS, _REFRESH_SECONDS = 30 * 86_400, 60 * 86_400


class PinterestGrant(NamedTuple):
    """What a credential opens."""

    company: Company
    secrets: Mapping[str, str]

    @property
    def profiles(self) -> dict[str, WorldProfile]:
        """The ad accounts that the user sees, by id."""
        return {profile.id: profile for profile in self.company.on(PLATFORM)}

    def profile(self, account_id: str) -> WorldProfile:
        """One of them. Raises what refuses others."""
        found = self.profiles.get(account_id)
        if found is None:
            raise forbidden()
        return found


class PinterestLogin:
    """The world's credentials. A token of a refresh holds its issue time and a MAC, so it outlives a restart."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._grants = {
            company.key: PinterestGrant(company, company.elsewhere.credentials[PLATFORM])
            for company in outside.world.companies
            if PLATFORM in company.elsewhere.credentials
        }

    def token(self, request: PlatformRequest) -> Response:
        """`POST /v5/oauth/token`: a new access token and a new refresh token; the old one stays valid."""
        key = self._application(request)
        form = request.form
        if form.get("grant_type") != "refresh_token":
            raise invalid(f"'grant_type' value '{form.get('grant_type', '')}' is not one of refresh_token")
        token = form.get("refresh_token", "")
        known = token == self._grants[key].secrets["refresh_token"] or self._owner("pinr.", token) == key
        if not known or self._revoked(self._grants[key]):
            raise PinterestRefusal(400, 283, "The authorization grant is invalid")
        if not set(form.get("scope", SCOPE).replace(",", " ").split()) <= {SCOPE}:
            raise invalid("'scope' must not have more than was granted")
        issued = int(time.time())
        return json_answer(
            {
                "response_type": "refresh_token",
                "access_token": self._sealed("pina_", key, issued),
                "token_type": "bearer",
                "expires_in": _ACCESS_SECONDS,
                "scope": SCOPE,
                "refresh_token": self._sealed("pinr.", key, issued),
                "refresh_token_expires_in": _REFRESH_SECONDS,
                "refresh_token_expires_at": issued + _REFRESH_SECONDS,
            }
        )

    def grant(self, request: PlatformRequest) -> PinterestGrant:
        """What the request's access token opens. Raises 401."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorized()
        by_hand = (key for key, grant in self._grants.items() if grant.secrets["access_token"] == token)
        grant = self._grants.get(self._owner("pina_", token) or next(by_hand, ""))
        if grant is None or self._revoked(grant) or self._is("expired_token", grant):
            raise unauthorized()
        return grant

    def _application(self, request: PlatformRequest) -> str:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(text, validate=True).decode() if scheme.lower() == "basic" else ""
        except ValueError:
            given = ""
        for key, grant in self._grants.items():
            if given and given == f"{grant.secrets['client_id']}:{grant.secrets['client_secret']}":
                return key
        raise unauthorized()

    def _revoked(self, grant: PinterestGrant) -> bool:
        return self._is("revoked_credential", grant)

    def _is(self, kind: str, grant: PinterestGrant) -> bool:
        take = self._outside.switches.take
        return any(take(kind, PLATFORM, profile_id) is not None for profile_id in grant.profiles)

    def _sealed(self, prefix: str, key: str, issued: int) -> str:
        open_part = f"{key}.{issued}"
        whole = f"{open_part}.{self._mac(prefix, open_part)}"
        return prefix + base64.urlsafe_b64encode(whole.encode()).decode().rstrip("=")

    def _owner(self, prefix: str, token: str) -> str:
        """Whose token it is; empty for one that was never issued or has expired."""
        text = token.removeprefix(prefix)
        try:
            opened = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            open_part, _, mac = opened.rpartition(".")
            key, issued = open_part.split(".")
            lives = time.time() - int(issued) < (_ACCESS_SECONDS if prefix == "pina_" else _REFRESH_SECONDS)
        except ValueError:
            return ""
        genuine = hmac.compare_digest(mac.encode(), self._mac(prefix, open_part).encode())
        return key if lives and genuine and token.startswith(prefix) else ""

    def _mac(self, prefix: str, text: str) -> str:
        key = f"pinterest tokens {self._outside.world.seed}".encode()
        return hmac.new(key, f"{prefix} {text}".encode(), sha256).hexdigest()[:40]
