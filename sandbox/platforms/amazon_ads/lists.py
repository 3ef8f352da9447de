"""Amazon's lists: their paths, media types, filters and bounds. See each product's module for the source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sandbox.platforms.amazon_ads.brands import BRANDS, THEME_TYPES
from sandbox.platforms.amazon_ads.display import DISPLAY
from sandbox.platforms.amazon_ads.filters import (
    ASIN,
    LIVE_STATE,
    STATE,
    Filter,
    ids,
    one_of,
    text,
    without_effect,
    words,
)
from sandbox.platforms.amazon_ads.portfolios import portfolios
from sandbox.platforms.amazon_ads.products import PRODUCTS
from sandbox.world import World, WorldProfile

Entities = list[dict[str, Any]]
Build = Callable[[World, WorldProfile], Entities]


class PostedList(NamedTuple):
    """A list that is asked by POST with `maxResults` and `nextToken`.

    `key` and `total`: the answer's names. `contents` and `accepts`: media types, "" for none, "*" for any.
    """

    build: Build
    key: str
    media: str
    filters: Mapping[str, Filter]
    most: int
    total: str = "totalResults"
    contents: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    always_extended: bool = False


_KEYWORD_MATCHES = ("BROAD", "EXACT", "PHRASE", "OTHER")
_NEGATIVE_MATCHES = ("NEGATIVE_BROAD", "NEGATIVE_EXACT", "NEGATIVE_PHRASE", "OTHER")
_PARENTS = {"campaignIdFilter": ids("campaignId"), "adGroupIdFilter": ids("adGroupId")}
_CAMPAIGN = {"campaignIdFilter": ids("campaignId")}
_LANGUAGE: Mapping[str, Filter] = {"locale": lambda entities, _name, _value: entities}
_MOST_PRODUCTS = 1000
"""The longest list in the answers' schemas; clients send 500 and more."""
_MOST_BRANDS = 100


def _products(path: str, key: str, kind: str, filters: Mapping[str, Filter]) -> dict[str, PostedList]:
    """Both media types are the list's own, as in every sample and client."""
    media = f"application/vnd.{kind}.v3+json"
    every = {"stateFilter": STATE, **filters}
    found = PostedList(PRODUCTS[path], key, media, every, _MOST_PRODUCTS, contents=(media,), accepts=(media,))
    return {f"/sp/{path}/list": found}


def _brands(path: str, kind: str, filters: Mapping[str, Filter], count: str = "totalResults") -> dict[str, PostedList]:
    """Amazon's own samples send no content type, JSON's, or a text's; what is accepted must be named."""
    media = f"application/vnd.{kind}.v4+json"
    every = {"stateFilter": LIVE_STATE, "nameFilter": text("name"), **filters}
    found = PostedList(
        BRANDS[path], path, media, every, _MOST_BRANDS, count,
        contents=("", "text/plain", "application/json", media),
        accepts=(media,),
        always_extended=path == "ads",
    )  # fmt: skip
    return {f"/sb/v4/{path}/list": found}


_THEMES = "application/vnd.sbthemeslistresponse.v3+json"
_PORTFOLIO = "application/vnd.spPortfolio.v3+json"
POSTED: dict[str, PostedList] = {
    **_products("campaigns", "campaigns", "spCampaign", {
        **_CAMPAIGN,
        "nameFilter": text("name"),
        "portfolioIdFilter": ids("portfolioId"),
        "marketplaceBudgetAllocationFilter": without_effect(("AUTO", "MANUAL")),  # documented as not yet functional
    }),
    **_products("adGroups", "adGroups", "spAdGroup", {**_PARENTS, "nameFilter": text("name")}),
    **_products("productAds", "productAds", "spProductAd", {**_PARENTS, "adIdFilter": ids("adId")}),
    **_products("keywords", "keywords", "spKeyword", {
        **_PARENTS, **_LANGUAGE,
        "keywordIdFilter": ids("keywordId"),
        "keywordTextFilter": text("keywordText"),
        "matchTypeFilter": words("matchType", _KEYWORD_MATCHES),
    }),
    **_products("negativeKeywords", "negativeKeywords", "spNegativeKeyword", {
        **_PARENTS, **_LANGUAGE,
        "negativeKeywordIdFilter": ids("keywordId"),
        "negativeKeywordTextFilter": text("keywordText"),
        "matchTypeFilter": words("matchType", _NEGATIVE_MATCHES),
    }),
    **_products("campaignNegativeKeywords", "campaignNegativeKeywords", "spCampaignNegativeKeyword", {
        **_CAMPAIGN,
        "campaignNegativeKeywordIdFilter": ids("keywordId"),
        "campaignNegativeKeywordTextFilter": text("keywordText"),
        "matchTypeFilter": words("matchType", _NEGATIVE_MATCHES),
    }),
    **_products("targets", "targetingClauses", "spTargetingClause", {
        **_PARENTS,
        "targetIdFilter": ids("targetId"),
        "asinFilter": ASIN,
        "expressionTypeFilter": one_of("expressionType", ("AUTO", "MANUAL", "OTHER")),
    }),
    **_products("negativeTargets", "negativeTargetingClauses", "spNegativeTargetingClause", {
        **_PARENTS, "negativeTargetIdFilter": ids("targetId"), "asinFilter": ASIN,
    }),
    **_products("campaignNegativeTargets", "campaignNegativeTargetingClauses", "spCampaignNegativeTargetingClause", {
        **_CAMPAIGN, "campaignNegativeTargetIdFilter": ids("targetId"), "asinFilter": ASIN,
    }),
    **_brands("campaigns", "sbcampaignresource", {**_CAMPAIGN, "portfolioIdFilter": ids("portfolioId")}, "totalCount"),
    **_brands("adGroups", "sbadgroupresource", _PARENTS),
    **_brands("ads", "sbadresource", {**_PARENTS, "adIdFilter": ids("adId")}),
    "/sb/themes/list": PostedList(
        BRANDS["themes"], "themes", _THEMES,
        {
            **_PARENTS,
            "themeIdFilter": ids("themeId"),
            "themeTypeFilter": one_of("themeType", THEME_TYPES),
            "stateFilter": one_of("state", ("enabled", "paused", "archived")),
        },
        _MOST_BRANDS, contents=("", "text/plain", "application/json", _THEMES), accepts=("", "*/*", _THEMES),
    ),
    "/portfolios/list": PostedList(
        portfolios, "portfolios", _PORTFOLIO,
        {"portfolioIdFilter": ids("portfolioId"), "nameFilter": text("name"), "stateFilter": LIVE_STATE},
        100, contents=(_PORTFOLIO, "application/json"), accepts=(_PORTFOLIO, "application/json", "*/*"),
    ),
}  # fmt: skip
"""By path."""


class GottenList(NamedTuple):
    """A list that is asked by GET with `startIndex` and `count`; a bare array.

    `filters`: query parameter → (the entity's field, the values that it may have; none: any). `hidden`: fields that
    can be asked for and are not answered.
    """

    build: Build
    id: str
    filters: Mapping[str, tuple[str, tuple[str, ...]]]
    media: str = "application/json"
    states: tuple[str, ...] = ("enabled", "paused", "archived")
    most: int = 5000
    hidden: tuple[str, ...] = ()


_STATES = ("enabled", "paused", "archived")
_IN_CAMPAIGN = {"stateFilter": ("state", _STATES), "campaignIdFilter": ("campaignId", ())}
_IN_GROUP = {**_IN_CAMPAIGN, "adGroupIdFilter": ("adGroupId", ())}
_BY_NAME = {"name": ("name", ())}
_BY_KEYWORD = {**_IN_GROUP, "keywordIdFilter": ("keywordId", ()), "keywordText": ("keywordText", ())}

GOTTEN: dict[str, GottenList] = {
    "/sd/campaigns": GottenList(
        DISPLAY["campaigns"], "campaignId", {**_IN_CAMPAIGN, **_BY_NAME, "portfolioIdFilter": ("portfolioId", ())}
    ),
    "/sd/adGroups": GottenList(DISPLAY["adGroups"], "adGroupId", {**_IN_GROUP, **_BY_NAME}),
    "/sd/productAds": GottenList(DISPLAY["productAds"], "adId", {**_IN_GROUP, "adIdFilter": ("adId", ())}),
    "/sd/targets": GottenList(DISPLAY["targets"], "targetId", _IN_GROUP),
    "/sd/negativeTargets": GottenList(
        DISPLAY["negativeTargets"], "targetId", _IN_GROUP, hidden=("campaignId",)
    ),
    "/sd/creatives": GottenList(
        DISPLAY["creatives"], "creativeId",
        {"adGroupIdFilter": ("adGroupId", ()), "creativeIdFilter": ("creativeId", ())}, most=100,
    ),
    "/sb/keywords": GottenList(
        BRANDS["keywords"], "keywordId",
        {**_BY_KEYWORD, "matchTypeFilter": ("matchType", ("broad", "exact", "phrase"))},
        media="application/vnd.sbkeyword.v3+json", states=("enabled", "paused"),
    ),
    "/sb/negativeKeywords": GottenList(
        BRANDS["negativeKeywords"], "keywordId",
        {**_BY_KEYWORD, "matchTypeFilter": ("matchType", ("negativeExact", "negativePhrase"))},
        media="application/vnd.sbnegativekeyword.v3+json",
    ),
}  # fmt: skip
"""By path. `states`: those that are listed when no stateFilter is given."""

BRAND_TARGETS: dict[str, tuple[str, str, Build]] = {
    "/sb/targets/list": ("targets", "application/vnd.sblisttargetsresponse.v3+json", BRANDS["targets"]),
    "/sb/negativeTargets/list": (
        "negativeTargets", "application/vnd.sblistnegativetargetsresponse.v3+json", BRANDS["negativeTargets"],
    ),
}  # fmt: skip
"""By path: the answer's key, its media type, and the entities."""
BRAND_CREATIVES = "/sb/ads/creatives/list"
CREATIVES_MEDIA = "application/vnd.sbAdCreativeResource.v4+json"
CREATIVE_TYPES = ("PRODUCT_COLLECTION", "AUTHOR_COLLECTION", "STORE_SPOTLIGHT", "VIDEO", "BRAND_VIDEO")
CREATIVE_STATUSES = (
    "SUBMITTED_FOR_MODERATION",
    "PENDING_TRANSLATION",
    "PENDING_MODERATION_REVIEW",
    "APPROVED_BY_MODERATION",
    "REJECTED_BY_MODERATION",
    "PUBLISHED",
)
