"""A report's CSV → metric rows of one advertiser.

A partner's report has the rows of all its advertisers. Templates may split an ad's day further (by ad format, deal,
placement, frequency): such rows are added up before any is handed on. Only columns of counts and amounts are read;
ratios and reach are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from operator import add

from adweir.model.columns import MetricColumns
from adweir.model.metrics import BadRow
from adweir.model.money import all_micros
from adweir.platforms.connector import PullContext, RawPage, RowBatch
from adweir.platforms.csv_pieces import pieces
from adweir.platforms.csv_rows import Cells, Column, CsvReader, kept
from adweir.platforms.numbers import counts, micros
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND
from adweir.platforms.row_sums import RowSums
from adweir.platforms.trade_desk.columns import Plan, plan_of
from adweir.platforms.trade_desk.my_reports import Formats
from adweir.platforms.trade_desk.options import TradeDeskOptions
from adweir.platforms.trade_desk.tags import ColumnTags
from adweir.platforms.trade_desk.written import NumberTexts, day_reader

_UNNAMED = "unknown"
"""The value of a breakdown's rows that have none."""
_FIELDS = {SPEND: "spend", CONVERSIONS: "conversions", REVENUE: "revenue"}


def batches(page: RawPage, context: PullContext) -> Iterator[RowBatch]:
    """The rows of the context's advertiser. Raises BadInput for a file without the columns that are needed."""
    options = context.options if isinstance(context.options, TradeDeskOptions) else TradeDeskOptions()
    reader: _DeskReader | None = None
    sums: RowSums | None = None
    for piece in pieces(page.stream):
        if reader is None:
            plan = plan_of(piece.rows[0], context.dataset, options)
            reader = _DeskReader(plan, Formats.parse(page.label), context)
            if plan.by_tag is not None:
                reader.tags = ColumnTags(plan.by_tag, options.cross_device, context)
            sums = RowSums() if reader.plan.splits else None
            batch = reader.read(piece, skip=1)  # the header
        else:
            batch = reader.read(piece)
        if sums is None:
            yield batch
            continue
        bad = sums.add(batch)
        if bad:
            yield RowBatch([], bad)
    if sums is not None:
        yield from sums.batches()


class _DeskReader(CsvReader):
    """How the rows of one file become ours."""

    def __init__(self, plan: Plan, formats: Formats, context: PullContext) -> None:
        super().__init__(plan.width, plan.places)
        self.plan = plan
        self._day = day_reader(formats.dates)
        self._numbers = NumberTexts(formats.numbers)
        self._context = context
        self.tags: ColumnTags | None = None

    def own(self, cells: Cells) -> Cells:
        """The cells of the advertiser's rows: a partner's file has those of all its advertisers."""
        place, own = self.plan.advertiser, self._context.profile_id
        if place < 0 or set(cells.columns[place]) == {own}:
            return cells
        return kept(cells, [text == own for text in cells.columns[place]])

    def columns(self, cells: Cells) -> MetricColumns:
        """Raises ValueError where a value cannot be read."""
        plan, columns, size = self.plan, cells.columns, len(cells.lines)
        texts = {day: self._day(day) for day in set(columns[plan.date])}
        entities, campaigns, groups = self._entities(columns)
        conversions: Sequence[int | None] | None = self._sum(plan.counted.conversions, columns, CONVERSIONS)
        revenue: Sequence[int | None] | None = self._sum(plan.counted.revenue, columns, REVENUE)
        days = [texts[day] for day in columns[plan.date]]
        if self.tags is not None and plan.by_tag is not None:
            numbers = list(map(self.tags.numbers, campaigns, days))
            places = plan.by_tag.numbered.items()
            conversions = self._of_tags(numbers, {n: one.conversions for n, one in places}, columns, CONVERSIONS)
            revenue = self._of_tags(numbers, {n: one.revenue for n, one in places}, columns, REVENUE)
        return MetricColumns(
            entity_id=entities,
            day=days,
            impressions=self._whole(columns[plan.impressions], "impressions"),
            clicks=self._whole(columns[plan.clicks], "clicks"),
            conversions=conversions or [None] * size,
            spend=self._amounts(columns[plan.cost], SPEND),
            revenue=revenue or [None] * size,
            campaign_id=campaigns,
            ad_group_id=groups,
            hour=[-1] * size,
            currency=self._currencies(columns, size),
            ad_product=[""] * size,
            line=cells.lines,
            rounded=self._roundings.deltas(),
            unknown=conversions is None or revenue is None or self.tags is not None,
        )

    def _entities(self, columns: Mapping[int, Column]) -> tuple[Column, Column, Column]:
        """Entity ids, campaign ids and ad group ids; an ad is a creative in an ad group, a breakdown adds its value."""
        campaigns, *finer = [columns[place] for place in self.plan.keys]
        groups = finer[0] if finer else [""] * len(campaigns)
        entities: Column = groups if finer else campaigns
        if len(finer) > 1:
            entities = [f"{group}~{creative}" for group, creative in zip(groups, finer[1], strict=True)]
        if self.plan.label >= 0:
            labels = columns[self.plan.label]
            entities = [f"{one}~{label.strip() or _UNNAMED}" for one, label in zip(entities, labels, strict=True)]
        return entities, campaigns, groups

    def _currencies(self, columns: Mapping[int, Column], size: int) -> Sequence[str]:
        if self.plan.currency < 0:
            return [self._context.currency] * size
        return [code.strip() or self._context.currency for code in columns[self.plan.currency]]

    def _of_tags(
        self,
        numbers: Sequence[tuple[str, ...] | None],
        places: Mapping[str, tuple[int, ...] | None],
        columns: Mapping[int, Column],
        slot: int,
    ) -> list[int | None]:
        """Each row's sum over its own columns; unknown where a row has none, or the report lacks one."""
        used = {number for some in numbers for number in some or ()}
        amounts = {number: self._sum(places.get(number), columns, slot) for number in used}
        found: list[int | None] = []
        for row, some in enumerate(numbers):
            parts = [amounts[number] for number in some or ()]
            whole = [part for part in parts if part is not None]
            found.append(sum(part[row] for part in whole) if some and len(whole) == len(parts) else None)
        return found

    def _sum(self, places: tuple[int, ...] | None, columns: Mapping[int, Column], slot: int) -> list[int] | None:
        if places is None:
            return None
        amounts = [self._amounts(columns[place], slot) for place in places]
        return reduce(lambda one, other: list(map(add, one, other)), amounts)

    def _whole(self, texts: Column, name: str) -> list[int]:
        if self._numbers.plain:
            with suppress(ValueError):  # commas between thousands, or an empty cell
                return counts(texts, name)
        return counts(self._numbers.column(texts), name)

    def _amounts(self, texts: Column, slot: int) -> list[int]:
        found = all_micros(texts) if self._numbers.plain else None
        if found is not None:
            return found
        plain = self._numbers.column(texts)
        found = all_micros(plain)
        if found is not None:
            return found
        return self._roundings.each(lambda text: micros(text, slot, self._roundings.row, _FIELDS), plain)

    def bad(self, cells: Cells, error: ValueError) -> BadRow:
        """A row that cannot be read, with its key where that can."""
        (line,) = cells.lines
        field, message = error.args if len(error.args) == 2 else ("date", str(error))
        raw = {str(place): column[0] for place, column in cells.columns.items()}
        entities, campaigns, groups = self._entities(cells.columns)
        fault = {"field": field, "rule": "wire", "message": message}
        try:
            day = self._day(cells.columns[self.plan.date][0])
        except ValueError:
            return BadRow(line, raw, [fault])
        whole = all(cells.columns[place][0].strip() for place in self.plan.keys)
        entity = entities[0] if whole else ""
        return BadRow(
            line, raw, [fault], entity, day if entity else "", campaign_id=campaigns[0], ad_group_id=groups[0]
        )
