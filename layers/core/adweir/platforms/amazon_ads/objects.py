"""A list's objects → catalog objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import (
    Ad,
    AdCampaign,
    AdCreative,
    AdGroup,
    Keyword,
    KeywordKind,
    PlatformObject,
    Profile,
    Status,
)
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.model.money import rounded
from adweir.model.slices import ALL
from adweir.platforms import json_text
from adweir.platforms.amazon_ads import SB, SD, SP, SPEC, envelopes, wire
from adweir.platforms.amazon_ads.lists import list_of
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage

_STATUS = {
    "ENABLED": Status.ACTIVE,
    "APPROVED": Status.ACTIVE,
    "PAUSED": Status.PAUSED,
    "ARCHIVED": Status.ARCHIVED,
    "USER_DELETED": Status.REMOVED,
    "PROPOSED": Status.PENDING,
    "ENABLING": Status.PENDING,
    "PENDING": Status.PENDING,
    "PENDING_REVIEW": Status.PENDING,
    "DRAFT": Status.PENDING,
    "REJECTED": Status.REJECTED,
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
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Recipe(NamedTuple):
    """How a list's objects are read: their wire type, what is made of one, and which field is its id."""

    row: type[Any]
    make: Callable[[Any, PullContext], PlatformObject | Profile]
    id_field: str


def batch(page: RawPage, context: PullContext) -> ObjectBatch:
    """A page of profiles or of a list. Raises BadInput for anything else."""
    if context.dataset is Dataset.STREAMS:
        from adweir.platforms.amazon_ads import subscriptions  # noqa: PLC0415  few profiles have any

        return subscriptions.batch(page, context)
    found, key = _reading(page.label, context)
    objects: list[PlatformObject | Profile] = []
    bad: list[BadRow] = []
    try:
        elements = envelopes.elements(page.stream.read(), key)
    except ValueError as error:
        raise BadInput(f"the answer is not a {key or 'JSON array'}: {error}") from None
    for line, element in enumerate(elements, 1):
        try:
            objects.append(found.make(json_text.decoded(bytes(element), found.row), context))
        except (ValueError, RecursionError) as error:
            fault = {"field": "", "rule": "wire", "message": str(error)}
            raw = bytes(element).decode("utf-8", "replace")
            bad.append(BadRow(line, raw, [fault], _id_of(element, found.id_field)))
    return ObjectBatch(objects, bad)


def _reading(label: str, context: PullContext) -> tuple[Recipe, str]:
    """How the page's objects are read, and the key that holds them in its envelope ("" for a bare array)."""
    if context.dataset is Dataset.PROFILES and context.slice == ALL:
        return Recipe(wire.WireProfile, _profile, "profileId"), ""
    asked = list_of(context.dataset, context.slice, label)
    if asked is None:
        raise BadInput(f"amazon_ads has no {context.dataset} of slice {context.slice!r}, list {label!r}")
    return _RECIPES.get((context.dataset, asked.name)) or _RECIPES[context.dataset, context.slice], asked.key


def _id_of(element: msgspec.Raw, field: str) -> str:
    """The id of an object that cannot be read otherwise, or ""."""
    try:
        found = json_text.loose(bytes(element), _digits)
    except ValueError:
        return ""
    value = found.get(field) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def _digits(number: str) -> str | None:
    return number if number.isdecimal() else None


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


def _day(text: str | None) -> str:
    """`2026-01-01` or Sponsored Display's `20260101` → ISO; none is ""."""
    return date.fromisoformat(text).isoformat() if text else ""


def _money(value: Decimal | None) -> int | None:
    return None if value is None else rounded(value)[0]


def _snake(text: str) -> str:
    """`NEGATIVE_EXACT` and Brands' `negativeExact` → `negative_exact`."""
    return _HUMP.sub("_", text).lower()


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
        alias=wire.alias(row.account_info.id, row.account_info.marketplace_id),
        as_of=context.as_of,
    )


def _campaign(row: wire.SpCampaign, context: PullContext) -> AdCampaign:
    budget = row.budget or wire.Budget()
    return AdCampaign(
        **_common(row.campaign_id, row.state, context),
        name=row.name,
        campaign_id=str(row.campaign_id),
        start_date=_day(row.start_date),
        end_date=_day(row.end_date),
        budget=_money(budget.budget),
        budget_type=(budget.budget_type or "").lower(),
        targeting_type=(row.targeting_type or "").lower(),
    )


def _flat_campaign(row: wire.SbCampaign | wire.SdCampaign, context: PullContext) -> AdCampaign:
    return AdCampaign(
        **_common(row.campaign_id, row.state, context),
        name=row.name,
        campaign_id=str(row.campaign_id),
        start_date=_day(row.start_date),
        end_date=_day(row.end_date),
        budget=_money(row.budget),
        budget_type=(row.budget_type or "").lower(),
        objective=(row.goal if isinstance(row, wire.SbCampaign) else row.tactic) or "",
        reported=not isinstance(row, wire.SbCampaign) or row.is_multi_ad_groups_enabled,
    )


def _ad_group(row: wire.WireAdGroup, context: PullContext) -> AdGroup:
    return AdGroup(
        **_common(row.ad_group_id, row.state, context),
        name=row.name,
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        bid=_money(row.default_bid),
    )


def _ad(row: wire.WireAd, context: PullContext) -> Ad:
    """A brand ad has its own headline and page; for a product ad Amazon shows the product's title and page."""
    content = row.creative or wire.AdContent()
    return Ad(
        **_common(row.ad_id, row.state, context),
        name=row.name or row.ad_name or row.sku or row.asin or "",
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        headline=content.headline or row.custom_text or None,
        image_url=content.custom_image_url or content.brand_logo_url,
        landing_page_url=_page_of(row, context.country),
    )


def _brand_creative(row: wire.WireAd, context: PullContext) -> AdCreative:
    """A brand ad's creative goes by the ad's id: it has none of its own, only versions."""
    content = row.creative or wire.AdContent()
    return AdCreative(
        **_common(row.ad_id, row.state, context),
        name=row.name or "",
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        kind=content.type or "",
        headline=content.headline,
        image_url=content.custom_image_url or content.brand_logo_url,
        landing_page_url=_page_of(row, context.country),
    )


def _display_creative(row: wire.SdCreative, context: PullContext) -> AdCreative:
    return AdCreative(
        **_common(row.creative_id, row.moderation_status, context),
        ad_group_id=str(row.ad_group_id),
        kind=row.creative_type,
        headline=row.properties.headline if row.properties else None,
    )


def _keyword(row: wire.WireKeyword, context: PullContext, kind: KeywordKind = KeywordKind.KEYWORD) -> Keyword:
    return Keyword(
        **_common(row.keyword_id, row.state, context),
        name=row.keyword_text,
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        kind=kind,
        text=row.keyword_text,
        match_type=_snake(row.match_type),
        bid=_money(row.bid),
    )


def _target(row: wire.WireTarget, context: PullContext) -> Keyword:
    return _targeting(row, context, _kind_of(row))


def _targeting(row: wire.WireTarget, context: PullContext, kind: KeywordKind) -> Keyword:
    """`text` is the expression with ids, `name` the one with names, `match_type` the type of its first part."""
    expression = row.expression or row.expressions
    return Keyword(
        **_common(row.target_id, row.state, context),
        name=_written(row.resolved_expression or row.resolved_expressions or expression),
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        kind=kind,
        text=_written(expression),
        match_type=_snake(expression[0].type) if expression else "",
        bid=_money(row.bid),
    )


def _kind_of(row: wire.WireTarget) -> KeywordKind:
    """An audience is what shoppers did, or a list of them; a group of keywords is Amazon's choice, as is AUTO."""
    first = (row.expression or row.expressions or [wire.Predicate("")])[0].type
    if row.expression_type.upper() == "AUTO" or first.startswith("KEYWORD_GROUP"):
        return KeywordKind.AUTOMATIC
    return KeywordKind.AUDIENCE if first in {"views", "purchases", "audience"} else KeywordKind.PRODUCT_TARGET


def _written(expression: list[wire.Predicate]) -> str:
    """`asinCategorySameAs="679433011" asinPriceLessThan="50"`, `views=(exactProduct lookback="30")`."""
    return " ".join(map(_part, expression))


def _part(predicate: wire.Predicate) -> str:
    if isinstance(predicate.value, list):
        return f"{predicate.type}=({_written(predicate.value)})"
    return predicate.type if predicate.value is None else f'{predicate.type}="{predicate.value}"'


def _theme(row: wire.WireTheme, context: PullContext) -> Keyword:
    return Keyword(
        **_common(row.theme_id, row.state, context),
        name=row.theme_type,
        campaign_id=str(row.campaign_id),
        ad_group_id=str(row.ad_group_id),
        kind=KeywordKind.AUTOMATIC,
        text=row.theme_type,
        match_type="theme",
        bid=_money(row.bid),
    )


def _negative_keyword(row: wire.WireKeyword, context: PullContext) -> Keyword:
    return _keyword(row, context, KeywordKind.NEGATIVE)


def _negative_target(row: wire.WireTarget, context: PullContext) -> Keyword:
    return _targeting(row, context, KeywordKind.NEGATIVE)


def _page_of(row: wire.WireAd, country: str) -> str | None:
    """The ad's own page, or the page of the one product that it shows."""
    page = row.landing_page or wire.LandingPage()
    asins = [row.asin] if row.asin else (page.asins or [])
    return page.url or row.landing_page_url or (_product_page(asins[0], country) if len(asins) == 1 else None)


def _product_page(asin: str, country: str) -> str | None:
    """The product's page on the profile's marketplace, derived because Amazon does not report it."""
    tld = _TLD.get(country)
    return f"https://www.amazon.{tld}/dp/{asin}" if tld else None


_NEGATIVE_KEYWORD = Recipe(wire.WireKeyword, _negative_keyword, "keywordId")
_NEGATIVE_TARGET = Recipe(wire.WireTarget, _negative_target, "targetId")
_AD_GROUP = Recipe(wire.WireAdGroup, _ad_group, "adGroupId")
_AD = Recipe(wire.WireAd, _ad, "adId")
_KEYWORD = Recipe(wire.WireKeyword, _keyword, "keywordId")
_TARGET = Recipe(wire.WireTarget, _target, "targetId")

_RECIPES: dict[tuple[Dataset, str], Recipe] = {
    (Dataset.CAMPAIGNS, SP): Recipe(wire.SpCampaign, _campaign, "campaignId"),
    (Dataset.CAMPAIGNS, SB): Recipe(wire.SbCampaign, _flat_campaign, "campaignId"),
    (Dataset.CAMPAIGNS, SD): Recipe(wire.SdCampaign, _flat_campaign, "campaignId"),
    (Dataset.CREATIVES, SB): Recipe(wire.WireAd, _brand_creative, "adId"),
    (Dataset.CREATIVES, SD): Recipe(wire.SdCreative, _display_creative, "creativeId"),
    (Dataset.TARGETS, "themes"): Recipe(wire.WireTheme, _theme, "themeId"),
    (Dataset.NEGATIVES, "negativeKeywords"): _NEGATIVE_KEYWORD,
    (Dataset.NEGATIVES, "campaignNegativeKeywords"): _NEGATIVE_KEYWORD,
    (Dataset.NEGATIVES, "negativeTargets"): _NEGATIVE_TARGET,
    (Dataset.NEGATIVES, "campaignNegativeTargets"): _NEGATIVE_TARGET,
    **dict.fromkeys([(Dataset.AD_GROUPS, product) for product in (SP, SB, SD)], _AD_GROUP),
    **dict.fromkeys([(Dataset.ADS, product) for product in (SP, SB, SD)], _AD),
    **dict.fromkeys([(Dataset.KEYWORDS, product) for product in (SP, SB)], _KEYWORD),
    **dict.fromkeys([(Dataset.TARGETS, product) for product in (SP, SB, SD)], _TARGET),
}
"""By dataset and list where the lists of one pull differ, else by dataset and slice."""
