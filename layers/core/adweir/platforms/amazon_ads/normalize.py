"""Amazon's pages → metric rows and catalog objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword, PlatformObject, Profile, Status
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.money import to_micros
from adweir.model.slices import ALL
from adweir.platforms.amazon_ads import SB, SD, SP, SPEC, wire
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch
from adweir.platforms.json_array import Unreadable, read_array

_STATUS = {
    "ENABLED": Status.ACTIVE,
    "PAUSED": Status.PAUSED,
    "ARCHIVED": Status.REMOVED,
    "USER_DELETED": Status.REMOVED,
    "PROPOSED": Status.PENDING,
    "ENABLING": Status.PENDING,
}
_TLD = {
    "AE": "ae",
    "AU": "com.au",
    "BE": "com.be",
    "BR": "com.br",
    "CA": "ca",
    "DE": "de",
    "EG": "eg",
    "ES": "es",
    "FR": "fr",
    "GB": "co.uk",
    "IE": "ie",
    "IN": "in",
    "IT": "it",
    "JP": "co.jp",
    "MX": "com.mx",
    "NL": "nl",
    "PL": "pl",
    "SA": "sa",
    "SE": "se",
    "SG": "sg",
    "TR": "com.tr",
    "UK": "co.uk",
    "US": "com",
    "ZA": "co.za",
}
_NOISE = Decimal("1e-9")


class AmazonNormalizer:
    """Implements `platforms.connector.Normalizer`."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """A daily ad report (one JSON array) → rows of level ad; entity_id is `adGroupId~adId`."""
        for piece in read_array(page.stream, _row_type(context)):
            rows: list[MetricRow] = []
            bad: list[BadRow] = []
            for line, row in enumerate(piece.rows, piece.first):
                if isinstance(row, Unreadable):
                    bad.append(_unreadable(line, row))
                    continue
                try:
                    rows.append(_metric_row(line, row, context))
                except ValueError as error:
                    bad.append(_bad(line, msgspec.to_builtins(row, builtin_types=(Decimal,)), str(error)))
            yield RowBatch(rows, bad)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """A page of profiles or of an entity list. Raises BadInput for anything else."""
        elements = _elements(page.stream.read(), context)
        row_type, make = _OBJECTS[context.dataset, context.slice]
        objects: list[PlatformObject | Profile] = []
        bad: list[BadRow] = []
        for line, element in enumerate(elements, 1):
            try:
                objects.append(make(msgspec.json.decode(element, type=row_type), context))
            except (msgspec.DecodeError, ValueError) as error:
                bad.append(BadRow(line, _text(element), [_fault(str(error))], _id_of(element, context.dataset)))
        yield ObjectBatch(objects, bad)


def _row_type(context: PullContext) -> type[wire.ReportRow]:
    if context.slice == SP:
        return wire.VendorRow if context.profile_kind == "vendor" else wire.SellerRow
    if context.slice in (SB, SD):
        return wire.BrandRow
    raise BadInput(f"amazon_ads has no reports of slice {context.slice!r}; known: {SP}, {SB}, {SD}")


def _metric_row(line: int, row: wire.ReportRow, context: PullContext) -> MetricRow:
    """Raises ValueError that says which value is wrong."""
    group = str(row.ad_group_id)
    return MetricRow(
        entity_id=f"{group}~{row.ad_id}",
        day=_day(row.date),
        impressions=row.impressions,
        clicks=row.clicks,
        conversions=_micros(row.conversions) if row.conversions else 0,
        spend=_micros(row.cost),
        revenue=_micros(row.revenue) if row.revenue else 0,
        campaign_id=str(row.campaign_id),
        ad_group_id=group,
        currency=row.campaign_budget_currency_code or context.currency,
        ad_product=context.slice,
        line=line,
    )


def _micros(value: Decimal) -> int:
    """Units → millionths. Drops the rounding error of a binary double (59.980000000000004)."""
    try:
        return to_micros(value)
    except ValueError:
        if not value.is_finite() or abs(value) >= 10**12:
            raise
        near = round(value, 6)
        if abs(value - near) > _NOISE:
            raise
        return to_micros(near)


@lru_cache(maxsize=512)
def _day(text: str) -> str:
    """A date as `YYYY-MM-DD`. Raises ValueError."""
    return date.fromisoformat(text).isoformat()


def _fault(message: str) -> dict[str, Any]:
    return {"field": "", "rule": "wire", "message": message}


def _unreadable(line: int, row: Unreadable) -> BadRow:
    try:
        return _bad(line, json.loads(row.raw, parse_float=Decimal), row.message)
    except ValueError:
        return BadRow(line, _text(row.raw), [_fault(row.message)])


def _bad(line: int, fields: Any, message: str) -> BadRow:
    """A bad row, with its key when that much of it can be read."""
    raw = json.loads(json.dumps(fields, default=str))
    if not isinstance(fields, dict):
        return BadRow(line, raw, [_fault(message)])
    ids = [fields.get("adGroupId"), fields.get("adId")]
    whole = all(isinstance(part, int | str) and not isinstance(part, bool) and part != "" for part in ids)
    try:
        day = _day(str(fields.get("date")))
    except ValueError:
        day = ""
    if not whole or not day:
        return BadRow(line, raw, [_fault(message)])
    return BadRow(line, raw, [_fault(message)], f"{ids[0]}~{ids[1]}", day)


def _id_of(element: msgspec.Raw, dataset: Dataset) -> str:
    """The id of an object that cannot be read otherwise, or ""."""
    try:
        found = json.loads(bytes(element))
    except ValueError:
        return ""
    value = found.get(_IDS[dataset]) if isinstance(found, dict) else None
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _text(raw: msgspec.Raw | bytes) -> str:
    return bytes(raw).decode("utf-8", "replace")


def _elements(body: bytes, context: PullContext) -> list[msgspec.Raw]:
    """The elements of an entity page, undecoded: a bare array, or the one list that the envelope holds."""
    if (context.dataset, context.slice) not in _OBJECTS:
        raise BadInput(f"amazon_ads has no {context.dataset} of slice {context.slice!r}")
    key = _LIST_KEYS.get((context.dataset, context.slice), "")
    try:
        if not key:
            return msgspec.json.decode(body, type=list[msgspec.Raw])
        envelope = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(envelope[key], type=list[msgspec.Raw])
    except KeyError:
        raise BadInput(f"the answer has no list {key!r}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"the answer is not a {key or 'JSON array'}: {error}") from None


def _common(row_id: str | int, state: str, context: PullContext) -> dict[str, Any]:
    return {
        "platform": SPEC.name,
        "profile_id": context.profile_id,
        "id": str(row_id),
        "status": _STATUS.get(state.upper(), Status.UNKNOWN),
        "status_raw": state,
        "ad_product": context.slice,
        "as_of": context.as_of,
    }


def _iso_day(text: str | None) -> str:
    """`2026-01-01` or Sponsored Display's `20260101` → ISO; none is ""."""
    return _day(text) if text else ""


def _profile(row: wire.WireProfile, context: PullContext) -> Profile:
    return Profile(
        account_id=context.account_id,
        platform=SPEC.name,
        profile_id=str(row.profile_id),
        name=row.account_info.name,
        currency=row.currency_code,
        timezone=row.timezone,
        country=row.country_code,
        kind=row.account_info.type,
        route=context.route,
        as_of=context.as_of,
    )


def _campaign(row: wire.SpCampaign, context: PullContext) -> AdCampaign:
    budget = row.budget or wire.Budget()
    return AdCampaign(
        **_common(row.campaign_id, row.state, context),
        name=row.name,
        campaign_id=str(row.campaign_id),
        start_date=_iso_day(row.start_date),
        end_date=_iso_day(row.end_date),
        budget=None if budget.budget is None else _micros(budget.budget),
        budget_type=(budget.budget_type or "").lower(),
        targeting_type=(row.targeting_type or "").lower(),
    )


def _flat_campaign(row: wire.SbCampaign | wire.SdCampaign, context: PullContext) -> AdCampaign:
    return AdCampaign(
        **_common(row.campaign_id, row.state, context),
        name=row.name,
        campaign_id=str(row.campaign_id),
        start_date=_iso_day(row.start_date),
        end_date=_iso_day(row.end_date),
        budget=None if row.budget is None else _micros(row.budget),
        budget_type=(row.budget_type or "").lower(),
        objective=(row.goal if isinstance(row, wire.SbCampaign) else row.tactic) or "",
    )


def _ad_group(row: wire.WireAdGroup, context: PullContext) -> AdGroup:
    return AdGroup(
        **_common(row.ad_group_id, row.state, context),
        name=row.name,
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        bid=None if row.default_bid is None else _micros(row.default_bid),
    )


def _ad(row: wire.WireAd, context: PullContext) -> Ad:
    """A brand ad has its own headline and page; for a product ad Amazon shows the product's title and page."""
    creative, page = row.creative or wire.Creative(), row.landing_page or wire.LandingPage()
    return Ad(
        **_common(row.ad_id, row.state, context),
        name=row.name or row.sku or row.asin or "",
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        headline=creative.headline or row.custom_text or None,
        landing_page_url=page.page_url or _landing_page(row.asin, context.country),
    )


def _keyword(row: wire.WireKeyword, context: PullContext) -> Keyword:
    return Keyword(
        **_common(row.keyword_id, row.state, context),
        name=row.keyword_text,
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        text=row.keyword_text,
        match_type=row.match_type.lower(),
        bid=None if row.bid is None else _micros(row.bid),
    )


def _landing_page(asin: str | None, country: str) -> str | None:
    """The product's page on the profile's marketplace, derived because Amazon does not report it. None for a SKU."""
    tld = _TLD.get(country)
    return f"https://www.amazon.{tld}/dp/{asin}" if asin and tld else None


_OBJECTS: dict[tuple[Dataset, str], tuple[type[Any], Callable[[Any, PullContext], PlatformObject | Profile]]] = {
    (Dataset.PROFILES, ALL): (wire.WireProfile, _profile),
    (Dataset.CAMPAIGNS, SP): (wire.SpCampaign, _campaign),
    (Dataset.CAMPAIGNS, SB): (wire.SbCampaign, _flat_campaign),
    (Dataset.CAMPAIGNS, SD): (wire.SdCampaign, _flat_campaign),
    (Dataset.KEYWORDS, SP): (wire.WireKeyword, _keyword),
}
for _product in (SP, SB, SD):
    _OBJECTS[Dataset.AD_GROUPS, _product] = (wire.WireAdGroup, _ad_group)
    _OBJECTS[Dataset.ADS, _product] = (wire.WireAd, _ad)

_LIST_KEYS = {
    (Dataset.CAMPAIGNS, SP): "campaigns",
    (Dataset.CAMPAIGNS, SB): "campaigns",
    (Dataset.AD_GROUPS, SP): "adGroups",
    (Dataset.AD_GROUPS, SB): "adGroups",
    (Dataset.ADS, SP): "productAds",
    (Dataset.ADS, SB): "ads",
    (Dataset.KEYWORDS, SP): "keywords",
}
"""Under which key the envelope holds the list; what is not among these is a bare array."""

_IDS = {
    Dataset.PROFILES: "profileId",
    Dataset.CAMPAIGNS: "campaignId",
    Dataset.AD_GROUPS: "adGroupId",
    Dataset.ADS: "adId",
    Dataset.KEYWORDS: "keywordId",
}

NORMALIZER = AmazonNormalizer()
