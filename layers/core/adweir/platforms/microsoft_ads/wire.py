"""Microsoft's JSON as typed structs: unknown members are ignored, ids are text ("Campaign", "AdGroup", "Keyword",
"AdvertiserAccount" and "ResponsiveSearchAd Data Object"; the models of BingAds-Python-SDK).
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

Id = str | int
"""Ids are 64 bits and written as text."""


class MsDate(msgspec.Struct, rename="pascal"):
    year: int
    month: int
    day: int


class FaultError(msgspec.Struct, kw_only=True, rename="pascal"):
    """An error of a fault: operation and batch errors have `details`, those of AdApiFaultDetail `detail`."""

    code: int | str | None = None
    error_code: str | None = None
    message: str | None = None
    details: str | None = None
    detail: str | None = None

    @property
    def number(self) -> int:
        """The numeric code; -1 where there is none."""
        text = str(self.code)
        return int(text) if text.isdecimal() and len(text) < 10 else -1


class MsFault(msgspec.Struct, kw_only=True, rename="pascal"):
    """AdApiFaultDetail has `errors`; ApiFaultDetail and ApiFault have operation and batch errors."""

    tracking_id: str | None = None
    errors: list[FaultError | None] | None = None
    operation_errors: list[FaultError | None] | None = None
    batch_errors: list[FaultError | None] | None = None

    @property
    def all(self) -> list[FaultError]:
        """Every error."""
        lists = (self.errors, self.operation_errors, self.batch_errors)
        return [error for some in lists for error in some or () if error is not None]


class MsUser(msgspec.Struct, rename="pascal"):
    id: Id


class UserAnswer(msgspec.Struct, rename="pascal"):
    user: MsUser


class MsAccountPage(msgspec.Struct, rename="pascal"):
    """A page of accounts, undecoded."""

    accounts: list[msgspec.Raw] | None = None


class SubmittedReport(msgspec.Struct, rename="pascal"):
    report_request_id: str


class ReportProgress(msgspec.Struct, rename="pascal"):
    """Pending, Success or Error. Of a report without data the URL is null."""

    status: str | None = None
    report_download_url: str | None = None


class PolledReport(msgspec.Struct, rename="pascal"):
    report_request_status: ReportProgress


class MsAddress(msgspec.Struct, rename="pascal"):
    country_code: str | None = None


class MsAccount(msgspec.Struct, kw_only=True, rename="pascal"):
    id: Id
    name: str | None = None
    currency_code: str | None = None
    parent_customer_id: Id | None = None
    account_life_cycle_status: str | None = None
    business_address: MsAddress | None = None


class Identified(msgspec.Struct, rename="pascal"):
    """What a list is gone through by."""

    id: Id


class MsCampaign(msgspec.Struct, kw_only=True, rename="pascal"):
    """`daily_budget` is the whole budget where `budget_type` begins with Lifetime; a shared one has a `budget_id`."""

    id: Id
    name: str | None = None
    status: str | None = None
    campaign_type: str | None = None
    daily_budget: Decimal | None = None
    budget_type: str | None = None
    budget_id: Id | None = None
    start_date: str | None = None
    end_date: str | None = None


class MsBid(msgspec.Struct, rename="pascal"):
    amount: Decimal | None = None


class MsAdGroup(msgspec.Struct, kw_only=True, rename="pascal"):
    id: Id
    name: str | None = None
    status: str | None = None
    cpc_bid: MsBid | None = None
    start_date: MsDate | None = None
    end_date: MsDate | None = None


class MsKeyword(msgspec.Struct, kw_only=True, rename="pascal"):
    id: Id
    text: str | None = None
    match_type: str | None = None
    status: str | None = None
    editorial_status: str | None = None
    bid: MsBid | None = None


class MsAsset(msgspec.Struct, rename="pascal"):
    """A text, or an image or video by its id."""

    id: Id | None = None
    text: str | None = None


class MsAssetLink(msgspec.Struct, rename="pascal"):
    asset: MsAsset | None = None


class MsAd(msgspec.Struct, kw_only=True, rename="pascal"):
    """An ad of any type: which of its members are there depends on it."""

    id: Id
    type: str | None = None
    status: str | None = None
    editorial_status: str | None = None
    final_urls: list[str] | None = None
    destination_url: str | None = None
    images: list[MsAssetLink] | None = None
    videos: list[MsAssetLink] | None = None
    headlines: list[MsAssetLink] | None = None
    long_headline: MsAssetLink | None = None
    descriptions: list[MsAssetLink] | None = None
    headline: str | None = None
    title_part1: str | None = msgspec.field(default=None, name="TitlePart1")
    title: str | None = None
    text: str | None = None
    promotional_text: str | None = None
    call_to_action: str | None = None


class MsPicture(msgspec.Struct, rename="pascal"):
    name: str | None = None
    url: str | None = None


class MsMedia(msgspec.Struct, rename="pascal"):
    id: Id
    representations: list[MsPicture] | None = None


class MsVideo(msgspec.Struct, rename="pascal"):
    id: Id
    url: str | None = None
    source_url: str | None = None


NOTHING = msgspec.Raw(b"null")


class ListedBelow(msgspec.Struct, kw_only=True, rename="pascal"):
    """What a list about one campaign or ad group answered, and the parents that were asked about, undecoded."""

    campaign: msgspec.Raw
    ad_group: msgspec.Raw = NOTHING
    entries: list[msgspec.Raw] = []


class AnswersBelow(msgspec.Struct, rename="pascal"):
    """A page of several such lists, and of what was answered about the images and videos of its ads."""

    answers: list[ListedBelow]
    media: list[msgspec.Raw] = []
    videos: list[msgspec.Raw] = []
