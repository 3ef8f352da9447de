"""A company of the sandbox's world, from what its platforms and its shop say to what each channel brought: the truth of
`/_world/mix` has to lie in the intervals."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.insight.mmm.fitting import MixFitter
from adweir.insight.mmm.publish import Publisher
from adweir.model.entities import AdCampaign, Profile
from adweir.model.media_mix import MediaMix
from adweir.model.metrics import Level, MetricRow
from adweir.model.platforms import Platform
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.reporting.query import Queries
from adweir.store.metrics.store import PullRows
from sandbox.platforms import companies
from sandbox.world.demand import promoted
from sandbox.world.mix import AccountChannel, Mix, channels
from sandbox.world.regions import regions
from sandbox.world.world import World
from support.clock import FrozenClock
from support.fit_story import PLENTY
from support.load_world import LoadWorld
from support.mmm_story import of_ads

SEED, COUNTRY, DAYS = 0, "US", 730
LAST = date(2026, 11, 19)
SPAN = Window(LAST - timedelta(days=DAYS - 1), LAST)
WORLD = World(SEED, LAST + timedelta(days=1), companies(SEED))
COMPANY = WORLD.companies[0]
MIX = Mix(WORLD)
OURS = [one for one in channels(COMPANY) if one.profile.country == COUNTRY]


def named(one: AccountChannel) -> str:
    return f"{one.profile.platform}_{one.channel.name}".lower()


def profile_of(one: AccountChannel) -> Profile:
    return Profile(
        account_id="acme", platform=Platform(one.profile.platform), profile_id=one.profile.id, name="", currency="USD",
        timezone="UTC",
    )  # fmt: skip


def file_of(header: str, rows: Iterable[tuple[Any, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return text.getvalue().encode()


def pulled(world: LoadWorld, level: Level, profile: Profile, rows: Iterable[MetricRow]) -> None:
    """What a platform answered of all days."""
    loaded = PullRows()
    for row in rows:
        loaded.offer(row)
    world.metrics.load(replace(of_ads(profile, "all", SPAN), level=level), loaded)


def spending(world: LoadWorld) -> None:
    """The platforms' days: a campaign per channel, and their sum by ad account. They count no sale themselves."""
    for profile in {profile_of(one).key: profile_of(one) for one in OURS}.values():
        own = [one for one in OURS if one.profile.id == profile.profile_id]
        spent = {(one, day): MIX.spend_usd(one, day) for one in own for day in SPAN.days()}
        campaigns = [
            AdCampaign(platform=profile.platform, profile_id=profile.profile_id, id=named(one), campaign_id=named(one),
                       name=named(one))
            for one in own
        ]  # fmt: skip
        world.catalog.put_objects([profile, *campaigns], iso(world.clock.now()))
        by_campaign = [
            MetricRow(named(one), str(day), micros // 10_000, micros // 1_000_000, 0, micros, 0)
            for (one, day), micros in spent.items()
        ]
        totals = [
            MetricRow(profile.profile_id, str(day), total // 10_000, total // 1_000_000, 0, total, 0)
            for day in SPAN.days()
            for total in [sum(spent[one, day] for one in own)]
        ]
        pulled(world, Level.CAMPAIGN, profile, by_campaign)
        pulled(world, Level.ACCOUNT, profile, totals)


def dropped(world: LoadWorld, sold: list[dict[str, Any]]) -> None:
    """The shop's sales of the country, and the days of its promotions and holidays."""
    codes = {region.code for region in regions(COUNTRY)}
    sales = [
        ("turnover", day["date"], f"{sum(day['region_micros'][code] for code in codes) / 1_000_000:.2f}", "USD")
        for day in sold
    ]
    promotions = [
        (each.name, str(day), 1)
        for each in promoted(SEED, COMPANY.key, SPAN.start, SPAN.end)
        for day in Window(max(each.first, SPAN.start), min(each.last, SPAN.end)).days()
    ]
    holidays = [("holiday", day["date"], 1) for day in sold if COUNTRY in day["holidays"]]
    world.arrive("drops/acme/shop/kpi_series/sales.csv", file_of("name,date,value,currency", sales))
    world.arrive("drops/acme/shop/controls/days.csv", file_of("name,date,value", promotions + holidays))


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    world = LoadWorld(clock, "adweir-data")
    rules = [{"channel": named(one), "platform": one.profile.platform, "name": [named(one)]} for one in OURS]
    mix = MediaMix.model_validate({"channels": rules, "kpi": {"revenue": "turnover"}})
    world.catalog.update_account("acme", media_mix=mix)
    return world


def test_the_world_s_true_mix_lies_in_the_intervals_of_what_is_stored(world: LoadWorld) -> None:
    """Given two years of days from platforms, and sales and promotions from files, when `etl` does its work."""
    sold = list(MIX.sales(COMPANY, SPAN.start, SPAN.end))
    spending(world)
    dropped(world, sold)
    queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
    store = world.findings.mix

    made = Publisher(world.catalog, queries, world.raw, world.clock).publish("acme")
    counts = MixFitter(store, world.raw, world.clock).fit(made, PLENTY, "run_1")

    assert counts == {"fits": 1, "fits_refused": 0}, store.looks("acme")
    (found,) = store.latest("acme")
    assert (found.table, found.kpi, found.currency, found.periods) == ("daily", "revenue", "USD", DAYS)
    truth = {named(one): sum(day["contribution_micros"][one.key] for day in sold) / 1_000_000 for one in OURS}
    assert {each["channel"] for each in found.channels} == truth.keys()
    held = {
        each["channel"]: float(each["contribution_lo"]) <= truth[each["channel"]] <= float(each["contribution_hi"])
        for each in found.channels
    }
    assert sum(held.values()) >= 0.85 * len(held), held
    assert found.warnings == []
