"""The reviewed list of mutants that no test can tell from the code, each with the reason: equivalent.toml.

An entry is about one statement as it is written: when the line changes, the entry fits no mutant any more, and a test
of the suite says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from ops.mutants.mutants import MutantKey

LIST = Path(__file__).with_name("equivalent.toml")


def read(file: Path = LIST) -> dict[MutantKey, str]:
    """Reason by mutant. Raises ValueError for an entry without a reason and for one that is there twice."""
    found: dict[MutantKey, str] = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", []):
        key = MutantKey(entry["module"], entry["function"], entry["line"], entry["becomes"], entry.get("number", 1))
        if key in found or not entry["why"].strip():
            raise ValueError(f"listed twice or without a reason: {key}")
        found[key] = entry["why"]
    return found


def outdated(listed: Iterable[MutantKey], known: Iterable[MutantKey]) -> list[MutantKey]:
    """Entries that fit no mutant: their line has changed, so they have to be looked at again."""
    return sorted(set(listed) - set(known))
