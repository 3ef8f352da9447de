"""What is asked of Google Ads, by dataset: a pull asks these questions one after another.

A GAQL condition knows AND only; a selected date needs a filter on dates, and a date that is only filtered does not
split the rows (Google Ads Query Language, "Query grammar", "Segmentation"). A question without impressions, clicks and
cost would lack the rows in which only those differ from zero, so every one has them that may have them.

No question filters on a status: removed campaigns and ads have spent, and what a complete list does not bring is marked
as removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.slices import ALL, campaign_of
from adweir.model.tasks import Task
from adweir.platforms.google_ads.options import BY_ACTION, BY_CONVERSION_DATE

ASSET_GROUPS = "asset_groups"
CAMPAIGN_NEGATIVES = "campaign_negatives"
MEDIA = "media"
"""Labels of the second question of a pull, and of its pages."""
LINKS = "links"
"""The part of a page of asset groups with the links to their assets."""


class AskedFor(NamedTuple):
    """A question. `label` is "" for the first of a pull; `in_campaign` says whether a campaign can be chosen."""

    resource: str
    fields: tuple[str, ...]
    where: tuple[str, ...] = ()
    label: str = ""
    in_campaign: bool = True


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_BASIC = _names(
    "metrics.impressions metrics.clicks metrics.interactions metrics.cost_micros metrics.conversions"
    " metrics.conversions_value metrics.all_conversions metrics.all_conversions_value"
    " metrics.view_through_conversions"
)
_HOURLY = _names("segments.hour metrics.impressions metrics.clicks metrics.cost_micros metrics.conversions")
_CONVERSIONS = _names(
    "metrics.conversions metrics.conversions_value metrics.all_conversions metrics.all_conversions_value"
)
_DATED = tuple(f"{metric}_by_conversion_date" for metric in _CONVERSIONS)
"""With a date, its days are those of the conversions: pulled apart, because no document says with what they go."""
_ACTION = _names("segments.conversion_action segments.conversion_action_name")
_BY_ACTION = (*_ACTION, *_CONVERSIONS)
"""`segments.conversion_action` refuses cost, clicks and impressions."""
_CATEGORY = "segments.conversion_action_category"
_UNDATED = frozenset({"age_range_view", "gender_view", "search_term_view", "campaign_search_term_view"})
"""Resources that have no metric by the day of the conversion (GoogleAdsFieldService)."""

_CUSTOMER = _names("customer.id customer.currency_code customer.time_zone segments.date")
_CAMPAIGN = _names("campaign.id campaign.advertising_channel_type segments.date")
_GROUP = _names("campaign.id ad_group.id segments.date")


def _per_day(resource: str, keys: tuple[str, ...], more: str = "", metrics: tuple[str, ...] = _BASIC) -> AskedFor:
    return AskedFor(resource, (*keys, *_names(more), *metrics))


_METRICS: Mapping[Dataset, tuple[AskedFor, ...]] = {
    Dataset.ACCOUNT_DAILY: (AskedFor("customer", (*_CUSTOMER, *_BASIC), in_campaign=False),),
    Dataset.CAMPAIGN_DAILY: (_per_day("campaign", _CAMPAIGN),),
    Dataset.AD_GROUP_DAILY: (
        _per_day("ad_group", _GROUP),
        _per_day("asset_group", _names("campaign.id asset_group.id segments.date"))._replace(label=ASSET_GROUPS),
    ),
    Dataset.AD_DAILY: (_per_day("ad_group_ad", _GROUP, "ad_group_ad.ad.id"),),
    Dataset.KEYWORD_DAILY: (_per_day("keyword_view", _GROUP, "ad_group_criterion.criterion_id"),),
    Dataset.CAMPAIGN_BY_DEVICE_DAILY: (_per_day("campaign", _CAMPAIGN, "segments.device"),),
    Dataset.CAMPAIGN_BY_PLACEMENT_DAILY: (_per_day("campaign", _CAMPAIGN, "segments.ad_network_type"),),
    Dataset.CAMPAIGN_BY_COUNTRY_DAILY: (
        _per_day(
            "geographic_view",
            _names("campaign.id segments.date"),
            "geographic_view.country_criterion_id geographic_view.location_type",
        ),
    ),
    Dataset.CAMPAIGN_BY_REGION_DAILY: (
        # Where people were, whatever the campaign aims at; the other view has interest in a place beside presence.
        _per_day("user_location_view", _names("campaign.id segments.date"), "segments.geo_target_region"),
    ),
    Dataset.CAMPAIGN_BY_CONVERSION_ACTION_DAILY: (
        _per_day("campaign", _names("campaign.id segments.date"), metrics=_BY_ACTION),
    ),
    Dataset.AD_GROUP_BY_AGE_DAILY: (
        _per_day("age_range_view", _GROUP, "ad_group_criterion.criterion_id ad_group_criterion.age_range.type"),
    ),
    Dataset.AD_GROUP_BY_GENDER_DAILY: (
        _per_day("gender_view", _GROUP, "ad_group_criterion.criterion_id ad_group_criterion.gender.type"),
    ),
    Dataset.AD_GROUP_BY_SEARCH_TERM_DAILY: (_per_day("search_term_view", _GROUP, "search_term_view.search_term"),),
    Dataset.CAMPAIGN_BY_SEARCH_TERM_DAILY: (
        _per_day(
            "campaign_search_term_view", _names("campaign.id segments.date"), "campaign_search_term_view.search_term"
        ),
    ),
    Dataset.ACCOUNT_HOURLY: (AskedFor("customer", (*_CUSTOMER, *_HOURLY), in_campaign=False),),
    Dataset.CAMPAIGN_HOURLY: (_per_day("campaign", _CAMPAIGN, metrics=_HOURLY),),
    Dataset.AD_GROUP_HOURLY: (_per_day("ad_group", _GROUP, metrics=_HOURLY),),
}

_AD = _names("""
    campaign.id campaign.status campaign.start_date_time campaign.end_date_time ad_group.id ad_group.status
    ad_group_ad.status ad_group_ad.ad_strength ad_group_ad.start_date_time ad_group_ad.end_date_time
    ad_group_ad.policy_summary.approval_status ad_group_ad.ad.id ad_group_ad.ad.type ad_group_ad.ad.name
    ad_group_ad.ad.final_urls ad_group_ad.ad.final_mobile_urls
    ad_group_ad.ad.responsive_search_ad.headlines ad_group_ad.ad.responsive_search_ad.descriptions
    ad_group_ad.ad.expanded_text_ad.headline_part1 ad_group_ad.ad.expanded_text_ad.description
    ad_group_ad.ad.expanded_dynamic_search_ad.description
    ad_group_ad.ad.responsive_display_ad.headlines ad_group_ad.ad.responsive_display_ad.long_headline
    ad_group_ad.ad.responsive_display_ad.descriptions ad_group_ad.ad.responsive_display_ad.call_to_action_text
    ad_group_ad.ad.responsive_display_ad.marketing_images
    ad_group_ad.ad.responsive_display_ad.square_marketing_images
    ad_group_ad.ad.responsive_display_ad.youtube_videos
    ad_group_ad.ad.image_ad.image_url ad_group_ad.ad.image_ad.image_asset.asset
    ad_group_ad.ad.video_ad.video.asset
    ad_group_ad.ad.video_ad.in_stream.action_headline ad_group_ad.ad.video_ad.in_stream.action_button_label
    ad_group_ad.ad.video_ad.bumper.action_headline ad_group_ad.ad.video_ad.bumper.action_button_label
    ad_group_ad.ad.video_ad.non_skippable.action_headline ad_group_ad.ad.video_ad.non_skippable.action_button_label
    ad_group_ad.ad.video_ad.out_stream.headline ad_group_ad.ad.video_ad.out_stream.description
    ad_group_ad.ad.video_ad.in_feed.headline ad_group_ad.ad.video_ad.in_feed.description1
    ad_group_ad.ad.video_responsive_ad.headlines ad_group_ad.ad.video_responsive_ad.long_headlines
    ad_group_ad.ad.video_responsive_ad.descriptions ad_group_ad.ad.video_responsive_ad.call_to_actions
    ad_group_ad.ad.video_responsive_ad.videos ad_group_ad.ad.video_responsive_ad.companion_banners
    ad_group_ad.ad.app_ad.headlines ad_group_ad.ad.app_ad.descriptions ad_group_ad.ad.app_ad.images
    ad_group_ad.ad.app_ad.youtube_videos
    ad_group_ad.ad.smart_campaign_ad.headlines ad_group_ad.ad.smart_campaign_ad.descriptions
    ad_group_ad.ad.demand_gen_multi_asset_ad.headlines ad_group_ad.ad.demand_gen_multi_asset_ad.descriptions
    ad_group_ad.ad.demand_gen_multi_asset_ad.call_to_action_text
    ad_group_ad.ad.demand_gen_multi_asset_ad.marketing_images
    ad_group_ad.ad.demand_gen_multi_asset_ad.square_marketing_images
    ad_group_ad.ad.demand_gen_carousel_ad.headline ad_group_ad.ad.demand_gen_carousel_ad.description
    ad_group_ad.ad.demand_gen_carousel_ad.call_to_action_text ad_group_ad.ad.demand_gen_carousel_ad.carousel_cards
    ad_group_ad.ad.demand_gen_video_responsive_ad.headlines ad_group_ad.ad.demand_gen_video_responsive_ad.long_headlines
    ad_group_ad.ad.demand_gen_video_responsive_ad.descriptions ad_group_ad.ad.demand_gen_video_responsive_ad.videos
    ad_group_ad.ad.demand_gen_product_ad.headline ad_group_ad.ad.demand_gen_product_ad.description
    ad_group_ad.ad.demand_gen_product_ad.logo_image ad_group_ad.ad.demand_gen_product_ad.call_to_action
    ad_group_ad.ad.demand_gen_video_responsive_ad.call_to_actions
    ad_group_ad.ad.demand_gen_video_responsive_ad.companion_banners
    ad_group_ad.ad.app_engagement_ad.headlines ad_group_ad.ad.app_engagement_ad.descriptions
    ad_group_ad.ad.app_engagement_ad.images ad_group_ad.ad.app_engagement_ad.videos
    ad_group_ad.ad.app_pre_registration_ad.headlines ad_group_ad.ad.app_pre_registration_ad.descriptions
    ad_group_ad.ad.app_pre_registration_ad.images ad_group_ad.ad.app_pre_registration_ad.youtube_videos
    ad_group_ad.ad.local_ad.headlines ad_group_ad.ad.local_ad.descriptions ad_group_ad.ad.local_ad.call_to_actions
    ad_group_ad.ad.local_ad.marketing_images ad_group_ad.ad.local_ad.videos
    ad_group_ad.ad.legacy_responsive_display_ad.short_headline ad_group_ad.ad.legacy_responsive_display_ad.long_headline
    ad_group_ad.ad.legacy_responsive_display_ad.description
    ad_group_ad.ad.legacy_responsive_display_ad.call_to_action_text
""")
"""An ad's creative has a member per kind of ad (`ad_type_infos` of v26); attributes of its lists cannot be chosen."""
_KEYWORD = _names("""
    campaign.id ad_group.id ad_group_criterion.criterion_id ad_group_criterion.status
    ad_group_criterion.negative ad_group_criterion.keyword.text ad_group_criterion.keyword.match_type
""")

_OBJECTS: Mapping[Dataset, tuple[AskedFor, ...]] = {
    Dataset.CAMPAIGNS: (
        AskedFor(
            "campaign",
            _names("""
                campaign.id campaign.name campaign.status campaign.primary_status campaign.advertising_channel_type
                campaign.start_date_time campaign.end_date_time campaign_budget.id campaign_budget.amount_micros
                campaign_budget.total_amount_micros campaign_budget.period campaign_budget.explicitly_shared
            """),
        ),
    ),
    Dataset.AD_GROUPS: (
        AskedFor(
            "ad_group",
            _names("campaign.id ad_group.id ad_group.name ad_group.status ad_group.type ad_group.cpc_bid_micros"),
        ),
        AskedFor(
            "asset_group",
            _names("campaign.id asset_group.id asset_group.name asset_group.status"),
            label=ASSET_GROUPS,
        ),
    ),
    Dataset.ADS: (AskedFor("ad_group_ad", _AD),),
    Dataset.CREATIVES: (
        AskedFor(
            "asset_group",
            _names("""
                campaign.id asset_group.id asset_group.name asset_group.status asset_group.final_urls
                asset_group.final_mobile_urls
            """),
            in_campaign=False,
        ),
        AskedFor(
            "asset",
            _names("""
                asset.id asset.name asset.type asset.image_asset.full_size.url
                asset.youtube_video_asset.youtube_video_id
            """),
            ("asset.type IN ('IMAGE', 'YOUTUBE_VIDEO')",),
            label=MEDIA,
            in_campaign=False,
        ),
    ),
    Dataset.KEYWORDS: (
        AskedFor(
            "ad_group_criterion",
            (
                *_KEYWORD,
                "ad_group_criterion.cpc_bid_micros",
                "ad_group_criterion.quality_info.quality_score",
            ),
            ("ad_group_criterion.type = 'KEYWORD'", "ad_group_criterion.negative = FALSE"),
        ),
    ),
    Dataset.NEGATIVES: (
        AskedFor(
            "ad_group_criterion",
            _KEYWORD,
            ("ad_group_criterion.type = 'KEYWORD'", "ad_group_criterion.negative = TRUE"),
        ),
        AskedFor(
            "campaign_criterion",
            _names("""
                campaign.id campaign_criterion.criterion_id campaign_criterion.status campaign_criterion.negative
                campaign_criterion.keyword.text campaign_criterion.keyword.match_type
            """),
            ("campaign_criterion.type = 'KEYWORD'", "campaign_criterion.negative = TRUE"),
            label=CAMPAIGN_NEGATIVES,
        ),
    ),
}

ASSET_LINKS = AskedFor(
    "asset_group_asset",
    _names("""
        campaign.id asset_group.id asset_group_asset.field_type asset_group_asset.status asset.id asset.text_asset.text
        asset.image_asset.full_size.url asset.youtube_video_asset.youtube_video_id
        asset.call_to_action_asset.call_to_action
    """),
    in_campaign=False,
)
"""What asset groups show, by the field that it fills."""

_LEAN = "omit_unselected_resource_names=true"
"""Without it each row repeats the resource name of everything that it mentions, half of a metric row's bytes."""
CUSTOMER = (
    "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, customer.manager,"
    " customer.test_account, customer.status FROM customer LIMIT 1"
)
CLIENTS = (
    "SELECT customer_client.id, customer_client.level, customer_client.manager, customer_client.hidden,"
    " customer_client.test_account, customer_client.status, customer_client.currency_code, customer_client.time_zone,"
    " customer_client.descriptive_name FROM customer_client"
)
"""All accounts below a manager, at any depth, and itself (level 0): a filter on the level would lose some."""
ASSETS = (
    "SELECT asset.resource_name, asset.type, asset.image_asset.full_size.url,"
    " asset.youtube_video_asset.youtube_video_id, asset.call_to_action_asset.call_to_action,"
    " asset.demand_gen_carousel_card_asset.marketing_image_asset,"
    " asset.demand_gen_carousel_card_asset.square_marketing_image_asset,"
    " asset.demand_gen_carousel_card_asset.portrait_marketing_image_asset FROM asset"
    " WHERE asset.type IN ('IMAGE', 'YOUTUBE_VIDEO', 'CALL_TO_ACTION', 'DEMAND_GEN_CAROUSEL_CARD')"
)


def beside(query: AskedFor, part: str) -> AskedFor | None:
    """The question whose rows are added to those of another one, None where Google Ads does not have it.

    `part` says what it is for (`GoogleOptions.part`). Rows of both are about the same things and days.
    """
    by_action, by_date = part.startswith(BY_ACTION), part.endswith(BY_CONVERSION_DATE)
    if by_date and query.resource in _UNDATED:
        return None
    keys = [name for name in query.fields if not name.startswith("metrics.")]
    if by_action:
        keys += [name for name in (*_ACTION, _CATEGORY) if name not in keys]
    return query._replace(fields=(*keys, *(_DATED if by_date else _CONVERSIONS)))


def places(names: Sequence[str]) -> str:
    """The question for the names of regions."""
    return f"{_PLACES} ({', '.join(repr(name) for name in names)})"


_PLACES = (
    "SELECT geo_target_constant.resource_name, geo_target_constant.name, geo_target_constant.country_code"
    " FROM geo_target_constant WHERE geo_target_constant.resource_name IN"
)


BILLING_SETUPS = "SELECT billing_setup.resource_name, billing_setup.id, billing_setup.status FROM billing_setup"
"""By which invoices are asked for."""


def questions(dataset: Dataset) -> tuple[AskedFor, ...]:
    """The questions of a dataset, none where Google Ads does not have it."""
    return _METRICS.get(dataset) or _OBJECTS.get(dataset) or ()


def gaql(query: AskedFor, task: Task) -> str:
    """The text of a question, for the task's window and slice. The same task gives the same text, as page tokens need.

    Raises ValueError for a slice or a window that it cannot be asked for.
    """
    conditions = list(query.where)
    if task.dataset.grain is not None:
        if task.window is None:
            raise ValueError(f"{task.dataset} needs a window")
        conditions.insert(0, f"segments.date BETWEEN '{task.window.start}' AND '{task.window.end}'")
    if task.slice != ALL:
        campaign = campaign_of(task.slice)
        if not (query.in_campaign and campaign.isdecimal() and campaign.isascii()):
            raise ValueError(f"no slice {task.slice[:60]!r} of {task.dataset}")
        conditions.append(f"campaign.id = {campaign}")
    clauses = ["SELECT", ", ".join(query.fields), "FROM", query.resource]
    if conditions:
        clauses += ["WHERE", " AND ".join(conditions)]
    if task.dataset.grain is not None:
        clauses += ["PARAMETERS", _LEAN]
    return " ".join(clauses)
