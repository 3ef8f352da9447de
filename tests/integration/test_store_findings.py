"""Quality reports: newest first, one per load, small, expiring."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from pynamodb.connection import TableConnection

from adweir.model import limits
from adweir.model.errors import BadInput, Unavailable
from adweir.store.findings import KEEP, Findings
from adweir.store.findings.day_scores import DayScore
from support.aws_calls import AwsCalls, Call
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


def scores(days: int) -> list[DayScore]:
    return [
        DayScore(f"2026-{day // 28 + 1:02}-{day % 28 + 1:02}", f"b{day}", {"score": day / 100}) for day in range(days)
    ]


def test_scores_of_days_are_stored_twenty_five_in_a_request(findings: Findings) -> None:
    found = scores(60)
    with AwsCalls().counting() as calls:
        calls.about = "put"
        findings.scores.put(KEY, found)
        assert calls.requests == {Call("put", "dynamodb", "BatchWriteItem"): 3}
    assert findings.scores.days(KEY, "2026-01-01", "2026-12-31") == [each.body for each in found]
    assert findings.scores.bases(KEY, "2026-01-01", "2026-12-31") == {each.day: each.basis for each in found}


def test_a_score_takes_the_place_of_the_one_before(findings: Findings) -> None:
    findings.scores.put(KEY, scores(30))
    findings.scores.put(KEY, [DayScore("2026-01-02", "new", {"score": 0.5})])
    assert findings.scores.bases(KEY, "2026-01-01", "2026-01-03") == {
        "2026-01-01": "b0",
        "2026-01-02": "new",
        "2026-01-03": "b2",
    }


def test_scores_that_a_throttled_table_leaves_unwritten_are_put_one_by_one(
    findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = TableConnection.batch_write_item

    def takes_ten(table: TableConnection, items: list[Any]) -> Any:
        left = [{"PutRequest": {"Item": item}} for item in items[10:]]
        return send(table, items[:10]) | {"UnprocessedItems": {"adweir-findings": left}}

    monkeypatch.setattr(TableConnection, "batch_write_item", takes_ten)
    found = scores(30)
    with AwsCalls().counting() as calls:
        calls.about = "put"
        findings.scores.put(KEY, found)
        assert calls.requests == {
            Call("put", "dynamodb", "BatchWriteItem"): 2,
            Call("put", "dynamodb", "PutItem"): 15,
        }
    assert findings.scores.days(KEY, "2026-01-01", "2026-12-31") == [each.body for each in found]
