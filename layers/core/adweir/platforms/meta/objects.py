"""Meta's accounts, campaigns, ad sets, ads and creatives → the catalog's entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdCreative, AdGroup, PlatformObject, Profile, ProfileStatus, Status
from adweir.model.errors import BadInput
from adweir.model.times import is_zone, local_date, parse_instant
from adweir.platforms.connector import PullContext
from adweir.platforms.json_items import first
from adweir.platforms.meta import SPEC, media, wire
from adweir.platforms.meta.media import NO_MEDIA, Media

Convert = Callable[[msgspec.Raw], PlatformObject | Profile]

_account = msgspec.json.Decoder(wire.AdAccount).decode
_campaign = msgspec.json.Decoder(wire.CampaignNode).decode
_adset = msgspec.json.Decoder(wire.AdSet).decode
_ad = msgspec.json.Decoder(wire.AdNode).decode
_creative = msgspec.json.Decoder(wire.CreativeNode).decode

STATUS = {
    "ACTIVE": Status.ACTIVE,
    "PAUSED": Status.PAUSED,
    "ADSET_PAUSED": Status.PAUSED,
    "CAMPAIGN_PAUSED": Status.PAUSED,
    "PENDING_REVIEW": Status.PENDING,
    "IN_PROCESS": Status.PENDING,
    "PREAPPROVED": Status.PENDING,
    "PENDING_BILLING_INFO": Status.PENDING,
    "DISAPPROVED": Status.REJECTED,
    "WITH_ISSUES": Status.REJECTED,
    "ARCHIVED": Status.ARCHIVED,
    "DELETED": Status.REMOVED,
}
_CLOSED = 101

# Where each part of a creative may stand, best first (`json_items.first`).
_HEADLINE = (
    "title",
    "object_story_spec.link_data.name",
    "object_story_spec.video_data.title",
    "object_story_spec.template_data.name",
    "asset_feed_spec.titles.0.text",
)
_DESCRIPTION = (
    "body",
    "object_story_spec.link_data.message",
    "object_story_spec.video_data.message",
    "object_story_spec.photo_data.caption",
    "object_story_spec.template_data.message",
    "asset_feed_spec.bodies.0.text",
    "object_story_spec.link_data.description",
    "asset_feed_spec.descriptions.0.text",
)
_CTA = (
    "call_to_action_type",
    "object_story_spec.link_data.call_to_action.type",
    "object_story_spec.video_data.call_to_action.type",
    "object_story_spec.template_data.call_to_action.type",
    "asset_feed_spec.call_to_action_types.0",
)
_LAST_IMAGES = ("object_story_spec.link_data.child_attachments.0.picture", "thumbnail_url")
_LANDING = (
    "object_story_spec.link_data.link",
    "object_story_spec.video_data.call_to_action.value.link",
    "object_story_spec.template_data.link",
    "asset_feed_spec.link_urls.0.website_url",
    "link_url",
    "object_url",
)
RANKINGS = {"BELOW_AVERAGE_10": 1, "BELOW_AVERAGE_20": 2, "BELOW_AVERAGE_35": 3, "AVERAGE": 4, "ABOVE_AVERAGE": 5}
"""Meta's ad relevance diagnostics: among the worst 10, 20 or 35 % of the ads that compete for the same people, or not.
UNKNOWN (too few impressions) is no ranking."""
SCORE_SCALE = "1-5"


def converter(context: PullContext, found: Media = NO_MEDIA) -> Convert:
    """The function from an undecoded item of the dataset's pages to an entity; `found` are its page's media.

    It raises ValueError (field, message) or msgspec's errors. Raises BadInput for a dataset that has no objects.
    """
    try:
        make = _MAKERS[context.dataset]
    except KeyError:
        raise BadInput(f"Meta has no objects of {context.dataset}") from None
    return lambda raw: make(raw, context, found)


def _profile(raw: msgspec.Raw, context: PullContext, _found: Media) -> Profile:
    account = _account(raw)
    if len(account.currency) != 3 or not account.currency.isalpha():
        raise ValueError("currency", f"not a currency: {account.currency[:20]!r}")
    if not is_zone(account.timezone_name):
        raise ValueError("timezone_name", f"not a time zone: {account.timezone_name[:60]!r}")
    return Profile(
        account_id=context.account_id,
        platform=SPEC.name,
        profile_id=_id(account.account_id, "account_id"),
        name=account.name,
        currency=account.currency,
        timezone=account.timezone_name,
        country=account.business_country_code,
        status=ProfileStatus.REMOVED if account.account_status == _CLOSED else ProfileStatus.ACTIVE,
        status_raw=str(account.account_status),
        as_of=context.as_of,
    )


def _make_campaign(raw: msgspec.Raw, context: PullContext, _found: Media) -> AdCampaign:
    node = _campaign(raw)
    identity = _id(node.id, "id")
    daily, lifetime = budget(node.daily_budget, context.currency), budget(node.lifetime_budget, context.currency)
    end = _date(node.stop_time, "stop_time", context)
    return AdCampaign(
        **_common(node, context, end),
        campaign_id=identity,
        start_date=_date(node.start_time, "start_time", context),
        end_date=end,
        objective=node.objective,
        budget=daily or lifetime,
        budget_type="daily" if daily else "lifetime" if lifetime else "",
    )


def _make_ad_group(raw: msgspec.Raw, context: PullContext, _found: Media) -> AdGroup:
    node = _adset(raw)
    end = _date(node.end_time, "end_time", context)
    return AdGroup(
        **_common(node, context, end),
        campaign_id=_id(node.campaign_id, "campaign_id"),
        ad_group_id=node.id,
        start_date=_date(node.start_time, "start_time", context),
        end_date=end,
    )


def _make_ad(raw: msgspec.Raw, context: PullContext, found: Media) -> Ad:
    node = _ad(raw)
    diagnostics = node.insights.data[0] if node.insights and node.insights.data else wire.Diagnostics()
    known = [RANKINGS[ranking] for ranking in msgspec.structs.astuple(diagnostics) if ranking in RANKINGS]
    return Ad(
        **_common(node, context, ""),
        **_content(node.creative or {}, found),
        campaign_id=_id(node.campaign_id, "campaign_id"),
        ad_group_id=_id(node.adset_id, "adset_id"),
        relevance_score=round(sum(known) / len(known), 2) if known else None,
        quality_score=RANKINGS.get(diagnostics.quality_ranking),
        score_scale=SCORE_SCALE if known else "",
    )


def _make_creative(raw: msgspec.Raw, context: PullContext, found: Media) -> AdCreative:
    node, content = _creative(raw), msgspec.json.decode(raw)
    return AdCreative(**_common(node, context, ""), **_content(content, found), kind=node.object_type)


def _content(creative: Mapping[str, Any], found: Media) -> dict[str, str | None]:
    """What an ad shows: the fields that ads and creatives have in common."""
    image = first(creative, media.IMAGES) or found.images.get(first(creative, media.HASHES) or "")
    return {
        "headline": first(creative, _HEADLINE),
        "description": first(creative, _DESCRIPTION),
        "cta": first(creative, _CTA),
        "image_url": image or first(creative, _LAST_IMAGES),
        "video_url": found.videos.get(first(creative, media.VIDEOS) or ""),
        "landing_page_url": first(creative, _LANDING),
    }


_MAKERS: Mapping[Dataset, Callable[[msgspec.Raw, PullContext, Media], PlatformObject | Profile]] = {
    Dataset.PROFILES: _profile,
    Dataset.CAMPAIGNS: _make_campaign,
    Dataset.AD_GROUPS: _make_ad_group,
    Dataset.ADS: _make_ad,
    Dataset.CREATIVES: _make_creative,
}


def _common(node: wire.Node, context: PullContext, end_date: str) -> dict[str, Any]:
    raw = node.effective_status or node.status
    status = STATUS.get(raw, Status.UNKNOWN)
    if status is Status.ACTIVE and end_date and end_date < _today(context):
        status = Status.ENDED
    return {
        "platform": SPEC.name,
        "profile_id": context.profile_id,
        "id": _id(node.id, "id"),
        "name": node.name,
        "status": status,
        "status_raw": raw,
        "as_of": context.as_of,
    }


def _today(context: PullContext) -> str:
    return local_date(parse_instant(context.as_of), context.timezone).isoformat()


def _id(text: str, name: str) -> str:
    if not (text.isdecimal() and text.isascii()):
        raise ValueError(name, f"not an id: {text[:40]!r}")
    return text


def _date(text: str, name: str, context: PullContext) -> str:
    """`2026-11-01T00:00:00-0500` → the date in the account's zone; "" stays ""."""
    if not text:
        return ""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(name, f"not a time with an offset: {text[:40]!r}")
    return local_date(instant, context.timezone).isoformat()


def budget(text: str | None, currency: str) -> int | None:
    """A budget in minor units → millionths of the currency; None for none and for "0"."""
    if not text or text == "0":
        return None
    if not (text.isdecimal() and len(text) <= 15):
        raise ValueError("budget", f"not a whole number of minor units: {text[:40]!r}")
    return int(text) * (1_000_000 if currency in wire.NO_MINOR_UNIT else 10_000)
