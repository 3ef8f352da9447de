"""The soak from its first account to the verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from soak import numbers, sizes
from soak.accounting import Account
from soak.evidence import Refusals, Whose, recorded, unknown_objects
from soak.ground import Ground
from soak.plan import Extent, Owned, Phase, plan

Say = Callable[[str], None]


@dataclass
class Verdict:
    """What came of a soak: a table of what was seen, and a line for each thing that is wrong."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def check(self, what: str, wrong: Sequence[str]) -> None:
        """Note the result of a check."""
        self.lines.append(f"{'ok' if not wrong else 'WRONG':6}{what}")
        self.wrong += [f"{line}" for line in wrong]


class Soak:
    """A soak on a sandbox that is up. `history`: the template's HistoryDays there."""

    def __init__(self, ground: Ground, seed: int, extent: Extent, history: int, say: Say = print) -> None:
        self.ground = ground
        self.seed = seed
        self.extent = extent
        self.history = history
        self.say = say
        self.account = Account()
        self.owned: list[Owned] = []
        self.kept: dict[str, numbers.Rows] = {}
        self._began = time.time()
        self._first = ground.river.world.day(0)
        """The world's today when the soak begins."""

    def run(self) -> Verdict:
        """Tell it from the first account to the end, and compare."""
        world = self.ground.river.world
        self.owned = self.ground.register()
        self.say(f"{len(self.owned)} ad accounts of {len(self.ground.companies)} clients are registered")
        self._dead_before = self.ground.dead()
        phases = plan(self.seed, self.extent, self.owned)
        day = hour = 0
        for phase in phases:
            if moved := 24 * (phase.day - day) + phase.hour - hour:
                world.post("clock", {"advance_hours": moved})
            day, hour = phase.day, phase.hour
            self._phase(phase)
        if hour:
            world.post("clock", {"advance_hours": -hour})
        self.say("the last runs, without faults")
        return self._end()

    # -- a phase -------------------------------------------------------------------------------------------------

    def _phase(self, phase: Phase) -> None:
        began, ground = time.time(), self.ground
        for kind, owner in phase.happenings:
            self._happen(kind, owner)
        rng = random.Random(f"{self.seed} {phase.name}")
        run_id = ground.run(phase, f"{self.seed}_{phase.name}", self._scope(phase.workflow), rng)
        ground.river.world.post("switches", {"clear": True})
        state = ground.river.run(run_id)["state"]
        served = self._served(began)
        tasks = [task for task in ground.tasks() if task["run_id"] == run_id]
        evidence = recorded(tasks, ground.log(), self._whose)
        for whose in unknown_objects(ground.river.table("Catalog").items()):
            if whose in evidence:
                evidence[whose]["unknown status"] += 1
        self.account.add(phase.name, phase.faults, served, evidence, Refusals(ground.refused(began)))
        failed = [(self._whose(task), task["error"]["code"]) for task in tasks if task.get("error")]
        self.account.failures(phase.name, failed, served)
        ran = time.time() - began
        states = ground.heal([run_id], f"{self.seed}_{phase.name}")
        self.say(
            f"{phase.name:12} {state}, {len(tasks)} tasks, {len(failed)} failed; {len(phase.faults)} faults on,"
            f" {len(served)} served; {ran:.0f} s; after the repair {states[run_id]}, {time.time() - began - ran:.0f} s"
        )

    def _scope(self, workflow: str) -> dict[str, Any]:
        if workflow == "daily":
            return {"datasets": self.extent.datasets}
        hourly = self.owned[: self.extent.hourly_profiles]
        return {"profiles": tuple(f"{one.platform}#{one.profile_id}" for one in hourly)}

    def _happen(self, kind: str, owner: Owned) -> None:
        """Something happens to an ad that has numbers."""
        river, span = self.ground.river, self._span
        truth = river.world.get(
            "truth", platform=owner.platform, profile_id=owner.profile_id, start=span[0], end=span[1]
        )["rows"]
        ads = sorted({row["ad_id"] for row in truth if row["ad_id"]})
        if not ads:
            return
        river.world.post(kind, {"profile_id": owner.profile_id, "ad_id": ads[0]})
        if kind == "delete":
            self.kept.setdefault(owner.profile_id, {}).update(numbers.ads_of(river.api, owner, span, ads[0]))

    def _served(self, since: float) -> list[dict[str, Any]]:
        """The faults that were served since a moment to the crowd's ad accounts."""
        ours = {(one.platform, one.profile_id) for one in self.owned}
        found: list[dict[str, Any]] = self.ground.river.world.get("served", since=str(since))["faults"]
        return [fault for fault in found if (fault["platform"], fault["profile"]) in ours]

    def _whose(self, task: Mapping[str, Any]) -> Whose:
        if "platform" not in task:  # of a client account: no ad account's fault explains what it failed of
            return Whose("", task["account_id"])
        if task["profile_id"]:
            return Whose(task["platform"], task["profile_id"])
        about = (task["account_id"], task["platform"])
        return next(
            (Whose(one.platform, one.profile_id) for one in self.owned if (one.account_id, one.platform) == about),
            Whose(task["platform"], ""),
        )

    # -- the end -------------------------------------------------------------------------------------------------

    @property
    def _span(self) -> tuple[str, str]:
        """The days that every ad account has: from the oldest of the first run to the world's yesterday."""
        first = self._first - timedelta(days=self.history)
        return first.isoformat(), self.ground.river.world.day(1).isoformat()

    def _end(self) -> Verdict:
        ground, river, verdict = self.ground, self.ground.river, Verdict()
        hourly = self.owned[: self.extent.hourly_profiles]
        last = [ground.start(f"{self.seed}_last", "daily", **self._scope("daily"))]
        if self.extent.hourly_runs:
            back = self.extent.days + 1
            last.append(ground.start(f"{self.seed}_last_hours", "hourly", **self._scope("hourly"), lookback_days=back))
        ground.wait(last)
        states = ground.heal(last, f"{self.seed}_last")
        ground.wait(last, behind=self.extent.behind)
        verdict.check("every run succeeded in the end", list(self._unfinished(states)))
        days = numbers.days(river.api, river.world, self.owned, self._span, self.kept)
        compared = f"{days.rows:,} rows of {len(self.owned)} ad accounts, {days.totals:,} daily sums of levels"
        hours = numbers.hours(river.api, river.world, hourly, (self._first.isoformat(), river.world.day(0).isoformat()))
        count = days.numbers + hours.numbers
        verdict.check(
            f"{count:,} numbers equal the platforms': {compared}, {hours.hours:,} hours", days.wrong + hours.wrong
        )
        served = sum(self.account.served.values())
        verdict.check(
            f"{served} faults were served of {sum(self.account.switched.values())} switched on, each left a trace;"
            f" {sum(self.account.failed.values())} tasks failed, each for a fault that was served",
            self.account.wrong,
        )
        killed = ", ".join(f"{name} {times}" for name, times in sorted(ground.killed.items())) or "none"
        verdict.check(
            f"nothing is left: workers killed: {killed}; messages copied: {ground.copied.total()}", self._left()
        )
        found = sizes.measured(ground, self.owned, self.extent, (self._first, self.history), self._began)
        verdict.check("memory and tables are as predicted", [each.wrong for each in found if each.wrong])
        verdict.lines += ["", *self.account.lines(), "", *sizes.table(found)]
        return verdict

    def _unfinished(self, states: Mapping[str, str]) -> Iterator[str]:
        for run_id in self.ground.runs:
            state = states.get(run_id) or self.ground.river.run(run_id).get("state", "never began")
            if state != "succeeded" and "listing" not in run_id:
                yield f"{run_id} is {state}"

    def _left(self) -> list[str]:
        """Messages, open runs, markers, leases, brakes and dead letters that should not be there."""
        ground = self.ground
        wrong = [
            f"the queue {name} has {depth} messages"
            for name, depth in sorted(ground.waiting(behind=self.extent.behind).items())
        ]
        for name, depth in sorted((ground.dead() - self._dead_before).items()):
            wrong.append(f"the queue {name} has {depth} messages")
        now = time.time()
        for (pk, sk), item in ground.river.table("Ledger").items():
            ours = {pk.removeprefix("run#"), sk.rpartition("#")[2]} & {*ground.runs}
            if ours and (pk == "open-runs" or sk.startswith("open#")):
                wrong.append(f"the ledger still has {pk} {sk}")
            if sk == "lease" and float(item.get("until", {}).get("N", "0")) > now:
                wrong.append(f"the lease {pk} is still held")
        for brake in ground.river.api.get("/api/v1/brakes", limit=1000)["brakes"]:
            if any(brake["key"].endswith(one.profile_id) for one in self.owned) or not brake["profile_id"]:
                wrong.append(f"the brake {brake['key']} is still on: {brake['says']}")  # noqa: PERF401
        return wrong
