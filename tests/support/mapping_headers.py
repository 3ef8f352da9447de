"""Headers of tools that no mapping is built in for, with what a careful analyst makes of each column.

`tests/unit/mapping_headers/` has a CSV of invented rows and a JSON per header: `columns` says for each column which
field it is, null for one that is not stored, or a list where an analyst would accept any of several. They judge what
proposes mappings, which must not be tuned on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "unit" / "mapping_headers"

Answer = str | None
"""A field of ours, or None: the column is not stored."""


@dataclass(frozen=True, slots=True)
class JudgedHeader:
    """A header and what is right of it. `header_line`: the 1-based line that the columns' names are in."""

    name: str
    tool: str
    language: str
    seen_in: Sequence[str]
    data_types: frozenset[str]
    header_line: int
    accepted: Mapping[str, frozenset[Answer]]

    @property
    def sample(self) -> Path:
        """The CSV."""
        return FOLDER / f"{self.name}.csv"

    @property
    def stored(self) -> frozenset[str]:
        """The columns that have to become a field."""
        return frozenset(column for column, answers in self.accepted.items() if None not in answers)

    def wrong(self, proposed: Mapping[str, Answer]) -> dict[str, Answer]:
        """The columns that a proposal has wrong, with what it says of them; one that it does not name is not stored."""
        answers = {column: proposed.get(column) for column in self.accepted}
        return {column: answer for column, answer in answers.items() if answer not in self.accepted[column]}


@dataclass(frozen=True, slots=True)
class Score:
    """How many columns of some headers are right: of all, and of those that have to become a field."""

    right: int
    columns: int
    right_stored: int
    stored: int

    @property
    def of_all(self) -> float:
        """The share of all columns that are right."""
        return self.right / self.columns

    @property
    def of_stored(self) -> float:
        """The share of the columns that have to become a field: many columns that nobody stores do not raise it."""
        return self.right_stored / self.stored


def judged_headers() -> Iterator[JudgedHeader]:
    """Every header, by name."""
    for path in sorted(FOLDER.glob("*.json")):
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        yield JudgedHeader(
            path.stem,
            said["tool"],
            said["language"],
            tuple(said["seen_in"]),
            frozenset(said["data_type"]),
            said["header_line"],
            {
                column: frozenset(answer if isinstance(answer, list) else [answer])
                for column, answer in said["columns"].items()
            },
        )


def score(proposals: Mapping[str, Mapping[str, Answer]]) -> Score:
    """The score of proposals, by the header's name: column → field. A header without a proposal is all wrong."""
    right = columns = right_stored = stored = 0
    for header in judged_headers():
        columns, stored = columns + len(header.accepted), stored + len(header.stored)
        if header.name in proposals:
            wrong = header.wrong(proposals[header.name]).keys()
            right += len(header.accepted) - len(wrong)
            right_stored += len(header.stored - wrong)
    return Score(right, columns, right_stored, stored)
