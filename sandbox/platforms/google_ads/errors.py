"""Google's errors: a google.rpc.Status as JSON, with a GoogleAdsFailure in its details (Google Ads API, Errors)."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.web import json_answer

_STATUSES = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: (
        "UNAUTHENTICATED",
        "Request is missing required authentication credential. Expected OAuth 2 access token.",
    ),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    500: ("INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}


class GoogleAdsError(Exception):
    """A refusal. `category` and `code`: the error's code, such as queryError and UNRECOGNIZED_FIELD; no category: no
    GoogleAdsFailure. `field`: where in the request. `details`: an error's further details.
    """

    def __init__(
        self,
        category: str,
        code: str,
        message: str,
        *,
        status: int = 400,
        field: str = "",
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.category, self.code = status, category, code
        self.message = message.encode("utf-8", "replace").decode()  # half a character that was asked for is no text
        self.field, self.details = field, details

    def body(self, request_id: str, version: str) -> dict[str, Any]:
        """`{"error": …}`."""
        name, text = _STATUSES.get(self.status, _STATUSES[500])
        error: dict[str, Any] = {"code": self.status, "message": text, "status": name}
        if self.category:
            failure = f"type.googleapis.com/google.ads.googleads.{version}.errors.GoogleAdsFailure"
            error["details"] = [{"@type": failure, "errors": [self._error()], "requestId": request_id}]
        return {"error": error}

    def _error(self) -> dict[str, Any]:
        found: dict[str, Any] = {"errorCode": {self.category: self.code}, "message": self.message}
        if self.field:
            found["location"] = {"fieldPathElements": [{"fieldName": self.field}]}
        if self.details:
            found["details"] = self.details
        return found


def query_error(code: str, message: str) -> GoogleAdsError:
    """A query that Google does not take."""
    return GoogleAdsError("queryError", code, message, field="query")


def request_error(code: str, message: str, field: str = "") -> GoogleAdsError:
    """A request that Google does not take."""
    return GoogleAdsError("requestError", code, message, field=field)


def denied(code: str, message: str) -> GoogleAdsError:
    """A customer that may not be read."""
    return GoogleAdsError("authorizationError", code, message, status=403)


def duration(seconds: float) -> str:
    """A duration as protobuf's JSON writes it: `"60s"`, `"0.900s"`."""
    micros = round(seconds * 1_000_000)
    whole, rest = divmod(micros, 1_000_000)
    if not rest:
        return f"{whole}s"
    return f"{whole}.{rest // 1000:03d}s" if rest % 1000 == 0 else f"{whole}.{rest:06d}s"


def exhausted(options: dict[str, Any]) -> GoogleAdsError:
    """A quota is used up: `retry_after` seconds, `code`, `scope` (DEVELOPER or ACCOUNT), `rate`."""
    quota: dict[str, Any] = {
        "rateScope": str(options.get("scope", "DEVELOPER")),
        "rateName": str(options.get("rate", "Number of operations for basic access")),
    }
    if options.get("retry_after") is not None:
        quota["retryDelay"] = duration(float(options["retry_after"]))
    code = str(options.get("code", "RESOURCE_EXHAUSTED"))
    details = {"quotaErrorDetails": quota}
    return GoogleAdsError("quotaError", code, "Too many requests.", status=429, details=details)


def page(status: int, title: str) -> Response:
    """An answer of Google's front end, which is no JSON."""
    text = f"<!DOCTYPE html>\n<html lang=en><title>Error {status} ({title})!!1</title><p><b>{status}.</b> {title}\n"
    return Response(text, status, content_type="text/html; charset=UTF-8")


def error_answer(error: GoogleAdsError, request_id: str, version: str, *, streamed: bool) -> Response:
    """The refusal; a streamed method's stands in an array of one element."""
    body = error.body(request_id, version)
    return json_answer([body] if streamed else body, error.status, {"request-id": request_id})
