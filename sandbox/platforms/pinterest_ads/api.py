"""Pinterest's API over the world: routes, tokens, rate limits, and what is refused before anything is read.

Source: the description's paths and categories of rate limits; "Rate limits" (developers.pinterest.com/docs/reference/
rate-limits) for the limits per minute. The three headers are named as clients read them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.pinterest_ads.advertisers import PLATFORM
from sandbox.platforms.pinterest_ads.analytics import PinterestAnalytics
from sandbox.platforms.pinterest_ads.errors import PinterestRefusal, forbidden
from sandbox.platforms.pinterest_ads.lists import PinterestLists
from sandbox.platforms.pinterest_ads.login import PinterestLogin
from sandbox.web import PlatformRequest
from sandbox.world import WorldProfile

PATHS = re.compile(r"/v5/(oauth/token$|ad_accounts(/|$))")
_ACCOUNT = re.compile(r"/v5/ad_accounts/(\d+)")
_LIMITS = {"ads_read": 1000, "ads_analytics": 300}
"""Requests per minute with standard access."""
_ROUTES = Map(
    [
        Rule("/v5/oauth/token", endpoint="token", methods=["POST"]),
        Rule("/v5/ad_accounts", endpoint="ad_accounts", methods=["GET"]),
        Rule("/v5/ad_accounts/<account_id>", endpoint="ad_account", methods=["GET"]),
        *(
            Rule(f"/v5/ad_accounts/<account_id>/{name}", endpoint=name, methods=["GET"])
            for name in ("campaigns", "ad_groups", "ads", "analytics")
        ),
        *(
            Rule(f"/v5/ad_accounts/<account_id>/{name}/analytics", endpoint=f"{name} analytics", methods=["GET"])
            for name in ("campaigns", "ad_groups", "ads")
        ),
    ],
    merge_slashes=False,
).bind("api.pinterest.com")
_OfAccount = Callable[[PlatformRequest, WorldProfile], Response]


class PinterestApi(PlatformApi):
    """Answers as version 5 does."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._login, self._lists = PinterestLogin(outside), PinterestLists(outside)
        analytics = PinterestAnalytics(outside)
        self._of_account: dict[str, _OfAccount] = {
            "ad_account": self._lists.ad_account,
            "campaigns": self._lists.campaigns,
            "ad_groups": self._lists.ad_groups,
            "ads": self._lists.ads,
            "analytics": analytics.account,
            "campaigns analytics": analytics.campaigns,
            "ad_groups analytics": analytics.ad_groups,
            "ads analytics": analytics.ads,
        }

    def profile_id(self, request: PlatformRequest) -> str:
        """The ad account in the path."""
        found = _ACCOUNT.match(request.path)
        return found[1] if found else ""

    def handle(self, request: PlatformRequest) -> Response:
        """Every refusal becomes an error body."""
        try:
            return self._route(request)
        except PinterestRefusal as refusal:
            return refusal.answer()

    def _route(self, request: PlatformRequest) -> Response:
        try:
            endpoint, values = _ROUTES.match(request.path, method=request.method)
        except MethodNotAllowed:
            raise PinterestRefusal(405, 5, "Method not allowed") from None
        except NotFound:
            raise PinterestRefusal(404, 0, "Path not found.") from None
        page = self.outside.switches.take("html", PLATFORM, self.profile_id(request))
        if page is not None:
            text = "<!DOCTYPE html><html><title>Pinterest</title><p>We are making things better. Back soon.</html>"
            return Response(text, int(page.get("status", 200)), content_type="text/html; charset=utf-8")
        category = "ads_analytics" if endpoint.endswith("analytics") else "ads_read"
        self._refuse(request, category)
        if endpoint == "token":
            return self._login.token(request)
        grant = self._login.grant(request)
        if endpoint == "ad_accounts":
            answer = self._lists.ad_accounts(request, grant)
        else:
            profile = grant.profile(values["account_id"])
            if self.outside.switches.take("access_denied", PLATFORM, profile.id) is not None:
                raise forbidden()
            answer = self._of_account[endpoint](request, profile)
        limit = _LIMITS[category]
        answer.headers |= {"X-RateLimit-Limit": f"{limit}, {limit};w=60", "X-RateLimit-Remaining": str(limit - 1)}
        return answer

    def _refuse(self, request: PlatformRequest, category: str) -> None:
        """Raise when the caller is throttled or the platform is down."""
        take, profile_id = self.outside.switches.take, self.profile_id(request)
        throttled = take("throttle", PLATFORM, profile_id)
        if throttled is not None:
            limit = _LIMITS[category]
            raise PinterestRefusal(
                429,
                8,
                "This request exceeded a rate limit. This can happen if the client exceeds one\nof the published rate"
                " limits within a short time window.",
                {
                    "X-RateLimit-Limit": f"{limit}, {limit};w=60",
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": str(throttled.get("reset", 1)),
                },
            )
        broken = take("server_error", PLATFORM, profile_id)
        if broken is not None:
            raise PinterestRefusal(int(broken.get("status", 500)), 11, "API method failed. Try again later.")
