"""Who advertises on TikTok, with which ads, and how TikTok's numbers restate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from sandbox.world.catalog import (
    ANGLES,
    Advertiser,
    Holdings,
    WorldAd,
    WorldAdGroup,
    WorldCampaign,
    WorldProfile,
    flight_of,
    secret_of,
    status_of,
)
from sandbox.world.crowd import ad_accounts
from sandbox.world.draw import seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.plan import recent
from sandbox.world.traits import Billing, Channel, LineKind, Restatement, Traits

PLATFORM = "tiktok_ads"
SMART_PLUS = "UPGRADED_SMART_PLUS"
TOP_VIEW, PROMOTE, BRANDED_MISSION = "TOP_VIEW", "PROMOTE", "BRANDED_MISSION"
REACH_AND_FREQUENCY = "REACH_AND_FREQUENCY"
LIMITED = "STATUS_LIMIT"

_TRAITS = Traits(
    # Yesterday is provisional until the daily correction at 12:00 UTC; conversions grow over the window of the click.
    Restatement(
        growth=(
            (30, 1000), (28, 995), (21, 985), (14, 965), (7, 910), (5, 870), (3, 800), (2, 730), (1, 620), (0, 380),
        ),
        corrections=(1, 2),
    ),
    Channel(carry=400, half=2_000 * MICRO, effect=7_000 * MICRO, name="short_video"),
    located=frozenset({"conversions"}),  # audience reports refuse the metrics of purchases
)  # fmt: skip
_WINDOWS, _VIEW_WINDOWS = {"": 7}, {"": 1}
"""The default attribution setting: 7 days after a click, 1 day after a view."""


class _TikTokAccount(NamedTuple):
    """An advertiser. `offset_zone`: its `timezone`, where that is no place. `last_day`: when a limited one stopped.

    `billing`: None for one that pays by card.
    """

    id: str
    name: str
    currency: str
    timezone: str
    country: str
    scale: int
    offset_zone: str = ""
    awkward: bool = False
    leads: bool = False
    last_day: int = 0
    billing: Billing | None = None


_ACCOUNTS = {
    "halden": (
        _TikTokAccount(
            "7000000000000000101", "Halden Outdoor US", "USD", "America/New_York", "US", 3300,
            billing=Billing(3, promotion=18),
        ),
        _TikTokAccount("7000000000000000102", "Halden Outdoor DE", "EUR", "Europe/Berlin", "DE", 2100),
    ),
    "mori": (
        _TikTokAccount(
            "7000000000000000201", "Mori Kitchen 日本", "JPY", "Asia/Tokyo", "JP", 4400, "Etc/GMT-9",
            billing=Billing(3, tax=100, correction=5, memos=frozenset({LineKind.ADJUSTMENT})),
        ),
    ),
    "kestrel": (
        _TikTokAccount(
            "7000000000000000301", "Kestrel Audio UK", "GBP", "Europe/London", "GB", 2700, awkward=True,
            billing=Billing(3, tax=200),
        ),
        _TikTokAccount(
            "7000000000000000302", "Kestrel Audio Old", "USD", "America/New_York", "US", 1900, last_day=recent(38)
        ),
    ),
    "lumen": (_TikTokAccount("7000000000000000401", "Lumen Solar ES", "EUR", "Europe/Madrid", "ES", 2400, leads=True),),
}  # fmt: skip
"""By company. Scale: minor units that an ad spends on a typical day."""
UNGRANTED = {"kestrel": (("7000000000000000303", "Kestrel Audio Partner"),)}
"""Advertisers that a company's token lists and may not read."""
ALLOWED_TASKS = frozenset({"halden", "kestrel"})
"""The companies whose app is on the allow-list of asynchronous reports."""
_PLANS = (("Prospecting", 2, 4, ""), ("Retargeting", 2, 4, ""), ("Spark", 2, 3, ""), ("Smart+", 1, 6, SMART_PLUS))
"""A campaign's name, its ad groups, ads per group, and what automates it."""
_CREATIVES_PER_AD = 3
_CALLS_TO_ACTION = ("SHOP_NOW", "LEARN_MORE", "ORDER_NOW")


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The company's advertisers, and the token that opens them."""
    profiles = tuple(_profile(seed, advertiser, account) for account in ad_accounts(advertiser, _ACCOUNTS))
    return Holdings(profiles, {PLATFORM: credential_of(seed, advertiser.key)} if profiles else {})


def credential_of(seed: int, company: str) -> dict[str, str]:
    """The company's long-lived token, and the app that it was given to."""
    return {
        "access_token": secret_of(seed, company, "tiktok token")[:40],
        "app_id": str(7 * 10**18 + seed_of(seed, company, "tiktok app") % 10**18),
        "secret": secret_of(seed, company, "tiktok secret")[:40],
    }


def zone_of(profile: WorldProfile) -> str:
    """What `timezone` says, which may be an offset from UTC with its sign turned round (Etc/GMT-9 is UTC+9)."""
    for accounts in _ACCOUNTS.values():
        for account in accounts:
            if account.id == profile.id:
                return account.offset_zone or account.timezone
    return profile.timezone


def _profile(seed: int, advertiser: Advertiser, account: _TikTokAccount) -> WorldProfile:
    campaigns = _campaigns(seed, account, advertiser.things)
    if account.awkward:
        campaigns = (*(_thinned(c) for c in campaigns[:-2]), _deleted(campaigns[-2], recent(40)), campaigns[-1])
        campaigns += (_reserved(seed, account, REACH_AND_FREQUENCY, 900), *_apart(seed, account))
    if account.last_day:
        campaigns = tuple(_stopped(campaign, account.last_day) for campaign in campaigns)
    return WorldProfile(
        PLATFORM,
        account.id,
        account.name,
        account.currency,
        account.timezone,
        account.country,
        account.scale,
        _WINDOWS,
        replace(_TRAITS, sells=not account.leads),
        campaigns,
        kind=LIMITED if account.last_day else "STATUS_ENABLE",
        view_windows=_VIEW_WINDOWS,
        patchy=account.awkward,
        billing=account.billing,
    )


def _id(account: _TikTokAccount, kind: int, number: int) -> str:
    return f"18{account.id[-3:]}{kind}{number:010d}"


def _campaigns(seed: int, account: _TikTokAccount, things: tuple[str, ...]) -> tuple[WorldCampaign, ...]:
    """Three manual campaigns and an upgraded Smart+ one, whose ads of the world are the creatives of its ads."""
    objective, campaigns, number, groups_before = "LEAD_GENERATION" if account.leads else "WEB_CONVERSIONS", [], 0, 0
    for c, (name, groups, per_group, automation) in enumerate(_PLANS):
        made = []
        for g in range(groups):
            thing = things[(c * 2 + g) % len(things)]
            ads = [_ad(seed, account, thing, number + n, automation) for n in range(1, per_group + 1)]
            number += per_group
            groups_before += 1
            made.append(WorldAdGroup(_id(account, 2, groups_before), f"{thing.title()} {g + 1}", "ACTIVE", tuple(ads)))
        campaign_id, budget = _id(account, 1, c + 1), account.scale * 16
        campaigns.append(
            WorldCampaign(campaign_id, name, "ACTIVE", "", objective, budget, tuple(made), kind=automation)
        )
    return tuple(campaigns)


def _ad(seed: int, account: _TikTokAccount, thing: str, number: int, automation: str = "") -> WorldAd:
    ad_seed = seed_of(seed, PLATFORM, account.id, number)
    creative = _creative(account, thing, number, ad_seed)
    if automation:
        creative["smart_plus_ad_id"] = _id(account, 4, (number - 1) // _CREATIVES_PER_AD + 1)
    name = f"{thing.title()} {number}"
    return WorldAd(_id(account, 3, number), number, name, status_of(ad_seed), creative, ad_seed, flight_of(ad_seed))


def _creative(account: _TikTokAccount, thing: str, number: int, seed: int) -> dict[str, Any]:
    """Single videos, images, carousels, Spark ads without media of their own, and catalog ads without any."""
    link = f"https://shop.example/{thing.replace(' ', '-')}?utm_source=tiktok&utm_content={number}"
    creative: dict[str, Any] = {
        "ad_format": "SINGLE_VIDEO",
        "ad_text": f"{ANGLES[seed % 6]}: {thing} ✨ Ümläut & 日本 {number}",
        "call_to_action": _CALLS_TO_ACTION[seed % 3],
        "landing_page_url": link,
        "display_name": account.name,
    }
    media, image = f"v10033g50000{account.id[-3:]}{number:08d}", f"ad-site-i18n-sg/{account.id[-3:]}{number:08d}"
    match number % 6:
        case 0:
            creative |= {"ad_format": "SINGLE_IMAGE", "image_ids": [image]}
        case 1:
            creative |= {"tiktok_item_id": f"72{account.id[-3:]}{number:014d}", "identity_type": "AUTH_CODE"}
        case 2:
            creative |= {"ad_format": "CAROUSEL_ADS", "image_ids": [f"{image}a", f"{image}b"]}
            creative |= {"landing_page_url": None, "landing_page_urls": [link, f"{link}&card=2"]}
        case 3:
            creative |= {"ad_format": "CATALOG_CAROUSEL", "catalog_id": "7100000000000000001"}
            creative |= {"product_set_id": "7100000000000000002", "call_to_action": None, "call_to_action_id": "77001"}
        case _:
            creative |= {"video_id": media, "image_ids": [f"{image}cover"]}
    return creative


# -- what makes an advertiser awkward --------------------------------------------------------------------------------


def _thinned(campaign: WorldCampaign) -> WorldCampaign:
    """Some ads are deleted with a past, and one in nine is in no list and no report any more."""
    return replace(campaign, groups=tuple(_thinned_group(group) for group in campaign.groups))


def _thinned_group(group: WorldAdGroup) -> WorldAdGroup:
    ads, unlisted = list[WorldAd](), list[WorldAd]()
    for ad in group.ads:
        if ad.number % 9 not in (4, 8):
            ads.append(ad)
            continue
        gone = replace(ad, status="DELETED", flight=(ad.flight[0], min(ad.flight[1], recent(30 + ad.number % 25))))
        (unlisted if ad.number % 9 == 8 else ads).append(gone)
    return replace(group, ads=tuple(ads), unlisted=tuple(unlisted))


def _stopped(campaign: WorldCampaign, last: int) -> WorldCampaign:
    """Nothing in it delivers after a day."""

    def ended(ad: WorldAd) -> WorldAd:
        return replace(ad, flight=(ad.flight[0], min(ad.flight[1], last)))

    return replace(campaign, groups=tuple(replace(g, ads=tuple(ended(ad) for ad in g.ads)) for g in campaign.groups))


def _deleted(campaign: WorldCampaign, last: int) -> WorldCampaign:
    """A campaign that was deleted with everything in it, and has a past."""
    groups = (
        replace(
            g, status="DELETED", ads=tuple(a if a.status == "PAUSED" else replace(a, status="DELETED") for a in g.ads)
        )
        for g in _stopped(campaign, last).groups
    )
    return replace(campaign, status="DELETED", groups=tuple(groups))


def _apart(seed: int, account: _TikTokAccount) -> Iterator[WorldCampaign]:
    """What only the advertiser's level contains: a TopView, a promoted post, and a Branded Mission without an id."""
    for n, kind in enumerate((TOP_VIEW, PROMOTE, BRANDED_MISSION), 901):
        campaign = _reserved(seed, account, kind, n)
        groups = tuple(replace(group, ads=(), unlisted=group.ads) for group in campaign.groups)
        yield replace(campaign, groups=groups, apart=True)


_NAMES = {REACH_AND_FREQUENCY: "Reach", TOP_VIEW: "TopView", PROMOTE: "Promoted post", BRANDED_MISSION: ""}


def _reserved(seed: int, account: _TikTokAccount, kind: str, number: int) -> WorldCampaign:
    """A campaign of one ad; a Branded Mission's has no ids."""
    name, named = _NAMES[kind], kind != BRANDED_MISSION
    ids = [_id(account, level, number) if named else "" for level in (1, 2, 3)]
    creative = {"ad_format": "SINGLE_VIDEO", "ad_text": name, "video_id": f"v10033g50000{account.id[-3:]}{number:08d}"}
    creative |= {"landing_page_url": "https://shop.example/"} if kind == REACH_AND_FREQUENCY else {}
    ad_seed = seed_of(seed, PLATFORM, account.id, kind)
    ad = WorldAd(ids[2], number, name, "ACTIVE", creative, ad_seed, (0, 1_000_000))
    group = WorldAdGroup(ids[1], name, "ACTIVE", (ad,))
    objective = "RF_REACH" if kind in (REACH_AND_FREQUENCY, TOP_VIEW) else "REACH"
    return WorldCampaign(ids[0], name, "ACTIVE", "", objective, account.scale * 16, (group,), kind=kind)
