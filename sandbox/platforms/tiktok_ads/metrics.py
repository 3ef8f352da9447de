"""The metrics of reports: every value is a text, ratios are per cent, and `-` says that there is none.

Source: the reference, section 4.5; bububa/tiktok-business, model/report/metrics.go; the second reading, A1, A10, C29.
A metric that TikTok has and no ad here (an app's installs, a shop's orders) is 0, as TikTok answers for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.platforms.tiktok_ads.objects import automation
from sandbox.platforms.tiktok_ads.population import SMART_PLUS, zone_of
from sandbox.world import Numbers, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.catalog import MINOR_DIGITS

NONE = "-"
LEVELS = ("AUCTION_ADVERTISER", "AUCTION_CAMPAIGN", "AUCTION_ADGROUP", "AUCTION_AD")
_CLICK_SHARE = 7
"""Days after a click; what is left of the default setting's conversions came after a view."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A row before it is written: whom it is about, its numbers, and those by the time of the conversion.

    `film`: the impressions of ads that show a video. `whole_money`: amounts are written without decimals.
    """

    profile: WorldProfile
    level: str
    numbers: Numbers
    real_time: Numbers
    film: int = 0
    campaign: WorldCampaign | None = None
    group: WorldAdGroup | None = None
    ad: WorldAd | None = None
    by_creative: bool = True
    named: bool = True
    whole_money: bool = False

    @property
    def conversions(self) -> int:
        """Conversions of the default attribution setting."""
        return self.numbers.conversions(7, 1) // 2

    @property
    def real_conversions(self) -> int:
        """The same by the time of the conversion."""
        return self.real_time.conversions(7, 1) // 2

    @property
    def after_clicks(self) -> int:
        """Those after a click."""
        return self.numbers.conversions(_CLICK_SHARE) // 2

    @property
    def reach(self) -> int:
        """People reached."""
        return self.numbers.impressions * 11 // 12


def money(facts: ReportFacts, minor: int) -> str:
    """Minor units as a text in the currency's units."""
    digits = MINOR_DIGITS[facts.profile.currency]
    if facts.whole_money or not digits:
        return str((2 * minor + 10**digits) // (2 * 10**digits)) if digits else str(minor)
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}d}"


def ratio(over: int, under: int) -> str:
    """A quotient with two decimals, rounded half up; 0.00 when there is nothing to divide by."""
    if not under:
        return "0.00"
    hundredths = (200 * over + under) // (2 * under)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _unit(facts: ReportFacts) -> int:
    """Minor units in a unit of the currency."""
    return int(10 ** MINOR_DIGITS[facts.profile.currency])


Value = Callable[[ReportFacts], str]


class TikTokMetric(NamedTuple):
    """`value`: its text. `level`: the highest that has it.

    `group`: `core` metrics are in every report; `leg` ones are of one kind of conversion, which audience reports
    refuse; `account` ones are the advertiser's by day; an `attribute` describes the row's object.
    """

    value: Value
    group: str = "core"
    level: str = LEVELS[0]


def _each(cost: Callable[[ReportFacts], int], count: Callable[[ReportFacts], int]) -> Value:
    return lambda f: ratio(cost(f), count(f) * _unit(f))


def _spend(facts: ReportFacts) -> int:
    return facts.numbers.spend


def _conversions(facts: ReportFacts) -> int:
    return facts.conversions


def _real(facts: ReportFacts) -> int:
    return facts.real_conversions


def _purchases(facts: ReportFacts) -> int:
    """What was bought on a website; leads are not."""
    return facts.conversions if facts.profile.traits.sells else 0


def _of_views(facts: ReportFacts) -> int:
    return facts.conversions - facts.after_clicks


def _count(read: Callable[[ReportFacts], int]) -> TikTokMetric:
    return TikTokMetric(lambda f: str(read(f)))


def _leg(read: Value) -> TikTokMetric:
    return TikTokMetric(read, "leg")


def _share(per_mille: int) -> TikTokMetric:
    return TikTokMetric(lambda f: str(f.film * per_mille // 1000))


def _impressions_share(per_mille: int) -> TikTokMetric:
    return TikTokMetric(lambda f: str(f.numbers.impressions * per_mille // 1000))


_CORE: Mapping[str, TikTokMetric] = {
    "spend": TikTokMetric(lambda f: money(f, _spend(f)) if f.named or not f.whole_money else NONE),
    "billed_cost": TikTokMetric(lambda f: money(f, _spend(f))),
    "cash_spend": TikTokMetric(lambda f: money(f, _spend(f)), "account"),
    "voucher_spend": TikTokMetric(lambda f: money(f, 0), "account"),
    "impressions": _count(lambda f: f.numbers.impressions),
    "gross_impressions": _count(lambda f: f.numbers.impressions * 51 // 50),
    "clicks": _count(lambda f: f.numbers.clicks),
    "ctr": TikTokMetric(lambda f: ratio(100 * f.numbers.clicks, f.numbers.impressions)),
    "cpc": TikTokMetric(_each(_spend, lambda f: f.numbers.clicks)),
    "cpm": TikTokMetric(lambda f: ratio(1000 * _spend(f), f.numbers.impressions * _unit(f))),
    "reach": _count(lambda f: f.reach),
    "frequency": TikTokMetric(lambda f: ratio(f.numbers.impressions, f.reach)),
    "cost_per_1000_reached": TikTokMetric(lambda f: ratio(1000 * _spend(f), f.reach * _unit(f))),
    "conversion": _count(_conversions),
    "cost_per_conversion": TikTokMetric(_each(_spend, _conversions)),
    "conversion_rate": TikTokMetric(lambda f: ratio(100 * f.conversions, f.numbers.clicks)),
    "conversion_rate_v2": TikTokMetric(lambda f: ratio(100 * f.conversions, f.numbers.impressions)),
    "real_time_conversion": _count(_real),
    "real_time_cost_per_conversion": TikTokMetric(_each(_spend, _real)),
    "real_time_conversion_rate": TikTokMetric(lambda f: ratio(100 * _real(f), f.numbers.clicks)),
    "real_time_conversion_rate_v2": TikTokMetric(lambda f: ratio(100 * _real(f), f.numbers.impressions)),
    "result": _count(_conversions),
    "cost_per_result": TikTokMetric(_each(_spend, _conversions)),
    "result_rate": TikTokMetric(lambda f: ratio(100 * f.conversions, f.numbers.impressions)),
    "real_time_result": _count(_real),
    "real_time_cost_per_result": TikTokMetric(_each(_spend, _real)),
    "real_time_result_rate": TikTokMetric(lambda f: ratio(100 * _real(f), f.numbers.impressions)),
    "secondary_goal_result": TikTokMetric(lambda _: NONE),
    "cost_per_secondary_goal_result": TikTokMetric(lambda _: NONE),
    "secondary_goal_result_rate": TikTokMetric(lambda _: NONE),
}
_ENGAGEMENT: Mapping[str, TikTokMetric] = {
    "video_play_actions": _share(970),
    "video_watched_2s": _share(430),
    "video_watched_6s": _share(190),
    "engaged_view": _share(200),
    "engaged_view_15s": _share(90),
    "video_views_p25": _share(310),
    "video_views_p50": _share(180),
    "video_views_p75": _share(120),
    "video_views_p100": _share(80),
    "average_video_play": TikTokMetric(lambda f: "3.20" if f.film else "0.00"),
    "average_video_play_per_user": TikTokMetric(lambda f: "3.90" if f.film else "0.00"),
    "engagements": _impressions_share(30),
    "engagement_rate": TikTokMetric(lambda f: ratio(100 * (f.numbers.impressions * 30 // 1000), f.numbers.impressions)),
    "follows": _impressions_share(1),
    "likes": _impressions_share(12),
    "comments": _impressions_share(2),
    "shares": _impressions_share(1),
    "profile_visits": _impressions_share(3),
    "profile_visits_rate": TikTokMetric(
        lambda f: ratio(100 * (f.numbers.impressions * 3 // 1000), f.numbers.impressions)
    ),
    "clicks_on_music_disc": _impressions_share(0),
}
_LEGS: Mapping[str, TikTokMetric] = {
    "complete_payment": _leg(lambda f: str(_purchases(f))),
    "cost_per_complete_payment": _leg(_each(_spend, _purchases)),
    "complete_payment_rate": _leg(lambda f: ratio(100 * _purchases(f), f.numbers.clicks)),
    "total_complete_payment_rate": _leg(lambda f: money(f, f.numbers.value(7, 1))),
    "value_per_complete_payment": _leg(_each(lambda f: f.numbers.value(7, 1), _purchases)),
    "complete_payment_roas": _leg(lambda f: ratio(f.numbers.value(7, 1), _spend(f))),
    "form": _leg(lambda f: str(f.conversions - _purchases(f))),
    "page_event_form": _leg(lambda f: str(f.conversions - _purchases(f))),
    "cta_conversion": _leg(lambda f: str(f.after_clicks)),
    "vta_conversion": _leg(lambda f: str(_of_views(f))),
    "engaged_view_through_conversions": _leg(lambda _: "0"),
    "cta_complete_payment": _leg(lambda f: str(f.after_clicks if f.profile.traits.sells else 0)),
    "vta_complete_payment": _leg(lambda f: str(_of_views(f) if f.profile.traits.sells else 0)),
    "vta_complete_payment_value": _leg(lambda f: money(f, f.numbers.value(7, 1) - f.numbers.value(7))),
}
_ZERO_COUNTS = (
    "app_install", "real_time_app_install", "registration", "total_registration", "purchase", "total_purchase",
    "checkout", "total_checkout", "view_content", "total_view_content", "app_event_add_to_cart", "onsite_shopping",
    "total_app_event_add_to_cart", "onsite_initiate_checkout_count", "onsite_on_web_cart", "offline_shopping_events",
    "sales_lead", "total_sales_lead", "cta_purchase", "vta_purchase", "evta_purchase", "cta_app_install",
    "vta_app_install", "evta_app_install", "shop_total_purchase_by_order_submission", "shop_total_items_purchased",
)  # fmt: skip
_ZERO_AMOUNTS = (
    "cost_per_app_install", "cost_per_registration", "cost_per_purchase", "cost_per_total_purchase",
    "value_per_total_purchase", "total_purchase_value", "total_active_pay_roas", "total_checkout_value",
    "total_view_content_value", "onsite_shopping_roas", "total_onsite_shopping_value", "value_per_onsite_shopping",
    "offline_shopping_events_value", "offline_shopping_events_roas", "total_sales_lead_value",
    "shop_gross_revenue_by_order_submission",
)  # fmt: skip
_SKAN = (
    "skan_result", "skan_cost_per_result", "skan_result_rate", "skan_conversion", "skan_cost_per_conversion",
    "skan_conversion_rate_v2",
)  # fmt: skip
_OF_CAMPAIGN, _OF_GROUP, _OF_AD = LEVELS[1:]


def _about(level: str, read: Value) -> TikTokMetric:
    """What describes a row's object; it needs an id among the dimensions."""
    return TikTokMetric(read, "attribute", level)


def _campaign(read: Callable[[WorldCampaign], str]) -> Value:
    return lambda f: NONE if f.campaign is None else read(f.campaign)


def _creative(name: str) -> TikTokMetric:
    return _about(_OF_AD, lambda f: NONE if f.ad is None else str(f.ad.creative.get(name) or NONE))


def _automation(facts: ReportFacts) -> str:
    """Rows of an upgraded campaign's creatives say that they are creatives."""
    if facts.campaign is None:
        return NONE
    kind = automation(facts.campaign)
    creative = kind == SMART_PLUS and facts.level == _OF_AD and facts.by_creative
    return f"{kind}_CREATIVE" if creative else kind


def _ad_id(facts: ReportFacts, *, of_creative: bool) -> str:
    if facts.ad is None:
        return NONE
    return facts.ad.id if of_creative else str(facts.ad.creative.get("smart_plus_ad_id", facts.ad.id))


_ATTRIBUTES: Mapping[str, TikTokMetric] = {
    "advertiser_id": _about(LEVELS[0], lambda f: f.profile.id if f.named else "0"),
    "advertiser_name": _about(LEVELS[0], lambda f: f.profile.name),
    "currency": _about(LEVELS[0], lambda f: f.profile.currency if f.named else "0"),
    "timezone": _about(LEVELS[0], lambda f: zone_of(f.profile) if f.named else "0"),
    "campaign_name": _about(_OF_CAMPAIGN, _campaign(lambda c: c.name)),
    "campaign_id": _about(_OF_CAMPAIGN, _campaign(lambda c: c.id)),
    "objective_type": _about(_OF_CAMPAIGN, _campaign(lambda c: c.objective)),
    "campaign_automation_type": _about(_OF_CAMPAIGN, _automation),
    "campaign_budget": _about(_OF_CAMPAIGN, lambda f: money(f, f.campaign.budget_minor) if f.campaign else NONE),
    "campaign_dedicate_type": _about(_OF_CAMPAIGN, lambda _: NONE),
    "app_promotion_type": _about(_OF_CAMPAIGN, lambda _: "UNSET"),
    "split_test": _about(_OF_CAMPAIGN, lambda _: NONE),
    "adgroup_name": _about(_OF_GROUP, lambda f: f.group.name if f.group else NONE),
    "adgroup_id": _about(_OF_GROUP, lambda f: f.group.id if f.group else NONE),
    "placement_type": _about(_OF_GROUP, lambda _: "Automatic Placement"),
    "promotion_type": _about(_OF_GROUP, lambda _: "Website"),
    "billing_event": _about(_OF_GROUP, lambda _: "oCPM"),
    "dpa_target_audience_type": _about(_OF_GROUP, lambda _: NONE),
    "tt_app_id": _about(_OF_GROUP, lambda _: "0"),
    "tt_app_name": _about(_OF_GROUP, lambda _: "0"),
    "mobile_app_id": _about(_OF_GROUP, lambda _: "0"),
    "ad_name": _about(_OF_AD, lambda f: f.ad.name if f.ad else NONE),
    "ad_id": _about(_OF_AD, lambda f: _ad_id(f, of_creative=True)),
    "ad_id_v2": _about(_OF_AD, lambda f: _ad_id(f, of_creative=False)),
    "ad_text": _creative("ad_text"),
    "call_to_action": _creative("call_to_action"),
    "image_mode": _creative("ad_format"),
    "video_id": _creative("video_id"),
    "tiktok_item_id": _creative("tiktok_item_id"),
    "ad_url": _creative("landing_page_url"),
    "is_smart_creative": _about(_OF_AD, lambda _: "False"),
    "is_aco": _about(_OF_GROUP, lambda _: "False"),
}
METRICS: Mapping[str, TikTokMetric] = {
    **_CORE,
    **_ENGAGEMENT,
    **_LEGS,
    **dict.fromkeys(_ZERO_COUNTS, _leg(lambda _: "0")),
    **dict.fromkeys(_ZERO_AMOUNTS, _leg(lambda f: money(f, 0))),
    **dict.fromkeys(_SKAN, _leg(lambda _: NONE)),
    **_ATTRIBUTES,
}
"""Every metric that may be asked for here."""
REAL_TIME = frozenset(name for name in METRICS if name.startswith("real_time"))
