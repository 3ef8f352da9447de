"""Runs of two stored workflows whose branches are joined: half of one branch fails, and workers are killed meanwhile.

The ad accounts are those of the awkward clients; Lumen's on Meta is closed to us, which is half of the branch `days`.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from adweir.library.flows import Workflow
from support.river import Client, River, adweir, until

BY_API, BY_COMMAND = "joined", "joined-cli"
CLOSED, _SLOW = "access_denied", "slow_answer"


@dataclass(frozen=True)
class Joined:
    """Two runs: `by_api` pulls this `day` of the two clients, `by_command` the days that a daily run pulls."""

    kestrel: Client
    lumen: Client
    day: str
    by_api: str
    by_command: str


class JoinedStories:
    """Their beginnings, to be told between those of other stories, in the order of the methods."""

    def __init__(self, river: River) -> None:
        self._river = river
        if "kestrel" not in river.clients:
            river.register("kestrel", "lumen")
            listed = river.api.post("/api/v1/workflows/daily/runs", {"scope": {"datasets": ["profiles"]}})
            river.succeeded(listed["run_id"])
            leads = {"options": {"conversions": ["leads"]}}
            river.api.patch(f"/api/v1/profiles/meta_ads/{river.clients['lumen'].meta}", leads)
        self._kestrel, self._lumen = river.clients["kestrel"], river.clients["lumen"]
        file = river.home.path.with_name("joined.json")
        file.write_text(json.dumps(_by_command()))
        commands = ThreadPoolExecutor(1)
        self._stored = commands.submit(adweir, river.home, "workflows", "put", BY_COMMAND, str(file))
        commands.shutdown(wait=False)

    def ask_by_api(self) -> str:
        """Store a workflow and start it, and wait until the platform keeps one of its pulls waiting, longer than a
        worker may wait, and has refused the closed ad account, which the other run lists anew; returns the run's id."""
        river, kestrel, lumen = self._river, self._kestrel, self._lumen
        closed = {"kind": CLOSED, "profile_id": lumen.meta}
        slow = {"kind": _SLOW, "profile_id": kestrel.meta, "seconds": 8, "times": 1}
        for switch in (closed, slow):
            river.world.post("switches", {"platform": "meta_ads"} | switch)
        river.api.put(f"/api/v1/workflows/{BY_API}", _by_api())
        scope = {"profiles": [kestrel.meta, lumen.meta, kestrel.amazon], "start": self._day, "end": self._day}
        run_id: str = river.api.post(f"/api/v1/workflows/{BY_API}/runs", {"scope": scope})["run_id"]
        until(self._is_kept_waiting, "a request of a branch that is kept waiting", pause=0.05)
        until(lambda: self._is_refused(run_id), "the refusal of the closed ad account", pause=0.05)
        return run_id

    def ask_by_command(self) -> str:
        """Start the workflow that was stored by the command line."""
        self._stored.result()
        accounts = ("--account", self._kestrel.account_id, "--account", self._lumen.account_id)
        return adweir(self._river.home, "workflows", "run", BY_COMMAND, *accounts).strip()

    def begun(self, by_api: str, by_command: str) -> Joined:
        return Joined(self._kestrel, self._lumen, self._day, by_api, by_command)

    @property
    def _day(self) -> str:
        return self._river.day(37)

    def _is_refused(self, run_id: str) -> bool:
        tasks = self._river.api.get(f"/api/v1/runs/{run_id}/tasks", limit=200)["tasks"]
        states = [task["state"] for task in tasks if task["profile_id"] == self._lumen.meta]
        return states == ["failed"] * 2

    def _is_kept_waiting(self) -> bool:
        switches = self._river.world.get("switches")["switches"]
        return (_SLOW, self._kestrel.meta) not in {(switch["kind"], switch.get("profile_id")) for switch in switches}


def _by_api() -> dict[str, Any]:
    """Half of `days` has to load. What joins the branches is not of Meta: the other run lists the ad account that is
    closed anew, at any moment of this one."""
    pulls: dict[str, Any] = {"kind": "pull", "reach": "whole"}
    stages: list[dict[str, Any]] = [
        {"name": "ads", "datasets": ["ad_daily"], "platforms": ["amazon"], "after": ["days", "reports"]},
        {"name": "days", "datasets": ["ad_daily", "account_daily"], "platforms": ["meta"], "threshold": 0.5},
        {"name": "reports", "datasets": ["campaign_daily"], "platforms": ["amazon"]},
    ]
    return {"about": "two branches", "stages": [pulls | stage for stage in stages]}


def _by_command() -> dict[str, Any]:
    """Nine tenths of `days` have to load, or what joins the branches is left out. The other branch is not of Meta: it
    would be refused by the closed ad account, which is then no longer one of those that `days` pulls."""
    return (
        Workflow.build(BY_COMMAND, "two branches, one of them of two stages")
        .stage("accounts", "pull", datasets=["profiles"], platforms=["meta"])
        .stage(
            "days",
            "pull",
            datasets=["ad_daily"],
            platforms=["meta"],
            after=["accounts"],
            threshold=0.9,
            on_failure="skip",
        )
        .stage("objects", "pull", datasets=["campaigns"], platforms=["amazon"])
        .stage("totals", "pull", datasets=["account_daily"], platforms=["meta"], after=["days", "objects"])
        .form()
    )
