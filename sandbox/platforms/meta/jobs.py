"""Asynchronous insights jobs: created, polled, read when complete (Marketing API, Insights)."""

from __future__ import annotations

import json
import time
from typing import Any

from sandbox.outside import Outside
from sandbox.platforms.meta.errors import GraphError
from sandbox.platforms.meta.insights import Insights
from sandbox.platforms.meta.periods import day
from sandbox.platforms.meta.population import PLATFORM
from sandbox.world.world import Moment

_HIDDEN = ("access_token", "appsecret_proof")


class Jobs:
    """The platform's insights jobs; they outlive a restart of the sandbox."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def find(self, run_id: str) -> dict[str, Any] | None:
        """A job by its run id."""
        return self._outside.report(PLATFORM, run_id)

    def create(self, params: dict[str, str], insights: Insights) -> dict[str, str]:
        """Begin a job: it answers what the world knows now."""
        profile_id, switches = insights.profile.id, self._outside.switches
        slow = switches.take("slow_report", PLATFORM, profile_id) or {}
        job = {
            "platform": PLATFORM,
            "profile_id": profile_id,
            "node": insights.node,
            "params": {k: v for k, v in params.items() if k not in _HIDDEN},
            "created": time.time(),
            "seconds": float(slow.get("seconds", self._outside.report_seconds)),
            "broken": switches.take("broken_report", PLATFORM, profile_id),
            "today": insights.moment.today.isoformat(),
            "hour": insights.moment.hour,
        }
        return {"report_run_id": self._outside.new_report(job, lambda n: str(6_023_920_000_000 + n))}

    def describe(self, run_id: str, job: dict[str, Any]) -> dict[str, Any]:
        """The job's node."""
        status, percent = _progress(job)
        asked = json.loads(job["params"].get("time_range") or "{}")
        answer: dict[str, Any] = {
            "id": run_id,
            "account_id": job["profile_id"],
            "time_ref": int(job["created"]),
            "async_status": status,
            "async_percent_completion": percent,
        }
        if percent == 100:
            answer["time_completed"] = int(job["created"] + job["seconds"])
        if asked:
            answer |= {"date_start": asked.get("since"), "date_stop": asked.get("until")}
        if status == "Job Failed":
            message = str((job["broken"] or {}).get("reason", "The report could not be made"))
            answer |= {"error_code": -2, "error_subcode": 2490547, "error_message": message}
        return answer

    def moment(self, job: dict[str, Any]) -> Moment:
        """The moment whose numbers a complete job has. Raises Meta's error when it is not complete."""
        if _progress(job)[1] < 100:
            raise GraphError("(#2601) Loading async data: the report run is not completed", 2601)
        return Moment(day(job["today"]), int(job["hour"]))


def _progress(job: dict[str, Any]) -> tuple[str, int]:
    """async_status and async_percent_completion by the share of the job's time that has passed."""
    passed = (time.time() - job["created"]) / job["seconds"] if job["seconds"] > 0 else 1.0
    if passed >= 1:
        return ("Job Completed", 100) if job["broken"] is None else (str(job["broken"].get("status", "Job Failed")), 0)
    if passed < 0.2:
        return ("Job Not Started" if passed < 0.1 else "Job Started"), 0
    return "Job Running", int(passed * 100)
