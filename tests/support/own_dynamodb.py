"""DynamoDB for the tests of rooms and functions: the simulation's double, where moto's would answer on the wire.

botocore builds each request and reads its answer as ever; moto's engine took half of the time of a test that stores
anything, and answers less as AWS does. tests/simulation/test_doubles_dynamodb.py runs the same cases on both.
`pytest --dynamodb moto` runs every test on moto's.

What botocore does between the two (a message of HTTP, its signature, whether to try again) took half of the rest: a
request that is granted goes without it, unless somebody watches the way. tests/unit/test_support_own_dynamodb.py
compares.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.endpoint import Endpoint
from moto.core import models
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.expressions import forbid
from sandbox.aws.refusals import Refused

forbid(ReservedKeywords.get_reserved_keywords())
_REGION = "us-east-1"
_TARGET = "DynamoDB_20120810."
_HEADERS = {"content-type": "application/x-amz-json-1.0"}
_ENCODE = msgspec.json.encode
_WHOLE_WAY: Any = Endpoint._do_get_response  # type: ignore[attr-defined]
Reply = tuple[int, dict[str, str], bytes]


class OwnTables:
    """The tables, which also answer what only tests ask: a scan, which tables there are, and that one goes."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(names)
        self._double = DynamoDB(self._names)
        self._one_at_a_time = threading.Lock()

    def reply(self, operation: str, body: bytes) -> Reply:
        """The status, headers and body of an answer."""
        try:
            with self._one_at_a_time:
                answer = self._answer(operation, json.loads(body))
        except Refused as refused:
            kind = f"com.amazonaws.dynamodb.v20120810#{refused.code}"
            return refused.status, _HEADERS, _ENCODE({"__type": kind, "message": refused.message, **refused.extra})
        return 200, _HEADERS, _ENCODE(answer)

    def item(self, table: str, key: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What is stored under a key."""
        found: Mapping[str, Any] | None = self._double.call("GetItem", {"TableName": table, "Key": key}).get("Item")
        return found

    def _answer(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "Scan":
            items = self._double.items(params["TableName"])
            return {"Items": items, "Count": len(items), "ScannedCount": len(items)}
        if operation == "ListTables":
            return {"TableNames": self._names}
        if operation == "DeleteTable":
            self._names.remove(params["TableName"])
            self._double.drop(params["TableName"])
            return {}
        return self._double.call(operation, params)


_in_place: OwnTables | None = None
"""The tables of the test that runs."""


def stored(table: str, key: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the DynamoDB of this process holds under a key: the double of the test that runs, or else moto."""
    if _in_place is not None:
        return _in_place.item(table, key)
    found = dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION].get_item(table, dict(key))
    return found.to_json()["Attributes"] if found else None


def answer_in_place_of_moto(names: Iterable[str], patch: pytest.MonkeyPatch) -> None:
    """Every request to DynamoDB is answered by tables of these names, which are empty."""
    tables, others = OwnTables(names), BotocoreStubber.process_request

    def process_request(self: BotocoreStubber, request: Any) -> Any:
        target = request.headers.get("X-Amz-Target", "")
        target = target.decode() if isinstance(target, bytes) else target
        if not target.startswith(_TARGET):
            return others(self, request)
        return tables.reply(target.removeprefix(_TARGET), request.body)

    patch.setattr(BotocoreStubber, "process_request", process_request)
    patch.setattr(Endpoint, "_send_request", _directly(tables))
    patch.setattr(sys.modules[__name__], "_in_place", tables)


def _directly(tables: OwnTables) -> Callable[..., Any]:
    """botocore's `Endpoint._send_request` where these tables grant a request. A refused one changed nothing: it goes
    the whole way, on which botocore decides whether to try again.
    """
    whole: Any = Endpoint._send_request  # type: ignore[attr-defined]

    def send(self: Any, request: dict[str, Any], operation: Any) -> Any:
        is_watched = Endpoint._do_get_response is not _WHOLE_WAY  # type: ignore[attr-defined]
        if is_watched or not models.botocore_stubber.enabled or operation.service_model.service_name != "dynamodb":
            return whole(self, request, operation)
        status, named, body = tables.reply(operation.name, request["body"])
        if status != 200:
            return whole(self, request, operation)
        headers: Any = HeadersDict(named)
        answer = {"status_code": status, "headers": headers, "body": body, "context": {}}
        parser = self._response_parser_factory.create_parser(operation.service_model.resolved_protocol)
        parsed = parser.parse(answer, operation.output_shape)
        parsed["ResponseMetadata"]["RetryAttempts"] = 0
        return AWSResponse(request["url"], status, headers, MockRawResponse(body)), parsed

    return send
