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
    id: str = ""
    marketplace_id: str = msgspec.field(default="", name="marketplaceStringId")


def alias(advertiser_id: str, marketplace_id: str) -> str:
    """How the stream names an ad account: an `advertiser_id` alone may be the same in several marketplaces."""
    return f"{advertiser_id}@{marketplace_id}" if advertiser_id and marketplace_id else ""


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
    """Sponsored Brands v4: the budget is a bare number beside its type.

    Reports leave a campaign out that has no ad groups of its own (`isMultiAdGroupsEnabled` is false).
    """

    campaign_id: str | int
    name: str
    state: str
    budget: Decimal | None = None
    budget_type: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    goal: str | None = None
    is_multi_ad_groups_enabled: bool = True


class SdCampaign(msgspec.Struct, gc=False, rename="camel"):
    """Sponsored Display v1: lower-case states and dates without dashes."""

    campaign_id: str | int
    name: str
    state: str
    budget: Decimal | None = None
    budget_type: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    tactic: str | None = None


class WireAdGroup(msgspec.Struct, gc=False, rename="camel"):
    ad_group_id: str | int
    campaign_id: str | int
    name: str
    state: str
    default_bid: Decimal | None = None


class AdContent(msgspec.Struct, gc=False, rename="camel"):
    """The creative of a brand ad; what it consists of differs by its type. Videos are named by asset ids only."""

    type: str | None = None
    headline: str | None = None
    custom_image_url: str | None = None
    brand_logo_url: str | None = None


class LandingPage(msgspec.Struct, gc=False, rename="camel"):
    page_type: str | None = None
    url: str | None = None
    asins: list[str] | None = None


class WireAd(msgspec.Struct, gc=False, rename="camel"):
    """Products and Display name a product by `asin` (vendors) or `sku` (sellers); Brands have their own creative.

    A Display ad that shows no product of Amazon's has a name and a page (`adName`, `landingPageURL`).
    """

    ad_id: str | int
    ad_group_id: str | int
    campaign_id: str | int
    state: str
    name: str | None = None
    asin: str | None = None
    sku: str | None = None
    custom_text: str | None = None
    creative: AdContent | None = None
    landing_page: LandingPage | None = None
    ad_name: str | None = None
    landing_page_url: str | None = msgspec.field(default=None, name="landingPageURL")


class SdProperties(msgspec.Struct, gc=False, rename="camel"):
    headline: str | None = None


class SdCreative(msgspec.Struct, gc=False, rename="camel"):
    """A Display creative. Its images and videos are named by asset ids only."""

    creative_id: str | int
    ad_group_id: str | int
    creative_type: str
    moderation_status: str
    properties: SdProperties | None = None


class WireKeyword(msgspec.Struct, gc=False, rename="camel"):
    """A keyword, negative or not; a campaign's negative has no ad group, a negative has no bid."""

    keyword_id: str | int
    campaign_id: str | int
    keyword_text: str
    match_type: str
    state: str
    ad_group_id: str | int = ""
    bid: Decimal | None = None


class Predicate(msgspec.Struct, gc=False, rename="camel"):
    """A part of a target's expression. The value of an audience is a list of predicates, of a retired one a text."""

    type: str
    value: str | list[Predicate] | None = None


class WireTarget(msgspec.Struct, gc=False, rename="camel"):
    """A target, negative or not. Display may leave out the campaign; Brands writes `expressions`."""

    target_id: str | int
    state: str
    campaign_id: str | int = ""
    ad_group_id: str | int = ""
    bid: Decimal | None = None
    expression_type: str = ""
    expression: list[Predicate] = []
    resolved_expression: list[Predicate] = []
    expressions: list[Predicate] = []
    resolved_expressions: list[Predicate] = []


class WireTheme(msgspec.Struct, gc=False, rename="camel"):
    """A group of keywords that Amazon chooses for a brand or its pages."""

    theme_id: str | int
    ad_group_id: str | int
    campaign_id: str | int
    theme_type: str
    state: str
    bid: Decimal | None = None


class Paged(msgspec.Struct, gc=False, rename="camel"):
    """What paging needs of a list's envelope. Brands v4 counts in `totalCount` or `totalResults`."""

    next_token: str | None = None
    total_results: int = 0
    total_count: int = 0

    @property
    def total(self) -> int:
        return max(self.total_results, self.total_count)


class WireReport(msgspec.Struct, gc=False, rename="camel"):
    """`POST` and `GET /reporting/reports`."""

    report_id: str
    status: str
    created_at: str | None = None
    failure_reason: str | None = None
    file_size: int | None = None
    url: str | None = None


class WireError(msgspec.Struct, gc=False):
    """Error bodies use `detail` in reporting v3 and `details` elsewhere."""

    code: str | int | None = None
    detail: str | None = None
    details: str | None = None
    message: str | None = None

    @property
    def text(self) -> str:
        """The message, for people."""
        said = self.detail or self.details or self.message
        return said or (str(self.code) if self.code else "")
