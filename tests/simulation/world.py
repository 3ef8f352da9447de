"""The platform: its truth, which it restates, and what it answered to whom."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from adweir.model.errors import NotApplicable, ReportFailed, RequestRejected, Throttled, TooMuchData, Transient
from adweir.model.metrics import Grain
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import Mode, Page, Report, ReportState
from simulation.platform import SLICES
from simulation.story import PROFILE, Story

Numbers = tuple[int, int, int, int, int]
"""Impressions, clicks, and in millionths conversions, spend, revenue."""
Rows = dict[tuple[str, str], Numbers]
"""By day (or hour, `2026-11-20T05`) and campaign."""
_URL = "https://api.simulated.example"
_PAGES = 2


@dataclass(frozen=True)
class Answered:
    """What the platform sent once. `last`: with its own mark of the end."""

    rows: Rows
    last: bool


@dataclass
class AReport:
    """A report on the platform: what was asked for, and the rows as they were when it was created."""

    task: Task
    at: float
    rows: Rows
    state: ReportState = ReportState.PENDING
    fails: bool = False


@dataclass
class World:
    """Answers each question once it has been asked: `turn` is the scheduling point of a question."""

    story: Story
    rng: random.Random
    now: Callable[[], float]
    turn: Callable[[str], bool]
    """Takes a turn; True when the reply is lost."""
    answers: list[Answered] = field(default_factory=list)
    reports: dict[str, AReport] = field(default_factory=dict)

    def mode(self, _task: Task) -> Mode:
        return self.story.habits.mode

    def listing(self) -> Page:
        self._ask("lists ad accounts")
        return Page(json.dumps({"profiles": [PROFILE]}).encode(), f"{_URL}/profiles", 200, last=True)

    def page(self, task: Task, number: int) -> Page:
        """Half of the campaigns; the second page has the end's mark, or is missing it."""
        self._ask(f"{task.id} page {number}")
        self._refuse(task)
        names = [PROFILE] if task.slice == ALL else self._campaigns(task.slice)
        rows = {key: row for key, row in self._rows(task).items() if key[1] in names[number::_PAGES]}
        last = number == _PAGES - 1
        cut = last and self._cuts(task)
        return self._page(rows, last=last and not cut, resume="" if last else str(number + 1))

    def create(self, task: Task) -> Report:
        """A report, or the one that this task asked for before."""
        lost = self.turn(f"{task.id} report")
        name = f"{task.id}.{task.generation}"
        known = [
            key for key, made in self.reports.items() if key.startswith(name) and made.state is not ReportState.FAILED
        ]
        if not known:
            self._refuse(task)
            fails = self._happens(self.story.habits.fails)
            known = [f"{name}.{len(self.reports)}"]
            self.reports[known[0]] = AReport(task, self.now(), self._rows(task), fails=fails)
        if lost:
            raise Transient("the platform's reply was lost")
        made = self.reports[known[-1]]
        return Report(known[-1], made.state, datetime.fromtimestamp(made.at, UTC))

    def look(self, task: Task, report_id: str) -> Report:
        self._ask(f"{task.id} looks at {report_id}")
        made = self.reports[report_id]
        if self._happens(self.story.habits.throttles):
            raise Throttled("too many looks", 5.0)
        if made.state is ReportState.PENDING and not self._happens(self.story.habits.pending):
            made.state = ReportState.FAILED if made.fails else ReportState.READY
        return Report(report_id, made.state, datetime.fromtimestamp(made.at, UTC), reason="no reason")

    def download(self, task: Task, report_id: str) -> Page:
        self._ask(f"{task.id} downloads {report_id}")
        if self._happens(self.story.habits.faults / 2):
            raise ReportFailed("the file is gone", report_id=report_id)
        cut = self._cuts(task)
        return self._page(self.reports[report_id].rows, last=not cut)

    # --- inside

    def _ask(self, what: str) -> None:
        if self.turn(what):
            raise Transient("the platform's reply was lost")

    def _refuse(self, task: Task) -> None:
        habits = self.story.habits
        if habits.refuses_tv and task.slice == "tv":
            raise NotApplicable("there is no television")
        if self._happens(habits.throttles):
            raise Throttled("too many questions", self.rng.choice((1.0, 20.0)), guessed=self.rng.random() < 0.5)
        if self._happens(habits.faults):
            raise Transient("the platform answers 500")
        if self._happens(habits.rejects):
            raise RequestRejected("the platform does not like the question")
        if task.window is not None and task.window.length > 1 and self._happens(habits.too_much):
            raise TooMuchData("too many rows")

    def _happens(self, rate: float) -> bool:
        return rate > 0 and self.rng.random() < rate

    def _cuts(self, task: Task) -> bool:
        """Whether the answer ends without the mark of the end. A total is one row: it comes or does not."""
        return task.slice != ALL and self._happens(self.story.habits.truncated)

    def _campaigns(self, slice_: str) -> list[str]:
        return [f"{slice_}-{number}" for number in range(self.story.habits.campaigns)]

    def _rows(self, task: Task) -> Rows:
        """The truth of the task's days as it is now; some answers are empty."""
        if task.window is None or self._happens(self.story.habits.empty):
            return {}
        since = self.now() - self.story.start.timestamp()
        version = sum(at <= since for at in self.story.habits.restates)
        if task.slice == ALL:
            return _total(self._of(task.window, slice_, version) for slice_ in SLICES)
        if task.dataset.grain is Grain.HOUR:
            return self._hours_of(task.window, task.slice, version)
        return self._of(task.window, task.slice, version)

    def _hours_of(self, window: Window, slice_: str, version: int) -> Rows:
        """The hours that have begun; each is a part of its day."""
        found, now = Rows(), datetime.fromtimestamp(self.now(), UTC)
        for (day, campaign), numbers in self._of(window, slice_, version).items():
            for hour in range(now.hour + 1 if day == now.date().isoformat() else 24):
                found[f"{day}T{hour:02}", campaign] = cast("Numbers", tuple(number // 24 + hour for number in numbers))
        return found

    def _of(self, window: Window, slice_: str, version: int) -> Rows:
        found, cycle = Rows(), 3 if self.story.habits.totals else 4
        for day in window.days():
            for place, campaign in enumerate(self._campaigns(slice_)):
                if (
                    place + version
                ) % cycle != cycle - 1:  # a restatement may take a campaign away, another bring it back
                    spend = 1_000_000 * (day.day + 31 * version) + place
                    found[day.isoformat(), campaign] = (1000 + version, 100, 0, spend, 2 * spend)
        return found

    def _page(self, rows: Rows, *, last: bool, resume: str = "") -> Page:
        self.answers.append(Answered(rows, last))
        body = {"answer": len(self.answers) - 1, "rows": [[*key, *numbers] for key, numbers in rows.items()]}
        return Page(json.dumps(body).encode(), f"{_URL}/rows", 200, last=last, resume=resume)


def _total(parts: Iterable[Rows]) -> Rows:
    """What the whole account did, by day."""
    found: Rows = {}
    for part in parts:
        for (day, _), numbers in part.items():
            before = found.get((day, PROFILE), (0, 0, 0, 0, 0))
            found[day, PROFILE] = cast("Numbers", tuple(map(sum, zip(before, numbers, strict=True))))
    return found
