"""Conversion actions: what the conversions of an ad are, and which of them count as conversions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from sandbox.platforms.google_ads.places import Label, labelled
from sandbox.world import Numbers, Reading, World, WorldAd, WorldProfile
from sandbox.world.numbers import add


class GoogleAction(NamedTuple):
    """A conversion action. `primary`: it is in `conversions`; others are in `all_conversions` alone."""

    id: str
    name: str
    category: str
    primary: bool


PURCHASE = GoogleAction("601", "Purchase", "PURCHASE", primary=True)
PHONE_ORDER = GoogleAction("602", "Order by phone", "PHONE_CALL_LEAD", primary=True)
LEAD = GoogleAction("603", "Quote request", "SUBMIT_LEAD_FORM", primary=True)
CALL_BACK = GoogleAction("604", "Call back", "REQUEST_QUOTE", primary=True)
NEWSLETTER = GoogleAction("605", "Newsletter", "SIGNUP", primary=False)
ACTIONS = (PURCHASE, PHONE_ORDER, LEAD, CALL_BACK, NEWSLETTER)


def account_actions(profile: WorldProfile) -> tuple[GoogleAction, ...]:
    """Those of an account: sales, or leads."""
    return (PURCHASE, PHONE_ORDER, NEWSLETTER) if profile.traits.sells else (LEAD, CALL_BACK, NEWSLETTER)


def actions_of(profile: WorldProfile, ad: WorldAd) -> tuple[GoogleAction, GoogleAction]:
    """The primary action of an ad's conversions, and the secondary one that some of its clickers take as well."""
    first, second, other = account_actions(profile)
    return (second if ad.seed % 4 == 0 else first), other


def action_label(profile: WorldProfile, action: GoogleAction) -> Label:
    """What the resource conversion_action says of it."""
    values = {"status": "ENABLED", "type": "WEBPAGE", "category": action.category, "origin": "WEBSITE"}
    return labelled(
        "conversion_action",
        f"customers/{profile.id}/conversionActions/{action.id}",
        id=int(action.id),
        name=action.name,
        primary_for_goal=action.primary,
        include_in_conversions_metric=action.primary,
        counting_type="ONE_PER_CLICK" if action == NEWSLETTER else "MANY_PER_CLICK",
        click_through_lookback_window_days=30,
        view_through_lookback_window_days=1,
        owner_customer=f"customers/{profile.id}",
        **values,
    )


def action_truth(
    world: World, profile: WorldProfile, start: date, end: date, reading: Reading
) -> Iterator[dict[str, Any]]:
    """What each conversion action of a campaign counted on a day; secondary ones are in `all_conversions` alone."""
    parts: dict[tuple[date, str, GoogleAction], list[Numbers]] = {}
    for row in world.delivered(profile, "campaign", start, end, reading=reading):
        if row.campaign is not None and row.ad is not None:
            for action in actions_of(profile, row.ad):
                parts.setdefault((row.day, row.campaign.id, action), []).append(row.numbers)
    window = max(profile.windows.values())
    for (day, campaign_id, action), some in parts.items():
        numbers = add(some)
        counted = numbers.halves[window if action.primary else 1] * 500_000
        if counted:
            yield {
                "platform": profile.platform,
                "profile_id": profile.id,
                "campaign_id": campaign_id,
                "date": day.isoformat(),
                "conversion_action": action.id,
                "name": action.name,
                "category": action.category,
                "conversions_micros": counted if action.primary else 0,
                "all_conversions_micros": counted,
                "revenue_micros": numbers.revenue[window] * profile.minor_micros if action.primary else 0,
            }
