"""Amazon Ads over the world: routes, profile scope and entity lists."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, bad_request
from sandbox.platforms.amazon_ads.login import Login
from sandbox.platforms.amazon_ads.objects import GETS, LISTS, objects, profile_entry, select
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.platforms.amazon_ads.regions import split_region
from sandbox.platforms.amazon_ads.reports import Reports
from sandbox.platforms.base import PlatformApi
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, broken_off, json_answer
from sandbox.world import Company, WorldProfile

PATHS = re.compile(
    r"/((na|eu|fe)/)?(auth/o2|v2|reporting|report-files|sp|sb|sd|portfolios|exports|streams|adsApi)/", re.IGNORECASE
)
"""Amazon's documented paths. Those that have no route here get Amazon's answer to an unknown path."""
_MOST_RESULTS = 1000
_ROUTES = Map(
    [
        Rule("/auth/o2/token", endpoint="token", methods=["POST"]),
        Rule("/report-files/<report_id>.json.gz", endpoint="file", methods=["GET"]),
        Rule("/v2/profiles", endpoint="profiles", methods=["GET"]),
        Rule("/reporting/reports", endpoint="create", methods=["POST"]),
        Rule("/reporting/reports/<report_id>", endpoint="report", methods=["GET"]),
        Rule("/reporting/reports/<report_id>", endpoint="delete", methods=["DELETE"]),
        *(Rule(path, endpoint="list", defaults={"path": path}, methods=["POST"]) for path in LISTS),
        *(Rule(path, endpoint="get", defaults={"path": path}, methods=["GET"]) for path in GETS),
    ],
    merge_slashes=False,
    redirect_defaults=False,
).bind("advertising-api.amazon.com")


class AmazonApi(PlatformApi):
    """Answers as Amazon's token host, API hosts and report storage do."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._login = Login(outside)
        reports = Reports(outside)
        self._open: dict[str, Callable[..., Response]] = {"token": self._login.token, "file": reports.download}
        self._scoped: dict[str, Callable[..., Response]] = {
            "create": reports.create,
            "report": reports.describe,
            "delete": reports.delete,
            "list": self._list,
            "get": self._get,
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
        """Every refusal becomes a JSON body with `code` and a text."""
        region, path = split_region(request.host, request.path)
        try:
            return self._route(request, region, path)
        except AmazonRefusal as refusal:
            return refusal.answer(path)

    def _route(self, request: PlatformRequest, region: str, path: str) -> Response:
        """Call the path's endpoint; token and scope are checked before a path or method is called unknown."""
        endpoint, values, fault = "", dict[str, str](), None
        try:
            endpoint, found = _ROUTES.match(path, method=request.method)
            values = dict(found)
        except MethodNotAllowed:
            fault = AmazonRefusal(405, "Method Not Allowed", "METHOD_NOT_ALLOWED")
        except NotFound:
            fault = AmazonRefusal(404, f"Method {request.method} of {path} is not known", "NOT_FOUND")
        if endpoint in self._open:
            return self._open[endpoint](request, **values)
        company = self._login.company(request)
        if endpoint == "profiles":
            return self._profiles(request, company, region)
        profile = self._scope(company, request, region)
        self._refuse(profile.id)
        if fault is not None:
            raise fault
        return self._scoped[endpoint](request, profile, **values)

    def _scope(self, company: Company, request: PlatformRequest, region: str) -> WorldProfile:
        """The profile that the scope header names. Raises Amazon's refusals."""
        scope = self.profile_id(request)
        if not scope:
            raise bad_request("Missing 'Amazon-Advertising-API-Scope' header")
        if not scope.isdecimal():
            raise bad_request("Malformed 'Amazon-Advertising-API-Scope' header")
        profile = self.outside.world.profile(PLATFORM, scope)
        if profile is None or profile not in company.profiles or region not in ("", profile.region):
            raise AmazonRefusal(401, f"Not authorized to access scope {scope}", "UNAUTHORIZED")
        if self.outside.switches.take("access_denied", PLATFORM, scope) is not None:
            raise AmazonRefusal(403, f"Not authorized to manage this profile {scope}", "UNAUTHORIZED")
        return profile

    def _refuse(self, profile_id: str) -> None:
        """Raise when the profile is throttled or the platform is down."""
        options = self.outside.switches.take("throttle", PLATFORM, profile_id)
        if options is not None:
            wait = options.get("retry_after")
            headers = {} if wait is None else {"Retry-After": str(wait)}
            raise AmazonRefusal(429, "Too Many Requests", "429", headers)
        options = self.outside.switches.take("server_error", PLATFORM, profile_id)
        if options is not None:
            status = int(options.get("status", 503))
            raise AmazonRefusal(status, "Internal error. Please try again", "INTERNAL_ERROR")

    def _profiles(self, request: PlatformRequest, company: Company, region: str) -> Response:
        """The company's profiles in the region that was asked."""
        kinds = request.args.get("profileTypeFilter", "seller,vendor,agency").split(",")
        owned = [p for p in company.on(PLATFORM) if region in ("", p.region) and p.kind in kinds]
        return json_answer([profile_entry(profile) for profile in owned])

    def _list(self, request: PlatformRequest, profile: WorldProfile, path: str) -> Response:
        """A v3 or v4 list: both media types enforced, filters, nextToken until the last page."""
        product, key, media = LISTS[path]
        for name in ("Content-Type", "Accept"):
            if request.headers.get(name, "").partition(";")[0].strip().lower() != media.lower():
                text = f"Cannot consume content type; {name.lower()} must be {media}"
                raise AmazonRefusal(415, text, "UNSUPPORTED_MEDIA_TYPE")
        try:
            body = json.loads(request.get_data() or b"{}")
            most, start = int(body.get("maxResults", 100)), _start(body.get("nextToken"))
            items = select(objects(self.outside.world, profile, product, key), body)
        except (ValueError, AttributeError, TypeError, binascii.Error):
            raise bad_request("The request body cannot be read") from None
        if not 1 <= most <= _MOST_RESULTS:
            raise bad_request(f"maxResults must be between 1 and {_MOST_RESULTS}")
        answer: dict[str, Any] = {key: items[start : start + most], "totalResults": len(items)}
        headers = {"Content-Type": media}
        if start + most >= len(items):
            return json_answer(answer, headers=headers)
        answer["nextToken"] = base64.b64encode(f"from:{start + most}".encode()).decode()
        options = self.outside.switches.take("truncated_paging", PLATFORM, profile.id)
        if options is None:
            return json_answer(answer, headers=headers)
        if options.get("mode") == "cut":
            return broken_off(json_answer(answer, headers=headers))
        del answer["nextToken"]
        return json_answer(answer, headers=headers)

    def _get(self, request: PlatformRequest, profile: WorldProfile, path: str) -> Response:
        """An older list: startIndex and count, a bare array."""
        items = select(objects(self.outside.world, profile, *GETS[path]), {})
        if "stateFilter" in request.args:
            states = request.args["stateFilter"].lower().split(",")
            items = [item for item in items if str(item["state"]).lower() in states]
        start, count = request.args.get("startIndex", "0"), request.args.get("count", "5000")
        if not (start.isdecimal() and count.isdecimal()):
            raise bad_request("startIndex and count must be numbers")
        return json_answer(items[int(start) : int(start) + int(count)])


def _start(token: str | None) -> int:
    """The place at which the page of a nextToken starts."""
    return int(base64.b64decode(token).decode().removeprefix("from:")) if token else 0
