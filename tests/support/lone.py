"""A made-up platform for the library: its connector answers as a test says, time passes when somebody sleeps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from adweir.library.client import Client
from adweir.library.pulling import Lone
from adweir.library.waiting import Waiting
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword, PlatformObject, Profile, Status
from adweir.model.invoices import Invoice
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.base import DatasetSpec, Pace, PlatformSpec, ProfileOptions, datasets
from adweir.platforms.connector import (
    Connector,
    InvoiceBatch,
    Mode,
    ObjectBatch,
    Page,
    PullContext,
    RawPage,
    Report,
    ReportState,
    RowBatch,
)
from adweir.platforms.credentials import CredentialFields, Secret
from support.clock import FrozenClock

PAPER = Platform("paper_ads")
_OBJECTS: dict[Dataset, type[PlatformObject]] = {
    Dataset.CAMPAIGNS: AdCampaign,
    Dataset.AD_GROUPS: AdGroup,
    Dataset.ADS: Ad,
    Dataset.KEYWORDS: Keyword,
}


class PaperCredential(CredentialFields):
    token: Secret


def paper_spec(*further: DatasetSpec, longest: int = 10, keeps: int = 1000) -> PlatformSpec:
    """Campaigns and ads with daily numbers in two ad products; no account totals."""
    daily = [
        DatasetSpec(
            dataset,
            ("left", "right"),
            max_window_days=longest,
            retention_days={"all": keeps},
            sums_to_parent=True,
            pace=Pace(poll_seconds=4, poll_max_seconds=8),
        )
        for dataset in (Dataset.CAMPAIGN_DAILY, Dataset.AD_DAILY)
    ]
    lists = (Dataset.PROFILES, Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS)
    served = datasets(*(DatasetSpec(dataset) for dataset in lists), *daily, *further)
    return PlatformSpec(PAPER, "Paper Ads", "paper", PaperCredential, {"api": "https://paper.example"}, served)


class PaperConnector(Connector):
    """Each pull asks `answer` for its pages; a report is ready after `polls` looks.

    An answer is a list of lists of rows, one per page, or raises.
    """

    def __init__(
        self, answer: Callable[[Task, str], Sequence[Any]], *, mode: Mode = Mode.PAGES, polls: int = 1
    ) -> None:
        self.answer, self.polls = answer, polls
        self.asked: list[Task] = []
        self.log: list[str] = []
        self.ended = True
        self.failing: dict[str, Report] = {}
        self.shared = False
        self.refusals: list[Exception | None] = []
        self._mode = mode
        self._looks: Counter[str] = Counter()
        self._numbers = count(1)

    def profiles(self) -> Iterator[Page]:
        return self._pages(self.answer(_PROFILES, ""))

    def mode(self, task: Task) -> Mode:
        return self._mode if task.dataset.grain else Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        self.asked.append(task)
        return self._pages(self.answer(task, resume))

    def report_key(self, task: Task) -> str:
        return f"{task.slice} {task.window}" if self.shared else ""

    def create_report(self, task: Task) -> Report:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        self.asked.append(task)
        made = f"r{next(self._numbers)}"
        self.log.append(f"create {made}")
        return Report(made, ReportState.PENDING, FrozenClock().now())

    def report(self, task: Task, report_id: str) -> Report:
        self._looks[report_id] += 1
        self.log.append(f"look {report_id}")
        ready = self._looks[report_id] >= self.polls
        state = ReportState.READY if ready else ReportState.PENDING
        return self.failing.get(report_id) or Report(report_id, state, FrozenClock().now(), progress=40)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        return self._pages(self.answer(task, task.cursor))

    def discard_report(self, task: Task, report_id: str) -> None:
        self.log.append(f"discard {report_id}")

    def _pages(self, answered: Sequence[Any]) -> Iterator[Page]:
        for number, rows in enumerate(answered, 1):
            if isinstance(rows, Exception):
                raise rows
            page = rows if isinstance(rows, Page) else a_page(rows)
            yield page._replace(last=self.ended and number == len(answered))


def a_page(rows: Sequence[Any], resume: str = "") -> Page:
    return Page(json.dumps(rows).encode(), "https://paper.example/x", 200, last=False, resume=resume)


class PaperNormalizer:
    """Rows are `[entity, day, impressions, spend in millionths]`, objects are dicts."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        rows: list[MetricRow] = []
        bad: list[BadRow] = []
        for line, row in enumerate(json.loads(page.stream.read()), 1):
            if row == "bad":
                fault = {"field": "spend", "rule": "format", "message": "is no number"}
                bad.append(BadRow(line, row, [fault]))
                continue
            entity, day, impressions, spend = row
            group = entity.partition("~")[0] if "~" in entity else ""
            known = (impressions, 1, 0, spend, 0)
            rows.append(MetricRow(entity, day, *known, "c1", group, currency="EUR"))
        yield RowBatch(rows, bad)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        common = {"platform": PAPER, "profile_id": context.profile_id, "status": Status.ACTIVE}
        found: list[PlatformObject | Profile] = []
        for item in json.loads(page.stream.read()):
            if context.dataset is Dataset.PROFILES:
                found.append(a_profile(**item))
            else:
                found.append(_OBJECTS[context.dataset].model_validate(common | item))
        yield ObjectBatch(found, [])

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:
        return json.dumps(rows).encode()

    def account_of(self, row: Mapping[str, Any]) -> str:
        return ""


class PaperInvoices:
    """A page's items are `Invoice`s; "bad" is one that cannot be read."""

    def invoice_batches(self, page: RawPage, context: PullContext) -> Iterator[InvoiceBatch]:
        items = json.loads(page.stream.read())
        bad = [BadRow(1, item, [{"field": "amount", "message": "is no number"}]) for item in items if item == "bad"]
        common = {"platform": PAPER, "profile_id": context.profile_id, "currency": context.currency}
        yield InvoiceBatch([Invoice.model_validate(common | item) for item in items if item != "bad"], bad)


def a_profile(profile_id: str = "7", **about: Any) -> Profile:
    given = {"name": f"Shop {profile_id}", "currency": "EUR", "timezone": "Europe/Berlin"} | about
    return Profile(account_id="direct", platform=PAPER, profile_id=profile_id, **given)


_PROFILES = Task("r", "", "direct", PAPER, "", Dataset.PROFILES, "all", None, 0)


class Paper:
    """A client of the made-up platform, its connector and its clock; `slept` has every wait."""

    def __init__(
        self, connector: PaperConnector, spec: PlatformSpec | None = None, *, patience: float = 600, jitter: float = 0.5
    ) -> None:
        self.connector, self.clock, self.slept = connector, FrozenClock(), list[float]()
        waiting = Waiting(patience, self.clock, self._sleep, lambda: jitter)
        ids = count(1)
        self.lone = Lone(
            spec or paper_spec(),
            PaperNormalizer(),
            lambda _: connector,
            ProfileOptions(),
            waiting,
            lambda: str(next(ids)),
            PaperInvoices,
        )
        self.client = Client(self.lone)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)


WEEK = Window.parse("2026-11-01..2026-11-07")
ADS = [{"id": "1", "ad_group_id": "g"}, {"id": "2", "ad_group_id": "g", "headline": "Two"}]
ROWS: dict[str, list[Any]] = {
    "left": [["g~1", "2026-11-01", 10, 1_500_000], ["g~1", "2026-11-02", 5, 250_000]],
    "right": [],
}
OBJECTS: dict[Dataset, list[dict[str, Any]]] = {
    Dataset.PROFILES: [{"profile_id": "7"}, {"profile_id": "8", "status": "denied"}],
    Dataset.CAMPAIGNS: [{"id": "c1", "campaign_id": "c1", "start_date": "2026-10-01", "budget": 2_500_000}],
    Dataset.AD_GROUPS: [{"id": "g", "campaign_id": "c1", "end_date": "2026-11-10"}],
    Dataset.ADS: ADS,
}


def usual(task: Task, resume: str) -> Sequence[Any]:
    """One page of everything; a metric's slice has its own rows, those of its window."""
    if task.window is None:
        return [OBJECTS[task.dataset]]
    return [[row for row in ROWS[task.slice] if str(task.window.start) <= row[1] <= str(task.window.end)]]


def profile_row() -> dict[str, Any]:
    """The ad account as a row of `get_profiles`."""
    return a_profile().model_dump(mode="json")
