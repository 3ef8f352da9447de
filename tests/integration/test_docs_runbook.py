"""The runbook of docs/operations.md: an entry has a command that shows and one that mends, and each command exists."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main

from ops.cli import app
from ops.frame import every
from support.described import Described
from support.documents import code
from support.template import ROOT

TEXT = (ROOT / "docs/operations.md").read_text()
CHAPTER = TEXT.partition("\n## What to do when an alarm rings\n")[2].partition("\n## ")[0]
ENTRIES = dict(part.split("\n", 1) for part in CHAPTER.split("\n### ")[1:])
COMMANDS: dict[str, Any] = dict(every(typer.main.get_command(app)))
STEP = re.compile(r"(?ms)^- \*\*(Look|Do)\*\*:? (.*?)(?=^- \*\*|\Z)")
COMMAND = re.compile(r"(adweir|make|aws|fields|GET|POST|DELETE) \S")


@pytest.mark.parametrize("title", ENTRIES)
def test_an_entry_says_what_an_alarm_means_and_has_a_command_that_shows_it_and_one_that_mends_it(title: str) -> None:
    meaning = ENTRIES[title].partition("\n- **")[0]
    steps = {kind: [each for each in code(text) if COMMAND.match(each)] for kind, text in STEP.findall(ENTRIES[title])}

    assert len(meaning) > 80
    assert steps.keys() == {"Look", "Do"}
    assert all(steps.values()), steps


def test_every_command_of_the_page_exists_with_its_options_and_as_many_arguments() -> None:
    lines = {line.strip() for line in re.findall(r"(?m)^(?:\.venv/bin/)?(adweir [^|#\n]+)", TEXT)}
    inline = {each.removeprefix(".venv/bin/") for each in code(TEXT) if re.match(r"(\.venv/bin/)?adweir [a-z]", each)}

    wrong = {line: why for line in lines | inline if (why := fault(line))}

    assert len(inline) > 50
    assert wrong == {}


def fault(line: str) -> str:
    """Why a line is no command; "" where it is one, whatever its values are."""
    words = shlex.split(re.sub(r"<[^>]*>|\.\.\.", "x", line.partition(" > ")[0]), comments=True)[1:]
    found = [end for end in range(1, len(words) + 1) if " ".join(words[:end]) in COMMANDS]
    if not found:
        is_group = len(words) == 1 and any(name.startswith(f"{words[0]} ") for name in COMMANDS)
        return "" if is_group else "no such command"
    command = COMMANDS[" ".join(words[: found[-1]])]
    try:
        _, left, _ = command.make_parser(typer.Context(command)).parse_args(words[found[-1] :])
    except Exception as error:  # noqa: BLE001  what is wrong is the answer; an option may be named without a value
        return "" if "requires an argument" in str(error) else str(error)
    return f"too many arguments: {left}" if left else ""


def test_every_call_of_the_page_exists(described: Described) -> None:
    known = {(each.method, re.sub(r"\{[^}]*\}", "x", each.path)) for each in described.operations}
    named = {
        (method, re.sub(r"<[^>]*>|\{[^}]*\}", "x", path.partition("?")[0].rstrip("/")))
        for each in code(TEXT)
        for method, path in re.findall(r"^(GET|POST|PUT|PATCH|DELETE) (/[^\s]+)", each)
    }

    missing = {(method, path) for method, path in named - known if not fits(path, {p for m, p in known if m == method})}

    assert len(named) > 10
    assert missing == set()


def fits(path: str, known: set[str]) -> bool:
    """Whether a path with a value in it is one of the API's."""
    return any(re.fullmatch(re.escape(each).replace("/x", "/[^/]+"), path) for each in known)
