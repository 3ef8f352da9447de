"""DynamoDB for the tests of rooms and functions: the simulation's double, where moto's would answer on the wire.

botocore builds each request and reads its answer as ever; moto's engine took half of the time of a test that stores
anything, and answers less as AWS does. tests/simulation/test_doubles_dynamodb.py runs the same cases on both.
`pytest --dynamodb moto` runs every test on moto's.

What botocore does between the two (a message of HTTP, its signature, whether to try again) took half of the rest, and
how it builds the one and reads the other, by the description of the service, half of what was left then: a request that
is granted goes without both, unless somebody watches the way. What botocore would not let a client ask for, `_checked`
does not. tests/unit/test_support_own_dynamodb.py compares.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

import msgspec
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.parsers import ResponseParserFactory
from moto.core import models
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from adweir.store.dynamo.wire import PlainParsers
from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.expressions import forbid
from sandbox.aws.refusals import Refused

forbid(ReservedKeywords.get_reserved_keywords())
_REGION = "us-east-1"
_TARGET = "DynamoDB_20120810."
_HEADERS = {"content-type": "application/x-amz-json-1.0"}
_ENCODE = msgspec.json.encode
_DECODE = msgspec.json.decode
_WHOLE_WAY: Any = Endpoint._do_get_response  # type: ignore[attr-defined]
_ASKED: Any = Endpoint.make_request
_PACKED = "BatchWriteItem"
"""Its items may be the JSON that goes over the wire, which only a request that is built makes room for."""
_BYTES = b'"B":"'
"""In an answer with a value that is bytes for a client."""
Reply = tuple[int, dict[str, str], bytes]


class _Value(TypedDict, total=False):
    S: str
    N: str
    B: bytes
    BOOL: bool
    NULL: bool
    SS: list[str]
    L: list[_Value]
    M: dict[str, _Value]


class _Asked(TypedDict, total=False):
    """What a request may have of which it matters that nothing else than values is in it."""

    TableName: str
    Key: dict[str, _Value]
    Item: dict[str, _Value]
    ExpressionAttributeNames: dict[str, str]
    ExpressionAttributeValues: dict[str, _Value]
    ExclusiveStartKey: dict[str, _Value]
    RequestItems: dict[str, _Asked]
    Keys: list[dict[str, _Value]]
    TransactItems: list[dict[str, _Asked]]


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
                answer = self._answer(operation, _DECODE(body))
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


_READ_ALIKE = frozenset({ResponseParserFactory, PlainParsers})
"""Parsers that make the same of an answer (tests/unit/test_store_wire.py)."""
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
    patch.setattr(BaseClient, "_make_api_call", _at_once(tables))
    patch.setattr(sys.modules[__name__], "_in_place", tables)


def _at_once(tables: OwnTables) -> Callable[..., Any]:
    """`BaseClient._make_api_call` where these tables grant a request; any other goes on as `_directly` says."""
    whole: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: Any, name: str, params: Mapping[str, Any]) -> Any:
        model, endpoint = self.meta.service_model, self._endpoint
        operation = model.operation_model(name) if model.service_name == "dynamodb" else None
        is_read_its_own_way = type(endpoint._response_parser_factory) not in _READ_ALIKE
        is_watched = Endpoint.make_request is not _ASKED or _is_answered_elsewhere()
        if operation is None or is_read_its_own_way or is_watched or not _is_sound(operation, params):
            return whole(self, name, params)
        status, named, body = tables.reply(name, _ENCODE(params))
        if status != 200:
            return whole(self, name, params)
        if _BYTES in body:
            return _parsed(endpoint, operation, named, body)
        return {**_DECODE(body), "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": named, "RetryAttempts": 0}}

    return call


def _is_sound(operation: Any, params: Mapping[str, Any]) -> bool:
    """Whether botocore lets a client ask for this: the parameters are known ones, and values of the types they name."""
    try:
        msgspec.convert(params, _Asked, builtin_types=(bytes,))  # a text in their place botocore packs
    except msgspec.ValidationError:
        return False
    return operation.name != _PACKED and set(params) <= set(operation.input_shape.members)


def _parsed(endpoint: Any, operation: Any, named: dict[str, str], body: bytes) -> Any:
    """An answer as botocore reads it."""
    headers: Any = HeadersDict(named)
    answer = {"status_code": 200, "headers": headers, "body": body, "context": {}}
    parser = endpoint._response_parser_factory.create_parser(operation.service_model.resolved_protocol)
    parsed = parser.parse(answer, operation.output_shape)
    parsed["ResponseMetadata"]["RetryAttempts"] = 0
    return parsed


def _directly(tables: OwnTables) -> Callable[..., Any]:
    """botocore's `Endpoint._send_request` where these tables grant a request. A refused one changed nothing: it goes
    the whole way, on which botocore decides whether to try again.
    """
    whole: Any = Endpoint._send_request  # type: ignore[attr-defined]

    def send(self: Any, request: dict[str, Any], operation: Any) -> Any:
        if operation.service_model.service_name != "dynamodb" or _is_answered_elsewhere():
            return whole(self, request, operation)
        status, named, body = tables.reply(operation.name, request["body"])
        if status != 200:
            return whole(self, request, operation)
        headers: Any = HeadersDict(named)
        message = AWSResponse(request["url"], status, headers, MockRawResponse(body))
        return message, _parsed(self, operation, named, body)

    return send


def _is_answered_elsewhere() -> bool:
    """Whether somebody looks at the message of a request, or it goes to a DynamoDB of its own."""
    return Endpoint._do_get_response is not _WHOLE_WAY or not models.botocore_stubber.enabled  # type: ignore[attr-defined]
