"""Amazon's JSON as msgspec structs: only the fields that we use.

Names are camelCase on the wire. Numbers with a fraction are decoded to Decimal straight from their text, so no float
ever exists.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class AccountInfo(msgspec.Struct, gc=False, rename="camel"):
    type: str = ""
    name: str = ""


class WireProfile(msgspec.Struct, gc=False, rename="camel"):
    """`GET /v2/profiles`. `profileId` is an integer on the wire."""

    profile_id: int | str
    country_code: str
    currency_code: str
    timezone: str
    account_info: AccountInfo = msgspec.field(default_factory=AccountInfo)


class Budget(msgspec.Struct, gc=False, rename="camel"):
    budget: Decimal | None = None
    budget_type: str | None = None


class SpCampaign(msgspec.Struct, gc=False, rename="camel"):
    campaign_id: str | int
    name: str
    state: str
    targeting_type: str | None = None
    budget: Budget | None = None
    start_date: str | None = None
    end_date: str | None = None


class SbCampaign(msgspec.Struct, gc=False, rename="camel"):
    """Sponsored Brands v4: the budget is a bare number beside its type."""

    campaign_id: str | int
    name: str
    state: str
    budget: Decimal | None = None
    budget_type: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    goal: str | None = None


class SdCampaign(msgspec.Struct, gc=False, rename="camel"):
    """Sponsored Display v1: lower-case states and dates without dashes."""

    campaign_id: str | int
    name: str
    state: str
    budget: Decimal | None = None
    budget_type: str | None = msgspec.field(default=None, name="budgettype")
    start_date: str | None = None
    end_date: str | None = None
    tactic: str | None = None


class WireAdGroup(msgspec.Struct, gc=False, rename="camel"):
    ad_group_id: str | int
    campaign_id: str | int
    name: str
    state: str
    default_bid: Decimal | None = None


class Creative(msgspec.Struct, gc=False, rename="camel"):
    headline: str | None = None


class LandingPage(msgspec.Struct, gc=False, rename="camel"):
    page_url: str | None = None


class WireAd(msgspec.Struct, gc=False, rename="camel"):
    """Products and Display name a product by `asin` (vendors) or `sku` (sellers); Brands have their own creative."""

    ad_id: str | int
    ad_group_id: str | int
    campaign_id: str | int
    state: str
    name: str | None = None
    asin: str | None = None
    sku: str | None = None
    custom_text: str | None = None
    creative: Creative | None = None
    landing_page: LandingPage | None = None


class WireKeyword(msgspec.Struct, gc=False, rename="camel"):
    keyword_id: str | int
    ad_group_id: str | int
    campaign_id: str | int
    keyword_text: str
    match_type: str
    state: str
    bid: Decimal | None = None


class Envelope(msgspec.Struct, gc=False, rename="camel"):
    """What paging needs of an entity list, whichever of the lists it holds."""

    next_token: str | None = None
    total_results: int = 0
    campaigns: list[msgspec.Raw] = []
    ad_groups: list[msgspec.Raw] = []
    product_ads: list[msgspec.Raw] = []
    ads: list[msgspec.Raw] = []
    keywords: list[msgspec.Raw] = []

    @property
    def count(self) -> int:
        """Objects on this page."""
        return sum(map(len, (self.campaigns, self.ad_groups, self.product_ads, self.ads, self.keywords)))


class ReportRow(msgspec.Struct, gc=False, kw_only=True, rename="camel"):
    """What the three ad reports have in common; subclasses name the attribution columns.

    Ids are integers in reports. A null or absent currency is the profile's; null conversions or sales are none.
    """

    date: str
    campaign_id: int | str
    ad_group_id: int | str
    ad_id: int | str
    impressions: int
    clicks: int
    cost: Decimal
    campaign_budget_currency_code: str | None = None
    conversions: Decimal | None
    revenue: Decimal | None


class SellerRow(ReportRow, gc=False, kw_only=True, rename="camel"):
    """Sponsored Products of a seller: 7 days after the click."""

    conversions: Decimal | None = msgspec.field(name="purchases7d")
    revenue: Decimal | None = msgspec.field(name="sales7d")


class VendorRow(ReportRow, gc=False, kw_only=True, rename="camel"):
    """Sponsored Products of a vendor: 14 days after the click."""

    conversions: Decimal | None = msgspec.field(name="purchases14d")
    revenue: Decimal | None = msgspec.field(name="sales14d")


class BrandRow(ReportRow, gc=False, kw_only=True, rename="camel"):
    """Sponsored Brands and Sponsored Display: 14 days, without a suffix."""

    conversions: Decimal | None = msgspec.field(name="purchases")
    revenue: Decimal | None = msgspec.field(name="sales")


class WireReport(msgspec.Struct, gc=False, rename="camel"):
    """`POST` and `GET /reporting/reports`."""

    report_id: str
    status: str
    created_at: str | None = None
    failure_reason: str | None = None
    file_size: int | None = None
    url: str | None = None


class WireToken(msgspec.Struct, gc=False):
    access_token: str
    expires_in: int = 3600


class WireError(msgspec.Struct, gc=False):
    """Error bodies use `detail` in reporting v3 and `details` elsewhere; LwA uses the OAuth names."""

    code: str | int | None = None
    detail: str | None = None
    details: str | None = None
    error: str | None = None
    error_description: str | None = None
    message: str | None = None

    @property
    def text(self) -> str:
        """The message, for people."""
        said = self.detail or self.details or self.error_description or self.message or self.error
        return said or (str(self.code) if self.code else "")
