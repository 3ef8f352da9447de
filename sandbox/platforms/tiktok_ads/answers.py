"""TikTok's envelope: every answer of the API is HTTP 200 with a code, and only code 0 is a success.

Source of the codes' names: tiktok/tiktok-business-api-sdk, tiktok_code.py. The texts are those that clients have
received where one is known, else they follow the name.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from werkzeug.wrappers import Response

from sandbox.web import json_answer

OK: Final = 0
PARTIAL: Final = 20001
BAD_PARAMETERS: Final = 40002

MESSAGES: Final = {
    PARTIAL: "Partial success",
    40000: "Invalid params",
    40001: "No permission to operate the advertiser",
    BAD_PARAMETERS: "Invalid parameters",
    40003: "Forbidden",
    40006: "Version error",
    40007: "The object does not exist",
    40016: "The app's requests are limited by the business flow control",
    40050: "Duplicated request",
    40051: "Invalid API version",
    40067: "The query is too large. Please reduce the time range or the number of ids",
    40100: "App reaches the QPS limit.",
    40101: "The secret does not match the app_id",
    40102: "Access token is expired",
    40104: "Access token is empty",
    40105: "Access token is incorrect or has been revoked.",
    40106: "The access token does not cover the advertiser",
    40110: "Auth_code is used or expired",
    40113: "The app is forbidden",
    40114: "The advertiser has logged out",
    40117: "The app may not call this method",
    40118: "Your app is not in the allowlist of this feature",
    40119: "The advertisers do not belong to the same identity",
    40124: "The developer was rejected",
    40125: "The developer has no permission",
    40130: "The scope is not authorized",
    40132: "The request frequency is limited",
    40133: "The advertiser's requests to this path are too frequent",
    40200: "General task error",
    40201: "Task is not ready",
    40202: "Write conflict",
    40300: "The advertiser does not exist",
    40301: "The advertiser is not matched",
    40700: "RPC validation error",
    41000: "The IP address is blocked",
    41001: "The interface is offline",
    41002: "The fields are offline",
    50000: "System error",
    50002: "Error processing request on TikTok side. Please see error message for details.",
    51001: "Statistics service error",
    51010: "Internal service timed out. Please retry.",
    51037: "Async task error",
    60001: "The system is under maintenance",
    61000: "Too many requests. Your requests are blocked",
}
"""What a code means; those of the reference and of its second reading."""

_numbers = count(1)


class TikTokRefusal(Exception):
    """An answer that is not a success. `data` may be usable all the same (code 20001)."""

    def __init__(self, code: int, message: str = "", data: Any = None) -> None:
        super().__init__(message or MESSAGES.get(code, "Error"))
        self.code, self.data = code, {} if data is None else data

    def answer(self) -> Response:
        """The envelope, with HTTP status 200."""
        return envelope(self.data, self.code, str(self))


def wrong(message: str) -> TikTokRefusal:
    """The refusal of a parameter."""
    return TikTokRefusal(BAD_PARAMETERS, message)


def envelope(data: Any, code: int = OK, message: str = "OK", headers: Mapping[str, str] | None = None) -> Response:
    """`{"code", "message", "request_id", "data"}`."""
    request_id = f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}{next(_numbers):018X}"
    return json_answer({"code": code, "message": message, "request_id": request_id, "data": data}, 200, headers)


def no_route() -> Response:
    """A path without its slash, or one that does not exist: the gateway's own words, without an envelope."""
    return Response("404 page not found", 404, content_type="text/plain")
