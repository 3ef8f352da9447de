"""What stands in the columns of a report.

Source: "Report Attributes and Performance Statistics", "Reports" (format versions). Conversions, AllConversions and
ViewThroughConversions are 0 since 2022; their Qualified columns are decimal numbers. Goals that are excluded from
bidding are in AllConversions and AllRevenue only: here each click is a page view, worth the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.platforms.microsoft_ads.campaigns import STATUSES, money
from sandbox.platforms.microsoft_ads.population import AUDIENCE, account_of
from sandbox.world import Numbers, WorldProfile, WorldRow

ATTRIBUTES = frozenset(
    {
        "AccountId", "AccountName", "AccountNumber", "AccountStatus", "AdDescription", "AdDistribution", "AdGroupId",
        "AdGroupLabels", "AdGroupName", "AdGroupStatus", "AdGroupType", "AdId", "AdLabels", "AdStatus", "AdStrength",
        "AdStrengthActionItems", "AdTitle", "AdType", "AgeGroup", "AppBundle", "AppName", "AppStoreUrl", "AssetGroupId",
        "AssetGroupName", "AssetGroupStatus", "BaseCampaignId", "BidMatchType", "BidStrategyType",
        "BudgetAssociationStatus", "BudgetName", "BudgetStatus", "BusinessName", "CampaignId", "CampaignLabels",
        "CampaignName", "CampaignStatus", "CampaignType", "CurrencyCode", "CustomParameters", "CustomerId",
        "CustomerName", "DeliveredMatchType", "DestinationUrl", "DeviceOS", "DeviceType", "DisplayUrl", "FinalAppUrl",
        "FinalMobileUrl", "FinalUrl", "FinalUrlSuffix", "Gender", "Goal", "GoalId", "GoalType", "Headline", "Keyword",
        "KeywordId", "KeywordLabels", "KeywordStatus", "Language", "LongHeadline", "Network", "PublisherUrl", "Status",
        "TimePeriod", "TopVsOther", "TrackingTemplate",
    }
)  # fmt: skip
"""Columns that group the data; all others are performance statistics."""
SHARES = frozenset(
    {
        "AbsoluteTopImpressionRatePercent", "AbsoluteTopImpressionShareLostToBudgetPercent",
        "AbsoluteTopImpressionShareLostToRankPercent", "AbsoluteTopImpressionSharePercent",
        "AudienceImpressionLostToBudgetPercent", "AudienceImpressionLostToRankPercent",
        "AudienceImpressionSharePercent", "ClickSharePercent", "ExactMatchImpressionSharePercent",
        "ImpressionLostToBudgetPercent", "ImpressionLostToRankAggPercent", "ImpressionSharePercent", "RelativeCtr",
        "TopImpressionRatePercent", "TopImpressionShareLostToBudgetPercent", "TopImpressionShareLostToRankPercent",
        "TopImpressionSharePercent",
    }
)  # fmt: skip
"""Impression share statistics, which are empty here, as where data is not available."""
SPLITS: Mapping[str, Mapping[str, int]] = {
    "DeviceType": {"Computer": 8, "Smartphone": 5, "Tablet": 1},
    "DeviceOS": {"Windows": 7, "Android": 3, "iOS": 3, "Other": 1},
    "Network": {"Microsoft sites and select traffic": 9, "Syndicated search partners": 2, "Audience": 3},
    "TopVsOther": {
        "Bing and Yahoo! search - Top": 7, "Bing and Yahoo! search - Other": 2, "Syndicated search partners - Top": 2,
        "Audience network": 3,
    },
    "AgeGroup": {"13-17": 1, "18-24": 4, "25-34": 7, "35-49": 6, "50-64": 5, "65+": 3, "Unknown": 2},
    "Gender": {"Male": 5, "Female": 6, "Unknown": 2},
    "PublisherUrl": {
        "Bing and Yahoo! Search Properties Only": 8, "msn.com": 4, "AOL Search Properties Only": 1,
        "news.example/world": 2,
    },
}  # fmt: skip
"""Attributes that divide every row, by weight. What is not known is "Unknown"."""
_TYPES = {
    "Search": "Search & content", "Shopping": "Shopping", "Audience": "Audience", "PerformanceMax": "Performance max",
}  # fmt: skip
_AD_TYPES = {
    "ResponsiveSearch": "Responsive search ad", "ExpandedText": "Expanded text ad",
    "DynamicSearch": "Dynamic search ad", "Product": "Product ad", "ResponsiveAd": "Responsive ad",
}  # fmt: skip


class MicrosoftLine(NamedTuple):
    """A row before it is written. `label`: by split column its value. `level`: that of the report."""

    profile: WorldProfile
    row: WorldRow
    label: Mapping[str, str]
    level: str
    numbers: Numbers


def attribute(line: MicrosoftLine, column: str, time_period: Callable[[WorldRow], str]) -> str:
    """An attribute's text; empty for one that the row, or the world, does not have."""
    if column in line.label:
        return line.label[column]
    if column == "TimePeriod":
        return time_period(line.row)
    found = _of_account(line.profile) | _of_parents(line)
    return found.get(column, "")


def _of_account(profile: WorldProfile) -> dict[str, str]:
    account = account_of(profile.id)
    return {
        "AccountId": profile.id,
        "AccountName": profile.name,
        "AccountNumber": account.number,
        "AccountStatus": "Active",
        "CurrencyCode": profile.currency,
        "CustomerId": account.customer,
        "CustomerName": profile.name,
        "Language": "English",
    }


def _of_parents(line: MicrosoftLine) -> dict[str, str]:
    campaign, group, ad, keyword = line.row.campaign, line.row.group, line.row.ad, line.row.keyword
    found: dict[str, str] = {}
    if campaign:
        found |= {
            "CampaignId": campaign.id,
            "CampaignName": campaign.name,
            "CampaignStatus": STATUSES[campaign.status],
            "CampaignType": _TYPES[campaign.product],
            "AdDistribution": "Audience" if campaign.product == AUDIENCE else "Search",
        }
    if group:
        stem = "AssetGroup" if group.hidden else "AdGroup"
        status = STATUSES[group.status]
        found |= {f"{stem}Id": group.id, f"{stem}Name": group.name, f"{stem}Status": status}
        if line.level == "ad_group" and not group.hidden:
            found["Status"] = status
    if ad:
        found |= {"AdId": ad.id, "AdStatus": STATUSES[ad.status], "AdType": _AD_TYPES[ad.creative["type"]]}
        found |= {"AdTitle": ad.creative["thing"].title(), "FinalUrl": ad.creative["page"]}
    if keyword:
        found |= {
            "Keyword": keyword.text,
            "KeywordId": keyword.id.partition("~")[2],
            "KeywordStatus": STATUSES[keyword.state],
            "BidMatchType": keyword.match_type,
        }
    return found


# -- performance statistics -------------------------------------------------------------------------------------------


def _halves(count: int) -> str:
    return f"{Decimal(count) / 2:.2f}"


def _ratio(over: Any, under: Any) -> str:
    return f"{Decimal(over) / Decimal(under):.2f}" if under else ""


_COUNTS: Mapping[str, Callable[[Numbers], str]] = {
    "Impressions": lambda n: str(n.impressions),
    "Clicks": lambda n: str(n.clicks),
    "Conversions": lambda _: "0",
    "AllConversions": lambda _: "0",
    "ViewThroughConversions": lambda _: "0",
    "ConversionsQualified": lambda n: _halves(n.halves[30]),
    "AllConversionsQualified": lambda n: _halves(n.halves[30] + 2 * n.clicks),
    "ViewThroughConversionsQualified": lambda n: _halves(n.views[1]),
    "Ctr": lambda n: f"{_ratio(100 * n.clicks, n.impressions) or '0.00'}%",
}
_AMOUNTS: Mapping[str, Callable[[Numbers], int]] = {
    "Spend": lambda n: n.spend,
    "Revenue": lambda n: n.revenue[30],
    "AllRevenue": lambda n: n.revenue[30] + n.clicks,
    "ViewThroughRevenue": lambda n: n.view_revenue[1],
}
_GROUPED = ("AllRevenue", "Revenue")
"""Amounts that version 1.0 of the format writes with a comma between thousands."""


def statistic(profile: WorldProfile, numbers: Numbers, column: str, version: str) -> str:
    """A statistic's text; empty for one that the world does not have. `version`: FormatVersion."""
    if column in _COUNTS:
        return _COUNTS[column](numbers)
    if column in _AMOUNTS:
        amount = money(profile, _AMOUNTS[column](numbers))
        return f"{amount:,.2f}" if column in _GROUPED and version != "2.0" else f"{amount:.2f}"
    if column == "AverageCpc":
        return _ratio(money(profile, numbers.spend), numbers.clicks)
    return ""
