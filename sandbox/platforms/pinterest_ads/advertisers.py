"""Who advertises on Pinterest, in which campaigns, and how its numbers restate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sandbox.world.catalog import (
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
from sandbox.world.plan import recent
from sandbox.world.traits import Channel, Restatement, Traits

PLATFORM = "pinterest_ads"
CLICK_DAYS, VIEW_DAYS = 30, 1
"""The attribution windows by default (analytics, `click_window_days` and `view_window_days`)."""

_TRAITS = Traits(
    Restatement(
        growth=((30, 1000), (21, 980), (14, 945), (7, 860), (3, 720), (2, 650), (1, 520), (0, 330)),
        corrections=(1, 3),
    ),
    Channel(carry=500, half=500 * MICRO, effect=250 * MICRO, name="pins"),
    whole_views=True,
)


class PinterestAccount(NamedTuple):
    """An ad account. `awkward`: archived campaigns and ads with a past."""

    id: str
    name: str
    currency: str
    country: str
    scale: int
    awkward: bool = False


USERS = {
    "halden": (PinterestAccount("549761668032", "Halden Outdoor", "USD", "US", 1300),),
    "mori": (PinterestAccount("549761904417", "Mori Küche", "EUR", "DE", 1100),),
    "kestrel": (
        PinterestAccount("549762230915", "Kestrel Audio 日本", "JPY", "JP", 1500, awkward=True),
        PinterestAccount("549762230988", 'Kestrel "Audio" UK', "GBP", "GB", 900, awkward=True),
    ),
}
"""By the world's advertiser. Scale: minor units that an ad spends on a typical day."""

_PLANS = (
    ("Autumn boards", "AWARENESS", 2),
    ("Everyday, shopping", "CATALOG_SALES", 2),
    ("New customers", "WEB_CONVERSION", 2),
    ("Inspiration | video", "VIDEO_COMPLETION", 1),
    ("Retargeting", "CONSIDERATION", 2),
)
"""Campaigns: name, objective_type, how many ad groups."""
_ADS = (("REGULAR", "Pin"), ("VIDEO", "Video"), ("CAROUSEL", "Carousel"))


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's ad accounts, and the application with its tokens that opens them."""
    accounts = USERS.get(advertiser.key, ())
    if not accounts:
        return Holdings((), {})
    own = (seed, advertiser.key)
    body = {
        "client_id": str(1_480_000 + seed_of(*own, "pinterest app") % 9_000),
        "client_secret": secret_of(*own, "pinterest secret")[:40],
        "refresh_token": f"pinr.{secret_of(*own, 'pinterest refresh')}",
        "access_token": f"pina_{secret_of(*own, 'pinterest access').upper()}",
    }
    return Holdings(tuple(_profile(seed, advertiser.things, one) for one in accounts), {PLATFORM: body})


def _profile(seed: int, things: tuple[str, ...], account: PinterestAccount) -> WorldProfile:
    campaigns = tuple(_campaigns(seed, things, account))
    if account.awkward:
        campaigns = (campaigns[0], _archived(campaigns[1]), *campaigns[2:])
    return WorldProfile(
        PLATFORM,
        account.id,
        account.name,
        account.currency,
        "UTC",  # analytics, `start_date`: "Metric report start date (UTC)"
        account.country,
        account.scale,
        {"": CLICK_DAYS},
        _TRAITS,
        campaigns,
        view_windows={"": VIEW_DAYS},
    )


def _campaigns(seed: int, things: tuple[str, ...], account: PinterestAccount) -> Iterator[WorldCampaign]:
    stem, place, number = account.id[-6:], 0, 0
    for c, (name, objective, size) in enumerate(_PLANS):
        groups = []
        for _ in range(size):
            place += 1
            thing = things[(c + place) % len(things)]
            ads = []
            for kind, word in _ADS:
                number += 1
                own = seed_of(seed, PLATFORM, account.id, number)
                content = {"creative_type": kind, "pin": f"{1_000_000_000_000_000 + own % 10**15}", "thing": thing}
                ad_id = f"687{stem}{100 + number}"
                ads.append(WorldAd(ad_id, number, f"{word}: {thing}", status_of(own), content, own, flight_of(own)))
            groups.append(WorldAdGroup(f"268{stem}{7000 + place}", f"{thing.title()} {place}", "ACTIVE", tuple(ads)))
        yield WorldCampaign(f"626{stem}{500 + c}", name, "ACTIVE", "", objective, account.scale * 9, tuple(groups))


def _archived(campaign: WorldCampaign) -> WorldCampaign:
    """A campaign that was archived with all its ads: lists have it where ARCHIVED is asked for."""

    def ended(ad: WorldAd) -> WorldAd:
        if ad.status == "PAUSED":
            return ad
        return replace(ad, status="ARCHIVED", flight=(ad.flight[0], min(ad.flight[1], recent(45))))

    groups = tuple(replace(g, status="ARCHIVED", ads=tuple(ended(ad) for ad in g.ads)) for g in campaign.groups)
    return replace(campaign, status="ARCHIVED", groups=groups)
