"""Metrics in our own columns, read by column where all rows of a piece are in order, else one by one.

By column takes a fifth of the time. Whatever it does not know for sure it leaves to `normalize.drop_row`, which also
says what is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import filterfalse
from typing import Any

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.errors import AdweirError
from adweir.model.metrics import IN_GROUP, BadRow, Grain, Level
from adweir.model.ports import PlatformParser
from adweir.platforms.files import cells, own
from adweir.platforms.files.batches import DropBatch, Wanted, batches_of
from adweir.platforms.files.by_column import Column, Unusual, amounts, counts, or_none, per_text
from adweir.platforms.files.file_rows import IdRange, Statements
from adweir.platforms.files.lines import LineFault, Record, identity
from adweir.platforms.files.normalize import LEVELS, DropRow, Target, drop_row
from adweir.platforms.files.table import FileTable, records_of
from adweir.platforms.files.text_lines import Chunk

_READ = frozenset({
    "platform", "profile_id", "level", "date", "hour", "entity_id", "campaign_id", "ad_group_id", "ad_id", "keyword_id",
    "impressions", "clicks", "spend", "conversions", "revenue", "currency", "ad_product",
})  # fmt: skip


class OwnRows:
    """Reads one file of a known header."""

    held = 0
    adds_up = by_id = False

    def __init__(self, header: Sequence[str], parse_platform: PlatformParser) -> None:
        self.left_out: Counter[str] = Counter()
        self.statements: Statements | None = None
        """Rows of metrics state their days."""
        self._canonical = own.METRICS.bind(header)
        self._places = {name: at for at, name in enumerate(own.METRICS.canonical(header)) if name in _READ}
        self._parse_platform = parse_platform
        self._ids: dict[str, str] = {}

    def only(self, ids: IdRange) -> None:
        """No row has an id of that kind."""
        raise NotImplementedError(ids)

    def batches(self, table: FileTable, _wanted: Wanted | None = None, /) -> Iterator[DropBatch | BadRow]:
        """The file's rows, and what cannot be stored."""
        return self.parts(table)

    def parts(self, table: FileTable) -> Iterator[DropBatch | BadRow]:
        """The same: no row is a part of another."""
        for chunk in table.chunks():
            found = self._by_column(chunk, tidy=True) or self._by_column(chunk, tidy=False)
            if found is None:
                yield from batches_of(self._one_by_one(records_of(chunk, table.header)))
            else:
                yield from chunk.bad
                yield from found

    def _one_by_one(self, found: Iterable[Record | BadRow]) -> Iterator[DropRow | BadRow]:
        for each in found:
            if isinstance(each, BadRow):
                yield each
                continue
            try:
                yield drop_row(self._canonical(each), self._parse_platform)
            except LineFault as fault:
                yield each.bad(fault)

    def _by_column(self, chunk: Chunk, *, tidy: bool) -> list[DropBatch] | None:
        """The rows; None where they have to be read one by one. `tidy`: as if no cell had spaces around it."""
        if not chunk.columns:
            return []
        made = {name: chunk.columns[at] for name, at in self._places.items()}
        if not tidy:
            made = {name: list(map(str.strip, column)) for name, column in made.items()}
        try:
            return self._batches(chunk, made)
        except (Unusual, LineFault, AdweirError):
            return None

    def _batches(self, chunk: Chunk, made: Mapping[str, Column]) -> list[DropBatch]:
        """Raises Unusual, LineFault, AdweirError."""
        hourly = list(map(bool, made["hour"])) if "hour" in made else [False] * len(chunk.numbers)
        about: list[Sequence[Any]] = [made["platform"], made["profile_id"], made["level"], hourly]
        if all(column.count(column[0]) == len(column) for column in about):
            return [self._batch(tuple(column[0] for column in about), made, chunk.numbers, chunk.texts)]
        said = list(zip(*about, strict=True))
        kinds = dict.fromkeys(said)
        found = []
        for kind in kinds:
            places = [at for at, each in enumerate(said) if each == kind]
            some = {name: list(map(column.__getitem__, places)) for name, column in made.items()}
            numbers, texts = list(map(chunk.numbers.__getitem__, places)), list(map(chunk.texts.__getitem__, places))
            found.append(self._batch(kind, some, numbers, texts))
        return found

    def _batch(
        self, kind: tuple[Any, ...], made: Mapping[str, Column], numbers: Sequence[int], texts: Column
    ) -> DropBatch:
        platform, profile_id, level_name, hourly = kind
        level = LEVELS.get(level_name.lower())
        if level is None or not profile_id:
            raise Unusual
        self._identities([profile_id], 1)
        target = Target(self._parse_platform(platform), profile_id, level, Grain.HOUR if hourly else Grain.DAY)
        size = len(numbers)
        entities, groups = self._entities(target, made, size)
        conversions, revenue = (or_none(amounts, made.get(name, [""] * size)) for name in ("conversions", "revenue"))
        rows = MetricColumns(
            entity_id=entities,
            day=per_text(cells.day, made["date"]),
            impressions=counts(made["impressions"]),
            clicks=counts(made["clicks"]),
            conversions=conversions,
            spend=amounts(made["spend"]),
            revenue=revenue,
            campaign_id=self._identities(made.get("campaign_id", ()), size),
            ad_group_id=groups,
            hour=per_text(cells.hour, made["hour"]) if hourly else [-1] * size,
            currency=per_text(str.upper, made["currency"]) if "currency" in made else [""] * size,
            ad_product=self._identities(made.get("ad_product", ()), size),
            line=numbers,
            unknown=None in conversions or None in revenue,
        )
        return DropBatch(target, rows, texts)

    def _entities(self, target: Target, made: Mapping[str, Column], size: int) -> tuple[Column, Column]:
        """The entities and their ad groups, where all rows say them in the same way."""
        level = target.level
        groups, given = self._identities(made.get("ad_group_id", ()), size), made.get("entity_id", ())
        if level is Level.ACCOUNT:
            found: Column = [target.profile_id] * size
        else:
            found = self._identities(made.get(f"{level}_id", ()), size)
        if any(given) or not all(found) or (level in IN_GROUP and not all(groups)):
            raise Unusual
        if level in IN_GROUP:
            found = [f"{group}~{own}" for group, own in zip(groups, found, strict=True)]
            if any("~" in group for group in set(groups)):
                raise Unusual
        return found, groups

    def _identities(self, column: Column, size: int) -> Column:
        """The column, of which each text can be part of a key; empty texts where there is none. Raises LineFault."""
        if not column:
            return [""] * size
        for text in set(filterfalse(self._ids.__contains__, column)):
            if text != text.strip():
                raise Unusual
            identity({"id": text}, "id")
            if len(self._ids) >= limits.MAX_KNOWN_ENTITIES:
                self._ids.clear()
            self._ids[text] = text
        return column


def own_rows(parse_platform: PlatformParser) -> Callable[[Sequence[str]], OwnRows]:
    """What reads metrics in our own columns, of a header."""
    return lambda header: OwnRows(header, parse_platform)
