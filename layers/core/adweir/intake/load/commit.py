"""What the loaders of pulls, files and pushes have in common: store a pull's rows, tell it, and report its quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adweir.model.errors import AdweirError
from adweir.model.events import MetricsChanged, QualityBreached
from adweir.model.ports import Bus, Queue
from adweir.model.tasks import Pull
from adweir.model.times import Clock, iso, parse_instant
from adweir.quality.rules import RowLoop
from adweir.quality.score import Score, score
from adweir.store.metrics.brought import PullRows

if TYPE_CHECKING:
    from adweir.model.platforms import Platform
    from adweir.platforms.base import Normalizer
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings import Findings
    from adweir.store.ledger import Ledger
    from adweir.store.metrics.store import MetricStore
    from adweir.store.raw.store import RawStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What loading works with. `threshold` is the score under which a load raises QualityBreached."""

    raw: RawStore
    metrics: MetricStore
    catalog: Catalog
    ledger: Ledger
    findings: Findings
    normalizer: Callable[[Platform], Normalizer]
    runs_queue: Queue
    bus: Bus
    clock: Clock
    threshold: float


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows came from, for events and reports: the dataset (or `file`, `push`), task, generation, object."""

    dataset: str
    task_id: str
    key: str
    generation: int = 0

    @property
    def quarantine_key(self) -> str:
        return f"quarantine/{self.task_id}.{self.generation}.jsonl.gz"


def store_rows(
    stores: Stores,
    pull: Pull,
    rows: PullRows,
    loop: RowLoop,
    origin: Origin,
    *,
    quarantine_key: str,
    accept: bool = False,
) -> dict[str, int]:
    """Load a pull's good rows, publish what changed, and put the quality report. Returns the counts.

    Every step may be repeated: the store changes nothing the second time, an event may come twice. Raises Throttled
    (the partition's lease), MassVanish (after reporting it), Unavailable.
    """
    counts = {
        "rows_read": loop.tally.read,
        "rows_stored": loop.tally.stored,
        "duplicates": loop.tally.duplicates,
        "rows_quarantined": loop.rejected,
    }
    if rows.incomplete:
        pull = replace(pull, complete=False)
    scored = score(loop.tally, pull.grain, parse_instant(pull.stamp.as_of), stores.clock.now())
    try:
        outcome = stores.metrics.load(pull, rows, accept_vanish=accept)
    except AdweirError as error:
        if error.code == "mass_vanish":
            _report(stores, pull, loop, origin, scored, counts | {"complete": int(pull.complete)}, quarantine_key)
            breach(stores, pull, origin, error.code, scored.overall, loop.rejected, quarantine_key)
        raise
    counts |= {
        "slots_changed": outcome.slots_changed,
        "slots_unchanged": outcome.slots_unchanged,
        "slots_zeroed": outcome.slots_zeroed,
        "complete": int(pull.complete),
    }
    stores.bus.publish(
        MetricsChanged(
            platform=pull.platform,
            profile_id=pull.profile_id,
            account_id=pull.account_id,
            level=pull.level,
            grain=pull.grain,
            source=pull.source,
            start=pull.window.start.isoformat(),
            end=pull.window.end.isoformat(),
            slots_changed=outcome.slots_changed,
            changes_keys=list(outcome.changes_keys),
            task_id=origin.task_id,
        )
    )
    _report(stores, pull, loop, origin, scored, counts, quarantine_key)
    if loop.rejected:
        breach(stores, pull, origin, "rows_quarantined", scored.overall, loop.rejected, quarantine_key)
    elif scored.overall is not None and scored.overall < stores.threshold:
        breach(stores, pull, origin, "score", scored.overall, 0, "")
    return counts


def breach(
    stores: Stores, pull: Pull, origin: Origin, reason: str, overall: float | None, rows: int, quarantine_key: str
) -> None:
    """Publish QualityBreached."""
    stores.bus.publish(
        QualityBreached(
            platform=pull.platform,
            profile_id=pull.profile_id,
            account_id=pull.account_id,
            dataset=origin.dataset,
            reason=reason,
            score=overall,
            rows_quarantined=rows,
            quarantine_key=quarantine_key,
            task_id=origin.task_id,
        )
    )


def _report(
    stores: Stores,
    pull: Pull,
    loop: RowLoop,
    origin: Origin,
    scored: Score,
    counts: Mapping[str, int],
    quarantine_key: str,
) -> None:
    report: dict[str, Any] = {
        "platform": pull.platform,
        "profile_id": pull.profile_id,
        "account_id": pull.account_id,
        "dataset": origin.dataset,
        "level": pull.level,
        "grain": pull.grain,
        "source": pull.source,
        "slice": pull.slice,
        "start": pull.window.start.isoformat(),
        "end": pull.window.end.isoformat(),
        "as_of": pull.stamp.as_of,
        "task_id": origin.task_id,
        "generation": origin.generation,
        "object_key": origin.key,
        "stored_at": iso(stores.clock.now()),
        "score": scored.overall,
        "dimensions": dict(scored.dimensions),
        "gates": scored.gates,
        "offenders": scored.offenders,
        "cleaning": loop.cleaning.summary(),
        "cleaning_samples": loop.cleaning.samples,
        "quarantine_key": quarantine_key,
    } | dict(counts)
    unique = f"{origin.task_id}.{origin.generation}.{pull.level}.{pull.grain}"
    stores.findings.put_quality(pull.profile_key, pull.stamp.as_of, unique, report)
