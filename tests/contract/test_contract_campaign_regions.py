"""What a connector pulls by campaign and region is the world's truth, and what regions leave is what no region has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.metrics import Level, MetricRow
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from sandbox.platforms import stand_ins
from sandbox.platforms.google_ads.geography import REGIONS as NAMED_BY_GOOGLE
from sandbox.server import PlatformServer
from sandbox.world.located import located_truth
from support.google_wire import GOOGLE_ADS
from support.platform_server import running, truth
from support.puller import Puller
from support.reading_world import ChosenPlatforms, ReadingWorld, a_profile, spends

DAYS = Window(date(2026, 11, 12), date(2026, 11, 18))
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
REGIONS = Dataset.CAMPAIGN_BY_REGION_DAILY
SERVING = [platform for platform in REGISTRY if REGIONS in REGISTRY.datasets(platform)]
Cells = dict[tuple[str, str, str], tuple[int | None, ...]]


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running() as started:
        started.outside.report_seconds = 0
        yield started


@pytest.fixture(params=SERVING)
def puller(server: PlatformServer, request: pytest.FixtureRequest) -> Iterator[Puller]:
    with requests.Session() as session:
        yield Puller(server, Platform(request.param), 0, session, DAYS)


def names_of(platform: Platform) -> dict[str, str]:
    """By the world's code, what the platform calls a region; "" is in none. The connector looks Google's names up."""
    if platform == GOOGLE_ADS:
        return {code: target.name for code, target in NAMED_BY_GOOGLE.items()}
    return dict(next(each.regions for each in stand_ins() if each.platform == platform))


def told(server: PlatformServer, puller: Puller) -> Cells:
    """The truth by campaign, day and the platform's name of the region."""
    names = names_of(puller.platform)
    found: defaultdict[tuple[str, str, str], list[int | None]] = defaultdict(lambda: [0] * 5)
    for row in located_truth(server.outside.world, puller.profile, *DAYS):
        cell = found[row["entity_id"], row["date"], names.get(row["region"], "")]
        cell[:] = [
            None if one is None or row[name] is None else one + row[name]
            for one, name in zip(cell, NUMBERS, strict=True)
        ]
    return {key: tuple(cell) for key, cell in found.items()}


def pulled(rows: list[MetricRow]) -> Cells:
    found: Cells = {}
    for row in rows:
        campaign, _, region = row.entity_id.partition("~")
        assert campaign == row.campaign_id
        found[campaign, row.day, region] = row.slot
    assert len(found) == len(rows)
    return found


def test_campaigns_by_region_are_the_truth_and_the_rest_is_unattributed(server: PlatformServer, puller: Puller) -> None:
    # given
    found = puller.pull(REGIONS).rows()
    wanted, platform = told(server, puller), puller.platform
    unplaced = names_of(platform).get("", "")
    # then what has a region is the truth, and what has none is there under the platform's own word, or nowhere
    assert {key: slot for key, slot in pulled(found).items() if key[2] != unplaced} == {
        key: slot for key, slot in wanted.items() if key[2] != unplaced
    }
    assert len({region for _, _, region in wanted} - {unplaced}) > 2
    # when it is stored, with the campaigns, and read
    world = ReadingWorld(
        a_profile(platform, puller.profile.id), platforms=ChosenPlatforms({platform: REGISTRY.datasets(platform)})
    )
    about: dict[str, Any] = {"platform": platform, "profile_id": puller.profile.id}
    about |= {"days": (str(DAYS.start), str(DAYS.end)), "currency": puller.profile.currency}
    world.pull(Level.CAMPAIGN, *_campaigns(server, puller), **about)
    world.pull(Level.CAMPAIGN, *found, breakdown="region", **about)
    shown = spends(world.report("region", days=about["days"], segments={"campaign": _ids(wanted)}), "region")
    # then the rest is what no region has, and all of it adds up to the campaigns
    whole = sum(row["spend_micros"] for row in truth(server, puller.profile, *DAYS, "campaign").values())
    placed = sum(slot[3] or 0 for key, slot in wanted.items() if key[2] != unplaced)
    assert int((shown[None] or 0) * 1_000_000) == whole - placed > 0
    assert int(sum(spend or 0 for spend in shown.values()) * 1_000_000) == whole
    assert unplaced not in shown


def _campaigns(server: PlatformServer, puller: Puller) -> list[MetricRow]:
    found = truth(server, puller.profile, *DAYS, "campaign").items()
    return [
        MetricRow(
            entity,
            day,
            row["impressions"],
            row["clicks"],
            row["conversions_micros"],
            row["spend_micros"],
            row["revenue_micros"],
            campaign_id=entity,
            currency=puller.profile.currency,
        )
        for (entity, day), row in found
    ]


def _ids(cells: Cells) -> list[str]:
    return sorted({campaign for campaign, _, _ in cells})
