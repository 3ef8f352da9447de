"""Microsoft Advertising over the world: routes, tokens and headers, and what is refused before anything is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.microsoft_ads.bodies import body_of, long
from sandbox.platforms.microsoft_ads.campaigns import MicrosoftCampaigns
from sandbox.platforms.microsoft_ads.customers import MicrosoftCustomers
from sandbox.platforms.microsoft_ads.errors import MicrosoftRefusal
from sandbox.platforms.microsoft_ads.login import MicrosoftGrant, MicrosoftLogin
from sandbox.platforms.microsoft_ads.population import PLATFORM
from sandbox.platforms.microsoft_ads.reports import STORAGE, MicrosoftReports
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, json_answer

_CUSTOMER, _CAMPAIGN, _REPORTING = "/CustomerManagement/v13", "/CampaignManagement/v13", "/Reporting/v13"
PREFIX = "/bingads"
"""Before the documented paths where no Host header says whose they are: another platform has a /reporting/ too."""
PATHS = re.compile(
    rf"({PREFIX})?/(CustomerManagement|CampaignManagement|Reporting)/v13/|/[^/]+/oauth2/v2\.0/token$|/microsoft-report-"
)
_POSTS = {
    f"{_CUSTOMER}/User/Query": "user",
    f"{_CUSTOMER}/Accounts/Search": "search",
    f"{_CUSTOMER}/AccountsInfo/Query": "accounts_info",
    f"{_CUSTOMER}/Account/Query": "account",
    f"{_CAMPAIGN}/Campaigns/QueryByAccountId": "campaigns",
    f"{_CAMPAIGN}/AdGroups/QueryByCampaignId": "ad_groups",
    f"{_CAMPAIGN}/Ads/QueryByAdGroupId": "ads",
    f"{_CAMPAIGN}/Keywords/QueryByAdGroupId": "keywords",
    f"{_REPORTING}/GenerateReport/Submit": "submit",
    f"{_REPORTING}/GenerateReport/Poll": "poll",
    "/<tenant>/oauth2/v2.0/token": "token",
}
_ROUTES = Map(
    [
        *(Rule(path, endpoint=endpoint, methods=["POST"]) for path, endpoint in _POSTS.items()),
        Rule(f"{STORAGE}/<report_id>.zip", endpoint="download", methods=["GET"]),
    ],
    merge_slashes=False,
).bind("api.bingads.microsoft.com")


class MicrosoftApi(PlatformApi):
    """Answers as the REST interface, the token endpoint and the storage of report files do."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._login = MicrosoftLogin(outside)
        self._customers, campaigns = MicrosoftCustomers(outside), MicrosoftCampaigns(outside)
        self._reports = MicrosoftReports(outside, self._login.grants)
        self._of_customers: dict[str, Callable[..., Response]] = {
            "user": self._customers.user,
            "search": self._customers.search,
            "accounts_info": self._customers.accounts_info,
            "account": self._customers.account,
        }
        self._of_campaigns: dict[str, Callable[..., Response]] = {
            "campaigns": campaigns.campaigns,
            "ad_groups": campaigns.ad_groups,
            "ads": campaigns.ads,
            "keywords": campaigns.keywords,
        }

    def profile_id(self, request: PlatformRequest) -> str:
        """The header's ad account, or the first in a report's scope; empty where a request names none."""
        if request.headers.get("CustomerAccountId"):
            return request.headers["CustomerAccountId"]
        try:
            asked = json.loads(request.get_data() or b"{}")["ReportRequest"]["Scope"]["AccountIds"][0]
        except (ValueError, KeyError, TypeError, IndexError):
            return ""
        return long(asked) or ""

    def act_at_once(self, switch: Switch) -> bool:
        """Expire, for good, the access tokens issued so far."""
        if switch.kind != "expired_token":
            return False
        self._login.expire(switch)
        return True

    def handle(self, request: PlatformRequest) -> Response:
        """Every refusal becomes a fault; operation errors of Customer Management have no symbolic code."""
        try:
            return self._route(request)
        except MicrosoftRefusal as refusal:
            return refusal.answer(named=not request.path.removeprefix(PREFIX).startswith(_CUSTOMER))

    def _route(self, request: PlatformRequest) -> Response:
        try:
            endpoint, values = _ROUTES.match(request.path.removeprefix(PREFIX), method=request.method)
        except MethodNotAllowed:
            return json_answer({"Message": "The requested resource does not support this method."}, 405)
        except NotFound:
            return json_answer({"Message": f"No resource was found that matches {request.path}."}, 404)
        if endpoint == "download":
            return self._reports.download(request, **values)
        self._refuse(request)
        if endpoint == "token":
            return self._login.token(request, **values)
        grant = self._login.grant(request)
        body = body_of(request)
        if endpoint in self._of_customers:
            return self._of_customers[endpoint](grant, body)
        return self._about_account(endpoint, request, grant)

    def _about_account(self, endpoint: str, request: PlatformRequest, grant: MicrosoftGrant) -> Response:
        """The services that need the account's headers."""
        body = body_of(request)
        account_id, customer_id = (long(request.headers.get(name)) for name in ("CustomerAccountId", "CustomerId"))
        if endpoint in self._of_campaigns:
            if account_id is None:
                raise MicrosoftRefusal(1030)
            if customer_id is None:
                raise MicrosoftRefusal(116, "CustomerId")
            account = self._customers.owned(grant, account_id, customer_id)
            return self._of_campaigns[endpoint](grant.profiles[account.id], account, body)
        if customer_id is None or account_id is None:
            raise MicrosoftRefusal(116, "CustomerId, CustomerAccountId")
        self._customers.owned(grant, account_id, customer_id)
        return self._reports.submit(grant, body) if endpoint == "submit" else self._reports.poll(request, grant, body)

    def _refuse(self, request: PlatformRequest) -> None:
        """Raise when the caller is throttled or the platform is down."""
        take, profile_id = self.outside.switches.take, self.profile_id(request)
        throttled = take("throttle", PLATFORM, profile_id)
        if throttled is not None:
            raise MicrosoftRefusal(int(throttled.get("code", 117)), status=int(throttled.get("status", 0)))
        broken = take("server_error", PLATFORM, profile_id)
        if broken is not None:
            raise MicrosoftRefusal(0, status=int(broken.get("status", 500)))
