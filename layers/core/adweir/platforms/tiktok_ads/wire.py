"""TikTok's JSON as typed structs: unknown fields are ignored, a struct states only what we use.

In reports every value is text, and `-` says that there is none. Entities have numbers, and null for what is not set.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

NONE = "-"
"""What a report writes where there is no value."""


class Envelope(msgspec.Struct):
    """What surrounds every answer. Success is code 0 alone; 20001 comes with a part of the data."""

    code: int
    message: str = ""
    request_id: str = ""
    data: msgspec.Raw = msgspec.Raw()


class PageInfo(msgspec.Struct):
    total_number: int
    total_page: int


class ListPage(msgspec.Struct):
    """A list's page, its entries undecoded. A report of GMV Max without any rows has no list."""

    page_info: PageInfo
    entries: list[msgspec.Raw] = msgspec.field(name="list", default_factory=list)


class KeyedRow(msgspec.Struct):
    """A report's row of which only the text of its key is looked at."""

    dimensions: msgspec.Raw


class KeyedPage(msgspec.Struct):
    page_info: PageInfo
    entries: list[KeyedRow] = msgspec.field(name="list")


class Dimensions(msgspec.Struct, gc=False):
    stat_time_day: str | None = None
    stat_time_hour: str | None = None
    advertiser_id: str | None = None
    campaign_id: str | None = None
    adgroup_id: str | None = None
    ad_id: str | None = None
    age: str | None = None
    gender: str | None = None
    country_code: str | None = None
    province_id: str | None = None
    platform: str | None = None
    placement: str | None = None


class Metrics(msgspec.Struct, gc=False):
    """A metric that was not requested is absent: unknown, as one without a value is."""

    campaign_id: str | None = None
    adgroup_id: str | None = None
    spend: str | None = None
    impressions: str | None = None
    clicks: str | None = None
    conversion: str | None = None
    complete_payment: str | None = None
    total_complete_payment_rate: str | None = None
    total_purchase: str | None = None
    total_purchase_value: str | None = None
    onsite_shopping: str | None = None
    total_onsite_shopping_value: str | None = None
    offline_shopping_events: str | None = None
    offline_shopping_events_value: str | None = None


class WireReportRow(msgspec.Struct, gc=False):
    dimensions: Dimensions
    metrics: Metrics


class CreatedTask(msgspec.Struct):
    task_id: str


class TaskProgress(msgspec.Struct):
    """An asynchronous report task: QUEUING, PROCESSING, SUCCESS, FAILED or CANCELED."""

    status: str
    message: str | None = None


class WireAdvertiser(msgspec.Struct):
    """`timezone` may be an `Etc/GMT+8`; `display_timezone` is the place."""

    advertiser_id: str
    name: str = ""
    currency: str = ""
    timezone: str | None = None
    display_timezone: str | None = None
    status: str | None = None
    country: str | None = None


class AdvertiserId(msgspec.Struct):
    advertiser_id: str


class AdvertiserIds(msgspec.Struct):
    entries: list[AdvertiserId] = msgspec.field(name="list")


class CampaignId(msgspec.Struct):
    campaign_id: str


class CampaignIds(msgspec.Struct):
    entries: list[CampaignId] = msgspec.field(name="list")


class Object(msgspec.Struct):
    """What campaigns, ad groups and ads have in common; deletion is read from `secondary_status`."""

    campaign_id: str
    operation_status: str | None = None
    secondary_status: str | None = None


class CampaignObject(Object):
    campaign_name: str | None = None
    objective_type: str | None = None
    budget: Decimal | None = None
    budget_mode: str | None = None
    schedule_type: str | None = None
    schedule_start_time: str | None = None
    schedule_end_time: str | None = None


class AdGroupObject(Object):
    adgroup_id: str = ""
    adgroup_name: str | None = None
    bid_price: Decimal | None = None
    schedule_type: str | None = None
    schedule_start_time: str | None = None
    schedule_end_time: str | None = None


class AdObject(Object):
    """An ad. What it shows may be null: a Spark ad has `tiktok_item_id`, a catalog ad its products."""

    adgroup_id: str = ""
    ad_id: str = ""
    ad_name: str | None = None
    display_name: str | None = None
    ad_text: str | None = None
    ad_texts: list[str] | None = None
    call_to_action: str | None = None
    image_ids: list[str] | None = None
    video_id: str | None = None
    landing_page_url: str | None = None
    landing_page_urls: list[str] | None = None
    campaign_automation_type: str | None = None


class AdText(msgspec.Struct):
    ad_text: str | None = None


class CallToAction(msgspec.Struct):
    call_to_action: str | None = None


class SmartPage(msgspec.Struct):
    landing_page_url: str | None = None


class VideoInfo(msgspec.Struct):
    video_id: str | None = None


class ImageInfo(msgspec.Struct):
    web_uri: str | None = None


class CreativeInfo(msgspec.Struct):
    video_info: VideoInfo | None = None
    image_info: list[ImageInfo] | ImageInfo | None = None


class SmartCreative(msgspec.Struct):
    """A creative of an upgraded Smart+ ad; its id is the `ad_id` of reports and of `/ad/get/`."""

    smart_plus_creative_id: str | None = None
    creative_info: CreativeInfo | None = None


class SmartAd(msgspec.Struct):
    """An upgraded Smart+ ad: what its creatives have in common."""

    smart_plus_ad_id: str
    ad_text_list: list[AdText] | None = None
    call_to_action_list: list[CallToAction] | None = None
    landing_page_url_list: list[SmartPage] | None = None
    creative_list: list[SmartCreative] | None = None


class Image(msgspec.Struct):
    image_id: str
    image_url: str | None = None


class Video(msgspec.Struct):
    video_id: str
    preview_url: str | None = None


class WireShopCampaign(msgspec.Struct):
    """A GMV Max campaign, and the shop that it sells for."""

    campaign_id: str
    store_id: str


class ShopDimensions(msgspec.Struct):
    campaign_id: str
    stat_time_day: str


class ShopMetrics(msgspec.Struct):
    """`cost` is what ads cost, `net_cost` without what credits paid; `gross_revenue` has orders without an ad."""

    cost: str | None = None
    orders: str | None = None
    gross_revenue: str | None = None
    currency: str | None = None


class ShopRow(msgspec.Struct):
    dimensions: ShopDimensions
    metrics: ShopMetrics
