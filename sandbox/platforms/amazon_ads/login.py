"""Login with Amazon: refresh tokens become access tokens, and access tokens are checked."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, unauthorized
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company, WorldProfile

_TOKEN_SECONDS = 3600


class Grant(NamedTuple):
    """What a refresh token opens: the company's profiles in one region. `name` tells a company's grants apart."""

    company: Company
    name: str
    secrets: Mapping[str, str]

    @property
    def profiles(self) -> list[WorldProfile]:
        """An account lives in one region (source: docs/en-us/reference/api-overview, "API endpoints")."""
        return [profile for profile in self.company.on(PLATFORM) if profile.region == self.secrets["region"]]

    def mac(self, issued: int) -> str:
        """The signature of an access token issued at this millisecond."""
        key = self.secrets["client_secret"].encode()
        return hmac.new(key, f"{self.name}.{issued}".encode(), sha256).hexdigest()[:40]


class Login:
    """Tokens of the world's companies. An access token holds its issue time and a MAC, so it outlives a restart."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        grants = [
            Grant(company, f"{company.key}:{label}", body)
            for company in outside.world.companies
            for label, body in company.bodies(PLATFORM).items()
        ]
        self._grants = {grant.name: grant for grant in grants}
        self._void_until: dict[str, int] = {}

    def token(self, request: PlatformRequest) -> Response:
        """`POST /auth/o2/token` (source: docs/en-us/guides/account-management/authorization/access-tokens)."""
        form = request.form
        grant = next((g for g in self._grants.values() if g.secrets["client_id"] == form.get("client_id")), None)
        if grant is None or form.get("client_secret") != grant.secrets["client_secret"]:
            return json_answer({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        if form.get("grant_type") != "refresh_token":
            text = "The authorization grant type is not supported by the authorization server"
            return json_answer({"error": "unsupported_grant_type", "error_description": text}, 400)
        if form.get("refresh_token") != grant.secrets["refresh_token"] or self._revoked(grant):
            text = "The request has an invalid grant parameter : refresh_token"
            return json_answer({"error": "invalid_grant", "error_description": text}, 400)
        issued = time.time_ns() // 1_000_000
        token = f"Atza|{grant.name}.{issued}.{grant.mac(issued)}"
        answer = {"access_token": token, "refresh_token": form["refresh_token"], "token_type": "bearer"}
        return json_answer(answer | {"expires_in": _TOKEN_SECONDS})

    def grant(self, request: PlatformRequest) -> Grant:
        """What the access token of a request opens. Raises Amazon's 401."""
        name, _, rest = request.bearer.removeprefix("Atza|").partition(".")
        issued, _, mac = rest.partition(".")
        grant = self._grants.get(name)
        if grant is None or not (issued.isascii() and issued.isdigit()):
            raise unauthorized()
        if not hmac.compare_digest(mac.encode(), grant.mac(int(issued)).encode()):
            raise unauthorized()
        if time.time() - int(issued) / 1000 > _TOKEN_SECONDS or int(issued) <= self._void_until.get(name, 0):
            raise unauthorized()
        if request.headers.get("Amazon-Advertising-API-ClientId") != grant.secrets["client_id"]:
            raise AmazonRefusal(401, "Not authorized: the client id does not match the token", "UNAUTHORIZED")
        if self._revoked(grant):
            raise unauthorized()
        return grant

    def expire(self, switch: Switch) -> None:
        """Invalidate the access tokens that were issued so far; a refresh gives valid ones."""
        for grant in self._grants.values():
            if any(switch.concerns(PLATFORM, profile.id) for profile in grant.profiles):
                self._void_until[grant.name] = time.time_ns() // 1_000_000

    def _revoked(self, grant: Grant) -> bool:
        switches = self._outside.switches
        return any(switches.take("revoked_credential", PLATFORM, p.id) is not None for p in grant.profiles)
