"""Meta's error bodies and usage headers (Marketing API, Error Codes and Rate Limiting)."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Response

from sandbox.web import json_answer

THROTTLES = {
    4: (1504022, "(#4) Application request limit reached"),
    17: (2446079, "(#17) User request limit reached"),
    32: (0, "(#32) Page request limit reached"),
    613: (1487742, "(#613) Calls to this api have exceeded the rate limit."),
    80000: (2446079, "(#80000) There have been too many calls from this ad-account. Wait a bit and try again."),
    80004: (2446079, "(#80004) There have been too many calls to this ad-account. Wait a bit and try again."),
}


class GraphError(Exception):
    """An answer `{"error": {...}}`; `headers` replace usual headers of the same names."""

    def __init__(
        self,
        message: str,
        code: int,
        *,
        subcode: int = 0,
        status: int = 400,
        kind: str = "OAuthException",
        transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        self.error: dict[str, Any] = {"message": message, "type": kind, "code": code}
        if subcode:
            self.error["error_subcode"] = subcode
        self.error |= {"is_transient": transient, "fbtrace_id": "ASandboxTrace"}

    def answer(self, headers: dict[str, str]) -> Response:
        """The answer, with the usual headers under its own."""
        return json_answer({"error": self.error}, self.status, headers | self.headers)


def usage(profile_id: str, percent: int, regain_minutes: int = 0) -> dict[str, str]:
    """The four usage headers that come with every answer about an ad account."""
    tier = "standard_access"
    business = {
        "type": "ads_insights",
        "call_count": percent,
        "total_cputime": percent // 4,
        "total_time": percent // 5,
        "estimated_time_to_regain_access": regain_minutes,
        "ads_api_access_tier": tier,
    }
    return {
        "x-business-use-case-usage": json.dumps({profile_id: [business]}),
        "x-fb-ads-insights-throttle": json.dumps(
            {"app_id_util_pct": percent, "acc_id_util_pct": percent, "ads_api_access_tier": tier}
        ),
        "x-ad-account-usage": json.dumps(
            {"acc_id_util_pct": percent, "reset_time_duration": regain_minutes * 60, "ads_api_access_tier": tier}
        ),
        "x-app-usage": json.dumps({"call_count": percent, "total_time": percent, "total_cputime": percent}),
    }


def throttled(profile_id: str, options: dict[str, Any]) -> GraphError:
    """Too many calls, by the switch's options `code`, `subcode`, `status` and `regain_minutes` (default 1)."""
    code = int(options.get("code", 80000))
    subcode, message = THROTTLES.get(code, (0, f"(#{code}) Too many calls"))
    subcode, status = int(options.get("subcode", subcode)), int(options.get("status", 400))
    error = GraphError(message, code, subcode=subcode, status=status)
    error.headers = usage(profile_id, 100, int(options.get("regain_minutes", 1)))
    return error


def too_much() -> GraphError:
    """The answer would be too large."""
    return GraphError("Please reduce the amount of data you're asking for, then retry your request", 1, status=500)


def expired() -> GraphError:
    """The access token's session has ended."""
    message = "Error validating access token: Session has expired. The current time is later than its end."
    return GraphError(message, 190, subcode=463, status=401)


def invalid(message: str) -> GraphError:
    """A parameter is wrong."""
    return GraphError(f"(#100) {message}", 100)


def nonexisting_field(name: str, kind: str) -> GraphError:
    """A node of this kind has no such edge or field."""
    return invalid(f"Tried accessing nonexisting field ({name}) on node type ({kind})")


def unknown_path(path: str) -> GraphError:
    """No node has such an edge."""
    return GraphError(f"(#2500) Unknown path components: /{path}", 2500)


def not_permitted_to_write() -> GraphError:
    """The token may read ads (ads_read), not change them."""
    message = "(#294) Managing advertisements requires an access token with the extended permission for ads_management"
    return GraphError(message, 294, status=403)


def no_capability() -> GraphError:
    """An edge of Meta's that this application may not read."""
    return GraphError("(#3) Application does not have the capability to make this API call.", 3)


def missing(node: str, method: str = "get") -> GraphError:
    """The node does not exist, or cannot be asked this way."""
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation."
    )
    return GraphError(message, 100, subcode=33, kind="GraphMethodException")
