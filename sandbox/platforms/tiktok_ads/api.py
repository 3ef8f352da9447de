"""TikTok's API for Business over the world: versions, routes, and who is asked about.

A path that has no route, or lacks its slash at the end, is the gateway's plain 404; everything else is an envelope.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.tiktok_ads.access import TikTokAccess
from sandbox.platforms.tiktok_ads.answers import TikTokRefusal, no_route, wrong
from sandbox.platforms.tiktok_ads.faults import gateway_answer
from sandbox.platforms.tiktok_ads.gmv_max import GmvMax
from sandbox.platforms.tiktok_ads.lists import FILES, LISTS, TikTokLists
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.population import PLATFORM
from sandbox.platforms.tiktok_ads.quotas import Quotas
from sandbox.platforms.tiktok_ads.reports import TikTokReports
from sandbox.platforms.tiktok_ads.subscriptions import SubscriptionPaths
from sandbox.platforms.tiktok_ads.tasks import TikTokTasks
from sandbox.switches import Switch
from sandbox.web import PlatformRequest
from sandbox.world import Company, WorldProfile

PATHS = re.compile(r"/(open_api|tiktok-files)/")
_VERSIONED = re.compile(r"/open_api/(?P<version>v[\d.]+)/(?P<path>[a-z0-9_/]+)/$")
_FILE = re.compile(r"/tiktok-files/(?P<task_id>CA\d+)\.csv$")
_VERSION = "v1.3"


class _Call(NamedTuple):
    """A request that is let in: whose token it has, and its parameters."""

    request: PlatformRequest
    company: Company
    given: TikTokParameters


Endpoint = Callable[[_Call], Response]


class TikTokApi(PlatformApi):
    """Answers as business-api.tiktok.com does."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._access = TikTokAccess(outside, Quotas(outside))
        lists, reports, shop = TikTokLists(outside), TikTokReports(outside), GmvMax(outside)
        self._tasks = TikTokTasks(outside, reports)
        about, subscriptions = self._about, SubscriptionPaths(outside)
        self._open: dict[tuple[str, str], Callable[[TikTokParameters], Response]] = {
            ("POST", "oauth2/access_token"): self._access.exchange,
            ("POST", "oauth2/revoke_token"): self._access.revoke,
            ("POST", "subscription/subscribe"): subscriptions.subscribe,
            ("GET", "subscription/get"): subscriptions.get,
            ("POST", "subscription/unsubscribe"): subscriptions.unsubscribe,
        }
        self._got: dict[str, Endpoint] = {
            "oauth2/advertiser/get": lambda call: self._access.advertisers(call.company, call.given),
            "advertiser/info": lambda call: self._access.info(call.company, call.given),
            "report/integrated/get": lambda call: (
                shop.spent(about(call), call.given)
                if call.given.text("report_type") == "TT_SHOP"
                else reports.get(self._together(call), call.given)
            ),
            "report/task/check": lambda call: self._tasks.check(about(call), call.given),
            "report/task/download": lambda call: self._tasks.download(call.request, about(call), call.given),
            "gmv_max/campaign/get": lambda call: shop.campaigns(about(call), call.given),
            "gmv_max/report/get": lambda call: shop.report(about(call), call.given),
        }
        for path in LISTS:
            self._got[path] = lambda call, path=path: lists.get(path, about(call), call.given)  # type: ignore[misc]
        for path in FILES:
            self._got[path] = lambda call, path=path: lists.files(path, about(call), call.given)  # type: ignore[misc]
        self._posted: dict[str, Endpoint] = {
            "report/task/create": lambda call: self._tasks.create(call.company, about(call), call.given),
            "report/task/cancel": lambda call: self._tasks.cancel(about(call), call.given),
        }

    def profile_id(self, request: PlatformRequest) -> str:
        """The advertiser that the parameters name; the first of several."""
        try:
            given = _given(request)
            together = given.words("advertiser_ids")
            return together[0] if together else given.text("advertiser_id")
        except TikTokRefusal:
            return ""

    def handle(self, request: PlatformRequest) -> Response:
        """Every refusal is an envelope with HTTP status 200."""
        file = _FILE.match(request.path)
        if file is not None and request.method == "GET":
            return self._tasks.file(request, file["task_id"])
        found = _VERSIONED.match(request.path)
        if found is None:
            return no_route()
        try:
            return self._route(request, found["version"], found["path"])
        except TikTokRefusal as refusal:
            return refusal.answer()

    def _route(self, request: PlatformRequest, version: str, path: str) -> Response:
        routes = self._posted if request.method == "POST" else self._got if request.method == "GET" else {}
        opened = self._open.get((request.method, path))
        if opened is None and path not in routes:
            return no_route()
        if version != _VERSION:
            raise TikTokRefusal(40051)
        profile_id = self.profile_id(request)
        answer = gateway_answer(self.outside, profile_id)
        if answer is not None:
            return answer
        if opened is not None:
            return opened(_given(request))
        company = self._access.company(request)
        self._access.refuse(company, path, profile_id)
        return routes[path](_Call(request, company, _given(request)))

    def _about(self, call: _Call) -> WorldProfile:
        """The advertiser that a request is about."""
        return self._access.profile(call.company, call.given.required("advertiser_id"))

    def _together(self, call: _Call) -> list[WorldProfile]:
        """The advertisers of a report; `advertiser_ids` stands before `advertiser_id`."""
        ids = call.given.words("advertiser_ids") or [call.given.required("advertiser_id")]
        return [self._access.profile(call.company, one) for one in dict.fromkeys(ids)]

    def act_at_once(self, switch: Switch) -> bool:
        """Bring the app's quotas back to where they were, when the switch is set anew."""
        if switch.kind == "quota" and switch.platform in ("", PLATFORM):
            self._access.refill()
        return False


def _given(request: PlatformRequest) -> TikTokParameters:
    """The query of a GET, the JSON object of a POST."""
    if request.method != "POST":
        return TikTokParameters(request.args.to_dict())
    if "json" not in request.mimetype:
        raise wrong("Content-Type must be application/json")
    return TikTokParameters.of_body(request.get_data())
