"""The meaning of Google's errors (`google.ads.googleads.v26.errors`), as data.

An error is a status with a `GoogleAdsFailure` in its details; a stream has it inside an array, also after batches of
rows. The failure names each error by category and code: `{"quotaError": "RESOURCE_EXHAUSTED"}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from adweir.model import limits
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    NotApplicable,
    OutOfRetention,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.platforms.google_ads import RETENTION_DAYS
from adweir.platforms.http import Response, fault
from adweir.platforms.json_items import UNREADABLE

_GUESSED_WAIT = 5.0
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")
"""A protobuf duration as JSON: `60s`, `0.900s`."""


class GoogleError(msgspec.Struct):
    """One error of a failure."""

    error_code: dict[str, str] = msgspec.field(name="errorCode", default_factory=dict)
    message: str = ""
    details: dict[str, Any] = {}

    @property
    def codes(self) -> list[str]:
        """`category.CODE`, and `category` for a code that is not known here."""
        return [name for category, code in self.error_code.items() for name in (f"{category}.{code}", category)]


class _Detail(msgspec.Struct):
    errors: list[GoogleError] = []
    request_id: str = msgspec.field(name="requestId", default="")


class GoogleStatus(msgspec.Struct):
    """`error` of an answer. `code` is the HTTP status, also inside a stream that began with 200."""

    code: int = 0
    message: str = ""
    status: str = ""
    details: list[_Detail] = []

    @property
    def errors(self) -> list[GoogleError]:
        """The errors of its failure."""
        return [error for detail in self.details for error in detail.errors]

    @property
    def request_id(self) -> str:
        """By which Google finds the request."""
        return next((detail.request_id for detail in self.details if detail.request_id), "")[:60]


class _Envelope(msgspec.Struct):
    error: GoogleStatus | None = None


_envelope = msgspec.json.Decoder(_Envelope | list[_Envelope]).decode


class GoogleMeaning(StrEnum):
    """TOKEN: the access token is not valid (any more). PAGE: a page token is not. LESS: only a shorter question can be
    answered. NONE: the customer has no such thing (it pays by card, so nothing is invoiced)."""

    TOKEN = "token"  # noqa: S105  a kind of error
    AUTH = "auth"
    DENIED = "denied"
    QUOTA = "quota"
    RETENTION = "retention"
    LESS = "less"
    PAGE = "page"
    RETRY = "retry"
    REJECTED = "rejected"
    NONE = "none"


_BY_CODE: Mapping[str, GoogleMeaning] = {
    "authenticationError": GoogleMeaning.AUTH,
    "authenticationError.OAUTH_TOKEN_EXPIRED": GoogleMeaning.TOKEN,
    "authenticationError.OAUTH_TOKEN_INVALID": GoogleMeaning.TOKEN,
    "authenticationError.AUTHENTICATION_ERROR": GoogleMeaning.TOKEN,
    "authenticationError.CUSTOMER_NOT_FOUND": GoogleMeaning.DENIED,
    "authenticationError.CLIENT_CUSTOMER_ID_INVALID": GoogleMeaning.REJECTED,
    "authorizationError": GoogleMeaning.DENIED,
    "dateRangeError.REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED": GoogleMeaning.RETENTION,
    "databaseError.CONCURRENT_MODIFICATION": GoogleMeaning.RETRY,
    "headerError": GoogleMeaning.REJECTED,
    "internalError": GoogleMeaning.RETRY,
    "internalError.DEADLINE_EXCEEDED": GoogleMeaning.LESS,
    "invoiceError": GoogleMeaning.NONE,
    "queryError": GoogleMeaning.REJECTED,
    "queryError.DATE_RANGE_TOO_WIDE": GoogleMeaning.LESS,
    "quotaError": GoogleMeaning.QUOTA,
    "requestError": GoogleMeaning.REJECTED,
    "requestError.INVALID_PAGE_TOKEN": GoogleMeaning.PAGE,
    "requestError.EXPIRED_PAGE_TOKEN": GoogleMeaning.PAGE,
    "requestError.RPC_DEADLINE_TOO_SHORT": GoogleMeaning.LESS,
}
_BY_STATUS: Mapping[str, GoogleMeaning] = {
    "ABORTED": GoogleMeaning.RETRY,
    "CANCELLED": GoogleMeaning.RETRY,
    "DEADLINE_EXCEEDED": GoogleMeaning.LESS,
    "INTERNAL": GoogleMeaning.RETRY,
    "INVALID_ARGUMENT": GoogleMeaning.REJECTED,
    "NOT_FOUND": GoogleMeaning.REJECTED,
    "PERMISSION_DENIED": GoogleMeaning.DENIED,
    "RESOURCE_EXHAUSTED": GoogleMeaning.QUOTA,
    "UNAUTHENTICATED": GoogleMeaning.TOKEN,
    "UNAVAILABLE": GoogleMeaning.RETRY,
    "UNKNOWN": GoogleMeaning.RETRY,
}
"""google.rpc.Code, for an error without a failure or with a code that is not known here."""


class PageTokenEnded(RequestRejected):
    """A page token is good for about two hours, and for the same question only: the question begins anew."""


class TokenRefused(AuthExpired):
    """The access token is not valid; a new one may be."""


_SIMPLE: Mapping[GoogleMeaning, type[AdweirError]] = {
    GoogleMeaning.TOKEN: TokenRefused,
    GoogleMeaning.AUTH: AuthExpired,
    GoogleMeaning.DENIED: AccessDenied,
    GoogleMeaning.LESS: TooMuchData,
    GoogleMeaning.PAGE: PageTokenEnded,
    GoogleMeaning.RETRY: Transient,
    GoogleMeaning.REJECTED: RequestRejected,
    GoogleMeaning.NONE: NotApplicable,
}


def status_of(body: bytes) -> GoogleStatus | None:
    """The error that a body states, as an object or in an array; None where it states none."""
    try:
        found = _envelope(body)
    except UNREADABLE:
        return None
    stated = found if isinstance(found, list) else [found]
    return next((one.error for one in stated if one.error), None)


def refusal(answer: Response, now: datetime) -> AdweirError:
    """What an answer that is not 2xx means. Of one that is not Google's JSON, as a proxy's page, the status counts.

    A version past its end is one day answered by 404 without JSON.
    """
    stated = status_of(answer.body)
    if stated:
        return to_fault(stated, now)
    found = fault(answer, now)
    return TokenRefused(found.message) if answer.status == 401 else found


def to_fault(stated: GoogleStatus, now: datetime) -> AdweirError:
    """The error of ours for one of Google's."""
    error, what = _decisive(stated)
    code = next(iter(error.codes), stated.status)
    text = f"Google Ads: {code}: {error.message or stated.message}"[:300]
    about = {"platform_code": code, "request_id": stated.request_id}
    if what is GoogleMeaning.QUOTA:
        return _throttled(error, text, about)
    if what is GoogleMeaning.RETENTION:
        # A day later than the bound by UTC: the account may be west of it.
        return OutOfRetention(text, (now - timedelta(days=RETENTION_DAYS - 1)).date(), **about)
    return _SIMPLE[what](text, **about)


def _decisive(stated: GoogleStatus) -> tuple[GoogleError, GoogleMeaning]:
    """The first error whose code says something, else the status."""
    for error in stated.errors:
        for code in error.codes:
            if code in _BY_CODE:
                return error, _BY_CODE[code]
    error = next(iter(stated.errors), GoogleError())
    known = _BY_STATUS.get(stated.status)
    return error, known or (GoogleMeaning.RETRY if stated.code >= 500 else GoogleMeaning.REJECTED)


def _throttled(error: GoogleError, text: str, about: dict[str, str]) -> Throttled:
    """`retryDelay` says how long; `rateScope` DEVELOPER is the Cloud project's quota, ACCOUNT the customer's.

    A daily quota names a delay of hours.
    """
    details = error.details.get("quotaErrorDetails")
    details = details if isinstance(details, dict) else {}
    delay = _DURATION.fullmatch(str(details.get("retryDelay", "")))
    scope = ThrottleScope.APP if details.get("rateScope") == "DEVELOPER" else ThrottleScope.PROFILE
    seconds = min(float(delay[1]), limits.MAX_PLATFORM_WAIT_SECONDS) if delay else _GUESSED_WAIT
    return Throttled(text, retry_after=seconds, guessed=delay is None, scope=scope, **about)
