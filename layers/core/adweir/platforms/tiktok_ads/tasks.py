"""Asynchronous report tasks, for applications that TikTok has put on its allow-list.

They leave deleted objects out, so they answer only where a synchronous report cannot: for accounts of which that covers
the newest ads alone [1738864800380930]. The file comes as the answer itself, in CSV [1740302808815618].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from adweir.model import limits
from adweir.model.errors import AdweirError, ReportFailed, RequestRejected
from adweir.model.slices import campaign_of
from adweir.model.tasks import Task
from adweir.platforms.connector import Page, Report, ReportState
from adweir.platforms.tiktok_ads import questions, wire
from adweir.platforms.tiktok_ads.calls import TikTokCalls, digits

_STATES = {"SUCCESS": ReportState.READY, "FAILED": ReportState.FAILED, "CANCELED": ReportState.FAILED}
_NOT_READY = 40201
_TASK_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")


class ReportTasks:
    """The asynchronous tasks of one token's advertisers."""

    def __init__(self, calls: TikTokCalls, now: Callable[[], datetime]) -> None:
        self._calls = calls
        self._now = now

    def create(self, task: Task) -> Report:
        """Begin a report task for the same question; the answer is of the moment before it."""
        before = self._now()
        campaign = campaign_of(task.slice)
        narrowed: dict[str, Any] = {"filtering": questions.by_campaigns([digits(campaign)])} if campaign else {}
        body = {
            **questions.report(task),
            **narrowed,
            "output_format": "CSV_STRING",
            "file_name": task.id,
            "enable_report_title_translation": False,
        }
        created = self._calls.post("/report/task/create/", body).read(wire.CreatedTask)
        return Report(_named(task, created.task_id)["task_id"], ReportState.PENDING, before)

    def state(self, task: Task, report_id: str) -> Report:
        """How far the task is."""
        found = self._calls.get("/report/task/check/", _named(task, report_id)).read(wire.TaskProgress)
        state = _STATES.get(found.status, ReportState.PENDING)
        reason = (found.message or found.status) if state is ReportState.FAILED else ""
        return Report(report_id, state, self._now(), reason)

    def pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The file. It lacks deleted objects below the advertiser, so it does not answer for what it does not bring."""
        try:
            answer = self._calls.text("/report/task/download/", _named(task, report_id), limits.MAX_RESPONSE_BYTES)
        except AdweirError as error:
            if error.context.get("platform_code") != _NOT_READY:
                raise
            raise ReportFailed(error.message, report_id=report_id) from None
        whole = task.dataset.level is questions.WHOLE
        yield Page(answer.body, answer.url, answer.status, last=whole, media="csv")


def _named(task: Task, report_id: str) -> dict[str, str]:
    if not _TASK_ID.fullmatch(report_id):
        raise RequestRejected(f"not a task's id: {report_id[:60]!r}")
    return {"advertiser_id": digits(task.profile_id), "task_id": report_id}
