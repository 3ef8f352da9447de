"""MyReports: a template, a one-off schedule of it, and the execution whose file is downloaded.

One-offs are deleted when their file is stored: the schedules of a partner are limited in number. What a run that was
killed has left is swept before the next schedule is made. A schedule is read back after it was made, because a start
that lies too far back is moved without a word.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.errors import AccessDenied, NotApplicable, OutOfRetention, RequestRejected, Transient
from adweir.model.log import log
from adweir.model.tasks import Task
from adweir.model.times import DAY, Window, parse_instant
from adweir.platforms.trade_desk import wire
from adweir.platforms.trade_desk.api import TradeDeskCalls, decode

_ROOT = "/myreports"
_SORTABLE, _US = "Sortable", "US"
_DONE = frozenset({"complete", "completed"})
_BROKEN = frozenset({"failed", "error"})
_PREFIX = "adweir "
_OURS = re.compile(r"adweir [0-9a-f]{20}")
"""What our one-offs are called, whichever deployment made them."""
_STALE = timedelta(days=2)
"""Nobody waits for a report as long: its task has ended after twelve hours."""


class DeskOwner(NamedTuple):
    """Whose report it is: a partner's for all its advertisers, or one advertiser's."""

    filters: str
    ids: str
    path: str
    id: str

    @classmethod
    def of(cls, partner_id: str, advertiser_id: str) -> DeskOwner:
        """The partner, or the advertiser where no partner is given."""
        if partner_id:
            return cls("PartnerFilters", "PartnerIds", "partners", partner_id)
        return cls("AdvertiserFilters", "AdvertiserIds", "advertisers", advertiser_id)

    @property
    def is_partner(self) -> bool:
        """Whether the rows of several advertisers are in the file."""
        return self.path == "partners"


class Formats(NamedTuple):
    """How a schedule says that its file is written; the label of the report's page."""

    dates: str = _SORTABLE
    numbers: str = _US

    def __str__(self) -> str:
        return f"{self.dates} {self.numbers}"

    @classmethod
    def parse(cls, label: str) -> Formats:
        """The formats of a page; a label that does not name two is that of a schedule as we ask for it."""
        dates, _, numbers = label.partition(" ")
        return cls(dates, numbers) if dates and numbers else cls()


class Execution(NamedTuple):
    """The newest execution of a schedule. `url` expires at `expires`."""

    done: bool
    broken: bool
    reason: str
    url: str = ""
    expires: datetime | None = None


class MyReports:
    """Schedules and executions of one credential."""

    def __init__(self, api: TradeDeskCalls) -> None:
        self._api = api
        self._templates: dict[DeskOwner, list[wire.WireTemplate]] = {}

    def begin(self, owner: DeskOwner, name: str, window: Window, now: datetime, breakdown: str = "") -> str:
        """The id of a new one-off schedule for the days of a window.

        Raises OutOfRetention when the platform moved its start, RequestRejected without a template, and NotApplicable
        without one for a breakdown.
        """
        body = {
            "ReportScheduleName": name,
            "ReportTemplateId": self._template(owner, breakdown),
            "ReportFileFormat": "CSV",
            "ReportDateRange": "Custom",
            "ReportStartDateInclusive": _midnight(window.start),
            "ReportEndDateExclusive": _midnight(window.end + DAY),
            "ReportFrequency": "Once",
            "ScheduleStartDate": now.strftime("%Y-%m-%dT%H:%M:%S"),
            "TimeZone": "UTC",
            "ReportDateFormat": _SORTABLE,
            "ReportNumericFormat": _US,
            "IncludeHeaders": True,
            owner.filters: [owner.id],
        }
        answer = self._api.post(f"{_ROOT}/reportschedule", body, repeat=False)
        schedule_id = str(decode(answer, wire.WireSchedule).report_schedule_id)
        begins = _day(self.schedule(schedule_id).report_start_date_inclusive)
        if begins is not None and begins > window.start:
            self.delete(schedule_id)
            raise OutOfRetention(f"MyReports keeps data since {begins}, asked: {window}", oldest=begins)
        return schedule_id

    def sweep(self, owner: DeskOwner, now: datetime) -> int:
        """Delete one-offs of ours that nobody waits for any more; returns how many.

        Schedules of people, and those of other names, stay. A partner whose schedules may not be listed keeps them.
        """
        body = {owner.ids: [owner.id], "ReportScheduleNameContains": _PREFIX}
        try:
            pages = self._api.query(f"{_ROOT}/reportschedule/query", body)
            found = [_read(raw, wire.WireSchedule) for page in pages for raw in page.found.result or ()]
        except (AccessDenied, RequestRejected) as error:
            log.warning("schedules of The Trade Desk cannot be listed", extra={"said": error.message[:300]})
            return 0
        stale = [one for one in found if _OURS.fullmatch(one.report_schedule_name or "") and _is_stale(one, now)]
        for one in stale[: limits.MAX_SWEPT_SCHEDULES]:
            self.delete(str(one.report_schedule_id))
        return len(stale[: limits.MAX_SWEPT_SCHEDULES])

    def known(self, owner: DeskOwner, name: str) -> str:
        """The id of a schedule of exactly this name that has an execution, as one of an interrupted try; or ""."""
        for execution in self._executions(owner, {"ReportScheduleNameContains": name}):
            if execution.report_schedule_name == name and execution.report_schedule_id is not None:
                return str(execution.report_schedule_id)
        return ""

    def schedule(self, schedule_id: str) -> wire.WireSchedule:
        """A schedule as the platform has stored it."""
        return decode(self._api.get(f"{_ROOT}/reportschedule/{_digits(schedule_id)}"), wire.WireSchedule)

    def formats(self, schedule_id: str) -> Formats:
        """How its file is written."""
        found = self.schedule(schedule_id)
        return Formats(found.report_date_format or _SORTABLE, found.report_numeric_format or _US)

    def delete(self, schedule_id: str) -> None:
        """Delete a schedule; its execution and its file go with it."""
        self._api.delete(f"{_ROOT}/reportschedule/{_digits(schedule_id)}")

    def execution(self, owner: DeskOwner, schedule_id: str) -> Execution | None:
        """The newest execution; None before the first. Filters are ours too: an unknown one would be ignored."""
        asked = [int(schedule_id) if schedule_id.isdecimal() else schedule_id]
        found = self._executions(owner, {"ReportScheduleIds": asked})
        ours = [one for one in found if str(one.report_schedule_id) == schedule_id]
        return _execution(max(ours, key=_number)) if ours else None

    def _executions(self, owner: DeskOwner, narrow: dict[str, Any]) -> list[wire.WireExecution]:
        body = {owner.ids: [owner.id], **narrow}
        pages = self._api.query(f"{_ROOT}/reportexecution/query/{owner.path}", body)
        return [_read(raw, wire.WireExecution) for page in pages for raw in page.found.result or ()]

    def _template(self, owner: DeskOwner, breakdown: str) -> int | str:
        """The template that the credential names, or the only one that there is; a breakdown's is called after it."""
        if owner not in self._templates:
            pages = self._api.query(f"{_ROOT}/reporttemplateheader/query", {owner.ids: [owner.id]})
            raws = (raw for page in pages for raw in page.found.result or ())
            self._templates[owner] = [_read(raw, wire.WireTemplate) for raw in raws]
        found, wanted = self._templates[owner], self._api.secret.template
        if not breakdown:
            return _chosen(found, wanted)
        called = f"{wanted} by {breakdown}"
        for one in found:
            if (one.name or "").casefold() == called.casefold():
                return one.report_template_id
        raise NotApplicable(f"no report template is called {called!r}: make one in MyReports to have this breakdown")


def schedule_name(task: Task, key: str) -> str:
    """A schedule's name: the same for the same request of a run, so that a second try finds the first one's."""
    asked = "\x1f".join((task.run_id, key or task.id, str(task.generation)))
    return f"{_PREFIX}{hashlib.sha256(asked.encode()).hexdigest()[:20]}"


def _is_stale(schedule: wire.WireSchedule, now: datetime) -> bool:
    begun = _instant(schedule.schedule_start_date)
    return begun is not None and begun < now - _STALE


def _chosen(templates: Sequence[wire.WireTemplate], wanted: str) -> int | str:
    for one in templates:
        if wanted.casefold() in ((one.name or "").casefold(), str(one.report_template_id)):
            return one.report_template_id
    if len(templates) == 1:
        return templates[0].report_template_id
    names = ", ".join(repr(one.name) for one in templates[:20]) or "none"
    raise RequestRejected(
        f"no report template is called {wanted!r} (there are: {names}): make one in MyReports, or name one in the"
        " credential's field template"
    )


def _execution(found: wire.WireExecution) -> Execution:
    state = (found.report_execution_state or "").casefold()
    for delivery in found.report_deliveries or ():
        if delivery.url:
            return Execution(state in _DONE, state in _BROKEN, "", delivery.url, _instant(delivery.expires))
    reason = found.disabled_reason or f"the execution is {found.report_execution_state}"
    return Execution(state in _DONE, state in _BROKEN, reason)


def _number(found: wire.WireExecution) -> int:
    text = str(found.report_execution_id)
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def _read(raw: msgspec.Raw, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Transient(f"MyReports answers with an unexpected {kind.__name__}: {error}"[:300]) from None


def _digits(schedule_id: str) -> str:
    if not schedule_id.isalnum():
        raise RequestRejected(f"no report schedule's id: {schedule_id[:60]!r}")
    return schedule_id


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _instant(text: str | None) -> datetime | None:
    """A time in UTC, with or without a sign of it."""
    if not text:
        return None
    try:
        return parse_instant(text if text.endswith("Z") or "+" in text else f"{text}Z")
    except ValueError:
        return None
