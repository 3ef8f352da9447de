"""Marketing Stream's records: the members that each program's datasets have.

Source: docs/en-us/guides/amazon-marketing-stream/datasets/{sp,sb,sd}-performance, budget-usage and
sponsored-ads-campaign-management.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sandbox.platforms.amazon_ads.lines import DOUBLE, NEW, SAME
from sandbox.platforms.amazon_ads.lines import Cell as AdDay
from sandbox.platforms.amazon_ads.profiles import profile_entry
from sandbox.platforms.amazon_ads.spelling import money, state
from sandbox.platforms.amazon_ads.stream_cells import CLICK_WINDOWS, TRAFFIC, Counts, StreamCell
from sandbox.world import WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile
from sandbox.world.numbers import ZERO

_PLACEMENTS: Final = {
    "sp": ("Top of Search on-Amazon", "Detail Page on-Amazon", "Other on-Amazon", "Off Amazon"),
    "sb": ("Top of Search on-Amazon", "Detail Page on-Amazon", "Other on-Amazon"),
}
PRODUCTS: Final = {"sp": "SPONSORED_PRODUCTS", "sb": "SPONSORED_BRANDS", "sd": "SPONSORED_DISPLAY"}
_PLACEHOLDER: Final = "Placeholder keyword"
_PLACEHOLDER_ONE_IN: Final = 40


def advertiser(profile: WorldProfile) -> dict[str, str]:
    """The pair that names a profile; neither does so alone."""
    account = profile_entry(profile)["accountInfo"]
    return {"advertiser_id": account["id"], "marketplace_id": account["marketplaceStringId"]}


def performance(
    profile: WorldProfile, dataset: str, cell: StreamCell, counts: Counts, *, idempotency_id: str, luck: int
) -> dict[str, Any]:
    """A record of traffic or conversions, with the columns of the dataset's program.

    `luck` chooses the keyword and the placement, which the world's hours do not tell apart.
    """
    program, _, kind = dataset.partition("-")
    targets = cell.group.keywords
    numbers = (
        _traffic(profile, program, counts) if kind == TRAFFIC else dict(_conversions(profile, program, cell, counts))
    )
    return {
        "idempotency_id": idempotency_id,
        "dataset_id": dataset,
        **advertiser(profile),
        "currency": profile.currency,
        "campaign_id": cell.campaign.id,
        "ad_group_id": cell.group.id,
        "ad_id": cell.ad.id,
        **(_targeted(program, kind, targets[luck % len(targets)], luck) if targets else {}),
        **_placed(program, luck),
        "time_window_start": cell.starts.isoformat(),
        **numbers,
    }


def _targeted(program: str, kind: str, target: WorldKeyword, luck: int) -> dict[str, str]:
    text = _PLACEHOLDER if luck % _PLACEHOLDER_ONE_IN == 0 else target.text
    if program == "sd":
        return {"target_id": target.id, **({"targeting_text": text} if kind == TRAFFIC else {})}
    if program == "sb":
        return {"keyword_id": target.id, "keyword_text": text, "keyword_type": target.match_type}
    more = {"keyword_text": text, "match_type": target.match_type} if kind == TRAFFIC else {}
    return {"keyword_id": target.id, **more}


def _placed(program: str, luck: int) -> dict[str, str]:
    if program not in _PLACEMENTS:
        return {}
    places = _PLACEMENTS[program]
    return {"placement" if program == "sp" else "placement_type": places[luck // 7 % len(places)]}


def _traffic(profile: WorldProfile, program: str, counts: Counts) -> dict[str, Any]:
    impressions, clicks, cost = counts
    found: dict[str, Any] = {"clicks": clicks, "impressions": impressions, "cost": money(profile, cost)}
    if program == "sb":
        found["viewable_impressions"] = impressions - 9 * clicks
    elif program == "sd":
        found["view_impressions"] = 0  # of campaigns that pay for views, which nobody has here
    return found


def _conversions(
    profile: WorldProfile, program: str, cell: StreamCell, counts: Counts
) -> Iterator[tuple[str, int | Decimal]]:
    """What a purchase was of (the advertised product, two units, a new customer) is the same on an ad's whole day."""
    flags = AdDay(cell.ad, cell.day, ZERO).flags
    same, new, units = bool(flags & SAME), bool(flags & NEW), 2 if flags & DOUBLE else 1
    windows = len(CLICK_WINDOWS)
    purchases = dict(zip(CLICK_WINDOWS, counts[:windows], strict=True))
    sales = dict(zip(CLICK_WINDOWS, counts[windows : 2 * windows], strict=True))
    viewed = {14: purchases[14] + counts[-2]}, {14: sales[14] + counts[-1]}
    for window in (14,) if program == "sb" else CLICK_WINDOWS:
        for suffix, there in (("", True), ("_same_sku", same)):
            yield f"attributed_conversions_{window}d{suffix}", purchases[window] * there
            yield f"attributed_sales_{window}d{suffix}", money(profile, sales[window] * there)
            if program == "sp" or not suffix:
                yield f"attributed_units_ordered_{window}d{suffix}", purchases[window] * there * units
    if program == "sp":
        return
    for prefix, (bought, worth) in {"attributed": (purchases, sales), "view_attributed": viewed}.items():
        if prefix == "view_attributed":
            yield f"{prefix}_conversions_14d", bought[14]
            yield f"{prefix}_sales_14d", money(profile, worth[14])
            yield f"{prefix}_units_ordered_14d", bought[14] * units
        yield f"{prefix}_orders_new_to_brand_14d", bought[14] * new
        yield f"{prefix}_sales_new_to_brand_14d", money(profile, worth[14] * new)
        yield f"{prefix}_units_ordered_new_to_brand_14d", bought[14] * new * units


def budget_usage(profile: WorldProfile, campaign: WorldCampaign, per_cent: int, at: datetime) -> dict[str, Any]:
    """A state: how much of today's budget is used, told at every 5 per cent."""
    return {
        **advertiser(profile),
        "dataset_id": "budget-usage",
        "budget_scope_id": campaign.id,
        "budget_scope_type": "CAMPAIGN",
        "advertising_product_type": campaign.product,
        "budget": money(profile, campaign.budget_minor),
        "budget_usage_percentage": Decimal(per_cent),
        "usage_updated_timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
    }


def objects(profile: WorldProfile, dataset: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """By its id, each campaign, ad group, ad or target without its version and its times."""
    for campaign in profile.campaigns:
        about = {**advertiser(profile), "dataset_id": dataset, "accountId": profile.id}
        about |= {"campaignId": campaign.id, "adProduct": PRODUCTS[campaign.product]}
        if dataset == "campaigns":
            yield campaign.id, about | _campaign(profile, campaign)
        for group in campaign.groups:
            if dataset == "adgroups":
                yield group.id, about | {"adGroupId": group.id, "name": group.name, "state": state(group.status)}
            elif dataset == "ads":
                yield from ((ad.id, about | _ad(group, ad)) for ad in group.ads)
            elif dataset == "targets":
                yield from ((one.id, about | _target(group, one)) for one in group.keywords)


def _campaign(profile: WorldProfile, campaign: WorldCampaign) -> dict[str, Any]:
    budget = {"amount": money(profile, campaign.budget_minor), "currencyCode": profile.currency}
    cap = {"monetaryBudget": budget, "recurrence": {"recurrenceType": "DAILY"}}
    return {"name": campaign.name, "state": state(campaign.status), "budget": {"budgetCap": cap}}


def _ad(group: WorldAdGroup, ad: WorldAd) -> dict[str, Any]:
    product = {"asin": ad.creative["asin"], "sku": ad.creative["sku"]}
    return {"adGroupId": group.id, "adId": ad.id, "name": ad.name, **product, "state": state(ad.status)}


def _target(group: WorldAdGroup, target: WorldKeyword) -> dict[str, Any]:
    about = {"adGroupId": group.id, "targetId": target.id, "state": target.state}
    return about | {"targetType": "AUTO" if "PREDEFINED" in target.match_type else "KEYWORD", "expression": target.text}
