"""What a machine leaves behind: everything that is stored or sent, to be searched."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator

import boto3

from adweir.pipeline.health import health
from support.machine import Machine


def left_behind(machine: Machine, messages: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """All that outlives an invocation, by where it is; Secrets Manager and the shared access tokens left out.

    `messages` are those that were sent; what was logged is its caller's to add.
    """
    s3, dynamo = boto3.client("s3"), boto3.client("dynamodb")
    bucket = machine.app.settings.bucket
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            answer = s3.get_object(Bucket=bucket, Key=found["Key"])
            body = answer["Body"].read()
            yield found["Key"], body
            yield f"{found['Key']} metadata", json.dumps(answer["Metadata"]).encode()
            if body[:2] == b"\x1f\x8b":
                yield f"{found['Key']} unpacked", gzip.decompress(body)
    for table in dynamo.list_tables()["TableNames"]:
        for page in dynamo.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                if not item["pk"]["S"].startswith("token#"):
                    yield f"{table} {item['pk']['S']}", json.dumps(item, default=_unpacked).encode()
    yield "events", "".join(event.model_dump_json() for event in machine.bus.events).encode()
    yield "messages", "".join(messages).encode()
    state = health(machine.app.ledger, machine.app.catalog, list, machine.clock)
    yield "health", json.dumps(state, default=str).encode()


def _unpacked(value: bytes) -> str:
    """A binary attribute, as text that can be searched."""
    for wbits in (31, 15, -15):
        try:
            return zlib.decompress(value, wbits).decode("latin-1")
        except zlib.error:
            continue
    return value.decode("latin-1")
