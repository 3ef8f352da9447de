"""Login with Amazon: refresh tokens become access tokens, and access tokens are checked."""

from __future__ import annotations

import hmac
import time
from hashlib import sha256

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, unauthorized
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company

_TOKEN_SECONDS = 3600


class Login:
    """Tokens of the world's companies. An access token holds its issue time and a MAC, so it outlives a restart."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._companies = {c.key: c for c in outside.world.companies if PLATFORM in c.credentials}
        self._void_until: dict[str, int] = {}

    def token(self, request: PlatformRequest) -> Response:
        """`POST /auth/o2/token`."""
        form = request.form
        company = next((c for c in self._companies.values() if _secret(c, "client_id") == form.get("client_id")), None)
        if company is None or form.get("client_secret") != _secret(company, "client_secret"):
            return json_answer({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        if form.get("grant_type") != "refresh_token":
            text = "The authorization grant type is not supported by the authorization server"
            return json_answer({"error": "unsupported_grant_type", "error_description": text}, 400)
        if form.get("refresh_token") != _secret(company, "refresh_token") or self._revoked(company):
            text = "The request has an invalid grant parameter : refresh_token"
            return json_answer({"error": "invalid_grant", "error_description": text}, 400)
        issued = time.time_ns() // 1_000_000
        token = f"Atza|{company.key}.{issued}.{_mac(company, issued)}"
        answer = {"access_token": token, "refresh_token": form["refresh_token"], "token_type": "bearer"}
        return json_answer(answer | {"expires_in": _TOKEN_SECONDS})

    def company(self, request: PlatformRequest) -> Company:
        """Whose access token a request carries. Raises Amazon's 401."""
        key, _, rest = request.bearer.removeprefix("Atza|").partition(".")
        issued, _, mac = rest.partition(".")
        company = self._companies.get(key)
        if company is None or not (issued.isascii() and issued.isdigit()):
            raise unauthorized()
        if not hmac.compare_digest(mac.encode(), _mac(company, int(issued)).encode()):
            raise unauthorized()
        if time.time() - int(issued) / 1000 > _TOKEN_SECONDS or int(issued) <= self._void_until.get(company.key, 0):
            raise unauthorized()
        if request.headers.get("Amazon-Advertising-API-ClientId") != _secret(company, "client_id"):
            raise AmazonRefusal(401, "Not authorized: the client id does not match the token", "UNAUTHORIZED")
        if self._revoked(company):
            raise unauthorized()
        return company

    def expire(self, switch: Switch) -> None:
        """Invalidate the access tokens that the companies have so far; a refresh gives them valid ones."""
        for company in self._companies.values():
            if any(switch.concerns(PLATFORM, profile.id) for profile in company.on(PLATFORM)):
                self._void_until[company.key] = time.time_ns() // 1_000_000

    def _revoked(self, company: Company) -> bool:
        switches = self._outside.switches
        return any(switches.take("revoked_credential", PLATFORM, p.id) is not None for p in company.on(PLATFORM))


def _secret(company: Company, name: str) -> str:
    return company.credentials[PLATFORM][name]


def _mac(company: Company, issued: int) -> str:
    text = f"{company.key}.{issued}".encode()
    return hmac.new(_secret(company, "client_secret").encode(), text, sha256).hexdigest()[:40]
