"""Pulls of an ad account of the sandbox: the connector as the functions wire it, its pages read by the normalizer."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.invoices import Invoice
from adweir.model.metrics import MetricRow
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, Mode, Page, PullContext, ReportState
from adweir.store.raw.pages import StoredPage
from sandbox.platforms import platform_urls
from sandbox.server import PlatformServer
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.platform_server import owner
from support.platforms import META_ADS, wiring


@dataclass
class Pulled:
    """What a pull brought, read with any options; a row or an object that is bad fails the test."""

    platform: Platform
    pages: list[tuple[str, bytes, bool]]
    context: PullContext

    def rows(self, **options: Any) -> list[MetricRow]:
        context = self.context._replace(options=REGISTRY.spec(self.platform).options.model_validate(options))
        found: list[MetricRow] = []
        for page in self._stored():
            for batch in REGISTRY.normalizer(self.platform).metric_batches(page, context):
                assert not batch.bad, batch.bad[:1]
                found += batch.rows
        return found

    def objects(self) -> list[Any]:
        found: list[Any] = []
        for page in self._stored():
            for batch in REGISTRY.normalizer(self.platform).object_batches(page, self.context):
                assert not batch.bad, batch.bad[:1]
                found += batch.objects
        return found

    def invoices(self) -> list[Invoice]:
        found: list[Invoice] = []
        for page in self._stored():
            for batch in REGISTRY.invoices(self.platform).invoice_batches(page, self.context):
                assert not batch.bad, batch.bad[:1]
                found += batch.invoices
        return found

    def _stored(self) -> Iterator[StoredPage]:
        for number, (label, body, _) in enumerate(self.pages, 1):
            yield StoredPage(number, "", 200, label, "json", io.BytesIO(body))


class Puller:
    """The connector of one company's credential, and the first of its ad accounts; pulls `days` of metrics."""

    def __init__(
        self, server: PlatformServer, platform: Platform, place: int, session: requests.Session, days: Window
    ) -> None:
        company, self.profile = owner(server, platform, place)
        self.platform, self.days = platform, days
        self._clock = FrozenClock()
        urls = platform_urls(server.url)[platform]
        tokens = None if platform == META_ADS else MemoryTokens()  # Meta's are not renewed: nobody may ask
        credential = Credential(account_id=company.key, platform=platform, secret_id="s")

        def connected(route: str = "") -> Connector:
            wired = wiring(platform, session, self._clock, urls=urls, tokens=tokens, route=route)
            return REGISTRY.connect(credential, company.credentials[platform], wired)

        self._made = connected()
        listed = self.pull(Dataset.PROFILES).objects()
        self._made = connected(next(each.route for each in listed if each.profile_id == self.profile.id))

    def pull(self, dataset: Dataset, slice_: str = ALL, **options: Any) -> Pulled:
        """A pull of a dataset; `options` of the profile say what is asked for."""
        profile, window = self.profile, self.days if dataset.grain or dataset is Dataset.INVOICES else None
        task = Task(
            "r", "m", "a", self.platform, profile.id, dataset, slice_, window, 0,
            timezone=profile.timezone, currency=profile.currency,
        )  # fmt: skip
        context = PullContext(
            account_id="a",
            profile_id=profile.id,
            dataset=dataset,
            slice=slice_,
            window=window,
            as_of=iso(self._clock.now()),
            currency=profile.currency,
            timezone=profile.timezone,
            profile_kind=profile.kind,
            country=profile.country,
            route=self._made.route,
        )
        return Pulled(
            self.platform, [(page.label, page.content(), page.last) for page in self._pages(task, options)], context
        )

    def _pages(self, task: Task, options: dict[str, Any]) -> Iterator[Page]:
        if task.dataset is Dataset.PROFILES:
            return self._made.profiles()
        if options:
            return self._made.under(REGISTRY.spec(self.platform).options.model_validate(options)).pages(task)
        if self._made.mode(task) is Mode.PAGES:
            return self._made.pages(task)
        report = self._made.create_report(task)
        while self._made.report(task, report.id).state is ReportState.PENDING:
            time.sleep(0.01)
        return self._made.report_pages(task, report.id)
