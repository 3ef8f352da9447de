"""Portfolios: groups of campaigns (docs/en-us/guides/portfolios/*)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.platforms.amazon_ads.spelling import money
from sandbox.world import World, WorldCampaign, WorldProfile

_NAMES = ("Always on", "Season")


def portfolio_of(campaign: WorldCampaign) -> str:
    """The id of a campaign's portfolio, empty for one campaign in three."""
    number = int(campaign.id[6:])
    return f"{campaign.id[:4]}77{number % 3:09d}" if number % 3 else ""


def portfolios(world: World, profile: WorldProfile) -> list[dict[str, Any]]:
    """The profile's portfolios: one without a cap, one with a budget for a date range."""
    start, end = world.first_day, world.first_day + timedelta(days=400)
    stamp = f"{start}T00:00:00.000Z"
    found = []
    for place, name in enumerate(_NAMES, 1):
        budget = {
            "amount": money(profile, profile.scale * 4000),
            "currencyCode": profile.currency,
            "policy": "DATE_RANGE",
            "startDate": start.isoformat(),
            "endDate": end.isoformat(),
        }
        found.append(
            {
                "portfolioId": f"{profile.id[:4]}77{place:09d}",
                "name": name,
                "state": "ENABLED",
                "inBudget": True,
                **({"budget": budget} if name == "Season" else {}),
                "budgetControls": {"campaignUnspentBudgetSharing": {"featureState": "ENABLED"}},
                "extendedData": {
                    "creationDateTime": stamp,
                    "lastUpdateDateTime": stamp,
                    "servingStatus": "PORTFOLIO_STATUS_ENABLED",
                    "statusReasons": ["PORTFOLIO_STATUS_ENABLED_DETAIL"],
                },
            }
        )
    return found
