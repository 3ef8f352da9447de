"""A round of releases (`pipeline.releasing`): tasks of one run's patient stage, on one platform."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from adweir.intake.collect.gate import wider_keys
from adweir.intake.collect.planner import unplannable
from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import AuthExpired, BadInput, ThrottleScope, Unprocessable
from adweir.model.lanes import LanePlace
from adweir.model.log import log
from adweir.model.platforms import Platform
from adweir.model.runs import Run
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Clock, parse_instant
from adweir.pipeline.alone import PASSING, explain
from adweir.pipeline.lanes import Lane
from adweir.pipeline.sender import TaskSender
from adweir.pipeline.stages import UNPLANNABLE, StagePlanner
from adweir.pipeline.time_left import TimeLeft
from adweir.pipeline.workflows import Stage
from adweir.store.ledger import Marker

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger
    from adweir.store.ledger.brakes import BrakeState

_DONE = "2000-01-01"
"""No platform has days before this one: a step that is cut here has nothing left."""


class ReleaseParts(NamedTuple):
    """What releases work with."""

    ledger: Ledger
    planner: StagePlanner
    sender: TaskSender
    clock: Clock
    left: TimeLeft


class Turn:
    """What one look of a worker at a platform saw: the gate, the run's lanes, the ad accounts of the tasks under way in
    it and in other patient runs, and how many the run may have."""

    def __init__(
        self, gate: int, lanes: Sequence[Marker], own: Sequence[str], others: Sequence[str], share: int
    ) -> None:
        self.gate = gate
        self.lanes = {lane.profile: lane for lane in lanes}
        self.own = list(own)
        self.others = list(others)
        self._share = share

    @property
    def has_room(self) -> bool:
        """Whether another task of the run may be released."""
        return bool(self.lanes) and len(self.own) < self._share and self._is_free

    @property
    def is_full_alone(self) -> bool:
        """Whether the run has its share, and other runs may have more."""
        return len(self.own) >= self._share and self._is_free

    @property
    def _is_free(self) -> bool:
        return len(self.own) + len(self.others) < limits.MAX_PATIENT_TASKS

    def next_lanes(self) -> list[Marker]:
        """The lanes of which a task may be released, the one that has come least far first."""
        free = (lane for lane in self.lanes.values() if self.under_way(lane.profile) < limits.MAX_PATIENT_PROFILE_TASKS)
        return sorted(
            free, key=lambda lane: (LanePlace.parse(lane.cursor).span, self.own.count(lane.profile), lane.profile)
        )

    def under_way(self, profile: str) -> int:
        """How many patient tasks of an ad account are open."""
        return self.own.count(profile) + self.others.count(profile)


class Round:
    """Releases tasks of one platform, for one run."""

    def __init__(
        self, parts: ReleaseParts, run: Run, stage: Stage, profiles: Mapping[str, Profile], platform: Platform
    ) -> None:
        self._parts = parts
        self._ledger, self._planner, self._left = parts.ledger, parts.planner, parts.left
        self._run = run
        self._stage = stage
        self._profiles = profiles
        self._platform = platform
        self._brakes = list(parts.ledger.brakes.on(platform))
        ours = (one for one in parts.planner.credentials() if one.platform == platform)
        self._credentials = {(one.account_id, one.label): one for one in ours}

    def go(self, turn: Turn) -> bool:
        """Release as many as there is room for. False when somebody else released or moved something meanwhile."""
        while turn.has_room:
            for marker in turn.next_lanes():
                done = self._step(turn, marker)
                if done is None:
                    continue
                if not done:
                    return False
                break
            else:
                return True
        return True

    def _step(self, turn: Turn, marker: Marker) -> bool | None:
        """Release a lane's next task, or end it. None when it has to wait, False when somebody else moved it."""
        self._left.check(f"the release of tasks of run {self._run.run_id}")
        profile = self._profiles.get(marker.profile)
        if profile is None:  # it is not to be pulled any more
            return self._leave(turn, marker)
        if self._is_broken(profile):
            return self._give_up(turn, marker, profile) if self._waited(marker) else None
        if self._is_braked(profile, turn):
            return None
        try:
            lane = self._planner.lane(self._run, self._stage, profile)
        except PASSING:
            raise
        except Exception as error:  # the boundary between one ad account and the next
            log.exception("the lane of %s", profile.key)
            return self._fail(turn, marker, self._refused(profile, error))
        return self._next(turn, marker, lane)

    def _next(self, turn: Turn, marker: Marker, lane: Lane) -> bool | None:
        for step in lane.steps(LanePlace.parse(marker.cursor)):
            if step.is_total and turn.under_way(marker.profile):
                return self._moved(turn, marker, step.place)
            tasks = lane.tasks(step, self._planner.covered(lane.profile, step.spec, step.days))
            if tasks:
                task = replace(tasks[0], deadline=self._planner.deadline(tasks[0]))
                return self._release(turn, marker, task, step.place)
            if self._left.is_short:
                self._moved(turn, marker, step.place)
                self._left.check(f"the release of tasks of run {self._run.run_id}")
        return self._end(turn, marker)

    def _release(self, turn: Turn, marker: Marker, task: Task, place: LanePlace) -> bool:
        """Release a task: from then on its step goes on with the days before it."""
        by_day = task.window is not None and task.dataset.grain is not None
        behind = place._replace(before=task.window.start.isoformat() if task.window and by_day else _DONE)
        moved = self._ledger.release_task(turn.gate, marker, str(behind), task)
        if moved is None:
            if self._ledger.find_tasks(task.run_id, [task.id]):  # a lane that began anew meets it again
                self._ledger.move_lane(task.run_id, marker, str(behind))
            return False
        turn.gate += 1
        turn.lanes[marker.profile] = moved
        turn.own.append(marker.profile)
        self._parts.sender.send([task])
        return True

    def _moved(self, turn: Turn, marker: Marker, place: LanePlace) -> bool | None:
        """Keep how far a lane came that has to wait. None: it waits; False: somebody else moved it."""
        if str(place) == marker.cursor:
            return None
        moved = self._ledger.move_lane(self._run.run_id, marker, str(place))
        if moved is None:
            return False
        turn.lanes[marker.profile] = moved
        return None

    def _end(self, turn: Turn, marker: Marker) -> bool:
        del turn.lanes[marker.profile]
        return self._ledger.end_lane(self._run.run_id, marker)

    def _leave(self, turn: Turn, marker: Marker) -> bool:
        """End a lane that has days left."""
        del turn.lanes[marker.profile]
        return self._ledger.leave_lane(self._run.run_id, marker)

    def _fail(self, turn: Turn, marker: Marker, tasks: Sequence[Task]) -> bool:
        """End a lane that cannot go on, with a failed task that says why: without it the run would count as whole."""
        for task in tasks:
            self._ledger.plan(task)
            self._ledger.finish(task.run_id, task.id, task.generation, TaskState.FAILED, error=task.error)
        return self._leave(turn, marker)

    def _refused(self, profile: Profile, error: Exception) -> list[Task]:
        return refused(self._planner, self._run, self._stage, profile, error)

    # --- why a lane has to wait

    def _is_broken(self, profile: Profile) -> bool:
        credential = self._credentials.get((profile.account_id, profile.credential))
        return credential is None or credential.state != "active"

    def _waited(self, marker: Marker) -> bool:
        waited = self._parts.clock.now() - parse_instant(marker.at)
        return waited.total_seconds() > limits.MAX_LANE_WAIT_SECONDS

    def _give_up(self, turn: Turn, marker: Marker, profile: Profile) -> bool:
        days = limits.MAX_LANE_WAIT_SECONDS // 86_400
        reason = f"its credential was broken for {days} days; store a new one, then ask for the backfill again"
        return self._fail(turn, marker, self._refused(profile, AuthExpired(reason)))

    def _is_braked(self, profile: Profile, turn: Turn) -> bool:
        """Whether a brake of an ad account is on. One that is half open lets one task through, as a probe."""
        credential = self._credentials[profile.account_id, profile.credential]
        scopes = self._throttles()
        keys = wider_keys(profile.account_id, credential, profile.route)
        wide = {key.removeprefix("!") for scope, key in keys.items() if scope in scopes}
        for brake in self._brakes:
            if brake.profile_id != profile.profile_id and brake.scope not in wide:
                continue
            if brake.state != "half_open" or _probes(brake, turn):
                return True
        return False

    def _throttles(self) -> Collection[ThrottleScope]:
        try:
            return self._planner.platforms.spec(self._platform).throttles
        except Unprocessable:
            return ()


def _probes(brake: BrakeState, turn: Turn) -> bool:
    """Whether a task is under way that finds out whether a half-open brake may be released."""
    if brake.profile_id:
        return bool(turn.under_way(f"{brake.platform}#{brake.profile_id}"))
    return bool(turn.own or turn.others)


def refused(planner: StagePlanner, run: Run, stage: Stage, profile: Profile, error: Exception) -> list[Task]:
    """The failed task of an ad account that a stage cannot pull; none where its platform has nothing of the stage."""
    specs = planner.serves(profile)
    spec = next((specs[dataset] for dataset in stage.datasets if dataset in specs), None)
    if spec is None:
        return []
    code = error.code if isinstance(error, BadInput | AuthExpired) else UNPLANNABLE
    fault = {"code": code, "message": explain(error)[:1000]}
    return [replace(unplannable(planner.frame(run, stage), profile, spec), error=fault)]


def on_platform(platform: str, profiles: Sequence[str]) -> list[str]:
    """Those of these ad accounts that are on a platform."""
    return [profile for profile in profiles if profile.startswith(f"{platform}#")]
