"""The client of the Model Context Protocol's own SDK: `mcp_client.py URL KEY` and, on standard input, questions.

It connects as clients of each revision do, lists the tools, and calls each question's. What came is on standard output
as JSON. The client checks each answer against the tool's output schema.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

MODES = ("auto", "2026-07-28", "legacy")
_SECONDS = 60


async def main(url: str, key: str, questions: list[dict[str, Any]]) -> dict[str, Any]:
    """What each way to connect saw; the questions are asked by the first."""
    return {mode: await seen(url, key, mode, questions if mode == MODES[0] else questions[:1]) for mode in MODES}


async def seen(url: str, key: str, mode: str, questions: list[dict[str, Any]]) -> dict[str, Any]:
    """The server as a client of one mode sees it, and its answers."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=_SECONDS) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        listed = await client.list_tools()
        answers = [await client.call_tool(each["tool"], each["arguments"]) for each in questions]
        refused = await client.call_tool("query", {"metrics": ["nonsense"]})
        return {
            "version": client.protocol_version,
            "server": client.server_info and client.server_info.name,
            "tools": {tool.name: tool.annotations and tool.annotations.read_only_hint for tool in listed.tools},
            "answers": [[block.text for block in each.content] for each in answers],
            "structured": [each.structured_content is not None and not each.is_error for each in answers],
            "refused": refused.is_error,
            "unknown_tool": await code_of(client.call_tool("no_such_tool", {})),
            "bad_cursor": await code_of(client.list_tools(cursor="zzz")),
        }


async def code_of(asked: Any) -> int:
    """The code of the error that a call ends with; 0 where it ends with none."""
    try:
        await asked
    except MCPError as error:
        return int(error.code)
    return 0


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], json.load(sys.stdin)))))
