"""What Google's errors mean: by the code of the failure first, then by the status."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    OutOfRetention,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.platforms.google_ads.faults import PageTokenEnded, TokenRefused, refusal, status_of
from adweir.platforms.http import Response
from support.google_wire import failed, quota

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "https://googleads.googleapis.com/v26/customers/1/googleAds:search"


def answered(body: Any, status: int = 0) -> AdweirError:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    stated = status_of(raw)
    return refusal(Response(status or (stated.code if stated else 500), {}, raw, URL), NOW)


@pytest.mark.parametrize(
    ("status", "name", "code", "error"),
    [
        (401, "UNAUTHENTICATED", "authenticationError.OAUTH_TOKEN_EXPIRED", TokenRefused),
        (401, "UNAUTHENTICATED", "authenticationError.OAUTH_TOKEN_REVOKED", AuthExpired),
        (401, "UNAUTHENTICATED", "authenticationError.NOT_ADS_USER", AuthExpired),
        (401, "UNAUTHENTICATED", "authenticationError.TWO_STEP_VERIFICATION_NOT_ENROLLED", AuthExpired),
        (401, "UNAUTHENTICATED", "authenticationError.CUSTOMER_NOT_FOUND", AccessDenied),
        (400, "INVALID_ARGUMENT", "authenticationError.CLIENT_CUSTOMER_ID_INVALID", RequestRejected),
        (403, "PERMISSION_DENIED", "authorizationError.USER_PERMISSION_DENIED", AccessDenied),
        (403, "PERMISSION_DENIED", "authorizationError.CUSTOMER_NOT_ENABLED", AccessDenied),
        (403, "PERMISSION_DENIED", "authorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", AccessDenied),
        (403, "PERMISSION_DENIED", "authorizationError.ONE_OF_TOMORROW", AccessDenied),
        (400, "INVALID_ARGUMENT", "queryError.UNRECOGNIZED_FIELD", RequestRejected),
        (400, "INVALID_ARGUMENT", "queryError.REQUESTED_METRICS_FOR_MANAGER", RequestRejected),
        (400, "INVALID_ARGUMENT", "queryError.DATE_RANGE_TOO_WIDE", TooMuchData),
        (400, "INVALID_ARGUMENT", "requestError.UNSUPPORTED_VERSION", RequestRejected),
        (400, "INVALID_ARGUMENT", "requestError.EXPIRED_PAGE_TOKEN", PageTokenEnded),
        (400, "INVALID_ARGUMENT", "requestError.INVALID_PAGE_TOKEN", PageTokenEnded),
        (400, "INVALID_ARGUMENT", "requestError.PAGE_SIZE_NOT_SUPPORTED", RequestRejected),
        (400, "INVALID_ARGUMENT", "headerError.INVALID_LOGIN_CUSTOMER_ID", RequestRejected),
        (400, "INVALID_ARGUMENT", "dateRangeError.REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED", OutOfRetention),
        (400, "INVALID_ARGUMENT", "dateRangeError.INVALID_DATE", RequestRejected),
        (500, "INTERNAL", "internalError.INTERNAL_ERROR", Transient),
        (500, "INTERNAL", "internalError.TRANSIENT_ERROR", Transient),
        (504, "DEADLINE_EXCEEDED", "internalError.DEADLINE_EXCEEDED", TooMuchData),
        (409, "ABORTED", "databaseError.CONCURRENT_MODIFICATION", Transient),
        (400, "INVALID_ARGUMENT", "oneOfTomorrow.NEW", RequestRejected),
        (503, "UNAVAILABLE", "", Transient),
        (504, "DEADLINE_EXCEEDED", "", TooMuchData),
        (403, "PERMISSION_DENIED", "", AccessDenied),
        (401, "UNAUTHENTICATED", "", TokenRefused),
        (404, "NOT_FOUND", "", RequestRejected),
        (418, "NEW_STATUS", "", RequestRejected),
        (599, "NEW_STATUS", "", Transient),
    ],
)
def test_a_code_decides_and_a_status_where_there_is_none(
    status: int, name: str, code: str, error: type[AdweirError]
) -> None:
    category, _, value = code.partition(".")
    body = failed(status, name, *([{category: value}] if code else []))
    found = answered(body)
    assert type(found) is error
    assert type(answered([body])) is error
    assert (code or name) in found.message
    assert found.context["request_id"] == ("req-1" if code else "")


@pytest.mark.parametrize(
    ("delay", "scope", "seconds", "guessed", "ours"),
    [
        ("60s", "DEVELOPER", 60, False, ThrottleScope.APP),
        ("0.900s", "ACCOUNT", 0.9, False, ThrottleScope.PROFILE),
        ("30600s", "DEVELOPER", 30_600, False, ThrottleScope.APP),
        ("999999s", "UNKNOWN", limits.MAX_PLATFORM_WAIT_SECONDS, False, ThrottleScope.PROFILE),
        ("soon", "ACCOUNT", 5, True, ThrottleScope.PROFILE),
        (None, "ACCOUNT", 5, True, ThrottleScope.PROFILE),
    ],
)
def test_a_quota_says_how_long_and_whose_it_is(
    delay: str | None, scope: str, seconds: float, guessed: bool, ours: ThrottleScope
) -> None:
    found = answered(quota(delay, scope))
    assert isinstance(found, Throttled)
    assert (found.retry_after, found.guessed, found.scope) == (seconds, guessed, ours)


def test_a_quota_without_a_failure_is_one() -> None:
    found = answered(failed(429, "RESOURCE_EXHAUSTED"))
    assert isinstance(found, Throttled)
    assert (found.retry_after, found.guessed) == (5, True)


def test_days_that_are_no_longer_kept_name_the_first_one_that_is() -> None:
    code = {"dateRangeError": "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED"}
    found = answered(failed(400, "INVALID_ARGUMENT", code))
    assert isinstance(found, OutOfRetention)
    assert found.oldest == date(2023, 11, 7)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, RequestRejected), (502, Transient), (401, TokenRefused), (403, AccessDenied), (429, Throttled)],
)
def test_an_answer_that_is_not_google_s_json_counts_by_its_status(status: int, error: type[AdweirError]) -> None:
    for body in (b"<html>Not Found</html>", b"", b"[]", b'{"error":"text"}', b'{"error":{"details":7}}'):
        assert type(answered(body, status)) is error


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_no_details_of_an_error_break_its_reading(details: Any) -> None:
    body = failed(429, "RESOURCE_EXHAUSTED", {"quotaError": "RESOURCE_EXHAUSTED"}, quotaErrorDetails=details)
    assert isinstance(answered(body), Throttled)
