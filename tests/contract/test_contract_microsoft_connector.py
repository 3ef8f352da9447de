"""Everything that Microsoft Advertising's SPEC names is pulled from the sandbox and read; each level is the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Status
from adweir.model.metrics import MetricRow, Slot
from adweir.model.times import Window
from adweir.platforms.microsoft_ads import SPEC
from sandbox.platforms.microsoft_ads import STAND_IN
from sandbox.server import PlatformServer
from support.microsoft_wire import MICROSOFT
from support.platform_server import running, truth
from support.puller import Puller

WEEKS = Window(date(2026, 11, 7), date(2026, 11, 20))
LEVELS = [dataset for dataset in SPEC.datasets if dataset.grain and not dataset.breakdown and "hour" not in dataset]
BREAKDOWNS = [dataset for dataset in SPEC.datasets if dataset.breakdown]
WITHOUT_A_PAGE = ("Product", "DynamicSearch")
"""Ads whose FinalUrls are "not supported" (ProductAd, DynamicSearchAd data objects): feed or page decides."""
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")


@pytest.fixture(scope="module")
def shared() -> Iterator[PlatformServer]:
    """A server for tests that change nothing on it."""
    with running([STAND_IN]) as started:
        yield started


@pytest.fixture(params=[0, 1], ids=["first", "second"])
def puller(shared: PlatformServer, request: pytest.FixtureRequest) -> Iterator[Puller]:
    with requests.Session() as session:
        yield Puller(shared, MICROSOFT, request.param, session, WEEKS)


def expected(server: PlatformServer, puller: Puller, level: str) -> dict[tuple[str, str], Slot]:
    found = truth(server, puller.profile, *WEEKS, level).items()
    return {key: tuple(row[name] for name in NUMBERS) for key, row in found}


def sums(rows: list[MetricRow], named: Any) -> dict[Any, list[int]]:
    """The numbers by what `named` makes of a row."""
    found: defaultdict[Any, list[int]] = defaultdict(lambda: [0] * 5)
    for row in rows:
        found[named(row)] = [one + (other or 0) for one, other in zip(found[named(row)], row.slot, strict=True)]
    return dict(found)


@pytest.mark.parametrize("dataset", LEVELS)
def test_each_level_is_the_truth(shared: PlatformServer, puller: Puller, dataset: Dataset) -> None:
    rows = puller.pull(dataset).rows()
    found = {(row.entity_id, row.day): row.slot for row in rows}
    assert found == expected(shared, puller, dataset.level) != {}
    assert len(rows) == len(found)
    assert {row.currency for row in rows} == {puller.profile.currency}


@pytest.mark.parametrize("dataset", BREAKDOWNS)
def test_a_breakdown_adds_up_to_its_level(shared: PlatformServer, puller: Puller, dataset: Dataset) -> None:
    def own(row: MetricRow) -> tuple[str, str]:
        return row.entity_id.partition("~")[0], row.day

    rows = puller.pull(dataset).rows()
    whole = {key: list(slot) for key, slot in expected(shared, puller, dataset.level).items()}
    assert sums(rows, own) == whole
    assert len({row.entity_id.partition("~")[2] for row in rows}) > 1


def test_hours_add_up_to_the_day(shared: PlatformServer, puller: Puller) -> None:
    puller.days = Window(date(2026, 11, 19), date(2026, 11, 20))
    rows = puller.pull(Dataset.CAMPAIGN_HOURLY).rows()
    days = truth(shared, puller.profile, *puller.days, "campaign")
    whole = {key: [row[name] for name in NUMBERS] for key, row in days.items()}
    assert sums(rows, lambda row: (row.entity_id, row.day)) == whole != {}
    assert len({row.hour for row in rows}) > 1


def test_all_conversions_are_another_reading_of_the_same_bytes(puller: Puller) -> None:
    pulled = puller.pull(Dataset.CAMPAIGN_DAILY)
    own, every = pulled.rows(), pulled.rows(conversions="all_conversions")
    pairs = [(one.conversions or 0, other.conversions or 0) for one, other in zip(own, every, strict=True)]
    assert all(one <= other for one, other in pairs)
    assert sum(one for one, _ in pairs) < sum(other for _, other in pairs)
    assert [row.spend for row in own] == [row.spend for row in every]


def test_lists_have_every_object_with_its_parents(puller: Puller) -> None:
    profile = puller.profile
    campaigns, groups, ads, keywords = (
        puller.pull(dataset).objects()
        for dataset in (Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS, Dataset.KEYWORDS)
    )
    assert {one.id for one in campaigns} == {campaign.id for campaign in profile.campaigns}
    listed = {
        (campaign.id, group.id) for campaign in profile.campaigns for group in campaign.groups if not group.hidden
    }
    assert {(one.campaign_id, one.id) for one in groups} == listed
    shown = {(c.id, g.id, ad.id) for c, g, ad in profile.ads() if ad.status != "DELETED"}
    assert {(one.campaign_id, one.ad_group_id, one.id) for one in ads} == shown
    words = {
        (c.id, g.id, word.id.partition("~")[2]) for c in profile.campaigns for g in c.groups for word in g.keywords
    }
    assert {(one.campaign_id, one.ad_group_id, one.id) for one in keywords} == words != set()
    written = {
        ad.id for _, _, ad in profile.ads() if ad.status != "DELETED" and ad.creative["type"] not in WITHOUT_A_PAGE
    }
    assert {ad.id for ad in ads if ad.headline and ad.landing_page_url} == written != set()
    assert Status.UNKNOWN not in {one.status for one in (*campaigns, *groups, *ads, *keywords)}


def test_the_ad_account_is_listed_with_its_customer(puller: Puller) -> None:
    listed = {one.profile_id: one for one in puller.pull(Dataset.PROFILES).objects()}
    one = listed[puller.profile.id]
    assert (one.currency, one.timezone) == (puller.profile.currency, puller.profile.timezone)
    assert one.route
