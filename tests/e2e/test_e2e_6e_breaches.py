"""Breaches: told to who subscribes to the alarm topic, once when they begin and once when they are over."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adweir.model.breaches import Breach, BreachKind, BreachState, Subject
from adweir.model.metrics import Source
from adweir.model.tasks import Stamp
from adweir.model.times import iso
from adweir.store.findings import Findings
from adweir.store.findings.tallies import DayTally, TallyKey
from ops.target import Deployment
from support.clock import FrozenClock
from support.river import River, adweir, until

_KEY = TallyKey("ad", Source.PULL, "planted")
"""A slice that no platform has: nothing that is really pulled answers for its days."""


@pytest.fixture
def findings(target: Deployment) -> Findings:
    """The stack's findings, as a worker has them."""
    return target.app().findings


class Subscriber:
    """A queue that is subscribed to the alarm topic: what an on-call person gets."""

    def __init__(self, river: River) -> None:
        self._sqs = river.sqs
        self._url = self._sqs.create_queue(QueueName="on-call")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = river.description["stack"]["AlarmTopicArn"]
        may = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [may | {"Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        river.aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self._got: list[dict[str, str]] = []

    def about(self, cause: str) -> list[dict[str, str]]:
        """The messages about a cause, as SNS wraps them."""
        while got := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in got:
                self._got.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [each for each in self._got if f"Cause: {cause}\n" in each["Message"]]


def test_given_rows_that_fell_when_days_are_scored_again_and_again_then_on_call_hears_it_once_and_its_end_once(
    river: River, findings: Findings
) -> None:
    mori, on_call = river.clients["mori"], Subscriber(river)
    cause = f"volume#meta_ads#{mori.meta}"

    def rows(count: int) -> None:
        """Plant what loads found in the newest settled days."""
        today, stamp = datetime.now(UTC), str(Stamp.of(datetime.now(UTC), "planted"))
        planted = {(today.date() - timedelta(days=ago)).isoformat(): count if ago < 8 else 100 for ago in range(3, 44)}
        tallies = {day: DayTally(stamp, iso(today), many, {}) for day, many in planted.items()}
        findings.tallies.put(f"meta_ads#{mori.meta}", _KEY, tallies)

    def score(times: int) -> None:
        """The days are scored after each of these runs."""
        scope = {"accounts": [mori.account_id], "platforms": ["meta_ads"], "datasets": ["account_daily"]}
        for _ in range(times):
            run = river.api.post("/api/v1/workflows/daily/runs", {"scope": scope})
            river.ended(run["run_id"], "succeeded")
        river.quiet("etl")

    rows(20)
    score(2)
    until(lambda: on_call.about(cause), "the message of the beginning")
    (health,) = _open(river, cause)
    assert (health["kind"], health["profile_id"]) == ("volume", mori.meta)
    assert cause in adweir(river.home, "breaches")

    rows(100)
    score(1)
    until(lambda: len(on_call.about(cause)) > 1, "the message of the end")
    begun, over = on_call.about(cause)
    assert begun["Subject"] == f"adweir breach: unusual number of rows, meta_ads {mori.meta}"
    assert "fell to about 20; about 100 are usual" in begun["Message"]
    assert over["Subject"].startswith("adweir breach over: ")
    assert _open(river, cause) == []


def test_given_a_worker_that_died_before_it_told_when_the_sweep_comes_then_on_call_hears_of_it(
    river: River, findings: Findings
) -> None:
    mori, on_call = river.clients["mori"], Subscriber(river)
    month = date.today().replace(day=1).isoformat()[:7]  # noqa: DTZ011 - any month
    at = iso(datetime.now(UTC))
    subject = Subject(mori.account_id, "meta_ads", mori.meta)
    left = Breach(
        f"bill#meta_ads#{mori.meta}#{month}#EUR", BreachKind.BILL, subject, BreachState.OPENING, "It differs.", at, at
    )
    long_ago = FrozenClock(datetime.now(UTC) - timedelta(days=40))
    old = Breach("score#meta_ads#gone", BreachKind.SCORE, subject, BreachState.CLEARED, "Once.", at, at, cleared_at=at)
    assert findings.breaches.change(None, left)
    assert Findings(long_ago).breaches.change(None, old)

    adweir(river.home, "fire", "sweep")

    until(lambda: on_call.about(left.cause), "the message that was left")
    until(lambda: old.cause not in findings.breaches.all(), "what was over long ago to be forgotten")
    until(lambda: findings.breaches.all()[left.cause].breach.state is BreachState.OPEN, "the breach to be told")


def _open(river: River, cause: str) -> list[dict[str, Any]]:
    items = river.api.get("/api/v1/pipeline/health")["parts"]["breaches"]["items"]
    return [each for each in items if each["cause"] == cause]
