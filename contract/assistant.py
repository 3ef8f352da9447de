"""The Model Context Protocol's own released client asks a sandbox thirty questions: `make contract-mcp`.

It connects as clients of each revision do. Each answer has to equal the platforms' truth, and no platform is asked
meanwhile. The client is installed once, in an environment of its own. Ends with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from contract.clients import HERE
from contract.environments import NotInstalled, Tool, interpreter
from contract.generated_client import sandbox
from contract.questions import Question, Truth, questions
from ops.client import Api

CLIENT = Tool("mcp")
HOME = HERE.parent / ".contract"
DRIVER = HERE / "drivers" / "mcp_client.py"
COMPANY, PLATFORMS = "halden", ("meta_ads", "amazon_ads")
TOOLS = ["accounts", "fields", "query", "compare", "quality", "explain"]
VERSIONS = {"auto": "2026-07-28", "2026-07-28": "2026-07-28", "legacy": "2025-11-25"}
"""How the client connects → the revision that it and the server then speak."""
DAYS = 14
_DRIVER_SECONDS, _ASK_SECONDS, _SYNC_SECONDS = 300, 30, 300


def main(arguments: list[str] | None = None) -> int:
    """The process's exit code."""
    argparse.ArgumentParser(prog="python -m contract.assistant", description=__doc__).parse_args(arguments)
    try:
        python = interpreter(CLIENT, HOME)
    except NotInstalled as missing:
        print(f"not checked: {missing}")
        return 1
    home = HOME / "asked"
    with sandbox(home) as about:
        pull(home, about)
        asked = questions(truth_of(about))
        before = requests_of(about)
        seen = told(python, about, asked)
        faults = [*wrong(seen, asked)]
        if requests_of(about) != before:
            faults.append("a platform was asked")
    for fault in faults:
        print(fault)
    print(f"{len(asked)} questions, {len(faults)} faults")
    return 1 if faults else 0


def pull(home: Path, about: Mapping[str, Any]) -> None:
    """Register the company with its credentials, and pull everything of it."""
    api = Api(about["api_url"], about["api_key"])
    company = _company(about)
    new = {name: company[name] for name in ("company_name", "primary_contact_email")}
    account = api.post("/api/v1/accounts", new)["account_id"]
    for platform in PLATFORMS:
        api.post(f"/api/v1/accounts/{account}/credentials", company["credentials"][platform])
    api.close()
    command = [sys.executable, "-m", "ops.cli", "--home", str(home), "sync", account, "--watch"]
    subprocess.run(command, check=True, timeout=_SYNC_SECONDS, stdout=subprocess.DEVNULL)


def truth_of(about: Mapping[str, Any]) -> Truth:
    """What the platforms have of the company's two ad accounts."""
    last = date.fromisoformat(_world(about, "clock")["now"][:10]) - timedelta(days=2)  # over in each time zone
    first = last - timedelta(days=DAYS - 1)

    @cache
    def rows(profile: str, level: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _world(
            about, f"truth?profile_id={profile}&start={first}&end={last}&level={level}"
        )["rows"]
        return found

    ids = _company(about)["profile_ids"]
    return Truth(ids["meta_ads"][0], ids["amazon_ads"][0], first, last, rows)


def requests_of(about: Mapping[str, Any]) -> dict[str, int]:
    """How often the platforms were asked for what."""
    found: dict[str, int] = _world(about, "requests?limit=1")["counts"]
    return found


def told(python: Path, about: Mapping[str, Any], asked: list[Question]) -> dict[str, Any]:
    """What the client saw, by how it connected."""
    done = subprocess.run(
        [str(python), str(DRIVER), f"{about['api_url']}/mcp", about["api_key"]],
        input=json.dumps([{"tool": each.tool, "arguments": each.arguments} for each in asked]),
        capture_output=True,
        text=True,
        check=False,
        timeout=_DRIVER_SECONDS,
        env={},
    )
    if done.returncode:
        raise SystemExit(f"the client failed: {done.stderr[-3000:]}")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def wrong(seen: Mapping[str, Any], asked: list[Question]) -> Iterator[str]:
    """What of it is not as it has to be."""
    for mode, version in VERSIONS.items():
        found = seen[mode]
        wanted = {
            "version": version,
            "tools": dict.fromkeys(TOOLS, True),
            "refused": True,
            "unknown_tool": -32602,
            "bad_cursor": -32602,
        }
        yield from (f"{mode}: {name} is {found[name]}" for name in wanted if found[name] != wanted[name])
        if not all(found["structured"]):
            yield f"{mode}: an answer has no value"
        for question, texts in zip(asked, found["answers"], strict=False):
            fault = question.fault(json.loads(texts[0], parse_float=Decimal))
            if fault:
                yield f"{mode}: {fault}"
    if len(seen["auto"]["answers"]) != len(asked):
        yield f"{len(seen['auto']['answers'])} answers"


def _company(about: Mapping[str, Any]) -> dict[str, Any]:
    return next(each for each in about["accounts"] if each["key"] == COMPANY)


def _world(about: Mapping[str, Any], door: str) -> Any:
    with urlopen(f"{about['platforms_url']}/_world/{door}", timeout=_ASK_SECONDS) as answer:  # noqa: S310  the sandbox's own
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
