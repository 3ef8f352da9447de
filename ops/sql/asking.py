"""Asks Athena, and waits for it within bounds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from adweir.model.errors import AdweirError, Throttled
from adweir.store.athena import Athena, QueryState, ResultColumn
from ops.errors import CommandFailed
from ops.output import remark

T = TypeVar("T")
_FIRST_SECONDS, _MOST_SECONDS, _GROWTH = 0.2, 3.0, 1.4


def _in_a_line(reason: str) -> str:
    """An engine's reason without the statement that DuckDB repeats below it."""
    return " ".join(reason.partition("\nLINE ")[0].split())


class AthenaAnswer(NamedTuple):
    """What Athena answered. `more`: rows were left out."""

    columns: tuple[ResultColumn, ...]
    rows: list[tuple[str | None, ...]]
    more: bool
    state: QueryState


@dataclass(frozen=True)
class Asking:
    """Asks one Athena. A query that takes longer than `timeout` seconds is stopped, and so when the user interrupts."""

    athena: Athena
    timeout: float
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)

    def ask(self, sql: str, most: int) -> AthenaAnswer:
        """The first rows of a query's result. Raises CommandFailed with Athena's reason, Unprocessable, AccessDenied,
        Unavailable."""
        end = self.now() + self.timeout
        query_id = self._patiently(lambda: self.athena.start(sql), end)
        try:
            state = self._ended(query_id, end)
        except BaseException:
            self._stop(query_id)
            raise
        if not state.is_ready:
            raise CommandFailed(f"Athena: {_in_a_line(state.reason) or state.state.lower()}")
        columns: tuple[ResultColumn, ...] = ()
        rows: list[tuple[str | None, ...]] = []
        for page in self.athena.pages(query_id):
            columns = page.columns
            rows += page.rows
            if len(rows) > most:
                break
        return AthenaAnswer(columns, rows[:most], len(rows) > most, state)

    def _stop(self, query_id: str) -> None:
        """End a query that is given up. Why it was is what the user has to see, whether it could be ended or not."""
        try:
            self.athena.stop(query_id)
        except AdweirError as error:
            remark(f"the query {query_id} could not be stopped, and may go on until Athena ends it: {error.message}")

    def _ended(self, query_id: str, end: float) -> QueryState:
        for wait in self._waits(end):
            state = self._patiently(lambda: self.athena.state(query_id), end)
            if not state.goes_on:
                return state
            self.sleep(wait)
        raise CommandFailed(f"it was given up after {self.timeout:g} s: read less, or add --timeout")

    def _patiently(self, do: Callable[[], T], end: float) -> T:
        """Do it again where Athena asks to wait."""
        for wait in self._waits(end):
            try:
                return do()
            except Throttled as error:
                self.sleep(max(wait, error.retry_after * self.rng.uniform(0.5, 1)))
        return do()

    def _waits(self, end: float) -> Iterator[float]:
        """Seconds to wait, each time more, as long as there is time."""
        wait = _FIRST_SECONDS
        while self.now() < end:
            yield wait * self.rng.uniform(0.7, 1.3)
            wait = min(wait * _GROWTH, _MOST_SECONDS)
