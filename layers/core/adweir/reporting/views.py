"""What readers need of stored metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from adweir.model.metrics import Series, Source
from adweir.model.times import Window
from adweir.store.metrics.changes import ChangedSlot, ChangesHeader
from adweir.store.metrics.store import Adjustment, Bundle, Change, DayState, Only, StoredRow, SummedRows


class MetricsView(Protocol):
    """Stored metrics as they are now (`MetricStore`), or as they were known at a moment."""

    def snapshot(self) -> MetricsSnapshot:
        """The metrics for one question."""
        ...

    def days(self, series: Series, window: Window) -> dict[date, DayState]: ...


class MetricsSnapshot(Protocol):
    """Stored metrics for one question, with each coverage read once (`store.metrics.read.Reader`)."""

    def snapshot(self) -> MetricsSnapshot:
        """Itself."""

    def foresee(self, series: Iterable[Series], window: Window, sources: Sequence[Source] = ...) -> None:
        """Read the coverage of these series together: questions about them then look up none."""

    def read(
        self,
        series: Series,
        window: Window,
        *,
        sources: Sequence[Source] = ...,
        only: Only | None = ...,
        overridden: bool = ...,
    ) -> Iterator[StoredRow]: ...
    def sums(
        self,
        series: Series,
        window: Window,
        bundle: Bundle,
        *,
        sources: Sequence[Source] = ...,
        only: Only | None = ...,
        overridden: bool = ...,
    ) -> Iterator[StoredRow | SummedRows]: ...
    def days(self, series: Series, window: Window) -> dict[date, DayState]: ...
    def adjusted(self, series: Series, window: Window) -> Iterator[Adjustment]: ...


class MetricsHistory(MetricsView, Protocol):
    """Stored metrics, as they are now and as they were (`MetricStore`)."""

    def known_at(self, moment: datetime) -> MetricsView: ...
    def restated(self, series: Series, window: Window) -> Iterator[ChangesHeader | ChangedSlot]: ...
    def changed(self, series: Series, window: Window, since: datetime, until: datetime) -> Iterator[Change]: ...
