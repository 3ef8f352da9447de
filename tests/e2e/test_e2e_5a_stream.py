"""Amazon Marketing Stream, from a profile's option to stored hours, with strangers' messages in the queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ops.demo.truth import Figures, numbers
from support.river import River, true_numbers, until

_Hours = dict[tuple[str, str, int], Figures]
_EVIL = "https://sns.us-east-1.amazonaws.com.example.com/?Action=ConfirmSubscription"


@pytest.fixture
def now(river: River) -> Iterator[datetime]:
    """The world's time is the machine's, as adweir takes no record of the day after tomorrow; and again what it was."""
    before, now = river.now, datetime.now(UTC).replace(microsecond=0)
    river.world.post("clock", {"set": now.isoformat()})
    yield now
    river.world.post("clock", {"set": before.isoformat()})


def test_given_a_subscribed_profile_when_records_come_twice_beside_strangers_then_its_hours_are_the_truth(
    river: River, now: datetime
) -> None:
    profile_id = river.clients["halden"].amazon
    streams = ["sp-traffic", "sp-conversion"]
    river.api.patch(f"/api/v1/profiles/amazon_ads/{profile_id}", {"options": {"streams": streams}})
    run = {"scope": {"profiles": [f"amazon_ads#{profile_id}"], "datasets": ["streams"]}}
    for _ in range(2):  # the second finds the subscriptions that the first had made and the function stream confirmed
        river.ended(river.api.post("/api/v1/workflows/repull/runs", run)["run_id"], "succeeded")
        river.quiet("stream")
    forged = {"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Token": "t"}
    for body in ("not JSON", json.dumps(forged | {"SubscribeURL": _EVIL}), json.dumps({"dataset_id": "sp-traffic"})):
        river.sqs.send_message(QueueUrl=river.queue("stream"), MessageBody=body)

    river.world.post("clock", {"advance_hours": 3})
    sent = river.world.post("stream", {"days": 2, "times": 2})["sent"]
    assert {each["dataset"] for each in sent} == set(streams)
    assert sum(each["messages"] for each in sent) > 50

    truth = true_hours(river, profile_id)
    assert len(truth) > 20
    until(lambda: hours(river, profile_id, now) == truth, "the hours of the stream")
    river.quiet("stream", "landing")
    assert hours(river, profile_id, now) == truth


def true_hours(river: River, profile_id: str) -> _Hours:
    """What the records of whole hours since the subscription add up to."""
    rows = river.world.get("stream", profile_id=profile_id)["rows"]
    since = [row for row in rows if not row["before_start"]]
    return {(row["entity_id"], row["date"], row["hour"]): true_numbers(row) for row in since}


def hours(river: River, profile_id: str, now: datetime) -> _Hours:
    """The ads' hours as the API answers them."""
    days = [str((now + timedelta(days=days)).date()) for days in (-1, 1)]
    filters = {"profile_id": profile_id, "date_range": dict(zip(("start", "end"), days, strict=True))}
    rows = river.api.records("ad_performance_hourly", filters)
    return {(f"{row['ad_group_id']}~{row['ad_id']}", row["date"], row["hour"]): numbers(row) for row in rows}
