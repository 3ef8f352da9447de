"""GoogleAdsService: `search` in pages, `searchStream` in batches."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

from sandbox.outside import Outside
from sandbox.platforms.google_ads.accounts import GoogleAccount, GoogleEstate
from sandbox.platforms.google_ads.checks import check
from sandbox.platforms.google_ads.errors import GoogleAdsError, request_error
from sandbox.platforms.google_ads.facts import CATEGORIES
from sandbox.platforms.google_ads.faults import spoiled, too_many
from sandbox.platforms.google_ads.gaql import GaqlQuery, parse
from sandbox.platforms.google_ads.periods import spelled_out
from sandbox.platforms.google_ads.population import PLATFORM
from sandbox.platforms.google_ads.rows import GaqlQuestion, GaqlResult, field_mask, result

PAGE_ROWS = 10_000
"""A page's rows (Google Ads API, Paging)."""
BATCH_ROWS = 500
"""A batch's rows; Google does not say how many it sends at once."""
PAGE_TOKEN_SECONDS = 7_200
_SETTINGS = ("omitResults", "returnSummaryRow", "returnTotalResultsCount")
_SUMMARIES = ("UNSPECIFIED", "UNKNOWN", "NO_SUMMARY_ROW", "SUMMARY_ROW_WITH_RESULTS", "SUMMARY_ROW_ONLY")


class GoogleCall(NamedTuple):
    """A request to read one account. `body`: its JSON, with the names in lowerCamelCase."""

    estate: GoogleEstate
    account: GoogleAccount
    body: Mapping[str, Any]
    request_id: str


class GoogleSearch:
    """Answers queries."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def page(self, call: GoogleCall) -> dict[str, Any]:
        """`googleAds:search`."""
        body, settings = call.body, call.body.get("searchSettings", {})
        if not isinstance(settings, dict) or not set(settings) <= set(_SETTINGS):
            raise GoogleAdsError("", "", "", status=400)
        if "pageSize" in body:
            text = "Setting the page size is not supported. Search Responses will have fixed page size of '10000' rows."
            raise request_error("PAGE_SIZE_NOT_SUPPORTED", text, "page_size")
        query = self._query(call)
        summarized = bool(settings.get("returnSummaryRow"))
        _check_summary(query, summarized=summarized, only_checked=bool(body.get("validateOnly")))
        start = self._offset(call, settings)
        if body.get("validateOnly"):
            if body.get("pageToken"):
                text = "A request that is validated only has no page token."
                raise request_error("VALIDATE_ONLY_REQUEST_HAS_PAGE_TOKEN", text)
            self._checked(call, query)
            return {}
        found = self._result(call, query)
        answer: dict[str, Any] = {"fieldMask": field_mask(query)}
        end = start + PAGE_ROWS
        if not settings.get("omitResults") and found.rows[start:end]:
            answer = {"results": found.rows[start:end], **answer}
        if end < len(found.rows):
            answer["nextPageToken"] = self._token(call, end, settings)
        else:
            answer["queryResourceConsumption"] = _consumption(found)
            if summarized:
                answer["summaryRow"] = {"metrics": found.summary}
        if settings.get("returnTotalResultsCount"):
            answer["totalResultsCount"] = str(found.total)
        return answer

    def batches(self, call: GoogleCall) -> list[dict[str, Any]]:
        """`googleAds:searchStream`: the elements of its array."""
        setting = call.body.get("summaryRowSetting", "NO_SUMMARY_ROW")
        if setting not in _SUMMARIES:
            raise GoogleAdsError("", "", "", status=400)
        query = self._query(call)
        summarized = setting.startswith("SUMMARY_ROW")
        _check_summary(query, summarized=summarized, only_checked=False)
        found = self._result(call, query)
        common = {"fieldMask": field_mask(query), "requestId": call.request_id}
        rows = [] if setting == "SUMMARY_ROW_ONLY" else found.rows
        cut = [rows[at : at + BATCH_ROWS] for at in range(0, len(rows), BATCH_ROWS)]
        batches: list[dict[str, Any]] = [{"results": some, **common} for some in cut] or [dict(common)]
        batches[-1]["queryResourceConsumption"] = _consumption(found)
        if summarized:
            batches.append({**common, "summaryRow": {"metrics": found.summary}})
        return batches

    # -- the query -----------------------------------------------------------------------------------------------

    def _query(self, call: GoogleCall) -> GaqlQuery:
        text = call.body.get("query")
        if not isinstance(text, str) or not text.strip():
            raise request_error("REQUIRED_FIELD_MISSING", "The required field was not present: query.", "query")
        return spelled_out(parse(text), self._today(call))

    def _today(self, call: GoogleCall) -> date:
        world, profile = self._outside.world, call.account.profile
        return world.moment(profile).today if profile else world.now.date()

    def _checked(self, call: GoogleCall, query: GaqlQuery) -> tuple[date, date]:
        return check(query, manager=call.account.manager, today=self._today(call))

    def _result(self, call: GoogleCall, query: GaqlQuery) -> GaqlResult:
        start, end = self._checked(call, query)
        world, account = self._outside.world, call.account
        moment = world.moment(account.profile) if account.profile else None
        asked = GaqlQuestion(self._outside, call.estate, account, query, start, end, moment)
        key = (PLATFORM, account.id, call.body["query"], world.now)
        if call.body.get("pageToken"):
            found = self._outside.remember(key, lambda: result(asked))
        else:
            found = result(asked)
            if len(found.rows) > PAGE_ROWS:
                self._outside.remember(key, lambda: found)
        counts = any(path.partition(".")[0] in CATEGORIES for path in query.select)
        if counts and self._outside.switches.take("empty", PLATFORM, account.id) is not None:
            return GaqlResult([], 0, {})
        too_many(self._outside, account.id, len(found.rows))
        return found._replace(rows=spoiled(self._outside, account.id, query, found.rows))

    # -- page tokens ---------------------------------------------------------------------------------------------

    def _token(self, call: GoogleCall, start: int, settings: Mapping[str, Any]) -> str:
        """Where the next page begins; it holds for two hours and for the same question of the same account."""
        made = {"at": start, "for": self._mark(call), "since": int(time.time()), "with": dict(settings)}
        made["mac"] = self._mac(made)
        return base64.urlsafe_b64encode(json.dumps(made).encode()).decode()

    def _offset(self, call: GoogleCall, settings: Mapping[str, Any]) -> int:
        """The first row of the page that is asked for. Raises Google's errors for a token that does not hold."""
        text = call.body.get("pageToken")
        if not text:
            return 0
        expired = request_error("EXPIRED_PAGE_TOKEN", "Page token expired.", "page_token")
        if self._outside.switches.take("expired_page_token", PLATFORM, call.account.id) is not None:
            raise expired
        invalid = request_error("INVALID_PAGE_TOKEN", "Page token is invalid.", "page_token")
        try:
            token = json.loads(base64.urlsafe_b64decode(str(text)))
            signed = hmac.compare_digest(self._mac(token), str(token["mac"]))
        except (ValueError, KeyError, TypeError):
            raise invalid from None
        if not signed or token["for"] != self._mark(call):
            raise invalid
        _check_same(token["with"], settings)
        if time.time() - token["since"] > PAGE_TOKEN_SECONDS:
            raise expired
        return int(token["at"])

    def _mark(self, call: GoogleCall) -> str:
        asked = json.dumps([call.account.id, call.body.get("query")])
        return sha256(asked.encode()).hexdigest()[:24]

    def _mac(self, token: Mapping[str, Any]) -> str:
        signed = json.dumps([token["at"], token["for"], token["since"], token["with"]], sort_keys=True)
        return hmac.new(str(self._outside.world.seed).encode(), signed.encode(), sha256).hexdigest()[:24]


def _check_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise when a page asks for a total or a summary that the first page did not."""
    if now.get("returnTotalResultsCount") and not before.get("returnTotalResultsCount"):
        text = "The total results count was not requested with the first page."
        raise request_error("TOTAL_RESULTS_COUNT_NOT_ORIGINALLY_REQUESTED", text)
    if bool(now.get("returnSummaryRow")) != bool(before.get("returnSummaryRow")):
        text = "Whether a summary row is returned must be the same for all pages."
        raise request_error("INCONSISTENT_RETURN_SUMMARY_ROW_VALUE", text)


def _check_summary(query: GaqlQuery, *, summarized: bool, only_checked: bool) -> None:
    if summarized and not query.chosen("metrics"):
        text = "Cannot return summary row for a request without metrics."
        raise request_error("CANNOT_RETURN_SUMMARY_ROW_FOR_REQUEST_WITHOUT_METRICS", text)
    if summarized and only_checked:
        text = "Cannot return summary row for a request that is validated only."
        raise request_error("CANNOT_RETURN_SUMMARY_ROW_FOR_VALIDATE_ONLY_REQUESTS", text)


def _consumption(found: GaqlResult) -> str:
    return str(10 + found.total // 10)
