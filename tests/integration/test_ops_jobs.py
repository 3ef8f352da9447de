"""`adweir jobs`: what is given on the command line becomes the same job as through the API."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from adweir.model.flows import StageKind
from adweir.model.messages import StartRun
from adweir.store.ledger.fired import Firing
from support.clock import FrozenClock
from support.command_line import Run, commands_on
from support.job_world import JobWorld, at


class Machine:
    """As much of the App as the commands use."""

    def __init__(self, world: JobWorld) -> None:
        self.jobs, self.catalog, self.ledger, self.clock = world.jobs, world.catalog, world.ledger, world.clock
        self.queues, self.stage_kinds = world.queues, frozenset({StageKind.PULL})

    def app(self) -> Machine:
        return self


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> JobWorld:
    return JobWorld(clock)


@pytest.fixture
def adweir(world: JobWorld, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(Machine(world), monkeypatch, group="jobs")


@pytest.mark.parametrize(
    ("when", "schedule"),
    [
        ("hourly", {"type": "hourly"}),
        ("hourly 15", {"type": "hourly", "minute": 15}),
        ("daily 05:30", {"type": "daily", "at": "05:30"}),
        ("Weekly monday 08:00", {"type": "weekly", "weekday": "monday", "at": "08:00"}),
        ("every 6 hours", {"type": "interval", "every": "6 hours"}),
        ("cron 0 6 ? * MON-FRI *", {"type": "cron", "cron": "0 6 ? * MON-FRI *"}),
    ],
)
def test_when_is_said_in_one_text(adweir: Run, world: JobWorld, when: str, schedule: dict[str, Any]) -> None:
    adweir("create", "one", "daily", when)

    assert world.catalog.job("one").schedule.model_dump(mode="json", exclude_none=True) == schedule


def test_a_job_is_created_changed_and_shown_with_its_next_times(adweir: Run, world: JobWorld) -> None:
    made = adweir(
        "create", "nightly", "daily", "daily 02:30", "timezone=Europe/Berlin", "platform=meta", "platform=amazon",
        "lookback_days=7", "datasets=ad_daily,campaign_daily", "account=acc-1",
    )  # fmt: skip

    job = world.catalog.job("nightly")
    assert (job.platforms, job.accounts, job.lookback_days) == (("meta_ads", "amazon_ads"), ("acc-1",), 7)
    assert dict(job.args) == {"datasets": ["ad_daily", "campaign_daily"]}
    assert made.output.splitlines()[:6] == [
        "nightly: daily, daily 02:30, Europe/Berlin, active",
        "  accounts     acc-1",
        "  platforms    meta_ads, amazon_ads",
        "  datasets     ad_daily, campaign_daily",
        "  pulls again  7 days",
        "  next         2026-11-21 02:30 CET (2026-11-21 01:30 UTC)",
    ]
    assert "clocks in Europe/Berlin leave out 02:30 on 2027-03-28" in made.output
    adweir("change", "nightly", "when=every 12 hours", "platform=", "lookback_days=", "datasets=")
    job = world.catalog.job("nightly")
    assert (job.schedule.every, job.platforms, job.lookback_days, dict(job.args)) == ("12 hours", (), 0, {})
    assert job.accounts == ("acc-1",), "what is not named stays"


def test_a_job_is_listed_paused_resumed_run_and_removed(adweir: Run, world: JobWorld) -> None:
    adweir("create", "one", "hourly", "hourly 15")
    adweir("create", "two", "daily", "daily 05:30")
    world.start_fired(world.pass_time(at("2026-11-20T12:30")))

    listed = adweir("list").output
    assert "one: hourly, hourly 15, UTC, active\n  next         2026-11-20 13:15 UTC" in listed
    assert "last         2026-11-20T12:15Z started run_one-20261120T121500-" in listed
    assert "two: daily, daily 05:30, UTC, active" in listed
    assert "paused" in adweir("pause", "one").output
    assert "next" not in adweir("show", "one").output
    assert "active" in adweir("resume", "one").output
    world.runs.take()
    run_id = adweir("run", "two").output.strip()
    (message,) = world.runs.take()
    assert isinstance(message, StartRun)
    assert message.run_id == run_id
    assert adweir("remove", "one", "--yes").output == "removed one\n"
    assert [job.name for job in world.catalog.jobs()] == ["two"]


def test_what_keeps_a_job_from_running_is_shown(adweir: Run, world: JobWorld) -> None:
    adweir("create", "one", "hourly", "hourly", "account=acc-1")
    world.catalog.delete_account("acc-1")

    assert "problem      all its client accounts were deleted: acc-1" in adweir("show", "one").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "one", "daily", "noon"), "'noon' does not say when"),
        (("create", "one", "daily", "daily"), "does not say when"),
        (("create", "one", "daily", "hourly soon"), "the minute of hourly is a whole number"),
        (("create", "one", "daily", "daily 05:30", "Europe/Berlin"), "'Europe/Berlin' is not FIELD=VALUE"),
        (("create", "one", "daily", "daily 05:30", "lookback_days=many"), "lookback_days is a whole number"),
        (("create", "one", "daily", "daily 05:30", "colour=red"), "args.colour: is no argument of a workflow"),
        (("create", "one", "dayly", "daily 05:30"), "unknown workflow 'dayly'; known: account, ad, backfill"),
        (("show", "nobody"), "there is no job 'nobody'"),
    ],
)
def test_what_cannot_be_is_one_line_and_stores_nothing(
    adweir: Run, world: JobWorld, arguments: tuple[str, ...], said: str
) -> None:
    done = adweir(*arguments, expect=1)

    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert world.catalog.jobs() == []


def test_several_faults_of_a_job_are_said_each_on_its_own_line(adweir: Run, world: JobWorld) -> None:
    done = adweir("create", "one", "ad", "daily 05:30", "source_platform=gogle", "batch_size=0", expect=1)

    first, *others = done.stderr.splitlines()
    assert first.startswith("adweir: the job is refused: args.")
    assert sorted(line.partition(":")[0] for line in [first.removeprefix("adweir: the job is refused:"), *others]) == [
        "  args.source_platform",
        " args.batch_size",
    ]


def test_without_a_command_the_help_is_shown(adweir: Run) -> None:
    done = adweir(expect=2)

    assert "remove" in done.output
    assert done.stderr == ""


def test_what_all_jobs_need_is_read_once(adweir: Run, world: JobWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    adweir("create", "one", "hourly", "hourly 15")
    adweir("create", "two", "daily", "daily 05:30")
    asked: list[int] = []
    ask = world.ledger.fired.of

    def noted(ids: Iterable[str]) -> dict[str, Firing]:
        asked.append(1)
        return ask(ids)

    monkeypatch.setattr(world.ledger.fired, "of", noted)

    assert adweir("list").stdout.count("  next ") == 2
    assert len(asked) == 1


def test_for_programs_a_job_is_an_object_with_its_warnings(adweir: Run, world: JobWorld) -> None:
    made = json.loads(adweir("create", "one", "daily", "daily 02:30", "timezone=Europe/Berlin", "--json").stdout)
    shown = json.loads(adweir("show", "one", "--json").stdout)
    ran = json.loads(adweir("run", "one", "--json").stdout)

    assert made["next_runs"][0] == "2026-11-21T02:30:00+01:00"
    assert any("leave out 02:30 on 2027-03-28" in each for each in made["warnings"])
    assert shown == {name: value for name, value in made.items() if name != "warnings"}
    (message,) = world.runs.take()
    assert isinstance(message, StartRun)
    assert message.run_id == ran["run_id"]


@pytest.mark.parametrize("agreed", [True, False])
def test_a_removal_is_asked_for(adweir: Run, world: JobWorld, monkeypatch: pytest.MonkeyPatch, *, agreed: bool) -> None:
    adweir("create", "one", "hourly", "hourly 15")
    monkeypatch.setattr("ops.output.can_ask", lambda _context, _instead: True)
    asked: list[str] = []

    def confirm(question: str, *, err: bool) -> bool:
        asked.append(question)
        return agreed

    monkeypatch.setattr("typer.confirm", confirm)

    adweir("remove", "one", expect=0 if agreed else 1)

    assert asked == ["Remove job one and its schedule on the sandbox?"]
    assert len(world.catalog.jobs()) == (not agreed)
