"""The documents as data: their blocks of code, their tables, and what they show as code in a sentence."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from support.template import ROOT

DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))


class Block(NamedTuple):
    """A fenced block: its document, the line that it begins at, its language ("" when it says none) and its text."""

    document: str
    line: int
    language: str
    text: str


def blocks(path: Path) -> list[Block]:
    """A document's fenced blocks, in order."""
    found: list[Block] = []
    open_at, language, lines = 0, "", list[str]()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.startswith("```"):
            lines.append(line)
        elif open_at:
            found.append(Block(path.relative_to(ROOT).as_posix(), open_at, language, "\n".join(lines) + "\n"))
            open_at = 0
        else:
            open_at, language, lines = number, line.removeprefix("```"), []
    return found


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading of a file in docs/."""
    _, _, section = (ROOT / "docs" / document).read_text().partition(f"\n## {heading}\n")
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(text: str) -> list[str]:
    """What a text names as code."""
    return re.findall(r"`([^`\n]+)`", text)


def all_code() -> str:
    """Everything that the documents show as code, in blocks and in sentences."""
    shown: list[str] = []
    for path in DOCUMENTS:
        of_path = blocks(path)
        shown += [block.text for block in of_path]
        shown += code(re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL))
    return "\n".join(shown)


@cache
def names_of_tests() -> frozenset[str]:
    """The names of all test functions, for documents that say which test shows what."""
    texts = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE))
