"""A report's CSV → metric rows of one ad account.

The columns are found by their names, in whatever order. An hour is `2026-11-01|7`, both in UTC ("Reports": Time Period
Column, Time Zones in Reporting). A count or amount may have commas between thousands, and `--` or nothing where it is
not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import NamedTuple, TypeVar

from adweir.model.columns import MetricColumns
from adweir.model.errors import BadInput
from adweir.model.metrics import NO_NUMBERS, BadRow, Grain, Slot
from adweir.model.money import all_micros
from adweir.platforms.connector import PullContext, RawPage, RowBatch
from adweir.platforms.csv_pieces import CsvPiece, pieces
from adweir.platforms.csv_rows import Cells, Column, CsvReader
from adweir.platforms.microsoft_ads import reports
from adweir.platforms.microsoft_ads.options import MicrosoftOptions
from adweir.platforms.numbers import counts, micros
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND
from adweir.platforms.row_sums import RowSums

T = TypeVar("T")
_UNKNOWN = frozenset({"", "--"})
_NOBODY = "unknown"
"""The value of a breakdown's rows that have none."""
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_MOST_ABOVE = 20
"""Lines above the names of the columns: the report's own header has nine, where it is not left out."""
_FOOTERS = ("©", "@")


def batches(page: RawPage, context: PullContext) -> Iterator[RowBatch]:
    """The rows of a file. Raises BadInput for one without the columns that are needed."""
    kind = reports.kind_of(context.dataset)
    if kind is None or not kind.beside:
        yield from _as_written(page, context)
        return
    sums = RowSums()
    for batch in _as_written(page, context):
        bad = sums.add(batch)
        if bad:
            yield RowBatch([], bad)
    yield from sums.batches()


def _as_written(page: RawPage, context: PullContext) -> Iterator[RowBatch]:
    reader: _MicrosoftReader | None = None
    for piece in pieces(page.stream):
        if reader is None:
            header = _header(piece)
            reader = _MicrosoftReader(_places(piece.rows[header], context), len(piece.rows[header]), context)
            batch = reader.read(piece, skip=header + 1)
        else:
            batch = reader.read(piece)
        yield RowBatch(batch.rows, [bad for bad in batch.bad if not _is_footer(bad.raw)])


class _Places(NamedTuple):
    """Where a file has what is read. `keys`: the ids, outermost first; -1: the file does not have it."""

    time: int
    account: int
    keys: tuple[int, ...]
    label: int
    currency: int
    impressions: int
    clicks: int
    spend: int
    conversions: int
    revenue: int

    @property
    def all(self) -> tuple[int, ...]:
        """Every place that is read."""
        single = (place for name, place in self._asdict().items() if name != "keys")
        return tuple(sorted({place for place in (*self.keys, *single) if place >= 0}))


def _header(piece: CsvPiece) -> int:
    """Which record names the columns. Raises BadInput where none of the first does."""
    for place, row in enumerate(piece.rows[:_MOST_ABOVE]):
        if {reports.IMPRESSIONS, reports.SPEND} <= set(row):
            return place
    first = piece.rows[0] if piece.rows else []
    raise BadInput(f"the report's file does not begin with its columns: {', '.join(first)[:200]}")


def _places(names: Sequence[str], context: PullContext) -> _Places:
    kind = reports.kind_of(context.dataset)
    if kind is None:
        raise BadInput(f"Microsoft Advertising has no report {context.dataset}")
    options = context.options if isinstance(context.options, MicrosoftOptions) else MicrosoftOptions()
    label = [kind.label] if kind.label else []
    needed = [reports.TIME, *kind.keys, *label, reports.IMPRESSIONS, reports.CLICKS, reports.SPEND]
    missing = [name for name in needed if names.count(name) != 1]
    if missing:
        faults = [{"field": name, "rule": "columns", "message": "is not there once"} for name in missing]
        raise BadInput(f"the report's columns are wrong: {', '.join(missing)} not there once", faults)
    at = {name: place for place, name in enumerate(names)}
    conversions, revenue = options.columns
    return _Places(
        time=at[reports.TIME],
        account=at.get(reports.ACCOUNT, -1),
        keys=tuple(at[name] for name in kind.keys),
        label=at.get(kind.label, -1),
        currency=at.get(reports.CURRENCY, -1),
        impressions=at[reports.IMPRESSIONS],
        clicks=at[reports.CLICKS],
        spend=at[reports.SPEND],
        conversions=at.get(conversions, -1),
        revenue=at.get(revenue, -1),
    )


class _MicrosoftReader(CsvReader):
    """How the rows of one file become ours."""

    def __init__(self, places: _Places, width: int, context: PullContext) -> None:
        super().__init__(width, places.all)
        self._at = places
        self._context = context
        self._hourly = context.dataset.grain is Grain.HOUR

    def columns(self, cells: Cells) -> MetricColumns:
        """Raises ValueError where a value cannot be read."""
        size = len(cells.lines)
        entities, campaigns, groups = self._entities(cells)
        times = self._times(cells)
        figures = self._figures(cells)
        impressions, clicks, conversions, spend, revenue = figures
        return MetricColumns(
            entity_id=entities,
            day=[day for day, _ in times],
            impressions=impressions,
            clicks=clicks,
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=campaigns,
            ad_group_id=groups,
            hour=[hour for _, hour in times],
            currency=self._currencies(cells),
            ad_product=[""] * size,
            line=cells.lines,
            rounded=self._roundings.deltas(),
            unknown=any(None in figure for figure in figures),
        )

    def bad(self, cells: Cells, error: ValueError) -> BadRow:
        """The row with its key and numbers, as far as they can be read."""
        field, message = error.args if len(error.args) == 2 else ("", str(error))
        raw = {str(place): column[0] for place, column in cells.columns.items()}
        entity, day, campaign, group = "", "", "", ""
        with suppress(ValueError):
            (entity,), (campaign,), (group,) = self._entities(cells)
            day = self._times(cells)[0][0]
        fault = {"field": field, "rule": "wire", "message": message}
        slot = self._slot(cells) if day else NO_NUMBERS
        return BadRow(cells.lines[0], raw, [fault], entity if day else "", day, slot, campaign, group)

    # -- who and when -------------------------------------------------------------------------------------------------

    def _entities(self, cells: Cells) -> tuple[Column, Column, Column]:
        """Entity ids, campaign ids and ad group ids. Raises ValueError for a row that is not this account's."""
        at, size, own = self._at, len(cells.lines), self._context.profile_id
        strangers = set(cells.columns[at.account]) - {own} if own and at.account >= 0 else None
        if strangers:
            raise ValueError(reports.ACCOUNT, f"is another one: {strangers.pop()[:40]!r}")
        keys = [_checked(cells.columns[place], place) for place in at.keys]
        entities: Column = keys[-1] if keys else [own] * size
        if len(keys) > 2:
            entities = list(map("~".join, zip(keys[1], keys[2], strict=True)))
        if at.label >= 0:
            labels = [label.strip() or _NOBODY for label in cells.columns[at.label]]
            entities = list(map("~".join, zip(entities, labels, strict=True)))
        none = [""] * size
        return entities, keys[0] if keys else none, keys[1] if len(keys) > 1 else none

    def _times(self, cells: Cells) -> list[tuple[str, int]]:
        read = _hour if self._hourly else _day
        return [read(text) for text in cells.columns[self._at.time]]

    def _currencies(self, cells: Cells) -> Column:
        own = self._context.currency
        if self._at.currency < 0:
            return [own] * len(cells.lines)
        return [code.strip() or own for code in cells.columns[self._at.currency]]

    # -- numbers ------------------------------------------------------------------------------------------------------

    def _figures(self, cells: Cells) -> tuple[Sequence[int | None], ...]:
        """In the order of a slot."""
        at = self._at
        return (
            _whole(cells.columns[at.impressions], reports.IMPRESSIONS),
            _whole(cells.columns[at.clicks], reports.CLICKS),
            self._amounts(cells, at.conversions, CONVERSIONS),
            self._amounts(cells, at.spend, SPEND),
            self._amounts(cells, at.revenue, REVENUE),
        )

    def _amounts(self, cells: Cells, place: int, slot: int) -> Sequence[int | None]:
        """Amounts in millionths; all unknown where the file lacks the column."""
        if place < 0:
            return [None] * len(cells.lines)
        texts = cells.columns[place]
        found = all_micros(texts)
        if found is not None:
            return found
        rounding, fields = self._roundings.row, {CONVERSIONS: "conversions", SPEND: "spend", REVENUE: "revenue"}
        return self._roundings.each(lambda text: _known(text, lambda it: micros(it, slot, rounding, fields)), texts)

    def _slot(self, cells: Cells) -> Slot:
        """The numbers of a row that cannot be stored, None for each that cannot be read."""
        at = self._at
        return (
            _or_none(lambda: _whole(cells.columns[at.impressions], reports.IMPRESSIONS)[0]),
            _or_none(lambda: _whole(cells.columns[at.clicks], reports.CLICKS)[0]),
            _or_none(lambda: self._amounts(cells, at.conversions, CONVERSIONS)[0]),
            _or_none(lambda: self._amounts(cells, at.spend, SPEND)[0]),
            _or_none(lambda: self._amounts(cells, at.revenue, REVENUE)[0]),
        )


def _known(text: str, read: Callable[[str], T]) -> T | None:
    """A number that may have commas between thousands; None for one that is not known."""
    text = text.strip()
    return None if text in _UNKNOWN else read(text.replace(",", "") if _GROUPED.fullmatch(text) else text)


def _whole(texts: Column, name: str) -> Sequence[int | None]:
    with suppress(ValueError):
        return counts(texts, name)
    return [_known(text, lambda it: counts([it], name)[0]) for text in texts]


def _checked(ids: Column, place: int) -> Column:
    """The ids of a column. Raises ValueError for what is none."""
    if all(ids) and "".join(ids).isdecimal() and "".join(ids).isascii():
        return ids
    wrong = next(text for text in ids if not (text.isdecimal() and text.isascii()))
    raise ValueError(f"column {place + 1}", f"not an id: {wrong[:40]!r}")


@lru_cache(maxsize=1024)
def _day(text: str) -> tuple[str, int]:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text, -1
    except ValueError:
        pass  # reported below, with dates of another form
    raise ValueError(reports.TIME, f"not a date: {text[:40]!r}")


@lru_cache(maxsize=4096)
def _hour(text: str) -> tuple[str, int]:
    day, _, hour = text.partition("|")
    if not (hour.isdecimal() and hour.isascii() and int(hour) < 24):
        raise ValueError(reports.TIME, f"not a date and an hour: {text[:40]!r}")
    return _day(day)[0], int(hour)


def _or_none(read: Callable[[], int | None]) -> int | None:
    try:
        return read()
    except ValueError:
        return None


def _is_footer(raw: object) -> bool:
    """Whether a row that is too short is Microsoft's copyright, which we ask to leave out."""
    return isinstance(raw, list) and len(raw) == 1 and str(raw[0]).startswith(_FOOTERS)
