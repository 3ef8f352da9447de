"""Messages of the runs queue through the function `orchestrate`, on an AWS in memory in which a run is under way.

Schedules, operators and our own functions write them. One that asks for what does not exist, or for days that no
platform has, is quarantined; none fails again and again, and what is refused starts nothing.
"""

from __future__ import annotations

import json
from random import Random

from adweir.model.entities import Credential
from adweir.model.jobs import ScheduledJob
from adweir.model.schedules import Schedule, ScheduleType
from fuzz import corpus, damage, pulls
from fuzz.cloud import ENVIRONMENT, Cloud
from fuzz.documents import Document, mutated
from fuzz.functions import Function
from fuzz.running import Broken, Case
from support.api import META, fill
from support.clock import FrozenClock

_START = {"kind": "start", "workflow": "daily", "scheduled_at": "2026-11-20T05:30:00Z", "run_id": "run_x"}
_SCOPE = {"accounts": ["acc"], "platforms": ["meta"], "profiles": ["111"], "datasets": ["ad_daily"], "slice": "all",
          "start": "2026-11-01", "end": "2026-11-02"}  # fmt: skip
_MORE = (
    _START,
    {"kind": "start", "workflow": "backfill", "scheduled_at": "2026-11-20T05:30:00+01:00", "scope": _SCOPE},
    {"kind": "start", "workflow": "repull", "scheduled_at": "2026-11-20T05:30:00Z", "trigger": "webhook",
     "scope": _SCOPE | {"slice": "campaign=c1"}},
    {"kind": "plan", "run_id": "run_x", "stage": "profiles"},
    {"kind": "cancel", "run_id": "run_x"},
    {"kind": "redrive", "run_id": "run_x", "task_ids": ["t"], "accept_vanish": True, "not_before": 1, "attempt": 2},
)  # fmt: skip

_JOB = ScheduledJob(
    job_id="job_5f0c1d2e3b4a59687786",
    name="nightly",
    workflow="hourly",
    schedule=Schedule(type=ScheduleType.DAILY, at="05:30"),
    changed_at="2026-11-20T12:00:00.000000Z",
)
"""The one of events/orchestrate/job-fired.json."""


class Runs:
    """One message at a time."""

    name = "runs"
    most_memory = 16 << 20

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._function = Function("orchestrate", ENVIRONMENT)
        app = self._function.module.app
        app.clock = FrozenClock(pulls.NOW)
        app.catalog.create_account("acc", "Company", "a@example.com")
        app.catalog.put_credential(Credential(account_id="acc", platform=META, secret_id="s"))
        app.catalog.put_job(_JOB, None)
        fill(self._function.module)
        if not self._function.consume("runs", json.dumps(_START)):
            raise Broken("a run cannot be started")
        self._cloud.keep()
        bodies = [json.loads(each["body"]) for event in corpus.events("orchestrate") for each in event["Records"]]
        self._seeds = tuple(map(Document.of, (*bodies, *_MORE)))

    def make(self, rng: Random) -> Case:
        seed = rng.choice(self._seeds)
        body = mutated(seed, rng, most=1) if rng.random() < 0.9 else damage.damaged(seed.text, rng)
        return {"body": body}

    def check(self, case: Case) -> str:
        self._cloud.answer()
        try:
            done = self._function.consume("runs", case["body"].decode("utf-8", "surrogateescape"))
        finally:
            written = self._cloud.restore()
        if not done:
            raise Broken("a message fails without a fault of ours: it would come again")
        return _became(written)

    def close(self) -> None:
        self._function.close()
        self._cloud.close()


TARGET = Runs


def _became(written: list[str]) -> str:
    """What a message wrote: an object of the quarantine alone, items and messages, or nothing."""
    if written == ["s3 PutObject"]:
        return "quarantined"
    return "worked on" if written else "nothing to do"
