"""The wire of the Model Context Protocol over HTTP: one JSON-RPC message per POST, without sessions.

Two revisions are spoken. In 2026-07-28 each request says its version and the client's capabilities in `_meta`, and
repeats version, method and name in headers. 2025-11-25 begins with `initialize`; nothing is remembered of that, since
no answer depends on it. Source: modelcontextprotocol.io/specification, "Streamable HTTP" of both revisions.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

MODERN, LEGACY = "2026-07-28", "2025-11-25"
VERSIONS = (MODERN, LEGACY)
"""The revisions that are spoken, the newest first."""
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
INITIALIZE = "initialize"
_VERSION_HEADER, _METHOD_HEADER, _NAME_HEADER = "mcp-protocol-version", "mcp-method", "mcp-name"
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose parameter is repeated in a header, and the parameter."""
_ENCODED = ("=?base64?", "?=")
_SHOWN = 80
_BAD_REQUEST, _NOT_FOUND, _FAULT = 400, 404, 500
_STATUS = {METHOD_NOT_FOUND: _NOT_FOUND, INTERNAL_ERROR: _FAULT}
_NO_ID = object()
_decoder = msgspec.json.Decoder()


class ProtocolError(Exception):
    """A message that cannot be answered with a result: a JSON-RPC error. `status`: that of the HTTP answer."""

    def __init__(self, code: int, message: str, data: Any = None, *, request_id: Any = _NO_ID, status: int = 0) -> None:
        super().__init__(message)
        self.status = status or _STATUS.get(code, _BAD_REQUEST)
        self._error = {"code": code, "message": message} | ({} if data is None else {"data": data})
        self._id = {} if request_id is _NO_ID else {"id": request_id}

    def of(self, request: RpcRequest) -> ProtocolError:
        """The same as the answer to a request. 2025-11-25 has errors of methods in an answer that is 200."""
        self._id = {"id": request.id}
        if not request.is_modern and self._error["code"] in {METHOD_NOT_FOUND, INVALID_PARAMS}:
            self.status = 200
        return self

    @property
    def body(self) -> dict[str, Any]:
        """The answer; without an id where none could be read."""
        return {"jsonrpc": "2.0", **self._id, "error": self._error}


@dataclass(frozen=True, slots=True)
class RpcRequest:
    """A request that is well-formed. `is_modern`: of 2026-07-28."""

    id: str | int
    method: str
    params: Mapping[str, Any]
    is_modern: bool

    def answer(self, result: Mapping[str, Any], server: Mapping[str, Any]) -> dict[str, Any]:
        """The answer with a result; in 2026-07-28 with its type, and who answers."""
        added = {"resultType": "complete", **result, "_meta": {SERVER_KEY: server}} if self.is_modern else result
        return {"jsonrpc": "2.0", "id": self.id, "result": added}


def check_origin(headers: Mapping[str, str], own_host: str) -> None:
    """Raises ProtocolError (403) for a page of another site, which a browser names in `Origin`; others send none."""
    origin = headers.get("origin")
    if origin is not None and (not own_host or urlsplit(origin).netloc.lower() != own_host.lower()):
        raise ProtocolError(INVALID_REQUEST, "requests from pages of other sites are refused", status=403)


def check_accept(headers: Mapping[str, str]) -> None:
    """Raises ProtocolError (406) where the client takes no JSON."""
    accepted = {part.partition(";")[0].strip().lower() for part in headers.get("accept", "*/*").split(",")}
    if accepted.isdisjoint({"application/json", "application/*", "*/*"}):
        raise ProtocolError(INVALID_REQUEST, "answers are application/json", status=406)


def read(raw: bytes, headers: Mapping[str, str]) -> RpcRequest | None:
    """A POST's body → the request; None for a notification, and an old client's response, which nobody answers.

    `headers` by lower-case name. Raises ProtocolError.
    """
    message = _decoded(raw)
    version = headers.get(_VERSION_HEADER)
    if "method" not in message:
        if version == MODERN or message.keys().isdisjoint({"result", "error"}):
            raise ProtocolError(INVALID_REQUEST, "a POST has a JSON-RPC request or notification")
        return None
    request_id, method, params = message.get("id", _NO_ID), message["method"], message.get("params", {})
    if not isinstance(method, str):
        raise ProtocolError(INVALID_REQUEST, "method is a text")
    if request_id is _NO_ID:
        if version is not None and version not in VERSIONS:
            raise _unsupported(version, _NO_ID)
        return None
    if isinstance(request_id, bool) or not isinstance(request_id, str | int):
        raise ProtocolError(INVALID_REQUEST, "id is a text or an integer")
    if not isinstance(params, dict):
        raise ProtocolError(INVALID_PARAMS, "params is an object", request_id=request_id)
    meta = params.get("_meta")
    said = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    is_legacy = said in {None, LEGACY} if version == LEGACY else said is None and method == INITIALIZE
    if not is_legacy:
        _check_modern(request_id, method, params, headers)
    return RpcRequest(request_id, method, params, is_modern=not is_legacy)


def _decoded(raw: bytes) -> dict[str, Any]:
    try:
        message = _decoder.decode(raw)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        raise ProtocolError(PARSE_ERROR, "the body is not JSON") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, "the body is one JSON-RPC 2.0 message; there are no batches")
    return message


def _check_modern(request_id: Any, method: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """What every request of 2026-07-28 has: a version, capabilities, and headers that say the same as the body."""
    version, meta = headers.get(_VERSION_HEADER), params.get("_meta")
    if version is None:
        message = f"the header MCP-Protocol-Version is missing; spoken are {', '.join(VERSIONS)}"
        raise ProtocolError(HEADER_MISMATCH, message, request_id=request_id)
    said = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    if version not in VERSIONS and said in {None, version}:
        raise _unsupported(version, request_id)
    if not isinstance(meta, dict) or not isinstance(said, str):
        raise ProtocolError(INVALID_PARAMS, f"params._meta has no {VERSION_KEY}", request_id=request_id)
    if said != version:
        message = f"the header MCP-Protocol-Version is {version[:_SHOWN]!r}, the body says {said[:_SHOWN]!r}"
        raise ProtocolError(HEADER_MISMATCH, message, request_id=request_id)
    if not isinstance(meta.get(CAPABILITIES_KEY), dict):
        raise ProtocolError(INVALID_PARAMS, f"params._meta has no {CAPABILITIES_KEY}", request_id=request_id)
    if headers.get(_METHOD_HEADER) != method:
        raise ProtocolError(HEADER_MISMATCH, "the header Mcp-Method is not the body's method", request_id=request_id)
    named = params.get(_NAMED_BY.get(method, ""))
    if isinstance(named, str) and _plain(headers.get(_NAME_HEADER)) != named:
        what = _NAMED_BY[method]
        raise ProtocolError(HEADER_MISMATCH, f"the header Mcp-Name is not the body's {what}", request_id=request_id)


def _unsupported(version: str, request_id: Any) -> ProtocolError:
    data = {"supported": list(VERSIONS), "requested": version[:_SHOWN]}
    return ProtocolError(UNSUPPORTED_VERSION, "Unsupported protocol version", data, request_id=request_id)


def _plain(header: str | None) -> str | None:
    """A header's value, decoded where it is encoded; None for what is not there or cannot be decoded."""
    begin, end = _ENCODED
    if header is None or not (header.startswith(begin) and header.endswith(end)):
        return header
    try:
        return base64.b64decode(header[len(begin) : -len(end)], validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None
