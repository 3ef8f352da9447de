"""Amazon's JSON as msgspec structs: only the fields that we use (platform-protocols sections 3.2 to 3.5).

Numbers with a fraction are decoded to Decimal straight from their text, so no float ever exists.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class AccountInfo(msgspec.Struct, gc=False):
    type: str = ""
    name: str = ""
    id: str = ""
    marketplaceStringId: str = ""


class WireProfile(msgspec.Struct, gc=False):
    """`GET /v2/profiles`. `profileId` is an integer on the wire."""

    profileId: int | str
    countryCode: str
    currencyCode: str
    timezone: str
    accountInfo: AccountInfo = msgspec.field(default_factory=AccountInfo)


class Budget(msgspec.Struct, gc=False):
    budget: Decimal | None = None
    budgetType: str | None = None


class SpCampaign(msgspec.Struct, gc=False):
    campaignId: str | int
    name: str
    state: str
    targetingType: str | None = None
    budget: Budget | None = None
    startDate: str | None = None
    endDate: str | None = None


class SbCampaign(msgspec.Struct, gc=False):
    """Sponsored Brands v4: the budget is a bare number beside its type."""

    campaignId: str | int
    name: str
    state: str
    budget: Decimal | None = None
    budgetType: str | None = None
    startDate: str | None = None
    endDate: str | None = None
    goal: str | None = None


class SdCampaign(msgspec.Struct, gc=False):
    """Sponsored Display v1: lower-case states and dates without dashes."""

    campaignId: str | int
    name: str
    state: str
    budget: Decimal | None = None
    budgetType: str | None = msgspec.field(default=None, name="budgettype")
    startDate: str | None = None
    endDate: str | None = None
    tactic: str | None = None


class SpAdGroup(msgspec.Struct, gc=False):
    adGroupId: str | int
    campaignId: str | int
    name: str
    state: str
    defaultBid: Decimal | None = None


class ExtendedData(msgspec.Struct, gc=False):
    servingStatus: str | None = None


class SpProductAd(msgspec.Struct, gc=False):
    adId: str | int
    adGroupId: str | int
    campaignId: str | int
    state: str
    asin: str | None = None
    sku: str | None = None
    customText: str | None = None
    extendedData: ExtendedData | None = None


class SpKeyword(msgspec.Struct, gc=False):
    keywordId: str | int
    adGroupId: str | int
    campaignId: str | int
    keywordText: str
    matchType: str
    state: str
    bid: Decimal | None = None


class NextToken(msgspec.Struct, gc=False):
    """What paging needs of an entity list."""

    nextToken: str | None = None


class ReportRow(msgspec.Struct, gc=False, kw_only=True):
    """What the three ad reports have in common; subclasses name the attribution columns.

    Ids are integers in reports. A null or absent currency is the profile's; null conversions or sales are none.
    """

    date: str
    campaignId: int | str
    adGroupId: int | str
    adId: int | str
    impressions: int
    clicks: int
    cost: Decimal
    campaignBudgetCurrencyCode: str | None = None
    conversions: Decimal | None
    revenue: Decimal | None


class SellerRow(ReportRow, gc=False, kw_only=True):
    """Sponsored Products of a seller: 7 days after the click."""

    conversions: Decimal | None = msgspec.field(name="purchases7d")
    revenue: Decimal | None = msgspec.field(name="sales7d")


class VendorRow(ReportRow, gc=False, kw_only=True):
    """Sponsored Products of a vendor: 14 days after the click."""

    conversions: Decimal | None = msgspec.field(name="purchases14d")
    revenue: Decimal | None = msgspec.field(name="sales14d")


class BrandRow(ReportRow, gc=False, kw_only=True):
    """Sponsored Brands and Sponsored Display: 14 days, without a suffix."""

    conversions: Decimal | None = msgspec.field(name="purchases")
    revenue: Decimal | None = msgspec.field(name="sales")


class WireReport(msgspec.Struct, gc=False):
    """`POST` and `GET /reporting/reports`."""

    reportId: str
    status: str
    createdAt: str | None = None
    failureReason: str | None = None
    fileSize: int | None = None
    url: str | None = None
    urlExpiresAt: str | None = None


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
        """What it says, for people."""
        said = self.detail or self.details or self.error_description or self.message or self.error
        return said or (str(self.code) if self.code else "")
