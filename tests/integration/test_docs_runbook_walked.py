"""The runbook, walked: an alarm's metric rises, the command that shows it names it, the one that mends it ends it.

A whole system in one process stands for the deployment, and the commands are those of docs/operations.md. Entries whose
alarms are AWS's own numbers (age, errors, memory) have stories in tests/e2e.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adweir.model.errors import NotReady, Unavailable
from adweir.model.operation_metrics import OperationMetric as M
from adweir.runtime.meter import Meter
from adweir.runtime.settings import BuiltInSchedules
from ops.local.machine import LocalApp, Machine, settings
from ops.local.system import System
from sandbox.platforms import stand_ins
from sandbox.playground import Playground
from support.clock import FrozenClock
from support.command_line import Run, commands_on
from support.platform_server import running

GOOGLE, META, DESK = "google_ads", "meta_ads", "trade_desk"
SCHEDULES = BuiltInSchedules(timezone="UTC", state="ENABLED", expressions={"daily": "cron(30 5 * * ? *)"})


@pytest.fixture(scope="module")
def made_up() -> Iterator[Playground]:
    with running(stand_ins(), awkward=True, anchor=datetime.now(UTC).date()) as server:
        yield Playground(server)


class Recorded(Meter):
    """Keeps what would be published."""

    def __init__(self) -> None:
        self.newest: dict[M, int] = {}

    def count(self, found: Mapping[M, int]) -> None:
        self.newest |= found


class Walk:
    """A system of one client, whose commands are run; `metrics` are what its functions published last."""

    def __init__(self, made_up: Playground, patch: pytest.MonkeyPatch) -> None:
        self.made_up, self.clock = made_up, FrozenClock(datetime.now(UTC))
        given = settings(made_up.urls, 3).model_copy(update={"schedules": SCHEDULES})
        self.system = System.opened("memory", given, self.clock, self.clock.advance)
        self.machine: Machine = self.system._here
        self.metrics = Recorded()
        self.machine.app.__dict__["meter"] = self.metrics
        self.adweir: Run = commands_on(self, patch)
        self.account = ""

    def connect(self, platform: str) -> Walk:
        """Store the client's credential of a platform."""
        stored = self.system.connect(platform, company="Halden", **self.made_up.credential(platform))
        self.account = stored["account_id"]
        return self

    def app(self) -> LocalApp:
        return self.machine.app

    app_of_api = app

    def switch(self, kind: str, platform: str, **options: Any) -> None:
        self.made_up.server.outside.switches.turn_on({"kind": kind, "platform": platform, **options})

    def clear(self) -> None:
        self.made_up.server.outside.switches.clear()

    def said(self, *arguments: str, expect: int = 0) -> str:
        """What a command prints, with what the functions do about it."""
        with self.machine.in_place():
            done = self.adweir(*arguments, expect=expect)
            self.machine.work(lambda: True, 60)
        return done.output

    def drop(self, content: bytes) -> None:
        """A file of the client arrives, as `adweir drop` puts it, and is looked at."""
        with self.machine.in_place() as app:
            app.raw.put(f"drops/{self.account}/{app.new_id()}.csv", content)
            self.machine.work(lambda: True, 60)

    def swept(self) -> Mapping[M, int]:
        """What a sweep publishes, as `adweir fire sweep` has it done."""
        self.said("fire", "sweep")
        return self.metrics.newest

    def run(self, platform: str, patience: float = 60_000) -> dict[str, Any]:
        return self.system.run("account", platforms=[platform], patience=patience)

    def becomes(self, run_id: str, state: str) -> bool:
        """Whether a run comes to this state, once the functions have done what was asked for."""
        with self.machine.in_place() as app:

            def is_so() -> bool:
                run = app.ledger.get_run(run_id)
                return run is not None and run.state.value == state

            return self.machine.work(is_so, 4000)


@pytest.fixture
def walk(made_up: Playground, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walk]:
    walk = Walk(made_up, monkeypatch)
    try:
        yield walk
    finally:
        walk.clear()
        walk.system.close()


def test_a_run_failed(walk: Walk) -> None:
    walk.connect(META).switch("broken_report", META, reason="out of paper")
    run = walk.run(META)
    assert run["state"] == "failed"
    assert walk.swept()[M.RUNS_FAILED] == 1

    assert "not repaired: account" in walk.said("health", expect=1)
    assert run["run_id"] in walk.said("runs", "--state", "failed")
    assert "report_failed" in walk.said("run", run["run_id"])
    walk.clear()
    walk.said("redrive", run["run_id"])

    assert walk.becomes(run["run_id"], "succeeded")
    assert walk.swept()[M.RUNS_FAILED] == 0


def test_a_credential_is_broken(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.connect(META).switch("expired_token", META)
    run = walk.run(META)
    assert walk.swept()[M.CREDENTIALS_BROKEN] == 1

    shown = walk.said("health", expect=1)
    assert all(word in shown for word in (walk.account, META, "default"))
    walk.said("accounts", "show", walk.account)
    walk.clear()
    for name, value in walk.made_up.credential(META).items():
        monkeypatch.setenv(f"META_ADS_{name.upper()}", value)
    assert "tried again" in walk.said("--no-input", "connect", "meta", "--account", walk.account, "--label", "default")

    assert walk.becomes(run["run_id"], "succeeded")
    assert walk.swept()[M.CREDENTIALS_BROKEN] == 0


def test_a_credential_ends(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    soon, later = (str((walk.clock.now() + timedelta(days=days)).date()) for days in (12, 200))
    companies = walk.made_up.server.outside.world.companies
    (token,) = (one.credentials[DESK]["token"] for one in companies if "token" in one.credentials.get(DESK, ()))
    walk.account = walk.system.connect(DESK, company="Halden", token=token, token_expires=soon)["account_id"]
    assert walk.swept()[M.CREDENTIALS_ENDING] == 1

    assert all(word in walk.said("health", expect=1) for word in (DESK, soon))
    monkeypatch.setenv("TRADE_DESK_TOKEN", token)
    walk.said("--no-input", "connect", DESK, f"token_expires={later}", "--account", walk.account, "--label", "default")

    assert walk.swept()[M.CREDENTIALS_ENDING] == 0


def test_a_brake_stays(walk: Walk) -> None:
    walk.connect(META).switch("throttle", META, regain_minutes=90)
    with pytest.raises(NotReady):
        walk.run(META, patience=3900)
    assert walk.swept()[M.BRAKES_STAYING] == 1
    (run,) = walk.system.runs()

    listed = walk.said("brakes", "list")
    key = re.search(r"meta_ads\S*", listed)
    assert key, listed
    assert "adweir brakes release" in listed
    assert ".," not in listed
    walk.clear()
    walk.said("brakes", "release", key[0].rstrip(":,"), "--reason", "it is mended")

    assert walk.becomes(run["run_id"], "succeeded")
    assert walk.swept()[M.BRAKES_STAYING] == 0


def test_dead_letters(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.connect(GOOGLE)
    with monkeypatch.context() as patched:
        patched.setattr(type(walk.app().loader), "load", lambda *_: 1 / 0)
        with pytest.raises(Unavailable):
            walk.run(GOOGLE)
    walk.machine.__dict__.pop("_consumers")  # they were made with the fault
    (run,) = walk.system.runs()

    listed = walk.said("dead-letters", "list")
    assert re.search(r"landing  \d+ (s|min) old", listed), listed
    assert "ZeroDivisionError" in listed
    assert "dead letters" in walk.said("health", expect=1)
    walk.said("dead-letters", "send", "--queue", "landing")

    assert walk.becomes(run["run_id"], "succeeded")
    assert "no dead letter" in walk.said("dead-letters", "list")


def test_a_message_was_quarantined(walk: Walk) -> None:
    walk.connect(GOOGLE)
    with walk.machine.in_place() as app:
        app.sqs.send_message(QueueUrl=app.settings.runs_queue_url, MessageBody='{"kind": "sweeep"}')
        walk.machine.work(lambda: True, 60)
    assert walk.metrics.newest[M.MESSAGES_QUARANTINED] == 1

    listed = walk.said("quarantine", "messages")
    assert "sweeep" in listed
    name = re.search(r"^runs:\S+", listed)
    assert name, listed
    assert walk.said("quarantine", "replay", name[0]) == "sent to runs\n"


def test_work_waits(walk: Walk) -> None:
    walk.connect(META).switch("throttle", META, regain_minutes=90)
    with pytest.raises(NotReady):
        walk.run(META, patience=300)

    (run,) = walk.system.runs()
    assert run["run_id"] in walk.said("runs", "--state", "running")
    shown = walk.said("run", run["run_id"])
    assert "There have been too many calls" in shown
    assert "covers    platforms meta_ads\n" in shown
    walk.said("health", expect=1)
    walk.said("cancel", run["run_id"], "--yes")

    assert walk.becomes(run["run_id"], "cancelled")


def test_an_ad_account_is_stale(walk: Walk) -> None:
    walk.connect(GOOGLE).run(GOOGLE)
    walk.clock.advance(3 * 86_400)
    assert walk.swept()[M.PROFILES_STALE] > 0

    profile = next(one for one in walk.system.ad_accounts() if one["status"] == "active")["profile_id"]
    assert profile in walk.said("breaches") + walk.said("health", expect=1)
    walk.said("runs")
    run_id = walk.said("sync", walk.account).splitlines()[0]

    assert walk.becomes(run_id, "succeeded")
    walk.swept()
    assert "no breach" in walk.said("breaches")
    assert walk.swept()[M.PROFILES_STALE] == 0


def test_a_file_was_not_loaded(walk: Walk) -> None:
    walk.connect(GOOGLE).drop(b"\xff\xfe\x00\x01")
    assert walk.metrics.newest[M.OBJECTS_UNLOADED] == 1

    assert "rejected" in walk.said("receipts", "--account", walk.account)
    walk.run(GOOGLE)
    profile = next(one for one in walk.system.ad_accounts() if one["status"] == "active")["profile_id"]
    day = (walk.clock.now() - timedelta(days=3)).date()
    columns = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend"
    walk.drop(f"{columns}\n{GOOGLE},{profile},campaign,{day},1,7,1,0.5\n".encode())

    assert "loaded" in walk.said("receipts", "--account", walk.account)


def test_nothing_was_loaded_and_the_watch_is_silent(walk: Walk) -> None:
    walk.connect(GOOGLE)
    assert not walk.metrics.newest.get(M.PULLS_LOADED)
    assert not walk.metrics.newest.get(M.SWEEPS_ENDED)

    assert "no run" in walk.said("runs")
    walk.said("health")
    run_id = walk.said("sync", walk.account).splitlines()[0]

    assert walk.becomes(run_id, "succeeded")
    assert walk.metrics.newest[M.PULLS_LOADED]
    assert walk.swept()[M.SWEEPS_ENDED] == 1
