"""Who advertises on Meta, with which creatives, and how Meta's numbers restate."""

from __future__ import annotations

from typing import Any

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
from sandbox.world.draw import seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.traits import Channel, Restatement, Traits

PLATFORM = "meta_ads"

_TRAITS = Traits(
    # Insights stop changing after 28 days; a few ad-days are corrected until then.
    Restatement(
        growth=((28, 1000), (14, 950), (7, 880), (5, 830), (4, 790), (3, 740), (2, 670), (1, 570), (0, 400)),
        corrections=(1, 2),
        late_corrections=(1, 2, 3, 7, 14, 28),
        late_one_in=5,
    ),
    Channel(carry=550, half=2_500 * MICRO, effect=9_000 * MICRO),
    half_credits=3,
)
_WINDOWS = {"": 30}
"""The default setting counts every conversion that the world attributes."""
_ACCOUNTS = {
    "halden": (("1042017731", "Halden Outdoor US", "USD", "America/New_York", "US", 4200),),
    "mori": (("1077340052", "Mori Küche DE", "EUR", "Europe/Berlin", "DE", 3900),),
}
"""By advertiser: id, name, currency, time zone, country, scale."""
_CALLS_TO_ACTION = ("SHOP_NOW", "LEARN_MORE", "GET_OFFER")


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's ad accounts, and the system user's token that opens them."""
    profiles = tuple(
        WorldProfile(
            PLATFORM, id_, name, currency, timezone, country, scale, _WINDOWS, _TRAITS,
            _campaigns(seed, id_, advertiser.things, scale),
        )
        for id_, name, currency, timezone, country, scale in _ACCOUNTS.get(advertiser.key, ())
    )  # fmt: skip
    credential = {
        "access_token": f"EAAG{secret_of(seed, advertiser.key, 'meta token')[:48]}",
        "app_id": str(10**14 + seed_of(seed, advertiser.key, "app") % 10**14),
        "app_secret": secret_of(seed, advertiser.key, "app secret")[:32],
    }
    return Holdings(profiles, {PLATFORM: credential} if profiles else {})


def _campaigns(seed: int, profile_id: str, things: tuple[str, ...], scale: int) -> tuple[WorldCampaign, ...]:
    """Four campaigns of three ad sets of four ads."""
    campaigns, number = [], 0
    stem = f"2385{profile_id[-5:]}"
    for c in range(4):
        groups = []
        for g in range(3):
            ads = []
            for _ in range(4):
                number += 1
                ad_seed = seed_of(seed, PLATFORM, profile_id, number)
                thing = things[(c * 2 + g) % len(things)]
                creative = _creative(profile_id, number, ad_seed, thing)
                ad_id, name = f"{stem}3{number:07d}", f"{thing.title()} {number}"
                ads.append(WorldAd(ad_id, number, name, status_of(ad_seed), creative, ad_seed, flight_of(ad_seed)))
            group_id = f"{stem}2{c * 3 + g + 1:07d}"
            groups.append(WorldAdGroup(group_id, f"Set {c + 1}.{g + 1}", "ACTIVE", tuple(ads)))
        name, campaign_id = ("Prospecting", "Retargeting", "Brand", "Catalogue")[c], f"{stem}1{c + 1:07d}"
        campaigns.append(WorldCampaign(campaign_id, name, "ACTIVE", "", "OUTCOME_SALES", scale * 16, tuple(groups)))
    return tuple(campaigns)


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
        video = {"video_id": f"777{number:04d}", "title": title, "message": body, "call_to_action": action}
        creative |= {"video_id": f"777{number:04d}", "thumbnail_url": f"https://img.example/{number}t.jpg"}
        creative["object_story_spec"] = {"page_id": "999", "video_data": video}
    else:
        creative["asset_feed_spec"] = {
            "titles": [{"text": title}, {"text": thing}],
            "bodies": [{"text": body}],
            "descriptions": [{"text": ANGLES[number % 6]}],
            "call_to_action_types": [cta],
            "images": [{"hash": f"{seed:032x}"[:32]}],
            "link_urls": [{"website_url": link}],
        }
    return creative
