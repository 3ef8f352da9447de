"""Advertisers, campaigns, ad groups and creatives → the catalog's entities.

The platform has no keywords, no call to action and no headline: a creative's name is a label, and stands in for it. An
ad is a creative in an ad group. Landing page: the creative's own, then the first of a tag's, then where a click leads.
Dates: the creative's flight, else the campaign's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from adweir.model import limits
from adweir.model.conversion_columns import ConversionColumn
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdCreative, AdGroup, PlatformObject, Profile, Status
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.model.money import rounded
from adweir.platforms import json_text
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage
from adweir.platforms.json_items import items
from adweir.platforms.trade_desk import LATE_DAYS, SPEC, wire

T = TypeVar("T")
_AVAILABILITIES = {"available": Status.ACTIVE, "archived": Status.ARCHIVED}
_DAY_SECONDS = 86_400
_AUDITS = {"rejected": Status.REJECTED, "pending": Status.PENDING}
_FAULTS = (ValueError, RecursionError)
_decode_amount = msgspec.json.Decoder(Decimal).decode


def batch(page: RawPage, context: PullContext) -> ObjectBatch:
    """A page of a list. Raises BadInput for anything else."""
    body = page.stream.read()
    if context.dataset is Dataset.ADS:
        return _ads(body, context)
    objects: list[PlatformObject | Profile] = []
    bad: list[BadRow] = []
    make, kind = _MAKERS.get(context.dataset, (None, None))
    if make is None or kind is None:
        raise BadInput(f"trade_desk has no {context.dataset}")
    for line, raw in enumerate(items(body, "Result") or (), 1):
        try:
            objects.append(make(json_text.decoded(bytes(raw), kind), context, page.label))
        except _FAULTS as error:
            bad.append(_unreadable(line, raw, error))
    return ObjectBatch(objects, bad)


def _profile(row: wire.DeskWireAdvertiser, context: PullContext, partner: str) -> Profile:
    """Reports are by UTC day, so that is the profile's time zone."""
    return Profile(
        account_id=context.account_id,
        platform=SPEC.name,
        profile_id=row.advertiser_id,
        name=row.advertiser_name or row.advertiser_id,
        currency=row.currency_code or "USD",
        timezone="UTC",
        status_raw=row.availability or "",
        as_of=context.as_of,
        route=row.partner_id or partner,
        restated_days=_restated(row),
    )


def _restated(row: wire.DeskWireAdvertiser) -> int:
    """The longer of the advertiser's attribution windows and what is late, in days; 0 where it names none."""
    windows = (
        row.attribution_click_lookback_window_in_seconds or 0,
        row.attribution_impression_lookback_window_in_seconds or 0,
    )
    days = -(-max(windows) // _DAY_SECONDS)
    return min(days + LATE_DAYS, limits.MAX_LOOKBACK_DAYS) if days > 0 else 0


def _campaign(row: wire.WireCampaign, context: PullContext, _label: str) -> AdCampaign:
    budget = row.budget.amount if row.budget else msgspec.Raw()
    return AdCampaign(
        **_common(row.campaign_id, row.campaign_name, row.availability, context),
        start_date=_day(row.start_date),
        end_date=_day(row.end_date),
        budget=rounded(_decode_amount(budget))[0] if budget and bytes(budget) != b"null" else None,
        budget_type="lifetime",
        objective=row.objective or "",
        conversion_columns=tuple(map(_column, row.campaign_conversion_reporting_columns or ())),
    )


def _column(row: wire.WireReportingColumn) -> ConversionColumn:
    """A column by its number as files write it, `01`."""
    return ConversionColumn(
        column=str(row.reporting_column_id).rjust(2, "0"),
        tag_id=row.tracking_tag_id or "",
        tag_name=row.tracking_tag_name or "",
        model=row.cross_device_attribution_model_id or "",
    )


def _group(row: wire.DeskWireAdGroup, context: PullContext, _label: str) -> AdGroup:
    common = _common(row.ad_group_id, row.ad_group_name, row.availability, context)
    common["status"], common["status_raw"] = _group_status(row)
    bid = row.bidding.base_bid.amount if row.bidding and row.bidding.base_bid else msgspec.Raw()
    return AdGroup(
        **common,
        campaign_id=row.campaign_id or "",
        bid=rounded(_decode_amount(bid))[0] if bid and bytes(bid) != b"null" else None,
    )


def _creative(row: wire.WireCreative, context: PullContext, _label: str) -> AdCreative:
    common = _common(row.creative_id, row.creative_name, row.availability, context)
    common["status"], common["status_raw"] = _creative_status(row)
    return AdCreative(
        **common,
        start_date=_day(row.starts),
        end_date=_day(row.ends),
        kind=row.creative_type or "",
        **_shown(row),
    )


_MAKERS: Mapping[Dataset, tuple[Callable[[Any, PullContext, str], PlatformObject | Profile], type[Any]]] = {
    Dataset.PROFILES: (_profile, wire.DeskWireAdvertiser),
    Dataset.CAMPAIGNS: (_campaign, wire.WireCampaign),
    Dataset.AD_GROUPS: (_group, wire.DeskWireAdGroup),
    Dataset.CREATIVES: (_creative, wire.WireCreative),
}


def _ads(body: bytes, context: PullContext) -> ObjectBatch:
    """The ads of a page of ad groups, which brings the creatives and campaigns that they name."""
    creatives = {one.creative_id: one for one in _readable(body, "Creatives", wire.WireCreative)}
    campaigns = {one.campaign_id: one for one in _readable(body, "Campaigns", wire.WireCampaign)}
    ads: list[PlatformObject | Profile] = []
    bad: list[BadRow] = []
    for line, raw in enumerate(items(body, "AdGroups") or (), 1):
        try:
            group = json_text.decoded(bytes(raw), wire.DeskWireAdGroup)
        except _FAULTS as error:
            bad.append(_unreadable(line, raw, error))
            continue
        for creative_id in (group.bidding.creative_ids if group.bidding else None) or ():
            creative = creatives.get(creative_id) or wire.WireCreative(creative_id=creative_id)
            ads.append(_ad(group, creative, campaigns.get(group.campaign_id or ""), context))
    return ObjectBatch(ads, bad)


def _ad(
    group: wire.DeskWireAdGroup, creative: wire.WireCreative, campaign: wire.WireCampaign | None, context: PullContext
) -> Ad:
    common = _common(creative.creative_id, creative.creative_name, creative.availability, context)
    own, raw = _creative_status(creative)
    above, above_raw = _group_status(group)
    # An ad delivers when both do: what keeps its creative back is its own reason, else its ad group's.
    common["status"], common["status_raw"] = (own, raw) if own is not Status.ACTIVE else (above, above_raw)
    return Ad(
        **common,
        campaign_id=group.campaign_id or "",
        ad_group_id=group.ad_group_id,
        start_date=_day(creative.starts) or _day(campaign.start_date if campaign else None),
        end_date=_day(creative.ends) or _day(campaign.end_date if campaign else None),
        **_shown(creative),
    )


def _shown(row: wire.WireCreative) -> dict[str, str | None]:
    """What a creative shows. A hosted video has no file of its own to show: its preview is the share link."""
    image, video, tag = row.image, row.video, row.tag
    landing = (
        image.landing_page_url if image else None,
        video.landing_page_url if video else None,
        next(iter(tag.landing_page_urls or ()), None) if tag else None,
        image.clickthrough_url if image else None,
        video.clickthrough_url if video else None,
    )
    return {
        "headline": row.creative_name,
        "description": row.description,
        "image_url": image.image_url if image else None,
        "video_url": row.share_link if video else None,
        "landing_page_url": next((url for url in landing if url), None),
    }


def _common(row_id: str, name: str | None, availability: str | None, context: PullContext) -> dict[str, Any]:
    return {
        "platform": SPEC.name,
        "profile_id": context.profile_id,
        "id": row_id,
        "name": name or "",
        "status": _by_availability(availability),
        "status_raw": availability or "",
        "as_of": context.as_of,
    }


def _group_status(row: wire.DeskWireAdGroup) -> tuple[Status, str]:
    status = _by_availability(row.availability)
    if status is Status.ACTIVE and row.is_enabled is False:
        return Status.PAUSED, "IsEnabled false"
    return status, row.availability or ""


def _creative_status(row: wire.WireCreative) -> tuple[Status, str]:
    """By its availability; where that is active, by the worst of its audits."""
    status = _by_availability(row.availability)
    if status is not Status.ACTIVE:
        return status, row.availability or ""
    said = [audit.audit_status or "" for audit in row.audits or ()]
    for word, status in _AUDITS.items():
        found = next((one for one in said if one.casefold() == word), None)
        if found is not None:
            return status, found
    return Status.ACTIVE, row.availability or ""


def _by_availability(text: str | None) -> Status:
    """Available and archived are the two that there are; a list that names none is of what is available."""
    return _AVAILABILITIES.get((text or "available").casefold(), Status.UNKNOWN)


def _readable(body: bytes, member: str, kind: type[T]) -> Iterator[T]:
    for raw in items(body, member) or ():
        try:
            yield json_text.decoded(bytes(raw), kind)
        except _FAULTS:
            continue  # an ad without what cannot be read: the lists of their own quarantine it


def _unreadable(line: int, raw: msgspec.Raw, error: Exception) -> BadRow:
    return BadRow(line, bytes(raw).decode("utf-8", "replace"), [{"field": "", "rule": "wire", "message": str(error)}])


def _day(text: str | None) -> str:
    """The date of a time in UTC."""
    return text[:10] if text and len(text) >= 10 else ""
