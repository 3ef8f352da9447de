"""TikTok's advertisers, campaigns, ad groups and ads → the catalog's entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, PlatformObject, Profile, Status
from adweir.model.errors import BadInput
from adweir.model.money import rounded
from adweir.model.times import is_zone, local_date, parse_instant
from adweir.platforms.connector import PullContext
from adweir.platforms.tiktok_ads import SPEC, media, wire
from adweir.platforms.tiktok_ads.listing import APART
from adweir.platforms.tiktok_ads.media import ShownMedia
from adweir.platforms.tiktok_ads.statuses import status_of

Convert = Callable[[msgspec.Raw], PlatformObject | Profile]
ID_FIELDS: Mapping[Dataset, str] = {
    Dataset.PROFILES: "advertiser_id",
    Dataset.CAMPAIGNS: "campaign_id",
    Dataset.AD_GROUPS: "adgroup_id",
    Dataset.ADS: "ad_id",
}
"""Which field of an entry is its id."""
_advertiser = msgspec.json.Decoder(wire.WireAdvertiser).decode
_campaign = msgspec.json.Decoder(wire.CampaignObject).decode
_ad_group = msgspec.json.Decoder(wire.AdGroupObject).decode
_ad = msgspec.json.Decoder(wire.AdObject).decode
_BUDGETS = {
    "BUDGET_MODE_DAY": "daily",
    "BUDGET_MODE_DYNAMIC_DAILY_BUDGET": "daily",
    "BUDGET_MODE_TOTAL": "lifetime",
}
_FROM_NOW = "SCHEDULE_FROM_NOW"


def converter(context: PullContext, label: str, found: ShownMedia) -> Convert:
    """The function from an undecoded entry of a page with this label to an entity; `found` is the page's media.

    It raises ValueError (field, message) or msgspec's errors. Raises BadInput for a dataset that has no objects.
    """
    makers: Mapping[Dataset, Convert] = {
        Dataset.PROFILES: lambda raw: _profile(raw, context),
        Dataset.CAMPAIGNS: lambda raw: _make_campaign(raw, context, reported=label != APART),
        Dataset.AD_GROUPS: lambda raw: _make_ad_group(raw, context),
        Dataset.ADS: lambda raw: _make_ad(raw, context, found),
    }
    if context.dataset not in makers:
        raise BadInput(f"TikTok has no objects of {context.dataset}")
    return makers[context.dataset]


def _profile(raw: msgspec.Raw, context: PullContext) -> Profile:
    row = _advertiser(raw)
    if len(row.currency) != 3 or not row.currency.isalpha():
        raise ValueError("currency", f"not a currency: {row.currency[:20]!r}")
    zone = next((name for name in (row.display_timezone, row.timezone) if name and is_zone(name)), "")
    if not zone:
        raise ValueError("display_timezone", f"not a time zone: {row.display_timezone!r:.60}, {row.timezone!r:.60}")
    return Profile(
        account_id=context.account_id,
        platform=SPEC.name,
        profile_id=_id(row.advertiser_id, "advertiser_id"),
        name=row.name,
        currency=row.currency,
        timezone=zone,
        country=row.country or "",
        status_raw=row.status or "",
        as_of=context.as_of,
    )


def _make_campaign(raw: msgspec.Raw, context: PullContext, *, reported: bool) -> AdCampaign:
    """A campaign. One that is apart has numbers in no usual report: they are unknown, not 0.

    GMV Max has reports of its own; their revenue includes orders without an ad, so it is none of ours.
    """
    row = _campaign(raw)
    budget = row.budget if row.budget_mode in _BUDGETS or not reported else None
    return AdCampaign(
        **_common(row, row.campaign_id, row.campaign_name, _schedule(row, context), context),
        objective=row.objective_type or "",
        budget=_money(budget or None),
        budget_type=_BUDGETS.get(row.budget_mode or "", "") or ("daily" if budget else ""),
        reported=reported,
    )


def _make_ad_group(raw: msgspec.Raw, context: PullContext) -> AdGroup:
    row = _ad_group(raw)
    return AdGroup(
        **_common(row, row.adgroup_id, row.adgroup_name, _schedule(row, context), context),
        ad_group_id=row.adgroup_id,
        bid=_money(row.bid_price or None),
    )


def _make_ad(raw: msgspec.Raw, context: PullContext, found: ShownMedia) -> Ad:
    """An ad. TikTok has no headlines: the name that is shown beside the ad stands for it."""
    row = _ad(raw)
    smart, creative = found.smart.get(row.ad_id, (None, None))
    image, video = media.shown(row, creative)
    smart = smart or wire.SmartAd("")
    texts = [row.ad_text, *(row.ad_texts or []), *(text.ad_text for text in smart.ad_text_list or [])]
    buttons = [row.call_to_action, *(button.call_to_action for button in smart.call_to_action_list or [])]
    landing = [
        row.landing_page_url,
        *(row.landing_page_urls or []),
        *(page.landing_page_url for page in smart.landing_page_url_list or []),
    ]
    return Ad(
        **_common(row, row.ad_id, row.ad_name, ("", ""), context),
        ad_group_id=_id(row.adgroup_id, "adgroup_id"),
        headline=row.display_name or row.ad_name or None,
        description=_first(texts),
        cta=_first(buttons),
        image_url=found.images.get(image or ""),
        video_url=found.videos.get(video or ""),
        landing_page_url=_first(landing),
    )


def _first(texts: list[str | None]) -> str | None:
    return next((text for text in texts if text), None)


def _common(
    row: wire.Object, identity: str, name: str | None, days: tuple[str, str], context: PullContext
) -> dict[str, Any]:
    status, raw = status_of(row.secondary_status, row.operation_status)
    if status is Status.ACTIVE and days[1] and days[1] < _today(context):
        status = Status.ENDED
    return {
        "platform": SPEC.name,
        "profile_id": context.profile_id,
        "id": _id(identity, ID_FIELDS[context.dataset]),
        "name": name or "",
        "status": status,
        "status_raw": raw,
        "campaign_id": _id(row.campaign_id, "campaign_id"),
        "start_date": days[0],
        "end_date": days[1],
        "as_of": context.as_of,
    }


def _schedule(row: wire.CampaignObject | wire.AdGroupObject, context: PullContext) -> tuple[str, str]:
    """The first and the last day in the advertiser's zone. What runs from now on has no last one, whatever it says."""
    end = "" if row.schedule_type == _FROM_NOW else row.schedule_end_time
    return (
        _date(row.schedule_start_time, "schedule_start_time", context),
        _date(end, "schedule_end_time", context),
    )


def _date(text: str | None, name: str, context: PullContext) -> str:
    """`2026-11-01 09:00:00` in UTC → the date in the advertiser's zone; nothing stays ""."""
    if not text:
        return ""
    try:
        instant = datetime.fromisoformat(text)
        return local_date(instant.replace(tzinfo=UTC), context.timezone).isoformat()
    except (ValueError, OverflowError):
        raise ValueError(name, f"not a time: {text[:40]!r}") from None


def _today(context: PullContext) -> str:
    return local_date(parse_instant(context.as_of), context.timezone).isoformat()


def _money(value: Decimal | None) -> int | None:
    return None if value is None else rounded(value)[0]


def _id(text: str, name: str) -> str:
    if not (text.isdecimal() and text.isascii()):
        raise ValueError(name, f"not an id: {text[:40]!r}")
    return text
