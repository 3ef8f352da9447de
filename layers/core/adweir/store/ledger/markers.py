"""Markers: which tasks of a run are open, and which stage is being planned.

`run#<run>` / `open#<stage>#<id>` exists while the task is open and holds its generation, so that a late worker of an
older generation cannot remove the marker of a redriven task. `open#<stage>#!planning` exists while a stage is planned.
"""

from __future__ import annotations

from typing import NamedTuple

from adweir.model.times import iso
from adweir.store.ledger.rows import Row, Rows
from adweir.store.ledger.runs import run_pk

PLANNING = "!planning"
LANE = "!lane#"
"""What names a lane begins so (`store.ledger.lanes`)."""


class Marker(NamedTuple):
    """An open marker, of the ad account `profile` (`Task.profile_key`).

    `task_id` may be `!planning`, then `cursor` is the last profile that was planned whole; or it names a lane, and
    `cursor` is how far that came, `version` how often it was moved.
    """

    stage: str
    task_id: str
    generation: int
    at: str
    cursor: str = ""
    profile: str = ""
    version: int = 0

    @property
    def is_task(self) -> bool:
        """Whether it stands for a task."""
        return not self.task_id.startswith("!")

    @property
    def is_lane(self) -> bool:
        """Whether it stands for what of an ad account is still to be planned."""
        return self.task_id.startswith(LANE)


class Markers(Rows):
    """The markers of a run: what keeps its stage open."""

    def begin_planning(self, run_id: str, stage: str) -> Marker:
        """Put the stage's planning marker, or return the one that an interrupted planning left."""
        if self._mark(run_id, stage, PLANNING, 0):
            return Marker(stage, PLANNING, 0, "")
        row = self._fetch(run_pk(run_id), marker_sk(stage, PLANNING))
        return Marker(stage, PLANNING, 0, "") if row is None else marker_of(row)

    def planned_until(self, run_id: str, stage: str, cursor: str) -> bool:
        """Remember in the planning marker that all entries up to `cursor` are planned.

        False when the marker is gone: the run was cancelled.
        """
        row = self._row(
            run_pk(run_id), marker_sk(stage, PLANNING), generation=0, updated_at=iso(self._clock.now()), text=cursor
        )
        return self._put(row, Row.pk.exists())

    def end_planning(self, run_id: str, stage: str) -> None:
        """Remove the stage's planning marker: all its tasks exist."""
        self._drop(run_pk(run_id), marker_sk(stage, PLANNING))

    def has_open(self, run_id: str, stage: str) -> bool:
        """Whether any work of a stage is open (a consistent query)."""
        return next(self._query(run_pk(run_id), marker_sk(stage, ""), limit=1), None) is not None

    def unmark(self, run_id: str, marker: Marker) -> None:
        """Remove a marker without a task, unless a newer generation has taken it."""
        self._drop(run_pk(run_id), marker_sk(marker.stage, marker.task_id), Row.generation <= marker.generation)

    def _mark(self, run_id: str, stage: str, task_id: str, generation: int, profile: str = "") -> bool:
        """Put a marker unless one of this or a newer generation is already there."""
        return self._put(
            self._marker(run_id, stage, task_id, generation, profile), self._absent() | (Row.generation < generation)
        )

    def _marker(self, run_id: str, stage: str, task_id: str, generation: int, profile: str = "") -> Row:
        now, sk = iso(self._clock.now()), marker_sk(stage, task_id)
        return self._row(run_pk(run_id), sk, generation=generation, updated_at=now, text=profile or None)


def marker_sk(stage: str, task_id: str) -> str:
    """The sort key of a task's marker."""
    return f"open#{stage}#{task_id}"


def marker_of(row: Row) -> Marker:
    """A stored marker."""
    _, stage, task_id = row.sk.split("#", 2)
    text, of_task = row.text or "", not task_id.startswith("!")
    profile = text if of_task else task_id.removeprefix(LANE) if task_id.startswith(LANE) else ""
    numbers = int(row.generation or 0), row.updated_at or ""
    return Marker(stage, task_id, *numbers, "" if of_task else text, profile, int(row.version or 0))
