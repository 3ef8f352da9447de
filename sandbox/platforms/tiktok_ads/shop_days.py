"""What GMV Max campaigns of a TikTok shop did: numbers of their own, which are no part of any other level or report.

`gross` includes organic orders, and `cost` is not `net` (second reading, C28).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from sandbox.world import Reading, World, WorldProfile
from sandbox.world.draw import between, seed_of, share
from sandbox.world.numbers import HOURS
from sandbox.world.plan import recent

DELETED = "STATUS_DELETE"
_CAMPAIGNS = (("Shop all products", "STATUS_DELIVERY_OK"), ("Shop summer", DELETED))
_DELETED_DAY = recent(40)
"""The last day of the deleted campaign, counted from the world's first."""


class ShopCampaign(NamedTuple):
    """A GMV Max campaign; `state` is its primary status."""

    id: str
    name: str
    state: str


class ShopDay(NamedTuple):
    """A campaign's day or hour: money in minor units."""

    cost: int
    net: int
    orders: int
    gross: int


def store_of(profile: WorldProfile) -> str:
    """The advertiser's shop; those of one company share it."""
    return f"7495{profile.id[-3]}00000000000001"


def shop_campaigns(profile: WorldProfile) -> Iterator[ShopCampaign]:
    """The advertiser's."""
    for number, (name, state) in enumerate(_CAMPAIGNS, 1):
        yield ShopCampaign(f"18{profile.id[-3:]}9{number:010d}", name, state)


def shop_day(world: World, profile: WorldProfile, campaign: ShopCampaign, day: date) -> ShopDay | None:
    """What a campaign did on a day; None when it did not run."""
    index, seed = (day - world.first_day).days, seed_of(store_of(profile), campaign.id[-3:], "gmv")
    if campaign.state == DELETED and index > _DELETED_DAY:
        return None
    cost = profile.scale * between(seed, index, 400, 900) // 100
    orders = between(seed, index + 1000, 2, 40)
    gross = orders * profile.scale * between(seed, index + 2000, 60, 140) // 100
    return ShopDay(cost, cost * 9 // 10, orders, gross)


def shop_hours(day: ShopDay) -> list[ShopDay]:
    """The day's 24 hours, which sum to it."""
    return [ShopDay(*hour) for hour in zip(*(share(number, HOURS) for number in day), strict=True)]


def shop_truth(
    world: World, profile: WorldProfile, start: date, end: date, _reading: Reading
) -> Iterator[dict[str, Any]]:
    """Each campaign's days: `status` is its primary one. Nothing of it restates."""
    for day in world.window(profile, start, end):
        for campaign in shop_campaigns(profile):
            found = shop_day(world, profile, campaign, day)
            if found is not None:
                yield {
                    "platform": profile.platform,
                    "profile_id": profile.id,
                    "store_id": store_of(profile),
                    "campaign_id": campaign.id,
                    "name": campaign.name,
                    "status": campaign.state,
                    "date": day.isoformat(),
                    "orders": found.orders,
                    "cost_micros": found.cost * profile.minor_micros,
                    "net_cost_micros": found.net * profile.minor_micros,
                    "gross_revenue_micros": found.gross * profile.minor_micros,
                    "currency": profile.currency,
                }
