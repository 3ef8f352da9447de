"""Files of other tools in the bucket → stored metrics, by the mapping that counts for their source and data type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adweir.model.entities import Ad, AdCampaign, AdGroup
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.store.catalog.mappings import EVERYONE, StoredMapping
from support.clock import FrozenClock
from support.load_world import LoadWorld

META = Platform("meta_ads")
GERMAN = (
    "Kampagnenname,Tag,Ausgegebener Betrag (USD),Impressionen,Klicks (alle)\n"
    ',18.11.2026,"1.002,50",1.010,6\n'
    'Spring,18.11.2026,"1.000,50",1.000,5\n'
    "Summer,18.11.2026,2,10,1\n"
)
KEY = "drops/acme/meta_ads/campaign_performance/export.csv"
OWN = "Camp|When|Spent\nSpring|2026-11-18|7.25\n"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    world = LoadWorld(clock, "adweir-data")
    campaigns = [AdCampaign(platform=META, profile_id="1", id=n, campaign_id=n, name=name) for n, name in NAMES]
    groups = [AdGroup(platform=META, profile_id="1", id="g1", campaign_id="8", ad_group_id="g1", name="Set")]
    ads = [Ad(platform=META, profile_id="1", id="a1", campaign_id="8", ad_group_id="g1", name="Video")]
    world.catalog.put_objects([*campaigns, *groups, *ads], iso(clock.now()))
    return world


NAMES = (("8", "Spring"), ("9", "Twin"), ("10", "Twin"))


def mapping(source: str = "agency", **changes: Any) -> dict[str, Any]:
    columns = [
        {"field": "campaign_name", "names": ["Camp"]},
        {"field": "date", "names": ["When"]},
        {"field": "spend", "names": ["Spent"]},
    ]
    said = {"source": source, "data_type": "campaign_performance", "columns": columns}
    return said | {"constants": {"platform": "meta"}} | changes


def spent(world: LoadWorld) -> list[tuple[str, int | None]]:
    return sorted((row[0], row[3][3]) for row in world.stored())


def test_a_german_export_without_ids_is_stored_by_the_names_of_its_campaigns(world: LoadWorld) -> None:
    world.arrive(KEY, GERMAN.encode("utf-8-sig"))

    assert spent(world) == [("8", 1_000_500_000)]
    (receipt,) = world.receipts()
    assert (receipt["rows_stored"], receipt["rows_quarantined"], receipt["reasons"]) == (1, 1, {"known": 1})


def test_a_name_that_two_campaigns_have_is_quarantined(world: LoadWorld) -> None:
    world.arrive(KEY, GERMAN.replace("Summer", "Twin").encode())

    assert spent(world) == [("8", 1_000_500_000)]
    assert world.receipts()[0]["rows_quarantined"] == 1


def test_an_ad_group_is_found_in_its_campaign(world: LoadWorld) -> None:
    body = "Campaign name,Ad set name,Day,Amount spent (USD)\nSpring,Set,2026-11-18,3\nTwin,Other,2026-11-18,4\n"
    world.arrive("drops/acme/meta_ads/ad_group_performance/export.csv", body.encode())

    assert [row[0] for row in world.stored(Level.AD_GROUP)] == ["g1"]


def test_an_ad_that_a_file_names_alone_is_of_its_listed_ad_group(world: LoadWorld) -> None:
    body = "Ads,Day,Amount spent (USD)\nVideo,2026-11-18,3\n"
    world.arrive("drops/acme/meta_ads/ad_performance/export.csv", body.encode())

    assert [row[0] for row in world.stored(Level.AD)] == ["g1~a1"]


@pytest.mark.parametrize("place", ["account", "account's object", "deployment", "deployment's object"])
def test_a_mapping_of_one_s_own_reads_a_file_of_any_tool(world: LoadWorld, place: str) -> None:
    store(world, place, mapping())
    world.arrive("drops/acme/agency/campaign_performance/a.csv", OWN.encode())

    assert spent(world) == [("8", 7_250_000)]


def test_a_stored_mapping_replaces_the_built_in_one(world: LoadWorld) -> None:
    world.catalog.put_mapping(StoredMapping("acme", "meta_ads", "campaign_performance", mapping("meta_ads")))
    world.arrive("drops/acme/meta_ads/campaign_performance/a.csv", OWN.encode())

    assert spent(world) == [("8", 7_250_000)]


def store(world: LoadWorld, place: str, said: dict[str, Any], key: str = "") -> None:
    if place.endswith("object"):
        owner = "acme/" if place.startswith("account") else ""
        name = key or f"mappings/{owner}agency/campaign_performance.json"
        world.raw.put(name, json.dumps(said).encode())
    else:
        owner = "acme" if place == "account" else EVERYONE
        world.catalog.put_mapping(StoredMapping(owner, "agency", "campaign_performance", said))
