"""Meta's accounts, campaigns, ad sets and ads → the catalog's entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, PlatformObject, Profile, ProfileStatus, Status
from adweir.model.errors import BadInput
from adweir.model.times import is_zone, local_date, parse_instant
from adweir.platforms.connector import PullContext
from adweir.platforms.meta import SPEC, wire

Convert = Callable[[msgspec.Raw], PlatformObject | Profile]

_account = msgspec.json.Decoder(wire.AdAccount).decode
_campaign = msgspec.json.Decoder(wire.CampaignNode).decode
_adset = msgspec.json.Decoder(wire.AdSet).decode
_ad = msgspec.json.Decoder(wire.AdNode).decode

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
    "ARCHIVED": Status.REMOVED,
    "DELETED": Status.REMOVED,
}
_CLOSED = 101

# Where each part of a creative may stand, best first: dotted paths, digits index lists.
_HEADLINE = (
    "title",
    "object_story_spec.link_data.name",
    "object_story_spec.video_data.title",
    "asset_feed_spec.titles.0.text",
)
_DESCRIPTION = (
    "body",
    "object_story_spec.link_data.message",
    "object_story_spec.video_data.message",
    "asset_feed_spec.bodies.0.text",
    "object_story_spec.link_data.description",
    "asset_feed_spec.descriptions.0.text",
)
_CTA = (
    "call_to_action_type",
    "object_story_spec.link_data.call_to_action.type",
    "object_story_spec.video_data.call_to_action.type",
    "asset_feed_spec.call_to_action_types.0",
)
_IMAGE = (
    "image_url",
    "object_story_spec.link_data.picture",
    "object_story_spec.video_data.image_url",
    "asset_feed_spec.images.0.url",
    "thumbnail_url",
)
_LANDING = (
    "object_story_spec.link_data.link",
    "object_story_spec.video_data.call_to_action.value.link",
    "asset_feed_spec.link_urls.0.website_url",
    "link_url",
    "object_url",
)


def converter(context: PullContext) -> Convert:
    """The function from an undecoded item of the dataset's pages to an entity.

    It raises ValueError (field, message) or msgspec's errors. Raises BadInput for a dataset that has no objects.
    """
    try:
        make = _MAKERS[context.dataset]
    except KeyError:
        raise BadInput(f"Meta has no objects of {context.dataset}") from None
    return lambda raw: make(raw, context)


def _profile(raw: msgspec.Raw, context: PullContext) -> Profile:
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


def _make_campaign(raw: msgspec.Raw, context: PullContext) -> AdCampaign:
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


def _make_ad_group(raw: msgspec.Raw, context: PullContext) -> AdGroup:
    node = _adset(raw)
    end = _date(node.end_time, "end_time", context)
    return AdGroup(
        **_common(node, context, end),
        campaign_id=_id(node.campaign_id, "campaign_id"),
        ad_group_id=node.id,
        start_date=_date(node.start_time, "start_time", context),
        end_date=end,
    )


def _make_ad(raw: msgspec.Raw, context: PullContext) -> Ad:
    node = _ad(raw)
    creative = node.creative or {}
    return Ad(
        **_common(node, context, ""),
        campaign_id=_id(node.campaign_id, "campaign_id"),
        ad_group_id=_id(node.adset_id, "adset_id"),
        headline=_first(creative, _HEADLINE),
        description=_first(creative, _DESCRIPTION),
        cta=_first(creative, _CTA),
        image_url=_first(creative, _IMAGE),
        landing_page_url=_first(creative, _LANDING),
    )


_MAKERS: Mapping[Dataset, Callable[[msgspec.Raw, PullContext], PlatformObject | Profile]] = {
    Dataset.PROFILES: _profile,
    Dataset.CAMPAIGNS: _make_campaign,
    Dataset.AD_GROUPS: _make_ad_group,
    Dataset.ADS: _make_ad,
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


def _first(creative: Mapping[str, Any], paths: tuple[str, ...]) -> str | None:
    """The first path that leads to text."""
    for path in paths:
        found: Any = creative
        for step in path.split("."):
            if isinstance(found, dict):
                found = found.get(step)
            elif isinstance(found, list) and step.isdigit():
                found = found[int(step)] if int(step) < len(found) else None
            else:
                found = None
        if isinstance(found, str) and found:
            return found
    return None
