"""adweir's own connectors and normalizers over the sandbox: what they would store is the world's truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.times import Window
from sandbox.server import PlatformServer
from support.platform_server import running, truth
from support.platforms import AMAZON_ADS, META_ADS, TIKTOK_ADS
from support.puller import Puller

WINDOW = Window(date(2026, 11, 1), date(2026, 11, 20))


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("platform", "slice_"),
    [(META_ADS, ALL), (TIKTOK_ADS, ALL), (AMAZON_ADS, "sp"), (AMAZON_ADS, "sb"), (AMAZON_ADS, "sd")],
)
def test_what_a_pull_brings_is_the_truth(
    server: PlatformServer, session: requests.Session, platform: Platform, slice_: str, place: int
) -> None:
    # given
    puller = Puller(server, platform, place, session, WINDOW)

    # when
    pulled = puller.pull(Dataset.AD_DAILY, slice_)
    rows = pulled.rows()

    # then
    expected = {
        key: (r["impressions"], r["clicks"], r["conversions_micros"], r["spend_micros"], r["revenue_micros"])
        for key, r in truth(server, puller.profile, *WINDOW).items()
        if slice_ in (ALL, r["ad_product"])
    }
    assert pulled.pages[-1][2]
    assert {(r.entity_id, r.day): r.slot for r in rows} == expected
    assert len(rows) == len(expected) > 0


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("platform", [META_ADS, AMAZON_ADS, TIKTOK_ADS])
@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS])
def test_entity_pulls_bring_every_object(
    server: PlatformServer, session: requests.Session, platform: Platform, dataset: Dataset, place: int
) -> None:
    # given
    puller = Puller(server, platform, place, session, WINDOW)
    profile = puller.profile

    # when
    slices = ["sp", "sb", "sd"] if platform == AMAZON_ADS else [ALL]
    listed = [one for slice_ in slices for one in puller.pull(dataset, slice_).objects()]

    # then
    found = [one.id for one in listed if getattr(one, "reported", True)]  # GMV Max is no part of the world
    expected = {
        Dataset.CAMPAIGNS: [c.id for c in profile.campaigns],
        Dataset.AD_GROUPS: [g.id for c in profile.campaigns for g in c.groups],
        # A deleted ad is in no listing: what a complete pull does not bring becomes `removed`.
        Dataset.ADS: [a.id for _, _, a in profile.ads() if a.status != "DELETED"],
    }[dataset]
    assert sorted(i.rpartition("~")[2] for i in found) == sorted(expected)


@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS])
def test_a_campaign_s_slice_brings_its_own_objects_only(
    server: PlatformServer, session: requests.Session, dataset: Dataset
) -> None:
    puller = Puller(server, META_ADS, 0, session, WINDOW)
    campaign = puller.profile.campaigns[1]

    found = [one.id for one in puller.pull(dataset, f"campaign={campaign.id}").objects()]

    expected = {
        Dataset.CAMPAIGNS: [campaign.id],
        Dataset.AD_GROUPS: [group.id for group in campaign.groups],
        Dataset.ADS: [ad.id for parent, _, ad in puller.profile.ads() if parent.id == campaign.id],
    }[dataset]
    assert sorted(found) == sorted(expected)
    assert found


@pytest.mark.parametrize("place", [0, 1])
def test_hourly_pulls_are_the_truth(server: PlatformServer, session: requests.Session, place: int) -> None:
    # given
    window = Window(date(2026, 11, 20), date(2026, 11, 21))
    puller = Puller(server, META_ADS, place, session, window)

    # when
    rows = puller.pull(Dataset.AD_HOURLY).rows()

    # then conversions and revenue are unknown: Meta reports no off-Meta actions by hour
    expected = {
        (r["entity_id"], r["date"], r["hour"]): (r["impressions"], r["clicks"], None, r["spend_micros"], None)
        for r in server.outside.world.truth(puller.profile, *window, hourly=True)
    }
    assert {(r.entity_id, r.day, r.hour): r.slot for r in rows} == expected
