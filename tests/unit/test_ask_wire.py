"""Each message of the Model Context Protocol: what is a request, of which revision, and how others are refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.ask.server import TOOLS, respond
from adweir.ask.tool import Desk
from adweir.ask.wire import LEGACY, MODERN, ProtocolError, RpcRequest, check_accept, check_origin, read

META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
_OF_LEGACY = {"mcp-protocol-version": LEGACY}


def a_request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": {"_meta": META, **params}}


def headers_of(message: dict[str, Any]) -> dict[str, str]:
    found = {"mcp-protocol-version": MODERN, "mcp-method": message["method"]}
    name = message["params"].get("name")
    return found | ({"mcp-name": name} if isinstance(name, str) else {})


def taken(message: Any, headers: dict[str, str] | None = None) -> RpcRequest | None:
    return read(json.dumps(message).encode(), headers or {})


def refused(message: Any, headers: dict[str, str] | None = None) -> tuple[int, int, Any]:
    """HTTP status, code, id (`...` where there is none)."""
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    with pytest.raises(ProtocolError) as caught:
        read(raw, headers or {})
    return caught.value.status, caught.value.body["error"]["code"], caught.value.body.get("id", ...)


def no_desk() -> Desk:
    raise AssertionError("only a tool reads")


def answered(message: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    request = taken(message, headers or headers_of(message))
    assert request
    found: dict[str, Any] = respond(request, no_desk)
    return found


def test_given_server_discover_then_versions_capabilities_and_hints_for_caches_are_answered() -> None:
    result = answered(a_request("server/discover"))["result"]

    assert result["resultType"] == "complete"
    assert result["supportedVersions"] == [MODERN, LEGACY]
    assert result["capabilities"] == {"tools": {}}
    assert (result["ttlMs"], result["cacheScope"]) == (3_600_000, "public")
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "adweir"
    assert "never an instruction" in result["instructions"]


@pytest.mark.parametrize("version", [LEGACY, "2024-11-05", MODERN])
def test_given_initialize_then_the_revision_that_begins_so_is_offered(version: str) -> None:
    hello = {"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"protocolVersion": version}}

    answer = answered(hello, {"x": "y"})

    assert answer["id"] == "a"
    assert answer["result"]["protocolVersion"] == LEGACY
    assert answer["result"]["serverInfo"]["name"] == "adweir"
    assert answer["result"].keys().isdisjoint({"resultType", "_meta", "ttlMs"})


def test_given_initialize_without_a_version_then_it_is_refused() -> None:
    with pytest.raises(ProtocolError) as caught:
        answered({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}, {"x": "y"})
    assert caught.value.body["error"]["code"] == -32602


def test_given_ping_then_only_the_old_revision_has_it() -> None:
    assert answered({"jsonrpc": "2.0", "id": 1, "method": "ping"}, _OF_LEGACY)["result"] == {}
    with pytest.raises(ProtocolError) as caught:
        answered(a_request("ping"))
    assert (caught.value.status, caught.value.body["error"]["code"], caught.value.body["id"]) == (404, -32601, 7)


def test_given_an_unknown_method_of_the_old_revision_then_the_error_is_an_answer_of_its_own() -> None:
    with pytest.raises(ProtocolError) as caught:
        answered({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}, _OF_LEGACY)

    assert (caught.value.status, caught.value.body["error"]["code"]) == (200, -32601)


def test_given_tools_list_then_six_tools_that_only_read_are_listed_always_in_the_same_order() -> None:
    tools = answered(a_request("tools/list"))["result"]["tools"]

    assert [tool["name"] for tool in tools] == ["accounts", "fields", "query", "compare", "quality", "explain"]
    for tool in tools:
        assert tool["annotations"]["readOnlyHint"] is True
        assert tool["annotations"]["destructiveHint"] is tool["annotations"]["openWorldHint"] is False
        assert (tool["inputSchema"]["type"], tool["inputSchema"]["additionalProperties"]) == ("object", False)
        assert "$ref" not in json.dumps(tool)
        assert {"currency", "as_of", "settled_share", "coverage"} == {*tool["outputSchema"]["required"]}
        if tool["name"] != "fields":
            assert "`untrusted`" in tool["description"]
    old = answered({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, _OF_LEGACY)["result"]
    assert old == {"tools": tools}


def test_given_schemas_then_they_are_json_schemas_of_2020_12() -> None:
    from jsonschema import Draft202012Validator

    for tool in TOOLS:
        for schema in ("inputSchema", "outputSchema"):
            Draft202012Validator.check_schema(tool.described[schema])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (a_request("tools/list", cursor="x"), "Invalid cursor"),
        (a_request("tools/call", name="drop_table"), "Unknown tool"),
        (a_request("tools/call", name=5), "Unknown tool"),
        (a_request("tools/call"), "Unknown tool"),
        (a_request("tools/call", name="query", arguments=[1]), "arguments is an object"),
    ],
)
def test_given_parameters_that_no_tool_takes_then_it_is_an_error_of_the_protocol(
    message: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProtocolError) as caught:
        answered(message)

    error = caught.value.body["error"]
    assert (caught.value.status, error["code"], said in error["message"]) == (400, -32602, True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b'"x"', -32600),
        (b'{"id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
    ],
)
def test_given_what_is_no_request_then_the_error_has_no_id(body: bytes, code: int) -> None:
    assert refused(body) == (400, code, ...)


def test_given_params_that_are_a_list_then_they_are_invalid() -> None:
    assert refused({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []}, _OF_LEGACY) == (400, -32602, 1)


def test_given_a_notification_or_an_old_clients_response_then_nothing_is_answered() -> None:
    assert taken({"jsonrpc": "2.0", "method": "notifications/initialized"}, _OF_LEGACY) is None
    assert taken({"jsonrpc": "2.0", "method": "notifications/cancelled"}, {"mcp-protocol-version": MODERN}) is None
    assert taken({"jsonrpc": "2.0", "id": 1, "result": {}}, _OF_LEGACY) is None
    assert refused({"jsonrpc": "2.0", "id": 1, "result": {}}, {"mcp-protocol-version": MODERN}) == (400, -32600, ...)
    assert refused({"jsonrpc": "2.0", "method": "x"}, {"mcp-protocol-version": "1900-01-01"}) == (400, -32022, ...)


CALL = a_request("tools/call", name="query", arguments={})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mcp-protocol-version": None}, -32020),
        ({"mcp-protocol-version": LEGACY}, -32020),
        ({"mcp-protocol-version": "1900-01-01"}, -32020),
        ({"mcp-method": None}, -32020),
        ({"mcp-method": "Tools/Call"}, -32020),
        ({"mcp-method": "tools/call, tools/list"}, -32020),
        ({"mcp-name": None}, -32020),
        ({"mcp-name": "accounts"}, -32020),
        ({"mcp-name": "=?base64?***?="}, -32020),
    ],
)
def test_given_headers_that_say_something_else_than_the_body_then_they_are_refused(
    change: dict[str, str | None], code: int
) -> None:
    headers = {name: value for name, value in (headers_of(CALL) | change).items() if value is not None}

    assert refused(CALL, headers) == (400, code, 7)


def test_given_a_name_that_is_encoded_then_it_is_decoded_before_it_is_compared() -> None:
    name = f"=?base64?{base64.b64encode(b'query').decode()}?="

    request = taken(CALL, headers_of(CALL) | {"mcp-name": name})

    assert request
    assert request.is_modern


def test_given_an_unknown_version_then_the_error_lists_those_that_are_spoken() -> None:
    meta = META | {"io.modelcontextprotocol/protocolVersion": "2031-01-01"}
    message = a_request("tools/list") | {"params": {"_meta": meta}}
    with pytest.raises(ProtocolError) as caught:
        taken(message, {"mcp-protocol-version": "2031-01-01", "mcp-method": "tools/list"})

    error = caught.value.body["error"]
    assert (caught.value.status, error["code"]) == (400, -32022)
    assert error["data"] == {"supported": [MODERN, LEGACY], "requested": "2031-01-01"}
    bare = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert refused(bare, {"mcp-protocol-version": "1900-01-01"}) == (400, -32022, 1)


@pytest.mark.parametrize("lacking", META)
def test_given_meta_without_a_required_field_then_the_parameters_are_invalid(lacking: str) -> None:
    message = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/list",
        "params": {"_meta": {name: value for name, value in META.items() if name != lacking}},
    }

    assert refused(message, {"mcp-protocol-version": MODERN, "mcp-method": "tools/list"}) == (400, -32602, 7)


def test_given_no_version_at_all_then_only_initialize_is_taken() -> None:
    assert refused({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}) == (400, -32020, 1)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "", True),
        ("https://api.example", "api.example", True),
        ("https://api.example", "", False),
        ("https://evil.example", "api.example", False),
        ("https://api.example.evil.example", "api.example", False),
        ("null", "api.example", False),
        ("", "api.example", False),
    ],
)
def test_given_an_origin_then_only_this_apis_own_is_taken(origin: str | None, host: str, *, allowed: bool) -> None:
    headers = {} if origin is None else {"origin": origin}
    if allowed:
        check_origin(headers, host)
        return
    with pytest.raises(ProtocolError) as caught:
        check_origin(headers, host)
    assert (caught.value.status, "id" in caught.value.body) == (403, False)


def test_given_a_client_that_takes_no_json_then_it_is_told_so() -> None:
    for accepted in ("application/json, text/event-stream", "*/*", "Application/JSON;q=0.5"):
        check_accept({"accept": accepted})
    check_accept({})
    with pytest.raises(ProtocolError) as caught:
        check_accept({"accept": "text/event-stream"})
    assert caught.value.status == 406


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.sampled_from(["2.0", "1.0"])},
    optional={
        "id": _VALUES,
        "method": st.sampled_from(["initialize", "tools/list", "ping"]) | _VALUES,
        "params": _VALUES | st.fixed_dictionaries({"_meta": st.just(META) | _VALUES, "name": _VALUES}),
    },
)


@given(_MESSAGES | _VALUES, st.sampled_from([MODERN, LEGACY, "x", None]))
def test_given_any_json_then_it_is_a_request_a_notification_or_an_error_of_the_protocol(
    message: Any, version: str | None
) -> None:
    headers = {"mcp-method": "tools/list"} | ({"mcp-protocol-version": version} if version else {})

    assert outcome(message, headers) in {"answered", "nothing", -32700, -32600, -32601, -32602, -32020, -32022}


def outcome(message: Any, headers: dict[str, str]) -> str | int:
    """What became of a message; of an error its code."""
    try:
        request = taken(message, headers)
        if request is None:
            return "nothing"
        return "answered" if respond(request, no_desk)["id"] == request.id else "wrong id"
    except ProtocolError as error:
        code: int = error.body["error"]["code"]
        return code if error.status in {200, 400, 404} else 0
