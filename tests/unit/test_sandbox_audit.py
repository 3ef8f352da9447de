"""What an audited sandbox tells MiniStack's IAM, and what it writes down of a call."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.audit import LEADING_KEYS, CallLog, leading_keys, with_groups

KEY = {"pk": {"S": "task#1"}, "sk": {"S": "a"}}


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        ({"TableName": "t", "Key": KEY}, ["task#1"]),
        ({"TableName": "t", "Item": KEY | {"n": {"N": "1"}}}, ["task#1"]),
        (
            {
                "KeyConditionExpression": "(#0 = :0 AND begins_with (#1, :1))",
                "ExpressionAttributeNames": {"#0": "pk", "#1": "sk"},
                "ExpressionAttributeValues": {":0": {"S": "runs#daily"}, ":1": {"S": "x"}},
            },
            ["runs#daily"],
        ),
        (
            {
                "KeyConditionExpression": "pk = :p AND sk = :s",
                "ExpressionAttributeValues": {":p": {"S": "keys"}, ":s": {"S": "key_1"}},
            },
            ["keys"],
        ),
        ({"RequestItems": {"t": {"Keys": [KEY]}, "u": {"Keys": [{"pk": {"S": "b"}}]}}}, ["b", "task#1"]),
        (
            {"RequestItems": {"t": [{"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": {"pk": {"S": "b"}}}}]}},
            ["b", "task#1"],
        ),
        ({"TransactItems": [{"Put": {"Item": KEY}}, {"Update": {"Key": {"pk": {"S": "b"}}}}]}, ["b", "task#1"]),
        ({"TableName": "t"}, []),
    ],
)
def test_the_partition_keys_of_a_request_are_found_in_every_operation(request_: Any, keys: list[str]) -> None:
    assert leading_keys(request_) == keys


@dataclass
class Context:
    """What of MiniStack's evaluation is written down."""

    action: str
    resource_arn: str
    principal_arn: str = "arn:aws:sts::000000000000:assumed-role/adweir-role/adweir-collect"
    service_context: dict[str, Any] = field(default_factory=dict)


def test_each_kind_of_call_is_written_down_once_with_what_allowed_it(tmp_path: Path) -> None:
    log = CallLog(tmp_path / "calls.jsonl")

    for key in ("a", "b"):
        log.note(Context("s3:PutObject", f"arn:aws:s3:::bucket/raw/{key}"), "arn:aws:s3:::bucket/raw/*")
    log.note(Context("s3:ListBucket", "arn:b", service_context={"s3:prefix": "raw/meta/1"}), "arn:b")
    log.note(Context("dynamodb:Query", "arn:t", service_context={LEADING_KEYS: ["runs#daily", "runs#x"]}), "arn:t")

    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert [(line["action"], line["grant"], line["keys"]) for line in lines] == [
        ("s3:PutObject", "arn:aws:s3:::bucket/raw/*", []),
        ("s3:ListBucket", "arn:b", ["raw"]),
        ("dynamodb:Query", "arn:t", ["runs"]),
    ]
    assert {line["function"] for line in lines} == {"adweir-collect"}


def test_every_resource_that_was_refused_is_named(tmp_path: Path) -> None:
    log = CallLog(tmp_path / "calls.jsonl")

    for key in ("a", "b", "b"):
        log.note(Context("s3:GetObject", f"arn:aws:s3:::bucket/drops/{key}"), None)

    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert [(line["resource"][-1], line["grant"]) for line in lines] == [("a", None), ("b", None)]


@pytest.mark.parametrize(
    ("service", "body", "parameters", "named"),
    [
        ("scheduler", b'{"GroupName": "adweir"}', {}, "schedule/adweir/job_1"),
        ("scheduler", b"", {"groupName": ["adweir"]}, "schedule/adweir/job_1"),
        ("scheduler", b"{}", {}, "schedule/default/job_1"),
        ("sqs", b"Action=SendMessage", {}, "schedule/default/job_1"),
    ],
)
def test_a_schedule_is_named_with_its_group(service: str, body: bytes, parameters: Any, named: str) -> None:
    resource = with_groups(lambda *_: "arn:aws:scheduler:r:a:schedule/default/job_1")

    assert resource(service, "PUT", "/", {}, body, parameters, "r", "a") == f"arn:aws:scheduler:r:a:{named}"
