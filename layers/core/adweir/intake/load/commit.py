"""The end of every load: rows are stored, the change is announced, and its quality is reported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.intake.load.holding import HeldBack
from adweir.model.arrivals import Arrival, named
from adweir.model.errors import AdweirError, MassVanish, NotReady
from adweir.model.events import BusEvent, MetricsChanged, QualityBreached
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain
from adweir.model.ports import Bus
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Clock, iso
from adweir.quality.day_tallies import counts_by_day, day_tallies
from adweir.quality.rules import REFUSING, RowLoop
from adweir.quality.score import Score, score
from adweir.store.findings.held_rows import HeldObject, SupersedingPull
from adweir.store.findings.tallies import DayTally, TallyKey
from adweir.store.metrics.brought import PullRows

if TYPE_CHECKING:
    from adweir.store.findings import Findings
    from adweir.store.ledger.unfollowed import Unfollowed
    from adweir.store.metrics.store import LoadOutcome, MetricStore


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows came from, for events and reports: the dataset (or `file`, `push`), task, generation, object.

    `load` is the number of the replay that loaded the object again, else 0. `platform`, `profile_id` and `account_id`
    are "" where an object concerns several or none.
    """

    dataset: str
    task_id: str
    key: str
    generation: int = 0
    load: int = 0
    platform: str = ""
    profile_id: str = ""
    account_id: str = ""

    @property
    def quarantine_key(self) -> str:
        return f"quarantine/{self.task_id}.{self.numbers}.jsonl.gz"

    @property
    def numbers(self) -> str:
        """The generation, and the load of a replay: what tells the loads of a task apart."""
        return f"{self.generation}.{self.load}" if self.load else str(self.generation)


def named_task(text: str) -> str:
    """The id of a task that was never planned: of an object's load, the same whenever it is repeated."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Allowance(NamedTuple):
    """What a load may do: `remaining` says how many seconds of the invocation are left, `accept_vanish` lets it through
    where MassVanish would hold it back. `is_new`: the object's message comes for the first time."""

    remaining: Callable[[], float] = lambda: inf
    accept_vanish: bool = False
    is_new: bool = False


class Committer:
    """Stores what a loader read. A load that scores under `threshold` raises the event QualityBreached.

    What came outside of runs is noted in the ledger, after it is stored, so that a run follows it. The last `margin`
    seconds of an invocation stay unused.
    """

    def __init__(
        self,
        stores: tuple[MetricStore, Findings, Unfollowed],
        bus: Bus,
        clock: Clock,
        threshold: float,
        margin: float = 20.0,
    ) -> None:
        self._margin = margin
        self._metrics, self._findings, self._unfollowed = stores
        self._bus = bus
        self._clock = clock
        self._threshold = threshold

    def announce(self, event: BusEvent) -> None:
        """Publish an event."""
        self._bus.publish(event)

    def skip(self, pull: Pull) -> None:
        """Record that the profile has no such data. Raises what `MetricStore.skip` does."""
        self._metrics.skip(pull)

    def breach(
        self, origin: Origin, reason: str, *, rows: int = 0, quarantine_key: str = "", overall: float | None = None
    ) -> None:
        """Publish QualityBreached: `rows` were quarantined under the key, or the score is `overall`."""
        self._bus.publish(
            QualityBreached(
                platform=origin.platform,
                profile_id=origin.profile_id,
                account_id=origin.account_id,
                dataset=origin.dataset,
                reason=reason[:500],
                score=overall,
                rows_quarantined=rows,
                quarantine_key=quarantine_key,
                object_key=origin.key,
                task_id=origin.task_id,
            )
        )

    def hold(self, origin: Origin, held: HeldBack) -> None:
        """List what a load left in quarantine; of an object that is loaded again, also that nothing of it is there.

        Raises Unavailable.
        """
        if held.rows or origin.load:
            entry = HeldObject(
                source_key=origin.key,
                account_id=origin.account_id,
                platform=origin.platform,
                profile_id=origin.profile_id,
                dataset=origin.dataset,
                task_id=origin.task_id,
                load=origin.load,
                **held._asdict(),
            )
            self._findings.held.hold(entry)

    def not_moved(self, message: ObjectArrived, error: AdweirError, version_id: str = "") -> None:
        """Note of an object that somebody wanted to be loaded again that it cannot be."""
        if message.load:
            self._findings.held.failed(message.key, version_id, f"{error.code}: {error.message}")

    def check_time(self, remaining: Callable[[], float]) -> None:
        """Raises NotReady when only the margin is left."""
        if remaining() < self._margin:
            raise NotReady("the load continues in another invocation", after=1)

    def load(self, pull: Pull, brought: PullRows, allowance: Allowance) -> LoadOutcome:
        """Store rows, in the time that is left, and note them where no task is behind them.

        They are noted whether or not they changed anything: a worker that died before it noted them is repeated by one
        for whom nothing changes. Raises Throttled, NotReady, Unavailable.
        """
        until = self._clock.monotonic() + allowance.remaining() - self._margin
        may = {"accept_vanish": allowance.accept_vanish, "is_new": allowance.is_new}
        outcome = self._metrics.load(pull, brought, until=until, **may)
        if arrival := Arrival.of(pull.source, is_replay=bool(pull.stamp.load)):
            self.arrived(pull.account_id, arrival, pull.grain)
        return outcome

    def arrived(self, account_id: str, arrival: Arrival, grain: Grain | None = None) -> None:
        """Note that something of a client was stored outside of runs: call it after that, and before whatever keeps a
        repetition from coming this far. Raises Unavailable."""
        self._unfollowed.note(account_id, named(arrival, grain))

    def store(
        self,
        pull: Pull,
        brought: PullRows,
        loop: RowLoop,
        origin: Origin,
        quarantine_key: str,
        allowance: Allowance,
    ) -> dict[str, int]:
        """Load a pull's good rows, publish what changed, and put the quality report. Returns the counts.

        Every step may be repeated: the store changes nothing the second time, an event may come twice. Raises Throttled
        (the partition's lease), NotReady (its time is up; the same load again goes on), MassVanish (after reporting
        it), Unavailable.
        """
        origin = replace(origin, platform=pull.platform, profile_id=pull.profile_id, account_id=pull.account_id)
        if brought.incomplete:
            pull = replace(pull, complete=False)
        counts = {
            "rows_read": loop.tally.read,
            "rows_stored": loop.tally.stored,
            "duplicates": loop.tally.duplicates,
            "rows_quarantined": loop.rejected,
            "complete": int(pull.complete),
        }
        scored = score(loop.tally, pull.grain, pull.stamp, self._clock.now())
        refused = loop.rejected
        try:
            outcome = self.load(pull, brought, allowance)
        except MassVanish as error:
            self._report(pull, loop, origin, scored, counts | {"quarantine_key": quarantine_key})
            self.breach(origin, error.code, rows=refused, quarantine_key=quarantine_key, overall=scored.overall)
            raise
        counts |= {
            "slots_changed": outcome.slots_changed,
            "slots_unchanged": outcome.slots_unchanged,
            "slots_zeroed": outcome.slots_zeroed,
        }
        self._bus.publish(_changed(pull, outcome, origin))
        self._report(pull, loop, origin, scored, counts | {"quarantine_key": quarantine_key})
        if counts_by_day(pull):
            key = TallyKey(pull.level, pull.source, pull.slice)
            days = day_tallies(pull, brought, loop.tally, self._clock.now())
            is_faultless = pull.complete and not refused

            def replacing(before: Iterable[DayTally]) -> None:
                if is_faultless:
                    self._supersede(pull, origin, before)

            self._findings.tallies.put(pull.profile_key, key, days, replacing)
        if refused:
            self.breach(origin, "rows_quarantined", rows=refused, quarantine_key=quarantine_key, overall=scored.overall)
        elif scored.overall is not None and scored.overall < self._threshold:
            self.breach(origin, "score", overall=scored.overall)
        return counts

    def _supersede(self, pull: Pull, origin: Origin, before: Iterable[DayTally]) -> None:
        """Older pulls of which rows were refused have nothing more to say of the days that this one brought whole."""
        tasks = frozenset(Stamp.parse(each.stamp).task_id for each in before if REFUSING & each.failures.keys())
        if tasks - {pull.stamp.task_id}:
            days = pull.window.start.isoformat(), pull.window.end.isoformat()
            place = pull.platform, pull.profile_id, origin.dataset, pull.slice
            self._findings.held.supersede(SupersedingPull(*place, *days, tasks - {pull.stamp.task_id}))

    def _report(self, pull: Pull, loop: RowLoop, origin: Origin, scored: Score, facts: Mapping[str, Any]) -> None:
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
            "cause": pull.cause,
            "definition": pull.definition,
            "stored_at": iso(self._clock.now()),
            "score": scored.overall,
            "dimensions": dict(scored.dimensions),
            "gates": scored.gates,
            "offenders": scored.offenders,
            "cleaning": loop.cleaning.summary(),
            "cleaning_samples": loop.cleaning.samples,
        } | dict(facts)
        unique = f"{origin.task_id}.{origin.numbers}.{pull.level}.{pull.grain}"
        self._findings.put_quality(pull.profile_key, pull.stamp.as_of, unique, report)


def _changed(pull: Pull, outcome: LoadOutcome, origin: Origin) -> MetricsChanged:
    return MetricsChanged(
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
