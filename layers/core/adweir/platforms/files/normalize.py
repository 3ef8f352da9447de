"""A dropped CSV → metric rows, each with the profile, level and grain that its line names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from adweir.model import limits
from adweir.model.errors import AdweirError
from adweir.model.metrics import BadRow, Grain, Level, MetricRow
from adweir.model.money import to_micros
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser
from adweir.platforms.files import wire

_SHOWN = 2_000
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


class _Fault(Exception):
    def __init__(self, field: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.field, self.rule = field, rule


def read_drop(stream: BinaryIO, size: int, parse_platform: PlatformParser) -> Iterator[DropRow | BadRow]:
    """The rows of a file, lazily: a DropRow for each good line, a BadRow with its number for each malformed one.

    Empty lines are skipped. `size` is the stored file's. Raises BadInput when the file as a whole cannot be read: no
    header, columns missing, gzip corrupt or a bomb; that may come after good rows.
    """
    content = wire.lines(wire.opened(stream), size)
    columns = wire.header(next(content, None))
    for line in content:
        if line.data is None:
            yield BadRow(line.number, "", [_error("", "length", f"is longer than {limits.MAX_DROP_LINE_BYTES} bytes")])
        elif line.data.strip():
            yield _row(columns, line.number, line.data, parse_platform)


def _row(columns: list[str], number: int, data: bytes, parse_platform: PlatformParser) -> DropRow | BadRow:
    source = data[:_SHOWN].decode("utf-8", "replace")
    try:
        values = wire.cells(data)
    except ValueError as error:
        return BadRow(number, source, [_error("", "csv", str(error))])
    if len(values) != len(columns):
        message = f"has {len(values)} fields, the header {len(columns)}"
        return BadRow(number, source, [_error("", "fields", message)])
    cell = {name: value.strip() for name, value in zip(columns, values, strict=True)}
    try:
        target = _target(cell, parse_platform)
        return DropRow(target, _metrics(cell, target, number), source)
    except _Fault as fault:
        return BadRow(number, source, [_error(fault.field, fault.rule, str(fault))])


def _target(cell: dict[str, str], parse_platform: PlatformParser) -> Target:
    try:
        platform = parse_platform(cell["platform"])
    except AdweirError as error:
        raise _Fault("platform", "allowed", error.message) from None
    try:
        level = Level(cell["level"].lower())
    except ValueError:
        raise _Fault("level", "allowed", f"must be one of {', '.join(Level)}") from None
    profile_id = _identity(cell, "profile_id")
    if not profile_id:
        raise _Fault("profile_id", "required", "is required")
    return Target(platform, profile_id, level, Grain.HOUR if cell.get("hour") else Grain.DAY)


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
        campaign_id=_identity(cell, "campaign_id"),
        ad_group_id=group,
        hour=_hour(cell["hour"]) if target.grain is Grain.HOUR else -1,
        currency=cell.get("currency", "").upper(),
        ad_product=_identity(cell, "ad_product"),
        line=number,
    )


def _identity(cell: dict[str, str], name: str) -> str:
    value = cell.get(name, "")
    # "#" separates the parts of our storage keys; "!" begins the items that are not entities.
    if len(value) > limits.MAX_OBJECT_ID_CHARS or "#" in value or value.startswith("!") or not value.isprintable():
        raise _Fault(
            name,
            "format",
            f"must be at most {limits.MAX_OBJECT_ID_CHARS} printable characters without #, not beginning with !",
        )
    return value


def _entity(cell: dict[str, str], target: Target) -> tuple[str, str]:
    """The entity's id and its ad group's, which an ad's and a keyword's id begins with."""
    given, group = _identity(cell, "entity_id"), _identity(cell, "ad_group_id")
    if target.level in _IN_GROUP:
        own = _identity(cell, f"{target.level}_id")
        made = f"{group}~{own}" if group and own else ""
    elif target.level is Level.ACCOUNT:
        made = target.profile_id
    else:
        made = _identity(cell, f"{target.level}_id")
    if given and made and given != made:
        raise _Fault("entity_id", "consistent", f"is {given[:50]!r}, but the other ids say {made[:50]!r}")
    entity = given or made
    if not entity:
        group_too = "ad_group_id and " if target.level in _IN_GROUP else ""
        raise _Fault("entity_id", "required", f"or {group_too}{target.level}_id is required")
    if target.level not in _IN_GROUP:
        return entity, group
    own_group, mark, own = entity.partition("~")
    if not (own_group and mark and own):
        raise _Fault("entity_id", "format", f"of this level is ad_group_id~{target.level}_id")
    if group not in {"", own_group}:
        raise _Fault("ad_group_id", "consistent", f"is {group[:50]!r}, but entity_id says {own_group[:50]!r}")
    return entity, own_group


@lru_cache(maxsize=4096)
def _day(text: str) -> str:
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass  # reported below, with the other malformed dates
    raise _Fault("date", "format", "must be a date, YYYY-MM-DD")


def _hour(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < 24:
        return int(text)
    raise _Fault("hour", "range", "must be a whole number, 0 to 23")


def _count(cell: dict[str, str], name: str) -> int:
    text = cell[name]
    if text.isascii() and text.isdigit() and len(text) <= limits.MAX_COUNT_DIGITS:
        return int(text)
    raise _Fault(
        name, "integer" if text else "required", "must be a whole number, 0 or more" if text else "is required"
    )


def _micros(cell: dict[str, str], name: str) -> int:
    text = cell[name]
    if not text:
        raise _Fault(name, "required", "is required")
    try:
        value = to_micros(text)
    except ValueError as error:
        raise _Fault(name, "number", f"cannot be stored: {error}") from None
    if value < 0:
        raise _Fault(name, "number", "must be a decimal number, 0 or more")
    return value


def _error(field: str, rule: str, message: str) -> dict[str, str]:
    return {"field": field, "rule": rule, "message": f"{field or 'the line'} {message}"}
