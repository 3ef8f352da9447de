"""Insights fields: numbers as text, lists only when not zero, what Meta has no data for left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.platforms.meta.insight_actions import action_list, cost_list, half_text, purchases, value_list
from sandbox.platforms.meta.insight_facts import Facts
from sandbox.world import WorldAdGroup, WorldProfile
from sandbox.world.catalog import MINOR_DIGITS

_RANKINGS = ("BELOW_AVERAGE_35", "BELOW_AVERAGE_20", "AVERAGE", "AVERAGE", "ABOVE_AVERAGE")


def money(profile: WorldProfile, minor: int) -> str:
    """Minor units → text in units, as `spend` and action values are written (`"45.67"`, `"100"`)."""
    digits = MINOR_DIGITS[profile.currency]
    return f"{Decimal(minor).scaleb(-digits):f}" if digits else str(minor)


def ratio(top: int, bottom: int) -> str | None:
    """A quotient rounded to six decimals, as text, without floats; None without a denominator."""
    if not bottom:
        return None
    scaled = (top * 10**6 * 2 + bottom) // (bottom * 2)
    return f"{Decimal(scaled).scaleb(-6):f}"


def _ranking(facts: Facts) -> str | None:
    """Ads only; unknown while there is too little data."""
    if facts.ad is None:
        return None
    return _RANKINGS[facts.ad.seed % 5] if facts.n.impressions >= 500 else "UNKNOWN"


def _results(facts: Facts) -> list[dict[str, Any]] | None:
    """What the objective counts."""
    if not facts.off_meta:
        return None
    indicator = f"actions:offsite_conversion.fb_pixel_{'purchase' if facts.profile.traits.sells else 'lead'}"
    count = purchases(facts)
    values = [{"value": half_text(count), "attribution_windows": ["default"]}] if count else []
    return [{"indicator": indicator, "values": values} if values else {"indicator": indicator}]


def _cost_per_result(facts: Facts) -> list[dict[str, Any]] | None:
    count = purchases(facts)
    cost = ratio(facts.cost * 2, count * 1_000_000)
    if not facts.off_meta or cost is None:
        return None
    indicator = _results(facts)
    return [{**(indicator or [{}])[0], "values": [{"value": cost, "attribution_windows": ["default"]}]}]


def _roas(name: str) -> Callable[[Facts], Any]:
    def value(facts: Facts) -> list[dict[str, str]] | None:
        revenue = facts.n.value(7, 1)
        if not (facts.off_meta and revenue and facts.n.spend):
            return None
        return [{"action_type": name, "value": str(ratio(revenue, facts.n.spend))}]

    return value


def _one(name: str, count: Callable[[Facts], int | str | None]) -> Callable[[Facts], Any]:
    """A list with one action type, absent when it is zero."""

    def value(facts: Facts) -> list[dict[str, str]] | None:
        found = count(facts)
        return [{"action_type": name, "value": str(found)}] if found and found != "0.000000" else None

    return value


def _share(per_mille: int) -> Callable[[Facts], Any]:
    """Video views that got so far."""
    return _one("video_view", lambda facts: facts.video * per_mille // 1000)


def _of_campaign(name: str) -> Callable[[Facts], Any]:
    return lambda facts: None if facts.campaign is None else getattr(facts.campaign, name)


def _of_group(value: Callable[[WorldAdGroup], Any]) -> Callable[[Facts], Any]:
    return lambda facts: None if facts.group is None else value(facts.group)


VALUES: Mapping[str, Callable[[Facts], Any]] = {
    "account_id": lambda f: f.profile.id,
    "account_name": lambda f: f.profile.name,
    "account_currency": lambda f: f.profile.currency,
    "campaign_id": _of_campaign("id"),
    "campaign_name": _of_campaign("name"),
    "objective": _of_campaign("objective"),
    "buying_type": lambda f: None if f.campaign is None else "AUCTION",
    "adset_id": _of_group(lambda group: group.id),
    "adset_name": _of_group(lambda group: group.name),
    "optimization_goal": lambda f: (
        None if f.group is None else "OFFSITE_CONVERSIONS" if f.profile.traits.sells else "LEAD_GENERATION"
    ),
    "attribution_setting": _of_group(lambda _group: "7d_click_1d_view"),
    "ad_id": lambda f: None if f.ad is None else f.ad.id,
    "ad_name": lambda f: None if f.ad is None else f.ad.name,
    "quality_ranking": _ranking,
    "engagement_rate_ranking": _ranking,
    "conversion_rate_ranking": _ranking,
    "impressions": lambda f: str(f.n.impressions),
    "clicks": lambda f: str(f.n.clicks),
    "spend": lambda f: money(f.profile, f.n.spend),
    "social_spend": lambda f: money(f.profile, 0),
    "reach": lambda f: str(f.reach),
    "frequency": lambda f: ratio(f.n.impressions, f.reach) or "0",
    "ctr": lambda f: ratio(f.n.clicks * 100, f.n.impressions) or "0",
    "cpc": lambda f: ratio(f.cost, f.n.clicks * 1_000_000),
    "cpm": lambda f: ratio(f.cost * 1000, f.n.impressions * 1_000_000),
    "cpp": lambda f: ratio(f.cost * 1000, f.reach * 1_000_000),
    "inline_link_clicks": lambda f: str(f.links),
    "inline_link_click_ctr": lambda f: ratio(f.links * 100, f.n.impressions) or "0",
    "cost_per_inline_link_click": lambda f: ratio(f.cost, f.links * 1_000_000),
    "inline_post_engagement": lambda f: str(f.n.clicks * 3 // 4),
    "cost_per_inline_post_engagement": lambda f: ratio(f.cost, f.n.clicks * 3 // 4 * 1_000_000),
    "unique_clicks": lambda f: str(f.n.clicks * 9 // 10),
    "unique_ctr": lambda f: ratio(f.n.clicks * 9 // 10 * 100, f.reach) or "0",
    "cost_per_unique_click": lambda f: ratio(f.cost, f.n.clicks * 9 // 10 * 1_000_000),
    "unique_inline_link_clicks": lambda f: str(f.links * 9 // 10),
    "unique_inline_link_click_ctr": lambda f: ratio(f.links * 9 // 10 * 100, f.reach) or "0",
    "unique_link_clicks_ctr": lambda f: ratio(f.links * 9 // 10 * 100, f.reach) or "0",
    "cost_per_unique_inline_link_click": lambda f: ratio(f.cost, f.links * 9 // 10 * 1_000_000),
    "outbound_clicks": _one("outbound_click", lambda f: f.links * 4 // 5),
    "unique_outbound_clicks": _one("outbound_click", lambda f: f.links * 7 // 10),
    "outbound_clicks_ctr": _one("outbound_click", lambda f: ratio(f.links * 4 // 5 * 100, f.n.impressions)),
    "cost_per_outbound_click": _one("outbound_click", lambda f: ratio(f.cost, f.links * 4 // 5 * 1_000_000)),
    "website_ctr": _one("link_click", lambda f: ratio(f.links * 100, f.n.impressions)),
    "actions": action_list,
    "unique_actions": action_list,
    "action_values": value_list,
    "cost_per_action_type": cost_list,
    "cost_per_unique_action_type": cost_list,
    "results": _results,
    "objective_results": _results,
    "cost_per_result": _cost_per_result,
    "cost_per_objective_result": _cost_per_result,
    "purchase_roas": _roas("omni_purchase"),
    "website_purchase_roas": _roas("offsite_conversion.fb_pixel_purchase"),
    "video_play_actions": _share(700),
    "video_continuous_2_sec_watched_actions": _share(450),
    "video_15_sec_watched_actions": _share(160),
    "video_30_sec_watched_actions": _share(90),
    "video_thruplay_watched_actions": _share(150),
    "video_p25_watched_actions": _share(400),
    "video_p50_watched_actions": _share(250),
    "video_p75_watched_actions": _share(170),
    "video_p95_watched_actions": _share(120),
    "video_p100_watched_actions": _share(100),
    "video_avg_time_watched_actions": _one("video_view", lambda f: 6 if f.video else 0),
    "cost_per_thruplay": _one("video_view", lambda f: ratio(f.cost, f.video * 150 // 1000 * 1_000_000)),
}
"""Fields of Meta's that no ad here has data for (catalogues, apps, messages, lift studies) are left out of rows."""
