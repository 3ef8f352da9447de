"""Attributes of accounts, campaigns, budgets, ad groups, ads, asset groups and keywords, as native values.

Ids and micros are integers, enums names, lists and messages as protobuf's JSON has them; None is absent.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from sandbox.platforms.google_ads.accounts import GoogleAccount
from sandbox.platforms.google_ads.metrics import quality_score
from sandbox.platforms.google_ads.places import GooglePlace
from sandbox.platforms.google_ads.population import SHARING, budget_owner
from sandbox.world import WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword

_GROUP_TYPES = {
    "RESPONSIVE_SEARCH_AD": "SEARCH_STANDARD", "EXPANDED_TEXT_AD": "SEARCH_STANDARD", "CALL_AD": "SEARCH_STANDARD",
    "EXPANDED_DYNAMIC_SEARCH_AD": "SEARCH_DYNAMIC_ADS", "SHOPPING_PRODUCT_AD": "SHOPPING_PRODUCT_ADS",
    "RESPONSIVE_DISPLAY_AD": "DISPLAY_STANDARD", "IMAGE_AD": "DISPLAY_STANDARD",
    "VIDEO_RESPONSIVE_AD": "VIDEO_RESPONSIVE", "VIDEO_TRUEVIEW_IN_STREAM_AD": "VIDEO_TRUE_VIEW_IN_STREAM",
    "VIDEO_BUMPER_AD": "VIDEO_BUMPER", "SMART_CAMPAIGN_AD": "SMART_CAMPAIGN_ADS",
}  # fmt: skip
_ENDLESS = 1_000_000
_STRENGTHS = ("POOR", "AVERAGE", "GOOD", "EXCELLENT")
_LEVELS = ("BELOW_AVERAGE", "AVERAGE", "ABOVE_AVERAGE")


class RowSubject(NamedTuple):
    """What a row's attributes are read from. `first_day`: the world's."""

    account: GoogleAccount
    place: GooglePlace
    first_day: date


Attribute = Callable[[RowSubject], Any]


def status(text: str) -> str:
    """The world's status in Google's words; what is gone is removed, and stays in queries."""
    return {"ACTIVE": "ENABLED", "PAUSED": "PAUSED"}.get(text, "REMOVED")


def resource_name(subject: RowSubject, resource: str) -> str | None:
    """Where a row's resource stands; None when the row has none of the kind."""
    customer, place = subject.account.id, subject.place
    campaign, group, ad, keyword = (part.id if part else "" for part in place[:4])
    label = dict(place.label)
    criterion = label.get("ad_group_criterion.criterion_id", "")
    ids: dict[str, str] = {
        "customer": "",
        "campaign": f"campaigns/{campaign}",
        "campaign_budget": f"campaignBudgets/{_budget_id(subject)}",
        "ad_group": f"adGroups/{group}",
        "ad_group_ad": f"adGroupAds/{group}~{ad}",
        "asset_group": f"assetGroups/{group}",
        "ad_group_criterion": f"adGroupCriteria/{keyword or f'{group}~{criterion}'}",
        "keyword_view": f"keywordViews/{keyword}",
        "age_range_view": f"ageRangeViews/{group}~{criterion}",
        "gender_view": f"genderViews/{group}~{criterion}",
        "search_term_view": f"searchTermViews/{campaign}~{group}~{_base64(label.get('search_term_view.search_term'))}",
        "campaign_search_term_view": (
            f"campaignSearchTermViews/{campaign}~{_base64(label.get('campaign_search_term_view.search_term'))}"
        ),
        "geographic_view": (
            f"geographicViews/{label.get('geographic_view.country_criterion_id')}"
            f"~{label.get('geographic_view.location_type')}"
        ),
        "user_location_view": (
            f"userLocationViews/{label.get('user_location_view.country_criterion_id')}"
            f"~{str(label.get('user_location_view.targeting_location')).lower()}"
        ),
        "landing_page_view": f"landingPageViews/{_hex(label.get('landing_page_view.unexpanded_final_url'))}",
        "group_placement_view": f"groupPlacementViews/{group}~{_base64(label.get('group_placement_view.placement'))}",
        "detail_placement_view": (
            f"detailPlacementViews/{group}~{_base64(label.get('detail_placement_view.placement'))}"
        ),
    }
    if f"{resource}.resource_name" in label:
        return str(label[f"{resource}.resource_name"])
    tail = ids.get(resource)
    return None if tail is None else f"customers/{customer}/{tail}".rstrip("/")


def _base64(text: Any) -> str:
    return base64.urlsafe_b64encode(str(text or "").encode()).decode().rstrip("=")


def _hex(text: Any) -> str:
    return str(text or "").encode().hex()


def attribute(path: str) -> Attribute:
    """How a row's attribute is read; one that no account here has is absent in every row."""
    resource, _, rest = path.partition(".")
    if rest == "resource_name":
        return lambda subject: resource_name(subject, resource)
    if path.startswith("ad_group_ad.ad.") and path not in _ATTRIBUTES:
        name = path.removeprefix("ad_group_ad.ad.")
        return lambda subject: subject.place.ad.creative["ad"].get(name) if subject.place.ad else None
    found = _ATTRIBUTES.get(path)
    return lambda subject: _labelled(subject, path, found)


def _labelled(subject: RowSubject, path: str, otherwise: Attribute | None) -> Any:
    """A place's own value of the path, else what the world says."""
    for name, value in subject.place.label:
        if name == path:
            return value
    return otherwise(subject) if otherwise else None


def _day(subject: RowSubject, number: int) -> str | None:
    """The text of a day that is counted from the world's first; None for the endless."""
    return None if number >= _ENDLESS else (subject.first_day + timedelta(days=number)).isoformat()


def _campaign(read: Callable[[RowSubject, WorldCampaign], Any]) -> Attribute:
    return lambda subject: read(subject, subject.place.campaign) if subject.place.campaign else None


def _group(read: Callable[[RowSubject, WorldAdGroup], Any]) -> Attribute:
    return lambda subject: read(subject, subject.place.group) if subject.place.group else None


def _ad(read: Callable[[RowSubject, WorldAd], Any]) -> Attribute:
    return lambda subject: read(subject, subject.place.ad) if subject.place.ad else None


def _keyword(read: Callable[[RowSubject, WorldKeyword], Any]) -> Attribute:
    return lambda subject: read(subject, subject.place.keyword) if subject.place.keyword else None


def _budget_id(subject: RowSubject) -> str:
    profile, campaign = subject.account.profile, subject.place.campaign
    return f"8{budget_owner(profile, campaign).id[1:]}" if profile and campaign else ""


def _campaign_days(campaign: WorldCampaign) -> tuple[int, int]:
    flights = [ad.flight for group in campaign.groups for ad in (*group.ads, *group.unlisted)]
    return min(start for start, _ in flights), max(end for _, end in flights)


def _campaign_time(subject: RowSubject, campaign: WorldCampaign, place: int) -> str | None:
    day = _day(subject, _campaign_days(campaign)[place])
    return f"{day} {'23:59:59' if place else '00:00:00'}" if day else None


def _primary_status(_subject: RowSubject, campaign: WorldCampaign) -> str:
    return {"ENABLED": "ELIGIBLE"}.get(status(campaign.status), status(campaign.status))


def _group_type(_subject: RowSubject, group: WorldAdGroup) -> str | None:
    kinds = [ad.creative["ad"]["type"] for ad in (*group.ads, *group.unlisted) if "ad" in ad.creative]
    return _GROUP_TYPES.get(kinds[0]) if kinds else None


def _ad_time(subject: RowSubject, ad: WorldAd, place: int) -> str | None:
    day = _day(subject, ad.flight[place]) if ad.flight[place] > 0 else None
    return f"{day} {'23:59:59' if place else '00:00:00'}" if day else None


def _approval(_subject: RowSubject, ad: WorldAd) -> str:
    return "DISAPPROVED" if ad.seed % 17 == 0 and ad.status == "PAUSED" else "APPROVED"


def _strength(_subject: RowSubject, ad: WorldAd) -> str | None:
    rated = ad.creative["ad"]["type"].startswith(("RESPONSIVE", "DEMAND_GEN"))
    return _STRENGTHS[ad.seed % 4] if rated else None


def _quality(place: int) -> Attribute:
    """Expected click-through rate, ad relevance and landing page, as far as the keyword has a score."""

    def value(_subject: RowSubject, keyword: WorldKeyword) -> str | None:
        score = quality_score(keyword.id)
        return None if score is None else _LEVELS[(score + place) % 3]

    return _keyword(value)


_ATTRIBUTES: Mapping[str, Attribute] = {
    "customer.id": lambda s: int(s.account.id),
    "customer.descriptive_name": lambda s: s.account.name,
    "customer.currency_code": lambda s: s.account.currency,
    "customer.time_zone": lambda s: s.account.timezone,
    "customer.manager": lambda s: s.account.manager,
    "customer.test_account": lambda s: s.account.test,
    "customer.status": lambda s: s.account.status,
    "customer.auto_tagging_enabled": lambda s: not s.account.manager,
    "campaign.id": _campaign(lambda _s, c: int(c.id)),
    "campaign.name": _campaign(lambda _s, c: c.name),
    "campaign.status": _campaign(lambda _s, c: status(c.status)),
    "campaign.primary_status": _campaign(_primary_status),
    "campaign.serving_status": _campaign(lambda _s, c: "SERVING" if c.status == "ACTIVE" else "NONE"),
    "campaign.advertising_channel_type": _campaign(lambda _s, c: c.product),
    "campaign.bidding_strategy_type": _campaign(lambda _s, _c: "MAXIMIZE_CONVERSION_VALUE"),
    "campaign.campaign_budget": _campaign(lambda s, _c: resource_name(s, "campaign_budget")),
    "campaign.start_date_time": _campaign(lambda s, c: _campaign_time(s, c, 0)),
    "campaign.end_date_time": _campaign(lambda s, c: _campaign_time(s, c, 1)),
    "campaign_budget.id": _campaign(lambda s, _c: int(_budget_id(s))),
    "campaign_budget.name": _campaign(lambda s, _c: f"Budget {_budget_id(s)}"),
    "campaign_budget.status": _campaign(lambda _s, _c: "ENABLED"),
    "campaign_budget.period": _campaign(lambda _s, _c: "DAILY"),
    "campaign_budget.delivery_method": _campaign(lambda _s, _c: "STANDARD"),
    "campaign_budget.amount_micros": _campaign(
        lambda s, c: c.budget_minor * s.account.profile.minor_micros if s.account.profile else None
    ),
    "campaign_budget.explicitly_shared": _campaign(lambda _s, c: c.product in SHARING),
    "ad_group.id": _group(lambda _s, g: int(g.id)),
    "ad_group.name": _group(lambda _s, g: g.name),
    "ad_group.status": _group(lambda _s, g: status(g.status)),
    "ad_group.type": _group(_group_type),
    "ad_group.campaign": _group(lambda s, _g: resource_name(s, "campaign")),
    "ad_group_ad.ad.id": _ad(lambda _s, a: int(a.id)),
    "ad_group_ad.ad.resource_name": _ad(lambda s, a: f"customers/{s.account.id}/ads/{a.id}"),
    "ad_group_ad.status": _ad(lambda _s, a: status(a.status)),
    "ad_group_ad.ad_group": _ad(lambda s, _a: resource_name(s, "ad_group")),
    "ad_group_ad.ad_strength": _ad(_strength),
    "ad_group_ad.policy_summary.approval_status": _ad(_approval),
    "ad_group_ad.policy_summary.review_status": _ad(lambda _s, _a: "REVIEWED"),
    "ad_group_ad.start_date_time": _ad(lambda s, a: _ad_time(s, a, 0)),
    "ad_group_ad.end_date_time": _ad(lambda s, a: _ad_time(s, a, 1)),
    "search_term_view.ad_group": _group(lambda s, _g: resource_name(s, "ad_group")),
    "campaign_search_term_view.campaign": _campaign(lambda s, _c: resource_name(s, "campaign")),
    "asset_group.id": _group(lambda _s, g: int(g.id)),
    "asset_group.name": _group(lambda _s, g: g.name),
    "asset_group.status": _group(lambda _s, g: status(g.status)),
    "asset_group.primary_status": _group(lambda _s, _g: "ELIGIBLE"),
    "asset_group.ad_strength": _group(lambda _s, g: _STRENGTHS[int(g.id) % 4]),
    "asset_group.campaign": _group(lambda s, _g: resource_name(s, "campaign")),
    "asset_group.final_urls": _group(lambda _s, g: g.unlisted[0].creative["final_urls"] if g.unlisted else None),
    "ad_group_criterion.criterion_id": _keyword(lambda _s, k: int(k.id.partition("~")[2])),
    "ad_group_criterion.type": _keyword(lambda _s, _k: "KEYWORD"),
    "ad_group_criterion.status": _keyword(lambda _s, k: k.state),
    "ad_group_criterion.negative": lambda _s: False,
    "ad_group_criterion.ad_group": _group(lambda s, _g: resource_name(s, "ad_group")),
    "ad_group_criterion.display_name": _keyword(lambda _s, k: k.text),
    "ad_group_criterion.keyword.text": _keyword(lambda _s, k: k.text),
    "ad_group_criterion.keyword.match_type": _keyword(lambda _s, k: k.match_type),
    "ad_group_criterion.cpc_bid_micros": _keyword(
        lambda s, k: k.bid_minor * s.account.profile.minor_micros if s.account.profile else None
    ),
    "ad_group_criterion.quality_info.quality_score": _keyword(lambda _s, k: quality_score(k.id)),
    "ad_group_criterion.quality_info.creative_quality_score": _quality(0),
    "ad_group_criterion.quality_info.post_click_quality_score": _quality(1),
    "ad_group_criterion.quality_info.search_predicted_ctr": _quality(2),
}
"""By path. Everything else that v26 has is set on no object here."""
