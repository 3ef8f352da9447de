"""TikTok's codes: which error each one is, who has to wait, and how long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.platforms.tiktok_ads import faults

NOW = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
APP, PROFILE = ThrottleScope.APP, ThrottleScope.PROFILE


@pytest.mark.parametrize(
    ("code", "message", "scope", "seconds", "guessed"),
    [
        (40100, "App reaches the QPS limit: 10.", APP, 5.0, True),
        (40100, "App reaches the QPM limit: 600.", APP, 300.0, False),
        (40100, "App reaches the QPD limit: 864000.", APP, 9000.0, False),
        (40100, "Due to too many requests, please retry later", APP, 60.0, True),
        (40001, "You are requesting too frequently", APP, 60.0, True),
        (40016, "", APP, 300.0, True),
        (40132, "", APP, 300.0, True),
        (40133, "", PROFILE, 300.0, True),
        (60001, "maintenance", APP, 600.0, True),
        (61000, "", APP, 300.0, True),
    ],
)
def test_a_throttle_says_who_waits_and_how_long(
    code: int, message: str, scope: ThrottleScope, seconds: float, *, guessed: bool
) -> None:
    error = faults.to_fault(code, message, "/report/integrated/get/", "r1", NOW)
    assert isinstance(error, Throttled)
    assert (error.scope, error.retry_after, error.guessed) == (scope, seconds, guessed)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ((40003, 40106, 40130, 40300, 40301), AccessDenied),
        ((40101, 40102, 40104, 40105, 40110, 40113, 40114, 40119, 40124, 40125), AuthExpired),
        ((40050, 40200, 40201, 40202, 40700, 50000, 51001, 51037, 52204, 99999), Transient),
        ((40067, 50002, 51010), TooMuchData),
        ((40000, 40006, 40007, 40051, 40117, 40118, 41000, 41001, 41002), RequestRejected),
    ],
)
def test_each_code_is_an_error_of_the_tree(codes: tuple[int, ...], kind: type[Exception]) -> None:
    found = {code: type(faults.to_fault(code, "why", "/ad/get/", "r1", NOW)) for code in codes}
    assert found == dict.fromkeys(codes, kind)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (40001, "The advertiser has not granted this permission", AccessDenied),
        (40001, "why", AccessDenied),
        (40002, "No permission to operate advertiser 7000", AccessDenied),
        (40002, "metrics: Invalid metric fields: ['reach']", RequestRejected),
    ],
)
def test_a_code_of_several_meanings_is_told_by_its_message(code: int, message: str, kind: type[Exception]) -> None:
    assert type(faults.to_fault(code, message, "/ad/get/", "r1", NOW)) is kind


def test_an_error_keeps_the_code_and_tiktok_s_trace() -> None:
    error = faults.to_fault(40002, "x" * 1000, "/ad/get/", "20261108060000ABCDEF", NOW)
    assert (error.context["platform_code"], error.context["trace"]) == (40002, "20261108060000ABCDEF")
    assert len(error.message) < 400
