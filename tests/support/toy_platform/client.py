"""Toy Ads' API: accounts, campaigns in two pages, asynchronous reports per medium."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adweir.model.entities import Credential
from adweir.model.errors import Narrowable, NotApplicable, Throttled, ThrottleScope, TooMuchData
from adweir.model.slices import campaign_of
from adweir.model.tasks import Task
from adweir.platforms.connector import Connector, Mode, Page, Report, ReportState, Wiring

LONGEST_DAYS = 7


class ToyConnector(Connector):
    """The API for one credential."""

    def __init__(self, token: str, wiring: Wiring) -> None:
        self._token = token
        self._wiring = wiring

    def mode(self, task: Task) -> Mode:
        return Mode.REPORT if task.dataset.grain else Mode.PAGES

    def profiles(self) -> Iterator[Page]:
        yield self._page("/accounts", last=True)

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """Two pages, each handed on in chunks."""
        for number in range(int(resume or 1), 3):
            page = self._page(f"/accounts/{task.profile_id}/campaigns?page={number}", last=number == 2)
            body, following = page.content(), "2" if number == 1 else ""
            yield page._replace(body=[body[:10], body[10:]], label=f"page {number}", resume=following)

    def create_report(self, task: Task) -> Report:
        assert task.window is not None
        if campaign_of(task.slice):
            raise NotApplicable("Toy Ads reports by medium, not by campaign")
        asked = {"medium": task.slice, "start": str(task.window.start), "end": str(task.window.end)}
        made = self._ask("POST", f"/accounts/{task.profile_id}/reports", json=asked).json()
        return Report(made["id"], ReportState.PENDING, self._wiring.clock.now())

    def report(self, task: Task, report_id: str) -> Report:
        state = self._ask("GET", f"/reports/{report_id}").json()["state"]
        return Report(report_id, ReportState(state), self._wiring.clock.now())

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        yield self._page(f"/reports/{report_id}/rows", last=True)._replace(media="csv")

    def discard_report(self, task: Task, report_id: str) -> None:
        self._ask("DELETE", f"/reports/{report_id}")

    def narrower(self, task: Task, error: Narrowable) -> Sequence[Task]:
        """Weeks, the longest window that a report may have."""
        assert task.window is not None
        if task.window.length <= LONGEST_DAYS:
            return []
        return [task.child(window=week) for week in task.window.pieces(LONGEST_DAYS)]

    def _page(self, path: str, *, last: bool) -> Page:
        answer = self._ask("GET", path)
        return Page(answer.content, answer.url, answer.status_code, last)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        url = self._wiring.urls("api", "") + path
        answer = self._wiring.session.request(method, url, headers=headers, timeout=10, **options)
        if answer.status_code == 404:
            raise NotApplicable(answer.json()["reason"])
        if answer.status_code == 413:
            raise TooMuchData(answer.json()["reason"])
        if answer.status_code == 429:
            raise Throttled("too many requests", answer.json()["seconds"], scope=ThrottleScope.APP)
        answer.raise_for_status()
        return answer


def connect(*, credential: Credential, secret: Mapping[str, str], wiring: Wiring) -> ToyConnector:
    """What the registry calls."""
    return ToyConnector(secret["token"], wiring)
