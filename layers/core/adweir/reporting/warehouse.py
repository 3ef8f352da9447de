"""Large reports whose groups a warehouse sums from tables of its own, in place of what reads the store.

What it is asked for is decided here: CSV by day or coarser. All else (JSON, live days, past moments, comparisons,
orders, names, breakdowns, conversions, cross-platform campaigns, other series) is made from the store, and so is what
the warehouse says it cannot answer: its tables may be older than the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from adweir.model.metrics import Grain, Slot
from adweir.reporting.dimensions import Key
from adweir.reporting.exported import Export, ReportExport
from adweir.reporting.formats import CSV
from adweir.reporting.query import Queries
from adweir.reporting.questions import Query


@dataclass(frozen=True, slots=True)
class BulkQuestion:
    """What is asked of a warehouse: the groups of a query, with their sums, as known at a moment.

    `by_currency`: a group has its currency last. `unit`: `day` or `month` where the rows come by month, and only within
    one in the order of the dimensions; "" where they do not.
    """

    queries: Queries
    query: Query
    by_currency: bool
    unit: str
    known_at: datetime


class BulkQuery(NamedTuple):
    """A query that was begun. `basis`: a text that differs for another moment, or once its tables are others."""

    query_id: str
    basis: str


class BulkState(StrEnum):
    """How far a query is. LOST: it failed, or its tables changed while it ran."""

    RUNNING = "running"
    READY = "ready"
    LOST = "lost"


class BulkRow(NamedTuple):
    """A group, its sums, and where in the result the next row begins."""

    key: Key
    slot: Slot
    next: int


class Warehouse(Protocol):
    """Answers such questions. All methods raise Throttled and Unavailable."""

    def begin(self, asked: BulkQuestion, token: str, check_time: Callable[[], None]) -> BulkQuery | None:
        """Begin a query; the same token begins no second one. None where it cannot answer as the store would.

        Raises whatever `check_time` raises.
        """
        ...

    def state(self, asked: BulkQuestion, begun: BulkQuery) -> BulkState:
        """How far it is."""
        ...

    def stop(self, query_id: str) -> None:
        """End a query that is no longer wanted."""
        ...

    def rows(self, asked: BulkQuestion, query_id: str, begin: int) -> Iterator[BulkRow]:
        """The rows of a query that is ready, in the order of the report, from a place in the result (0: its begin)."""
        ...


def bulk_question(of: Export) -> BulkQuestion | None:
    """What an export asks of a warehouse; None for one that is made from the store."""
    if not isinstance(of, ReportExport) or of.format != CSV:
        return None
    plan, query, moments = of.plan, of.plan.query, of.moments
    is_past = moments.as_known_at is not None or moments.changed_since is not None
    is_other = query.is_series or query.is_claimed or query.live or query.moved is not None or query.filters.chosen
    if is_past or is_other or query.convert or plan.is_whole or query.grain is not Grain.DAY or query.breakdown:
        return None
    return BulkQuestion(of.queries, query, plan.by_currency, of.unit, moments.now)
