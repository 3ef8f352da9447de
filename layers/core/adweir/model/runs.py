"""Runs: one execution of a workflow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adweir.model.messages import Scope


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
class StageRecord:
    """A stage that ended: when (`model.times.iso`), and how many of its tasks did; split parents are not counted."""

    name: str
    started_at: str
    ended_at: str
    tasks: int = 0
    loaded: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a workflow. Planning uses only `scheduled_at`; `started_at` and `ended_at` are real times.

    `stage` is the current stage, `stage_since` when it was requested last, and `requests` how often it was requested
    again. `version` grows with every change, so that
    of two workers that decide at once only one wins. Totals and `accounts` are known when the run ends.
    """

    run_id: str
    workflow: str
    scheduled_at: str
    scope: Scope
    trigger: str = "schedule"
    state: RunState = RunState.RUNNING
    stage: str = ""
    stage_state: StageState = StageState.REQUESTED
    stage_since: str = ""
    started_at: str = ""
    ended_at: str = ""
    reason: str = ""
    requests: int = 0
    version: int = 0
    stages: tuple[StageRecord, ...] = ()
    accounts: tuple[str, ...] = ()
    tasks_total: int = 0
    tasks_failed: int = 0

    def is_requested(self, stage: str) -> bool:
        """Whether this stage is the run's current one and still to be planned."""
        return self.state is RunState.RUNNING and self.stage == stage and self.stage_state is StageState.REQUESTED
