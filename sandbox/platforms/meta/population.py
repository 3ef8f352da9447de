"""Who advertises on Meta, with which creatives, and how Meta's numbers restate."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
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
from sandbox.world.draw import mix, seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.plan import recent
from sandbox.world.traits import Billing, Channel, LineKind, Restatement, Traits

PLATFORM = "meta_ads"

_TRAITS = Traits(
    # Insights stop changing after 28 days; a few ad-days are corrected until then.
    Restatement(
        growth=((28, 1000), (14, 950), (7, 880), (5, 830), (4, 790), (3, 740), (2, 670), (1, 570), (0, 400)),
        corrections=(1, 2),
        late_corrections=(1, 2, 3, 7, 14, 28),
        late_one_in=5,
    ),
    Channel(carry=550, half=2_500 * MICRO, effect=9_000 * MICRO, name="social"),
    half_credits=3,
    hourly_conversions=False,
    located=frozenset(),
)
_WINDOWS, _VIEW_WINDOWS = {"": 7}, {"": 1}
"""The default attribution setting: 7 days after a click, 1 day after a view."""


class _Account(NamedTuple):
    """An ad account. `awkward`: ads that are gone, spend without ads, hours with holes. `leads`: it sells nothing.

    `billing`: None for one that pays by card.
    """

    id: str
    name: str
    currency: str
    timezone: str
    country: str
    scale: int
    awkward: bool = False
    leads: bool = False
    billing: Billing | None = None


_LOCATION_FEES = date(2026, 7, 1)
"""Since then Meta charges 2 % for ads that are shown in the United Kingdom, on the invoice alone (Meta Business Help,
About location fees for ads).
"""
_MEMOS = frozenset({LineKind.INVALID, LineKind.ADJUSTMENT})
_ACCOUNTS = {
    "halden": (
        _Account(
            "1042017731", "Halden Outdoor US", "USD", "America/New_York", "US", 4200,
            billing=Billing(2, promotion=12, memos=_MEMOS),
        ),
    ),
    "mori": (_Account("1077340052", "Mori Küche DE", "EUR", "Europe/Berlin", "DE", 3900),),
    "kestrel": (_Account("1093310648", "Kestrel Audio JP", "JPY", "Asia/Tokyo", "JP", 4600, awkward=True),),
    "lumen": (
        _Account(
            "1061925397", "Lumen Solar UK", "GBP", "Europe/London", "GB", 3100, leads=True,
            billing=Billing(2, tax=200, fee=20, fee_since=_LOCATION_FEES, correction=8, memos=_MEMOS),
        ),
    ),
}  # fmt: skip
"""By advertiser. Scale: minor units that an ad spends on a typical day."""
WITHOUT_FINANCE_ROLE = frozenset({"1093310648"})
"""Ad accounts whose company's system user has no finance role in the business that owns them."""
_ADS = 48
"""How many ads of an ad account have run, or may run."""
_DELETED_DAY = recent(40)
"""The last day of the deleted campaign, counted from the world's first."""
_GONE = ("ARCHIVED", "DELETED")
_CALLS_TO_ACTION = ("SHOP_NOW", "LEARN_MORE", "GET_OFFER")


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's ad accounts, and the system user's token that opens them."""
    profiles = tuple(_profile(seed, advertiser, account) for account in ad_accounts(advertiser, _ACCOUNTS))
    credential = {
        "access_token": f"EAAG{secret_of(seed, advertiser.key, 'meta token')[:48]}",
        "app_id": str(10**14 + seed_of(seed, advertiser.key, "app") % 10**14),
        "app_secret": secret_of(seed, advertiser.key, "app secret")[:32],
    }
    return Holdings(profiles, {PLATFORM: credential} if profiles else {})


def _profile(seed: int, advertiser: Advertiser, account: _Account) -> WorldProfile:
    campaigns = _campaigns(seed, account, advertiser.things)
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
        _with_the_gone(seed, account.id, campaigns) if account.awkward else campaigns,
        view_windows=_VIEW_WINDOWS,
        patchy=account.awkward,
        billing=account.billing,
    )


def _with_the_gone(seed: int, profile_id: str, campaigns: tuple[WorldCampaign, ...]) -> tuple[WorldCampaign, ...]:
    """The campaigns with some ads deleted, archived or forgotten; the last is deleted, and another spends without ads.

    Ad groups, campaigns and the account keep counting what was delivered.
    """
    thinned = [replace(c, groups=tuple(_thinned(g) for g in c.groups)) for c in campaigns]
    return (*thinned[:-1], _deleted(thinned[-1]), _adless(seed, profile_id))


def _deleted(campaign: WorldCampaign) -> WorldCampaign:
    """A campaign that was deleted with everything in it, and has a past."""

    def ended(ads: tuple[WorldAd, ...]) -> tuple[WorldAd, ...]:
        stopped = (replace(ad, flight=(ad.flight[0], min(ad.flight[1], _DELETED_DAY))) for ad in ads)
        return tuple(ad if ad.status == "PAUSED" else replace(ad, status="DELETED") for ad in stopped)

    groups = (replace(g, status="DELETED", ads=ended(g.ads), unlisted=ended(g.unlisted)) for g in campaign.groups)
    return replace(campaign, status="DELETED", groups=tuple(groups))


def _thinned(group: WorldAdGroup) -> WorldAdGroup:
    ads, unlisted = list[WorldAd](), list[WorldAd]()
    for ad in group.ads:
        gone = {4: "DELETED", 6: "ARCHIVED", 8: "DELETED"}.get(ad.number % 9)
        if gone is None:
            ads.append(ad)
            continue
        flight = (ad.flight[0], min(ad.flight[1], recent(30 + ad.number % 25)))
        gone_ad = replace(ad, status=gone, flight=flight)
        (unlisted if ad.number % 9 == 8 else ads).append(gone_ad)
    return replace(group, ads=tuple(ads), unlisted=tuple(unlisted))


def _adless(seed: int, profile_id: str) -> WorldCampaign:
    spend = WorldAd("", 0, "", "ACTIVE", {}, seed_of(seed, PLATFORM, profile_id, "adless"), (0, 1_000_000))
    stem = f"2385{profile_id[-5:]}"
    group = WorldAdGroup(f"{stem}29000001", "Boosted", "ACTIVE", (), unlisted=(spend,))
    return WorldCampaign(f"{stem}19000001", "Boosted posts", "ACTIVE", "", "OUTCOME_ENGAGEMENT", 50_000, (group,))


def _campaigns(seed: int, account: _Account, things: tuple[str, ...]) -> tuple[WorldCampaign, ...]:
    """Four campaigns of three ad sets of four ads; the last has two more, which were given up before they ran."""
    profile_id, scale = account.id, account.scale
    objective = "OUTCOME_LEADS" if account.leads else "OUTCOME_SALES"
    campaigns, number = [], 0
    stem = f"2385{profile_id[-5:]}"
    for c in range(4):
        groups = []
        for g in range(3):
            thing = things[(c * 2 + g) % len(things)]
            ads = [_ad(seed, profile_id, thing, number + n) for n in range(1, 5)]
            number += len(ads)
            if number == _ADS:
                ads += [_never_ran(_ad(seed, profile_id, thing, _ADS + n), _GONE[n - 1]) for n in (1, 2)]
            group_id = f"{stem}2{c * 3 + g + 1:07d}"
            groups.append(WorldAdGroup(group_id, f"Set {c + 1}.{g + 1}", "ACTIVE", tuple(ads)))
        name, campaign_id = ("Prospecting", "Retargeting", "Brand", "Catalogue")[c], f"{stem}1{c + 1:07d}"
        campaigns.append(WorldCampaign(campaign_id, name, "ACTIVE", "", objective, scale * 16, tuple(groups)))
    return tuple(campaigns)


def _ad(seed: int, profile_id: str, thing: str, number: int) -> WorldAd:
    ad_seed = seed_of(seed, PLATFORM, profile_id, number)
    ad_id, name = f"2385{profile_id[-5:]}3{number:07d}", f"{thing.title()} {number}"
    creative = _creative(profile_id, number, ad_seed, thing)
    return WorldAd(ad_id, number, name, status_of(ad_seed), creative, ad_seed, flight_of(ad_seed))


def _never_ran(ad: WorldAd, status: str) -> WorldAd:
    return replace(ad, status=status, flight=(0, -1))


def _creative(profile_id: str, number: int, seed: int, thing: str) -> dict[str, Any]:
    """The fields stand in different places by type of ad, as they do on the platform."""
    title, body = f"{thing.title()}: {ANGLES[seed % 6]}", f"Find your {thing} today. Ümläut & 日本 {number}."
    link = f"https://shop.example/{thing.replace(' ', '-')}?ad={number}"
    cta = _CALLS_TO_ACTION[seed % 3]
    creative: dict[str, Any] = {"id": f"2386{profile_id[-6:]}{number:06d}", "name": f"Creative {number}"}
    action = {"type": cta, "value": {"link": link}}
    kind = number % 4
    if kind == 0:
        creative |= {
            "title": title,
            "body": body,
            "call_to_action_type": cta,
            "image_url": f"https://img.example/{number}.jpg",
            "image_hash": f"{mix(seed, 1):016x}{mix(seed, 2):016x}",
            "object_story_spec": {"page_id": "999", "link_data": {"link": link, "message": body, "name": title}},
        }
    elif kind == 1:
        data = {"link": link, "message": body, "name": title, "description": ANGLES[number % 6]}
        picture = f"https://img.example/{number}p.jpg"
        creative["object_story_spec"] = {
            "page_id": "999",
            "link_data": data | {"picture": picture, "call_to_action": action},
        }
    elif kind == 2:
        video = {
            "video_id": f"777{profile_id[-4:]}{number:04d}",
            "title": title,
            "message": body,
            "call_to_action": action,
        }
        creative |= {
            "video_id": f"777{profile_id[-4:]}{number:04d}",
            "thumbnail_url": f"https://img.example/{number}t.jpg",
        }
        creative["object_story_spec"] = {"page_id": "999", "video_data": video}
    else:
        creative["asset_feed_spec"] = {
            "titles": [{"text": title}, {"text": thing}],
            "bodies": [{"text": body}],
            "descriptions": [{"text": ANGLES[number % 6]}],
            "call_to_action_types": [cta],
            "images": [{"hash": f"{mix(seed, 1):016x}{mix(seed, 2):016x}"}],
            "link_urls": [{"website_url": link}],
        }
    return creative
