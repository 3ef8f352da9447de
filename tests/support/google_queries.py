"""Queries that a connector needs, one per resource of the stand-in (google-ads-second-reading, section D)."""

from __future__ import annotations

from sandbox.platforms.google_ads.facts import RESOURCES
from support.google_caller import DAYS, METRICS

CREATIVES = ", ".join(f"ad_group_ad.{path}" for path in RESOURCES["ad_group_ad"].fields)
"""Every attribute of an ad, of whatever type."""
FIELDS = {
    "customer": f"customer.id, customer.currency_code, customer.time_zone, segments.date, {METRICS}",
    "campaign": (
        "campaign.id, campaign.advertising_channel_type, segments.date, segments.device, segments.ad_network_type, "
        f"{METRICS}"
    ),
    "campaign_budget": "campaign_budget.id, segments.date, metrics.clicks, metrics.cost_micros",
    "ad_group": f"campaign.id, ad_group.id, ad_group.type, segments.date, {METRICS}, metrics.search_impression_share",
    "ad_group_ad": f"campaign.id, ad_group.id, ad_group_ad.ad.id, segments.date, {METRICS}, metrics.average_cpc",
    "asset_group": f"campaign.id, asset_group.id, asset_group.final_urls, segments.date, {METRICS}",
    "keyword_view": (
        "campaign.id, ad_group.id, ad_group_criterion.criterion_id, ad_group_criterion.keyword.text, "
        "ad_group_criterion.quality_info.quality_score, ad_group_criterion.quality_info.search_predicted_ctr, "
        f"segments.date, {METRICS}, metrics.historical_quality_score"
    ),
    "age_range_view": (
        f"ad_group.id, ad_group_criterion.criterion_id, ad_group_criterion.age_range.type, segments.date, {METRICS}"
    ),
    "gender_view": f"ad_group.id, ad_group_criterion.gender.type, segments.date, {METRICS}",
    "geographic_view": (
        "campaign.id, geographic_view.country_criterion_id, geographic_view.location_type, "
        "segments.geo_target_region, segments.date, metrics.impressions, metrics.clicks, metrics.cost_micros"
    ),
    "user_location_view": (
        "campaign.id, user_location_view.country_criterion_id, user_location_view.targeting_location, segments.date, "
        "metrics.impressions"
    ),
    "search_term_view": (
        "campaign.id, ad_group.id, search_term_view.search_term, search_term_view.status, "
        f"segments.search_term_match_type, segments.keyword.info.text, segments.date, {METRICS}"
    ),
    "campaign_search_term_view": (
        "campaign.id, campaign_search_term_view.search_term, segments.date, metrics.impressions, metrics.clicks"
    ),
    "landing_page_view": (
        "campaign.id, ad_group.id, landing_page_view.unexpanded_final_url, segments.date, metrics.impressions, "
        "metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.all_conversions_value"
    ),
    "group_placement_view": (
        "campaign.id, group_placement_view.placement, group_placement_view.placement_type, segments.date, "
        "metrics.impressions"
    ),
    "detail_placement_view": "detail_placement_view.placement, segments.date, metrics.clicks",
}
"""The resources with metrics."""
REPORTS = {resource: f"SELECT {fields} FROM {resource} WHERE {DAYS}" for resource, fields in FIELDS.items()}
MORE_REPORTS = {
    "hours": (
        "SELECT campaign.id, ad_group.id, segments.date, segments.hour, metrics.impressions, metrics.clicks, "
        "metrics.cost_micros, metrics.conversions FROM ad_group WHERE segments.date = '2026-11-20'"
    ),
    "second clock": (
        "SELECT campaign.id, segments.date, metrics.conversions_by_conversion_date, "
        "metrics.conversions_value_by_conversion_date, metrics.all_conversions_by_conversion_date, "
        f"metrics.all_conversions_value_by_conversion_date FROM campaign WHERE {DAYS}"
    ),
    "actions": (
        "SELECT campaign.id, segments.date, segments.conversion_action, segments.conversion_action_name, "
        "segments.conversion_action_category, metrics.conversions, metrics.conversions_value, "
        f"metrics.all_conversions, metrics.all_conversions_value FROM campaign WHERE {DAYS}"
    ),
    "weeks": (
        "SELECT segments.week, segments.month, segments.quarter, segments.year, segments.day_of_week, "
        f"segments.month_of_year, metrics.clicks FROM customer WHERE {DAYS}"
    ),
    "video": (
        "SELECT campaign.id, segments.date, metrics.video_trueview_views, metrics.video_trueview_view_rate, "
        "metrics.trueview_average_cpv, metrics.interaction_event_types, metrics.engagements, metrics.ctr, "
        f"metrics.average_cpm, metrics.cost_per_conversion, metrics.value_per_conversion FROM campaign WHERE {DAYS}"
    ),
}
LISTS = {
    "accounts": (
        "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, "
        "customer.manager, customer.test_account, customer.status FROM customer LIMIT 1"
    ),
    "tree": (
        "SELECT customer_client.id, customer_client.client_customer, customer_client.level, customer_client.manager, "
        "customer_client.hidden, customer_client.test_account, customer_client.status, "
        "customer_client.currency_code, customer_client.time_zone, customer_client.descriptive_name "
        "FROM customer_client"
    ),
    "campaigns": (
        "SELECT campaign.id, campaign.name, campaign.status, campaign.primary_status, campaign.serving_status, "
        "campaign.advertising_channel_type, campaign.bidding_strategy_type, campaign.campaign_budget, "
        "campaign.start_date_time, campaign.end_date_time, campaign_budget.id, campaign_budget.name, "
        "campaign_budget.period, campaign_budget.amount_micros, campaign_budget.explicitly_shared FROM campaign"
    ),
    "budgets": "SELECT campaign_budget.id, campaign_budget.amount_micros FROM campaign_budget",
    "ad groups": "SELECT ad_group.id, ad_group.name, ad_group.status, ad_group.type, ad_group.campaign FROM ad_group",
    "ads": f"SELECT campaign.id, ad_group.id, {CREATIVES} FROM ad_group_ad",
    "criteria": (
        "SELECT ad_group.id, ad_group_criterion.criterion_id, ad_group_criterion.status, ad_group_criterion.negative, "
        "ad_group_criterion.keyword.text, ad_group_criterion.keyword.match_type, ad_group_criterion.cpc_bid_micros, "
        "ad_group_criterion.quality_info.quality_score, ad_group_criterion.quality_info.creative_quality_score "
        "FROM ad_group_criterion WHERE ad_group_criterion.type = 'KEYWORD'"
    ),
    "campaign criteria": (
        "SELECT campaign.id, campaign_criterion.criterion_id, campaign_criterion.negative, campaign_criterion.type, "
        "campaign_criterion.keyword.text FROM campaign_criterion"
    ),
    "assets": (
        "SELECT asset.id, asset.type, asset.name, asset.image_asset.full_size.url, "
        "asset.youtube_video_asset.youtube_video_id, asset.text_asset.text, "
        "asset.call_to_action_asset.call_to_action, asset.demand_gen_carousel_card_asset.headline FROM asset"
    ),
    "asset groups": "SELECT asset_group.id, asset_group.name, asset_group.status FROM asset_group",
    "asset group assets": (
        "SELECT asset_group_asset.asset, asset_group_asset.field_type, asset_group.id, asset.type, "
        "asset.text_asset.text FROM asset_group_asset"
    ),
    "conversion actions": (
        "SELECT conversion_action.id, conversion_action.name, conversion_action.status, conversion_action.category, "
        "conversion_action.type, conversion_action.primary_for_goal, "
        "conversion_action.include_in_conversions_metric, conversion_action.counting_type, "
        "conversion_action.click_through_lookback_window_days, "
        "conversion_action.view_through_lookback_window_days, conversion_action.owner_customer "
        "FROM conversion_action"
    ),
    "changes": (
        "SELECT change_status.resource_name, change_status.last_change_date_time, change_status.resource_type, "
        "change_status.resource_status, change_status.campaign, change_status.ad_group, change_status.ad_group_ad, "
        "change_status.asset_group FROM change_status WHERE change_status.last_change_date_time >= '2026-09-01' "
        "AND change_status.last_change_date_time <= '2026-11-22' "
        "ORDER BY change_status.last_change_date_time LIMIT 10000"
    ),
    "billing": "SELECT billing_setup.resource_name, billing_setup.id, billing_setup.status FROM billing_setup",
    "geo targets": (
        "SELECT geo_target_constant.id, geo_target_constant.name, geo_target_constant.country_code, "
        "geo_target_constant.target_type FROM geo_target_constant"
    ),
}
EVERY = {**REPORTS, **MORE_REPORTS, **LISTS}
