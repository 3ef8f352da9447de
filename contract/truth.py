"""What the world says each stream has to bring, from the world alone: nothing of the sandbox's protocols is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from contract.rows import Key, Row, Value
from sandbox.world import World, WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile

_IDS = {"campaign": "campaign_id", "ad_group": "ad_group_id", "ad": "ad_id"}


@dataclass(frozen=True)
class Question:
    """One ad account, and the days that a client was told to read.

    `got`: what it brought of every stream. `with_gone`: whether it asks for the numbers of archived and deleted ads.
    """

    world: World
    profile: WorldProfile
    end: date
    bookmark: datetime
    got: dict[str, list[Row]] = field(default_factory=dict)
    start: date = date.max
    with_gone: bool = True


Truth = Callable[[Question], Iterator[Row]]


def units(micros: int) -> Decimal:
    """Millionths → units."""
    return Decimal(micros).scaleb(-6)


def numbers(level: str, *, product: str = "", hourly: bool = False, sold: bool = True) -> Truth:
    """Numbers per day at a level, or of one product's; `sold`: with conversions and revenue."""

    def truth(question: Question) -> Iterator[Row]:
        world, profile = question.world, question.profile
        hidden = set() if question.with_gone else {ad.thing.id for ad in _each(profile, "ad") if ad.gone}
        for row in world.truth(profile, question.start, question.end, level, hourly=hourly):
            if (product and row["ad_product"] != product) or row["ad_id"] in hidden:
                continue
            ids = {kind: row[name] for kind, name in _IDS.items() if row[name]}
            if level == "keyword":
                ids["keyword"] = row["entity_id"]
            if hourly:
                ids["hour"] = f"{row['hour']:02d}"
            values = {
                "impressions": Decimal(row["impressions"]),
                "clicks": Decimal(row["clicks"]),
                "spend": units(row["spend_micros"]),
            }
            if sold:
                values |= {
                    "conversions": units(row["conversions_micros"]),
                    "revenue": units(row["revenue_micros"]),
                }
            yield Row(Key.of(row["date"], ids), {**values})

    return truth


class Listed(NamedTuple):
    """A campaign, an ad group or an ad under its and its parents' ids. `gone`: one of them is archived or deleted."""

    key: Key
    thing: WorldCampaign | WorldAdGroup | WorldAd
    gone: bool


def _each(profile: WorldProfile, level: str, product: str = "") -> Iterator[Listed]:
    """The campaigns, ad groups or ads of a profile, or of one ad product."""
    for campaign in profile.campaigns:
        if product and campaign.product != product:
            continue
        ids = {"campaign": campaign.id}
        if level == "campaign":
            yield Listed(Key.of("", ids), campaign, _gone(campaign))
            continue
        for group in (group for group in campaign.groups if not group.hidden):
            if level == "ad_group":
                yield Listed(Key.of("", ids | {"ad_group": group.id}), group, _gone(campaign, group))
                continue
            for ad in group.ads:
                key = Key.of("", ids | {"ad_group": group.id, "ad": ad.id})
                yield Listed(key, ad, _gone(campaign, group, ad))


def _gone(*line: WorldCampaign | WorldAdGroup | WorldAd) -> bool:
    return any(thing.status in ("ARCHIVED", "DELETED") for thing in line)


def things(level: str, *, every: bool) -> Truth:
    """Campaigns, ad groups or ads with their names; those that are gone only with `every`."""

    def truth(question: Question) -> Iterator[Row]:
        for listed in _each(question.profile, level):
            if every or not listed.gone:
                yield Row(listed.key, {"name": listed.thing.name})

    return truth


def later(level: str) -> Truth:
    """Those of all things that were changed after the bookmark, by the times that the client read before."""

    def truth(question: Question) -> Iterator[Row]:
        changed = {
            row.key
            for row in question.got.get(f"every {level}", [])
            if datetime.fromisoformat(row.updated) > question.bookmark
        }
        for row in things(level, every=True)(question):
            if row.key in changed:
                yield row

    return truth


def creatives(question: Question) -> Iterator[Row]:
    """Every ad's creative."""
    for _, _, ad in question.profile.ads():
        yield Row(Key.of("", {"creative": ad.creative["id"]}), {"name": ad.creative["name"]})


def account(question: Question) -> Iterator[Row]:
    """The ad account itself."""
    profile = question.profile
    yield Row(Key.of("", {"account": profile.id}), {"currency": profile.currency})


def advertised(level: str, product: str) -> Truth:
    """One ad product's campaigns and ad groups with state and name, its ads with their states."""

    def truth(question: Question) -> Iterator[Row]:
        for key, thing, _ in _each(question.profile, level, product):
            named: dict[str, Value] = {} if level == "ad" else {"name": thing.name}
            yield Row(key, {"state": _state(thing.status), **named})

    return truth


def targeting(product: str, *, targets: bool) -> Truth:
    """One ad product's keywords, or its targeting expressions, which clients and reports tell apart."""

    def truth(question: Question) -> Iterator[Row]:
        for key, keyword in _targeting(question.profile, product):
            if _is_target(keyword) == targets:
                texts = {} if targets else {"text": keyword.text, "match": keyword.match_type}
                yield Row(key, {"state": _state(keyword.state), **texts})

    return truth


def _targeting(profile: WorldProfile, product: str) -> Iterator[tuple[Key, WorldKeyword]]:
    for campaign in profile.campaigns:
        for group in campaign.groups if campaign.product == product else ():
            for keyword in group.keywords:
                ids = {"campaign": campaign.id, "ad_group": group.id, "keyword": keyword.id}
                yield Key.of("", ids), keyword


def _is_target(keyword: WorldKeyword) -> bool:
    return keyword.match_type.startswith("TARGETING_EXPRESSION")


def targeted(product: str, *, targets: bool) -> Truth:
    """The daily numbers of one ad product's keywords, or of its targeting expressions."""

    def truth(question: Question) -> Iterator[Row]:
        wanted = {key.ids for key, keyword in _targeting(question.profile, product) if _is_target(keyword) == targets}
        for row in numbers("keyword", product=product)(question):
            if row.key.ids in wanted:
                yield row

    return truth


def _state(status: str) -> str:
    """A status in Amazon's words."""
    return "ENABLED" if status == "ACTIVE" else status


def profile(question: Question) -> Iterator[Row]:
    """The advertiser's profile."""
    found = question.profile
    values = {"currency": found.currency, "timezone": found.timezone, "kind": found.kind}
    yield Row(Key.of("", {"account": found.id}), {**values})


STREAMS: dict[str, Truth] = {
    "accounts": account,
    "creatives": creatives,
    "insights ad async": numbers("ad"),
    "insights ad hourly": numbers("ad", hourly=True, sold=False),
    "insights campaign hourly": numbers("campaign", hourly=True, sold=False),
    "insights ad age gender": numbers("ad", sold=False),
}
for _level in ("account", "campaign", "ad_group", "ad", "keyword"):
    STREAMS[f"insights {_level}"] = numbers(_level)
for _level in _IDS:
    STREAMS[f"{_level}s"] = things(_level, every=False)
    STREAMS[f"every {_level}"] = things(_level, every=True)
    STREAMS[f"every {_level} since"] = later(_level)
STREAMS["profiles"] = profile
for _product in ("sp", "sb", "sd"):
    for _level in _IDS:
        STREAMS[f"{_product} {_level}s"] = advertised(_level, _product)
    for _level in (*_IDS, "keyword"):
        STREAMS[f"{_product} report {_level}"] = numbers(_level, product=_product)
    STREAMS[f"{_product} keywords"] = targeting(_product, targets=False)
    STREAMS[f"{_product} targets"] = targeting(_product, targets=True)
STREAMS["sp report keyword"] = targeted("sp", targets=False)
STREAMS["sp report target"] = targeted("sp", targets=True)
STREAMS["sd report target"] = targeted("sd", targets=True)
BROKEN_DOWN = {"insights ad age gender": ("age", "gender")}
"""Streams whose rows are compared with their breakdowns added up."""
