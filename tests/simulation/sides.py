"""The two sides of the doubles' behaviour test: the doubles, and moto. A case that moto gets wrong says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import boto3
import pytest
from moto import mock_aws

from adweir.store.dynamo import tables
from sandbox.aws.botocore_calls import Answer, answered_by, services
from sandbox.aws.disk import Disk
from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.events import OwnBus, Secrets
from sandbox.aws.s3 import S3
from sandbox.aws.sqs import Sqs

TABLE, BUCKET, QUEUE, BUS = "items", "data", "work", "bus"
DOUBLE, DISK, MOTO = "double", "disk", "moto"
Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Side:
    """Clients of one side: a table, a bucket, a queue, a bus."""

    name: str
    dynamodb: Any
    s3: Any
    sqs: Any
    events: Any
    secretsmanager: Any
    queue: str


def differs(reason: str) -> Callable[[Test], Test]:
    """A case in which the double follows AWS and moto does not; `reason` says how they differ."""
    return pytest.mark.differs_from_moto(reason)


@contextmanager
def opened(name: str) -> Iterator[Side]:
    """The clients of a side, with everything made that the cases use."""
    tables.reset()
    try:
        if name == MOTO:
            with mock_aws():
                side = _side(name)
                _make(side)
                yield side
        elif name == DISK:
            with (
                TemporaryDirectory() as folder,
                closing(Disk(Path(folder))) as disk,
                answered_by(_doubles(disk)),
            ):
                yield _side(name)
        else:
            with answered_by(_doubles(None)):
                yield _side(name)
    finally:
        tables.reset()


def _doubles(disk: Disk | None) -> Answer:
    """The doubles, in memory or in a folder."""
    now = datetime.now
    answer = services(
        dynamodb=DynamoDB([TABLE], disk.items if disk else None),
        s3=S3(BUCKET, lambda: now(UTC), disk.objects if disk else None),
        sqs=Sqs((QUEUE,), lambda: now(UTC).timestamp(), shelf=disk.messages if disk else None),
        events=OwnBus(),
        secretsmanager=Secrets(lambda: now(UTC)),
    )

    def whole(service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        with disk.call() if disk else nullcontext():
            return answer(service, operation, params)

    return whole


@cache
def _clients() -> dict[str, Any]:
    """One client a service for all cases: making one takes longer than most cases. moto, too, answers beneath it."""
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    names = ("dynamodb", "s3", "sqs", "events", "secretsmanager")
    return {service: session.client(service) for service in names}


def _side(name: str) -> Side:
    return Side(name, **_clients(), queue=f"https://sqs.us-east-1.amazonaws.com/123456789012/{QUEUE}")


def _make(side: Side) -> None:
    tables.bind(TABLE, TABLE, TABLE, TABLE)
    side.dynamodb.create_table(**tables.schemas()[0])
    side.s3.create_bucket(Bucket=BUCKET)
    side.sqs.create_queue(QueueName=QUEUE)
    side.events.create_event_bus(Name=BUS)
