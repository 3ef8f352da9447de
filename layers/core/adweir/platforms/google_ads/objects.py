"""Campaigns, ad groups, asset groups, ads, keywords and negatives of a page → the catalog's entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword, KeywordKind, PlatformObject, Status
from adweir.model.errors import BadInput
from adweir.model.times import local_date, parse_instant
from adweir.platforms.connector import PullContext
from adweir.platforms.google_ads import SPEC, assets
from adweir.platforms.google_ads.figures import integer
from adweir.platforms.google_ads.queries import ASSET_GROUPS, CAMPAIGN_NEGATIVES
from adweir.platforms.google_ads.rows import ASSET_GROUP
from adweir.platforms.json_items import first

BETWEEN_IDS = "-"
"""Between a campaign's id and that of its negative keyword."""
_CRITERION = ("adGroupCriterion.criterionId", "adGroup.id")
_KEYS: Mapping[tuple[Dataset, str], tuple[tuple[str, ...], str]] = {
    (Dataset.CAMPAIGNS, ""): (("campaign.id",), "{}"),
    (Dataset.AD_GROUPS, ""): (("adGroup.id",), "{}"),
    (Dataset.AD_GROUPS, ASSET_GROUPS): (("assetGroup.id",), f"{ASSET_GROUP}{{}}"),
    (Dataset.ADS, ""): (("adGroupAd.ad.id", "adGroup.id"), "{}~{}"),
    (Dataset.KEYWORDS, ""): (_CRITERION, "{}~{}"),
    (Dataset.NEGATIVES, ""): (_CRITERION, "{}~{}"),
    (Dataset.NEGATIVES, CAMPAIGN_NEGATIVES): (
        ("campaign.id", "campaignCriterion.criterionId"),
        f"{{}}{BETWEEN_IDS}{{}}~",
    ),
}
"""Where the parts of an object's key stand in its row, and what it is made of."""
_STATUS = {"ENABLED": Status.ACTIVE, "PAUSED": Status.PAUSED, "REMOVED": Status.REMOVED}
_WORSE = (Status.REMOVED, Status.PAUSED)
"""An ad that is on does not run below a campaign or ad group that is not."""
_PRIMARY = {"ENDED": Status.ENDED, "PENDING": Status.PENDING}
_NO_END = "2037-12-30"
"""What older versions of the API had as the end of a campaign without one."""
STRENGTHS = {"POOR": 1, "AVERAGE": 2, "GOOD": 3, "EXCELLENT": 4}
"""Google's ad strength as an ordinal; PENDING and NO_ADS are none."""
SCORE_SCALE = "ad strength 1-4"


class _Timed(msgspec.Struct, rename="camel"):
    status: str = ""
    start_date_time: str = ""
    end_date_time: str = ""


class WireBudget(msgspec.Struct, rename="camel"):
    """`amount_micros` is a day's average, `total_amount_micros` that of a custom period."""

    amount_micros: str | None = None
    total_amount_micros: str | None = None
    period: str = ""
    explicitly_shared: bool = False


class GoogleCampaign(_Timed, rename="camel"):
    id: str = ""
    name: str = ""
    primary_status: str = ""
    advertising_channel_type: str = ""


class GoogleGroup(msgspec.Struct, rename="camel"):
    """An ad group or an asset group."""

    id: str = ""
    name: str = ""
    status: str = ""
    cpc_bid_micros: str | None = None


class _Policy(msgspec.Struct, rename="camel"):
    approval_status: str = ""


class GoogleAd(_Timed, rename="camel"):
    ad: dict[str, Any] = {}
    ad_strength: str = ""
    policy_summary: _Policy = msgspec.field(default_factory=_Policy)


class _KeywordText(msgspec.Struct, rename="camel"):
    text: str = ""
    match_type: str = ""


class _Quality(msgspec.Struct, rename="camel"):
    quality_score: int | None = None


class GoogleCriterion(msgspec.Struct, rename="camel"):
    criterion_id: str = ""
    status: str = ""
    keyword: _KeywordText = msgspec.field(default_factory=_KeywordText)
    cpc_bid_micros: str | None = None
    quality_info: _Quality = msgspec.field(default_factory=_Quality)


class GoogleObjectRow(msgspec.Struct, rename="camel"):
    """A row of a list: the resources that its question selects."""

    campaign: GoogleCampaign = msgspec.field(default_factory=GoogleCampaign)
    campaign_budget: WireBudget = msgspec.field(default_factory=WireBudget)
    ad_group: GoogleGroup = msgspec.field(default_factory=GoogleGroup)
    asset_group: GoogleGroup = msgspec.field(default_factory=GoogleGroup)
    ad_group_ad: GoogleAd = msgspec.field(default_factory=GoogleAd)
    ad_group_criterion: GoogleCriterion = msgspec.field(default_factory=GoogleCriterion)
    campaign_criterion: GoogleCriterion = msgspec.field(default_factory=GoogleCriterion)


decode_row = msgspec.json.Decoder(GoogleObjectRow).decode
Urls = Mapping[str, str]
"""What assets show, by resource name: the URL of an image or a video, or a call to action."""
_Make = Callable[[GoogleObjectRow, PullContext, Urls], PlatformObject]


def maker(dataset: Dataset, label: str) -> _Make:
    """The function from a row to an entity. It raises ValueError (field, message); BadInput for no such dataset."""
    made = _MAKERS.get((dataset, label))
    if made is None:
        raise BadInput(f"Google Ads has no objects of {dataset} {label}")
    return made


def key_of(decoded: Mapping[str, Any], dataset: Dataset, label: str) -> str:
    """The key of an object that cannot be read otherwise (`store.catalog.objects.object_key`), "" for none."""
    parts, key = _KEYS[dataset, label]
    ids = [first(decoded, (path,)) or "" for path in parts]
    return key.format(*ids) if all(part.isdecimal() and part.isascii() for part in ids) else ""


def _campaign(row: GoogleObjectRow, context: PullContext, _urls: Urls) -> AdCampaign:
    campaign, budget = row.campaign, row.campaign_budget
    daily, total = (integer(text, "budget") for text in (budget.amount_micros, budget.total_amount_micros))
    end = _date(campaign.end_date_time, "end_date_time")
    status, raw = _STATUS.get(campaign.status, Status.UNKNOWN), campaign.status
    if status is Status.ACTIVE:
        status = _PRIMARY.get(campaign.primary_status) or _by_end(status, end, context)
        raw = campaign.primary_status if campaign.primary_status in _PRIMARY else raw
    kind = "lifetime" if daily is None and total is not None else "daily"
    return AdCampaign(
        **_common(campaign.id, raw, status, context),
        name=campaign.name,
        campaign_id=campaign.id,
        start_date=_date(campaign.start_date_time, "start_date_time"),
        end_date=end,
        budget=total if daily is None else daily,
        budget_type="" if daily is total is None else f"shared {kind}" if budget.explicitly_shared else kind,
        objective=campaign.advertising_channel_type.lower(),
    )


def _group(row: GoogleObjectRow, context: PullContext, _urls: Urls) -> AdGroup:
    group = row.ad_group
    return AdGroup(
        **_common(group.id, group.status, _STATUS.get(group.status, Status.UNKNOWN), context),
        name=group.name,
        campaign_id=_id(row.campaign.id, "campaign.id"),
        ad_group_id=group.id,
        bid=integer(group.cpc_bid_micros, "cpc_bid_micros"),
    )


def _asset_group(row: GoogleObjectRow, context: PullContext, _urls: Urls) -> AdGroup:
    """An asset group of Performance Max: what stands there in the place of an ad group and its ads."""
    group = row.asset_group
    named = f"{ASSET_GROUP}{_id(group.id, 'asset_group.id')}"
    about = _common(group.id, group.status, _STATUS.get(group.status, Status.UNKNOWN), context)
    return AdGroup(
        **about | {"id": named},
        name=group.name,
        campaign_id=_id(row.campaign.id, "campaign.id"),
        ad_group_id=named,
    )


def _ad(row: GoogleObjectRow, context: PullContext, urls: Urls) -> Ad:
    found, ad = row.ad_group_ad, row.ad_group_ad.ad
    end = _date(found.end_date_time or row.campaign.end_date_time, "end_date_time")
    status, raw = _ad_status(row)
    if status is Status.ACTIVE:
        status = _by_end(status, end, context)
    strength = STRENGTHS.get(found.ad_strength)
    identity = ad.get("id")
    headline = assets.HEADLINE if ad.get("type") != "IMAGE_AD" else (assets.IMAGE_AD_HEADLINE,)
    return Ad(
        **_common(identity if isinstance(identity, str) else "", raw, status, context),
        name=first(ad, ("name",)) or "",
        campaign_id=_id(row.campaign.id, "campaign.id"),
        ad_group_id=_id(row.ad_group.id, "ad_group.id"),
        start_date=_date(found.start_date_time or row.campaign.start_date_time, "start_date_time"),
        end_date=end,
        headline=first(ad, headline),
        description=first(ad, assets.DESCRIPTION),
        cta=first(ad, assets.CTA) or urls.get(first(ad, assets.CTA_ASSET) or ""),
        image_url=first(ad, assets.IMAGE_URL) or urls.get(first(ad, assets.IMAGE) or ""),
        video_url=urls.get(first(ad, assets.VIDEO) or ""),
        landing_page_url=first(ad, assets.LANDING),
        relevance_score=strength,
        score_scale=SCORE_SCALE if strength else "",
    )


def _ad_status(row: GoogleObjectRow) -> tuple[Status, str]:
    """The status of an ad and the word that says so: its own, its parents' where they are off, or its disapproval."""
    words = [row.ad_group_ad.status, row.ad_group.status, row.campaign.status]
    for worse in _WORSE:
        for word in words:
            if _STATUS.get(word) is worse:
                return worse, word
    approval = row.ad_group_ad.policy_summary.approval_status
    if approval == "DISAPPROVED":
        return Status.REJECTED, approval
    return _STATUS.get(words[0], Status.UNKNOWN), words[0]


def _keyword(row: GoogleObjectRow, context: PullContext, _urls: Urls) -> Keyword:
    return _criterion(row, row.ad_group_criterion, KeywordKind.KEYWORD, context)


def _negative(row: GoogleObjectRow, context: PullContext, _urls: Urls) -> Keyword:
    return _criterion(row, row.ad_group_criterion, KeywordKind.NEGATIVE, context)


def _campaign_negative(row: GoogleObjectRow, context: PullContext, _urls: Urls) -> Keyword:
    """The same text has the same criterion's id in each campaign, so the campaign's id is a part of this one's."""
    found = _criterion(row, row.campaign_criterion, KeywordKind.NEGATIVE, context)
    return found.model_copy(update={"id": f"{found.campaign_id}{BETWEEN_IDS}{found.id}"})


def _criterion(row: GoogleObjectRow, found: GoogleCriterion, kind: KeywordKind, context: PullContext) -> Keyword:
    """A keyword: its criterion's id is its own within its ad group only."""
    return Keyword(
        **_common(found.criterion_id, found.status, _STATUS.get(found.status, Status.UNKNOWN), context),
        campaign_id=_id(row.campaign.id, "campaign.id"),
        ad_group_id="" if found is row.campaign_criterion else _id(row.ad_group.id, "ad_group.id"),
        kind=kind,
        text=found.keyword.text,
        match_type=found.keyword.match_type.lower(),
        bid=integer(found.cpc_bid_micros, "cpc_bid_micros"),
        quality_score=found.quality_info.quality_score,
    )


_MAKERS: Mapping[tuple[Dataset, str], _Make] = {
    (Dataset.CAMPAIGNS, ""): _campaign,
    (Dataset.AD_GROUPS, ""): _group,
    (Dataset.AD_GROUPS, ASSET_GROUPS): _asset_group,
    (Dataset.ADS, ""): _ad,
    (Dataset.KEYWORDS, ""): _keyword,
    (Dataset.NEGATIVES, ""): _negative,
    (Dataset.NEGATIVES, CAMPAIGN_NEGATIVES): _campaign_negative,
}


def _common(identity: str, raw: str, status: Status, context: PullContext) -> dict[str, Any]:
    return {
        "platform": SPEC.name,
        "profile_id": context.profile_id,
        "id": _id(identity, "id"),
        "status": status,
        "status_raw": raw,
        "as_of": context.as_of,
    }


def _by_end(status: Status, end: str, context: PullContext) -> Status:
    today = local_date(parse_instant(context.as_of), context.timezone).isoformat()
    return Status.ENDED if end and end < today else status


def _id(text: str, name: str) -> str:
    if not (text.isdecimal() and text.isascii()):
        raise ValueError(name, f"not an id: {text[:40]!r}")
    return text


def _date(text: str, name: str) -> str:
    """`2026-01-01 00:00:00` in the customer's zone → its date; "" for none and for the far future that means none."""
    if not text:
        return ""
    try:
        day = datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        raise ValueError(name, f"not a time: {text[:40]!r}") from None
    return "" if day == _NO_END else day
