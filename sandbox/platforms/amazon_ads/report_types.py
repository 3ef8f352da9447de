"""Reporting v3: each report type's product, retention, window, groupings and filters.

Source: the configuration tables and "Filters" of docs/en-us/guides/reporting/v3/report-types/*; filters that only the
example requests of the API's OpenAPI file (OfflineReport_prod_3p.json) name are accepted too. Reports of Sponsored
Television, of audiences and of gross and invalid traffic exist at Amazon and not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from sandbox.platforms.amazon_ads.columns import COLUMNS, expand

AD_PRODUCTS = {"sp": "SPONSORED_PRODUCTS", "sb": "SPONSORED_BRANDS", "sd": "SPONSORED_DISPLAY"}
_KEEP_DAYS = {"sp": 95, "sb": 60, "sd": 65}
_STATES = frozenset({"ENABLED", "PAUSED", "ARCHIVED"})
_KEYWORDS = frozenset({"BROAD", "PHRASE", "EXACT", "TARGETING_EXPRESSION", "TARGETING_EXPRESSION_PREDEFINED"})

Filters = Mapping[str, frozenset[str]]
"""Field → the values that it may ask for."""
_NO_FILTERS: Filters = MappingProxyType({})


class Grouping(NamedTuple):
    """What a groupBy value does: `level` of the rows (of several, the finest counts), `split` into parts, filters."""

    level: str
    split: str = ""
    filters: Filters = _NO_FILTERS


class ReportType(NamedTuple):
    """A report type. `most_days`: the longest window; `keep_days`: how far back Amazon has data."""

    product: str
    groupings: Mapping[str, Grouping]
    keep_days: int
    most_days: int = 31


LEVELS = ("campaign", "ad_group", "ad", "target", "term", "purchase")
"""Coarse to fine."""

_CAMPAIGN = {"campaignStatus": _STATES}
_GROUP = {"adStatus": _STATES}
_TARGET: Filters = {"adKeywordStatus": _STATES, "keywordType": _KEYWORDS}
_GROUPINGS: dict[str, dict[str, Grouping]] = {
    "spCampaigns": {
        "campaign": Grouping("campaign", filters=_CAMPAIGN),
        "adGroup": Grouping("ad_group", filters=_GROUP),
        "campaignPlacement": Grouping("campaign", "placement", {"campaignSite": frozenset({"AmazonBusiness"})}),
    },
    "spAdvertisedProduct": {"advertiser": Grouping("ad", filters={"adCreativeStatus": _STATES, **_CAMPAIGN})},
    "spTargeting": {"targeting": Grouping("target", filters=_TARGET)},
    "spSearchTerm": {"searchTerm": Grouping("term", filters={"keywordType": _KEYWORDS})},
    "spPurchasedProduct": {"asin": Grouping("purchase", filters={"keywordType": _KEYWORDS})},
    "sbCampaigns": {"campaign": Grouping("campaign", filters=_CAMPAIGN)},
    "sbAdGroup": {"adGroup": Grouping("ad_group", filters=_GROUP), "campaign": Grouping("ad_group")},
    "sbCampaignPlacement": {
        "campaignPlacement": Grouping("campaign", "placement"),
        "campaign": Grouping("campaign", "placement"),
    },
    "sbAds": {"ads": Grouping("ad", filters=_GROUP)},
    "sbTargeting": {
        "targeting": Grouping(
            "target",
            filters={**_TARGET, "keywordStatus": _STATES, "keywordType": _KEYWORDS | {"THEME"}},
        )
    },
    "sbSearchTerm": {"searchTerm": Grouping("term", filters={"keywordType": _KEYWORDS, "keywordStatus": _STATES})},
    "sbPurchasedProduct": {"purchasedAsin": Grouping("purchase")},
    "sdCampaigns": {"campaign": Grouping("campaign"), "matchedTarget": Grouping("campaign", "matched")},
    "sdAdGroup": {"adGroup": Grouping("ad_group"), "matchedTarget": Grouping("ad_group", "matched")},
    "sdAdvertisedProduct": {"advertiser": Grouping("ad")},
    "sdTargeting": {"targeting": Grouping("target"), "matchedTarget": Grouping("target", "matched")},
    "sdPurchasedProduct": {"asin": Grouping("purchase")},
}
REPORT_TYPES = {
    name: ReportType(name[:2], groupings, _KEEP_DAYS[name[:2]]) for name, groupings in _GROUPINGS.items()
} | {"sbPurchasedProduct": ReportType("sb", _GROUPINGS["sbPurchasedProduct"], 731, 731)}


@cache
def columns_of(report_type_id: str, groups: tuple[str, ...]) -> frozenset[str]:
    """The columns that a report may have when it is grouped by these values."""
    columns = COLUMNS[report_type_id]
    return frozenset().union(*(expand(columns[group]) for group in ("", *groups)))


def filters_of(kind: ReportType, groups: list[str]) -> Filters:
    """The filters that every one of the groupBy values supports; another one is refused."""
    shared = set.intersection(*(set(kind.groupings[group].filters) for group in groups))
    return {field: kind.groupings[groups[0]].filters[field] for field in sorted(shared)}
