"""Patient stages: their tasks are released a few at a time, and only while nobody else works on the platform.

A stage of years is not planned at once. Each ad account has a lane (`pipeline.lanes`), and a task is planned when it is
released: when a task of the stage ends, when another run ends, and by the sweep. Over all patient stages, at most
`limits.MAX_PATIENT_TASKS` of a platform are under way, and `MAX_PATIENT_PROFILE_TASKS` of an ad account; the lane that
has come least far is next. Nothing is released while a run of another workflow has open work on the platform: it finds
at most that many tasks before its own.

One transaction decides each release: it stores the task and its marker, moves the lane, and counts in the platform's
gate. A worker that dies before it leaves nothing behind; one that dies behind it leaves a planned task without a
message, which the sweep sends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.log import log
from adweir.model.messages import Advance
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser, Queue
from adweir.model.runs import Run, RunState, StageState
from adweir.model.tasks import Task
from adweir.pipeline.alone import PASSING
from adweir.pipeline.flow_forms import flow_of
from adweir.pipeline.held_back import Concerned
from adweir.pipeline.lanes import ahead, body_of
from adweir.pipeline.rounds import ReleaseParts, Round, Turn, on_platform, refused
from adweir.pipeline.stages import Entry
from adweir.pipeline.workflows import Stage
from adweir.reporting.backfills import Pause, progress
from adweir.store.ledger import PLANNING, Marker

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger

_RACES = 5


class Others(NamedTuple):
    """What other runs do: platforms that are worked on ("": all), each with the workflow, and what is open in each
    patient run."""

    busy: Mapping[str, str]
    patient: Mapping[str, Sequence[Marker]]


def others_of(ledger: Ledger, parse: PlatformParser, run: Run) -> Others:
    """What the open runs beside this one do."""
    busy: dict[str, str] = {}
    patient: dict[str, Sequence[Marker]] = {}
    for other in ledger.runs_open():
        if other.run_id == run.run_id or other.state is not RunState.RUNNING:
            continue
        work = ledger.open_work(other.run_id)
        if is_patient(other):
            patient[other.run_id] = work
            continue
        names = {marker.profile.partition("#")[0] for marker in work if marker.is_task and marker.profile}
        being_planned = any(stage.state is StageState.REQUESTED for stage in other.current)
        if being_planned or any(marker.task_id == PLANNING for marker in work):
            names |= {parse(name) for name in other.scope.platforms} or {""}
        busy |= dict.fromkeys(names, other.workflow)
    return Others(busy, patient)


def pauses(
    ledger: Ledger, parse: PlatformParser, run: Run, platforms: Collection[str], names: Collection[str]
) -> list[Pause]:
    """Why nothing is released for a run on these platforms at this moment: these brakes, and other runs."""
    found = [
        Pause(brake.platform, f"the brake {brake.key}: {brake.reason}", brake.until, brake.profile_id)
        for name in platforms
        for brake in ledger.brakes.on(Platform(name))
        if brake.key in names
    ]
    for name, workflow in others_of(ledger, parse, run).busy.items():
        reason = f"a run of the workflow {workflow} goes first"
        found += [Pause(each, reason) for each in platforms if name in {"", each}]
    return found


class Releases:
    """Begins and moves the lanes of patient stages. Every call may be repeated."""

    def __init__(self, parts: ReleaseParts, runs: Queue) -> None:
        self._parts = parts
        self._ledger, self._planner = parts.ledger, parts.planner
        self._runs = runs

    # --- planning

    def entries(self, run: Run, stage: Stage) -> list[Entry]:
        """What a patient stage has to plan: an ad account's entry begins its lane, and has no task unless it fails."""
        return [
            Entry(profile.key, partial(self._begin, run, stage, profile))
            for profile in self._planner.profiles(run, stage)
        ]

    def _begin(self, run: Run, stage: Stage, profile: Profile) -> list[Task]:
        try:
            lane = self._planner.lane(run, stage, profile)
            whole = [(spec, days) for spec in lane.specs if (days := lane.whole(spec))]
            found = ahead(lane, {spec.dataset: self._planner.covered(profile, spec, days) for spec, days in whole})
        except PASSING:
            raise
        except Exception as error:  # the boundary between one ad account and the next
            log.exception("planning of %s", profile.key)
            return refused(self._planner, run, stage, profile, error)
        if found:
            self._ledger.begin_lane(run.run_id, stage.name, profile.key, body_of(lane, found))
        return []

    # --- releasing

    def release(self, run: Run, stage: Stage) -> None:
        """Release what may be released of an open patient stage. Raises Throttled when time runs out."""
        for _ in range(_RACES):
            if self._look(run, stage):
                return

    def wake(self, ended: Run) -> None:
        """Let the patient runs go on that waited for the end of this one."""
        for run in self._ledger.runs_open():
            if run.run_id != ended.run_id and run.state is RunState.RUNNING and is_patient(run):
                self._runs.send(Advance(run_id=run.run_id), group=run.run_id)

    def _look(self, run: Run, stage: Stage) -> bool:
        """One look at a stage. False when somebody else released something meanwhile."""
        # The gates before what is under way: what others release in between is refused to us.
        gates = self._ledger.gates()
        work = self._ledger.open_work(run.run_id)
        lanes = [marker for marker in work if marker.is_lane and marker.stage == stage.name]
        under_way = _tasks_of(work)
        platforms = sorted({lane.profile.partition("#")[0] for lane in lanes})
        free = [name for name in platforms if len(on_platform(name, under_way)) < limits.MAX_PATIENT_TASKS]
        if not free:
            return True
        others = others_of(self._ledger, self._planner.platforms.parse, run)
        profiles = {profile.key: profile for profile in self._planner.profiles(run, stage)}
        for name in () if "" in others.busy else (name for name in free if name not in others.busy):
            own = [lane for lane in lanes if lane.profile.startswith(f"{name}#")]
            rivals = {run_id: theirs for run_id, theirs in others.patient.items() if _has_lane(name, theirs)}
            patient = [
                profile for theirs in others.patient.values() for profile in on_platform(name, _tasks_of(theirs))
            ]
            share = max(1, limits.MAX_PATIENT_TASKS // (1 + len(rivals)))
            turn = Turn(gates.get(name, 0), own, on_platform(name, under_way), patient, share)
            if turn.has_room and not Round(self._parts, run, stage, profiles, Platform(name)).go(turn):
                return False
            if turn.is_full_alone:
                self._call(
                    run_id for run_id, theirs in rivals.items() if len(on_platform(name, _tasks_of(theirs))) < share
                )
        return True

    def _call(self, runs: Iterable[str]) -> None:
        """Let runs release that have less than their share. Who calls has its own: no two runs call for ever."""
        for run_id in runs:
            self._runs.send(Advance(run_id=run_id), group=run_id)


def _tasks_of(work: Iterable[Marker]) -> list[str]:
    """The ad accounts of open tasks."""
    return [marker.profile for marker in work if marker.is_task]


def _has_lane(platform: str, work: Iterable[Marker]) -> bool:
    return any(marker.is_lane and marker.profile.startswith(f"{platform}#") for marker in work)


def is_patient(run: Run) -> bool:
    """Whether what a run does now is patient."""
    try:
        flow = flow_of(run)
        return bool(run.current) and all(flow.stage(stage.name).patient for stage in run.current)
    except Unprocessable:
        return False


def backfilled(
    ledger: Ledger, catalog: Catalog, parse: PlatformParser, run: Run, tasks: Iterable[Task], now: datetime
) -> dict[str, Any] | None:
    """How far a run has come with its lanes (`reporting.backfills`); None for one without. Of brakes and refused
    credentials it names those that concern ad accounts of these lanes."""
    lanes = ledger.lane_records(run.run_id)
    if not lanes:
        return None
    platforms = sorted({lane.profile.partition("#")[0] for lane in lanes})
    waits, work = list[Pause](), list(ledger.open_work(run.run_id))
    if not run.state.is_terminal:
        concerned = Concerned(catalog)
        names = {name for lane in lanes for name in concerned.of_profile(lane.profile)}
        waits = [*_refused(concerned, work), *pauses(ledger, parse, run, platforms, names)]
    return progress(run, lanes, work, tasks, waits, now)


def _refused(concerned: Concerned, work: Iterable[Marker]) -> Iterator[Pause]:
    """The lanes that wait for a new credential, which is for a person to store."""
    for lane in work:
        if lane.is_lane and (credential := concerned.refused(lane.profile)):
            platform, _, profile_id = lane.profile.partition("#")
            reason = f"the credential {credential.label} of {credential.account_id} is {credential.state}"
            yield Pause(platform, f"{reason}: {credential.reason}", profile_id=profile_id)
