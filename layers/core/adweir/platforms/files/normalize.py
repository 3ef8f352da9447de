"""A record of a dropped file → a metric row, with the profile, level and grain that the line names."""

from __future__ import annotations

from typing import NamedTuple

from adweir.model.metrics import AD_LEVELS, IN_GROUP, Grain, Level, MetricRow
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser
from adweir.platforms.files import cells
from adweir.platforms.files.lines import LineFault, Record, identity, platform_of, profile_of

LEVELS = {level.value: level for level in AD_LEVELS}


class Target(NamedTuple):
    """What a line is about: rows of one target are loaded together."""

    platform: Platform
    profile_id: str
    level: Level
    grain: Grain
    currency: str = ""
    """Of series that may be in several currencies, each loaded apart; "" for the profile's."""


class DropRow(NamedTuple):
    target: Target
    row: MetricRow
    source: str
    """The line as text, for quarantine."""


def drop_row(found: Record, parse_platform: PlatformParser) -> DropRow:
    """The row of a record in our own columns. Raises LineFault."""
    target = _target(found.cell, parse_platform)
    return DropRow(target, _metrics(found.cell, target, found.number), found.source)


def _target(cell: dict[str, str], parse_platform: PlatformParser) -> Target:
    platform = platform_of(cell, parse_platform)
    try:
        level = LEVELS[cell["level"].lower()]
    except KeyError:
        raise LineFault("level", "allowed", f"must be one of {', '.join(AD_LEVELS)}") from None
    return Target(platform, profile_of(cell), level, Grain.HOUR if cell.get("hour") else Grain.DAY)


def _metrics(cell: dict[str, str], target: Target, number: int) -> MetricRow:
    entity, group = _entity(cell, target)
    return MetricRow(
        entity_id=entity,
        day=cells.day(cell["date"]),
        impressions=cells.count(cell, "impressions"),
        clicks=cells.count(cell, "clicks"),
        conversions=cells.amount(cell, "conversions") if cell.get("conversions") else None,
        spend=cells.amount(cell, "spend"),
        revenue=cells.amount(cell, "revenue") if cell.get("revenue") else None,
        campaign_id=identity(cell, "campaign_id"),
        ad_group_id=group,
        hour=cells.hour(cell["hour"]) if target.grain is Grain.HOUR else -1,
        currency=cell.get("currency", "").upper(),
        ad_product=identity(cell, "ad_product"),
        line=number,
    )


def _entity(cell: dict[str, str], target: Target) -> tuple[str, str]:
    """The entity's id and its ad group's, which an ad's and a keyword's id begins with."""
    given, group = identity(cell, "entity_id"), identity(cell, "ad_group_id")
    if target.level in IN_GROUP:
        own = identity(cell, f"{target.level}_id")
        made = f"{group}~{own}" if group and own else ""
    elif target.level is Level.ACCOUNT:
        made = target.profile_id
    else:
        made = identity(cell, f"{target.level}_id")
    if given and made and given != made:
        raise LineFault("entity_id", "consistent", f"is {given[:50]!r}, but the other ids say {made[:50]!r}")
    entity = given or made
    if not entity:
        group_too = "ad_group_id and " if target.level in IN_GROUP else ""
        raise LineFault("entity_id", "required", f"or {group_too}{target.level}_id is required")
    if target.level not in IN_GROUP:
        return entity, group
    own_group, mark, own = entity.partition("~")
    if not (own_group and mark and own):
        raise LineFault("entity_id", "format", f"of this level is ad_group_id~{target.level}_id")
    if group not in {"", own_group}:
        raise LineFault("ad_group_id", "consistent", f"is {group[:50]!r}, but entity_id says {own_group[:50]!r}")
    return entity, own_group
