"""A run whose worker dies at each of its steps, right before and right after it: `make kills`.

A step is a request to AWS or to the platform that a function makes in a small run. They are recorded once, not listed;
each is then struck in a run of its own, which goes on by redelivery and sweeps. It has to end as the untouched run did:
succeeded, with the platform's numbers, the same datasets and scores, and with nothing left behind.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from adweir.insight.enrichment.text import AdCopy
from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.entities import Ad
from adweir.model.messages import Scope, StartRun
from adweir.pipeline.starting import ask_for
from adweir.platforms.connector import Mode
from adweir.runtime.app import App
from adweir.store.catalog.store import Catalog
from adweir.store.findings.agents import AgentState
from sandbox.aws.botocore_calls import answered_by, services
from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.values import Item
from simulation.__main__ import _begin as begin_process
from simulation.calls import Calls
from simulation.containers import (
    ALL,
    BUCKET,
    CATALOG,
    FINDINGS,
    LEDGER,
    TABLES,
    NoMeter,
    SharedClients,
    settings_of,
)
from simulation.planted import FAULTS, planted
from simulation.platform import NAME
from simulation.scheduler import Killed, Scheduler, SimulatedClock, Worker
from simulation.simulation import Simulation
from simulation.stored import numbers, recorded, tables, tables_anew, truth
from simulation.story import ACCOUNT, BRANCHES, PROFILE, Story, story_of
from simulation.weather import Fault, Sky, Strike, Weather

API = "api"
MODES = (Mode.PAGES, Mode.REPORT)
_BEFORE_AND_AFTER = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
_ASKED_AGAIN_SECONDS = 20.0
_API_SECONDS = 29.0
_CLEAR = Weather((), 0.0, 0)
_LEAVINGS = ("open#", "open-runs", "turn#", "parked#", "unfollowed")
"""What no ended run leaves in the ledger, by the beginning of its key."""
_DATASETS = f"mmm/{ACCOUNT}/EUR/"
_MANIFEST = f"{_DATASETS}mmm_manifest.json"
_OLD = "of an earlier day"
_SAID = {"headline": "Warm socks, 20% off"}
_SAID_HASH = AdCopy.of(_SAID).content_hash
_CAMPAIGN = "cmp_killed"
_OF_A_RUN = {"as_of": "", "last_updated": "", "run_id": "", "version": 0}
"""What a state of an arm says of when it was made."""


class Case(NamedTuple):
    """A death: the mode of pulling, the function, which of its requests (counted over all invocations), what that
    asks for, and whether the worker dies before or after it."""

    mode: Mode
    function: str
    number: int
    what: str
    fault: Fault

    def __str__(self) -> str:
        where = "before" if self.fault is Fault.KILLED_BEFORE else "after"
        return f"{self.mode}: {self.function} dies {where} its request {self.number}, {self.what}"


@dataclass(frozen=True)
class AskedStory(Story):
    """A story whose runs are asked for through the API; who gets no answer asks again, for another run."""

    again: dict[str, StartRun] = field(default_factory=dict)

    @property
    def runs(self) -> dict[str, StartRun]:
        return super().runs | self.again


class _Recorder(Sky):
    """Counts what each function asks for, and strikes as any sky does."""

    def __init__(self, weather: Weather) -> None:
        super().__init__(weather, random.Random(0))
        self.asked: list[tuple[str, int, str]] = []
        self._numbers: Counter[str] = Counter()

    def fault(self, function: str, operation: str, *, holding: bool) -> Fault | None:
        self._numbers[function] += 1
        self.asked.append((function, self._numbers[function], operation))
        return super().fault(function, operation, holding=holding)


class KilledRun(Simulation):
    """One run, in clear weather but for one death, with the real work for the account."""

    stands_in = False

    @contextmanager
    def _set_up(self) -> Iterator[None]:
        """There are datasets of an earlier day, which are replaced, two arms that are learned, and an ad."""
        with super()._set_up():
            for item in _campaign():
                self.dynamodb.call("PutItem", {"TableName": CATALOG, "Item": item})
            old = {
                "mmm_manifest.json": json.dumps({"inputs": _OLD, "tables": {}}).encode(),
                "ad_reporting.csv": b"earlier\n",
            }
            for name, body in old.items():
                self.s3.call("PutObject", {"Bucket": BUCKET, "Key": f"{_DATASETS}{name}", "Body": body})
            yield

    def __init__(self, mode: Mode, strikes: tuple[Strike, ...] = (), *, keep: bool = False) -> None:
        super().__init__(0, keep=keep, story=_story(mode, replace(_CLEAR, strikes=strikes)))
        self.sky = _Recorder(self.story.weather)
        calls: Calls = self.calls
        calls._sky = self.sky

    def _wish(self, message: Any) -> None:
        """Somebody asks the API for a run, and again after a while where no answer came."""
        self._asked += 1
        self._ask(message)

    def _ask(self, message: StartRun) -> None:
        worker = Worker(API, len(self.asked_again), self.scheduler.now + _API_SECONDS)
        self.fleet.busy += 1

        def work() -> None:
            app = _api(self)
            try:
                ask_for(app.ledger, app.queues.runs, message)
            except Killed:
                following = message.model_copy(update={"run_id": f"{message.run_id}-again"})
                self.asked_again[following.run_id] = following
                self._arriving += 1
                self.scheduler.at(self.scheduler.now + _ASKED_AGAIN_SECONDS, lambda: self._once_more(following))
            finally:
                self.fleet.busy -= 1

        self.scheduler.start(worker, work)

    def _once_more(self, message: StartRun) -> None:
        self._arriving -= 1
        self._ask(message)

    @property
    def asked_again(self) -> dict[str, StartRun]:
        assert isinstance(self.story, AskedStory)
        return self.story.again


@cache
def _campaign() -> list[Item]:
    """A campaign across platforms with an arm that is the ad account, one that is bound to nothing, and an ad."""
    own = DynamoDB(TABLES)
    whole = Binding(platform=NAME, profile_id=PROFILE)
    arms = Arm(arm_id="arm_whole", platform=NAME, bindings=(whole,)), Arm(arm_id="arm_alone", platform=NAME)
    with answered_by(services(dynamodb=own)):
        catalog = Catalog(SimulatedClock(Scheduler(random.Random(0), 1_790_000_000.0)))
        catalog.create_campaign(Campaign(campaign_id=_CAMPAIGN, account_id=ACCOUNT, name="Both", arms=arms))
        catalog.put_objects([Ad(platform=NAME, profile_id=PROFILE, id="said", **_SAID)], "2026-09-01T06:00:00.000000Z")
    return own.items(CATALOG)


def _api(run: KilledRun) -> App:
    app = App(settings_of(ALL[0]), SimulatedClock(run.scheduler), random.Random(1), service=API)
    app.__dict__.update(_session=SharedClients(), meter=NoMeter(), http=None)
    return app


def _story(mode: Mode, weather: Weather) -> AskedStory:
    """A run of the workflow with two branches that are joined, over two days of an ad account with totals."""
    drawn = story_of(0)
    yesterday = drawn.start.date() - timedelta(days=1)
    days = (yesterday - timedelta(days=1)).isoformat(), yesterday.isoformat()
    scope = Scope(profiles=(PROFILE,), datasets=("campaign_daily", "account_daily"), start=days[0], end=days[1])
    start = StartRun(workflow=BRANCHES, scheduled_at=drawn.start, scope=scope, run_id="run-0", trigger=API)
    stages = [
        {name: value for name, value in stage.items() if name not in {"threshold", "on_failure", "timeout_minutes"}}
        | ({"on_failure": "stop", "threshold": 0.0} if stage["kind"] == "pull" else {})
        for stage in drawn.habits.flow["stages"]
    ]
    never = dict.fromkeys(("throttles", "faults", "fails", "empty", "truncated", "too_much", "rejects", "pending"), 0.0)
    stages.append({"name": "scores", "kind": "reconcile", "after": ["totals"]})
    stages.append({"name": "tables", "kind": "curate", "after": ["scores"]})
    stages.append({"name": "anomalies", "kind": "detect", "after": ["totals"]})
    stages.append({"name": "arms", "kind": "learn", "after": ["totals"]})
    stages.append({"name": "said", "kind": "enrich", "after": ["totals"]})
    stages.append({"name": "known", "kind": "features", "after": ["scores"]})
    habits = replace(
        drawn.habits,
        mode=mode,
        campaigns=3,
        restates=(),
        refuses_tv=False,
        totals=True,
        hours=False,
        flow={"stages": stages},
        **never,
    )
    wish = drawn.wishes[0]._replace(after=0.0, message=start)
    return AskedStory(0, drawn.start, 2, (wish,), habits, weather, 0.0)


def ended(run: KilledRun) -> Iterator[str]:
    """What is wrong with a run that has ended: the rules of every simulated run, and those of an untouched one."""
    outcome = run.run()
    yield from outcome.faults
    if outcome.faults:
        return
    states = [item["state"]["S"] for item in run.dynamodb.items(LEDGER) if item["sk"]["S"] == "run"]
    if set(states) != {"succeeded"}:  # who asked again after the run had ended has a second one
        yield f"the runs ended {states}"
    for item in run.dynamodb.items(LEDGER):
        name = f"{item['pk']['S']} {item['sk']['S']}"
        if item["pk"]["S"].startswith(_LEAVINGS) or item["sk"]["S"].startswith(_LEAVINGS):
            yield f"{name} is left"
    if (stored := numbers(run)) != truth(run):
        yield f"stored is {stored}, and the platform has {truth(run)}"
    yield from (
        f"{name} are not as in the untouched run"
        for name in _differing(made(run), made_untouched(run.story.habits.mode))
    )
    found = tables(run)
    yield from (f"{key} is not what is stored" for key in _differing(found, tables_anew(run)))
    yield from () if found else ("no table for SQL was made",)
    yield from recorded(run)


def _differing(found: dict[str, Any], right: dict[str, Any]) -> list[str]:
    return sorted(name for name in found | right if found.get(name) != right.get(name))


def made(run: KilledRun) -> dict[str, Any]:
    """What was made of the numbers: the datasets' files, byte for byte, the days' scores, what was learned, and arms.

    Left out is what says when and how often: how long a dataset took, which loads brought what was learned, and how
    many times it was stored.
    """
    files: dict[str, Any] = {key: each.body for key, each in run.s3.objects.items() if key.startswith(_DATASETS)}
    files[_MANIFEST] = json.loads(files[_MANIFEST]) | {"steps": ""}
    days = run.story.start.date() - timedelta(days=9), run.story.start.date()
    with answered_by(run.calls):
        findings = run._reader().findings
        scores = findings.scores.days(f"{NAME}#{PROFILE}", *(str(day) for day in days))
        states = findings.agents.of(_CAMPAIGN)
        said = findings.enrichments.of(ACCOUNT, [_SAID_HASH])
        features = [row for _, row in findings.features.rows(f"{NAME}#{PROFILE}")]
    return {f"the bytes of {key}": body for key, body in files.items()} | {
        "the scores": [score | {"scored_at": ""} for score in scores],
        "what was learned": [
            {name: _without_stamps(value) for name, value in item.items() if name not in {"expires", "writer", "seen"}}
            for item in run.dynamodb.items(FINDINGS)
            if item["pk"]["S"].startswith("watched#")
        ],
        "the features": [row | {"as_of": ""} for row in features],
        "what the ad says": {each: found.body for each, found in said.items()},
        "the states of arms": {arm_id: _timeless(state) for arm_id, state in states.items()},
    }


def _timeless(state: AgentState) -> dict[str, Any]:
    contexts = state.contextual_state and {**state.contextual_state, "as_of": ""}
    return asdict(state) | _OF_A_RUN | {"contextual_state": contexts}


def _without_stamps(value: Mapping[str, Any]) -> Mapping[str, Any]:
    text = value.get("S", "")
    return json.loads(text) | {"stamps": "", "seen": 0} if text.startswith("{") else value


@cache
def made_untouched(mode: Mode) -> dict[str, Any]:
    """The same where nobody died. Raises AssertionError where it is not what the platform has."""
    run = KilledRun(mode)
    run.run()
    found = made(run)
    lines = csv.DictReader(found[f"the bytes of {_DATASETS}ad_reporting.csv"].decode().splitlines())
    columns = ("impressions", "clicks", "conversions", "spend", "conversions_value")
    reported = {line["date_day"]: tuple(Decimal(line[name]) for name in columns) for line in lines}
    wanted = {
        day: (*numbers[:2], *(Decimal(number).scaleb(-6) for number in numbers[2:]))
        for (dataset, day, _), numbers in truth(run).items()
        if dataset == "account_daily"
    }
    assert reported == wanted, f"the dataset says {reported}, and the platform {wanted}"
    assert found[f"the bytes of {_MANIFEST}"]["inputs"] not in {None, _OLD}
    assert [score["score"] for score in found["the scores"]] == [1.0] * len(wanted)
    assert found["what the ad says"].keys() == {_SAID_HASH}
    whole, alone = (found["the states of arms"][name] for name in ("arm_whole", "arm_alone"))
    assert (whole["trials"], alone["trials"]) == (sum(row[1] for row in wanted.values()), 0)
    return found


@cache
def cases() -> tuple[Case, ...]:
    """Every death: recorded in an untouched run of each mode. Raises AssertionError where that is not right."""
    found = []
    for mode in MODES:
        untouched = KilledRun(mode)
        faults = list(ended(untouched))
        assert faults == [], faults
        found += [
            Case(mode, function, number, what, fault)
            for function, number, what in untouched.sky.asked
            for fault in _BEFORE_AND_AFTER
        ]
    return tuple(found)


def died(case: Case) -> list[str]:
    """What is wrong after a death."""
    return list(ended(KilledRun(case.mode, (Strike(case.function, case.number, case.fault),))))


def sample(seed: int, most: int) -> list[Case]:
    """Some of the cases, of each function as many."""
    rng, by_function = random.Random(seed), dict[str, list[Case]]()
    for case in cases():
        by_function.setdefault(case.function, []).append(case)
    each = max(1, most // len(by_function))
    return [case for ours in by_function.values() for case in rng.sample(ours, min(each, len(ours)))]


def said(chosen: Sequence[Case]) -> str:
    """How many cases of which function, in a line."""
    counts = Counter(case.function for case in chosen)
    by = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{len(chosen):,} deaths ({by})"


def _searched(task: tuple[Case, str]) -> tuple[Case, list[str]]:
    case, fault = task
    with planted(fault):
        return case, died(case)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 when a run did not end right, or a planted fault was not found."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument(
        "--fault", default="", choices=["", *FAULTS], help="plant this fault, and end with the first find"
    )
    asked = parser.parse_args(arguments)
    began, wrong = time.monotonic(), 0
    with ProcessPoolExecutor(os.cpu_count(), initializer=begin_process) as pool:
        every = pool.submit(cases).result()
        print(said(every), flush=True)
        for case, faults in pool.map(_searched, [(case, asked.fault) for case in every], chunksize=8):
            if faults:
                wrong += 1
                print(f"{case}\n  {faults[0]}", flush=True)
                if asked.fault:
                    pool.shutdown(cancel_futures=True)
                    break
    print(f"{wrong} of {len(every):,} did not end right; {time.monotonic() - began:.0f} s")
    return int(wrong == 0 if asked.fault else wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
