"""Ad accounts, campaigns, ad groups, ads and keywords → the catalog's entities.

An ad or a keyword runs only while its ad group and campaign do, so these have a say in its status; its dates are its ad
group's. Ads have no names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword, PlatformObject, Profile, ProfileStatus, Status
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.model.money import rounded
from adweir.platforms import json_items, json_text
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage
from adweir.platforms.json_items import UNREADABLE, items
from adweir.platforms.microsoft_ads import SPEC, wire
from adweir.platforms.microsoft_ads.media import AdMedia, shown, urls

TIME_ZONE = "UTC"
"""Reports are by UTC, whatever time zone an ad account shows ("Reports": Time Zones in Reporting)."""
_NO_END = 2050
"""The year of an end date that means none ("Campaign Data Object": `EndDate`)."""
_DEACTIVATED = "Inactive"
"""No traffic for 15 months ("AccountLifeCycleStatus Value Set"); the account keeps its history."""
_FAULTS = (ValueError, OverflowError, *UNREADABLE)
_STATUS = {
    "Active": Status.ACTIVE,
    "Paused": Status.PAUSED,
    "BudgetPaused": Status.PAUSED,
    "BudgetAndManualPaused": Status.PAUSED,
    "Suspended": Status.PAUSED,
    "Expired": Status.ENDED,
    "Inactive": Status.PENDING,
    "Deleted": Status.REMOVED,
}
_WORSE = (Status.REMOVED, Status.ENDED, Status.PAUSED)
"""What a parent hands down, worst first."""


class _Parents(NamedTuple):
    """What an object is in, None where its own answer names it; and the images and videos of its page."""

    campaign: wire.MsCampaign | None = None
    group: wire.MsAdGroup | None = None
    media: AdMedia = AdMedia({}, {})


Make = Callable[[Any, _Parents, PullContext], PlatformObject | Profile]


def batch(page: RawPage, context: PullContext) -> ObjectBatch:
    """The objects of a page. Raises BadInput for a page of another form."""
    make, kind = _MAKERS.get(context.dataset, (None, None))
    if make is None or kind is None:
        raise BadInput(f"Microsoft Advertising has no {context.dataset}")
    found = ObjectBatch([], [])
    for line, (raw, parents) in enumerate(_entries(page.stream.read(), context.dataset), 1):
        try:
            found.objects.append(make(json_text.decoded(bytes(raw), kind), parents(), context))
        except _FAULTS as error:
            decoded = json_items.loose(raw)
            identity = decoded.get("Id")
            known = identity if isinstance(identity, str) else ""
            found.bad.append(BadRow(line, decoded, [json_items.fault(error)], known))
    return found


def _entries(body: bytes, dataset: Dataset) -> Iterator[tuple[msgspec.Raw, Callable[[], _Parents]]]:
    """The objects of a page, undecoded, each with its parents."""
    member = MEMBERS.get(dataset)
    if member:
        yield from ((raw, _Parents) for raw in items(body, member) or () if raw != wire.NOTHING)
        return
    try:
        page = json_text.decoded(body, wire.AnswersBelow)
    except _FAULTS as error:
        raise BadInput(f"not a page of {dataset}: {error}") from None
    known = urls(page)
    for below in page.answers:
        yield from ((raw, lambda below=below: _parents(below, known)) for raw in below.entries)


MEMBERS = {Dataset.PROFILES: "Accounts", Dataset.CAMPAIGNS: "Campaigns"}
"""The lists that are pages as they come."""


def _parents(below: wire.ListedBelow, known: AdMedia) -> _Parents:
    group = None
    if below.ad_group != wire.NOTHING:
        group = json_text.decoded(bytes(below.ad_group), wire.MsAdGroup)
    return _Parents(json_text.decoded(bytes(below.campaign), wire.MsCampaign), group, known)


def _profile(row: wire.MsAccount, _parents: _Parents, context: PullContext) -> Profile:
    return Profile(
        account_id=context.account_id,
        platform=SPEC.name,
        profile_id=_id(row.id),
        name=row.name or str(row.id),
        currency=row.currency_code or "USD",
        timezone=TIME_ZONE,
        country=(row.business_address.country_code if row.business_address else None) or "",
        status=ProfileStatus.REMOVED if row.account_life_cycle_status == _DEACTIVATED else ProfileStatus.ACTIVE,
        status_raw=row.account_life_cycle_status or "",
        as_of=context.as_of,
        route="" if row.parent_customer_id is None else _id(row.parent_customer_id),
    )


def _campaign(row: wire.MsCampaign, _parents: _Parents, context: PullContext) -> AdCampaign:
    lifetime = (row.budget_type or "").startswith("Lifetime")
    kind = "lifetime" if lifetime else "daily"
    return AdCampaign(
        **_common(row.id, row.status, context),
        name=row.name or "",
        start_date=_date(row.start_date),
        end_date=_date(row.end_date),
        budget=None if row.daily_budget is None else rounded(row.daily_budget)[0],
        budget_type=f"shared {kind}" if row.budget_id not in (None, 0, "0") else kind,
        objective=row.campaign_type or "",
    )


def _group(row: wire.MsAdGroup, parents: _Parents, context: PullContext) -> AdGroup:
    return AdGroup(
        **_common(row.id, row.status, context),
        name=row.name or "",
        campaign_id=_id(parents.campaign.id) if parents.campaign else "",
        ad_group_id=_id(row.id),
        start_date=_day(row.start_date),
        end_date=_day(row.end_date),
        bid=_bid(row.cpc_bid),
    )


def _ad(row: wire.MsAd, parents: _Parents, context: PullContext) -> Ad:
    headline = (_text(row.headlines), _text([row.long_headline] if row.long_headline else None))
    image, video = shown(row)
    return Ad(
        **_below(row, parents, context),
        start_date=_day(parents.group.start_date) if parents.group else "",
        end_date=_day(parents.group.end_date) if parents.group else "",
        headline=_first(headline[0], row.headline, headline[1], row.title_part1, row.title),
        description=_first(_text(row.descriptions), row.text, row.promotional_text),
        cta=row.call_to_action,
        image_url=parents.media.images.get(image),
        video_url=parents.media.videos.get(video),
        landing_page_url=_first(*(row.final_urls or ()), row.destination_url),
    )


def _keyword(row: wire.MsKeyword, parents: _Parents, context: PullContext) -> Keyword:
    return Keyword(
        **_below(row, parents, context),
        text=row.text or "",
        match_type=(row.match_type or "").lower(),
        bid=_bid(row.bid),
    )


_MAKERS: Mapping[Dataset, tuple[Make, type[Any]]] = {
    Dataset.PROFILES: (_profile, wire.MsAccount),
    Dataset.CAMPAIGNS: (_campaign, wire.MsCampaign),
    Dataset.AD_GROUPS: (_group, wire.MsAdGroup),
    Dataset.ADS: (_ad, wire.MsAd),
    Dataset.KEYWORDS: (_keyword, wire.MsKeyword),
}


def _common(identity: wire.Id, status: str | None, context: PullContext) -> dict[str, Any]:
    return {
        "platform": SPEC.name,
        "profile_id": context.profile_id,
        "id": _id(identity),
        "status": _STATUS.get(status or "", Status.UNKNOWN),
        "status_raw": status or "",
        "as_of": context.as_of,
    }


def _below(row: wire.MsAd | wire.MsKeyword, parents: _Parents, context: PullContext) -> dict[str, Any]:
    """What ads and keywords have in common."""
    common = _common(row.id, row.status, context)
    above = [parent.status or "" for parent in (parents.campaign, parents.group) if parent is not None]
    if row.editorial_status == "Disapproved" and common["status"] in (Status.ACTIVE, Status.PENDING):
        common["status"], common["status_raw"] = Status.REJECTED, row.editorial_status
    for worse in _WORSE if common["status"] is Status.ACTIVE else ():
        for word in above:
            if _STATUS.get(word) is worse and common["status"] is Status.ACTIVE:
                common["status"], common["status_raw"] = worse, word
    campaign_id = _id(parents.campaign.id) if parents.campaign else ""
    return common | {"campaign_id": campaign_id, "ad_group_id": _id(parents.group.id) if parents.group else ""}


def _id(value: wire.Id) -> str:
    text = str(value)
    if not (text.isdecimal() and text.isascii()):
        raise ValueError("Id", f"not an id: {text[:40]!r}")
    return text


def _bid(bid: wire.MsBid | None) -> int | None:
    return None if bid is None or bid.amount is None else rounded(bid.amount)[0]


def _text(links: list[wire.MsAssetLink] | None) -> str | None:
    """The first text of some assets."""
    return _first(*(link.asset.text for link in links or () if link.asset))


def _first(*texts: str | None) -> str | None:
    return next((text for text in texts if text), None)


def _day(found: wire.MsDate | None) -> str:
    if found is None or found.year >= _NO_END:
        return ""
    return date(found.year, found.month, found.day).isoformat()


def _date(text: str | None) -> str:
    """The date of a time; "" for none."""
    if not text:
        return ""
    day = date.fromisoformat(text[:10])
    return "" if day.year >= _NO_END else day.isoformat()
