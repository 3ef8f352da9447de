"""The rules for queues, over the expanded template."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.platforms import REGISTRY
from adweir.runtime.settings import queue_part
from support.template import PACES, listed, target, template

QUEUES = template().of("AWS::SQS::Queue")
SOURCES = template().of("AWS::Lambda::EventSourceMapping")
POLICIES = template().of("AWS::SQS::QueuePolicy")
ALARMS = template().of("AWS::CloudWatch::Alarm")
WORK = {name: queue for name, queue in QUEUES.items() if "RedrivePolicy" in queue}
DEAD = {name: queue for name, queue in QUEUES.items() if "RedrivePolicy" not in queue}


def alarms_on(queue: str, metric: str) -> list[dict[str, Any]]:
    return [
        alarm
        for alarm in ALARMS.values()
        if alarm.get("MetricName") == metric and target(alarm["Dimensions"][0]["Value"]) == queue
    ]


def test_each_queue_that_a_function_reads_is_read_by_one_function() -> None:
    read = [target(source["EventSourceArn"]) for source in SOURCES.values()]
    assert sorted(read) == sorted(WORK)


def test_every_asynchronous_function_reads_one_queue_and_collect_one_per_platform() -> None:
    readers = [target(source["FunctionName"]) for source in SOURCES.values()]
    assert {name: readers.count(name) for name in readers} == {
        "OrchestrateFunction": 1,
        "CollectFunction": len(list(REGISTRY)),
        "PollReportsFunction": 1,
        "ValidateFunction": 1,
        "EtlFunction": 1,
        "CurateFunction": 1,
        "DetectFunction": 1,
        "LearnFunction": 1,
        "EnrichFunction": 1,
        "FeaturesFunction": 1,
        "StreamFunction": 1,
    }


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("source", SOURCES)
def test_visibility_is_at_least_six_times_the_time_out(source: str, pace: str) -> None:
    queue = template(pace).of("AWS::SQS::Queue")[target(SOURCES[source]["EventSourceArn"])]
    function = template(pace).of("AWS::Lambda::Function")[target(SOURCES[source]["FunctionName"])]
    assert template().number(queue["VisibilityTimeout"]) >= 6 * template().number(function["Timeout"])


@pytest.mark.parametrize("name", WORK)
def test_a_message_is_received_five_times_and_then_kept_aside(name: str) -> None:
    redrive = WORK[name]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 5
    assert target(redrive["deadLetterTargetArn"]) in DEAD


def test_no_two_queues_share_a_dead_letter_queue() -> None:
    targets = [target(queue["RedrivePolicy"]["deadLetterTargetArn"]) for queue in WORK.values()]
    assert len(targets) == len(set(targets))


@pytest.mark.parametrize("name", DEAD)
def test_dead_letters_are_kept_fourteen_days_and_ring_an_alarm(name: str) -> None:
    assert DEAD[name]["MessageRetentionPeriod"] == 14 * 86_400
    alarms = alarms_on(name, "ApproximateNumberOfMessagesVisible")
    assert [alarm["Threshold"] for alarm in alarms] == [0]


@pytest.mark.parametrize("name", WORK)
def test_dead_letters_outlive_their_source_and_an_old_message_rings_an_alarm(name: str) -> None:
    dead = DEAD[target(WORK[name]["RedrivePolicy"]["deadLetterTargetArn"])]
    assert dead["MessageRetentionPeriod"] > WORK[name]["MessageRetentionPeriod"]
    assert alarms_on(name, "ApproximateAgeOfOldestMessage")


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_is_encrypted_and_takes_tls_only(name: str) -> None:
    assert QUEUES[name]["SqsManagedSseEnabled"] is True
    denials = [
        statement
        for policy in POLICIES.values()
        if name in [target(queue) for queue in policy["Queues"]]
        for statement in listed(policy["PolicyDocument"]["Statement"])
        if statement["Effect"] == "Deny"
    ]
    assert [(d["Action"], target(d["Resource"]), d["Condition"]) for d in denials] == [
        ("sqs:*", name, {"Bool": {"aws:SecureTransport": "false"}})
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_batches_report_their_failures_item_by_item(name: str) -> None:
    assert SOURCES[name]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("name", [f"Collect{queue_part(name)}Source" for name in REGISTRY])
def test_each_platform_is_pulled_with_bounded_concurrency(name: str) -> None:
    assert template().number(SOURCES[name]["ScalingConfig"]["MaximumConcurrency"]) >= 2


def test_slow_work_comes_one_message_per_invocation_and_the_stream_in_large_batches() -> None:
    sizes = {target(source["FunctionName"]): source["BatchSize"] for source in SOURCES.values()}
    assert sizes.pop("StreamFunction") == 1000
    assert sizes == {
        "OrchestrateFunction": 10,
        "CollectFunction": 1,
        "PollReportsFunction": 1,
        "ValidateFunction": 1,
        "EtlFunction": 1,
        "CurateFunction": 1,
        "DetectFunction": 1,
        "LearnFunction": 1,
        "EnrichFunction": 1,
        "FeaturesFunction": 1,
    }
