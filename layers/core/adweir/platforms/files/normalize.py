"""A dropped CSV → metric rows, each with the profile, level and grain that its line names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from adweir.model import limits
from adweir.model.metrics import BadRow, Grain, Level, MetricRow
from adweir.model.money import to_micros
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser
from adweir.platforms.files import wire
from adweir.platforms.files.lines import LineFault, Record, identity, platform_of, profile_of, records

_IN_GROUP = (Level.AD, Level.KEYWORD)


class Target(NamedTuple):
    """What a line is about: rows of one target are loaded together."""

    platform: Platform
    profile_id: str
    level: Level
    grain: Grain


class DropRow(NamedTuple):
    target: Target
    row: MetricRow
    source: str
    """The line as text, for quarantine."""


def read_drop(stream: BinaryIO, size: int, parse_platform: PlatformParser) -> Iterator[DropRow | BadRow]:
    """The rows of a file, lazily: a DropRow for each good line, a BadRow with its number for each malformed one.

    Empty lines are skipped. `size` is the stored file's. Raises BadInput when the file as a whole cannot be read: no
    header, columns missing, gzip corrupt or a bomb; that may come after good rows.
    """
    for found in records(stream, size, wire.METRICS):
        yield found if isinstance(found, BadRow) else _row(found, parse_platform)


def _row(found: Record, parse_platform: PlatformParser) -> DropRow | BadRow:
    try:
        target = _target(found.cell, parse_platform)
        return DropRow(target, _metrics(found.cell, target, found.number), found.source)
    except LineFault as fault:
        return found.bad(fault)


def _target(cell: dict[str, str], parse_platform: PlatformParser) -> Target:
    platform = platform_of(cell, parse_platform)
    try:
        level = Level(cell["level"].lower())
    except ValueError:
        raise LineFault("level", "allowed", f"must be one of {', '.join(Level)}") from None
    return Target(platform, profile_of(cell), level, Grain.HOUR if cell.get("hour") else Grain.DAY)


def _metrics(cell: dict[str, str], target: Target, number: int) -> MetricRow:
    entity, group = _entity(cell, target)
    return MetricRow(
        entity_id=entity,
        day=_day(cell["date"]),
        impressions=_count(cell, "impressions"),
        clicks=_count(cell, "clicks"),
        conversions=_micros(cell, "conversions") if cell.get("conversions") else None,
        spend=_micros(cell, "spend"),
        revenue=_micros(cell, "revenue") if cell.get("revenue") else None,
        campaign_id=identity(cell, "campaign_id"),
        ad_group_id=group,
        hour=_hour(cell["hour"]) if target.grain is Grain.HOUR else -1,
        currency=cell.get("currency", "").upper(),
        ad_product=identity(cell, "ad_product"),
        line=number,
    )


def _entity(cell: dict[str, str], target: Target) -> tuple[str, str]:
    """The entity's id and its ad group's, which an ad's and a keyword's id begins with."""
    given, group = identity(cell, "entity_id"), identity(cell, "ad_group_id")
    if target.level in _IN_GROUP:
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
        group_too = "ad_group_id and " if target.level in _IN_GROUP else ""
        raise LineFault("entity_id", "required", f"or {group_too}{target.level}_id is required")
    if target.level not in _IN_GROUP:
        return entity, group
    own_group, mark, own = entity.partition("~")
    if not (own_group and mark and own):
        raise LineFault("entity_id", "format", f"of this level is ad_group_id~{target.level}_id")
    if group not in {"", own_group}:
        raise LineFault("ad_group_id", "consistent", f"is {group[:50]!r}, but entity_id says {own_group[:50]!r}")
    return entity, own_group


@lru_cache(maxsize=4096)
def _day(text: str) -> str:
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass  # reported below, with the other malformed dates
    raise LineFault("date", "format", "must be a date, YYYY-MM-DD")


def _hour(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < 24:
        return int(text)
    raise LineFault("hour", "range", "must be a whole number, 0 to 23")


def _count(cell: dict[str, str], name: str) -> int:
    text = cell[name]
    if text.isascii() and text.isdigit() and len(text) <= limits.MAX_COUNT_DIGITS:
        return int(text)
    raise LineFault(
        name, "integer" if text else "required", "must be a whole number, 0 or more" if text else "is required"
    )


def _micros(cell: dict[str, str], name: str) -> int:
    text = cell[name]
    if not text:
        raise LineFault(name, "required", "is required")
    try:
        value = to_micros(text)
    except ValueError as error:
        raise LineFault(name, "number", f"cannot be stored: {error}") from None
    if value < 0:
        raise LineFault(name, "number", "must be a decimal number, 0 or more")
    return value
