"""The Trade Desk's connector against a running sandbox, as the functions wire it, with unknown properties refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile
from adweir.model.metrics import MetricRow
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, Page, PageInHand, PullContext, ReportState
from sandbox.server import PlatformServer
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.platforms import wiring

TRADE_DESK = Platform("trade_desk")
WINDOW = Window(date(2026, 11, 1), date(2026, 11, 20))


class DeskPuller:
    """A company's credential, and one of its advertisers; `more` are further fields of the credential."""

    def __init__(
        self, server: PlatformServer, session: requests.Session, company: str = "halden", place: int = 0, **more: str
    ) -> None:
        session.headers["TTD-Strict-Mode"] = "true"
        self.server, self.session, self.clock = server, session, FrozenClock()
        self.tokens = MemoryTokens()
        owner = server.outside.company(company)
        self.secret = owner.credentials[TRADE_DESK] | more
        self.seat = owner.on(TRADE_DESK)[place]
        self.context = PullContext(
            company, self.seat.id, Dataset.AD_DAILY, ALL, WINDOW, "now", self.seat.currency, "UTC"
        )

    def connector(self, route: str = "") -> Connector:
        """A connector for profiles of a partner (the route)."""
        urls = {"api": f"{self.server.url}/v3"}
        wired = wiring(TRADE_DESK, self.session, self.clock, urls=urls, tokens=self.tokens, route=route)
        credential = Credential(account_id="a", platform=TRADE_DESK, secret_id="s")
        return REGISTRY.connect(credential, self.secret, wired)

    def profiles(self) -> list[Profile]:
        """The ad accounts that the credential lists."""
        listed = self.connector().profiles()
        return self.read(listed, self.context._replace(dataset=Dataset.PROFILES, profile_id="", window=None))

    @property
    def route(self) -> str:
        """The advertiser's partner."""
        return next(profile.route for profile in self.profiles() if profile.profile_id == self.seat.id)

    def task(self, dataset: Dataset, **changes: Any) -> Task:
        """A task about the advertiser."""
        window = WINDOW if dataset.grain else None
        task = Task("r", "m", "a", TRADE_DESK, self.seat.id, dataset, ALL, window, 0, currency=self.seat.currency)
        return replace(task, id="", **changes) if changes else task

    def file(self, dataset: Dataset, connector: Connector | None = None) -> list[Page]:
        """A report's pages with their bodies read, its schedule deleted again."""
        made, task = connector or self.connector(self.route), self.task(dataset)
        report = made.create_report(task)
        pages = self.landed(dataset, report.id, made)
        made.discard_report(task, report.id)
        return pages

    def landed(self, dataset: Dataset, report_id: str, connector: Connector | None = None) -> list[Page]:
        """The pages of a report that was asked for, once it is ready."""
        made, task = connector or self.connector(self.route), self.task(dataset)
        deadline = time.monotonic() + 5
        while made.report(task, report_id).state is ReportState.PENDING:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return [page._replace(body=page.content()) for page in made.report_pages(task, report_id)]

    def rows(self, pages: list[Page], dataset: Dataset, **options: Any) -> list[MetricRow]:
        """The rows of a report's pages; a bad one fails the test."""
        chosen = REGISTRY.spec(TRADE_DESK).options.model_validate(options)
        context = self.context._replace(dataset=dataset, options=chosen)
        found: list[MetricRow] = []
        for number, page in enumerate(pages):
            for batch in REGISTRY.normalizer(TRADE_DESK).metric_batches(PageInHand.of(page, number), context):
                assert not batch.bad
                found += batch.rows
        return found

    def objects(self, dataset: Dataset) -> list[Any]:
        """What a list brings."""
        pages = self.connector(self.route).pages(self.task(dataset))
        return self.read(pages, self.context._replace(dataset=dataset, window=None))

    def read(self, pages: Iterator[Page], context: PullContext) -> list[Any]:
        """The objects of some pages, of which the last one says so."""
        held = list(pages)
        assert [page.last for page in held] == [False] * (len(held) - 1) + [True]
        found: list[Any] = []
        for number, page in enumerate(held):
            for batch in REGISTRY.normalizer(TRADE_DESK).object_batches(PageInHand.of(page, number), context):
                assert not batch.bad
                found += batch.objects
        return found
