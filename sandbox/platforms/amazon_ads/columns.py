"""Reporting v3: the columns of each report type, by what the report is grouped by.

Source: the pages of the Amazon Ads API's "Report types (version 3)" (docs/en-us/guides/reporting/v3/report-types/*)
and, where its example requests name more, the API's OpenAPI file (OfflineReport_prod_3p.json). Four columns are on
neither and in the requests of a released client (airbyte-source-amazon-ads 7.2.3): `leads`, `leadFormOpens` and
`linkOuts` of Display, and `targeting` of spPurchasedProduct.
"""

from __future__ import annotations

import re


def expand(text: str) -> frozenset[str]:
    """Words; `name{1d,7d}` stands for name1d and name7d, `name{,Clicks}` for name and nameClicks."""
    found: set[str] = set()
    for word in text.split():
        match = re.fullmatch(r"(\w+)\{([\w,]*)\}", word)
        found |= {match[1] + part for part in match[2].split(",")} if match else {word}
    return frozenset(found)


_W = "{1d,7d,14d,30d}"
_DATES = "date startDate endDate"
_BOOKS = "kindleEditionNormalizedPagesRead14d kindleEditionNormalizedPagesRoyalties14d"
_CAMPAIGN = "campaignId campaignName campaignStatus"
_BUDGET = "campaignBudgetAmount campaignBudgetCurrencyCode campaignBudgetType"
_RULES = "campaignRuleBasedBudgetAmount campaignApplicableBudgetRuleId campaignApplicableBudgetRuleName"
_GROUP = "adGroupId adGroupName"

# Sponsored Products: clicks alone count, in four windows.
_SP = f"""{_DATES} {_BOOKS} impressions clicks cost costPerClick clickThroughRate addToList qualifiedBorrows
    royaltyQualifiedBorrows purchases{_W} purchasesSameSku{_W} unitsSoldClicks{_W} unitsSoldSameSku{_W} sales{_W}
    attributedSalesSameSku{_W}"""
_SP_MORE = f"""{_SP} {_CAMPAIGN} {_BUDGET} {_GROUP} portfolioId salesOtherSku7d unitsSoldOtherSku7d
    acosClicks{{7d,14d}} roasClicks{{7d,14d}}"""
_SP_TARGET = f"{_SP_MORE} keywordId keyword keywordBid keywordType matchType targeting"
_SP_CAMPAIGN = f"{_CAMPAIGN} {_BUDGET} {_RULES} topOfSearchImpressionShare"

# Sponsored Brands: clicks and views in 14 days, or clicks alone in the columns that say so.
_VIDEO = """videoFirstQuartileViews videoMidpointViews videoThirdQuartileViews videoCompleteViews videoUnmutes
    viewabilityRate"""
_SB_VIDEO = f"{_VIDEO} video5SecondViews video5SecondViewRate viewableImpressions viewClickThroughRate"
_SB_TRAFFIC = f"""{_DATES} {_CAMPAIGN} {_BUDGET} impressions clicks cost costType addToList{{,FromClicks}}
    qualifiedBorrows{{,FromClicks}} royaltyQualifiedBorrows{{,FromClicks}} purchases{{,Clicks}} sales{{,Clicks}}
    unitsSold"""
_SB = f"""{_SB_TRAFFIC} addToCart{{,Clicks,Rate}} eCPAddToCart brandedSearches{{,Clicks}} detailPageViews{{,Clicks}}
    newToBrandDetailPageViewRate newToBrandDetailPageViews{{,Clicks}} newToBrandECPDetailPageView
    newToBrandPurchases{{,Clicks,Percentage,Rate}} newToBrandSales{{,Clicks,Percentage}}
    newToBrandUnitsSold{{,Clicks,Percentage}} purchasesPromoted salesPromoted unitsSoldClicks {_SB_VIDEO}"""

# Sponsored Display: as Brands, with columns for views alone.
_SD = f"""{_DATES} {_VIDEO} viewClickThroughRate campaignId campaignName campaignBudgetCurrencyCode impressions
    impressionsViews clicks cost addToCart{{,Clicks,Rate,Views}} eCPAddToCart eCPBrandSearch brandedSearchRate
    addToList{{,FromClicks,FromViews}} qualifiedBorrows{{,FromClicks,FromViews}}
    royaltyQualifiedBorrows{{,FromClicks,FromViews}} brandedSearches{{,Clicks,Views}} detailPageViews{{,Clicks}}
    newToBrandPurchases{{,Clicks}} newToBrandSalesClicks newToBrandUnitsSold{{,Clicks}}
    purchases{{,Clicks,PromotedClicks}} sales{{,Clicks,PromotedClicks}} unitsSold{{,Clicks}} leads leadFormOpens
    linkOuts"""
_SD_NEW = """newToBrandDetailPageViewClicks newToBrandDetailPageViewRate newToBrandDetailPageViews
    newToBrandDetailPageViewViews newToBrandECPDetailPageView"""
_SD_REACH = "cumulativeReach impressionsFrequencyAverage"

COLUMNS: dict[str, dict[str, str]] = {
    "spCampaigns": {
        "": f"{_SP} spend campaignBiddingStrategy",
        "campaign": _SP_CAMPAIGN,
        "adGroup": f"{_GROUP} adStatus",
        "campaignPlacement": f"{_SP_CAMPAIGN} placementClassification",
    },
    "spAdvertisedProduct": {"": f"{_SP_MORE} spend adId advertisedAsin advertisedSku", "advertiser": ""},
    "spTargeting": {"": f"{_SP_TARGET} topOfSearchImpressionShare", "targeting": "adKeywordStatus"},
    "spSearchTerm": {"": f"{_SP_TARGET} searchTerm", "searchTerm": "adKeywordStatus"},
    "spPurchasedProduct": {
        "": f"""{_DATES} {_BOOKS} {_GROUP} portfolioId campaignId campaignName campaignBudgetCurrencyCode keywordId
            keyword keywordType matchType targeting advertisedAsin advertisedSku purchasedAsin addToList{{,FromClicks}}
            qualifiedBorrows{{,FromClicks}} royaltyQualifiedBorrows{{,FromClicks}} purchases{_W} purchasesOtherSku{_W}
            unitsSoldClicks{_W} unitsSoldOtherSku{_W} sales{_W} salesOtherSku{_W}""",
        "asin": "",
    },
    "sbCampaigns": {
        "": f"{_SB} {_BOOKS} topOfSearchImpressionShare",
        "campaign": f"{_BUDGET} longTermSales longTermROAS topOfSearchImpressionShare campaignRuleBasedBudgetAmount",
    },
    "sbAdGroup": {"": f"{_SB} {_BOOKS} {_GROUP} adStatus", "adGroup": "", "campaign": ""},
    "sbCampaignPlacement": {
        "": f"{_SB} {_BOOKS}",
        "campaignPlacement": "placementClassification",
        "campaign": "placementClassification",
    },
    "sbAds": {"": f"{_SB} {_BOOKS} {_GROUP} adId", "ads": ""},
    "sbTargeting": {
        "": f"""{_SB} {_GROUP} keywordId keywordText keywordBid keywordType matchType adKeywordStatus keywordStatus
            targetingId targetingExpression targetingText targetingType topOfSearchImpressionShare""",
        "targeting": "",
    },
    "sbSearchTerm": {
        "": f"""{_SB_TRAFFIC} {_SB_VIDEO} {_BOOKS} {_GROUP} keywordId keywordText keywordBid matchType searchTerm query
            keywordStatus""",
        "searchTerm": "adKeywordStatus",
    },
    "sbPurchasedProduct": {
        "": f"""{_DATES} {_BOOKS} {_GROUP} campaignId campaignName campaignBudgetCurrencyCode budgetCurrency
            campaignPriceTypeCode attributionType purchasedAsin productName productCategory orders14d ordersClicks14d
            sales14d salesClicks14d unitsSold14d unitsSoldClicks14d
            newToBrandSales14d newToBrandPurchases14d newToBrandUnitsSold14d newToBrandSalesPercentage14d
            newToBrandPurchasesPercentage14d newToBrandUnitsSoldPercentage14d newToBrandOrders14d
            newToBrandOrdersPercentage14d""",
        "purchasedAsin": "",
    },
    "sdCampaigns": {
        "": _SD,
        "campaign": f"""campaignBudgetAmount campaignStatus costType longTermSales longTermROAS newToBrandSales
            {_SD_REACH} {_SD_NEW}""",
        "matchedTarget": "matchedTargetAsin",
    },
    "sdAdGroup": {
        "": f"{_SD} {_GROUP} bidOptimization cumulativeReach newToBrandSales",
        "adGroup": f"{_SD_REACH} {_SD_NEW}",
        "matchedTarget": "matchedTargetAsin",
    },
    "sdAdvertisedProduct": {
        "": f"{_SD} {_GROUP} {_SD_REACH} {_SD_NEW} adId bidOptimization newToBrandSales promotedAsin promotedSku",
        "advertiser": "",
    },
    "sdTargeting": {
        "": f"{_SD} {_GROUP} newToBrandSales targetingId targetingExpression targetingText",
        "targeting": f"adKeywordStatus {_SD_NEW}",
        "matchedTarget": "matchedTargetAsin",
    },
    "sdPurchasedProduct": {
        "": f"""{_DATES} {_GROUP} campaignId campaignName campaignBudgetCurrencyCode promotedAsin promotedSku
            asinBrandHalo addToList{{,FromClicks,FromViews}} qualifiedBorrows{{,FromClicks,FromViews}}
            royaltyQualifiedBorrows{{,FromClicks,FromViews}} conversionsBrandHalo{{,Clicks}} salesBrandHalo{{,Clicks}}
            unitsSoldBrandHalo{{,Clicks}}""",
        "asin": "",
    },
}
"""By report type and groupBy value; the columns under "" are those of every grouping."""
