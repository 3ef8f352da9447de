"""The schedules of jobs on EventBridge Scheduler, behind the port of `model.ports`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import Unavailable, Unprocessable
from adweir.model.ports import ScheduleEntry
from adweir.runtime.settings import JobTarget

_ABSENT = "ResourceNotFoundException"
_REFUSED = frozenset({"ValidationException", "ServiceQuotaExceededException"})
_RETRIES = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 3600}
"""As template.yaml has them for the built-in schedules."""


class JobSchedules:
    """Schedules in the deployment's group, which send to the runs queue. Implements `model.ports.ScheduleStore`."""

    def __init__(self, client: Callable[[], Any], target: JobTarget | None) -> None:
        self._make = client
        self._given = target

    @cached_property
    def _client(self) -> Any:
        return self._make()

    @property
    def _target(self) -> JobTarget:
        if self._given is None:
            raise RuntimeError("this function was given no JOB_SCHEDULES: see its environment in template.yaml")
        return self._given

    def put(self, entry: ScheduleEntry) -> None:
        request = self._request(entry)
        with _errors():
            try:
                self._client.update_schedule(**request)
            except ClientError as error:
                if _code(error) != _ABSENT:
                    raise
                self._client.create_schedule(**request)

    def remove(self, name: str) -> None:
        with _errors():
            try:
                self._client.delete_schedule(GroupName=self._target.group, Name=name)
            except ClientError as error:
                if _code(error) != _ABSENT:
                    raise

    def _request(self, entry: ScheduleEntry) -> dict[str, Any]:
        target = self._target
        return {
            "GroupName": target.group,
            "Name": entry.name,
            "ScheduleExpression": entry.expression,
            "ScheduleExpressionTimezone": entry.timezone,
            **({"StartDate": entry.start} if entry.start else {}),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED" if entry.enabled else "DISABLED",
            "Target": {
                "Arn": target.queue,
                "RoleArn": target.role,
                "Input": json.dumps(dict(entry.message)),
                "RetryPolicy": _RETRIES,
                "DeadLetterConfig": {"Arn": target.dead_letters},
            },
        }


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


@contextmanager
def _errors() -> Iterator[None]:
    """The Scheduler's errors as ours: Unprocessable where the same request is refused again, else Unavailable."""
    try:
        yield
    except ClientError as error:
        said = f"EventBridge Scheduler refuses the schedule: {error.response['Error'].get('Message', _code(error))}"
        if _code(error) in _REFUSED:
            raise Unprocessable(said, [{"field": "schedule", "message": said}]) from error
        raise Unavailable(f"EventBridge Scheduler did not do it: {_code(error)}") from error
    except BotoCoreError as error:
        raise Unavailable(f"EventBridge Scheduler does not answer: {type(error).__name__}") from error
