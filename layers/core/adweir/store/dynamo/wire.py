"""Item-heavy DynamoDB calls without botocore's walk over every attribute.

A bucket is some 170 nested attribute values; botocore visits each in Python, twice. The wire format is JSON and our
items are in its shape already, so msgspec encodes and decodes whole bodies. Signing, retries, checksums, time-outs and
errors stay botocore's. Only for items without binary attributes, which alone differ on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.parsers import ResponseParserFactory
from pynamodb.connection import Connection

_DECODED = frozenset({"QueryOutput", "BatchGetItemOutput"})
_ENCODED = "BatchWriteItem"


class FastWire:
    """Prepares a connection that has made no client yet; then `dispatch` as ever."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._body: dict[str, Any] | None = None
        connection.session.register_component("response_parser_factory", _Parsers())
        connection.client.meta.events.register(f"before-call.dynamodb.{_ENCODED}", self._replace_body)

    def dispatch(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One call, with consumed capacity. Raises botocore's errors."""
        if operation == _ENCODED:
            self._body = {"ReturnConsumedCapacity": "TOTAL"} | request
            request = {"RequestItems": {}}
        answer: dict[str, Any] = self._connection.dispatch(operation, request)
        return answer

    def _replace_body(self, params: dict[str, Any], **_: Any) -> None:
        params["body"] = msgspec.json.encode(self._body)


class _Parsers(ResponseParserFactory):
    """Hands out botocore's parsers, wrapped."""

    def create_parser(self, protocol_name: str) -> Any:
        return _Parser(super().create_parser(protocol_name))


class _Parser:
    """Decodes good answers that are full of items itself and leaves the others to botocore's parser."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        if response["status_code"] != 200 or shape.name not in _DECODED:
            return self._parser.parse(response, shape)
        parsed = msgspec.json.decode(response["body"])
        headers = {name.lower(): value for name, value in response["headers"].items()}
        parsed["ResponseMetadata"] = {
            "HTTPStatusCode": 200,
            "HTTPHeaders": headers,
            "RequestId": headers.get("x-amzn-requestid", ""),
        }
        return parsed
