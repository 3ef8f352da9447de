"""Buckets and queues that a test begins with, put where moto keeps them: asking for each takes as long as a test."""

from __future__ import annotations

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

REGION = "us-east-1"


def make_bucket(name: str) -> None:
    """An empty bucket."""
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(name, REGION)


def make_queue(name: str) -> str:
    """An empty queue; answers its URL."""
    queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].create_queue(name)
    return f"https://sqs.{REGION}.amazonaws.com/{DEFAULT_ACCOUNT_ID}/{queue.name}"
