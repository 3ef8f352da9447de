"""Tokens, the advertisers that they cover, and what is refused before an endpoint is asked.

Source: the SDK's AuthenticationApi.md, and the reference, sections 4.2, 4.3 and 4.7.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import PARTIAL, TikTokRefusal, envelope, wrong
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.population import PLATFORM, UNGRANTED, zone_of
from sandbox.platforms.tiktok_ads.quotas import Quotas
from sandbox.web import PlatformRequest
from sandbox.world import Company, WorldProfile

_MOST_ADVERTISERS = 100
_SCOPE = [2, 3, 4]
_AUTH_CODE = "auth-"


class TikTokAccess:
    """Who calls, and whether TikTok answers. A revoked token stays revoked until the sandbox restarts."""

    def __init__(self, outside: Outside, quotas: Quotas) -> None:
        self._outside = outside
        self._quotas = quotas
        self._revoked: set[str] = set()
        self._used_codes: set[str] = set()

    def company(self, request: PlatformRequest) -> Company:
        """The company whose token the header `Access-Token` has. Raises TikTok's refusals of tokens."""
        token = request.headers.get("Access-Token", "")
        if not token:
            raise TikTokRefusal(40104)
        for company in self._outside.world.companies:
            credential = company.credentials.get(PLATFORM)
            if credential is None or credential["access_token"] != token or token in self._revoked:
                continue
            for profile in company.on(PLATFORM):
                self._check_token(profile.id)
            return company
        raise TikTokRefusal(40105)

    def _check_token(self, profile_id: str) -> None:
        for kind, code in (("expired_token", 40102), ("revoked_credential", 40105)):
            found = self._outside.switches.take(kind, PLATFORM, profile_id)
            if found is not None:
                raise TikTokRefusal(int(found.get("code", code)))

    def refuse(self, company: Company, path: str, profile_id: str) -> None:
        """Raise when the app, the advertiser or the path is throttled."""
        self._quotas.spend(company.credentials[PLATFORM]["app_id"], path, profile_id)
        found = self._outside.switches.take("throttle", PLATFORM, profile_id)
        if found is not None:
            raise TikTokRefusal(int(found.get("code", 40100)), str(found.get("message", "")))

    def refill(self) -> None:
        """Forget the calls so far."""
        self._quotas.clear()

    def profile(self, company: Company, advertiser_id: str) -> WorldProfile:
        """An advertiser that the token covers. Raises TikTok's refusals of advertisers."""
        owned = next((p for p in company.on(PLATFORM) if p.id == advertiser_id), None)
        lost = self._outside.switches.take("access_denied", PLATFORM, advertiser_id)
        if lost is not None:
            text = f"No permission to operate advertiser {advertiser_id}"
            raise TikTokRefusal(int(lost.get("code", 40001)), str(lost.get("message", text)))
        if owned is not None:
            return owned
        if any(advertiser_id == listed for listed, _ in UNGRANTED.get(company.key, ())):
            raise TikTokRefusal(40001, f"No permission to operate advertiser {advertiser_id}")
        if self._outside.world.profile(PLATFORM, advertiser_id) is not None:
            raise TikTokRefusal(40106)
        raise TikTokRefusal(40300, f"Advertiser {advertiser_id} does not exist")

    # -- endpoints -----------------------------------------------------------------------------------------------

    def exchange(self, body: TikTokParameters) -> Response:
        """POST /oauth2/access_token/: an auth code, valid once (`auth-<app_id>` in the sandbox), becomes the token."""
        company = self._app(body)
        code = body.required("auth_code")
        credential = company.credentials[PLATFORM]
        if code != f"{_AUTH_CODE}{credential['app_id']}" or code in self._used_codes:
            raise TikTokRefusal(40110)
        self._used_codes.add(code)
        ids = [profile.id for profile in company.on(PLATFORM)]
        return envelope({"access_token": credential["access_token"], "advertiser_ids": ids, "scope": _SCOPE})

    def revoke(self, body: TikTokParameters) -> Response:
        """POST /oauth2/revoke_token/: the token ends, for good."""
        token = body.required("access_token")
        if self._app(body).credentials[PLATFORM]["access_token"] != token:
            raise TikTokRefusal(40105)
        self._revoked.add(token)
        return envelope({})

    def advertisers(self, company: Company, query: TikTokParameters) -> Response:
        """GET /oauth2/advertiser/get/: all that granted the app something, even where it may not read."""
        if self._app(query) is not company:
            raise TikTokRefusal(40105)
        listed = [(profile.id, profile.name) for profile in company.on(PLATFORM)]
        listed += UNGRANTED.get(company.key, ())
        return envelope({"list": [{"advertiser_id": one, "advertiser_name": name} for one, name in listed]})

    def info(self, company: Company, query: TikTokParameters) -> Response:
        """GET /advertiser/info/: at most 100; those that may not be read are left out of a partial success (20001)."""
        ids, fields = query.words("advertiser_ids", _MOST_ADVERTISERS), query.words("fields")
        if not ids:
            raise wrong("advertiser_ids: Missing data for required field.")
        known = set(_described(company.on(PLATFORM)[0]))
        if set(fields) - known:
            raise wrong(f"fields: Invalid values: {sorted(set(fields) - known)}")
        found, refused = [], None
        for advertiser_id in ids:
            try:
                described = _described(self.profile(company, advertiser_id))
            except TikTokRefusal as refusal:
                refused = refusal
                continue
            found.append({name: value for name, value in described.items() if not fields or name in fields})
        if refused is not None and not found:
            raise refused
        if refused is not None:
            raise TikTokRefusal(PARTIAL, str(refused), {"list": found})
        return envelope({"list": found})

    def _app(self, given: TikTokParameters) -> Company:
        """The company whose app and secret these are."""
        app_id, secret = given.required("app_id"), given.required("secret")
        for company in self._outside.world.companies:
            credential = company.credentials.get(PLATFORM)
            if credential is not None and credential["app_id"] == app_id:
                if credential["secret"] != secret:
                    raise TikTokRefusal(40101)
                return company
        raise TikTokRefusal(40101)


def _described(profile: WorldProfile) -> dict[str, object]:
    return {
        "advertiser_id": profile.id,
        "name": profile.name,
        "currency": profile.currency,
        "timezone": zone_of(profile),
        "display_timezone": profile.timezone,
        "status": profile.kind,
        "company": profile.name,
        "country": profile.country,
        "balance": 0.0 if profile.kind != "STATUS_ENABLE" else 120.5,
        "create_time": 1_767_225_600,
        "owner_bc_id": "7000000000000009001",
        "role": "ROLE_ADVERTISER",
        "industry": "290101",
        "language": "en",
        "rejection_reason": "",
    }
