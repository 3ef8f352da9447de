"""`make security`: what schemathesis is told to ask, and what is left out of its checks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from contract.api_findings import asked
from contract.clients import HERE
from contract.demonstrated import ApiDoor
from support.stub_http import Answer, serving
from support.template import template

_TOOL = """#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/asked"
"""


def test_given_an_api_below_a_path_when_schemathesis_is_run_then_it_asks_there(tmp_path: Path) -> None:
    """It takes the relative address in the document for one of the host: it would ask whatever else is there."""
    tool = tmp_path / "schemathesis"
    tool.write_text(_TOOL)
    tool.chmod(0o755)
    with serving() as server:
        server.route = lambda _: Answer()
        door = ApiDoor(f"{server.url}/_aws/execute-api/1", "adw_key")
        code = asked(tmp_path / "python", door, 7, 1)

    words = (tmp_path / "asked").read_text().splitlines()
    assert code == 0
    assert words[words.index("--url") + 1] == door.url
    assert f"{door.url}/openapi.json" in words
    assert f"Authorization: Bearer {door.key}" in words


def test_pages_of_which_other_methods_are_left_out_have_a_route_of_get_alone() -> None:
    (left_out,) = tomllib.loads((HERE / "schemathesis.toml").read_text())["operations"]
    routes = [each["RouteKey"].split() for each in template().of("AWS::ApiGatewayV2::Route").values()]

    pages = {path for method, path in routes if method == "GET"}
    assert pages == {path for _, path in routes if re.fullmatch(left_out["include-path-regex"], path)} != set()
