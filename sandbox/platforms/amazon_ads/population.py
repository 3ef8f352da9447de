"""Who advertises on Amazon, with which products, and how Amazon's numbers restate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sandbox.platforms.amazon_ads.regions import REGIONS
from sandbox.platforms.amazon_ads.spelling import asin_of
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
from sandbox.world.crowd import ad_accounts
from sandbox.world.draw import seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.plan import recent
from sandbox.world.traits import Billing, Channel, Restatement, Traits

PLATFORM = "amazon_ads"

_TRAITS = Traits(
    # Invalid traffic is taken back for 3 days, conversions grow over window and restatement.
    Restatement(
        growth=(
            (42, 1000), (28, 985), (14, 950), (7, 880), (5, 830), (4, 790), (3, 740), (2, 670), (1, 570), (0, 400),
        ),
        corrections=(1, 2, 3),
    ),
    Channel(carry=250, half=1_300 * MICRO, effect=4_500 * MICRO, name="retail_search"),
    channels={
        "sb": Channel(carry=500, half=900 * MICRO, effect=2_000 * MICRO, name="retail_brand"),
        "sd": Channel(carry=350, half=700 * MICRO, effect=1_200 * MICRO, name="retail_display"),
    },
)  # fmt: skip
_WINDOWS = {"seller": {"sp": 7, "sb": 14, "sd": 14}, "vendor": {"sp": 14, "sb": 14, "sd": 14}}
"""The attribution window by kind and ad product."""
_VIEW_WINDOWS = {"sb": 14, "sd": 14}
"""Brands and Display count views too (columns "purchases" and "sales"), Products do not."""


class _Seller(NamedTuple):
    """An ad account.

    `awkward`: ads and a campaign that are gone, spend without ads, a Brands campaign from before ad groups.
    `billing`: None where the user of the credential may not see the billing history.
    """

    id: str
    name: str
    currency: str
    timezone: str
    country: str
    scale: int
    kind: str
    awkward: bool = False
    lacking: frozenset[str] = frozenset()
    billing: Billing | None = None


_ACCOUNTS = {
    "halden": (
        _Seller(
            "3104477120988101", "Halden Outdoor", "USD", "America/Los_Angeles", "US", 3600, "seller",
            billing=Billing(3, promotion=20),
        ),
    ),
    "mori": (
        _Seller(
            "7208815530417702", "Mori Kitchen 日本", "JPY", "Asia/Tokyo", "JP", 5200, "vendor",
            billing=Billing(3, tax=100, correction=9),
        ),
    ),
    "kestrel": (
        _Seller("5519902744130603", "Kestrel Audio", "USD", "America/New_York", "US", 2900, "seller", awkward=True),
        _Seller(
            "8840026175539204", "Kestrel Audio DE", "EUR", "Europe/Berlin", "DE", 2600, "seller",
            lacking=frozenset({"sd"}), billing=Billing(3, tax=190),
        ),
    ),
}  # fmt: skip
"""By advertiser. Scale: minor units that an ad spends on a typical day. Each region has a credential of its own."""
_MATCHES = ("EXACT", "PHRASE", "BROAD")
_EXPRESSION, _PREDEFINED = "TARGETING_EXPRESSION", "TARGETING_EXPRESSION_PREDEFINED"
AUTOMATIC = ("close-match", "loose-match", "substitutes", "complements")
"""The targets that Amazon makes in an automatic campaign, as reports spell them."""


class _Plan(NamedTuple):
    """A campaign: its ad product, ad groups, ads per group, and how they are targeted."""

    name: str
    product: str
    groups: int
    ads: int
    targeting: str


_PLANS = (
    _Plan("Auto", "sp", 3, 4, "automatic"),
    _Plan("Brand", "sp", 3, 4, "keywords"),
    _Plan("Category", "sp", 3, 4, "keywords"),
    _Plan("Rivals", "sp", 3, 4, "products"),
    _Plan("Story", "sb", 1, 2, "keywords"),
    _Plan("Video", "sb", 1, 2, "products"),
    _Plan("Reach", "sd", 1, 3, "similar"),
)


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's profiles, and the refresh tokens that open them, one in each region."""
    profiles = tuple(_profile(seed, advertiser, account) for account in ad_accounts(advertiser, _ACCOUNTS))
    credentials = {}
    for region in dict.fromkeys(profile.region for profile in profiles):
        first = region == profiles[0].region
        owner = (advertiser.key,) if first else (advertiser.key, region)
        credentials[PLATFORM if first else f"{PLATFORM}:{region.lower()}"] = {
            "client_id": f"amzn1.application-oa2-client.{secret_of(seed, *owner, 'client')[:32]}",
            "client_secret": f"amzn1.oa2-cs.v1.{secret_of(seed, *owner, 'client secret')}",
            "refresh_token": f"Atzr|{secret_of(seed, *owner, 'refresh')}",
            "region": region,
        }
    return Holdings(profiles, credentials)


def _profile(seed: int, advertiser: Advertiser, account: _Seller) -> WorldProfile:
    campaigns = tuple(_campaigns(seed, account, advertiser.things))
    if account.awkward:
        thinned = (replace(c, groups=tuple(_thinned(g) for g in c.groups)) for c in campaigns)
        ended = (_ended(c) if c.name == "SP Rivals" else c for c in thinned)
        campaigns = (*ended, _adless(seed, account), _before_ad_groups(seed, account, advertiser.things[0]))
    return WorldProfile(
        PLATFORM,
        account.id,
        account.name,
        account.currency,
        account.timezone,
        account.country,
        account.scale,
        _WINDOWS[account.kind],
        _TRAITS,
        campaigns,
        account.kind,
        REGIONS[account.country],
        view_windows=_VIEW_WINDOWS,
        lacking=account.lacking,
        billing=account.billing,
    )


def _campaigns(seed: int, account: _Seller, things: tuple[str, ...]) -> Iterator[WorldCampaign]:
    """Mostly Sponsored Products, two Sponsored Brands campaigns, one Sponsored Display."""
    ads_before, keywords_before = 0, 0
    stem, scale = account.id[:4], account.scale
    for c, plan in enumerate(plan for plan in _PLANS if plan.product not in account.lacking):
        groups = []
        for g in range(plan.groups):
            thing = things[(c * 3 + g) % len(things)]
            numbers = range(ads_before + 1, ads_before + plan.ads + 1)
            ads = tuple(_ad(seed, account.id, plan, thing, number) for number in numbers)
            keywords = tuple(
                WorldKeyword(f"{stem}44{number:09d}", text, match, scale // 40 + k)
                for k, (number, (text, match)) in enumerate(enumerate(_targets(plan, thing), keywords_before + 1))
            )
            ads_before, keywords_before = ads_before + len(ads), keywords_before + len(keywords)
            group_id = f"{stem}22{c * 3 + g + 1:09d}"
            groups.append(WorldAdGroup(group_id, f"{thing.title()} {g + 1}", "ACTIVE", ads, keywords))
        name, goal = f"{plan.product.upper()} {plan.name}", "PAGE_VISIT" if plan.product == "sb" else ""
        status, campaign_id = "PAUSED" if plan.name == "Rivals" else "ACTIVE", f"{stem}11{c + 1:09d}"
        yield WorldCampaign(campaign_id, name, status, plan.product, goal, scale * 16, tuple(groups))


def _targets(plan: _Plan, thing: str) -> list[tuple[str, str]]:
    """Text and match type of an ad group's keywords or targets, as reports spell them."""
    if plan.targeting == "automatic":
        return [(text, _PREDEFINED) for text in AUTOMATIC]
    if plan.targeting == "keywords":
        return [(f"{thing} {match.lower()}", match) for match in _MATCHES]
    category = 10**9 + seed_of("category", thing) % 10**9
    first = "similar-product" if plan.targeting == "similar" else f'asin="{asin_of("rival", thing)}"'
    return [(first, _EXPRESSION), (f'category="{category}"', _EXPRESSION)]


def _ad(seed: int, profile_id: str, plan: _Plan, thing: str, number: int) -> WorldAd:
    """An ad for one product; a brand ad has a headline of its own, or a video."""
    stem, ad_seed = profile_id[:4], seed_of(seed, PLATFORM, profile_id, number)
    creative = {"asin": asin_of(thing, number), "sku": f"SKU-{stem}-{number}"}
    if plan.product == "sb":
        creative["headline"] = f"{thing.title()}: {ANGLES[ad_seed % 6]}"
    if plan.name == "Video":
        creative["video"] = f"amzn1.assetlibrary.asset1.{secret_of(seed, profile_id, str(number))[:32]}"
    name, ad_id = f"{thing.title()} {number}", f"{stem}33{number:09d}"
    return WorldAd(ad_id, number, name, status_of(ad_seed), creative, ad_seed, flight_of(ad_seed))


# -- what makes an ad account awkward ---------------------------------------------------------------------------------


def _thinned(group: WorldAdGroup) -> WorldAdGroup:
    """Some ads are archived with a past, and one in nine is in no list and no ad report any more."""
    ads, unlisted = list[WorldAd](), list[WorldAd]()
    for ad in group.ads:
        if ad.number % 9 in (4, 6, 8):
            gone = replace(ad, status="ARCHIVED", flight=(ad.flight[0], min(ad.flight[1], recent(30 + ad.number % 25))))
            (unlisted if ad.number % 9 == 8 else ads).append(gone)
        else:
            ads.append(ad)
    return replace(group, ads=tuple(ads), unlisted=tuple(unlisted))


def _ended(campaign: WorldCampaign) -> WorldCampaign:
    """A campaign that was archived with everything in it, and has a past."""

    def gone(ads: tuple[WorldAd, ...]) -> tuple[WorldAd, ...]:
        ended = (replace(ad, flight=(ad.flight[0], min(ad.flight[1], recent(48)))) for ad in ads)
        return tuple(ad if ad.status == "PAUSED" else replace(ad, status="ARCHIVED") for ad in ended)

    groups = (
        replace(
            group,
            status="ARCHIVED",
            ads=gone(group.ads),
            unlisted=gone(group.unlisted),
            keywords=tuple(replace(keyword, state="ARCHIVED") for keyword in group.keywords),
        )
        for group in campaign.groups
    )
    return replace(campaign, status="ARCHIVED", groups=tuple(groups))


def _adless(seed: int, account: _Seller) -> WorldCampaign:
    """A campaign whose spend belongs to no ad and no target."""
    stem = account.id[:4]
    spend = WorldAd("", 0, "", "ACTIVE", {}, seed_of(seed, PLATFORM, account.id, "adless"), (0, 1_000_000))
    group = WorldAdGroup(f"{stem}22{901:09d}", "Without ads", "ACTIVE", (), unlisted=(spend,))
    return WorldCampaign(f"{stem}11{901:09d}", "SP Without ads", "ACTIVE", "sp", "", account.scale * 16, (group,))


def _before_ad_groups(seed: int, account: _Seller, thing: str) -> WorldCampaign:
    """A Brands campaign without a goal, from before ad groups: lists show it, reports never do. It never ran."""
    stem, plan = account.id[:4], _Plan("Before ad groups", "sb", 1, 1, "keywords")
    ad = replace(_ad(seed, account.id, plan, thing, 902), status="PAUSED")
    group = WorldAdGroup(f"{stem}22{902:09d}", f"{thing.title()} 1", "PAUSED", (ad,))
    return WorldCampaign(f"{stem}11{902:09d}", "SB Before ad groups", "PAUSED", "sb", "", account.scale * 16, (group,))
