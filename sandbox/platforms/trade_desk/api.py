"""The Trade Desk over the world: routes, tokens, and what is refused before anything is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.trade_desk.downloads import Downloads
from sandbox.platforms.trade_desk.errors import DeskRefusal
from sandbox.platforms.trade_desk.lists import KINDS, DeskLists
from sandbox.platforms.trade_desk.login import DeskLogin
from sandbox.platforms.trade_desk.population import PLATFORM
from sandbox.platforms.trade_desk.schedules import Schedules
from sandbox.switches import Switch
from sandbox.web import PlatformRequest

PATHS = re.compile(r"/(v3/|reportdownload/|reportstorage/)")
_SCHEDULES = "/v3/myreports/reportschedule"


def _rules() -> Iterator[Rule]:
    yield Rule("/v3/authentication", endpoint="authenticate", methods=["POST"])
    yield Rule("/reportdownload/<schedule_id>", endpoint="download", methods=["GET"])
    yield Rule("/reportstorage/<schedule_id>", endpoint="stored", methods=["GET"])
    yield Rule("/v3/partner/query", endpoint="partners", methods=["POST"])
    yield Rule("/v3/partner/<entity_id>", endpoint="partner", methods=["GET"])
    yield Rule("/v3/advertiser/query/partner", endpoint="advertisers", methods=["POST"])
    yield Rule("/v3/advertiser/<entity_id>", endpoint="advertiser", methods=["GET"])
    yield Rule("/v3/trackingtag/query/advertiser", endpoint="tags", methods=["POST"])
    yield Rule("/v3/campaignflight/query/campaign", endpoint="flights", methods=["POST"])
    yield Rule("/v3/delta/advertiser/query/partner", endpoint="advertiser_delta", methods=["POST"])
    for kind in KINDS:
        under = {"kind": kind, "parent": "advertiser"}
        yield Rule(f"/v3/{kind}/query/advertiser", endpoint="query", defaults=under, methods=["POST"])
        yield Rule(f"/v3/{kind}/<entity_id>", endpoint="one", defaults={"kind": kind}, methods=["GET"])
        yield Rule(f"/v3/delta/{kind}/query/advertiser", endpoint="delta", defaults={"kind": kind}, methods=["POST"])
    of_campaign = {"kind": "adgroup", "parent": "campaign"}
    yield Rule("/v3/adgroup/query/campaign", endpoint="query", defaults=of_campaign, methods=["POST"])
    yield Rule("/v3/myreports/reporttemplateheader/query", endpoint="templates", methods=["POST"])
    yield Rule(_SCHEDULES, endpoint="create", methods=["POST"])
    yield Rule(f"{_SCHEDULES}/query", endpoint="schedules", methods=["POST"])
    yield Rule(f"{_SCHEDULES}/<schedule_id>", endpoint="read", methods=["GET"])
    yield Rule(f"{_SCHEDULES}/<schedule_id>", endpoint="delete", methods=["DELETE"])
    for of in ("advertisers", "partners"):
        path = f"/v3/myreports/reportexecution/query/{of}"
        yield Rule(path, endpoint="executions", defaults={"of": of}, methods=["POST"])


_ROUTES = Map(list(_rules()), merge_slashes=False, redirect_defaults=False).bind("api.thetradedesk.com")


class DeskApi(PlatformApi):
    """Answers as The Trade Desk's REST API and its download hosts do. The tokens here may only read and report."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._login = DeskLogin(outside)
        downloads, lists = Downloads(outside, self._login), DeskLists(outside)
        schedules = Schedules(outside, lists, downloads)
        self._files: dict[str, Callable[..., Response]] = {"download": downloads.download, "stored": downloads.stored}
        self._granted: dict[str, Callable[..., Response]] = {
            "partners": lists.partners,
            "partner": lists.partner,
            "advertisers": lists.advertisers,
            "advertiser": lists.advertiser,
            "tags": lists.tags,
            "flights": lists.flights,
            "query": lists.query,
            "one": lists.one,
            "delta": lists.delta,
            "advertiser_delta": lists.advertiser_delta,
            "templates": schedules.templates,
            "create": schedules.create,
            "schedules": schedules.query,
            "read": schedules.read,
            "delete": schedules.delete,
            "executions": schedules.executions,
        }

    def profile_id(self, request: PlatformRequest) -> str:
        """The advertiser that the path or the body names; empty where a request is about a partner."""
        if request.path.startswith("/v3/advertiser/") and request.method == "GET":
            return request.path.rpartition("/")[2]
        try:
            body = json.loads(request.get_data() or b"{}")
        except ValueError:
            return ""
        if not isinstance(body, dict):
            return ""
        named = body.get("AdvertiserId") or next(
            iter(body.get("AdvertiserIds") or body.get("AdvertiserFilters") or []), ""
        )
        return named if isinstance(named, str) else ""

    def act_at_once(self, switch: Switch) -> bool:
        """Expire, for good, the tokens issued so far."""
        if switch.kind != "expired_token":
            return False
        self._login.expire(switch)
        return True

    def handle(self, request: PlatformRequest) -> Response:
        """Every refusal becomes a status and a message, with the request's id in a header."""
        try:
            answer = self._route(request)
        except DeskRefusal as refusal:
            answer = refusal.answer()
        answer.headers["x-ttd-request-id"] = "00000000-5a5a-4000-8000-000000000000"
        return answer

    def _route(self, request: PlatformRequest) -> Response:
        """Call the path's endpoint; the token is checked before a path is called unknown."""
        try:
            endpoint, values = _ROUTES.match(request.path, method=request.method)
        except (MethodNotAllowed, NotFound):
            endpoint, values = "", {}
        if endpoint in self._files:
            return self._files[endpoint](request, **values)
        self._refuse(request)
        if endpoint == "authenticate":
            return self._login.authenticate(request)
        grant = self._login.grant(request)
        if endpoint not in self._granted:
            raise DeskRefusal(404, f"No resource was found that matches {request.method} {request.path}.")
        return self._granted[endpoint](request, grant, **values)

    def _refuse(self, request: PlatformRequest) -> None:
        """Raise when the caller is throttled, the platform is down, or the endpoint is retired."""
        take, profile_id = self.outside.switches.take, self.profile_id(request)
        throttled = take("throttle", PLATFORM, profile_id)
        if throttled is not None:
            wait = throttled.get("retry_after")
            headers = {} if wait is None else {"Retry-After": str(wait)}
            raise DeskRefusal(int(throttled.get("status", 429)), "Too Many Requests", headers=headers)
        broken = take("server_error", PLATFORM, profile_id)
        if broken is not None:
            raise DeskRefusal(int(broken.get("status", 500)), "An error has occurred.")
        if take("gone", PLATFORM, profile_id, request.path) is not None:
            raise DeskRefusal(410, "The request uses a deprecated endpoint or property.")
