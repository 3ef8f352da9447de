"""Lanes: how far a patient stage has come with each ad account.

`run#<run>` / `open#<stage>#!lane#<profile>` is there while something of the ad account is still to be planned, so that
the stage stays open; its text is the cursor. `run#<run>` / `lane#<stage>#<profile>` keeps what was missing when the
stage was planned, and of a lane that was given up its last cursor as text. `releases` / `<platform>` counts the
releases of a platform: who releases a task has seen all releases before his own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from adweir.model.tasks import Task
from adweir.model.times import iso
from adweir.store.ledger.markers import LANE, Marker, marker_of, marker_sk
from adweir.store.ledger.rows import Row
from adweir.store.ledger.runs import run_pk
from adweir.store.ledger.tasks import Tasks

_GATES = "releases"
_LEFT = "left "
"""Before the cursor, which is empty at the beginning, of a lane that was given up."""


class LaneRecord(NamedTuple):
    """What was missing of an ad account when its stage was planned, as `pipeline.releasing` wrote it.

    `left_at`: the cursor at which the lane was given up, None unless it was.
    """

    stage: str
    profile: str
    body: Mapping[str, Any]
    left_at: str | None = None


class Lanes(Tasks):
    """The lanes of runs, and the release of their tasks."""

    def begin_lane(self, run_id: str, stage: str, profile: str, body: Mapping[str, Any]) -> None:
        """Store a lane that begins. One that is there already stays where it is."""
        record = self._row(run_pk(run_id), f"lane#{stage}#{profile}", body=dict(body))
        lane = self._lane(run_id, Marker(stage, LANE + profile, 0, ""), "")
        self._put_together([(record, self._absent()), (lane, self._absent())])

    def lane_records(self, run_id: str) -> list[LaneRecord]:
        """What was missing when the stages of a run were planned, by stage and ad account."""
        return list(self._readable(self._query(run_pk(run_id), "lane#"), _record_of))

    def open_work(self, run_id: str) -> list[Marker]:
        """The run's markers: open tasks, lanes, and stages that are being planned (a consistent query)."""
        return [marker_of(row) for row in self._query(run_pk(run_id), "open#")]

    def gates(self) -> dict[str, int]:
        """How many tasks were released so far, by platform."""
        return {row.sk: int(row.version or 0) for row in self._query(_GATES)}

    def release_task(self, gate: int, lane: Marker, cursor: str, task: Task) -> Marker | None:
        """Store a task with its marker and move its lane on, all or nothing. Returns the lane as it is then.

        None when another task of the platform was released since `gate` was read, or the lane was moved or ended.
        """
        moved = self._lane(task.run_id, lane, cursor)
        puts = [
            (self._row(_GATES, str(task.platform), version=gate + 1), Row.version == gate if gate else self._absent()),
            (moved, Row.version == lane.version),
            (self._marker(task.run_id, task.stage, task.id, 0, task.profile_key), self._absent()),
            (self._planned(task), self._absent()),
        ]
        return marker_of(moved) if self._put_together(puts) else None

    def move_lane(self, run_id: str, lane: Marker, cursor: str) -> Marker | None:
        """Move a lane on over days of which nothing is missing; None when it was moved or ended since it was read."""
        moved = self._lane(run_id, lane, cursor)
        return marker_of(moved) if self._put(moved, Row.version == lane.version) else None

    def end_lane(self, run_id: str, lane: Marker) -> bool:
        """Nothing of a lane is left to plan; False when it was moved or ended since it was read."""
        return self._drop(run_pk(run_id), marker_sk(lane.stage, lane.task_id), Row.version == lane.version)

    def leave_lane(self, run_id: str, lane: Marker) -> bool:
        """Give up the rest of a lane, and note where; False when it was moved or ended since it was read."""
        pk, sk = run_pk(run_id), f"lane#{lane.stage}#{lane.profile}"
        record = self._fetch(pk, sk)
        if record is not None:
            self._put(self._row(pk, sk, body=record.body, text=f"{_LEFT}{lane.cursor}"))
        return self.end_lane(run_id, lane)

    def _lane(self, run_id: str, lane: Marker, cursor: str) -> Row:
        now, key = iso(self._clock.now()), marker_sk(lane.stage, lane.task_id)
        return self._row(
            run_pk(run_id), key, generation=0, updated_at=now, version=lane.version + 1, text=cursor or None
        )


def _record_of(row: Row) -> LaneRecord:
    _, stage, profile = row.sk.split("#", 2)
    left_at = row.text.removeprefix(_LEFT) if row.text else None
    return LaneRecord(stage, profile, dict(row.body or {}), left_at)
