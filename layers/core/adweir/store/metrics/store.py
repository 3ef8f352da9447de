"""The metric store: loads pulls so that the newest wins whatever the order, and reads what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import inf

from adweir.model.metrics import SOURCE_ORDER, Grain, Level, Series, Source
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.adjusted import Adjustment
from adweir.store.metrics.answering import answering
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import Partition, partitions, prefix
from adweir.store.metrics.changes import ChangedSlot, ChangesHeader, ChangesKey
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.job import Job
from adweir.store.metrics.journal import ChangesStore, Counts
from adweir.store.metrics.kept import KeptSeries, KeptVersion, kept, versions
from adweir.store.metrics.load import PartitionLeases, PartitionLoader, Patience
from adweir.store.metrics.members import Only
from adweir.store.metrics.partitions import MetricsTable, Table
from adweir.store.metrics.past import Change, PastTable, changed, restated, skips_none
from adweir.store.metrics.read import DayState, Reader, SlicesOf, SliceState
from adweir.store.metrics.shelves import Bundle, StoredRow, SummedRows
from adweir.store.metrics.totals import DECIDED
from adweir.store.metrics.vanish import Proposals, Vanishing

__all__ = [
    "Adjustment",
    "Bundle",
    "Change",
    "DayState",
    "KeptSeries",
    "LoadOutcome",
    "MetricStore",
    "Only",
    "Patience",
    "PullRows",
    "SliceState",
    "StoredRow",
    "SummedRows",
]


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a load did. Slots: those whose numbers changed, zeroed ones included, and rows that changed nothing.

    `changes_keys`: the S3 objects with each change. Units: what DynamoDB charged for the Metrics table.
    """

    slots_changed: int = 0
    slots_unchanged: int = 0
    slots_zeroed: int = 0
    changes_keys: tuple[str, ...] = ()
    write_units: float = 0.0
    read_units: float = 0.0


class MetricStore:
    """Metric buckets in the Metrics table. `ledger` hands out leases, `raw` keeps the changes files.

    `slices` names those whose pulls together answer for everything of a series.
    """

    def __init__(
        self,
        patience: Patience,
        ledger: PartitionLeases,
        raw: ChangesStore,
        *,
        table: Table | None = None,
        slices: SlicesOf = lambda _series: (ALL,),
    ) -> None:
        self._table = table or MetricsTable(patience.clock, patience.sleep, patience.rng)
        self._loader = PartitionLoader(patience, self._table, ledger, raw)
        self._slices = slices
        self._changes = raw
        self._reader = Reader(self._table, slices)

    def load(
        self, pull: Pull, rows: PullRows, *, accept_vanish: bool = False, until: float = inf, is_new: bool = False
    ) -> LoadOutcome:
        """Make this pull part of the stored metrics.

        Any order, repetition and interleaving of loads ends in the same state; a pull that is already part of it
        writes nothing. Files, streams, pushes and incomplete pulls are partial: they never zero and set no coverage.
        At `until`, by the monotonic clock, it stops; the same load again goes on. With `is_new` the pull is loaded for
        the first time, as far as the caller knows: nobody looks beforehand at what of it is stored already.

        Raises NotReady (it stopped), Throttled (another loader holds a partition), MassVanish (before anything is
        written), Transient (the lease was lost), Unavailable, BadInput (a row outside the window, or an entity id that
        cannot be a key).
        """
        reads, writes = self._table.read_units, self._table.write_units
        job, counts = Job.of(pull, rows, until), Counts()
        series = prefix(pull.series, pull.source)
        parts = list(partitions(pull.series, pull.source, pull.window))
        guarded = job.complete and not pull.has_totals
        blindly = is_new and job.complete and not guarded
        known = self._loader.coverage(parts) if job.complete and not blindly else {}
        todo = [part for part in parts if blindly or job.concerns(part, known.get(part.pk))]
        guard = self._guard(job, parts, known, series) if todo and guarded and not accept_vanish else None
        for part in parts:
            if part in todo:
                self._loader.load(job, part, guard, counts)
                job = replace(job, got_on=True)
            elif job.complete:
                self._loader.recall(pull, part, counts)
        if guarded and todo:
            Proposals(self._table, series, pull).settle()
        if not todo:
            counts.unchanged = len(rows)
        if pull.series == pull.series._replace(level=Level.ACCOUNT, grain=Grain.DAY, breakdown=""):
            self._decide(job, counts)
        return LoadOutcome(
            slots_changed=counts.changed,
            slots_unchanged=counts.unchanged,
            slots_zeroed=counts.zeroed,
            changes_keys=tuple(counts.changes_keys),
            write_units=self._table.write_units - writes,
            read_units=self._table.read_units - reads,
        )

    def _decide(self, job: Job, counts: Counts) -> None:
        """After account totals: which missing rows of the finer levels are gone. So also when the pull was part before,
        for it may have been stopped here. Usually there are none, and this reads coverage only."""
        pull = job.pull
        if pull.source is Source.PULL:
            finer = [pull.series._replace(level=level) for level in DECIDED]
            parts = [(each, part) for each in finer for part in partitions(each, Source.PULL, pull.window)]
            coverage = self._loader.coverage([part for _, part in parts])
            for series, part in parts:
                if not coverage[part.pk].missing.isdisjoint(part.days):
                    self._loader.check_time(job)
                    self._loader.decide(pull, series, part, counts)

    def skip(self, pull: Pull) -> None:
        """Record that the pull's slice is not applicable in its window: neither covered nor missing.

        Raises Throttled (another loader holds a partition), Transient (the lease was lost), Unavailable.
        """
        for part in partitions(pull.series, pull.source, pull.window):
            self._loader.skip(pull, part)

    def read(
        self,
        series: Series,
        window: Window,
        *,
        sources: Sequence[Source] = SOURCE_ORDER,
        only: Only | None = None,
        overridden: bool = False,
    ) -> Iterator[StoredRow]:
        """The stored rows of a window's local dates: by partition, then entity, then time.

        A row that the newest pull did not bring, but the account total still contains, is marked as kept.
        On each entity-day the first of `sources` that has a slot, or whose coverage says that there is none, decides:
        a covered day without a slot is a true zero and yields nothing. With `overridden` the rows that it hides come
        too, marked. Raises Unavailable.
        """
        return self._reader.read(series, window, sources=sources, only=only, overridden=overridden)

    def snapshot(self) -> Reader:
        """The metrics for one question: `read`, `sums`, `days` and `adjusted`, with each coverage read once."""
        return self._reader.snapshot()

    def days(self, series: Series, window: Window) -> dict[date, DayState]:
        """Day → what was pulled, when, and which slices are not applicable. Days of which nothing is known are left
        out. Raises Unavailable."""
        return self._reader.days(series, window)

    def adjusted(self, series: Series, window: Window) -> Iterator[Adjustment]:
        """How stored numbers differ from what was sent: quarantined rows and cleaned numbers, by entity and day.

        Those of the pulls that answer now, so that what a platform sent for a day is the stored rows without a mark,
        minus `cleaned`, plus `quarantined`. Raises Unavailable.
        """
        return self._reader.adjusted(series, window)

    def answering(self, series: Series, window: Window) -> dict[Stamp, set[str]]:
        """The pulls that stored numbers come from → the days (ISO dates) on which each answers. Raises Unavailable."""
        return answering(self._table, series, window)

    def known_at(self, moment: datetime) -> Reader:
        """The metrics as they were known at a moment: `read`, `days` and `adjusted` as they answered then.

        Valid when no load was running at that moment. Its calls also raise TooLarge.
        """
        return Reader(PastTable(self._table, self._changes, moment), self._slices)

    def changed(
        self,
        series: Series,
        window: Window,
        since: datetime,
        until: datetime,
        skips: Callable[[ChangesKey], bool] = skips_none,
    ) -> Iterator[Change]:
        """The slots of the window's days that changed after `since` and not after `until`, in the order of the loads.

        `skips` is asked of each changes file, and says which is not to be read. A load that was stopped
        and repeated may name a slot twice. Raises TooLarge, Unavailable.
        """
        return changed(self._changes, series, window, since, until, skips)

    def kept(self, platform: Platform, profile_id: str, *, plain_days: bool = False) -> Iterator[KeptSeries]:
        """What was ever loaded of an ad account: its series, each with its months (days, for hours).

        `plain_days`: only the series of days without a breakdown. Raises Unavailable.
        """
        return kept(self._changes, platform, profile_id, plain_days=plain_days)

    def versions(self, every: Iterable[KeptSeries]) -> Iterator[KeptVersion]:
        """Of each month (day, for hours) of these series a text that differs whenever a load has written there, of any
        source. Months of which nothing is stored are left out. Raises Unavailable."""
        return versions(self._table, every)

    def restated(self, series: Series, window: Window) -> Iterator[ChangesHeader | ChangedSlot]:
        """What loads of pulls have changed in a window, a load's header before its slots, month by month.

        Raises TooLarge, Unavailable.
        """
        return restated(self._changes, series, window)

    def _guard(
        self, job: Job, parts: list[Partition], known: dict[str, Coverage], series: str
    ) -> tuple[Vanishing, Proposals] | None:
        """Hold the pull back before its first write, or return the guard with which to check its only partition."""
        if any(coverage.holds(job.pull.stamp) for coverage in known.values()):
            return None  # it was let through before, and stopped halfway
        vanishing, proposals = Vanishing(job.pull), Proposals(self._table, series, job.pull)
        before = vanishing.settled_before
        settled = [part for part in parts if part.days[0] < before]
        if not settled:
            return None
        if len(parts) == 1:
            return vanishing, proposals
        for part in settled:
            self._loader.weigh(job, part, known[part.pk], vanishing)
        if vanishing.suspicious:
            proposals.hold_back(vanishing)
        return None
