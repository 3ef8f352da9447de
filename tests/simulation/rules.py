"""What must hold: at every write of the ledger, and at the end of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

from adweir.model.flows import StageKind
from adweir.model.metrics import Grain, Level, Series
from adweir.model.tasks import TaskState
from adweir.model.times import Window, parse_instant
from adweir.pipeline.workflows import joins
from adweir.store.ledger import PLANNING, REDRIVABLE
from adweir.store.metrics.coverage import COVERAGE, Coverage
from sandbox.aws.values import Item
from simulation import model
from simulation.containers import LEDGER, METRICS
from simulation.fleet import MOST_RECEIVES
from simulation.platform import NAME, SLICES
from simulation.story import BRANCHES, PROFILE

if TYPE_CHECKING:
    from adweir.store.metrics.store import MetricStore
    from simulation.simulation import Simulation

SERIES = {
    "campaign_daily": Series(NAME, PROFILE, Level.CAMPAIGN, Grain.DAY),
    "account_daily": Series(NAME, PROFILE, Level.ACCOUNT, Grain.DAY),
    "campaign_hourly": Series(NAME, PROFILE, Level.CAMPAIGN, Grain.HOUR),
}
_SKEW = 1.0
_TERMINAL = frozenset(state.value for state in TaskState if state.is_terminal)
_REDRIVABLE = frozenset(state.value for state in REDRIVABLE)
_ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})


class Watch:
    """Looks at each write of a table. `faults` are the rules that were broken.

    `doubtful` are the stamps of pulls whose tasks ended quarantined: a worker that froze amid the parts of an object
    calls it too large, and another one may have loaded it before.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.faults: list[str] = []
        self.doubtful: set[tuple[str, str]] = set()
        self.numbers_at = 0.0
        """When what is stored of days changed last."""
        self._runs: set[str] = set()

    def changed(self, table: str, old: Item | None, new: Item | None) -> None:
        """Hook of the tables."""
        if table == METRICS and "#day#" in str(new or old) and _said(old) != _said(new):
            self.numbers_at = self._simulation.scheduler.now
        if table != LEDGER or new is None:
            return
        sk = new["sk"]["S"]
        if sk.startswith("task#") and old is not None:
            self.faults += self._task(old, new)
        elif sk == "lease" and old is not None:
            self.faults += self._lease(old, new)
        elif sk == "run":
            self.faults += self._run(old, new)

    def _lease(self, old: Item, new: Item) -> Iterator[str]:
        taken = _number(new, "fence") > _number(old, "fence")
        if taken and old["writer"] != new["writer"] and _number(old, "until") > self._simulation.scheduler.now + _SKEW:
            yield f"{new['pk']['S']} was taken from its holder"

    def _task(self, old: Item, new: Item) -> Iterator[str]:
        name, was, now = new["sk"]["S"], old["state"]["S"], new["state"]["S"]
        if _number(new, "generation") != _number(old, "generation"):
            if was not in _REDRIVABLE and _number(new, "version") <= _number(old, "version"):
                yield f"{name} was {was} and was planned again"
        elif was in _TERMINAL and now != was:
            yield f"{name} was {was} and became {now}"
        elif now == TaskState.QUARANTINED and was != now:
            self.doubtful.add((new["as_of"]["S"], name.removeprefix("task#")))
        elif now == TaskState.LOADED and was != now:
            yield from self._loaded(new)
        elif _number(new, "attempts") < _number(old, "attempts"):
            yield f"{name} was planned again while it was {was}"
        claimed = _number(new, "attempts") > _number(old, "attempts")
        if claimed and _number(old, "until") > self._simulation.scheduler.now + _SKEW:
            yield f"{name} was claimed although somebody holds it"

    def _loaded(self, task: Item) -> Iterator[str]:
        """When a task ends as loaded, its rows are there: coverage names its pull, or a newer one."""
        body = json.loads(task["body"]["S"])
        if not body.get("window"):
            return
        simulation = self._simulation
        pull = next(
            (
                pull
                for pull in model.landed(simulation.s3, simulation.world, body["id"])
                if pull.stamp == (task["as_of"]["S"], body["id"])
            ),
            None,
        )
        if pull is None:
            yield f"{task['sk']['S']} is loaded, and no object of it is in the bucket"
        elif pull.whole:
            for day in sorted(pull.days):
                if not self._answered(day, pull):
                    yield f"{task['sk']['S']} is loaded, and its rows of {day} are not stored"

    def _answered(self, day: str, pull: model.Landed) -> bool:
        series = SERIES[pull.dataset]
        part = day if series.grain is Grain.HOUR else day[:7]
        pk = f"{NAME}#{PROFILE}#{series.level}#{series.grain}#pull#{part}"
        items = {item["sk"]["S"]: item for item in self._simulation.dynamodb.items(METRICS, pk)}
        answer = Coverage.decode(items.get(COVERAGE)).days.get(day, {}).get(pull.slice)
        return answer is not None and answer.stamp[:2] >= pull.stamp

    def _run(self, old: Item | None, run: Item) -> Iterator[str]:
        """A run begins once, in its turn, and ends when no task of it is open (planning may go on after a
        cancellation)."""
        if old is not None and _number(run, "version") < _number(old, "version"):
            yield f"{run['pk']['S']} began again"
        if old is not None and "totals" in _current(run) - _current(old) and "lists" in run["body"]["S"]:
            yield from self._joined_early(run)
        if run["state"]["S"] == "running" and (old is None or old["state"]["S"] != "running"):
            yield from self._beside(run)
        if run["state"]["S"] not in _ENDED - {"cancelled"}:
            return
        items = self._simulation.dynamodb.items(LEDGER, run["pk"]["S"])
        marked = {
            (item["sk"]["S"].rpartition("#")[2], _number(item, "generation"))
            for item in items
            if item["sk"]["S"].startswith("open#")
        }
        for item in items:
            if not item["sk"]["S"].startswith("task#") or item["state"]["S"] in _TERMINAL:
                continue
            number = _number(item, "generation")
            if number and item["state"]["S"] == "planned" and (item["sk"]["S"].partition("#")[2], number) in marked:
                continue  # redriven between the worker's look at the markers and this write: its marker reopens the run
            yield f"{run['pk']['S']} ended while {item['sk']['S']} was {item['state']['S']}"

    def _beside(self, run: Item) -> Iterator[str]:
        """Of one workflow and scope, one run is open at a time."""
        ours = _about(run)
        self._runs.add(run["pk"]["S"])
        for pk in sorted(self._runs) if joins(ours[0]) else ():
            for other in self._simulation.dynamodb.items(LEDGER, pk):
                is_open = other["sk"]["S"] == "run" and other["state"]["S"] == "running"
                if is_open and other["pk"] != run["pk"] and _about(other) == ours:
                    yield f"{run['pk']['S']} is open beside {other['pk']['S']}"

    def _joined_early(self, run: Item) -> Iterator[str]:
        """What joins branches begins when neither has open work; but tasks of one that ended may be tried again."""
        for item in self._simulation.dynamodb.items(LEDGER, run["pk"]["S"]):
            if item["sk"]["S"].startswith(("open#lists#", "open#days#")) and not _number(item, "generation"):
                yield f"{run['pk']['S']} joined its branches while there was {item['sk']['S']}"


def _said(item: Item | None) -> Mapping[str, Any]:
    """What an item says of days: their numbers, by attributes (`d01`), or which pulls answer for them."""
    if item is None:
        return {}
    if item["sk"]["S"] == COVERAGE:
        return Coverage.decode(item).days
    return {name: value for name, value in item.items() if name[0] == "d" and name[1:].isdigit()}


def _about(run: Item) -> tuple[str, Any, Any]:
    """The workflow, scope and arguments of a run."""
    body = json.loads(run["body"]["S"])
    return body["workflow"], body["scope"], body.get("args")


def _current(run: Item) -> set[str]:
    return {stage["name"] for stage in json.loads(run["body"]["S"])["current"]}


def at_the_end(simulation: Simulation, metrics: MetricStore) -> Iterator[str]:
    """The rules that a finished run keeps."""
    yield from _runs(simulation)
    yield from _all_followed(simulation)
    yield from _messages(simulation)
    pulls = model.landed(simulation.s3, simulation.world)
    yield from _backfills(simulation, pulls)
    doubtful = [pull for pull in pulls if pull.stamp in simulation.watch.doubtful]
    without = [
        [pull for pull in pulls if pull not in left_out]
        for number in range(len(doubtful) + 1)
        for left_out in combinations(doubtful, number)
    ]
    faults = [list(_stored(simulation, metrics, loaded)) for loaded in without]
    yield from min(faults, key=len)


def _runs(simulation: Simulation) -> Iterator[str]:
    published = simulation.events.published
    finished = {(detail["run_id"], detail["state"]) for name, detail in published if name == "RunFinished"}
    told = {detail["task_id"] for name, detail in published if name == "MetricsChanged"}
    for run_id in simulation.story.runs:
        items = {item["sk"]["S"]: item for item in simulation.dynamodb.items(LEDGER, f"run#{run_id}")}
        run = items.get("run")
        if run is None:
            if not _joined(simulation, run_id):
                yield f"{run_id} was asked for and never began"
            continue
        state = run["state"]["S"]
        if state not in _ENDED:
            yield f"{run_id} is {state}"
        elif (run_id, state) not in finished:
            yield f"{run_id} ended {state}, and nobody was told"
        yield from _followed(simulation, run_id, items)
        if state in _ENDED - {"cancelled"} and simulation.story.runs[run_id].workflow == BRANCHES:
            yield from _branches(simulation, run_id, items)
        for name, item in items.items():
            # A planner that was frozen past its lease and then died may leave its marker, which does no harm: whatever
            # reopens the run has it swept. Lambda would have ended it before.
            excused = name.endswith(PLANNING) and simulation.scheduler.late_deaths
            if name.startswith("open#") and not excused:
                yield f"{run_id} has ended, and has the marker {name}"
            if name.startswith("task#"):
                yield from _task(run_id, item, told)


def _backfills(simulation: Simulation, pulls: list[model.Landed]) -> Iterator[str]:
    """Of a backfill that succeeded, each day and slice was asked for, by it or by another run."""
    for run_id, asked in simulation.story.runs.items():
        run = next(
            (item for item in simulation.dynamodb.items(LEDGER, f"run#{run_id}") if item["sk"]["S"] == "run"), None
        )
        if asked.workflow != "backfill" or run is None or run["state"]["S"] != "succeeded":
            continue
        slices = SLICES if asked.scope.slice == "all" else (asked.scope.slice,)
        for day in Window.parse(f"{asked.scope.start}..{asked.scope.end}").days():
            for name in slices:
                if not any(pull.slice == name and day.isoformat() in pull.days for pull in pulls):
                    yield f"{run_id} succeeded, and nobody pulled {name} of {day}"


def _followed(simulation: Simulation, run_id: str, items: Mapping[str, Item]) -> Iterator[str]:
    """What follows the data was done after all of it was stored."""
    if items["run"]["state"]["S"] not in {"succeeded", "partial"}:
        return
    loaded = [item for name, item in items.items() if name.startswith("task#") and item["state"]["S"] == "loaded"]
    work = {body["kind"] for item in loaded if "kind" in (body := json.loads(item["body"]["S"]))}
    ends = [_time(item) for item in loaded if json.loads(item["body"]["S"]).get("window")]
    for kind in sorted(work):
        if ends and not any(what == kind and at >= max(ends) - _SKEW for what, at in simulation.parts.work):
            yield f"{run_id} had its last numbers at {max(ends)}, and no {kind} began since"


def _all_followed(simulation: Simulation) -> Iterator[str]:
    """What follows the data began after the last number was stored, by whichever run: also where that came late, by a
    replay, or in a run that was cancelled. A message that was given up comes when somebody sends it again."""
    at = simulation.watch.numbers_at
    last = max((begun for kind, begun in simulation.parts.work if kind == StageKind.ETL), default=0.0)
    if at > last and not any(line.dead for line in simulation.sqs.queues.values()):
        yield f"numbers changed at {at}, and the last work on them began at {last}"


def _time(item: Item) -> float:
    return parse_instant(item["updated_at"]["S"]).timestamp()


def _joined(simulation: Simulation, run_id: str) -> bool:
    """Whether another run of the same workflow and scope may have been open when this one was asked for."""
    asked = simulation.story.runs
    mine = asked[run_id]
    return any(
        (other.workflow, other.scope) == (mine.workflow, mine.scope) and name != run_id for name, other in asked.items()
    )


def _branches(simulation: Simulation, run_id: str, items: Mapping[str, Item]) -> Iterator[str]:
    """Both branches ran; what joins them did unless a rule of one that failed says otherwise."""
    states: dict[str, list[str]] = {}
    for name, item in items.items():
        if name.startswith("task#") and item["state"]["S"] != TaskState.SPLIT:
            states.setdefault(json.loads(item["body"]["S"])["stage"], []).append(item["state"]["S"])
    rules = {stage["name"]: stage for stage in simulation.story.habits.flow["stages"]}
    broken = {rules[name]["on_failure"] for name in ("lists", "days") if not _passed(rules[name], states.get(name, []))}
    wanted = {"lists": "", "days": ""}
    if "stop" not in broken:
        wanted["totals"] = "left out" if "skip" in broken else ""
        own = "" if _passed(rules["totals"], states.get("totals", [])) else rules["totals"]["on_failure"]
        if wanted["totals"] or own != "stop":
            behind = "left out" if wanted["totals"] or own == "skip" else ""
            wanted |= {name: behind for name, rule in rules.items() if rule["kind"] != "pull"}
    body = json.loads(items["run"]["body"]["S"])
    found = {record["name"]: "left out" if record["left_out"] else "" for record in body["stages"]}
    if found != wanted:
        yield f"{run_id} has the stages {found}, and should have {wanted}: {states}"


def _passed(rule: Mapping[str, Any], states: list[str]) -> bool:
    good = sum(state in {"loaded", "skipped"} for state in states)
    return not states or (good > 0 and good >= rule["threshold"] * len(states))


def _task(run_id: str, task: Item, told: set[str]) -> Iterator[str]:
    state, body = task["state"]["S"], json.loads(task["body"]["S"])
    if state not in _TERMINAL:
        yield f"{task['sk']['S']} of {run_id} is {state}"
    if state == TaskState.LOADED and body.get("window") and body["id"] not in told:
        yield f"{task['sk']['S']} of {run_id} is loaded, and nobody was told of its changes"


def _messages(simulation: Simulation) -> Iterator[str]:
    """No message is given up, unless the platform or AWS fails each time: then the sweep sends the task again."""
    weather = simulation.story.weather
    if simulation.story.habits.faults or len(weather.strikes) + weather.halves >= MOST_RECEIVES:
        return
    for name, line in simulation.sqs.queues.items():
        for dead in line.dead:
            yield f"{name}: a dead letter: {dead.body}"


def _stored(simulation: Simulation, metrics: MetricStore, pulls: list[model.Landed]) -> Iterator[str]:
    campaigns, totals, hours = ([pull for pull in pulls if pull.dataset == dataset] for dataset in SERIES)
    by_totals = simulation.story.habits.totals
    wanted = model.numbers_by_totals(campaigns, totals) if by_totals else model.numbers(campaigns)
    first, today = simulation.story.start.date(), datetime.fromtimestamp(simulation.scheduler.now, UTC).date()
    window = Window(first - timedelta(days=5), today + timedelta(days=1))
    for series, rows, landed in (
        (SERIES["campaign_daily"], wanted, campaigns),
        (SERIES["account_daily"], model.numbers(totals), totals),
        (SERIES["campaign_hourly"], model.numbers(hours), hours),
    ):
        stored = {(_when(row.day, row.hour), row.entity_id): row.slot for row in metrics.read(series, window)}
        for key in sorted(stored.keys() | rows.keys()):
            if stored.get(key) != rows.get(key):
                yield f"{key} is stored as {stored.get(key)}, and should be {rows.get(key)}"
        yield from _covered(metrics, series, window, model.answers(landed))


def _when(day: str, hour: int) -> str:
    return day if hour < 0 else f"{day}T{hour:02}"


def _covered(metrics: MetricStore, series: Series, window: Window, right: model.Answers) -> Iterator[str]:
    by: dict[tuple[str, str], tuple[str, str]] = {}
    refused: set[tuple[str, str]] = set()
    for day, state in metrics.days(series, window).items():
        by |= {(day.isoformat(), name): (each.as_of, each.task_id) for name, each in state.slices.items()}
        refused |= {(day.isoformat(), name) for name in state.not_applicable}
    for key in sorted(by.keys() | right.by.keys()):
        if by.get(key) != right.by.get(key):
            yield f"coverage of {key} names {by.get(key)}, and should name {right.by.get(key)}"
    if refused != right.not_applicable:
        yield f"not applicable are {sorted(refused)}, and should be {sorted(right.not_applicable)}"


def _number(item: Item, name: str) -> Any:
    return int(item[name]["N"]) if name in item else 0
