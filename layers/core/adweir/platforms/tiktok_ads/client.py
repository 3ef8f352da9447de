"""TikTok's API for one credential: `platforms.connector.Connector`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    Narrowable,
    RequestRejected,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.log import log
from adweir.model.metrics import Level
from adweir.model.slices import ALL, campaign_of
from adweir.model.tasks import Task
from adweir.platforms.connector import Connector, Mode, Page, Report, Wiring
from adweir.platforms.tiktok_ads import TikTokCredential, faults, questions, shop
from adweir.platforms.tiktok_ads.calls import TikTokCalls, digits
from adweir.platforms.tiktok_ads.listing import TikTokListing
from adweir.platforms.tiktok_ads.paging import ReportPages
from adweir.platforms.tiktok_ads.questions import Bought
from adweir.platforms.tiktok_ads.tasks import ReportTasks

if TYPE_CHECKING:
    from adweir.model.entities import Credential

_SLOW = frozenset({faults.SLOW_SYSTEM, faults.SLOW_STATISTICS})


class TikTokConnector(Connector):
    """TikTok Ads for one long-lived token; it has no refresh, so a refused one is AuthExpired.

    Everything is fetched as pages. Only where a report covers the newest ads alone and cannot be narrowed to campaigns
    an asynchronous task takes its place, if the application may make one.
    """

    def __init__(self, calls: TikTokCalls, tasks: ReportTasks, *, may_make_tasks: bool) -> None:
        self._calls = calls
        self._listing = TikTokListing(calls)
        self._shops = shop.ShopReports(calls)
        self._tasks = tasks
        self._may_make_tasks = may_make_tasks

    def profiles(self) -> Iterator[Page]:
        """Pages about the advertisers that the token covers."""
        return self._listing.profiles()

    def mode(self, task: Task) -> Mode:  # noqa: ARG002  the same for all
        """Pages."""
        return Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:  # noqa: ARG002  no page can be gone on from
        """The synchronous answer. Raises RequestRejected for a dataset or slice that TikTok does not have."""
        if task.dataset is Dataset.PROFILES:
            return self.profiles()
        if task.dataset.grain is None:
            return self._listing.objects(task)
        return self._shops.pages(task) if task.dataset is shop.DATASET else self._report(task)

    def _report(self, task: Task) -> Iterator[Page]:
        """The usual rows, then those that come only alone; a row that is in both is the same one, and counts once."""
        level, campaign = task.dataset.level, campaign_of(task.slice)
        if task.slice != ALL and (not campaign or level is Level.ACCOUNT):
            raise RequestRejected(f"TikTok knows no slice {task.slice[:60]!r} of {task.dataset}")
        held, whole = None, True
        for rows in chain([self._rows(task, Bought.USUAL, None)], self._alone(task)):
            for page in rows:
                if held is not None:
                    yield held._replace(last=False)
                held = page
            whole = whole and held is not None and held.last
        if held is not None:
            yield held._replace(last=whole)

    def _alone(self, task: Task) -> Iterator[Iterator[Page]]:
        """The rows of TopView and of promoted posts, where the advertiser has such campaigns and the app may ask."""
        campaign = campaign_of(task.slice)

        def campaigns(whose: Bought) -> Sequence[str] | None:
            with suppress(Transient):  # a list that is not whole: the report says what there is
                return self._listing.campaign_ids(digits(task.profile_id), whose)
            return None

        def rows(whose: Bought) -> Iterator[Page]:
            try:
                ids = campaigns(whose)
                if ids is None or (campaign in ids if campaign else ids):
                    yield from self._rows(task, whose, ids)
            except (AccessDenied, RequestRejected) as error:
                said = {"part": str(whose), "said": error.message[:300]}
                log.warning("TikTok refuses a part of a report", extra=said)

        return map(rows, questions.alone(task.dataset))

    def _rows(self, task: Task, whose: Bought, ids: Sequence[str] | None) -> Iterator[Page]:
        """The rows of what was bought so; a report that is too large is narrowed to these campaigns, else to all."""
        level, campaign = task.dataset.level, campaign_of(task.slice)
        question = questions.report(task)
        own = [digits(campaign)] if campaign else []

        def narrowed(ids: Sequence[str]) -> Mapping[str, object]:
            return questions.filters(level, ids or own, whose)

        def campaigns() -> Sequence[str]:
            return self._listing.campaign_ids(digits(task.profile_id), whose) if ids is None else ids

        may_narrow = level is not Level.ACCOUNT and not campaign
        reports = ReportPages(self._calls, question, narrowed, campaigns if may_narrow else None)
        halves = bool(task.halves())
        try:
            yield from reports.all(halves=halves)
        except TooMuchData as error:
            if halves or error.context.get("platform_code") not in _SLOW:
                raise
            raise Transient(error.message, **error.context) from None

    def create_report(self, task: Task) -> Report:
        """Begin an asynchronous task. Tasks have no names by which to find an earlier one, so none is adopted."""
        return self._tasks.create(task)

    def report(self, task: Task, report_id: str) -> Report:
        """The task's state."""
        return self._tasks.state(task, report_id)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The task's file."""
        return self._tasks.pages(task, report_id)

    def narrower(self, task: Task, error: Narrowable) -> Sequence[Task]:
        """Half the window; where the ads are too many, whatever the window, an asynchronous task."""
        if not error.context.get("newest_only"):
            return super().narrower(task, error)
        return [task.child(mode=Mode.REPORT)] if self._may_make_tasks and not task.mode else []


def connect(
    *,
    credential: Credential,  # noqa: ARG001  its secret says it all
    secret: Mapping[str, str],
    wiring: Wiring,
) -> TikTokConnector:
    """The connector of a credential. Raises AuthExpired for a secret that is not one."""
    try:
        values = TikTokCredential.read(secret)
    except Unprocessable as error:
        raise AuthExpired(error.message) from None
    calls = TikTokCalls(wiring.http(), wiring.clock, base_url=wiring.urls("api", "").rstrip("/"), credential=values)
    return TikTokConnector(
        calls, ReportTasks(calls, wiring.clock.now), may_make_tasks=values.async_reports == "allowed"
    )
