"""Amazon Ads over the world: routes, profile scope, and what is refused before a service is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, ProductRefusal, ServiceRefusal
from sandbox.platforms.amazon_ads.invoices import Invoices
from sandbox.platforms.amazon_ads.listing import Lists
from sandbox.platforms.amazon_ads.lists import BRAND_CREATIVES, BRAND_TARGETS, GOTTEN, POSTED
from sandbox.platforms.amazon_ads.login import Grant, Login
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.platforms.amazon_ads.profiles import profile_entry, selected
from sandbox.platforms.amazon_ads.regions import SNS_PATH, split_region
from sandbox.platforms.amazon_ads.reports import Reports
from sandbox.platforms.amazon_ads.stream_subscriptions import Subscriptions
from sandbox.platforms.base import PlatformApi
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import WorldProfile

PATHS = re.compile(
    r"/((na|eu|fe)/)?((auth/o2|v2|reporting|report-files|sp|sb|sd|st|portfolios|exports|streams|adsApi|campaigns"
    r"|adGroups|ads|targets)/|(invoices|sns)(/|$))",
    re.IGNORECASE,
)
"""Amazon's documented paths. Those that have no route here get Amazon's answer to an unknown path."""


def _rules() -> Iterator[Rule]:
    yield Rule("/auth/o2/token", endpoint="token", methods=["POST"])
    yield Rule("/report-files/<report_id>.json.gz", endpoint="file", methods=["GET"])
    yield Rule("/v2/profiles", endpoint="profiles", methods=["GET"])
    yield Rule("/v2/profiles/<profile_id>", endpoint="profile", methods=["GET"])
    yield Rule("/reporting/reports", endpoint="create", methods=["POST"])
    yield Rule("/reporting/reports/<report_id>", endpoint="report", methods=["GET"])
    yield Rule("/reporting/reports/<report_id>", endpoint="delete", methods=["DELETE"])
    yield Rule(SNS_PATH, endpoint="confirm", methods=["GET", "POST"])
    yield Rule("/streams/subscriptions", endpoint="subscribe", methods=["POST"])
    yield Rule("/streams/subscriptions", endpoint="subscriptions", methods=["GET"])
    yield Rule("/streams/subscriptions/<subscription_id>", endpoint="subscription", methods=["GET"])
    yield Rule("/streams/subscriptions/<subscription_id>", endpoint="archive", methods=["PUT"])
    yield Rule("/invoices", endpoint="invoices", methods=["GET"])
    yield Rule("/invoices/<invoice_id>", endpoint="invoice", methods=["GET"])
    for path in POSTED:
        yield Rule(path, endpoint="post", defaults={"path": path}, methods=["POST"])
    for path in BRAND_TARGETS:
        yield Rule(path, endpoint="brand_targets", defaults={"path": path}, methods=["POST"])
    yield Rule(BRAND_CREATIVES, endpoint="brand_creatives", methods=["POST"])
    for path in GOTTEN:
        yield Rule(path, endpoint="get", defaults={"path": path}, methods=["GET"])
        yield Rule(f"{path}/<int:entity_id>", endpoint="get_one", defaults={"path": path}, methods=["GET"])
        if path.startswith("/sd/") and path != "/sd/creatives":
            longer = {"path": path, "more": True}
            yield Rule(f"{path}/extended", endpoint="get", defaults=longer, methods=["GET"])
            yield Rule(f"{path}/extended/<int:entity_id>", endpoint="get_one", defaults=longer, methods=["GET"])


_ROUTES = Map(list(_rules()), merge_slashes=False, redirect_defaults=False).bind("advertising-api.amazon.com")


class AmazonApi(PlatformApi):
    """Answers as Amazon's token host, API hosts and report storage do."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._login = Login(outside)
        reports, lists, bills = Reports(outside), Lists(outside), Invoices(outside)
        subscriptions = Subscriptions(outside)
        self._open: dict[str, Callable[..., Response]] = {
            "token": self._login.token,
            "file": reports.download,
            "confirm": subscriptions.confirm,
        }
        self._granted: dict[str, Callable[..., Response]] = {"profiles": self._profiles, "profile": self._profile}
        self._owned: dict[str, Callable[..., Response]] = {
            "subscribe": subscriptions.create,
            "subscriptions": subscriptions.listed,
            "subscription": subscriptions.one,
            "archive": subscriptions.update,
        }
        self._scoped: dict[str, Callable[..., Response]] = {
            "create": reports.create,
            "report": reports.describe,
            "delete": reports.delete,
            "post": lists.post,
            "brand_targets": lists.brand_targets,
            "brand_creatives": lists.brand_creatives,
            "get": lists.get,
            "get_one": lists.get_one,
            "invoices": bills.listed,
            "invoice": bills.one,
        }

    def profile_id(self, request: PlatformRequest) -> str:
        """The profile that the scope header names."""
        return request.headers.get("Amazon-Advertising-API-Scope", "")

    def act_at_once(self, switch: Switch) -> bool:
        """Expire, for good, the access tokens issued so far."""
        if switch.kind != "expired_token":
            return False
        self._login.expire(switch)
        return True

    def handle(self, request: PlatformRequest) -> Response:
        """Every refusal becomes a JSON body in the form of the service that was asked."""
        region, path = split_region(request.host, request.path)
        try:
            return self._route(request, region, path)
        except AmazonRefusal as refusal:
            return refusal.answer(path)

    def _route(self, request: PlatformRequest, region: str, path: str) -> Response:
        """Call the path's endpoint; token and scope are checked before a path or method is called unknown."""
        endpoint, values, fault = "", dict[str, object](), None
        try:
            endpoint, found = _ROUTES.match(path, method=request.method)
            values = dict(found)
        except MethodNotAllowed:
            fault = AmazonRefusal(405, "Method Not Allowed", "METHOD_NOT_ALLOWED")
        except NotFound:
            fault = AmazonRefusal(404, f"Could not find resource for full path: {request.base_url}", "NOT_FOUND")
        if endpoint in self._open:
            return self._open[endpoint](request, **values)
        grant = self._login.grant(request)
        if endpoint in self._granted:
            return self._granted[endpoint](request, grant, region, **values)
        profile = self._scope(grant, request, region)
        self._refuse(profile.id, path)
        if fault is not None:
            raise fault
        if endpoint in self._owned:
            return self._owned[endpoint](request, grant, profile, **values)
        product = path.split("/")[1]
        if product in profile.lacking:
            raise ProductRefusal(product)
        if "entity_id" in values:
            values["entity_id"] = str(values["entity_id"])
        return self._scoped[endpoint](request, profile, **values)

    def _scope(self, grant: Grant, request: PlatformRequest, region: str) -> WorldProfile:
        """The profile that the scope header names. Raises Amazon's 401s (docs/en-us/reference/concepts/errors)."""
        scope = self.profile_id(request)
        if not scope:
            raise AmazonRefusal(401, "Scope header is missing", "UNAUTHORIZED")
        profile = self.outside.world.profile(PLATFORM, scope)
        if profile is None:
            raise AmazonRefusal(401, f"No matching advertiser found for scope: {scope}", "UNAUTHORIZED")
        lost = self.outside.switches.take("access_denied", PLATFORM, scope)
        if lost is not None or profile not in grant.profiles or region not in ("", profile.region):
            status = 401 if lost is None else int(lost.get("status", 401))
            text = "Not authorized to manage this profile. Please check permissions and consent from the advertiser."
            raise AmazonRefusal(status, f"Not authorized to access scope {scope}: {text}", "UNAUTHORIZED")
        return profile

    def _refuse(self, profile_id: str, path: str) -> None:
        """Raise when the profile is throttled or the platform is down."""
        throttled = self.outside.switches.take("throttle", PLATFORM, profile_id)
        named = path in POSTED or path == BRAND_CREATIVES
        if throttled is not None:
            wait = throttled.get("retry_after")
            headers = {} if wait is None else {"Retry-After": str(wait)}
            if named:
                raise ServiceRefusal(429, "Too Many Requests", "THROTTLED", headers)
            raise AmazonRefusal(429, "Too Many Requests", "429", headers)
        broken = self.outside.switches.take("server_error", PLATFORM, profile_id)
        if broken is not None:
            kind = ServiceRefusal if named else AmazonRefusal
            raise kind(int(broken.get("status", 503)), "Internal error. Please try again", "INTERNAL_ERROR")

    def _profiles(self, request: PlatformRequest, grant: Grant, region: str) -> Response:
        """The profiles that the grant opens, on the host of their region; none on another region's."""
        owned = [profile for profile in grant.profiles if region in ("", profile.region)]
        return json_answer([profile_entry(profile) for profile in selected(owned, request.args)])

    def _profile(self, _request: PlatformRequest, grant: Grant, region: str, profile_id: str) -> Response:
        for profile in grant.profiles:
            if profile.id == profile_id and region in ("", profile.region):
                return json_answer(profile_entry(profile))
        raise AmazonRefusal(404, f"Could not find profile {profile_id}", "NOT_FOUND")
