"""The sandbox as the soak uses it: its clients, its runs, its tables and its logs."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adweir.model.flows import WORKERS
from adweir.model.limits import MAX_CALLS_SHOWN
from adweir.model.messages import Scope, StartRun, Sweep
from adweir.model.times import iso_of
from sandbox.platforms import stand_ins
from soak.plan import Owned, Phase
from support.river import River

CROWDED = tuple(stand_in.platform for stand_in in stand_ins() if stand_in.crowded)
_LOOK_SECONDS = 0.5
_SWEEP_SECONDS = 20.0
_RUN_SECONDS = 1500.0
_ROUNDS = 8
_PAGES = 200
_GOOD = "succeeded"
_BEHIND = frozenset(WORKERS.values())
"""The queues of what follows the runs."""
_DEPTHS = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]


@dataclass
class Ground:
    """A sandbox that is up. `companies`: keys of the crowd's clients in the world, by their accounts here."""

    river: River
    say: Any = print
    companies: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    copied: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    _queues: dict[str, str] = field(default_factory=dict)

    # -- clients -------------------------------------------------------------------------------------------------

    def register(self) -> list[Owned]:
        """Accounts and credentials of the crowd, through the API; its ad accounts."""
        self.before = self.depths()
        owned = []
        for found in self.river.world.get("credentials")["accounts"]:
            if "-" not in found["key"]:
                continue
            about = {name: found[name] for name in ("company_name", "primary_contact_email")}
            account_id = self.river.api.post("/api/v1/accounts", about)["account_id"]
            self.companies[account_id] = found
            self.river.connect(account_id, found["credentials"], CROWDED)
            ids = found["profile_ids"]
            owned += [Owned(account_id, name, ids[name][0]) for name in CROWDED if ids.get(name)]
        return owned

    # -- runs ----------------------------------------------------------------------------------------------------

    def send(self, queue: str, body: str, group: str = "soak") -> None:
        self.river.sqs.send_message(QueueUrl=self.river.queue(queue), MessageBody=body, MessageGroupId=group)

    def start(self, name: str, workflow: str, **scope: Any) -> str:
        """What a schedule sends at the world's time, for the crowd's accounts; the run's id."""
        run_id = f"run_soak_{name}"
        wanted = Scope(**({"accounts": tuple(self.companies)} | scope))
        message = StartRun(workflow=workflow, scheduled_at=self.river.now, scope=wanted, run_id=run_id)
        self.send("runs", message.model_dump_json(), run_id)
        self.runs.append(run_id)
        return run_id

    def wait(
        self, run_ids: Sequence[str], *, tick: Callable[[float], None] | None = None, behind: bool = False
    ) -> dict[str, str]:
        """Wait until these runs have ended and the queues are empty; the runs' states. Sweeps go on meanwhile.

        `behind`: what follows the runs (scores, datasets) has to be done, too. `tick` is told the seconds that passed.
        """
        began = swept = time.monotonic()
        while True:
            now = time.monotonic()
            if tick:
                tick(now - began)
            states = {run_id: self.river.state(run_id) for run_id in run_ids}
            if all(state not in ("", "running") for state in states.values()) and not self.waiting(behind=behind):
                return states
            if now - began > _RUN_SECONDS:
                raise AssertionError(f"after {_RUN_SECONDS:.0f} s runs are {states}, queues {self.waiting()}")
            if now - swept > _SWEEP_SECONDS:
                swept = now
                self.send("runs", Sweep().model_dump_json())
            time.sleep(_LOOK_SECONDS)

    def waiting(self, *, behind: bool = True) -> Counter[str]:
        """Messages beside those that waited before the soak began, with what follows runs or without."""
        found = self.depths() - self.before
        return found if behind else Counter({name: depth for name, depth in found.items() if name not in _BEHIND})

    def depths(self) -> Counter[str]:
        """Messages of each of the stack's queues but those for dead letters: waiting, in work or delayed."""
        return self._depths(dead=False)

    def profiles(self) -> list[dict[str, Any]]:
        """The ad accounts that are pulled with the crowd's credentials, as the API lists them."""
        listed = self.river.api.get("/api/v1/profiles", limit=1000)["profiles"]
        listed = [one for one in listed if one["status"] == "active"]
        return [
            one
            for one in listed
            if one["account_id"] in self.companies or one.get("client_account_id") in self.companies
        ]

    def dead(self) -> Counter[str]:
        """Messages of each dead-letter queue."""
        return self._depths(dead=True)

    def _depths(self, *, dead: bool) -> Counter[str]:
        if not self._queues:
            urls = self.river.sqs.list_queues(QueueNamePrefix="adweir-", MaxResults=1000)["QueueUrls"]
            self._queues = {url.rpartition("/")[2].removeprefix("adweir-"): url for url in urls}
        found: Counter[str] = Counter()
        for name, url in self._queues.items():
            if name.startswith("dead-letters") is dead:
                asked = self.river.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_DEPTHS)["Attributes"]
                found[name] = sum(int(asked[each]) for each in _DEPTHS)
        return found

    def run(self, phase: Phase, name: str, scope: Mapping[str, Any], rng: random.Random) -> str:
        """A phase from its faults to a run of this name and scope that has ended in any state; returns the run's id."""
        world = self.river.world
        for switched in phase.faults:
            world.post("switches", switched.body)
        kills, copies = list(phase.kills), list(phase.copies)

        def tick(passed: float) -> None:
            while kills and kills[0][0] <= passed:
                _, function = kills.pop(0)
                self.killed[function] += self.river.kill_workers(function)
            while copies and copies[0] <= passed:
                copies.pop(0)
                self.copy(rng)

        run_id = self.start(name, phase.workflow, **scope)
        self.wait([run_id], tick=tick)
        return run_id

    def copy(self, rng: random.Random) -> None:
        """An object that landed is told of a second time, as S3 may."""
        keys = self.river.keys("raw/")
        if keys:
            key = rng.choice(keys)
            self.send("landing", json.dumps({"bucket": self.river.bucket, "key": key}), "again")
            self.copied["landing"] += 1

    # -- what an operator does -----------------------------------------------------------------------------------

    def heal(self, run_ids: Sequence[str], name: str) -> dict[str, str]:
        """The platforms behave again: credentials are stored anew, brakes released, what failed is tried again."""
        api = self.river.api
        self.river.world.post("switches", {"clear": True})
        states: dict[str, str] = {}
        for number in range(_ROUNDS):
            states = {run_id: self.river.run(run_id).get("state", "") for run_id in run_ids}
            broken = [run_id for run_id, state in states.items() if state != _GOOD]
            if not broken:
                break
            for brake in api.get("/api/v1/brakes", limit=1000)["brakes"]:
                api.delete(f"/api/v1/brakes/{brake['key']}?reason=mended")
            self._credentials()
            listing = self.start(f"{name}_listing{number}", "daily", datasets=("profiles",))
            self.wait([listing, *broken])
            for run_id in broken:
                if self.river.run(run_id)["state"] != _GOOD:
                    self.river.redrive(run_id)
            self.wait(broken)
        return states

    def _credentials(self) -> None:
        """Store the credentials of the crowd anew that a platform refused."""
        for account_id, company in self.companies.items():
            for held in self.river.api.get(f"/api/v1/accounts/{account_id}/credentials")["credentials"]:
                if held["state"] != "active":
                    body = company["credentials"][held["platform"]]
                    self.river.api.post(f"/api/v1/accounts/{account_id}/credentials", body)

    # -- what is there -------------------------------------------------------------------------------------------

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks of the soak's runs as the ledger has them."""
        found = []
        for (pk, sk), item in self.river.table("Ledger").items():
            if sk.startswith("task#") and pk.removeprefix("run#") in self.runs:
                body = json.loads(item["body"]["S"])
                plain = {name: _plain(value) for name, value in item.items() if name != "body"}
                found.append(body | plain)
        return found

    def refused(self, since: float) -> Iterator[dict[str, Any]]:
        """The calls of platforms that failed since a moment (Unix seconds), as the API log has them."""
        asked: dict[str, Any] = {"direction": "outbound", "success": "false", "limit": MAX_CALLS_SHOWN}
        asked["since"] = iso_of(int(since))
        for _ in range(_PAGES):
            page = self.river.api.get("/api/v1/api-logs", **asked)
            yield from page["api_logs"]
            if not page["next_token"]:
                return
            asked["next_token"] = page["next_token"]
        raise AssertionError(f"the API log has more than {_PAGES} pages of calls that failed since {asked['since']}")

    def log(self, since: float = 0.0) -> Iterator[dict[str, Any]]:
        """The lines in JSON that functions wrote since a moment."""
        with (self.river.home.path / "logs/ministack.log").open(errors="replace") as lines:
            for line in lines:
                begin = line.find("{")
                if begin < 0:
                    continue
                try:
                    found = json.loads(line[begin:])
                except ValueError:
                    continue
                if isinstance(found, dict):
                    yield found


def _plain(value: dict[str, Any]) -> Any:
    (kind, inner), *_ = value.items()
    if kind == "N":
        return int(inner)
    if kind == "S" and inner[:1] in "{[":
        try:
            return json.loads(inner)
        except ValueError:
            return inner
    return inner
