"""Reporting v3: each report type's product, grouping, retention and columns (Amazon Ads API, Report types)."""

from __future__ import annotations

import re
from typing import NamedTuple


def _expand(text: str) -> frozenset[str]:
    """Words; `name{1d,7d}` stands for name1d and name7d."""
    found: set[str] = set()
    for word in text.split():
        match = re.fullmatch(r"(\w+)\{([\w,]+)\}", word)
        found |= {match[1] + part for part in match[2].split(",")} if match else {word}
    return frozenset(found)


class ReportType(NamedTuple):
    """What a report answers: `level` is the world's, `columns` are by groupBy value, `keep_days` is the retention."""

    ad_product: str
    product: str
    level: str
    keep_days: int
    columns: dict[str, frozenset[str]]
    filters: frozenset[str]


_W = "{1d,7d,14d,30d}"
_DATES = "date startDate endDate"
_SP = f"""impressions addToList qualifiedBorrows royaltyQualifiedBorrows clicks cost purchases{_W} purchasesSameSku{_W}
    unitsSoldClicks{_W} sales{_W} attributedSalesSameSku{_W} unitsSoldSameSku{_W} kindleEditionNormalizedPagesRead14d
    kindleEditionNormalizedPagesRoyalties14d costPerClick clickThroughRate {_DATES}"""
_OTHER = "salesOtherSku7d unitsSoldOtherSku7d acosClicks{7d,14d} roasClicks{7d,14d}"
_CAMPAIGN = """campaignName campaignId campaignStatus campaignBudgetAmount campaignBudgetType
    campaignBudgetCurrencyCode"""
_CAMPAIGN_MORE = """campaignRuleBasedBudgetAmount campaignApplicableBudgetRuleId campaignApplicableBudgetRuleName
    topOfSearchImpressionShare"""
_SB = f"""adGroupId adGroupName {_CAMPAIGN} clicks cost costType {_DATES} impressions viewableImpressions
    viewabilityRate detailPageViews detailPageViewsClicks addToCart addToCartClicks addToCartRate eCPAddToCart purchases
    purchasesClicks purchasesPromoted sales salesClicks salesPromoted unitsSold unitsSoldClicks brandedSearches
    brandedSearchesClicks newToBrandPurchases newToBrandSales newToBrandUnitsSold video5SecondViews
    video5SecondViewRate videoFirstQuartileViews videoMidpointViews videoThirdQuartileViews videoCompleteViews
    videoUnmutes"""
_SD = f"""adGroupId adGroupName bidOptimization campaignBudgetCurrencyCode campaignId campaignName clicks cost
    cumulativeReach {_DATES} impressions impressionsViews impressionsFrequencyAverage detailPageViews
    detailPageViewsClicks purchases purchasesClicks purchasesPromotedClicks sales salesClicks salesPromotedClicks
    unitsSold unitsSoldClicks addToCart viewabilityRate viewClickThroughRate newToBrandPurchases newToBrandSales"""

REPORT_TYPES = {
    "spCampaigns": ReportType(
        "SPONSORED_PRODUCTS", "sp", "campaign", 95,
        {
            "campaign": _expand(f"{_SP} campaignBiddingStrategy spend {_CAMPAIGN} {_CAMPAIGN_MORE}"),
            "adGroup": _expand(f"{_SP} campaignBiddingStrategy spend adGroupName adGroupId adStatus"),
        },
        frozenset({"campaignStatus", "adStatus"}),
    ),
    "spTargeting": ReportType(
        "SPONSORED_PRODUCTS", "sp", "keyword", 95,
        {
            "targeting": _expand(
                f"{_SP} {_OTHER} {_CAMPAIGN} keywordId keyword portfolioId keywordBid adGroupName adGroupId "
                "keywordType matchType targeting topOfSearchImpressionShare adKeywordStatus"
            )
        },
        frozenset({"adKeywordStatus", "keywordType"}),
    ),
    "spAdvertisedProduct": ReportType(
        "SPONSORED_PRODUCTS", "sp", "ad", 95,
        {
            "advertiser": _expand(
                f"{_SP} {_OTHER} {_CAMPAIGN} spend adGroupName adGroupId adId portfolioId advertisedAsin advertisedSku"
            )
        },
        frozenset({"adCreativeStatus"}),
    ),
    "sbCampaigns": ReportType(
        "SPONSORED_BRANDS", "sb", "campaign", 60,
        {"campaign": _expand(f"{_SB} {_CAMPAIGN_MORE}") - {"adGroupId", "adGroupName"}},
        frozenset({"campaignStatus"}),
    ),
    "sbAds": ReportType(
        "SPONSORED_BRANDS", "sb", "ad", 60, {"ads": _expand(f"{_SB} adId")}, frozenset({"adStatus"})
    ),
    "sbTargeting": ReportType(
        "SPONSORED_BRANDS", "sb", "keyword", 60,
        {
            "targeting": _expand(
                f"{_SB} keywordId keywordText keywordBid keywordType matchType adKeywordStatus targetingId "
                "targetingExpression targetingText targetingType topOfSearchImpressionShare"
            )
        },
        frozenset({"adKeywordStatus", "keywordType"}),
    ),
    "sdCampaigns": ReportType(
        "SPONSORED_DISPLAY", "sd", "campaign", 65,
        {"campaign": _expand(f"{_SD} {_CAMPAIGN} costType") - {"adGroupId", "adGroupName"}},
        frozenset({"campaignStatus"}),
    ),
    "sdAdvertisedProduct": ReportType(
        "SPONSORED_DISPLAY", "sd", "ad", 65,
        {"advertiser": _expand(f"{_SD} adId promotedAsin promotedSku")},
        frozenset(),
    ),
}  # fmt: skip

ALWAYS_DAILY = {"date"}
ALWAYS_SUMMARY = {"startDate", "endDate"}
