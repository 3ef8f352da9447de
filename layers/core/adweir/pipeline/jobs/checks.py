"""What a job may be, what is worth a warning, and what keeps a stored one from doing anything."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adweir.model import limits
from adweir.model.errors import BadInput, Unprocessable
from adweir.model.jobs import OF_SCOPE, JobState, ScheduledJob, UnderWay
from adweir.model.labels import PATTERN
from adweir.model.schedules import NO_ZONE, CronTiming, following
from adweir.model.times import is_zone
from adweir.pipeline import pipelines
from adweir.pipeline.asking import check_asked, covered_by
from adweir.pipeline.flow_forms import check_known, find_flow
from adweir.pipeline.flow_forms import warnings as kinds_missing
from adweir.pipeline.pipelines import PIPELINES
from adweir.store.ledger.fired import REFUSED, Firing

if TYPE_CHECKING:
    from datetime import datetime

    from adweir.model.flows import StageKind
    from adweir.model.messages import Scope
    from adweir.platforms import Platforms
    from adweir.store.catalog.store import Catalog

NEXT_RUNS = 5
"""Coming times that a job shows."""
_WARNED_AHEAD = timedelta(days=366)
_BROKE_OFF = {
    UnderWay.CREATION: "its creation broke off: change it or resume it, or remove it",
    UnderWay.CHANGE: "a change of it broke off, and its schedule may be the earlier one: change it or resume it again",
    UnderWay.REMOVAL: "its removal broke off, and it fires no more: remove it again",
}
Details = list[dict[str, Any]]


class JobChecks:
    """Checks jobs against the deployment that is to run them."""

    def __init__(self, catalog: Catalog, platforms: Platforms) -> None:
        self._catalog = catalog
        self._platforms = platforms

    def checked(self, job: ScheduledJob, now: datetime) -> ScheduledJob:
        """The job as it is stored, platforms by their own names. Raises Unprocessable that lists every fault."""
        faults = [] if re.fullmatch(PATTERN, job.name) else [_fault("name", f"does not match {PATTERN}")]
        faults += [*_times(job, now), *self._names(job), *self._covers(job, now)]
        if faults:
            raise Unprocessable.listing("the job is refused", faults)
        names: dict[str, Any] = {"platforms": tuple(str(self._platforms.parse(one)) for one in job.platforms)}
        if one := job.args.get("source_platform"):
            names["args"] = {**job.args, "source_platform": str(self._platforms.parse(one))}
        return job.model_copy(update=names)

    def _names(self, job: ScheduledJob) -> Details:
        """Client accounts and ad accounts that are unknown."""
        accounts = {account.account_id for account in self._catalog.accounts()} if job.accounts else set()
        faults = [
            _fault(name, f"names more than {limits.MAX_SCOPE_NAMES}")
            for name in ("accounts", "profiles", "platforms")
            if len(getattr(job, name)) > limits.MAX_SCOPE_NAMES
        ]
        faults += [_fault("accounts", f"there is no account {one[:64]}") for one in job.accounts if one not in accounts]
        known = self._catalog.profiles() if job.profiles else []
        profiles = {name for profile in known for name in (profile.profile_id, profile.key)}
        return faults + [
            _fault("profiles", f"there is no ad account {one[:64]}") for one in job.profiles if one not in profiles
        ]

    def _covers(self, job: ScheduledJob, now: datetime) -> Details:
        """What its workflow does not take."""
        args = job.arguments() if job.workflow in PIPELINES else {}
        faults = [
            _fault(f"args.{name[:40]}", f"is no argument of a workflow; known: {', '.join(OF_SCOPE)}")
            for name in job.arguments()
            if name not in args
        ]
        if job.lookback_days and job.args.get("start"):
            faults.append(_fault("lookback_days", "does not go with args.start: both say where the days begin"))
        try:
            check_asked(self._catalog, self._platforms, job.workflow, (job.scope(), args), now.date())
        except ValidationError as error:
            for one in error.errors():
                field = ".".join(("args", *map(str, one["loc"])))
                faults.append(_fault(field, one["msg"].replace("tuple", "list")))
        except Unprocessable as error:
            for each in error.details:
                within = "args." if each["field"] in OF_SCOPE else ""
                faults.append(_fault(f"{within}{each['field']}", _said(error, each)))
        return faults


def _times(job: ScheduledJob, now: datetime) -> Details:
    """What is wrong with its schedule and time zone."""
    faults = [] if is_zone(job.timezone) else [_fault("timezone", f"{job.timezone[:60]!r} {NO_ZONE}")]
    try:
        timing = (job.model_copy(update={"timezone": "UTC"}) if faults else job).timing()
    except BadInput as error:
        return faults + error.details
    return faults if following(timing, now, 1) else [*faults, _fault("schedule.cron", "never comes again")]


def warnings(job: ScheduledJob, now: datetime) -> list[str]:
    """What a caller may not expect: the times of the coming year that a clock change leaves out."""
    timing = job.timing()
    if not isinstance(timing, CronTiming):
        return []
    left_out = timing.left_out(now, now + _WARNED_AHEAD)
    days: dict[str, str] = {}
    for local in left_out:
        days.setdefault(f"{local:%Y-%m-%d}", f"{local:%H:%M}")
    return [
        f"clocks in {job.timezone} leave out {at} on {day}: the job does not fire then"
        for day, at in list(days.items())[: limits.MAX_WARNINGS]
    ]


def left_out(catalog: Catalog, job: ScheduledJob, deployed: Collection[StageKind]) -> list[str]:
    """The stages of its runs that there is no function for."""
    try:
        return kinds_missing(find_flow(catalog, job.workflow, job.arguments()), deployed)
    except Unprocessable:
        return []  # its problem says so


def next_runs(job: ScheduledJob, now: datetime) -> list[datetime]:
    """Its coming times in UTC; none while it is paused, and of one whose `problem` is its schedule."""
    try:
        return following(job.timing(), now, NEXT_RUNS) if job.state is JobState.ACTIVE else []
    except BadInput:
        return []


def left_of(job: ScheduledJob, accounts: Collection[str]) -> Scope | None:
    """What a run of it covers now; None when all client accounts that it names were deleted.

    Never more than was asked for: without any account left, a scope would mean all of them.
    """
    left = tuple(one for one in job.accounts if one in accounts)
    if job.accounts and not left:
        return None
    return job.scope().model_copy(update={"accounts": left})


def covers(catalog: Catalog, job: ScheduledJob) -> tuple[Scope, dict[str, Any]] | None:
    """What a run of it covers now, and its arguments with their defaults; None when all its accounts were deleted.

    Raises Unprocessable for arguments that its workflow does not take, and an account in them that is gone.
    """
    scope = left_of(job, {account.account_id for account in catalog.accounts()} if job.accounts else ())
    args = pipelines.read(job.workflow, job.arguments())
    if scope is None:
        return None
    if args is None:
        return scope, {}
    return covered_by(catalog, scope, args), args.plain()


def gone(job: ScheduledJob) -> str:
    """Why a job whose client accounts were all deleted does nothing."""
    return f"all its client accounts were deleted: {', '.join(job.accounts[: limits.MAX_WARNINGS])}"


def problem(job: ScheduledJob, accounts: Collection[str], flows: Collection[str], last: Mapping[str, Firing]) -> str:
    """What keeps a job from doing what it is for, and what to do; "" where nothing does. `flows` are all workflows."""
    if job.under_way:
        return _BROKE_OFF[job.under_way]
    try:
        check_known(job.workflow, flows)
        scope = left_of(job, accounts)
        job.timing()
    except (BadInput, ValueError) as error:
        return error.message if isinstance(error, BadInput) else f"it cannot be read: {type(error).__name__}"
    if scope is None:
        return f"{gone(job)}; change or remove the job"
    fired = last.get(job.job_id)
    return fired.reason if fired is not None and fired.outcome == REFUSED else ""


def _said(error: Unprocessable, detail: Mapping[str, Any]) -> str:
    """A fault's message; that of the whole error where the detail's does not name the known values."""
    return error.message if detail["field"] == "workflow" else str(detail["message"])


def _fault(field: str, message: str) -> dict[str, Any]:
    return {"field": field, "message": message}
