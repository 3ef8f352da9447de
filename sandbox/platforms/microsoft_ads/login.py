"""Tokens: an access token for a refresh token, and what an access token opens.

Source: "Get access and refresh tokens" (parameters, rotation, the errors of public clients), "Handling Service Errors
and Exceptions" (error bodies), and the request headers of the REST interface.
"""

from __future__ import annotations

import base64
import hmac
import re
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.microsoft_ads.errors import TRACKING_ID, MicrosoftRefusal
from sandbox.platforms.microsoft_ads.population import COMMON, PLATFORM, USERS, MicrosoftAccount, MicrosoftUser
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company, WorldProfile

SCOPE = "https://ads.microsoft.com/msads.manage"
_SECONDS = 3600


class MicrosoftGrant(NamedTuple):
    """What a credential opens."""

    company: Company
    user: MicrosoftUser
    secrets: Mapping[str, str]

    @property
    def profiles(self) -> dict[str, WorldProfile]:
        """The ad accounts that the user sees, by id."""
        return {profile.id: profile for profile in self.company.on(PLATFORM)}

    def account(self, account_id: str) -> MicrosoftAccount | None:
        """One of the ad accounts, or None."""
        return next((one for one in self.user.accounts if one.id == account_id), None)


class _TokenRefusal(Exception):
    """An answer of the token endpoint: its error, and the description with Microsoft's AADSTS code."""

    def __init__(self, error: str, code: int, text: str, status: int = 400) -> None:
        super().__init__(error)
        self.body = {
            "error": error,
            "error_description": f"AADSTS{code}: {text}",
            "error_codes": [code],
            "trace_id": TRACKING_ID,
            "correlation_id": TRACKING_ID,
        }
        self.status = status


class MicrosoftLogin:
    """The world's credentials. A token holds its issue time and a MAC, so it outlives a restart."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.grants = {
            company.key: MicrosoftGrant(company, USERS[company.key], company.credentials[PLATFORM])
            for company in outside.world.companies
            if PLATFORM in company.credentials
        }
        self._void_until: dict[str, int] = {}

    def token(self, request: PlatformRequest, tenant: str) -> Response:
        """`POST /{tenant}/oauth2/v2.0/token`: a new access token and a new refresh token; the old one stays valid."""
        try:
            key = self._owner(request, tenant)
        except _TokenRefusal as refusal:
            return json_answer(refusal.body, refusal.status)
        issued = time.time_ns() // 1_000_000
        return json_answer(
            {
                "token_type": "Bearer",
                "scope": SCOPE,
                "expires_in": _SECONDS,
                "ext_expires_in": _SECONDS,
                "access_token": f"EwB{self._sealed('access', key, issued)}",
                "refresh_token": f"M.C5{self._sealed('refresh', key, issued)}",
            }
        )

    def grant(self, request: PlatformRequest) -> MicrosoftGrant:
        """What the request's headers open. Raises 105 for a token that is none, 109 for an old one, 116 without one."""
        developer = request.headers.get("DeveloperToken", "")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not developer or not token:
            raise MicrosoftRefusal(116)
        if scheme != "Bearer":
            raise MicrosoftRefusal(105)
        key, issued = self._opened("access", token.removeprefix("EwB"))
        grant = self.grants.get(key)
        if grant is None or not hmac.compare_digest(developer.encode(), grant.secrets["developer_token"].encode()):
            raise MicrosoftRefusal(105)
        if issued <= self._void_until.get(key, 0) or time.time() - issued / 1000 > _SECONDS:
            raise MicrosoftRefusal(109)
        if self._revoked(grant):
            raise MicrosoftRefusal(105)
        return grant

    def expire(self, switch: Switch) -> None:
        """Invalidate the access tokens that were issued so far."""
        for key, grant in self.grants.items():
            if any(switch.concerns(PLATFORM, profile_id) for profile_id in grant.profiles):
                self._void_until[key] = time.time_ns() // 1_000_000

    def _owner(self, request: PlatformRequest, tenant: str) -> str:
        """Whose refresh token it is. Raises what the token endpoint refuses."""
        form = request.form
        if request.mimetype != "application/x-www-form-urlencoded" or not form.get("grant_type"):
            raise _TokenRefusal("invalid_request", 900144, "The request body must contain 'grant_type'.")
        if form["grant_type"] != "refresh_token":
            raise _TokenRefusal("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client = form.get("client_id", "")
        key = next((k for k, grant in self.grants.items() if grant.secrets["client_id"] == client), "")
        if not key:
            raise _TokenRefusal("unauthorized_client", 700016, f"Application '{client}' was not found.")
        grant = self.grants[key]
        self._check_application(grant, tenant, form.get("client_secret"))
        if SCOPE not in re.split(r"[ +]", form.get("scope", "")):
            raise _TokenRefusal("invalid_grant", 70000, "One or more scopes requested are unauthorized or expired.")
        token = form.get("refresh_token", "")
        known = token == grant.secrets["refresh_token"] or self._opened("refresh", token.removeprefix("M.C5"))[0] == key
        if not known or self._revoked(grant):
            raise _TokenRefusal("invalid_grant", 70000, "The user could not be authenticated or the grant is expired.")
        return key

    def _check_application(self, grant: MicrosoftGrant, tenant: str, secret: str | None) -> None:
        """A web app needs its secret, a public one must not send any; one of a single tenant is found there alone."""
        if tenant not in (COMMON, grant.user.tenant):
            raise _TokenRefusal("invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if tenant != grant.user.tenant:
            raise _TokenRefusal(
                "invalid_request", 50194, "Application is not configured as a multi-tenant application."
            )
        if grant.user.public:
            if secret is not None:
                raise _TokenRefusal("invalid_request", 90023, "Public clients can't send a client secret.")
        elif secret is None:
            raise _TokenRefusal("invalid_client", 7000218, "The request body must contain 'client_secret'.", 401)
        elif secret != grant.secrets["client_secret"]:
            raise _TokenRefusal("invalid_client", 7000215, "Invalid client secret provided.", 401)

    def _revoked(self, grant: MicrosoftGrant) -> bool:
        take = self._outside.switches.take
        return any(take("revoked_credential", PLATFORM, profile_id) is not None for profile_id in grant.profiles)

    def _sealed(self, use: str, key: str, issued: int) -> str:
        open_part = f"{key}.{issued}"
        return base64.urlsafe_b64encode(f"{open_part}.{self._mac(use, open_part)}".encode()).decode().rstrip("=")

    def _opened(self, use: str, token: str) -> tuple[str, int]:
        """Whose token it is, and when it was issued in milliseconds; empty for one that was never issued."""
        try:
            text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
            open_part, _, mac = text.rpartition(".")
            key, issued = open_part.split(".")
        except ValueError:
            return "", 0
        genuine = hmac.compare_digest(mac.encode(), self._mac(use, open_part).encode())
        return (key, int(issued)) if genuine else ("", 0)

    def _mac(self, use: str, open_part: str) -> str:
        key = f"microsoft tokens {self._outside.world.seed}".encode()
        return hmac.new(key, f"{use} {open_part}".encode(), sha256).hexdigest()[:40]
