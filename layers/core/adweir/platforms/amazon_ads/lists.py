"""Which lists answer for a dataset of objects, and how each is asked.

Sources: the OpenAPI file of Sponsored Products v3 (`/sp/…/list`) and Amazon's Postman collection
(amzn/ads-advanced-tools-docs); Sponsored Brands v3 and v4, Sponsored Display v1 and the media types of Brands v3:
python-amazon-ad-api 1.2.9. There is no campaign-level negative in Brands ("negative keyword targeting", guide) and none
in Display. `includeExtendedDataFields` is not sent: such a call weighs five times as much ("Rate limiting") and brings
nothing that is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.platforms.amazon_ads import SB, SD, SP

_JSON = "application/json"


class Turning(StrEnum):
    """CHAIN: a POST whose answer names the next page. POSITION: a GET by index; a page that is not full is the last."""

    CHAIN = "chain"
    POSITION = "position"


class ObjectList(NamedTuple):
    """One list. `name` labels its pages and cursors; `key` holds the objects, "" for a bare array.

    `asked` is the request's body or query besides its paging. `by_campaign`: it answers for the campaigns that the
    request names.
    """

    name: str
    path: str
    paging: Turning
    accept: str
    content: str
    key: str
    asked: Mapping[str, Any]
    by_campaign: bool = False


_STATES = {"stateFilter": {"include": ["ENABLED", "PAUSED", "ARCHIVED"]}}
_SMALL_STATES = {"stateFilter": "enabled,paused,archived"}


def _sp(resource: str, media: str, key: str = "") -> ObjectList:
    media = f"application/vnd.{media}.v3+json"
    return ObjectList(resource, f"/sp/{resource}/list", Turning.CHAIN, media, media, key or resource, _STATES)


def _sb4(resource: str, media: str) -> ObjectList:
    media = f"application/vnd.{media}.v4+json"
    return ObjectList(resource, f"/sb/v4/{resource}/list", Turning.CHAIN, media, media, resource, _STATES)


def _sb3(resource: str, media: str, asked: Mapping[str, Any]) -> ObjectList:
    """Brands v3 answers in a media type of its own and is asked in plain JSON."""
    accept = f"application/vnd.{media}+json"
    return ObjectList(resource, f"/sb/{resource}/list", Turning.CHAIN, accept, _JSON, resource, asked)


def _sb3_words(resource: str, media: str, states: str) -> ObjectList:
    """Without `campaignIdFilter` the answer lacks keywords (amzn/ads-advanced-tools-docs, issue 312)."""
    accept, asked = f"application/vnd.{media}.v3.2+json", {"stateFilter": states}
    return ObjectList(resource, f"/sb/{resource}", Turning.POSITION, accept, "", "", asked, by_campaign=True)


def _sd(resource: str, asked: Mapping[str, Any] = _SMALL_STATES) -> ObjectList:
    return ObjectList(resource, f"/sd/{resource}", Turning.POSITION, _JSON, "", "", asked)


def _target_states(*states: str) -> Mapping[str, Any]:
    return {"filters": [{"filterType": "TARGETING_STATE", "values": list(states)}]}


LISTS: Mapping[tuple[Dataset, str], tuple[ObjectList, ...]] = {
    (Dataset.CAMPAIGNS, SP): (_sp("campaigns", "spCampaign"),),
    (Dataset.AD_GROUPS, SP): (_sp("adGroups", "spAdGroup"),),
    (Dataset.ADS, SP): (_sp("productAds", "spProductAd"),),
    (Dataset.KEYWORDS, SP): (_sp("keywords", "spKeyword"),),
    (Dataset.TARGETS, SP): (_sp("targets", "spTargetingClause", "targetingClauses"),),
    (Dataset.NEGATIVES, SP): (
        _sp("negativeKeywords", "spNegativeKeyword"),
        _sp("campaignNegativeKeywords", "spCampaignNegativeKeyword"),
        _sp("negativeTargets", "spNegativeTargetingClause", "negativeTargetingClauses"),
        _sp("campaignNegativeTargets", "spCampaignNegativeTargetingClause", "campaignNegativeTargetingClauses"),
    ),
    (Dataset.CAMPAIGNS, SB): (_sb4("campaigns", "sbcampaignresource"),),
    (Dataset.AD_GROUPS, SB): (_sb4("adGroups", "sbadgroupresource"),),
    (Dataset.ADS, SB): (_sb4("ads", "sbadresource"),),
    # An ad comes with its current creative; `/sb/ads/creatives/list` has its history, and takes one request per ad.
    (Dataset.CREATIVES, SB): (_sb4("ads", "sbadresource"),),
    (Dataset.KEYWORDS, SB): (_sb3_words("keywords", "sbkeyword", "enabled,paused,archived"),),
    (Dataset.TARGETS, SB): (
        _sb3("targets", "sblisttargetsresponse.v3.2", _target_states("enabled", "paused", "pending", "archived")),
        _sb3("themes", "sbthemeslistresponse.v3", {"stateFilter": {"include": ["enabled", "paused", "archived"]}}),
    ),
    (Dataset.NEGATIVES, SB): (
        _sb3_words("negativeKeywords", "sbnegativekeyword", "enabled,archived"),
        _sb3(
            "negativeTargets",
            "sblistnegativetargetsresponse.v3.2",
            _target_states("enabled", "pending", "archived"),
        ),
    ),
    (Dataset.CAMPAIGNS, SD): (_sd("campaigns"),),
    (Dataset.AD_GROUPS, SD): (_sd("adGroups"),),
    (Dataset.ADS, SD): (_sd("productAds"),),
    (Dataset.CREATIVES, SD): (_sd("creatives", {}),),
    (Dataset.TARGETS, SD): (_sd("targets"),),
    (Dataset.NEGATIVES, SD): (_sd("negativeTargets"),),
}


def list_of(dataset: Dataset, slice_: str, label: str) -> ObjectList | None:
    """The list that a page came from. A page without a label is of the first one: older pulls had no other."""
    lists = LISTS.get((dataset, slice_), ())
    return next((one for one in lists if one.name == label), None) if label else next(iter(lists), None)
