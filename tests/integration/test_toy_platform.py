"""A sixth platform, in a folder of its own, from schedule to stored rows: nothing else has to change.

Toy Ads (tests/support/toy_platform) uses each part of the seam: an asynchronous report, a list of two streamed pages,
NotApplicable, Throttled for the whole application, a narrower, profile options, a pace and a webhook. One story uses
them all; with a part left out, it fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adweir.intake.doors.webhook_secrets import set_webhook_secret
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.messages import StartRun
from adweir.model.metrics import Grain, Level, Series
from adweir.model.money import to_micros
from adweir.model.runs import RunState
from adweir.model.tasks import TaskState
from adweir.runtime.settings import Settings
from support.machine import Machine
from support.toy_world import BIG, DAYS, PAUSE, SMALL, TODAY, TOY, ToyApi, toy_folder, toy_machine

WORD = "a-word-that-only-they-know"


def truth() -> dict[tuple[str, str], tuple[int, ...]]:
    """What is to be stored: visits count as conversions for the big account, calls for the small one."""
    figures = {(BIG, 1): "7", (BIG, 2): "7", (SMALL, 1): "1.5"}
    return {
        (f"{profile}-{number}", str(day)): (
            day.day * 100,
            day.day,
            to_micros(Decimal(conversions)),
            to_micros(Decimal(f"{day.day}.01")),
            to_micros(Decimal("2.5")),
        )
        for (profile, number), conversions in figures.items()
        for day in DAYS.days()
    }


class Story:
    """A client's first daily run on Toy Ads, then a delivery of its webhook; and the checks afterwards."""

    def __init__(self, machine: Machine, api: ToyApi) -> None:
        self.machine = machine
        self.api = api
        self.app = machine.app
        self.first_looks: list[int] = []

    def play(self) -> None:
        """Run the story."""
        app = self.app
        app.catalog.create_account("acme", "Acme", "data@acme.example")
        app.registration.register("acme", "toy", {"token": "t0ken-of-the-toy", "app": "an-app"})
        chosen = Profile(
            account_id="acme",
            platform=TOY,
            profile_id=BIG,
            name="Big",
            currency="EUR",
            timezone="Europe/Berlin",
            options={"conversion": "visits"},
        )
        app.catalog.put_objects([chosen], "2026-11-19T00:00:00.000000Z")
        self._watch_the_pace()
        self.machine.run(StartRun(workflow="daily", scheduled_at=TODAY, run_id="run_1"))

        set_webhook_secret(app.secrets, TOY, {"secret": WORD}, "acme")
        receipt = app.receiver.receive(
            "toy", "acme", {"x-toy-word": WORD}, b'{"account": "big", "campaigns": ["big-1"]}'
        )
        assert receipt.stored
        self.machine.run()

    def _watch_the_pace(self) -> None:
        send = self.machine.queues.reports.send

        def watched(message: Any, *, delay: int = 0, group: str = "") -> None:
            if not message.attempt:
                self.first_looks.append(delay)
            send(message, delay=delay, group=group)

        self.machine.queues.reports.send = watched  # type: ignore[method-assign]

    def pulls(self, profile_id: str, slice_: str, state: TaskState) -> list[str]:
        """The windows of the first run's metric tasks in this state."""
        return sorted(
            str(task.window)
            for task in self.app.ledger.pulls("run_1")
            if (task.profile_id, task.slice, task.state) == (profile_id, slice_, state)
        )

    def play_and_check(self) -> None:
        """Run the story and check that each part of the seam did its work."""
        self.play()
        run = self.app.ledger.get_run("run_1")
        assert run is not None
        assert run.state is RunState.SUCCEEDED, run.reason
        self.check_rows()
        self.check_lists()
        self.check_reports()
        self.check_webhook()

    def check_rows(self) -> None:
        stored = {
            (row.entity_id, row.day): row.slot
            for profile in (BIG, SMALL)
            for row in self.app.metrics.read(Series(TOY, profile, Level.CAMPAIGN, Grain.DAY), DAYS)
        }
        assert stored == truth()

    def check_lists(self) -> None:
        campaigns = self.app.catalog.objects(TOY, BIG, Dataset.CAMPAIGNS)
        assert sorted(campaign.name for campaign in campaigns) == ["Campaign 1", "Campaign 2"]
        refused, *others = self.api.lists_at
        assert min(others) >= refused + timedelta(seconds=PAUSE), (
            "an account asked although its application had to wait"
        )

    def check_reports(self) -> None:
        assert self.pulls(SMALL, "tv", TaskState.SKIPPED) == [str(DAYS)]
        assert self.pulls(BIG, "radio", TaskState.SPLIT) == [str(DAYS)]
        assert self.pulls(BIG, "radio", TaskState.LOADED) == ["2026-11-10..2026-11-16", "2026-11-17..2026-11-19"]
        assert set(self.first_looks) == {7}
        assert sorted(self.api.discarded) == sorted(self.api.reports)

    def check_webhook(self) -> None:
        runs, _ = self.app.ledger.list_runs(10)
        (repull,) = [run for run in runs if run.workflow == "repull"]
        assert repull.state is RunState.SUCCEEDED
        assert {task.slice for task in self.app.ledger.pulls(repull.run_id)} == {"campaign=big-1"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with toy_folder(tmp_path) as folder:
        yield folder


@pytest.fixture
def story(tables: None, settings: Settings, folder: Path, request: pytest.FixtureRequest) -> Iterator[Story]:
    with toy_machine(settings, stands_in=getattr(request, "param", True)) as (machine, api):
        yield Story(machine, api)


@pytest.mark.parametrize("story", [False, True], indirect=True, ids=["all of it", "as the stories that fail have it"])
def test_a_sixth_platform_runs_from_schedule_to_stored_rows(story: Story) -> None:
    story.play_and_check()


@pytest.mark.parametrize("part", ["client.py", "normalize.py", "webhook.py"])
def test_the_story_fails_without_a_file_of_the_folder(story: Story, folder: Path, part: str) -> None:
    (folder / part).unlink()
    with pytest.raises((AssertionError, ModuleNotFoundError)):
        story.play()


@pytest.mark.parametrize(
    ("file", "part", "instead"),
    [
        ("client.py", "raise NotApplicable(", "raise RequestRejected("),
        ("client.py", ", scope=ThrottleScope.APP", ""),
        ("client.py", "def narrower(", "def narrowest("),
        ("client.py", "def discard_report(", "def keep_report("),
        ("__init__.py", "pace=Pace(poll_seconds=7),", ""),
        ("__init__.py", "options=ToyOptions,", ""),
    ],
    ids=["NotApplicable", "the scope of a pause", "narrower", "discard_report", "pace", "options"],
)
def test_the_story_fails_without_a_part_of_the_seam(
    story: Story, folder: Path, file: str, part: str, instead: str
) -> None:
    text = (folder / file).read_text()
    assert part in text
    (folder / file).write_text(text.replace(part, instead).replace("Narrowable, ", "Narrowable, RequestRejected, ", 1))
    with pytest.raises(AssertionError):
        story.play_and_check()
