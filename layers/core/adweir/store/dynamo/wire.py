"""DynamoDB's answers without botocore's walk over every attribute, and item-heavy calls without it.

botocore visits each value of an answer in Python to find binary ones and times, the only ones that it changes: of an
answer of a hundred items that took three times as long as all else. An answer that cannot have any is its JSON
(`plain_wire`). One that is not JSON, because it was damaged on its way, is asked for again like one that did not come:
botocore would read it as an answer without an item.

A bucket is some 170 nested attribute values, and botocore visits each of them twice. The wire format is JSON
and our items already have its shape, so msgspec encodes whole bodies, and an answer full of items stays the bytes that
it is: whoever asked decodes them (`answered`), into what they need. Signing, retries, checksums,
time-outs and errors stay botocore's. Only for items without binary attributes, which look different on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserFactory
from pynamodb.connection import Connection

_DECODED = frozenset({"QueryOutput", "BatchGetItemOutput"})
_PLAIN = frozenset(
    f"{name}Output"
    for name in (
        *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem"),
        *("Query", "Scan", "TransactGetItems", "TransactWriteItems", "UpdateItem"),
    )
)
"""Answers that have items and capacities: none has a time (API reference, AttributeValue and ConsumedCapacity)."""
_CHANGED = (b'"B"', b'"BS"', b"null")
"""What an answer's JSON has where botocore would change something: binary values, members without a value."""
_ENCODED = "dynamodb.BatchWriteItem"
_BODY = "adweir_body"
"""The key of the body in an answer."""
_REQUEST = "adweir_request"
"""The key of the request in a call's context. botocore makes one context per call, so threads do not share it."""
_DAMAGED: Mapping[str, str] = {"Code": "RequestTimeout", "Message": "the answer is not JSON"}
"""An error that botocore asks again after (retries/standard.py). The answer's own status is still 200."""


class DamagedAnswer(BotoCoreError):
    """Every answer to a call was damaged."""

    fmt = "DynamoDB's answers are not JSON"


def plain_wire(connection: Connection) -> Connection:
    """Prepare a connection that has made no client yet; returns it. What it answers is what it answered before, but
    that an answer that is not JSON raises DamagedAnswer when no other came."""
    connection.session.register_component("response_parser_factory", PlainParsers())
    connection.session.register("after-call.dynamodb", _refuse_damaged)
    return connection


def fast_wire(connection: Connection) -> Connection:
    """Prepare a connection that has made no client yet; returns it.

    `dispatch` then works as before, but that an answer full of items is for `answered`.
    """
    connection.session.register_component("response_parser_factory", _Parsers())
    events: Any = connection.client.meta.events
    events.register(f"provide-client-params.{_ENCODED}", _set_aside)
    events.register(f"before-call.{_ENCODED}", _encode)
    return connection


def answered(answer: Mapping[str, Any]) -> bytes | None:
    """The body of an answer full of items; None for any other answer, which is decoded."""
    return answer.get(_BODY)


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Let botocore validate and serialize an empty request in place of the real one."""
    context[_REQUEST] = params
    return {"RequestItems": {}}


def _refuse_damaged(**about: Any) -> None:
    if about["parsed"].get("Error") == _DAMAGED:
        raise DamagedAnswer


def _encode(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = msgspec.json.encode(context[_REQUEST])


class PlainParsers(ResponseParserFactory):
    """Hands out botocore's parsers, wrapped: what they read is the same."""

    def create_parser(self, protocol_name: str) -> Any:
        return _PlainParser(super().create_parser(protocol_name))


class _Parsers(PlainParsers):
    """Hands out parsers that keep what is full of items."""

    def create_parser(self, protocol_name: str) -> Any:
        return _Parser(super().create_parser(protocol_name))


class _PlainParser:
    """Takes the JSON of a successful answer that botocore would not change, and leaves others to botocore's parser."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        body = response["body"]
        if response["status_code"] != 200 or shape.name not in _PLAIN or any(sign in body for sign in _CHANGED):
            return self._parser.parse(response, shape)
        try:
            found = msgspec.json.decode(body or b"{}")
        except msgspec.DecodeError:
            found = {"Error": _DAMAGED}
        return found | {"ResponseMetadata": _about(response)}


class _Parser:
    """Keeps successful answers that are full of items as they are and leaves the others to another parser."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        if response["status_code"] != 200 or shape.name not in _DECODED:
            return self._parser.parse(response, shape)
        return {_BODY: response["body"], "ResponseMetadata": _about(response)}


def _about(response: Mapping[str, Any]) -> dict[str, Any]:
    """What botocore says of an answer beside what is in it."""
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return {"HTTPStatusCode": 200, "HTTPHeaders": headers, "RequestId": headers.get("x-amzn-requestid", "")}
