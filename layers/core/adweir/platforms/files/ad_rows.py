"""Numbers of campaigns, ad groups, ads, keywords and ad accounts, as files of other tools have them.

Such files often name neither the ad account nor ids. Then the client's only ad account on the platform is meant, and an
object by its name where only one has it: no number is given to an object that it may not belong to. Of a platform whose
ad accounts nothing lists, the file's words are the ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.data_types import FIGURES, DataType
from adweir.model.metrics import IN_GROUP, Grain, Level, MetricRow
from adweir.model.series_ids import written
from adweir.platforms.files import cells, normalize
from adweir.platforms.files.batches import DropBatch
from adweir.platforms.files.by_column import Unusual, per_text, remembered
from adweir.platforms.files.currencies import SIGN, check_sign
from adweir.platforms.files.file_rows import FileContext, FileRows
from adweir.platforms.files.lines import KNOWN, LineFault, Record, identity
from adweir.platforms.files.mapped_columns import CanonicalRows, Convert
from adweir.platforms.files.normalize import DropRow, Target

_PARENT = {Level.AD_GROUP: Level.CAMPAIGN, Level.AD: Level.AD_GROUP, Level.KEYWORD: Level.AD_GROUP}
_NAME = {
    Level.CAMPAIGN: "campaign_name",
    Level.AD_GROUP: "ad_group_name",
    Level.AD: "ad_name",
    Level.KEYWORD: "keyword_text",
}
_WHOSE = ("platform", "profile_id", "profile_name", "currency", SIGN)
_HOW = "name it in a column, or for all rows: adweir map FILE profile_id=ID"


class AdRows(FileRows):
    """Reads files of the types stored as ADS."""

    converts: ClassVar[Mapping[str, Convert]] = {"impressions": cells.count, "clicks": cells.count} | dict.fromkeys(
        ("conversions", "spend", "revenue"), cells.amount
    )

    def __init__(self, data_type: DataType, context: FileContext, *, adds_up: bool) -> None:
        super().__init__(context, adds_up=adds_up)
        self._level, self._grain = data_type.level, data_type.grain or Grain.DAY
        self.by_column = self._level is not None and self._grain is Grain.DAY
        self._targets: dict[tuple[str, str, str, str], Target] = {}
        self._found: dict[tuple[Target, str, str], str] = {}
        self._currency: dict[tuple[Target, str], str] = {}
        self._paths: dict[Target, dict[tuple[str, ...], tuple[str, str, str]]] = {}

    def batches(self, made: CanonicalRows) -> list[DropBatch]:
        def target(texts: tuple[str, ...]) -> Target:
            return self._target(dict(zip(_WHOSE, texts, strict=True)))

        targets: list[Target] = remembered(target, {}, made.said(*_WHOSE), made.size)
        if targets.count(targets[0]) == made.size:
            found = [self._batch(targets[0], made)]
        else:
            kinds = dict.fromkeys(targets)
            found = [
                self._batch(kind, made.at([at for at, own in enumerate(targets) if own == kind])) for kind in kinds
            ]
        self._take_currencies(found)
        return found

    def _batch(self, target: Target, made: CanonicalRows) -> DropBatch:
        names = [f"{level}_id" for level in _path_to(target.level)] + [_NAME[level] for level in _path_to(target.level)]

        def path(texts: tuple[str, ...]) -> tuple[str, str, str]:
            ids = self._path(dict(zip(names, texts, strict=True)), target)
            return _entity(target, ids), ids.get(Level.CAMPAIGN, ""), ids.get(Level.AD_GROUP, "")

        def day(text: str) -> str:
            return self._when({"date": text}, target)[0]

        dates = made.column("date")
        if "" in dates:
            raise Unusual
        known = self._paths.setdefault(target, {})
        entities, campaigns, groups = zip(
            *remembered(path, known, made.said(*names), limits.MAX_KNOWN_ENTITIES), strict=True
        )
        figures: dict[str, Any] = {name: made.figures(name) for name in self.converts}
        unknown = any(None in numbers for numbers in figures.values())
        if unknown and (None,) * len(figures) in zip(*figures.values(), strict=True):
            raise Unusual
        rows = MetricColumns(
            entity_id=entities,
            day=per_text(day, dates),
            **figures,
            campaign_id=campaigns,
            ad_group_id=groups,
            hour=[-1] * made.size,
            currency=per_text(lambda text: cells.currency({"currency": text}), made.column("currency")),
            ad_product=per_text(lambda text: identity({"ad_product": text}, "ad_product"), made.column("ad_product")),
            line=made.lines,
            unknown=unknown,
        )
        return DropBatch(target, rows, made.texts)

    def _take_currencies(self, found: list[DropBatch]) -> None:
        """Each object has one currency. Raises Unusual where a row says another, and takes in nothing then."""
        new: dict[tuple[Target, str], str] = {}
        for target, rows, _ in found:
            if not target.currency:
                continue
            whose, columns = target._replace(currency=""), MetricColumns.of(rows)
            for said in set(zip(columns.entity_id, columns.currency, strict=True)):
                key = (whose, said[0])
                if new.setdefault(key, self._currency.get(key, said[1])) != said[1]:
                    raise Unusual
        self._currency |= new

    def _row(self, record: Record) -> DropRow | None:
        if self._level is None:
            found = normalize.drop_row(record, self._context.platform)
            self._check_sign(record.cell, found.target)
            return found
        target = self._target(record.cell)
        ids = self._path(record.cell, target)
        row = self._metrics(record, target, ids)
        if (
            target.currency
            and self._currency.setdefault((target._replace(currency=""), row.entity_id), row.currency) != row.currency
        ):
            raise LineFault("currency", "consistent", "is not the one of other rows of the same object")
        return DropRow(target, row, record.source)

    def _target(self, cell: Mapping[str, str]) -> Target:
        account = cell.get("profile_id") or cell.get("profile_name", "")
        said = (cell.get("platform", ""), account, cells.currency(cell), cell.get(SIGN, ""))
        target = self._targets.get(said)
        if target is None:
            target = self._new_target(cell, said[2])
            self._check_sign(cell, target)
            self._targets[said] = target
        return target

    def _check_sign(self, cell: Mapping[str, str], target: Target) -> None:
        """Amounts of a row that does not say their currency are in the ad account's."""
        if cell.get(SIGN) and not cell.get("currency"):
            check_sign(cell, self._context.objects.currency(target) or self._context.currency)

    def _new_target(self, cell: Mapping[str, str], currency: str) -> Target:
        context, level = self._context, self._level or Level.ACCOUNT
        platform = context.platform(cell["platform"]) if cell.get("platform") else context.source
        profile_id = identity(cell, "profile_id") or identity(cell, "profile_name")
        if not context.is_listed(platform) or profile_id == context.own:
            return Target(platform, profile_id or context.own, level, self._grain, currency)
        profile_id = context.objects.only_profile(platform, profile_id) or profile_id
        if not profile_id:
            message = f"is required: the client has no ad account of {platform}, or several; {_HOW}"
            raise LineFault("profile_id", KNOWN, message)
        return Target(platform, profile_id, level, self._grain)

    def _path(self, cell: Mapping[str, str], target: Target) -> dict[Level, str]:
        """The ids of the row's object and of its parents, "" where they are not known."""
        found: dict[Level, str] = {}
        for level in _path_to(target.level):
            own = identity(cell, f"{level}_id")
            if not own and (name := cells.text(cell, _NAME[level])):
                needed = level is target.level or (level is Level.AD_GROUP and target.level in IN_GROUP)
                own = self._by_name(target._replace(level=level), found, name, needed=needed)
            found[level] = own
        if target.level in IN_GROUP and found[target.level] and not found[Level.AD_GROUP]:
            found[Level.AD_GROUP] = self._group_of(target, found[target.level])
        return found

    def _group_of(self, target: Target, own: str) -> str:
        """The ad group of an ad or a keyword that a file names without it."""
        key = (target, "", f"{own}~")
        group = self._found.get(key)
        if group is None:
            group = self._found[key] = self._context.objects.ad_group(target, own) if self._is_listed(target) else ""
        return group

    def _is_listed(self, target: Target) -> bool:
        """Whether the platform lists what the ad account has; never what the client has of its own."""
        return target.profile_id != self._context.own and self._context.is_listed(target.platform)

    def _by_name(self, target: Target, above: Mapping[Level, str], name: str, *, needed: bool) -> str:
        """The id of the object that is meant by its name; "" where there is not one and none is needed."""
        if not self._is_listed(target):
            return written(name)
        parent = above.get(_PARENT[target.level], "") if target.level in _PARENT else ""
        key = (target, parent, name)
        own = self._found.get(key)
        if own is None:
            own = self._found[key] = self._context.objects.object_id(target, parent, name)
        if not own and needed:
            raise LineFault(_NAME[target.level], KNOWN, f"is not the name of one {target.level} that is listed")
        return own

    def _metrics(self, record: Record, target: Target, ids: Mapping[Level, str]) -> MetricRow:
        cell = record.cell
        if not cell.get("date"):
            raise LineFault("date", "required", "is required")
        day, hour = self._when(cell, target)
        row = MetricRow(
            entity_id=_entity(target, ids),
            day=day,
            impressions=cells.count(cell, "impressions") if cell.get("impressions") else None,
            clicks=cells.count(cell, "clicks") if cell.get("clicks") else None,
            conversions=_amount(cell, "conversions"),
            spend=_amount(cell, "spend"),
            revenue=_amount(cell, "revenue"),
            campaign_id=ids.get(Level.CAMPAIGN, ""),
            ad_group_id=ids.get(Level.AD_GROUP, ""),
            hour=hour,
            currency=cells.currency(cell),
            ad_product=identity(cell, "ad_product"),
            line=record.number,
        )
        if row.slot == (None,) * len(row.slot):
            raise LineFault("", "required", f"needs one of {', '.join(FIGURES)}")
        return row

    def _when(self, cell: Mapping[str, str], target: Target) -> tuple[str, int]:
        """The local day, and the hour of rows by hour; a moment is read in the ad account's time zone."""
        text, by_hour = cell["date"], target.grain is Grain.HOUR
        if len(text) == len("2026-11-21"):
            return cells.day(text), cells.hour(cell.get("hour", "")) if by_hour else -1
        zone = self._context.objects.timezone(target) or self._context.timezone
        if not by_hour:
            return cells.local_day(text, zone), -1
        return cells.local_slot(text, zone)


def _path_to(level: Level) -> list[Level]:
    """A level and those above it, the highest first; none of ad accounts."""
    path = [level] if level in _NAME else []
    while path and path[0] in _PARENT:
        path.insert(0, _PARENT[path[0]])
    return path


def _amount(cell: Mapping[str, str], name: str) -> int | None:
    return cells.amount(cell, name) if cell.get(name) else None


def _entity(target: Target, ids: Mapping[Level, str]) -> str:
    level = target.level
    if level is Level.ACCOUNT:
        return target.profile_id
    needed = [Level.AD_GROUP, level] if level in IN_GROUP else [level]
    for each in needed:
        if not ids[each]:
            raise LineFault(f"{each}_id", "required", f"or {_NAME[each]} is required")
    return "~".join(ids[each] for each in needed)
