"""Whose feed it is, and what it tells: the advertisers' own channels, in their own currency and time zone."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.world.catalog import Advertiser, Holdings, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile, secret_of
from sandbox.world.draw import seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.traits import Channel, Restatement, Traits

PLATFORM = "own_feed"
_TRAITS = Traits(
    # Orders come late to the warehouse; what they cost is known at once.
    Restatement(growth=((7, 1000), (3, 990), (1, 950), (0, 600)), corrections=()),
    Channel(carry=300, half=300 * MICRO, effect=150 * MICRO, name="own"),
)


class FeedOwner(NamedTuple):
    """An advertiser with a feed. Scale: minor units that a placement costs on a typical day."""

    id: str
    currency: str
    timezone: str
    country: str
    scale: int


OWNERS = {
    "halden": FeedOwner("own-halden", "USD", "America/New_York", "US", 700),
    "mori": FeedOwner("own-mori", "EUR", "Europe/Berlin", "DE", 600),
}
"""By the world's advertiser."""
_CHANNELS = (("NL", "Newsletter", 2), ("AFF", "Affiliates, all networks", 3), ("POD", "Podcast | hosts", 1))
"""Code, title, and how many placements."""


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's own channels as an ad account, and what opens its feed."""
    owner = OWNERS.get(advertiser.key)
    if owner is None:
        return Holdings((), {})
    body = {
        "username": f"feed-{advertiser.key}",
        "password": secret_of(seed, advertiser.key, "feed password")[:32],
        "key": f"fk_{secret_of(seed, advertiser.key, 'feed key')[:40]}",
    }
    campaigns = tuple(_channel(seed, owner, *channel) for channel in _CHANNELS)
    profile = WorldProfile(
        PLATFORM,
        owner.id,
        f"{advertiser.name}: own channels",
        owner.currency,
        owner.timezone,
        owner.country,
        owner.scale,
        {"": 30},
        _TRAITS,
        campaigns,
    )
    return Holdings((profile,), {PLATFORM: body})


def _channel(seed: int, owner: FeedOwner, code: str, title: str, size: int) -> WorldCampaign:
    ads = []
    for number in range(1, size + 1):
        own = seed_of(seed, PLATFORM, owner.id, code, number)
        ads.append(WorldAd(f"{code}-{number}", number, f"{title} {number}", "ACTIVE", {}, own, (0, 1_000_000)))
    group = WorldAdGroup(f"{code}-0", title, "ACTIVE", tuple(ads))
    return WorldCampaign(code, title, "ACTIVE", "", "", 0, (group,))
