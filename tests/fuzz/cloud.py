"""AWS in memory beneath botocore's clients, which knows what was written since it was asked the last time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from adweir.store.dynamo import tables
from fuzz import pulls
from sandbox.aws.botocore_calls import answered_by
from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.events import OwnBus, Secrets
from sandbox.aws.s3 import S3
from sandbox.aws.sqs import Sqs

_TABLES = ("catalog", "metrics", "ledger", "findings")
_QUEUES = ("runs", "landing", "etl", "curate", "detect", "learn", "enrich", "features", "reports")
_COLLECT = ("collect-MetaAds", "collect-AmazonAds")
_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/"
ENVIRONMENT = {
    **{f"{name.upper()}_TABLE": name for name in _TABLES},
    **{f"{name.upper()}_QUEUE_URL": f"{_URL}{name}" for name in _QUEUES},
    "COLLECT_QUEUES": _URL + "collect-{platform}",
    "BUCKET": "bucket",
    "BUS_NAME": "bus",
    "SECRET_PREFIX": "adweir",
    "PLATFORM_URLS": '{"meta_ads":{"api":"http://a.test"},"amazon_ads":{"api":"http://a.test","token":"http://a.test/t"}}',
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""The environment of a function that works on it."""
_READS = ("Get", "BatchGet", "Query", "Head", "List", "Describe", "Receive")


class Cloud:
    """One AWS. `keep` what is stored now; after a case that wrote, `restore` brings it back.

    A process may have several: the calls go to the one that was told to answer last.
    """

    _answering: ClassVar[Cloud | None] = None

    def __init__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        for name, value in ENVIRONMENT.items():
            self._patch.setenv(name, value)
        self.doubles: dict[str, Any] = {
            "dynamodb": DynamoDB(_TABLES),
            "s3": S3("bucket", lambda: pulls.NOW),
            "sqs": Sqs((*_QUEUES, *_COLLECT), pulls.NOW.timestamp),
            "events": OwnBus(),
            "secretsmanager": Secrets(lambda: pulls.NOW),
        }
        self._kept = self.doubles
        self.writes: list[str] = []
        tables.reset()
        self.answer()
        self._answered = answered_by(lambda *call: _current()._answer(*call))
        self._answered.__enter__()

    def answer(self) -> None:
        """Answer the calls from now on."""
        Cloud._answering = self

    def _answer(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        answer = dict(self.doubles[service].call(operation, params))
        if not operation.startswith(_READS):  # one that was refused, its condition not being met, wrote nothing
            self.writes.append(f"{service} {operation}")
        return answer

    def keep(self) -> None:
        """What is stored now is what each case begins with."""
        self._kept = copy.deepcopy(self.doubles)
        self.writes.clear()

    def restore(self) -> list[str]:
        """Undo what was written since; returns the operations."""
        written, self.writes = self.writes, []
        if written:
            self.doubles = copy.deepcopy(self._kept)
        return written

    def close(self) -> None:
        """Give boto its calls back."""
        self._answered.__exit__(None, None, None)
        tables.reset()
        self._patch.undo()


def _current() -> Cloud:
    assert Cloud._answering is not None
    return Cloud._answering
