"""Quality reports: newest first, one per load, small, expiring."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from adweir.model import limits
from adweir.model.errors import BadInput, Unavailable
from adweir.store.findings import KEEP, Findings
from support.clock import FrozenClock

KEY = "meta_ads#1"


@pytest.fixture
def findings(tables: None, clock: FrozenClock) -> Findings:
    return Findings(clock)


def put(findings: Findings, day: int, **report: Any) -> None:
    findings.put_quality(KEY, f"2026-11-{day:02}T00:00:00.000000Z", "t.0", {"day": day} | report)


def test_reports_are_read_newest_first_and_the_same_load_replaces_its_own(findings: Findings) -> None:
    for day in (2, 1, 3, 2):
        put(findings, day)
    reports, token = findings.quality(KEY)
    assert ([report["day"] for report in reports], token) == ([3, 2, 1], "")
    assert findings.quality("meta_ads#2") == ([], "")


def test_reports_page(findings: Findings) -> None:
    for day in (1, 2, 3):
        put(findings, day)

    first, token = findings.quality(KEY, limit=2)
    second, end = findings.quality(KEY, limit=2, token=token)

    assert ([report["day"] for report in first], [report["day"] for report in second], end) == ([3, 2], [1], "")
    assert len(findings.quality(KEY, limit=0)[0]) == 1
    with pytest.raises(BadInput):
        findings.quality("meta_ads#2", token=token)


def test_a_report_that_is_too_large_loses_its_samples(findings: Findings) -> None:
    put(findings, 1, samples=["x" * limits.MAX_FINDING_BYTES], rows_read=7)
    assert findings.quality(KEY) == ([{"day": 1, "rows_read": 7}], "")


def test_a_report_past_its_time_is_not_read_even_while_it_is_still_stored(
    findings: Findings, clock: FrozenClock
) -> None:
    put(findings, 1)
    clock.advance(KEEP.total_seconds() + 1)
    assert findings.quality(KEY) == ([], "")


def test_a_table_that_does_not_answer_is_unavailable(findings: Findings) -> None:
    boto3.client("dynamodb").delete_table(TableName="adweir-findings")
    with pytest.raises(Unavailable):
        put(findings, 1)
    with pytest.raises(Unavailable):
        findings.quality(KEY)
