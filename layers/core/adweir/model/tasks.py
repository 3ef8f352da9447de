"""Tasks, which say what is to be done, pulls above all; and pulls, which say what was pulled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.flows import StageKind
from adweir.model.labels import DEFAULT, owner
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.platforms import Platform
from adweir.model.times import Window, iso


class TaskState(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    WAITING_REPORT = "waiting_report"
    LANDED = "landed"
    LOADED = "loaded"
    SKIPPED = "skipped"
    SPLIT = "split"
    PARKED = "parked"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do: its rows are stored, or the profile has none."""
        return self in {TaskState.LOADED, TaskState.SKIPPED}


_TERMINAL = frozenset(
    {
        TaskState.LOADED,
        TaskState.SKIPPED,
        TaskState.SPLIT,
        TaskState.PARKED,
        TaskState.QUARANTINED,
        TaskState.FAILED,
        TaskState.CANCELLED,
    }
)


def task_id(run_id: str, profile_key: str, dataset: Dataset, slice_: str, window: Window | None, mode: str = "") -> str:
    """A task's identity, 20 hex digits: planning the same work twice gives the same task."""
    parts = (run_id, profile_key, dataset, slice_, str(window or ""))
    return _hashed(*parts, mode) if mode else _hashed(*parts)


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class StageTask:
    """A part of a stage of a run, for the client `account_id`: what all tasks have in common.

    Each has a `deadline`, too, in Unix seconds. `generation` counts how often it was planned again, `attempts` claims.
    A worker holds the task until `hold_until` (Unix seconds; 0: no worker does). `waits` says what an open task waited
    for when it was last tried: `code`, `reason`, and `until` (Unix seconds), when it is tried again at the earliest.
    `resent` counts how often its message was sent again, since it was last claimed.
    """

    run_id: str
    stage: str
    account_id: str
    _: KW_ONLY
    state: TaskState = TaskState.PLANNED
    generation: int = 0
    id: str = ""
    attempts: int = 0
    updated_at: str = ""
    created_at: str = ""
    hold_until: int = 0
    resent: int = 0
    waits: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountTask(StageTask):
    """What a stage of another kind than `pull` does for one client account.

    There is one per account and stage. A run that was opened again runs what comes behind the stages of its tasks
    anew: then the same task is planned again, as its next generation, for the `round` of that opening (`Run.reopened`).
    """

    kind: StageKind
    deadline: int
    round: int = 0

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", _hashed(self.run_id, f"@{self.account_id}", self.kind, self.stage))

    @property
    def group(self) -> str:
        """The fair-queue key of its messages."""
        return self.account_id

    @property
    def about(self) -> str:
        """What it does, for people: `etl of acc_1`."""
        return f"{self.kind} of {self.account_id}"


@dataclass(frozen=True, slots=True)
class Task(StageTask):
    """One pull to be made: (profile, dataset, slice, window) within a run.

    `account_id` is the client account; `profile_id` the platform's ad account ("" for the profiles dataset, whose task
    belongs to a credential). `label` names the account's credential that pulls it. `window` is None for entities.
    `mode` is how it has to be fetched (`platforms.connector.Mode`), "" where the platform chooses. `accept_vanish` is
    an operator's permission for a pull that `mass_vanish` held back. A pull that paused has `parts` stored (by the
    attempts that made them) and goes on at the platform's `cursor`.
    """

    platform: Platform
    profile_id: str
    dataset: Dataset
    slice: str
    window: Window | None
    deadline: int
    timezone: str = "UTC"
    currency: str = ""
    label: str = DEFAULT
    depth: int = 0
    parent: str = ""
    mode: str = ""
    parts: tuple[int, ...] = ()
    cursor: str = ""
    as_of: str = ""
    report_id: str = ""
    object_key: str = ""
    accept_vanish: bool = False

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(
                self, "id", task_id(self.run_id, self.profile_key, self.dataset, self.slice, self.window, self.mode)
            )

    @property
    def kind(self) -> StageKind:
        """The kind of the stages that have such tasks."""
        return StageKind.PULL

    @property
    def group(self) -> str:
        """The fair-queue key of its messages."""
        return self.profile_key

    @property
    def about(self) -> str:
        """What it does, for people: `ad_daily (all) of meta_ads 123, 2026-11-01..2026-11-07`."""
        days = f", {self.window}" if self.window else ""
        return f"{self.dataset} ({self.slice}) of {self.platform} {self.profile_id or self.account_id}{days}"

    @property
    def profile_key(self) -> str:
        """`meta_ads#1234567890`; for the profiles dataset `meta_ads#@<account_id>[:<label>]`."""
        return f"{self.platform}#{self.profile_id or owner(self.account_id, self.label)}"

    def child(self, *, window: Window | None = None, slice_: str = "", mode: str = "") -> Task:
        """A narrower task for a part of this one. Its id differs because window, slice or mode differ.

        An operator's permission goes with it.
        """
        return replace(
            self,
            window=window or self.window,
            slice=slice_ or self.slice,
            mode=mode or self.mode,
            parts=(),
            cursor="",
            state=TaskState.PLANNED,
            generation=0,
            depth=self.depth + 1,
            parent=self.id,
            id="",
            as_of="",
            report_id="",
            object_key="",
            attempts=0,
            updated_at="",
            created_at="",
            hold_until=0,
            resent=0,
            waits=None,
            error=None,
            counts={},
        )

    def halves(self) -> list[Task]:
        """The task by the halves of its window; none for a single day and for entities."""
        if self.window is None or self.window.length < 2:
            return []
        return [self.child(window=half) for half in self.window.halves()]


AnyTask = Task | AccountTask
"""A task as the ledger has it."""


class Stamp(NamedTuple):
    """What orders pulls: `as_of` (`model.times.iso`), on a tie the task id, then the load. Stamps compare as tuples.

    `load` is 0 when a pull is loaded for the first time. A replay of its raw object answers again with a greater one
    (Unix seconds of the request), so it replaces what the same pull stored before, and nothing that is newer.
    """

    as_of: str
    task_id: str
    load: int = 0

    def __str__(self) -> str:
        return f"{self.as_of}#{self.task_id}" + (f"#{self.load}" if self.load else "")

    @classmethod
    def parse(cls, text: str) -> Stamp:
        as_of, _, rest = text.partition("#")
        task, _, load = rest.partition("#")
        return cls(as_of, task, int(load or 0))

    @classmethod
    def of(cls, as_of: datetime, task: str) -> Stamp:
        return cls(iso(as_of), task)


class Cause(StrEnum):
    """Why stored numbers changed.

    PULL, FILE, STREAM, PUSH: the source brought others. REPLAY: the same bytes were loaded again. OPTIONS: they were
    loaded again because the profile's options changed. TOTAL: an account total decided whether missing rows are kept.
    """

    PULL = "pull"
    FILE = "file"
    STREAM = "stream"
    PUSH = "push"
    REPLAY = "replay"
    OPTIONS = "options"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Pull:
    """What all rows of one load have in common, and what the load answers for.

    A *complete* pull (its paging ended at the platform's own end marker) answers for every entity of `slice` on every
    day of `window`; a partial one only for the rows it brings. Other sources than pulls are always partial.
    `has_totals`: the platform also reports this profile's account totals, by which absence is decided. `definition`
    says how conversions and revenue were counted, in the platform's words; `cause` why these numbers came: see
    `Cause`.
    """

    platform: Platform
    profile_id: str
    level: Level
    grain: Grain
    source: Source
    slice: str
    window: Window
    stamp: Stamp
    complete: bool
    generation: int = 0
    currency: str = ""
    timezone: str = "UTC"
    account_id: str = ""
    breakdown: str = ""
    has_totals: bool = False
    definition: str = ""
    cause: Cause = Cause.PULL

    @property
    def profile_key(self) -> str:
        return f"{self.platform}#{self.profile_id}"

    @property
    def series(self) -> Series:
        """The series that the pull's rows belong to."""
        return Series(self.platform, self.profile_id, self.level, self.grain, self.breakdown)
