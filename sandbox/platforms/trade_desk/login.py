"""Tokens: made from a login for up to a day, or long-lived ones, and checked in the header TTD-Auth.

Source: Foundations, "API Token Authentication" and "Short-Lived API tokens".
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
from sandbox.platforms.trade_desk.bodies import body_of, text, whole
from sandbox.platforms.trade_desk.errors import DeskRefusal, forbidden, unauthorized
from sandbox.platforms.trade_desk.population import PLATFORM, Partner, partner_named
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company, WorldProfile

_MOST_MINUTES = 1440


class DeskGrant(NamedTuple):
    """What a credential opens: a partner and its advertisers."""

    company: Company
    partner: Partner
    secrets: Mapping[str, str]

    @property
    def profiles(self) -> list[WorldProfile]:
        """The partner's advertisers."""
        return self.company.on(PLATFORM)

    def advertiser(self, advertiser_id: str) -> WorldProfile:
        """One of them. Raises 403 for another's, and for one that does not exist."""
        for profile in self.profiles:
            if profile.id == advertiser_id:
                return profile
        raise forbidden()


class DeskLogin:
    """The world's credentials. A token holds its issue time, its life and a MAC, so it outlives a restart."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._grants = {
            company.key: DeskGrant(company, partner, company.credentials[PLATFORM])
            for company in outside.world.companies
            if PLATFORM in company.credentials and (partner := partner_named(company.key))
        }
        self._void_until: dict[str, int] = {}

    def authenticate(self, request: PlatformRequest) -> Response:
        """`POST /v3/authentication`: a token for a login and its password."""
        body = body_of(request, {"Login", "Password", "TokenExpirationInMinutes"})
        login, password = text(body, "Login"), text(body, "Password")
        minutes = whole(
            {"TokenExpirationInMinutes": _MOST_MINUTES} | body, "TokenExpirationInMinutes", 1, _MOST_MINUTES
        )
        for key, grant in self._grants.items():
            if grant.secrets.get("login") == login and grant.secrets["password"] == password:
                if self._revoked(grant):
                    break
                issued = time.time_ns() // 1_000_000
                open_part = f"{key}.{issued}.{minutes}"
                return json_answer({"Token": base64.b64encode(f"{open_part}.{self._mac(open_part)}".encode()).decode()})
        raise DeskRefusal(401, "The login or password is not valid.")

    def grant(self, request: PlatformRequest) -> DeskGrant:
        """What the request's token opens. Raises 401; so do TTD-Auth and Authorization together."""
        token = request.headers.get("TTD-Auth", "")
        if not token or "Authorization" in request.headers:
            raise unauthorized()
        grant = self._long_lived(token) or self._short_lived(token)
        if grant is None or self._revoked(grant):
            raise unauthorized()
        return grant

    def expire(self, switch: Switch) -> None:
        """Invalidate the tokens that were issued so far."""
        for key, grant in self._grants.items():
            if any(switch.concerns(PLATFORM, profile.id) for profile in grant.profiles):
                self._void_until[key] = time.time_ns() // 1_000_000

    def _long_lived(self, token: str) -> DeskGrant | None:
        for key, grant in self._grants.items():
            known = grant.secrets.get("token", "")
            if known and hmac.compare_digest(token.encode(), known.encode()):
                return None if key in self._void_until else grant
        return None

    def _short_lived(self, token: str) -> DeskGrant | None:
        try:
            open_part, _, mac = base64.b64decode(token, validate=True).decode().rpartition(".")
            key, issued, minutes = open_part.split(".")
        except ValueError:
            return None
        if key not in self._grants or not hmac.compare_digest(mac.encode(), self._mac(open_part).encode()):
            return None
        dead = int(issued) <= self._void_until.get(key, 0) or time.time() - int(issued) / 1000 > int(minutes) * 60
        return None if dead else self._grants[key]

    def _mac(self, open_part: str) -> str:
        key = f"desk tokens {self._outside.world.seed}".encode()
        return hmac.new(key, open_part.encode(), sha256).hexdigest()[:40]

    def _revoked(self, grant: DeskGrant) -> bool:
        switches = self._outside.switches
        return any(switches.take("revoked_credential", PLATFORM, p.id) is not None for p in grant.profiles)
