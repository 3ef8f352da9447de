"""Everything that Amazon's SPEC names is pulled from the sandbox and read, and each level is the world's truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import KeywordKind
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms.amazon_ads import SPEC
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.platform_server import running, truth
from support.puller import Puller

AMAZON = Platform("amazon_ads")
WINDOW = Window(date(2026, 11, 1), date(2026, 11, 20))
METRICS = [(spec.dataset, slice_) for spec in SPEC.datasets.values() for slice_ in spec.slices if spec.dataset.grain]
LISTS = [
    (spec.dataset, slice_)
    for spec in SPEC.datasets.values()
    for slice_ in spec.slices
    if not spec.dataset.grain and spec.dataset not in {Dataset.PROFILES, Dataset.INVOICES, Dataset.STREAMS}
]


NAMES: Mapping[Level, Callable[[str], str]] = {
    Level.CAMPAIGN: lambda entity: entity.partition("~")[0],
    Level.AD: lambda entity: entity,
    Level.KEYWORD: lambda entity: entity.split("~")[1],
}
"""From an entity, or a part of one, to the name that the world has for it."""


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


@pytest.fixture(scope="module", params=[0, 1])
def puller(server: PlatformServer, request: pytest.FixtureRequest) -> Iterator[Puller]:
    with requests.Session() as session:
        yield Puller(server, AMAZON, request.param, session, WINDOW)


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
