"""Meta's JSON as typed structs, and its tables of codes.

Unknown fields are ignored; all numbers are text on this wire; a struct states only what we use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

# Insights. Lists that are zero are absent.


class Action(msgspec.Struct, gc=False):
    """`value` is the number by the ad set's attribution setting."""

    action_type: str
    value: str = ""


class WindowedAction(Action, gc=False):
    """The number by attribution window, where the request names the window and it is not zero."""

    click_1d: str = msgspec.field(name="1d_click", default="")
    click_7d: str = msgspec.field(name="7d_click", default="")
    click_28d: str = msgspec.field(name="28d_click", default="")
    view_1d: str = msgspec.field(name="1d_view", default="")
    engaged_view_1d: str = msgspec.field(name="1d_ev", default="")


class InsightsRow(msgspec.Struct, gc=False):
    date_start: str
    date_stop: str
    account_id: str = ""
    account_currency: str = ""
    campaign_id: str = ""
    adset_id: str = ""
    ad_id: str = ""
    impressions: str = "0"
    clicks: str = "0"
    spend: str = ""
    actions: tuple[Action, ...] = ()
    action_values: tuple[Action, ...] = ()
    conversions: tuple[Action, ...] = ()
    conversion_values: tuple[Action, ...] = ()
    hour: str = msgspec.field(name="hourly_stats_aggregated_by_advertiser_time_zone", default="")
    age: str = ""
    gender: str = ""
    country: str = ""
    region: str = ""
    device_platform: str = ""
    publisher_platform: str = ""
    platform_position: str = ""


class WindowedRow(InsightsRow, gc=False):
    actions: tuple[WindowedAction, ...] = ()
    action_values: tuple[WindowedAction, ...] = ()
    conversions: tuple[WindowedAction, ...] = ()
    conversion_values: tuple[WindowedAction, ...] = ()


class InsightsPage(msgspec.Struct):
    data: list[InsightsRow]


class WindowedPage(msgspec.Struct):
    data: list[WindowedRow]


# Paging and errors.


class Paging(msgspec.Struct):
    cursors: dict[str, Any] | None = None
    next: str | None = None


class Error(msgspec.Struct):
    message: str = ""
    type: str = ""
    code: int = 0
    error_subcode: int = 0
    is_transient: bool = False
    fbtrace_id: str = ""


class GraphAnswer(msgspec.Struct):
    """What every answer may have around its data; `data` itself is left alone."""

    data: msgspec.Raw = msgspec.Raw()
    paging: Paging | None = None
    error: Error | None = None


class ReportRun(msgspec.Struct):
    """The state of an insights job. `time_ref` is when it was created, Unix seconds."""

    async_status: str = ""
    async_percent_completion: int = 0
    time_ref: int = 0
    error_code: int | None = None
    error_subcode: int | None = None
    error_message: str | None = None


class Created(msgspec.Struct):
    report_run_id: str


# Entities.


class AdAccount(msgspec.Struct):
    account_id: str
    name: str = ""
    currency: str = ""
    timezone_name: str = ""
    account_status: int = 0
    business_country_code: str = ""


class Node(msgspec.Struct):
    """What campaigns, ad sets and ads have in common."""

    id: str
    name: str = ""
    status: str = ""
    effective_status: str = ""


class CampaignNode(Node):
    objective: str = ""
    daily_budget: str | None = None
    lifetime_budget: str | None = None
    start_time: str = ""
    stop_time: str = ""


class AdSet(Node):
    campaign_id: str = ""
    start_time: str = ""
    end_time: str = ""


class Diagnostics(msgspec.Struct):
    """Ad relevance diagnostics, each one of `objects.RANKINGS` or UNKNOWN."""

    quality_ranking: str = ""
    engagement_rate_ranking: str = ""
    conversion_rate_ranking: str = ""


class AdInsights(msgspec.Struct):
    """An ad's insights over the last 30 days, absent without delivery."""

    data: list[Diagnostics] = []


class AdNode(Node):
    adset_id: str = ""
    campaign_id: str = ""
    creative: dict[str, Any] | None = None
    insights: AdInsights | None = None


class CreativeNode(Node):
    object_type: str = ""


ACCOUNT_FIELDS = "account_id,name,currency,timezone_name,account_status,business_country_code"
CAMPAIGN_FIELDS = (
    "id,name,objective,status,effective_status,daily_budget,lifetime_budget,start_time,stop_time,created_time"
)
ADSET_FIELDS = "id,name,campaign_id,status,effective_status,start_time,end_time"
CREATIVE_FIELDS = (
    "id,title,body,call_to_action_type,image_url,image_hash,thumbnail_url,video_id,link_url,object_url,"
    "object_story_spec,asset_feed_spec"
)
ADCREATIVE_FIELDS = f"name,status,object_type,{CREATIVE_FIELDS}"
AD_FIELDS = f"id,name,adset_id,campaign_id,account_id,status,effective_status,creative{{{CREATIVE_FIELDS}}}"
RANKED_AD_FIELDS = f"{AD_FIELDS},insights{{{','.join(Diagnostics.__struct_fields__)}}}"
"""The rankings are insights of single ads only; without a range Meta takes the last 30 days."""

ACTION_LISTS = ("actions", "action_values", "conversions", "conversion_values")
"""`conversions` has event types that `actions` lacks: contacts, schedules, subscriptions, custom events."""
INSIGHTS_IDS = {
    "account": ("account_id",),
    "campaign": ("account_id", "campaign_id"),
    "adset": ("account_id", "campaign_id", "adset_id"),
    "ad": ("account_id", "campaign_id", "adset_id", "ad_id"),
}
INSIGHTS_METRICS = ("account_currency", "impressions", "clicks", "spend", *ACTION_LISTS)
HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
BREAKDOWNS: Mapping[str, tuple[str, ...]] = {
    "age_gender": ("age", "gender"),
    "country": ("country",),
    "region": ("region",),
    "device": ("device_platform",),
    "placement": ("publisher_platform", "platform_position"),
}
"""Our breakdowns as Meta's (Insights API Breakdowns, "Combining breakdowns"). `impression_device` exists only together
with `publisher_platform`, so devices are told apart by `device_platform`."""
HOURS = {f"{hour:02}:00:00 - {hour:02}:59:59": hour for hour in range(24)}

NO_MINOR_UNIT = frozenset({"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"})
"""Currencies whose budgets Meta states in whole units; all others in hundredths."""

STATUSES: Mapping[str, tuple[str, ...]] = {
    "campaign": ("ACTIVE", "ARCHIVED", "DELETED", "IN_PROCESS", "PAUSED", "WITH_ISSUES"),
    "adset": ("ACTIVE", "ARCHIVED", "CAMPAIGN_PAUSED", "DELETED", "IN_PROCESS", "PAUSED", "WITH_ISSUES"),
    "ad": (
        "ACTIVE",
        "ADSET_PAUSED",
        "ARCHIVED",
        "CAMPAIGN_PAUSED",
        "DELETED",
        "DISAPPROVED",
        "IN_PROCESS",
        "PAUSED",
        "PENDING_BILLING_INFO",
        "PENDING_REVIEW",
        "PREAPPROVED",
        "WITH_ISSUES",
    ),
}
"""Every `effective_status` of a level (`EffectiveStatus` of facebook_business 26.0.3)."""


def listed_statuses(level: str) -> tuple[str, ...]:
    """The statuses that a list asks for. Archived objects come only when they are asked for, deleted ones never do.

    Meta Marketing API, "Manage Your Ad Object's Status": a deleted object is found by its id only. What a complete list
    does not bring becomes removed.
    """
    return tuple(status for status in STATUSES[level] if status != "DELETED")
