"""Everything that Meta's SPEC names is pulled from the sandbox and read, and each level is the world's truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Status
from adweir.model.metrics import MetricRow
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms.meta import SPEC
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.platform_server import running, truth
from support.puller import Puller

META = Platform("meta_ads")
WEEKS = Window(date(2026, 11, 7), date(2026, 11, 20))
DAILY = [dataset for dataset in SPEC.datasets if dataset.value.endswith("_daily")]
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


@pytest.fixture(params=[0, 1])
def puller(server: PlatformServer, request: pytest.FixtureRequest) -> Iterator[Puller]:
    with requests.Session() as session:
        yield Puller(server, META, request.param, session, WEEKS)


def expected(server: PlatformServer, profile: WorldProfile, level: str, window: Window = WEEKS) -> dict[Any, Any]:
    found = truth(server, profile, *window, level).items()
    return {key: tuple(row[name] for name in NUMBERS) for key, row in found}


def sums(rows: list[MetricRow], dataset: Dataset) -> dict[Any, Any]:
    """The rows' numbers by entity and day, the values of a breakdown added up."""
    found: defaultdict[tuple[str, str], list[int | None]] = defaultdict(lambda: [0] * 5)
    for row in rows:
        key = row.entity_id.rpartition("~")[0] if dataset.breakdown else row.entity_id
        pairs = zip(found[key, row.day], row.slot, strict=True)
        found[key, row.day] = [None if one is None or other is None else one + other for one, other in pairs]
    return {key: tuple(slot) for key, slot in found.items()}


@pytest.mark.parametrize("dataset", DAILY)
def test_each_level_and_the_sum_of_each_breakdown_is_the_truth(
    server: PlatformServer, puller: Puller, dataset: Dataset
) -> None:
    pulled = puller.pull(dataset)
    assert [last for _, _, last in pulled.pages] == [False] * (len(pulled.pages) - 1) + [True]
    found = sums(pulled.rows(), dataset)
    wanted = expected(server, puller.profile, dataset.level)
    if dataset.breakdown == "region":
        wanted = {key: (*slot[:2], None, slot[3], None) for key, slot in wanted.items()}
    assert found == wanted != {}


def test_a_deleted_and_an_archived_ad_keep_their_rows(server: PlatformServer, puller: Puller) -> None:
    # given two ads with history, of which one is deleted and one archived
    before = expected(server, puller.profile, "ad")
    groups = sorted({entity for entity, _ in before})
    gone, kept = (entity.partition("~")[2] for entity in (groups[0], groups[-1]))
    for kind, ad_id in (("delete", gone), ("archive", kept)):
        server.outside.happen(kind, {"profile_id": puller.profile.id, "ad_id": ad_id})
    # when every level is pulled again
    for dataset in (Dataset.AD_DAILY, Dataset.AD_GROUP_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.ACCOUNT_DAILY):
        found = sums(puller.pull(dataset).rows(), dataset)
        # then nothing of the past is missing at any of them
        assert found == expected(server, puller.profile, dataset.level) != {}
    assert {entity.partition("~")[2] for entity, _ in sums(puller.pull(Dataset.AD_DAILY).rows(), Dataset.AD_DAILY)} >= {
        gone,
        kept,
    }
    # and the list has the archived one, but not the deleted one
    listed = {one.id: (one.status, one.status_raw) for one in puller.pull(Dataset.ADS).objects()}
    assert (gone in listed, listed.get(kept)) == (False, (Status.ARCHIVED, "ARCHIVED"))


def test_options_are_another_reading_of_the_same_bytes(puller: Puller) -> None:
    pulled = puller.pull(Dataset.AD_DAILY)
    clicks, views, both = (
        pulled.rows(basis=basis, windows=["7d_click", "1d_view"]) for basis in ("click", "view", "click_or_view")
    )
    revenue = [[row.revenue or 0 for row in rows] for rows in (clicks, views, both)]
    assert [one + other for one, other in zip(*revenue[:2], strict=True)] == revenue[2]
    assert 0 < sum(revenue[1]) < sum(revenue[2])
    by_window = [
        sum(row.conversions or 0 for row in pulled.rows(basis="click", windows=[window]))
        for window in ("1d_click", "7d_click", "28d_click")
    ]
    assert by_window == sorted(by_window)
    assert {row.conversions for row in pulled.rows(conversions=["offsite_conversion.custom.1"])} == {0}


def test_ads_and_creatives_show_the_same(puller: Puller) -> None:
    ads, creatives = puller.pull(Dataset.ADS).objects(), puller.pull(Dataset.CREATIVES).objects()
    assert len(creatives) > 0
    assert {one.headline for one in ads} == {one.headline for one in creatives}
    assert all(one.image_url or one.video_url for one in ads)
    assert any(one.quality_score for one in ads)
    assert any(one.video_url for one in ads)
