"""The Google Ads API over the world: the token host, versions, who may read which customer, routes."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.google_ads.accounts import CANCELED, GoogleAccount, GoogleEstate
from sandbox.platforms.google_ads.catalogue import described
from sandbox.platforms.google_ads.errors import GoogleAdsError, denied, error_answer, page, request_error
from sandbox.platforms.google_ads.facts import camel
from sandbox.platforms.google_ads.faults import broken, front_end, refuse
from sandbox.platforms.google_ads.invoices import invoices
from sandbox.platforms.google_ads.login import GoogleLogin
from sandbox.platforms.google_ads.population import PLATFORM, estate
from sandbox.platforms.google_ads.search import GoogleCall, GoogleSearch
from sandbox.switches import Switch
from sandbox.web import PlatformRequest, broken_off, json_answer

PATHS = re.compile(r"/v\d+/(customers|googleAdsFields)\b|/(o/oauth2/)?token$")
_VERSIONED = re.compile(r"/v(\d+)/(.*)")
_METHOD = re.compile(r"customers/([^/:]*)/(googleAds:search|googleAds:searchStream)")
_INVOICES = re.compile(r"customers/([^/:]*)/invoices")
_LATEST, _OLDEST, _REMEMBERED = 26, 23, 19
"""The versions that are answered; below them, those that Google still calls unsupported (Deprecation and sunset)."""
_SEARCH = {"query", "pageToken", "pageSize", "validateOnly", "searchSettings", "customerId"}
_STREAM = {"query", "summaryRowSetting", "customerId"}


class GoogleApi(PlatformApi):
    """Answers as googleads.googleapis.com and Google's token endpoint do."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._login = GoogleLogin(outside)
        self._search = GoogleSearch(outside)

    def profile_id(self, request: PlatformRequest) -> str:
        """The customer that the path names."""
        found = re.search(r"/customers/([^/:]+)", request.path)
        return found[1] if found else ""

    def act_at_once(self, switch: Switch) -> bool:
        """Expire, for good, the access tokens issued so far."""
        if switch.kind != "expired_token":
            return False
        self._login.expire(switch)
        return True

    def handle(self, request: PlatformRequest) -> Response:
        """Every refusal becomes a google.rpc.Status; what is no API call gets a page of the front end."""
        found = _VERSIONED.fullmatch(request.path)
        if found is None:
            if request.method == "POST" and PATHS.fullmatch(request.path):
                return self._login.token(request)
            return page(404, "Not Found")
        number, path = int(found[1]), found[2]
        if not _REMEMBERED <= number <= _LATEST:
            return page(404, "Not Found")
        faulty = front_end(self.outside, self.profile_id(request))
        if faulty is not None:
            return faulty
        version, request_id = f"v{number}", secrets.token_urlsafe(16)
        try:
            if number < _OLDEST:
                raise request_error(
                    "UNSUPPORTED_VERSION", f"Version {version} is deprecated. Requests to this version will be blocked."
                )
            return self._route(request, path, version, request_id)
        except GoogleAdsError as error:
            return error_answer(error, request_id, version, streamed=path.endswith("searchStream"))

    def _route(self, request: PlatformRequest, path: str, version: str, request_id: str) -> Response:
        """The token is checked before a path or a method is called unknown."""
        company = self._login.company(request)
        own = estate(company)
        method = _METHOD.fullmatch(path)
        if method is not None and request.method == "POST":
            streamed = method[2].endswith("Stream")
            call = self._call(request, own, method[1], request_id, _STREAM if streamed else _SEARCH)
            return self._streamed(call, version) if streamed else self._paged(call)
        if request.method == "GET" and path == "customers:listAccessibleCustomers":
            return self._answer({"resourceNames": [f"customers/{one}" for one in own.direct]}, request_id)
        if request.method == "GET" and (found := _INVOICES.fullmatch(path)):
            account = self._account(request, own, found[1])
            refuse(self.outside, account.id)
            return self._answer(invoices(self.outside.bills, account, request.args), request_id)
        if request.method == "GET" and path.startswith("googleAdsFields/"):
            return self._answer(described(path.removeprefix("googleAdsFields/")), request_id)
        return page(404, "Not Found")

    def _answer(self, value: Any, request_id: str) -> Response:
        return json_answer(value, headers={"request-id": request_id})

    # -- who may read what ---------------------------------------------------------------------------------------

    def _call(
        self, request: PlatformRequest, own: GoogleEstate, customer: str, request_id: str, names: set[str]
    ) -> GoogleCall:
        account = self._account(request, own, customer)
        refuse(self.outside, customer)
        return GoogleCall(own, account, _body(request, names), request_id)

    def _account(self, request: PlatformRequest, own: GoogleEstate, customer: str) -> GoogleAccount:
        """The customer, when the user may read it with this login-customer-id (Google Ads API, Access model).

        The header developer-token is ignored, as since its sunset of 2026-09-09.
        """
        login = request.headers.get("login-customer-id", "")
        if login and not _is_id(login):
            text = "The login customer ID in the header is not valid: it has digits only."
            raise GoogleAdsError("headerError", "INVALID_LOGIN_CUSTOMER_ID", text)
        if not _is_id(customer):
            raise request_error("INVALID_CUSTOMER_ID", f"Invalid customer ID '{customer}'.", "customer_id")
        if customer not in own.accounts or not own.opens(customer, login):
            text = (
                "User doesn't have permission to access customer. Note: If you're accessing a client customer, the "
                "manager's customer id must be set in the 'login-customer-id' header."
            )
            raise denied("USER_PERMISSION_DENIED", text)
        account = own.accounts[customer]
        if account.status == CANCELED:
            text = "The customer account can't be accessed because it is not yet enabled or has been deactivated."
            raise denied("CUSTOMER_NOT_ENABLED", text)
        return account

    # -- answers -------------------------------------------------------------------------------------------------

    def _paged(self, call: GoogleCall) -> Response:
        answer = self._search.page(call)
        if "nextPageToken" not in answer:
            return self._answer(answer, call.request_id)
        options = self.outside.switches.take("truncated_paging", PLATFORM, call.account.id)
        mode = "" if options is None else str(options.get("mode", "no_next"))
        if mode == "no_next":
            del answer["nextPageToken"]
        response = self._answer(answer, call.request_id)
        return broken_off(response) if mode == "cut" else response

    def _streamed(self, call: GoogleCall, version: str) -> Response:
        batches = self._search.batches(call)
        take = self.outside.switches.take
        options = take("stream_error", PLATFORM, call.account.id)
        if options is not None:
            kept = batches[: int(options.get("batches", 1))]
            batches = [*kept, broken(int(options.get("status", 500))).body(call.request_id, version)]
        response = self._answer(batches, call.request_id)
        cut = take("truncated_paging", PLATFORM, call.account.id)
        return response if cut is None else broken_off(response)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _body(request: PlatformRequest, names: set[str]) -> dict[str, Any]:
    """The request's JSON, whose names may be in lowerCamelCase or with underscores. Raises for others."""
    try:
        decoded = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise GoogleAdsError("", "", "", status=400) from None
    if not isinstance(decoded, dict):
        raise GoogleAdsError("", "", "", status=400)
    found = {camel(name): value for name, value in decoded.items()}
    if not set(found) <= names:
        raise GoogleAdsError("", "", "", status=400)
    return found
