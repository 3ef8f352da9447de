"""A described API for tests: the connector of `generic` for a spec whose hosts a stub server stands in for."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, PlatformObject
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.addresses import AllowedHosts, guarded_session
from adweir.platforms.connector import Connector, Mode, OwnTokens, Page, PageInHand, PullContext, Wiring
from support.clock import FrozenClock
from support.stub_http import Answer, Call, StubServer

GENERIC = Platform("generic")
SPECS = Path(__file__).parents[2] / "docs/specs"
WEEK = Window.parse("2026-11-01..2026-11-07")
SECRETS = {
    "client_id": "client-12345678",
    "client_secret": "secret-12345678",
    "refresh_token": "refresh-12345678",
    "token": "token-12345678",
    "username": "user@example.com",
    "password": "password-12345678",
}


def example(name: str) -> dict[str, Any]:
    """A spec of docs/specs."""
    found: dict[str, Any] = json.loads((SPECS / f"{name}.json").read_text())
    return found


class DescribedApi:
    """The connector and the normalizer of one spec; `hosts` (old → new) moves its URLs to stub servers."""

    def __init__(self, spec: dict[str, Any], hosts: dict[str, str], **secret: str) -> None:
        text = json.dumps(spec)
        for old, new in hosts.items():
            text = text.replace(old, new)
        self.text = text
        self.slept: list[float] = []
        self.clock = FrozenClock()
        self.session = guarded_session(AllowedHosts("", hosts.values()))
        self.tokens = OwnTokens(self.clock)
        self.paces: dict[str, float] = {}
        self.secret = secret or SECRETS
        self.known: list[PlatformObject] = []

    def connect(self) -> Connector:
        wiring = Wiring(
            urls=lambda *_: "",
            session=self.session,
            clock=self.clock,
            rng=random.Random(1),
            tokens=self.tokens,
            spec=lambda _: self.text,
            sleep=self.slept.append,
            paces=self.paces,
        )
        credential = Credential(account_id="a", platform=GENERIC, secret_id="s", label="api")
        return REGISTRY.connect(credential, self.secret, wiring)

    def task(self, dataset: Dataset, days: Window = WEEK, **more: Any) -> Task:
        more = {"timezone": "America/New_York", "currency": "USD"} | more
        window = days if dataset.grain else None
        return Task("r", "m", "a", GENERIC, "api~77", dataset, ALL, window, 0, **more)

    def context(self, dataset: Dataset, days: Window = WEEK) -> PullContext:
        return PullContext(
            account_id="a",
            profile_id="" if dataset is Dataset.PROFILES else "api~77",
            dataset=dataset,
            slice=ALL,
            window=days if dataset.grain else None,
            as_of="2026-11-20T00:00:00.000000Z",
            currency="USD",
            timezone="America/New_York",
            route="api",
            objects=lambda _: self.known,
            spec=lambda _: self.text,
        )

    def pull(self, dataset: Dataset, days: Window = WEEK, resume: str = "") -> list[Page]:
        """The pages, whole."""
        made, task = self.connect(), self.task(dataset, days)
        if dataset is Dataset.PROFILES:
            pages = made.profiles()
        elif made.mode(task) is Mode.REPORT:
            pages = made.report_pages(task, made.create_report(task).id)
        else:
            pages = made.pages(task, resume)
        return [page._replace(body=page.content()) for page in pages]

    def read(self, dataset: Dataset, days: Window = WEEK) -> tuple[list[MetricRow], list[BadRow]]:
        """The rows of a pull, and the bad ones."""
        return self.rows(self.pull(dataset, days), dataset, days)

    def rows(self, pages: list[Page], dataset: Dataset, days: Window = WEEK) -> tuple[list[MetricRow], list[BadRow]]:
        """What the normalizer makes of pages."""
        good, bad = list[MetricRow](), list[BadRow]()
        context = self.context(dataset, days)
        for number, page in enumerate(pages, 1):
            for batch in REGISTRY.normalizer(GENERIC).metric_batches(PageInHand.of(page, number), context):
                good += batch.rows
                bad += batch.bad
        return good, bad

    def objects(self, dataset: Dataset) -> list[Any]:
        """The objects of a pull; a bad one fails the test."""
        found: list[Any] = []
        for number, page in enumerate(self.pull(dataset), 1):
            for batch in REGISTRY.normalizer(GENERIC).object_batches(
                PageInHand.of(page, number), self.context(dataset)
            ):
                assert not batch.bad, batch.bad[:1]
                found += batch.objects
        return found


DAY = {"day": "2026-11-01", "views": 5, "cost": 1.25}
FIELDS = {"date": "day", "impressions": "views", "spend": "cost"}
OF = Dataset.ACCOUNT_DAILY


def api_of(stub: StubServer, spec: dict[str, Any] | None = None, **daily: Any) -> DescribedApi:
    """An API with days of an ad account, `DAY` being a row; `daily` and `spec` replace parts of its description."""
    request = {"path": "/stats/{profile}", "query": {"from": "{start}", "to": "{end}"}}
    described = {"request": request, "records": "rows[]", "fields": FIELDS} | daily
    whole = {
        "base_url": "https://api.example.com/v1",
        "auth": {"type": "bearer"},
        "accounts": {"named": [{"id": "77", "currency": "USD", "timezone": "America/New_York"}]},
        "datasets": {"account_daily": described},
    }
    return DescribedApi(whole | (spec or {}), {"https://api.example.com": stub.url})


def paged(pages: int, turn: Callable[[int], dict[str, Any]], size: int = 1) -> Callable[[Call], Answer]:
    """So many pages of one row; `turn` says what else is in page n."""

    def route(call: Call) -> Answer:
        number = int(call.query.get("page", call.query.get("cursor", "1")))
        rows = [DAY | {"views": number}] * size if number <= pages else []
        return Answer(200, {"rows": rows} | turn(number))

    return route
