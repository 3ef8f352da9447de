"""The result of the whole comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ops.demo.truth import Compared, Figures

_SHOWN = 20


@dataclass(frozen=True)
class Verdict:
    """All ad accounts compared, and how long the demonstration took."""

    results: Sequence[Compared]
    seconds: float

    @property
    def rows(self) -> int:
        """Rows of the platforms' truth."""
        return sum(len(result.truth) for result in self.results)

    @property
    def wrong(self) -> int:
        """Rows that differ, are missing or are too many."""
        return sum(len(result.differences) for result in self.results)

    @property
    def right(self) -> bool:
        """There are numbers, and each one is the platforms' own."""
        return bool(self.rows) and not self.wrong

    @property
    def text(self) -> str:
        """The verdict in one line."""
        if self.right:
            return f"{self.rows:,} rows, {self.rows * len(Figures._fields):,} numbers: all equal the platforms' own."
        return f"{self.wrong:,} of {self.rows:,} rows differ from what the platforms say."

    @property
    def wrong_lines(self) -> list[str]:
        """The first differences, one line each."""
        lines = [
            f"{one.platform} {one.profile_id} {' '.join(key)}: stored {_text(one.stored.get(key))}, "
            f"platform {_text(one.truth.get(key))}"
            for one in self.results
            for key in one.differences
        ]
        return lines[:_SHOWN]


def _text(row: Figures | None) -> str:
    return "nothing" if row is None else " ".join(map(str, row))
