"""Google's OAuth: refresh tokens become access tokens, and access tokens are checked (RFC 6749; Google Identity, Using
OAuth 2.0 for web server applications).
"""

from __future__ import annotations

import hmac
import time
from hashlib import sha256

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.google_ads.errors import GoogleAdsError
from sandbox.platforms.google_ads.population import PLATFORM
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company

_SCOPE = "https://www.googleapis.com/auth/adwords"
_TOKEN_SECONDS = 3599


class GoogleLogin:
    """Tokens of the world's companies. An access token holds its issue time and a MAC, so it outlives a restart."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._companies = {c.key: c for c in outside.world.companies if PLATFORM in c.credentials}
        self._void_until: dict[str, int] = {}

    def token(self, request: PlatformRequest) -> Response:
        """`POST /token`: a form, and an access token for the refresh token in it."""
        form = request.form
        owner = next(
            (c for c in self._companies.values() if c.credentials[PLATFORM]["client_id"] == form.get("client_id")), None
        )
        if owner is None:
            return _refused(401, "invalid_client", "The OAuth client was not found.")
        secrets = owner.credentials[PLATFORM]
        if form.get("client_secret") != secrets["client_secret"]:
            return _refused(401, "invalid_client", "Unauthorized")
        if form.get("grant_type") != "refresh_token":
            return _refused(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        if form.get("refresh_token") != secrets["refresh_token"]:
            return _refused(400, "invalid_grant", "Bad Request")
        if self._revoked(owner):
            return _refused(400, "invalid_grant", "Token has been expired or revoked.")
        issued = time.time_ns() // 1_000_000
        token = f"ya29.{owner.key}.{issued}.{self._mac(owner, issued)}"
        answer = {"access_token": token, "expires_in": _TOKEN_SECONDS, "scope": _SCOPE, "token_type": "Bearer"}
        return json_answer(answer)

    def company(self, request: PlatformRequest) -> Company:
        """Whose user a request's access token is. Raises Google's 401."""
        if not request.bearer:
            raise GoogleAdsError("", "", "", status=401)
        key, _, rest = request.bearer.removeprefix("ya29.").partition(".")
        issued, _, mac = rest.partition(".")
        owner = self._companies.get(key)
        if owner is None or not (issued.isascii() and issued.isdigit()):
            raise _unauthenticated("OAUTH_TOKEN_INVALID", "The OAuth token in the header is not valid.")
        if not hmac.compare_digest(mac.encode(), self._mac(owner, int(issued)).encode()):
            raise _unauthenticated("OAUTH_TOKEN_INVALID", "The OAuth token in the header is not valid.")
        if time.time() - int(issued) / 1000 > _TOKEN_SECONDS or int(issued) <= self._void_until.get(key, 0):
            raise _unauthenticated("OAUTH_TOKEN_EXPIRED", "The OAuth token in the header has expired.")
        if self._revoked(owner):
            raise _unauthenticated("OAUTH_TOKEN_REVOKED", "The OAuth token in the header has been revoked.")
        return owner

    def expire(self, switch: Switch) -> None:
        """Invalidate the access tokens that were issued so far; a refresh gives valid ones."""
        for company in self._companies.values():
            if any(switch.concerns(PLATFORM, profile.id) for profile in company.on(PLATFORM)):
                self._void_until[company.key] = time.time_ns() // 1_000_000

    def _mac(self, company: Company, issued: int) -> str:
        key = company.credentials[PLATFORM]["client_secret"].encode()
        return hmac.new(key, f"{company.key}.{issued}".encode(), sha256).hexdigest()[:40]

    def _revoked(self, company: Company) -> bool:
        switches = self._outside.switches
        return any(switches.take("revoked_credential", PLATFORM, p.id) is not None for p in company.on(PLATFORM))


def _refused(status: int, error: str, text: str) -> Response:
    return json_answer({"error": error, "error_description": text}, status)


def _unauthenticated(code: str, text: str) -> GoogleAdsError:
    return GoogleAdsError("authenticationError", code, text, status=401)
