"""Jobs: a workflow, what it is to cover, and when. What is stored of them; `pipeline.jobs` says what may be."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field

from adweir.model.entities import Entity
from adweir.model.messages import Scope
from adweir.model.schedules import FiringTimes, Schedule
from adweir.model.times import parse_instant

OF_SCOPE = ("datasets", "slice", "start", "end")
"""What of `args` is a part of a run's scope that a job has no field for."""


class JobState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"


class UnderWay(StrEnum):
    NOTHING = ""
    CREATION = "creation"
    CHANGE = "change"
    REMOVAL = "removal"


class ScheduledJob(Entity):
    """A job. Empty `accounts`, `platforms` and `profiles` mean all; `args` are arguments of its workflow.

    `job_id` names its schedule, so that what an earlier job of the same name fires is told apart. `version` grows with
    each change. `changed_at` is when its times changed last, and `anchor` when its schedule was set. `under_way`: a
    change of its times that began and has not ended; the schedule may still be the one before it.
    """

    job_id: str
    name: str
    workflow: str
    schedule: Schedule
    timezone: str = "UTC"
    args: Mapping[str, Any] = Field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    lookback_days: int = 0
    state: JobState = JobState.ACTIVE
    version: int = 1
    under_way: UnderWay = UnderWay.NOTHING
    anchor: str = ""
    changed_at: str = ""
    created_at: str = ""
    updated_at: str = ""

    def timing(self) -> FiringTimes:
        """When it fires while it is not paused. Raises Unprocessable for a schedule that is refused."""
        return self.schedule.timing(self.timezone, parse_instant(self.anchor))

    def scope(self) -> Scope:
        """What its runs cover, without what the `arguments` say of it. Raises pydantic's ValidationError."""
        names = {"accounts": self.accounts, "profiles": self.profiles, "platforms": self.platforms}
        named = {name: value for name, value in self.args.items() if name in OF_SCOPE}
        return Scope.model_validate({**named, **names, "lookback_days": self.lookback_days})

    def arguments(self) -> dict[str, Any]:
        """The arguments of its workflow (`pipeline.pipelines`)."""
        return {name: value for name, value in self.args.items() if name not in OF_SCOPE}
