"""How far a backfill is: windows and days, the oldest day that is whole back to now, and how long the rest takes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.lanes import LanePlace
from adweir.model.runs import Run, RunState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import DAY, iso_of, parse_instant
from adweir.reporting.pace import ENOUGH, Range, remaining
from adweir.store.ledger import LaneRecord, Marker

_WHOLE = (RunState.RUNNING, RunState.SUCCEEDED, RunState.PARTIAL)
"""In a run that ended otherwise, a lane that is gone was not finished."""


class Pause(NamedTuple):
    """Why nothing is released on a platform (of one ad account, where it names one) at this moment. `until` is Unix
    seconds, 0 where nobody knows."""

    platform: str
    reason: str
    until: int = 0
    profile_id: str = ""


@dataclass
class _Ways:
    """The lanes of one platform.

    `windows` and `days` are counted by what became of them: `done`, `failed`, `open`, or `ahead`, which are still to be
    planned. By ad account: `left` are the windows that have not ended, `whole` is the day from which on all are done.
    `ends` are the times of tasks that ended (Unix seconds), `seconds` how long each took.
    """

    windows: Counter[str] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    ends: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    whole: dict[str, date | None] = field(default_factory=dict)


class _Left(NamedTuple):
    """What is still to be planned of a step of a lane, in one of its spans."""

    name: str
    span: int
    windows: int
    days: int


def progress(
    run: Run,
    lanes: Sequence[LaneRecord],
    work: Iterable[Marker],
    tasks: Iterable[Task],
    pauses: Sequence[Pause],
    now: datetime,
) -> dict[str, Any] | None:
    """A backfill by platform and in total; None for a run without a patient stage.

    `windows` are requests for a window of days, `days` the days of each ad account, dataset and slice in them: `total`
    with those that are still to be planned, `done` loaded or skipped. `whole_since`: all days from this one on
    are done, of all ad accounts of the platform. `work` are the markers of what is open, `tasks` all pulls of the run.
    """
    if not lanes:
        return None
    cursors = {marker.profile: LanePlace.parse(marker.cursor) for marker in work if marker.is_lane}
    by_profile: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        by_profile[task.profile_key].append(task)
    ways: dict[str, _Ways] = defaultdict(_Ways)
    for lane in lanes:
        one = ways[lane.profile.partition("#")[0]]
        _add(one, run, lane, by_profile[lane.profile], cursors.get(lane.profile))
    return {
        "windows": _counts(one.windows for one in ways.values()),
        "days": _counts(one.days for one in ways.values()),
        "platforms": [_platform(name, ways[name], pauses) for name in sorted(ways)],
        "estimate": _estimate(run, ways, pauses, now),
    }


def _add(ways: _Ways, run: Run, lane: LaneRecord, every: Sequence[Task], cursor: LanePlace | None) -> None:
    tasks = [task for task in every if task.state is not TaskState.SPLIT]  # its parts count
    for task in tasks:
        kind = _kind(task.state)
        ways.windows[kind] += 1
        ways.days[kind] += _length(task)
        if kind == "open":
            ways.left[lane.profile] += 1
        else:
            ended = parse_instant(task.updated_at)
            ways.ends.append(ended.timestamp())
            ways.seconds.append((ended - parse_instant(task.created_at)).total_seconds())
    if cursor is None and lane.left_at is not None:
        cursor = LanePlace.parse(lane.left_at)
    ahead = [] if cursor is None and run.state in _WHOLE else _ahead(lane, every, cursor)
    for step in ahead:
        ways.windows["ahead"] += step.windows
        ways.days["ahead"] += step.days
        ways.left[lane.profile] += step.windows if lane.left_at is None else 0  # nobody comes to them any more
    ways.whole[lane.profile] = _whole_since(lane, tasks, ahead)


def _ahead(lane: LaneRecord, tasks: Sequence[Task], cursor: LanePlace | None) -> list[_Left]:
    """The steps that a lane has not come to; of one that it is amid, what no task asks for."""
    steps = lane.body["steps"]
    names, oldest = list(steps), max((span for spans in steps.values() for span, _, _ in spans), default=0)
    at = (cursor.span, _rank(names, cursor)) if cursor is not None else (0, 0)
    asked: Counter[tuple[str, int]] = Counter()
    windows: Counter[tuple[str, int]] = Counter()
    for task in tasks:
        if not task.parent:  # a part of a window that was split is none of the step's windows
            key = f"{task.dataset}|{task.slice}", min(oldest, _span(lane, task))
            asked[key] += _length(task)
            windows[key] += 1
    found = []
    for rank, name in enumerate(names):
        for span, count, days in steps[name]:
            if (span, rank) >= at:
                left = count - windows[name, span], max(0, days - asked[name, span])
                if left[0] > 0:
                    found.append(_Left(name, span, *left))
    return found


def _rank(names: Sequence[str], cursor: LanePlace) -> int:
    name = f"{cursor.dataset}|{cursor.slice}"
    return names.index(name) if name in names else 0


def _span(lane: LaneRecord, task: Task) -> int:
    """How many spans before the newest day a task's window ends; 0 for what has no days."""
    if task.window is None or task.dataset.grain is None:
        return 0
    behind: int = (date.fromisoformat(lane.body["newest"]) - task.window.end).days
    return behind // int(lane.body["span_days"])


def _whole_since(lane: LaneRecord, tasks: Sequence[Task], ahead: Sequence[_Left]) -> date | None:
    """The first day from which on an ad account has all that its platform keeps; None where there is none."""
    newest = date.fromisoformat(lane.body["newest"])
    missing = [task.window.end if task.window else newest for task in tasks if not task.state.is_good]
    missing += [newest - timedelta(days=step.span * int(lane.body["span_days"])) for step in ahead]
    if not missing:
        return date.fromisoformat(lane.body["oldest"])
    return max(missing) + DAY if max(missing) < newest else None


def _kind(state: TaskState) -> str:
    return "done" if state.is_good else "failed" if state.is_terminal else "open"


def _length(task: Task) -> int:
    return task.window.length if task.window and task.dataset.grain else 0


def _counts(kinds: Iterable[Counter[str]]) -> dict[str, int]:
    counts = sum(kinds, Counter())
    return {"total": counts.total(), "done": counts["done"], "failed": counts["failed"]}


def _platform(name: str, ways: _Ways, pauses: Sequence[Pause]) -> dict[str, Any]:
    since = list(ways.whole.values())
    pause = next((pause for pause in pauses if pause.platform == name), None) if ways.left.total() else None
    return {
        "platform": name,
        "windows": _counts([ways.windows]),
        "days": _counts([ways.days]),
        "whole_since": None if None in since else max(day for day in since if day).isoformat(),
        "waits_for": pause.reason if pause else None,
        "until": iso_of(pause.until) if pause and pause.until else None,
    }


def _estimate(run: Run, ways: Mapping[str, _Ways], pauses: Sequence[Pause], now: datetime) -> dict[str, Any]:
    nothing = {"seconds": None, "at_least": None, "at_most": None}
    going = {name: one for name, one in ways.items() if one.left.total()}
    if not going:
        return nothing | {"reason": "nothing is left to do"}
    if run.state.is_terminal:
        return nothing | {"reason": f"the run is {run.state.value}: start the backfill again for the rest"}
    few = {name: len(one.ends) for name, one in going.items() if len(one.ends) < ENOUGH}
    if few:
        name, ended = min(few.items(), key=lambda item: item[1])
        return nothing | {"reason": f"no estimate before {ENOUGH} windows of {name} have ended; {ended} have"}
    whole = Range(0, 0, 0)
    for name, one in going.items():
        whole = whole.together(_of_platform(run, name, one, pauses, now))
    likely, least, most = map(round, whole)
    return {"seconds": likely, "at_least": least, "at_most": most, "reason": None}


def _of_platform(run: Run, name: str, ways: _Ways, pauses: Sequence[Pause], now: datetime) -> Range:
    """How long a platform takes: its windows one after another at the pace so far, or its longest lane alone."""
    began, at = parse_instant(run.started_at).timestamp(), now.timestamp()
    found = remaining(ways.left.total(), began, sorted(ways.ends), at, max(ways.seconds, default=0.0))
    if found is None:
        return Range(0, 0, 0)
    waits: dict[str, float] = defaultdict(float)
    for pause in pauses:
        if pause.platform == name and pause.until:
            waits[pause.profile_id] = max(waits[pause.profile_id], pause.until - at)
    each = sum(ways.seconds) / len(ways.seconds) / limits.MAX_PATIENT_PROFILE_TASKS
    longest = max(left * each + waits[profile.partition("#")[2]] for profile, left in ways.left.items())
    return found.no_sooner(longest).then(max(0.0, waits[""]))
