"""What Meta's usage headers mean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import ThrottleScope
from adweir.platforms.meta.faults import read_usage


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
