"""All exports of some days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from sandbox.exports import crm, fivetran, ga4, google_ui, meta_manager, own, platform_reports, shopify, warehouse
from sandbox.exports.base import Export, Span
from sandbox.world import Company, World, WorldProfile

_LOADED = (
    ("linkedin_ads", "506849291"),
    ("pinterest_ads", "549761668032"),
    ("snapchat_ads", "8b0e1a52-2c1e-4d0a-9d1a-5d9f3a1c7e10"),
    ("reddit_ads", "t2_3x4mpl3"),
    ("twitter_ads", "18ce5example"),
    ("apple_search_ads", "4021370"),
)
"""The tables' sources whose ad accounts the world does not have, and an ad account of each."""


def ad_exports(world: World, company: Company, start: date, end: date) -> Iterator[Export]:
    """Files about the company's ads. Those of platforms that nobody lists have numbers of ad accounts of their own."""
    own_accounts = {one.platform: Span(world, one, start, end) for one in reversed(company.profiles)}
    yield own.own_columns(own_accounts["google_ads"])
    yield fivetran.campaign_report(own_accounts[platform] for platform in fivetran.PLATFORMS)
    yield google_ui.english(own_accounts["google_ads"])
    yield google_ui.in_german(own_accounts["google_ads"])
    yield meta_manager.english(own_accounts["meta_ads"])
    yield meta_manager.in_german(own_accounts["meta_ads"])
    yield platform_reports.microsoft_report(own_accounts["microsoft_ads"])
    yield platform_reports.amazon_in_german(own_accounts["amazon_ads"])
    yield from warehouse.tables(own_accounts | _loaded(world, company, start, end))


def shop_exports(world: World, company: Company, start: date, end: date) -> Iterator[Export]:
    """Files about what the company's Google campaigns sold."""
    span = Span(world, company.on("google_ads")[0], start, end)
    yield own.own_orders(span)
    yield shopify.shopify_orders(span)
    yield crm.hubspot_deals(span)
    yield crm.salesforce_data_loader(span)
    yield crm.salesforce_report(span)
    yield ga4.ga4_report(span)


def _loaded(world: World, company: Company, start: date, end: date) -> dict[str, Span]:
    like = company.elsewhere.profiles[0]
    profiles = tuple(_of(like, source, account_id) for source, account_id in _LOADED)
    aside = World(world.seed, world.anchor, (Company(company.key, company.name, company.email, profiles, {}),))
    aside.offset = world.offset
    return {profile.platform: Span(aside, profile, start, end) for profile in profiles}


def _of(like: WorldProfile, source: str, account_id: str) -> WorldProfile:
    """An ad account of another platform with campaigns like these, and numbers of its own."""
    return replace(like, platform=source, id=account_id)
