"""An assistant asks the running system thirty questions: the platforms' own answers, and no request to a platform."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import requests

from adweir.model import limits
from contract.questions import Question, Truth, questions
from support.river import River

VERSION = "2026-07-28"
_SECONDS = 30


def test_given_stored_days_when_an_assistant_asks_then_it_gets_the_truth_and_no_platform_is_asked(
    river: River, days: tuple[str, str]
) -> None:
    # given
    client = river.clients["halden"]

    @cache
    def rows(profile: str, level: str) -> list[dict[str, Any]]:
        found = river.world.get("truth", profile_id=profile, start=days[0], end=days[1], level=level)
        return [row for row in found["rows"] if days[0] <= row["date"] <= days[1]]

    start, end = map(date.fromisoformat, days)
    asked = questions(Truth(client.meta, client.amazon, start, end, rows))
    made = river.api.post("/api/v1/keys", {"name": "ask", "scopes": ["read"], "accounts": [client.account_id]})
    before = river.world.get("requests", limit="1")["counts"]

    # when
    with requests.Session() as connection:
        connection.headers["Authorization"] = f"Bearer {made['key']}"
        answers = [_answer(connection, river, question) for question in asked]

    # then
    faults = [question.fault(answer) for question, answer in zip(asked, answers, strict=True)]
    assert [fault for fault in faults if fault] == []
    assert len(asked) == 30
    assert river.world.get("requests", limit="1")["counts"] == before


def _answer(connection: requests.Session, river: River, question: Question) -> dict[str, Any]:
    meta = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
    params = {"name": question.tool, "arguments": question.arguments, "_meta": meta}
    headers = {"MCP-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": question.tool}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    url = f"{river.description['api_url']}/mcp"
    response = connection.post(url, json=message, headers=headers, timeout=_SECONDS)
    result = json.loads(response.text, parse_float=Decimal)["result"]
    assert not result["isError"], result
    assert len(result["content"][0]["text"].encode()) <= limits.MAX_ASKED_BYTES
    found: dict[str, Any] = result["structuredContent"]
    return found
