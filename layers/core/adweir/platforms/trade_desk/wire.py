"""The Trade Desk's answers, as far as they are read. Unknown members are ignored, absent ones are null."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
Text = str | int | None


class WirePaged(msgspec.Struct, Generic[T], kw_only=True, rename="pascal"):
    """A query's answer. `total_filtered_count`: all that the filters leave."""

    result: list[T] | None = None
    result_count: int | None = None
    total_filtered_count: int | None = None


class DeskWireToken(msgspec.Struct, rename="pascal"):
    token: str


class WireDetail(msgspec.Struct, kw_only=True, rename="pascal"):
    property: str | None = None
    reasons: list[str] | None = None


class DeskWireError(msgspec.Struct, kw_only=True, rename="pascal"):
    message: str | None = None
    error_details: list[WireDetail] | None = None

    @property
    def text(self) -> str:
        """The message, and what is wrong with which property."""
        details = (f"{d.property}: {' '.join(d.reasons or [])}" for d in self.error_details or [])
        return "; ".join(part for part in (self.message or "", *details) if part)


class WirePartner(msgspec.Struct, kw_only=True, rename="pascal"):
    partner_id: str


class DeskWireAdvertiser(msgspec.Struct, kw_only=True, rename="pascal"):
    advertiser_id: str
    advertiser_name: str | None = None
    partner_id: str | None = None
    currency_code: str | None = None
    availability: str | None = None
    attribution_click_lookback_window_in_seconds: int | None = None
    attribution_impression_lookback_window_in_seconds: int | None = None


class DeskWireOwned(msgspec.Struct, kw_only=True, rename="pascal"):
    """Whose an advertiser is."""

    partner_id: str | None = None


class WireMoney(msgspec.Struct, kw_only=True, rename="pascal"):
    amount: msgspec.Raw = msgspec.Raw()
    currency_code: str | None = None


class WireReportingColumn(msgspec.Struct, kw_only=True, rename="pascal"):
    """What a numbered conversion column of a campaign counts now."""

    reporting_column_id: int | str
    tracking_tag_id: str | None = None
    tracking_tag_name: str | None = None
    cross_device_attribution_model_id: str | None = None


class WireCampaign(msgspec.Struct, kw_only=True, rename="pascal"):
    campaign_id: str
    campaign_name: str | None = None
    budget: WireMoney | None = None
    start_date: str | None = None
    end_date: str | None = None
    pacing_mode: str | None = None
    objective: str | None = None
    availability: str | None = None
    campaign_conversion_reporting_columns: list[WireReportingColumn] | None = None


class WireBidding(msgspec.Struct, kw_only=True, rename={"creative_ids": "CreativeIds", "base_bid": "BaseBidCPM"}):
    """`RTBAttributes` of an ad group."""

    creative_ids: list[str] | None = None
    base_bid: WireMoney | None = None


class DeskWireAdGroup(
    msgspec.Struct,
    kw_only=True,
    rename={
        "ad_group_id": "AdGroupId",
        "ad_group_name": "AdGroupName",
        "campaign_id": "CampaignId",
        "is_enabled": "IsEnabled",
        "availability": "Availability",
        "bidding": "RTBAttributes",
    },
):
    ad_group_id: str
    ad_group_name: str | None = None
    campaign_id: str | None = None
    is_enabled: bool | None = None
    availability: str | None = None
    bidding: WireBidding | None = None


class WireImage(msgspec.Struct, kw_only=True, rename="pascal"):
    image_url: str | None = None
    clickthrough_url: str | None = None
    landing_page_url: str | None = None


class WireVideo(msgspec.Struct, kw_only=True, rename="pascal"):
    clickthrough_url: str | None = None
    landing_page_url: str | None = None


class WireTag(msgspec.Struct, kw_only=True, rename="pascal"):
    landing_page_urls: list[str] | None = None


class WireAudit(msgspec.Struct, kw_only=True, rename="pascal"):
    audit_status: str | None = None


class WireCreative(
    msgspec.Struct,
    kw_only=True,
    rename={
        "creative_id": "CreativeId",
        "creative_name": "CreativeName",
        "description": "Description",
        "creative_type": "CreativeType",
        "image": "ImageAttributes",
        "video": "TradeDeskHostedVideoAttributes",
        "tag": "ThirdPartyTagAttributes",
        "audits": "CreativeAuditStatuses",
        "starts": "FlightStartDateUTC",
        "ends": "FlightEndDateUTC",
        "availability": "Availability",
        "share_link": "ShareLink",
    },
):
    creative_id: str
    creative_name: str | None = None
    description: str | None = None
    creative_type: str | None = None
    image: WireImage | None = None
    video: WireVideo | None = None
    tag: WireTag | None = None
    audits: list[WireAudit] | None = None
    starts: str | None = None
    ends: str | None = None
    availability: str | None = None
    share_link: str | None = None


class WireTemplate(msgspec.Struct, kw_only=True, rename="pascal"):
    report_template_id: int | str
    name: str | None = None


class WireSchedule(msgspec.Struct, kw_only=True, rename="pascal"):
    """A report schedule as it was stored, which need not be as it was asked for."""

    report_schedule_id: int | str
    report_schedule_name: str | None = None
    report_start_date_inclusive: str | None = None
    report_end_date_exclusive: str | None = None
    report_date_format: str | None = None
    report_numeric_format: str | None = None
    schedule_start_date: str | None = None


class WireDelivery(msgspec.Struct, kw_only=True, rename={"url": "DownloadURL", "expires": "DownloadURLExpirationUTC"}):
    url: str | None = None
    expires: str | None = None


class WireExecution(msgspec.Struct, kw_only=True, rename="pascal"):
    report_execution_id: int | str | None = None
    report_schedule_id: int | str | None = None
    report_schedule_name: str | None = None
    report_execution_state: str | None = None
    disabled_reason: str | None = None
    report_deliveries: list[WireDelivery] | None = None
