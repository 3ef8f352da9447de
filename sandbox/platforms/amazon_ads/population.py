"""Who advertises on Amazon, with which products, and how Amazon's numbers restate."""

from __future__ import annotations

from sandbox.platforms.amazon_ads.regions import REGIONS
from sandbox.world.catalog import (
    ANGLES,
    Advertiser,
    Holdings,
    WorldAd,
    WorldAdGroup,
    WorldCampaign,
    WorldKeyword,
    WorldProfile,
    flight_of,
    secret_of,
    status_of,
)
from sandbox.world.draw import seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.traits import Channel, Restatement, Traits

PLATFORM = "amazon_ads"

_TRAITS = Traits(
    # Invalid traffic is taken back for 3 days, conversions grow over window and restatement.
    Restatement(
        growth=(
            (42, 1000), (28, 985), (14, 950), (7, 880), (5, 830), (4, 790), (3, 740), (2, 670), (1, 570), (0, 400),
        ),
        corrections=(1, 2, 3),
    ),
    Channel(carry=250, half=1_800 * MICRO, effect=6_000 * MICRO),
)  # fmt: skip
_WINDOWS = {"seller": {"sp": 7, "sb": 14, "sd": 14}, "vendor": {"sp": 14, "sb": 14, "sd": 14}}
"""The attribution window by kind and ad product."""
_ACCOUNTS = {
    "halden": (("3104477120988101", "Halden Outdoor", "USD", "America/Los_Angeles", "US", 3600, "seller"),),
    "mori": (("7208815530417702", "Mori Kitchen 日本", "JPY", "Asia/Tokyo", "JP", 5200, "vendor"),),
}
"""By advertiser: id, name, currency, time zone, country, scale, kind. All of one advertiser's are in one region."""
_MATCHES = ("EXACT", "PHRASE", "BROAD")
_PLAN = (*[("sp", 3, 4)] * 4, *[("sb", 1, 2)] * 2, ("sd", 1, 3))
"""Per campaign: ad product, ad groups, ads per group."""


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's profiles, and the refresh token that opens them."""
    profiles = tuple(
        WorldProfile(
            PLATFORM, id_, name, currency, timezone, country, scale, _WINDOWS[kind], _TRAITS,
            _campaigns(seed, id_, advertiser.things, scale), kind, REGIONS[country],
        )
        for id_, name, currency, timezone, country, scale, kind in _ACCOUNTS.get(advertiser.key, ())
    )  # fmt: skip
    if not profiles:
        return Holdings((), {})
    key = advertiser.key
    credential = {
        "client_id": f"amzn1.application-oa2-client.{secret_of(seed, key, 'client')[:32]}",
        "client_secret": f"amzn1.oa2-cs.v1.{secret_of(seed, key, 'client secret')}",
        "refresh_token": f"Atzr|{secret_of(seed, key, 'refresh')}",
        "region": profiles[0].region,
    }
    return Holdings(profiles, {PLATFORM: credential})


def _campaigns(seed: int, profile_id: str, things: tuple[str, ...], scale: int) -> tuple[WorldCampaign, ...]:
    """Mostly Sponsored Products, two Sponsored Brands campaigns, one Sponsored Display."""
    campaigns, ads_before, keywords_before = [], 0, 0
    stem = profile_id[:4]
    for c, (product, group_count, ad_count) in enumerate(_PLAN):
        groups = []
        for g in range(group_count):
            thing = things[(c * 3 + g) % len(things)]
            numbers = range(ads_before + 1, ads_before + ad_count + 1)
            ads = tuple(_ad(seed, profile_id, product, thing, number) for number in numbers)
            matches = () if product == "sd" or c == 0 else _MATCHES
            keywords = tuple(
                WorldKeyword(f"{stem}44{number:09d}", f"{thing} {match.lower()}", match, scale // 40 + k)
                for k, (number, match) in enumerate(enumerate(matches, keywords_before + 1))
            )
            ads_before, keywords_before = ads_before + len(ads), keywords_before + len(keywords)
            group_id = f"{stem}22{c * 3 + g + 1:09d}"
            groups.append(WorldAdGroup(group_id, f"{thing.title()} {g + 1}", "ACTIVE", ads, keywords))
        name = f"{product.upper()} {('Auto', 'Brand', 'Category', 'Rivals', 'Story', 'Video', 'Reach')[c]}"
        status, campaign_id = "PAUSED" if c == 3 else "ACTIVE", f"{stem}11{c + 1:09d}"
        campaigns.append(WorldCampaign(campaign_id, name, status, product, "", scale * 16, tuple(groups)))
    return tuple(campaigns)


def _ad(seed: int, profile_id: str, product: str, thing: str, number: int) -> WorldAd:
    """An ad for one product; a brand ad has a headline of its own."""
    stem, ad_seed = profile_id[:4], seed_of(seed, PLATFORM, profile_id, number)
    creative = {"asin": f"B0{seed_of('asin', thing, number) % 36**6:08d}"[:10], "sku": f"SKU-{stem}-{number}"}
    if product == "sb":
        creative["headline"] = f"{thing.title()}: {ANGLES[ad_seed % 6]}"
    name, ad_id = f"{thing.title()} {number}", f"{stem}33{number:09d}"
    return WorldAd(ad_id, number, name, status_of(ad_seed), creative, ad_seed, flight_of(ad_seed))
