"""Targets and what is excluded, as each of Amazon's ad products writes them.

Source: the schemas of targeting expressions in SponsoredProducts_prod_3p.json, sponsored-brands/3-0/openapi.yaml and
sponsored-display/3-0/openapi.yaml, and docs/en-us/guides/sponsored-products/auto-targeting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sandbox.platforms.amazon_ads.population import AUTOMATIC
from sandbox.platforms.amazon_ads.spelling import asin_of
from sandbox.world import WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile

_AUTOMATIC_TYPES = (
    "QUERY_HIGH_REL_MATCHES",
    "QUERY_BROAD_REL_MATCHES",
    "ASIN_SUBSTITUTE_RELATED",
    "ASIN_ACCESSORY_RELATED",
)
_TYPES = {
    "sp": dict(zip(AUTOMATIC, _AUTOMATIC_TYPES, strict=True))
    | {"asin": "ASIN_SAME_AS", "category": "ASIN_CATEGORY_SAME_AS"},
    "sb": {"asin": "asinSameAs", "category": "asinCategorySameAs"},
    "sd": {"similar-product": "similarProduct", "asin": "asinSameAs", "category": "asinCategorySameAs"},
}
Expression = list[dict[str, str]]


class Exclusion(NamedTuple):
    """A keyword or product that an ad group, or a whole campaign (no group), keeps away from."""

    id: str
    campaign: WorldCampaign
    group: WorldAdGroup | None
    text: str
    match: str


def is_target(keyword: WorldKeyword) -> bool:
    """Whether it is a targeting expression, and no keyword."""
    return keyword.match_type.startswith("TARGETING")


def is_automatic(campaign: WorldCampaign) -> bool:
    """Whether Amazon chooses the campaign's targets."""
    return any(keyword.text in AUTOMATIC for group in campaign.groups for keyword in group.keywords)


def expression(product: str, text: str, *, resolved: bool = False) -> Expression:
    """A report's `asin="B0…"` as a product's lists write it; resolved, a category has its name."""
    match = re.fullmatch(r'(\w+)="(\w+)"', text)
    if match is None:
        return [{"type": _TYPES[product][text]}]
    value = f"Category {match[2]}" if resolved and match[1] == "category" else match[2]
    return [{"type": _TYPES[product][match[1]], "value": value}]


def targets(profile: WorldProfile, product: str) -> Iterator[tuple[WorldCampaign, WorldAdGroup, WorldKeyword]]:
    """Every targeting expression of a product, with its parents."""
    yield from ((c, g, k) for c, g, k in _targeted(profile, product) if is_target(k))


def keywords(profile: WorldProfile, product: str) -> Iterator[tuple[WorldCampaign, WorldAdGroup, WorldKeyword]]:
    """Every keyword of a product, with its parents."""
    yield from ((c, g, k) for c, g, k in _targeted(profile, product) if not is_target(k))


def _targeted(profile: WorldProfile, product: str) -> Iterator[tuple[WorldCampaign, WorldAdGroup, WorldKeyword]]:
    yield from ((c, g, k) for c in profile.campaigns if c.product == product for g in c.groups for k in g.keywords)


def excluded_keywords(profile: WorldProfile, product: str) -> list[Exclusion]:
    """Each ad group with keywords excludes one, and each of its campaigns another."""
    found = []
    for campaign in profile.campaigns:
        groups = [g for g in campaign.groups if any(not is_target(k) for k in g.keywords)]
        if campaign.product == product and groups:
            found.append(Exclusion(_excluded_id(campaign.id, "51"), campaign, None, "used", "PHRASE"))
            found += [
                Exclusion(_excluded_id(g.id, "52"), campaign, g, f"free {g.name.lower()}", "EXACT") for g in groups
            ]
    return found


def excluded_products(profile: WorldProfile, product: str) -> list[Exclusion]:
    """Each ad group with targets excludes a product, and each of its campaigns another."""
    found = []
    for campaign in profile.campaigns:
        groups = [g for g in campaign.groups if any(is_target(k) for k in g.keywords)]
        if campaign.product == product and groups:
            kept_away = f'asin="{asin_of("excluded", campaign.id)}"'
            found.append(Exclusion(_excluded_id(campaign.id, "53"), campaign, None, kept_away, ""))
            for group in groups:
                text = f'asin="{asin_of("excluded", group.id)}"'
                found.append(Exclusion(_excluded_id(group.id, "54"), campaign, group, text, ""))
    return found


def _excluded_id(owner: str, kind: str) -> str:
    return f"{owner[:4]}{kind}{owner[6:]}"
