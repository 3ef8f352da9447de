"""The lane of an ad account: its way through a patient stage, from the newest days back.

Its days are cut into spans of `SPAN_DAYS`, the newest first. A span is pulled dataset by dataset, the account's totals
last, before the next older one begins. Pure: the steps follow from the run, the ad account and what its platform has,
and what is missing in a step from coverage as it is when the step is reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from adweir.intake.collect.planner import Coverage, Frame, profile_tasks, span
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.lanes import LanePlace
from adweir.model.messages import Scope
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import DAY, Window, local_date
from adweir.platforms.base import DatasetSpec

SPAN_DAYS = 30
"""No platform's limit for a request of days is shorter, so a span of a dataset by day is one request. The oldest span
may have one day more: a month that somebody asks for is one."""


_START = LanePlace()


class Step(NamedTuple):
    """What a lane pulls next: the days of a dataset and slice that lie in one span."""

    place: LanePlace
    spec: DatasetSpec
    days: Window

    @property
    def is_total(self) -> bool:
        """Whether it waits for the end of what was pulled before: only a total that is newer than the levels says
        whether what they no longer bring is gone."""
        return self.spec.dataset is Dataset.ACCOUNT_DAILY


@dataclass(frozen=True, slots=True)
class Lane:
    """An ad account's lane. `specs` are its datasets, in the order in which each span is pulled."""

    frame: Frame
    profile: Profile
    specs: tuple[DatasetSpec, ...]

    def steps(self, place: LanePlace = _START) -> list[Step]:
        """The steps from a place on."""
        every = list(self._all())
        at = next((number for number, step in enumerate(every) if step.place[:3] == place[:3]), -1)
        if at < 0:  # the beginning, or a deployment changed what comes in a span: what of that is pulled is not missing
            return [step for step in every if step.place.span >= place.span]
        first, rest = every[at], every[at + 1 :]
        end = date.fromisoformat(place.before) - DAY if place.before else first.days.end
        if end < first.days.start:
            return rest
        return [first._replace(place=place, days=Window(first.days.start, min(end, first.days.end))), *rest]

    def tasks(self, step: Step, coverage: Coverage) -> list[Task]:
        """What is missing of a step, the newest days first."""
        frame = replace(self.frame, scope=self._scope(step))
        found = profile_tasks(frame, self.profile, step.spec, coverage)
        return sorted(found, key=lambda task: task.window.end if task.window else date.min, reverse=True)

    def whole(self, spec: DatasetSpec) -> Window | None:
        """All days that a dataset may be asked for, without those that its platform does not keep any more."""
        days = span(self.frame, self.profile, spec)
        if days is None or spec.lookback_months:
            return days
        today = local_date(self.frame.scheduled_at, self.profile.timezone)
        oldest = min((spec.oldest(slice_, today) or date.min for slice_ in spec.slices), default=date.min)
        return Window(max(days.start, oldest), days.end) if oldest <= days.end else None

    @property
    def newest(self) -> date | None:
        """The last day of the first span; None for a lane without metrics."""
        return max((days.end for days in self._by_day()), default=None)

    @property
    def oldest(self) -> date | None:
        """The first day of the last span, which the platform still keeps; None for a lane without metrics."""
        return min((days.start for days in self._by_day()), default=None)

    def _by_day(self) -> Iterator[Window]:
        by_day = (spec for spec in self.specs if not spec.lookback_months)
        return (days for spec in by_day if (days := self.whole(spec)))

    def _scope(self, step: Step) -> Scope:
        if step.spec.lookback_months:
            return self.frame.scope
        days = {"start": step.days.start.isoformat(), "end": step.days.end.isoformat()}
        return self.frame.scope.model_copy(update={**days, "slice": step.place.slice})

    def _all(self) -> Iterator[Step]:
        asked = {spec.dataset: days for spec in self.specs if (days := self.whole(spec))}
        newest = self.newest or date.min
        oldest = self.oldest or newest
        spans = max(1, -(-(newest - oldest).days // SPAN_DAYS))
        for number in range(spans):
            for spec in self.specs:
                if (days := asked.get(spec.dataset)) is None:
                    continue
                if spec.lookback_months:  # its months are one request
                    if number == 0:
                        yield Step(LanePlace(0, spec.dataset, ALL), spec, days)
                    continue
                end = newest - timedelta(days=number * SPAN_DAYS)
                begin = end - timedelta(days=SPAN_DAYS - 1) if number < spans - 1 else days.start
                start, end = max(days.start, begin), min(days.end, end)
                if start <= end:
                    asking = spec.slices if self.frame.scope.slice == ALL else (self.frame.scope.slice,)
                    yield from (
                        Step(LanePlace(number, spec.dataset, slice_), spec, Window(start, end)) for slice_ in asking
                    )


class Ahead(NamedTuple):
    """What was missing of a step when the stage was planned: how many windows, and days in them."""

    place: LanePlace
    days: Window
    windows: int
    missing: int


def ahead(lane: Lane, covered: Mapping[Dataset, Coverage]) -> list[Ahead]:
    """The steps of a lane in which something is missing; `covered` holds the days of `Lane.whole`, by dataset."""
    found = []
    for step in lane.steps():
        coverage = covered.get(step.spec.dataset, {})
        near = {day: coverage[day] for day in step.days.days() if day in coverage} if coverage else {}
        tasks = lane.tasks(step, near)
        if tasks:
            lengths = (task.window.length if task.window and task.dataset.grain else 0 for task in tasks)
            found.append(Ahead(step.place, step.days, len(tasks), sum(lengths)))
    return found


def body_of(lane: Lane, found: Sequence[Ahead]) -> dict[str, Any]:
    """What was missing of a lane when it began, as the ledger keeps it: `[span, windows, days]` by dataset and slice,
    in the order in which a span is pulled. `newest` is the last day of the first span, `oldest` the first one that
    is asked for and that the platform keeps."""
    steps: dict[str, list[list[int]]] = {}
    for step in found:
        name = f"{step.place.dataset}|{step.place.slice}"
        steps.setdefault(name, []).append([step.place.span, step.windows, step.missing])
    order = list(dict.fromkeys(f"{step.place.dataset}|{step.place.slice}" for step in lane.steps()))
    return {
        "account_id": lane.profile.account_id,
        "newest": (lane.newest or max(step.days.end for step in found)).isoformat(),
        "oldest": (lane.oldest or min(step.days.start for step in found)).isoformat(),
        "span_days": SPAN_DAYS,
        "steps": {name: steps[name] for name in order if name in steps},
    }
