"""Runs: one execution of a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from adweir.model.messages import Scope

REFRESH = "refresh"
"""The workflow that follows what came outside of runs."""


class RunState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self is not RunState.RUNNING


class StageState(StrEnum):
    """REQUESTED: one worker won the right to start it and its planning is under way. OPEN: all its tasks exist."""

    REQUESTED = "requested"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class CurrentStage:
    """A stage that has begun and has not ended: `since` when, `asked_at` when it was requested last, and `requests` how
    often it was requested again. Times as `model.times.iso`."""

    name: str
    state: StageState = StageState.REQUESTED
    since: str = ""
    asked_at: str = ""
    requests: int = 0


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage that ended: when (`model.times.iso`), and how many of its tasks did; split parents are not counted.

    `left_out`: why it did not run at all, "" when it did.
    """

    name: str
    started_at: str
    ended_at: str
    tasks: int = 0
    loaded: int = 0
    failed: int = 0
    skipped: int = 0
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a workflow. Planning uses only `scheduled_at`; `started_at` and `ended_at` are real times.

    `current` are the stages that have begun and not ended; when the run has ended, those that ended last. `flow` is the
    definition of a stored workflow as it was when the run began, None for a built-in one, and `args` the arguments that
    it was given. `version` grows with every change, so that of two workers that decide at once only one wins.
    `reopened` counts the redrives that opened it again. `arrived`: what came outside of runs and this one follows, by
    its name in how many loads (`model.arrivals`). Totals and `accounts` are known when the run ends; `records` are the
    rows that its tasks read, None where an earlier version ended it.
    """

    run_id: str
    workflow: str
    scheduled_at: str
    scope: Scope
    trigger: str = "schedule"
    state: RunState = RunState.RUNNING
    current: tuple[CurrentStage, ...] = ()
    started_at: str = ""
    ended_at: str = ""
    reason: str = ""
    version: int = 0
    reopened: int = 0
    stages: tuple[StageRecord, ...] = ()
    accounts: tuple[str, ...] = ()
    tasks_total: int = 0
    tasks_failed: int = 0
    flow: Mapping[str, Any] | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    records: int | None = None
    arrived: Mapping[str, int] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The names of its current stages, or of those that ended last: `metrics`, or `google, meta`."""
        return ", ".join(stage.name for stage in self.current)

    def stage_of(self, name: str) -> CurrentStage | None:
        """A stage that has begun and not ended, None for any other."""
        if self.state is not RunState.RUNNING:
            return None
        return next((stage for stage in self.current if stage.name == name), None)

    def is_requested(self, name: str) -> bool:
        """Whether this stage is one of the run's current ones and still to be planned."""
        stage = self.stage_of(name)
        return stage is not None and stage.state is StageState.REQUESTED

    def with_stage(self, changed: CurrentStage) -> tuple[CurrentStage, ...]:
        """The current stages with one of them changed."""
        return tuple(changed if stage.name == changed.name else stage for stage in self.current)
