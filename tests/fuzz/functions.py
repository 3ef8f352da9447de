"""Functions as Lambda loads them, and what they log when an exception becomes a 500."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model.operation_metrics import OperationMetric
from adweir.runtime.meter import Meter
from fuzz.running import Broken
from support.functions import loaded


class _Kept(logging.Handler):
    """Keeps the exception of the last fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.fault: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.fault = record.exc_info[1] if record.exc_info else None


class _Silent(Meter):
    """Writes nothing: counts are not judged here."""

    def __init__(self) -> None:
        """Nothing is needed to write nothing."""

    def count(self, found: Mapping[OperationMetric, int]) -> None:
        """Leave it."""

    def share(self, name: OperationMetric, percent: float, function: str) -> None:
        """Leave it."""


class Function:
    """One function: with an HTTP door, or one that reads a queue."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self._patch = pytest.MonkeyPatch()
        self._loaded = loaded(name, {**environment, "LOG_LEVEL": "ERROR"}, self._patch)
        self.module: ModuleType = self._loaded.__enter__()
        self._kept = _Kept()
        self._handlers: list[logging.Handler] = self.module.app.logger.handlers
        self._before = list(self._handlers)
        self._handlers[:] = [self._kept]
        self.module.app.__dict__["meter"] = _Silent()

    def ask(self, event: Mapping[str, Any]) -> tuple[int, str]:
        """(status, body) of an event. Raises what became a 5xx."""
        self._kept.fault = None
        answer = self.module.handler(dict(event), SimpleNamespace(aws_request_id="r"))
        status = int(answer["statusCode"])
        if status >= 500:
            raise self._kept.fault or Broken(f"answers {status}: {answer['body'][:500]}")
        return status, str(answer.get("body", ""))

    def consume(self, queue: str, body: str) -> bool:
        """Whether the only message of a batch is done with. Raises the exception that its work ended in."""
        self._kept.fault = None
        arn = f"arn:aws:sqs:us-east-1:123456789012:{queue}"
        record = {"messageId": "m", "receiptHandle": "h", "body": body, "eventSourceARN": arn, "attributes": {}}
        context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 60_000)
        failed = self.module.handler({"Records": [record]}, context)["batchItemFailures"]
        if failed and self._kept.fault:
            raise self._kept.fault
        return not failed

    def close(self) -> None:
        """Forget the function and its environment; its logger belongs to the process and writes where it wrote."""
        self._handlers[:] = self._before
        self._loaded.__exit__(None, None, None)
        self._patch.undo()
