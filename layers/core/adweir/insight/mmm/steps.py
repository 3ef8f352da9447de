"""How long each step of making a dataset takes, and how many rows it handles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

STEPS = ("extract", "aggregate", "features", "dataset", "fit", "load")
"""Read the stored rows; sum them up; features; write CSV and Parquet; coefficients; store."""


class MixSteps:
    """Counts rows and seconds by step. A step within another is not part of the other's time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._open: list[str] = []
        self._since = monotonic()
        self._seconds = dict.fromkeys(STEPS, 0.0)
        self._rows = dict.fromkeys(STEPS, 0)

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Time that passes here is the step's."""
        self._pass()
        self._open.append(step)
        try:
            yield
        finally:
            self._pass()
            self._open.pop()

    def count(self, step: str, rows: int) -> None:
        """Rows that a step handled."""
        self._rows[step] += rows

    def add(self, other: MixSteps) -> None:
        """Add what another one counted."""
        for step in STEPS:
            self._rows[step] += other._rows[step]
            self._seconds[step] += other._seconds[step]

    def _pass(self) -> None:
        now = self._monotonic()
        if self._open:
            self._seconds[self._open[-1]] += now - self._since
        self._since = now

    def shown(self) -> dict[str, dict[str, object]]:
        """By step `rows` and `seconds`, as the manifest has them."""
        return {step: {"rows": self._rows[step], "seconds": f"{self._seconds[step]:.3f}"} for step in STEPS}

    def counts(self) -> dict[str, int]:
        """The same for a task's record: rows and milliseconds."""
        rows = {f"{step}_rows": count for step, count in self._rows.items() if count}
        return rows | {f"{step}_ms": round(1000 * seconds) for step, seconds in self._seconds.items()}
