"""MyReports: templates, schedules and their executions.

Source: clients of these endpoints (bodies, states, deliveries) and a live test (one-offs need `ScheduleStartDate`;
a start in the past is clamped to 272 days ago). What no document says is assumed: a schedule keeps the numbers of the
moment at which it was made; each query of executions names a new download URL.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.trade_desk.bodies import PAGING, Body, body_of, numbers, page, text, texts
from sandbox.platforms.trade_desk.downloads import Downloads, first_of
from sandbox.platforms.trade_desk.errors import forbidden, invalid
from sandbox.platforms.trade_desk.formats import DATE_FORMATS, NUMERIC_FORMATS
from sandbox.platforms.trade_desk.lists import DeskLists
from sandbox.platforms.trade_desk.login import DeskGrant
from sandbox.platforms.trade_desk.periods import FREQUENCIES, days
from sandbox.platforms.trade_desk.population import PLATFORM
from sandbox.platforms.trade_desk.templates import TEMPLATES, Template
from sandbox.web import PlatformRequest, json_answer

_FILTERS = ("AdvertiserFilters", "PartnerFilters")
_SCHEDULE = frozenset(
    {
        "ReportScheduleName", "ReportTemplateId", "ReportFileFormat", "ReportDateRange", "LookbackDays",
        "ReportStartDateInclusive", "ReportEndDateExclusive", "ReportFrequency", "ScheduleStartDate", "TimeZone",
        "ReportDateFormat", "ReportNumericFormat", "IncludeHeaders", "RequestedByUserName", *_FILTERS,
    }
)  # fmt: skip
_EXECUTIONS = PAGING | {
    "AdvertiserIds", "PartnerIds", "ReportScheduleIds", "ReportScheduleNameContains", "ReportExecutionStates",
    "ExecutionSpansStartDate", "ExecutionSpansEndDate",
}  # fmt: skip
_MOST_SCHEDULES = 500
_CLAMP_DAYS = 272
_LASTING = (
    "bad_row", "empty", "missing_column", "date_text", "broken_report", "slow_report"
)  # fmt: skip
"""Switches that a report keeps from the moment at which it was asked for."""


class Schedules:
    """The partners' schedules; each has one execution. They outlive a restart of the sandbox."""

    def __init__(self, outside: Outside, lists: DeskLists, downloads: Downloads) -> None:
        self._outside = outside
        self._lists = lists
        self._downloads = downloads

    def templates(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /myreports/reporttemplateheader/query`."""
        body = body_of(request, PAGING | {"PartnerIds", "AdvertiserIds"})
        for profile_id in texts(body, "AdvertiserIds"):
            grant.advertiser(profile_id)
        _own(grant, texts(body, "PartnerIds"))
        found = [_header(template) for template in TEMPLATES.values()]
        return self._lists.paged(found, body, lambda entry: str(entry["Name"]), "")

    def create(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /myreports/reportschedule`."""
        body = body_of(request, _SCHEDULE)
        template = _template(body)
        today = self._outside.world.moment(grant.profiles[0]).today
        start, end = days(body, today)
        _check_words(body, template)
        advertisers = self._filtered(grant, body)
        held = [report for report in self._outside.reports(PLATFORM).values() if report["partner"] == grant.partner.id]
        limit = self._outside.switches.take("schedule_limit", PLATFORM)
        if len(held) >= (_MOST_SCHEDULES if limit is None else int(limit.get("most", 0))):
            raise invalid(ReportScheduleName="The partner has the largest number of report schedules already.")
        for profile in advertisers:
            kept = self._outside.switches.take("numeric_format", PLATFORM, profile)
            body |= {} if kept is None else {"ReportNumericFormat": str(kept.get("format", "International"))}
        moments = {profile: self._outside.world.moment(grant.advertiser(profile)) for profile in advertisers}
        report = {
            "platform": PLATFORM,
            "partner": grant.partner.id,
            "advertisers": advertisers,
            "body": body | {"ScheduleStartDate": _clamped(body, today)},
            "created": time.time(),
            "start": start.isoformat(),
            "end": end.isoformat(),
            "moments": {profile: [moment.today.isoformat(), moment.hour] for profile, moment in moments.items()},
            "spoilt": self._spoilt(advertisers),
        }
        schedule_id = self._outside.new_report(report, lambda number: str(555_000 + number))
        return json_answer(self._described(schedule_id, report))

    def read(self, _request: PlatformRequest, grant: DeskGrant, schedule_id: str) -> Response:
        """`GET /myreports/reportschedule/{id}`."""
        return json_answer(self._described(schedule_id, self._owned(grant, schedule_id)))

    def delete(self, _request: PlatformRequest, grant: DeskGrant, schedule_id: str) -> Response:
        """`DELETE /myreports/reportschedule/{id}`: 240, without a body."""
        self._owned(grant, schedule_id)
        self._outside.forget_report(schedule_id)
        return Response(b"", 240)

    def query(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /myreports/reportschedule/query`."""
        body = body_of(request, PAGING | {"PartnerIds", "AdvertiserIds", "ReportScheduleNameContains"})
        found = [
            self._described(schedule_id, report)
            for schedule_id, report in self._mine(grant)
            if str(body.get("ReportScheduleNameContains") or "") in report["body"]["ReportScheduleName"]
        ]
        return self._lists.paged(found, body, lambda entry: str(entry["ReportScheduleName"]), "")

    def executions(self, request: PlatformRequest, grant: DeskGrant, of: str) -> Response:
        """`POST /myreports/reportexecution/query/advertisers` or `/partners`."""
        body = body_of(request, _EXECUTIONS)
        named = {"advertisers": "AdvertiserIds", "partners": "PartnerIds"}[of]
        asked = set(texts(body, named))
        if not asked:
            raise invalid(**{named: "The property is required."})
        if of == "partners":
            _own(grant, list(asked))
        for profile_id in asked if of == "advertisers" else ():
            grant.advertiser(profile_id)
        wanted, part = set(numbers(body, "ReportScheduleIds")), str(body.get("ReportScheduleNameContains") or "")
        field = {"advertisers": "AdvertiserFilters", "partners": "PartnerFilters"}[of]
        found = [
            self._execution(schedule_id, report, request.server_url)
            for schedule_id, report in self._mine(grant)
            if asked & set(report["body"].get(field) or [])
            and (not wanted or int(schedule_id) in wanted)
            and part in report["body"]["ReportScheduleName"]
        ]
        states = texts(body, "ReportExecutionStates")
        found = [entry for entry in found if not states or entry["ReportExecutionState"] in states]
        answer = page(found, body, lambda entry: str(entry["ReportEndDateExclusive"]))
        return json_answer({"Result": answer["Result"], "ResultCount": answer["ResultCount"]})

    def _mine(self, grant: DeskGrant) -> list[tuple[str, dict[str, Any]]]:
        held = self._outside.reports(PLATFORM).items()
        return [(schedule_id, report) for schedule_id, report in held if report["partner"] == grant.partner.id]

    def _owned(self, grant: DeskGrant, schedule_id: str) -> dict[str, Any]:
        report = self._outside.report(PLATFORM, schedule_id)
        if report is None or report["partner"] != grant.partner.id:
            raise forbidden()
        return report

    def _filtered(self, grant: DeskGrant, body: Body) -> list[str]:
        """The advertisers of a schedule: those that its filters name, or all of its partner that may be seen."""
        advertisers, partners = texts(body, "AdvertiserFilters"), texts(body, "PartnerFilters")
        if bool(advertisers) == bool(partners):
            raise invalid(AdvertiserFilters="Give AdvertiserFilters or PartnerFilters.")
        _own(grant, partners)
        lost = {
            profile.id
            for profile in grant.profiles
            if self._outside.switches.take("access_denied", PLATFORM, profile.id) is not None
        }
        for profile_id in advertisers:
            grant.advertiser(profile_id)
            if profile_id in lost:
                raise forbidden()
        return advertisers or [profile.id for profile in grant.profiles if profile.id not in lost]

    def _spoilt(self, advertisers: list[str]) -> dict[str, Any]:
        """The switches that change this report's file, or its end."""
        take = self._outside.switches.take
        spoilt: dict[str, Any] = {}
        for kind in _LASTING:
            options = next(
                (o for o in (take(kind, PLATFORM, profile) for profile in advertisers) if o is not None), None
            )
            spoilt |= {} if options is None else {kind: options}
        swaps = {profile: take("swapped_columns", PLATFORM, profile) for profile in advertisers}
        return spoilt | {"swapped_columns": {profile: swap for profile, swap in swaps.items() if swap is not None}}

    def _described(self, schedule_id: str, report: dict[str, Any]) -> Body:
        body = report["body"]
        return {
            "ReportScheduleId": int(schedule_id),
            "AdvertiserFilters": [],
            "PartnerFilters": [],
            "CampaignFilters": [],
            "AdGroupFilters": [],
            **body,
            "ReportStartDateInclusive": f"{report['start']}T00:00:00",
            "ReportEndDateExclusive": f"{report['end']}T00:00:00",
            "CreationDateUtc": _stamp(report["created"]),
            "IsCompleted": self._state(report) == "Complete",
        }

    def _state(self, report: dict[str, Any]) -> str:
        slow, broken = report["spoilt"].get("slow_report"), report["spoilt"].get("broken_report")
        takes = float((slow or {}).get("seconds", self._outside.report_seconds))
        elapsed = time.time() - report["created"]
        if elapsed < takes:
            return str((slow or {}).get("state") or ("Pending" if elapsed < takes / 2 else "InProgress"))
        return "Complete" if broken is None else str(broken.get("state", "Failed"))

    def _execution(self, schedule_id: str, report: dict[str, Any], origin: str) -> Body:
        state = self._state(report)
        failed = report["spoilt"].get("broken_report") if state not in ("Pending", "InProgress", "Complete") else None
        deliveries = []
        if state == "Complete":
            url, expires = self._downloads.link(schedule_id, origin, first_of(report))
            deliveries.append(
                {
                    "ReportDestination": "API",
                    "DeliveredPath": f"reports/{schedule_id}",
                    "DeliveredUTC": _stamp(report["created"]),
                    "DownloadURL": url,
                    "DownloadURLExpirationUTC": _stamp(expires),
                }
            )
        return {
            "ReportExecutionId": 9_000_000 + int(schedule_id),
            "ReportExecutionState": state,
            "LastStateChangeUTC": _stamp(time.time()),
            "DisabledReason": str(failed.get("reason", "The report could not be made."))
            if failed is not None
            else None,
            "Timezone": "UTC",
            "ReportStartDateInclusive": f"{report['start']}T00:00:00",
            "ReportEndDateExclusive": f"{report['end']}T00:00:00",
            "ReportScheduleId": int(schedule_id),
            "ReportScheduleName": report["body"]["ReportScheduleName"],
            "ReportDeliveries": deliveries,
        }


def _header(template: Template) -> Body:
    return {"ReportTemplateId": template.id, "Name": template.name, "Format": template.formats[0]}


def _template(body: Body) -> Template:
    text(body, "ReportScheduleName")
    asked = str(body.get("ReportTemplateId"))
    template = TEMPLATES.get(int(asked)) if asked.isdecimal() else None
    if template is None:
        raise invalid(ReportTemplateId="The report template does not exist, or you have no access to it.")
    return template


def _check_words(body: Body, template: Template) -> None:
    """The schedule's words are among those that the platform knows, and its file format suits the template."""
    if text(body, "ReportFileFormat") not in template.formats:
        raise invalid(ReportFileFormat=f"The template needs {' or '.join(template.formats)}.")
    if text(body, "ReportFrequency") not in FREQUENCIES:
        raise invalid(ReportFrequency=f"The property must be one of {', '.join(FREQUENCIES)}.")
    if body["ReportFrequency"] == "Once" and not body.get("ScheduleStartDate"):
        raise invalid(ScheduleStartDate="A schedule that runs once needs a start date.")
    for name, known in (("ReportDateFormat", DATE_FORMATS), ("ReportNumericFormat", NUMERIC_FORMATS)):
        if text(body, name) not in known:
            raise invalid(**{name: f"The property must be one of {', '.join(known)}."})
    if body.get("TimeZone") not in (None, "UTC"):
        raise invalid(TimeZone="The sandbox has days of UTC only.")
    if not isinstance(body.get("IncludeHeaders", True), bool):
        raise invalid(IncludeHeaders="The property must be true or false.")


def _clamped(body: Body, today: date) -> str | None:
    """When the schedule begins: as asked, but not longer ago than the platform goes back."""
    asked = body.get("ScheduleStartDate")
    if not asked:
        return None
    try:
        begins = datetime.fromisoformat(str(asked)).date()
    except ValueError:
        raise invalid(ScheduleStartDate="The property must be a date.") from None
    return f"{max(begins, today - timedelta(days=_CLAMP_DAYS))}T00:00:00"


def _own(grant: DeskGrant, partners: list[str]) -> None:
    if not set(partners) <= {grant.partner.id}:
        raise forbidden()


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
