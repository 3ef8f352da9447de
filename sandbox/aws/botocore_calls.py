"""Puts the doubles in the place of AWS: beneath botocore's clients, which boto3 and PynamoDB use alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import botocore.client
import msgspec

from sandbox.aws.refusals import Refused

Answer = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]
"""(service, operation, parameters) → the parsed answer. Raises Refused, or an error of botocore."""


@contextmanager
def answered_by(answer: Answer) -> Iterator[None]:
    """Every call of every botocore client is answered by `answer` while the block runs."""

    def call(client: Any, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return answer(client.meta.service_model.service_name, operation, as_values(operation, params))
        except Refused as refused:
            raise client.exceptions.from_code(refused.code)(refused.response, operation) from None

    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", call):
        yield


def as_values(operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """A call's parameters. Items of BatchWriteItem may be the JSON text that goes over the wire."""
    if operation == "BatchWriteItem":
        params = msgspec.json.decode(msgspec.json.encode(params))
    return params


def services(**doubles: Any) -> Answer:
    """Answers with one double a service."""
    return lambda service, operation, params: dict(doubles[service].call(operation, params))
