"""What Meta's errors and usage headers mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    OutOfRetention,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.platforms.http import Response
from adweir.platforms.meta import wire
from adweir.platforms.meta.faults import read_usage, to_fault


@pytest.mark.parametrize(
    ("headers", "scope"),
    [
        ({"x-app-usage": '{"call_count": 97}'}, ThrottleScope.APP),
        ({"x-fb-ads-insights-throttle": '{"app_id_util_pct": 99, "acc_id_util_pct": 10}'}, ThrottleScope.APP),
        ({"x-fb-ads-insights-throttle": '{"app_id_util_pct": 10, "acc_id_util_pct": 99}'}, ThrottleScope.PROFILE),
        ({"x-ad-account-usage": '{"acc_id_util_pct": 99}', "x-app-usage": '{"call_count": 40}'}, ThrottleScope.PROFILE),
    ],
)
def test_a_quota_s_pause_covers_the_quota_s_owner(headers: dict[str, str], scope: ThrottleScope) -> None:
    assert read_usage(headers, "ads_insights").scope is scope


@given(st.dictionaries(st.sampled_from(["x-business-use-case-usage", "x-app-usage", "x-ad-account-usage"]), st.text()))
def test_reading_usage_never_raises(headers: dict[str, str]) -> None:
    usage = read_usage(headers, "ads_insights")
    assert usage.wait >= 60


def test_other_use_cases_do_not_stop_us() -> None:
    usage = {
        "1": [{"type": "ads_management", "call_count": 99}, 7, {"type": "ads_insights", "call_count": "x"}],
        "2": 3,
    }
    headers = {"x-business-use-case-usage": json.dumps(usage)}
    assert read_usage(headers, "ads_insights").percent == 0
    assert read_usage(headers, "ads_management").at_the_wall
    reset = {"x-ad-account-usage": '{"acc_id_util_pct": 99, "reset_time_duration": 120}'}
    assert read_usage(reset, "ads_insights") == (99.0, 120.0, ThrottleScope.PROFILE)


def fault(
    code: int, subcode: int = 0, *, path: str = "act_1/insights", status: int = 400, **usage: object
) -> AdweirError:
    headers = {name.replace("_", "-"): json.dumps(value) for name, value in usage.items()}
    answer = Response(status, headers, b"", f"https://graph.facebook.com/v26.0/{path}")
    return to_fault(wire.Error("why", code=code, error_subcode=subcode), answer, datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("code", "subcode", "scope"),
    [
        (4, 1504022, ThrottleScope.APP),
        (17, 2446079, ThrottleScope.PROFILE),
        (613, 1487742, ThrottleScope.PROFILE),
        (80000, 2446079, ThrottleScope.PROFILE),
        (80004, 0, ThrottleScope.PROFILE),
        (80009, 0, ThrottleScope.PROFILE),
    ],
)
def test_the_code_says_whose_limit_it_is_whatever_the_headers_show(
    code: int, subcode: int, scope: ThrottleScope
) -> None:
    found = fault(code, subcode, x_app_usage={"call_count": 99}, x_ad_account_usage={"acc_id_util_pct": 97})
    assert isinstance(found, Throttled)
    assert found.scope is scope


def test_an_ad_account_that_is_gone_is_lost_access_and_any_other_object_is_not() -> None:
    assert isinstance(fault(100, 33), AccessDenied)
    assert isinstance(fault(100, 33, path="act_1/campaigns"), AccessDenied)
    assert isinstance(fault(100, 33, path="23850000000000111/ads"), RequestRejected)
    assert isinstance(fault(100), RequestRejected)


@pytest.mark.parametrize("code", [10, 200, 275, 294, 299])
def test_a_missing_permission_is_the_profile_s(code: int) -> None:
    assert isinstance(fault(code), AccessDenied)


def test_a_start_before_the_retention_says_the_oldest_day() -> None:
    found = fault(3018)
    assert isinstance(found, OutOfRetention)
    assert found.oldest.isoformat() == "2023-11-07"


def test_code_1_without_a_subcode_is_about_size_only_at_500_and_only_for_pages() -> None:
    assert isinstance(fault(1, status=500), Transient)
    assert isinstance(fault(1), Transient)
    assert isinstance(fault(1, 99), TooMuchData)
