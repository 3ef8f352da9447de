"""/report/task/create|check|download|cancel/: reports that are made in the background, for apps on an allow-list.

Source: bububa/tiktok-business, model/report/task_*.go, and the second reading, A4 and A6. XLSX files are not there.
"""

from __future__ import annotations

import csv
import hmac
import io
import time
from datetime import date
from hashlib import sha256
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import TikTokRefusal, envelope, wrong
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.population import ALLOWED_TASKS, PLATFORM
from sandbox.platforms.tiktok_ads.questions import read_question
from sandbox.platforms.tiktok_ads.reports import TikTokReports
from sandbox.web import PlatformRequest
from sandbox.world import Company, WorldProfile
from sandbox.world.world import Moment

FORMATS = ("CSV_STRING", "CSV_DOWNLOAD")
_TITLES = {
    "stat_time_day": "Date",
    "stat_time_hour": "Time",
    "spend": "Cost",
    "conversion": "Conversions",
    "ctr": "CTR (destination)",
    "cpc": "CPC (destination)",
    "cpm": "CPM",
    "clicks": "Clicks (destination)",
    "adgroup_id": "Ad group ID",
    "adgroup_name": "Ad group name",
}
"""Headings that are more than their name's words."""
_KEPT = (
    "report_type", "service_type", "data_level", "dimensions", "metrics", "start_date", "end_date", "query_lifetime",
    "filtering", "order_field", "order_type",
)  # fmt: skip


class TikTokTasks:
    """The tasks; they outlive a restart of the sandbox."""

    def __init__(self, outside: Outside, reports: TikTokReports) -> None:
        self._outside = outside
        self._reports = reports

    def create(self, company: Company, profile: WorldProfile, body: TikTokParameters) -> Response:
        """A new task, of what TikTok knows now."""
        refused = self._outside.switches.take("not_allowed", PLATFORM, profile.id)
        if refused is not None or company.key not in ALLOWED_TASKS:
            raise TikTokRefusal(40118)
        output = body.text("output_format", FORMATS[0])
        if output not in FORMATS:
            raise wrong(f"output_format: Must be one of: {', '.join(FORMATS)}.")
        read_question(body, self._outside.world.first_day, asynchronous=True)
        switches, moment = self._outside.switches, self._outside.world.moment(profile)
        slow = switches.take("slow_report", PLATFORM, profile.id) or {}
        task = {
            "platform": PLATFORM,
            "profile_id": profile.id,
            "asked": {name: value for name in _KEPT if (value := body.raw(name)) is not None},
            "output": output,
            "file_name": body.text("file_name"),
            "titled": body.flag("enable_report_title_translation", default=True),
            "created": time.time(),
            "seconds": float(slow.get("seconds", self._outside.report_seconds)),
            "broken": switches.take("broken_report", PLATFORM, profile.id),
            "canceled": False,
            "today": moment.today.isoformat(),
            "hour": moment.hour,
        }
        return envelope({"task_id": self._outside.new_report(task, lambda n: f"CA{n:017d}")})

    def check(self, profile: WorldProfile, query: TikTokParameters) -> Response:
        """Where the task stands."""
        task = self._owned(profile, query)
        status = _status(task)
        message = str(task["broken"].get("reason", "The report could not be made")) if status == "FAILED" else ""
        return envelope({"status": status, "message": message})

    def cancel(self, profile: WorldProfile, body: TikTokParameters) -> Response:
        """End a task that is not finished."""
        task = self._owned(profile, body)
        if _status(task) not in ("QUEUING", "PROCESSING"):
            raise TikTokRefusal(40200, "The task is not running")
        task["canceled"] = True
        return envelope({"status": "CANCELED"})

    def download(self, request: PlatformRequest, profile: WorldProfile, query: TikTokParameters) -> Response:
        """The CSV itself without an envelope, or a URL that is valid for an hour."""
        task = self._owned(profile, query)
        if _status(task) != "SUCCESS":
            raise TikTokRefusal(40201)
        task_id = query.required("task_id")
        if task["output"] == "CSV_STRING":
            return Response(self._file(task_id, task), content_type="text/csv; charset=utf-8")
        expires = int(time.time()) + self._outside.url_seconds
        signed = f"x-expires={expires}&x-signature={self._signature(task_id, expires)}"
        name = task["file_name"] or task_id
        return envelope(
            {
                "download_url": f"{request.server_url}/tiktok-files/{task_id}.csv?{signed}",
                "file_name": f"{name}.csv",
                "output_format": task["output"],
            }
        )

    def file(self, request: PlatformRequest, task_id: str) -> Response:
        """The file behind a download URL: refuses a wrong signature and a late call."""
        expires, task = request.args.get("x-expires", "0"), self._outside.report(PLATFORM, task_id)
        signed = expires.isdecimal() and request.args.get("x-signature") == self._signature(task_id, int(expires))
        if not signed or task is None or time.time() > int(expires):
            return Response("Access denied", 403, content_type="text/plain")
        return Response(self._file(task_id, task), content_type="text/csv; charset=utf-8")

    def _owned(self, profile: WorldProfile, given: TikTokParameters) -> dict[str, Any]:
        task = self._outside.report(PLATFORM, given.required("task_id"))
        if task is None or task["profile_id"] != profile.id:
            raise TikTokRefusal(40007, "The task does not exist")
        return task

    def _signature(self, task_id: str, expires: int) -> str:
        key = f"tiktok files {self._outside.world.seed}".encode()
        return hmac.new(key, f"{task_id}{expires}".encode(), sha256).hexdigest()

    def _file(self, task_id: str, task: dict[str, Any]) -> bytes:
        """The CSV, made once: what TikTok knew when the task was created."""

        def make() -> bytes:
            profile = self._outside.world.profile(PLATFORM, task["profile_id"])
            assert profile is not None  # noqa: S101 - the world does not lose advertisers
            parameters = TikTokParameters({**task["asked"], "advertiser_id": profile.id})
            asked = read_question(parameters, self._outside.world.first_day, asynchronous=True)
            moment = Moment(date.fromisoformat(task["today"]), int(task["hour"]))
            names = (*asked.dimensions, *asked.metrics)
            text = io.StringIO()
            out = csv.writer(text, lineterminator="\n")
            out.writerow([_title(name) if task["titled"] else name for name in names])
            for row in self._reports.rows(profile, asked, moment):
                out.writerow([*row.body["dimensions"].values(), *row.body["metrics"].values()])
            return text.getvalue().encode()

        return self._outside.remember((PLATFORM, task_id), make)


def _title(name: str) -> str:
    words = name.replace("_", " ").capitalize()
    return _TITLES.get(name, words[:-2] + "ID" if words.endswith(" id") else words)


def _status(task: dict[str, Any]) -> str:
    if task["canceled"]:
        return "CANCELED"
    elapsed = time.time() - task["created"]
    if elapsed < task["seconds"]:
        return "QUEUING" if elapsed < task["seconds"] / 4 else "PROCESSING"
    return "FAILED" if task["broken"] is not None else "SUCCESS"
