"""Which report answers for a dataset of metrics: its type, grouping and columns.

Source: Amazon Ads API, "Report types (version 3)" and "Columns" (docs mirror idealerror/amazon-ads-api-docs). Every
window, the same-SKU and the click-only columns are requested wherever a type has them: which of them count is a
profile's option, and another choice is then a replay of the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from adweir.model.datasets import Dataset
from adweir.platforms.amazon_ads import SB, SD, SP

WINDOWS = ("1d", "7d", "14d", "30d")
"""The attribution windows of Sponsored Products. Brands and Display have 14 days, without a suffix."""
PRODUCTS = {SP: "SPONSORED_PRODUCTS", SB: "SPONSORED_BRANDS", SD: "SPONSORED_DISPLAY"}

_SP_SALES = tuple(
    f"{name}{window}"
    for window in WINDOWS
    for name in ("purchases", "sales", "purchasesSameSku", "attributedSalesSameSku")
)
_TOTALS = ("purchases", "purchasesClicks", "sales", "salesClicks")
_SB_SALES = (*_TOTALS, "purchasesPromoted", "salesPromoted")
_SD_SALES = (*_TOTALS, "purchasesPromotedClicks", "salesPromotedClicks")
_ALWAYS = ("date", "campaignId", "impressions", "clicks", "cost", "campaignBudgetCurrencyCode")


class ReportKind(NamedTuple):
    """A report type as it is requested, always by day."""

    type_id: str
    group_by: tuple[str, ...]
    columns: tuple[str, ...]


def _kind(type_id: str, group_by: str, keys: tuple[str, ...], sales: tuple[str, ...]) -> ReportKind:
    return ReportKind(type_id, tuple(group_by.split()), (*_ALWAYS, *keys, *sales))


_AD = ("adGroupId", "adId")
_KEYWORD = ("adGroupId", "keywordId")

REPORTS: Mapping[tuple[Dataset, str], ReportKind] = {
    (Dataset.AD_DAILY, SP): _kind("spAdvertisedProduct", "advertiser", _AD, _SP_SALES),
    (Dataset.AD_DAILY, SB): _kind("sbAds", "ads", _AD, _SB_SALES),
    (Dataset.AD_DAILY, SD): _kind("sdAdvertisedProduct", "advertiser", _AD, _SD_SALES),
    (Dataset.CAMPAIGN_DAILY, SP): _kind("spCampaigns", "campaign", (), _SP_SALES),
    (Dataset.CAMPAIGN_DAILY, SB): _kind("sbCampaigns", "campaign", (), _SB_SALES),
    (Dataset.CAMPAIGN_DAILY, SD): _kind("sdCampaigns", "campaign", (), _SD_SALES),
    (Dataset.KEYWORD_DAILY, SP): _kind("spTargeting", "targeting", _KEYWORD, _SP_SALES),
    (Dataset.KEYWORD_DAILY, SB): _kind("sbTargeting", "targeting", (*_KEYWORD, "targetingId"), _SB_SALES),
    (Dataset.KEYWORD_DAILY, SD): _kind("sdTargeting", "targeting", ("adGroupId", "targetingId"), _SD_SALES),
    (Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, SP): _kind(
        "spSearchTerm", "searchTerm", (*_KEYWORD, "searchTerm"), _SP_SALES
    ),
    (Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, SB): _kind("sbSearchTerm", "searchTerm", (*_KEYWORD, "searchTerm"), _TOTALS),
    (Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, SP): _kind(
        "spCampaigns", "campaign campaignPlacement", ("placementClassification",), _SP_SALES
    ),
    (Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, SB): _kind(
        "sbCampaignPlacement", "campaignPlacement", ("placementClassification",), _SB_SALES
    ),
}
