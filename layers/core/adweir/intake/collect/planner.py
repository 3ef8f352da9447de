"""Planning: which pulls a profile needs. Pure: only a run's `scheduled_at` says what time it is.

A daily window ends at the profile's local yesterday; an hourly one at its current local day. Besides the days that
coverage does not name, it pulls the stored days of the platform's restatement lookback again (docs/platforms.md).
Invoices are asked for by the months in which they may have been issued, and have no coverage: a bill is a document, and
what was billed once stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile
from adweir.model.messages import Scope
from adweir.model.metrics import Grain
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import DAY, Window, first_of_month, iso, local_date, local_time
from adweir.platforms.base import DatasetSpec

Coverage = Mapping[date, Mapping[str, str]]
"""Day → slice → when its newest complete pull began (`model.times.iso`); "" for one that is not applicable."""

LATE_HOURS = 3
"""A day's hours are final at this local hour of the next day: platforms still change the last ones after midnight."""


class Reach(StrEnum):
    """Which days of a metric dataset a stage asks for.

    FRESH: the lookback and what is missing. SETTLING: all days that may still be restated and what is missing. WHOLE:
    every day of the scope. MISSING: those of them that are missing. A scope's `lookback_days` replaces the lookback;
    for MISSING it says where the days begin.
    """

    FRESH = "fresh"
    SETTLING = "settling"
    WHOLE = "whole"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Frame:
    """What all tasks of one stage have in common. `deadline` is Unix seconds; `batch_days` are the most days that one
    pull asks for, 0: as many as its dataset allows."""

    run_id: str
    stage: str
    scheduled_at: datetime
    scope: Scope
    reach: Reach
    history_days: int
    deadline: int
    batch_days: int = 0


def profiles_task(frame: Frame, credential: Credential) -> Task:
    """The task that lists the ad accounts of a credential."""
    return Task(
        run_id=frame.run_id,
        stage=frame.stage,
        account_id=credential.account_id,
        platform=credential.platform,
        profile_id="",
        dataset=Dataset.PROFILES,
        slice=ALL,
        window=None,
        deadline=frame.deadline,
        label=credential.label,
    )


def profile_tasks(frame: Frame, profile: Profile, spec: DatasetSpec, coverage: Coverage) -> list[Task]:
    """The tasks for one profile and dataset, oldest window first within each slice.

    `coverage` needs to hold the days of `span(...)`. Each required day that the platform still keeps is in exactly one
    window of its slice; no window is longer than `spec.max_window_days`.
    """
    slices = spec.slices if frame.scope.slice == ALL else (frame.scope.slice,)
    return [
        _task(frame, profile, spec, slice_, window)
        for slice_ in slices
        for window in _windows(frame, profile, spec, slice_, coverage)
    ]


def unplannable(frame: Frame, profile: Profile, spec: DatasetSpec) -> Task:
    """The failed task of a dataset whose windows cannot be determined."""
    return _task(frame, profile, spec, ALL, None)


def _task(frame: Frame, profile: Profile, spec: DatasetSpec, slice_: str, window: Window | None) -> Task:
    return Task(
        run_id=frame.run_id,
        stage=frame.stage,
        account_id=profile.account_id,
        platform=profile.platform,
        profile_id=profile.profile_id,
        dataset=spec.dataset,
        slice=slice_,
        window=window,
        deadline=frame.deadline,
        timezone=profile.timezone,
        currency=profile.currency,
        label=profile.credential,
    )


def span(frame: Frame, profile: Profile, spec: DatasetSpec) -> Window | None:
    """The days that `profile_tasks` may ask for, whose coverage it therefore needs where they are days of metrics.

    None for entities.
    """
    grain = spec.dataset.grain
    if grain is None:
        return _months(frame, profile, spec) if spec.lookback_months else None
    now, asked = local_time(frame.scheduled_at, profile.timezone), frame.scope.lookback_days
    if grain is Grain.HOUR:
        end = now.date()
        start = end - timedelta(days=max(asked or spec.lookback_days, 1))
    else:
        end = now.date() - DAY
        start = end - timedelta(days=max(frame.history_days, _changing(frame, spec), 1) - 1)
    if frame.scope.start:
        scoped = date.fromisoformat(frame.scope.start)
        start = max(start, scoped) if frame.reach in {Reach.FRESH, Reach.SETTLING} else scoped
    elif grain is Grain.DAY and (frame.reach is Reach.WHOLE or (frame.reach is Reach.MISSING and asked)):
        start = end - timedelta(days=max(asked or spec.lookback_days, 1) - 1)
    if frame.scope.end:
        end = min(end, date.fromisoformat(frame.scope.end))
    return Window(start, end) if start <= end else None


def _months(frame: Frame, profile: Profile, spec: DatasetSpec) -> Window | None:
    """The days on which the invoices of the months in scope may have been issued: up to a month after the last one."""
    today = local_date(frame.scheduled_at, profile.timezone)
    start = first_of_month(today, -spec.lookback_months)
    if frame.scope.start:
        start = first_of_month(date.fromisoformat(frame.scope.start))
    issued = first_of_month(date.fromisoformat(frame.scope.end), 2) - DAY if frame.scope.end else today
    return Window(start, min(issued, today)) if start <= min(issued, today) else None


def _changing(frame: Frame, spec: DatasetSpec) -> int:
    """How many days back stored numbers are pulled again."""
    if frame.scope.lookback_days:
        return frame.scope.lookback_days
    return spec.settles_after_days if frame.reach is Reach.SETTLING else spec.lookback_days


def contiguous(days: Iterable[date]) -> list[Window]:
    """Days in any order → the fewest windows that hold exactly them, oldest first."""
    windows: list[Window] = []
    for day in sorted(set(days)):
        if windows and day - windows[-1].end == DAY:
            windows[-1] = Window(windows[-1].start, day)
        else:
            windows.append(Window(day, day))
    return windows


def _windows(
    frame: Frame, profile: Profile, spec: DatasetSpec, slice_: str, coverage: Coverage
) -> list[Window] | list[None]:
    whole = span(frame, profile, spec)
    if spec.dataset.grain is None and not spec.lookback_months:
        return [None]
    if whole is None:
        return []
    if spec.lookback_months:
        return [whole]
    today = local_date(frame.scheduled_at, profile.timezone)
    oldest = spec.oldest(slice_, today) or date.min
    kept = (day for day in whole.days() if day >= oldest)
    offered = any(slices.get(slice_) for slices in coverage.values())
    wanted = (
        day
        for day in kept
        if _wants(frame, spec, day, today, _answer(coverage.get(day, {}), slice_, day, profile, offered=offered))
    )
    most = min(spec.max_window_days or whole.length, frame.batch_days or whole.length)
    return [piece for window in contiguous(wanted) for piece in window.pieces(most)]


class _Answer(NamedTuple):
    """Whether a day of a slice was answered, and whether that was after its last hours were final."""

    known: bool
    final: bool


def _answer(slices: Mapping[str, str], slice_: str, day: date, profile: Profile, *, offered: bool) -> _Answer:
    """A pull of everything answers for every slice.

    What is not applicable is final, unless the slice is `offered` by now: a product that comes back may have a past.
    """
    began = [slices[name] for name in (slice_, ALL) if name in slices and (slices[name] or not offered)]
    settled = datetime.combine(day + DAY, time(LATE_HOURS), ZoneInfo(profile.timezone))
    return _Answer(bool(began), any(not as_of or as_of >= iso(settled) for as_of in began))


def _wants(frame: Frame, spec: DatasetSpec, day: date, today: date, answer: _Answer) -> bool:
    if frame.reach is Reach.WHOLE or not answer.known:
        return True
    if spec.dataset.grain is Grain.HOUR:
        return not answer.final or day >= today - timedelta(days=frame.scope.lookback_days)
    return frame.reach is not Reach.MISSING and (today - day).days <= _changing(frame, spec)
