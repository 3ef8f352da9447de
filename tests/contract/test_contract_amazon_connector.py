"""Everything that Amazon's SPEC names is pulled from the sandbox and read, and each level is the world's truth."""

from __future__ import annotations

import io
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, KeywordKind
from adweir.model.metrics import Level, MetricRow
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads import SPEC
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.connector import Connector, Mode, PullContext, ReportState, Wiring
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.clock import FrozenClock
from support.platform_server import owner, running, truth

AMAZON = Platform("amazon_ads")
WINDOW = Window(date(2026, 11, 1), date(2026, 11, 20))
METRICS = [(spec.dataset, slice_) for spec in SPEC.datasets.values() for slice_ in spec.slices if spec.dataset.grain]
LISTS = [
    (spec.dataset, slice_)
    for spec in SPEC.datasets.values()
    for slice_ in spec.slices
    if not spec.dataset.grain and spec.dataset is not Dataset.PROFILES
]


NAMES: Mapping[Level, Callable[[str], str]] = {
    Level.CAMPAIGN: lambda entity: entity.partition("~")[0],
    Level.AD: lambda entity: entity,
    Level.KEYWORD: lambda entity: entity.split("~")[1],
}
"""From an entity, or a part of one, to the name that the world has for it."""


class Renewing:
    """A token cache that keeps nothing."""

    def get(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str:
        return refresh()[0]

    def forget(self, key: str) -> None:
        """Nothing is kept."""


@dataclass
class Landed:
    number: int
    label: str
    stream: io.BytesIO
    media: str = "json"


@dataclass
class Pulled:
    """What a pull brought, read with any options."""

    pages: list[tuple[str, bytes, bool]]
    context: PullContext

    def rows(self, **options: Any) -> list[MetricRow]:
        context = self.context._replace(options=AmazonOptions(**options))
        found: list[MetricRow] = []
        for number, (label, body, _) in enumerate(self.pages):
            for batch in REGISTRY.normalizer(AMAZON).metric_batches(Landed(number, label, io.BytesIO(body)), context):
                assert not batch.bad
                found += batch.rows
        return found

    def objects(self) -> list[Any]:
        found: list[Any] = []
        for number, (label, body, _) in enumerate(self.pages):
            page = Landed(number, label, io.BytesIO(body))
            for batch in REGISTRY.normalizer(AMAZON).object_batches(page, self.context):
                assert not batch.bad
                found += batch.objects
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


class Puller:
    """The connector of one company's credential."""

    def __init__(self, server: PlatformServer, place: int, session: requests.Session) -> None:
        company, self.profile = owner(server, AMAZON, place)
        self._clock = FrozenClock()
        urls = {"api": server.url, "token": f"{server.url}/auth/o2/token"}
        wiring = Wiring(lambda name, _route: urls[name], session, self._clock, random.Random(1), Renewing())
        credential = Credential(account_id=company.key, platform=AMAZON, secret_id="s")
        self._made: Connector = REGISTRY.connect(credential, company.credentials[AMAZON], wiring)

    def pull(self, dataset: Dataset, slice_: str) -> Pulled:
        profile, window = self.profile, WINDOW if dataset.grain else None
        task = Task("r", "m", "a", AMAZON, profile.id, dataset, slice_, window, 0, timezone=profile.timezone)
        if self._made.mode(task) is Mode.REPORT:
            report = self._made.create_report(task)
            while self._made.report(task, report.id).state is ReportState.PENDING:
                time.sleep(0.01)
            pages = self._made.report_pages(task, report.id)
        else:
            pages = self._made.pages(task)
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
        )
        return Pulled([(page.label, page.content(), page.last) for page in pages], context)


@pytest.fixture(scope="module", params=[0, 1])
def puller(server: PlatformServer, request: pytest.FixtureRequest) -> Iterator[Puller]:
    with requests.Session() as session:
        yield Puller(server, request.param, session)


def expected(server: PlatformServer, profile: WorldProfile, level: str, slice_: str) -> dict[tuple[str, str], Any]:
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    return {
        key: tuple(row[name] for name in names)
        for key, row in truth(server, profile, *WINDOW, level).items()
        if row["ad_product"] == slice_
    }


@pytest.mark.parametrize(("dataset", "slice_"), METRICS)
def test_each_level_and_the_sum_of_each_breakdown_is_the_truth(
    server: PlatformServer, puller: Puller, dataset: Dataset, slice_: str
) -> None:
    # when
    pulled = puller.pull(dataset, slice_)
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 5)
    for row in pulled.rows():
        key = NAMES[dataset.level](row.entity_id)
        sums[key, row.day] = [one + (other or 0) for one, other in zip(sums[key, row.day], row.slot, strict=True)]

    # then
    assert [last for _, _, last in pulled.pages] == [True]
    assert {key: tuple(slot) for key, slot in sums.items()} == expected(server, puller.profile, dataset.level, slice_)
    assert sums


@pytest.mark.parametrize(("dataset", "slice_"), LISTS)
def test_each_list_is_read_whole(puller: Puller, dataset: Dataset, slice_: str) -> None:
    # when
    pulled = puller.pull(dataset, slice_)
    found = pulled.objects()

    # then
    assert found
    assert pulled.pages[-1][2]
    assert {one.ad_product for one in found} == {slice_}
    kinds = {getattr(one, "kind", None) for one in found}
    if dataset is Dataset.NEGATIVES:
        assert kinds == {KeywordKind.NEGATIVE}
    elif dataset is Dataset.KEYWORDS:
        assert kinds == {KeywordKind.KEYWORD}
    elif dataset is Dataset.TARGETS:
        assert kinds <= {KeywordKind.PRODUCT_TARGET, KeywordKind.AUTOMATIC, KeywordKind.AUDIENCE}


@pytest.mark.parametrize("slice_", ["sp", "sb", "sd"])
def test_every_keyword_and_target_with_numbers_is_listed(puller: Puller, slice_: str) -> None:
    datasets = [dataset for dataset in (Dataset.KEYWORDS, Dataset.TARGETS) if slice_ in SPEC.datasets[dataset].slices]
    listed = {one.id for dataset in datasets for one in puller.pull(dataset, slice_).objects()}
    reported = {row.entity_id.split("~")[1] for row in puller.pull(Dataset.KEYWORD_DAILY, slice_).rows()}
    assert reported <= listed


@pytest.mark.parametrize("dataset", [Dataset.AD_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.KEYWORD_DAILY])
def test_options_are_another_reading_of_the_same_bytes(puller: Puller, dataset: Dataset) -> None:
    brands = puller.pull(dataset, "sb")
    both, clicks, views = (brands.rows(basis=basis) for basis in ("click_or_view", "click", "view"))
    revenue = [[row.revenue for row in rows] for rows in (both, clicks, views)]
    assert [one == other + rest for one, other, rest in zip(*revenue, strict=True)] == [True] * len(both)
    assert revenue[0] != revenue[1]
    products = puller.pull(dataset, "sp")
    sums = [sum(row.revenue or 0 for row in products.rows(window=days)) for days in ("1d", "7d", "14d", "30d")]
    assert sums == sorted(sums)
    assert len(set(sums)) > 1
    assert {row.revenue for row in products.rows(basis="view")} == {None}
