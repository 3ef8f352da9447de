"""Insights rows as Meta writes them: numbers as text, lists only when not zero, days without delivery absent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.world import Numbers, WorldProfile, WorldRow
from sandbox.world.catalog import MINOR_DIGITS

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
_PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_LEADS = ("lead", "onsite_conversion.lead_grouped", "offsite_conversion.fb_pixel_lead")
_RANKINGS = ("BELOW_AVERAGE_35", "BELOW_AVERAGE_20", "AVERAGE", "AVERAGE", "ABOVE_AVERAGE")
FIELDS = frozenset(
    [
        "account_id",
        "account_name",
        "account_currency",
        "campaign_id",
        "campaign_name",
        "adset_id",
        "adset_name",
        "ad_id",
        "ad_name",
        "date_start",
        "date_stop",
        "impressions",
        "clicks",
        "inline_link_clicks",
        "ctr",
        "cpc",
        "cpm",
        "reach",
        "frequency",
        "spend",
        "actions",
        "action_values",
        "conversions",
        "conversion_values",
        "cost_per_action_type",
        "purchase_roas",
        "website_purchase_roas",
        "quality_ranking",
        "engagement_rate_ranking",
        "conversion_rate_ranking",
        "objective",
        "optimization_goal",
        "attribution_setting",
    ]
)


def money(profile: WorldProfile, minor: int) -> str:
    """Minor units → text in units, as `spend` and action values are written (`"45.67"`, `"100"`)."""
    digits = MINOR_DIGITS[profile.currency]
    return f"{Decimal(minor).scaleb(-digits):f}" if digits else str(minor)


def _half(halves: int) -> str:
    return str(halves // 2) + (".5" if halves % 2 else "")


def _ratio(top: int, bottom: int) -> str:
    """A quotient rounded to six decimals, as text, without floats."""
    scaled = (top * 10**6 * 2 + bottom) // (bottom * 2)
    return f"{Decimal(scaled).scaleb(-6):f}"


def insight_row(
    profile: WorldProfile, level: str, first: WorldRow, n: Numbers, windows: Sequence[str]
) -> dict[str, Any]:
    """Every field of one row but its dates and hour. `first` names the entity; `windows` are those asked for."""
    values = _identity(profile, level, first, n) | _counts(profile, n)
    actions = [_action("link_click", str(n.clicks * 5 // 8), {}, windows)] if n.clicks * 5 // 8 else []
    total, revenue = n.conversions(7, 1), n.value(7, 1)
    if total:
        parts = {"7d_click": n.halves[7], "1d_view": n.views[1], "1d_click": n.halves[1], "28d_click": n.halves[30]}
        money_parts = {
            "7d_click": n.revenue[7],
            "1d_view": n.view_revenue[1],
            "1d_click": n.revenue[1],
            "28d_click": n.revenue[30],
        }
        counts = {w: _half(v) for w, v in parts.items() if v}
        amounts = {w: money(profile, v) for w, v in money_parts.items() if v}
        names = _PURCHASES if profile.traits.sells else _LEADS
        actions += [_action(name, _half(total), counts, windows) for name in names]
        if revenue:
            values["action_values"] = [_action(name, money(profile, revenue), amounts, windows) for name in names]
        if n.spend and revenue:
            roas = [{"action_type": "omni_purchase", "value": _ratio(revenue, n.spend)}]
            values.update(purchase_roas=roas, website_purchase_roas=roas)
    if actions:
        values["actions"] = actions
    return values


def _identity(profile: WorldProfile, level: str, first: WorldRow, n: Numbers) -> dict[str, Any]:
    """Whose row it is; a level has its parents' fields too."""
    values: dict[str, Any] = {
        "account_id": profile.id,
        "account_name": profile.name,
        "account_currency": profile.currency,
    }
    if level != "account" and first.campaign:
        values.update(campaign_id=first.campaign.id, campaign_name=first.campaign.name)
        values.update(objective=first.campaign.objective)
    if level in ("adset", "ad") and first.group:
        values.update(adset_id=first.group.id, adset_name=first.group.name)
        values.update(optimization_goal="OFFSITE_CONVERSIONS", attribution_setting="7d_click_1d_view")
    if level == "ad" and first.ad:
        ranking = _RANKINGS[first.ad.seed % 5] if n.impressions >= 500 else "UNKNOWN"
        values.update(ad_id=first.ad.id, ad_name=first.ad.name, quality_ranking=ranking)
        values.update(engagement_rate_ranking=ranking, conversion_rate_ranking=ranking)
    return values


def _counts(profile: WorldProfile, n: Numbers) -> dict[str, str]:
    """What was delivered and what it cost; ratios only where their denominator is not zero."""
    reach = max(1, n.impressions * 11 // 12)
    values = {
        "impressions": str(n.impressions),
        "clicks": str(n.clicks),
        "inline_link_clicks": str(n.clicks * 5 // 8),
        "ctr": _ratio(n.clicks * 100, max(n.impressions, 1)),
        "spend": money(profile, n.spend),
        "reach": str(reach),
        "frequency": _ratio(n.impressions, reach),
    }
    if n.clicks:
        values["cpc"] = _ratio(n.spend * profile.minor_micros, n.clicks * 1_000_000)
    if n.impressions:
        values["cpm"] = _ratio(n.spend * profile.minor_micros * 1000, n.impressions * 1_000_000)
    return values


def _action(name: str, value: str, parts: dict[str, str], windows: Sequence[str]) -> dict[str, str]:
    """`value` is the default setting's; windows appear only when asked for, 7d_view and 28d_view never."""
    return {"action_type": name, "value": value} | {w: parts[w] for w in windows if w in parts}
