"""Access: tokens, the proof of the app's secret (appsecret_proof), and what a token opens."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.meta.errors import GraphError, expired
from sandbox.platforms.meta.population import PLATFORM
from sandbox.web import json_answer
from sandbox.world import Company


class Access:
    """Tokens of the world's companies."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._companies = [company for company in outside.world.companies if PLATFORM in company.credentials]

    def company(self, token: str, proof: str | None) -> Company:
        """Whose token it is. Raises Meta's refusals of unknown, expired and revoked tokens and of wrong proofs."""
        if not token:
            raise GraphError("An active access token must be used to query information about the current user.", 2500)
        for company in self._companies:
            credential = company.credentials[PLATFORM]
            if hmac.compare_digest(token.encode(), credential["access_token"].encode()):
                self._check_proof(token, proof, credential["app_secret"])
                self._check_alive(company)
                return company
            if token == f"{credential['app_id']}|{credential['app_secret']}":
                return company
        raise GraphError("Invalid OAuth access token - Cannot parse access token", 190, subcode=467, status=401)

    def _check_proof(self, token: str, proof: str | None, app_secret: str) -> None:
        kind = "GraphMethodException"
        if proof is None:
            if self._outside.switches.take("require_proof", PLATFORM) is not None:
                raise GraphError("API calls from the server require an appsecret_proof argument", 100, kind=kind)
        elif proof != hmac.new(app_secret.encode(), token.encode(), sha256).hexdigest():
            raise GraphError("Invalid appsecret_proof provided in the API argument", 100, kind=kind)

    def _check_alive(self, company: Company) -> None:
        owned = [profile.id for profile in company.on(PLATFORM)]
        if any(self._outside.switches.take("expired_token", PLATFORM, p) is not None for p in owned):
            raise expired()
        if any(self._outside.switches.take("revoked_credential", PLATFORM, p) is not None for p in owned):
            message = "Error validating access token: The user has not authorized application."
            raise GraphError(message, 190, subcode=458, status=401)

    def exchange(self, params: dict[str, str]) -> Response:
        """A long-lived token for a token."""
        for company in self._companies:
            credential = company.credentials[PLATFORM]
            if params.get("fb_exchange_token") == credential["access_token"]:
                if params.get("client_secret") != credential["app_secret"]:
                    raise GraphError("Error validating client secret.", 1)
                answer = {"access_token": credential["access_token"], "token_type": "bearer", "expires_in": 5183976}
                return json_answer(answer)
        raise GraphError("Invalid OAuth access token.", 190, status=401)

    def debug(self, params: dict[str, str]) -> Response:
        """Describe a token."""
        asked = params.get("input_token")
        found = [c.credentials[PLATFORM] for c in self._companies if c.credentials[PLATFORM]["access_token"] == asked]
        data: dict[str, Any] = {"is_valid": bool(found), "scopes": ["ads_read"] if found else []}
        if found:
            data |= {"app_id": found[0]["app_id"], "type": "SYSTEM_USER", "expires_at": 0, "user_id": "555"}
        return json_answer({"data": data})
