"""A report's rows → metric rows.

Ids are integers in reports. A null or absent currency is the profile's; null conversions or sales are none. A column
that an older pull did not request is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import NO_NUMBERS, BadRow, MetricRow
from adweir.model.money import all_micros, rounded, to_micros
from adweir.platforms import json_text
from adweir.platforms.amazon_ads.attribution import Counted, counted
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.amazon_ads.reports import REPORTS
from adweir.platforms.connector import PullContext, RawPage, RowBatch
from adweir.platforms.json_array import Piece, Unreadable, read_array
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Rounding, Roundings

T = TypeVar("T")
_Id = int | str


class ReportRow(msgspec.Struct, gc=False, kw_only=True, rename="camel"):
    """What all reports have in common."""

    date: str
    campaign_id: _Id
    impressions: int
    clicks: int
    cost: Decimal
    campaign_budget_currency_code: str | None = None


class AdRow(ReportRow, gc=False, kw_only=True, rename="camel"):
    ad_group_id: _Id
    ad_id: _Id


class PlacementRow(ReportRow, gc=False, kw_only=True, rename="camel"):
    placement_classification: str


class KeywordRow(ReportRow, gc=False, kw_only=True, rename="camel"):
    """A keyword or a target. Products calls both ids `keywordId`; Brands and Display call a target's `targetingId`."""

    ad_group_id: _Id
    keyword_id: _Id | None = None
    targeting_id: _Id | None = None


class SearchTermRow(KeywordRow, gc=False, kw_only=True, rename="camel"):
    search_term: str


class Shape(NamedTuple):
    """The rows of a dataset: their type, how an entity is named, and which fields say so in a row that is faulty.

    `names`: an entity's id, part by part; of a part with several fields the first that is not null. `key` makes it of
    the values of these fields, one by one.
    """

    row: type[ReportRow]
    key: Callable[..., str]
    names: tuple[tuple[str, ...], ...]
    in_group: bool = True

    @property
    def fields(self) -> list[str]:
        """The fields of `names` as the row's type calls them."""
        ours = dict(zip(self.row.__struct_encode_fields__, self.row.__struct_fields__, strict=True))
        return [ours[name] for part in self.names for name in part]


def _pair(one: _Id, other: _Id) -> str:
    return f"{one}~{other}"


def _keyword(group: _Id, keyword: _Id | None, target: _Id | None) -> str:
    own = target if keyword is None else keyword
    if own is None:
        raise ValueError("neither keywordId nor targetingId")
    return f"{group}~{own}"


def _search_term(group: _Id, keyword: _Id | None, target: _Id | None, term: str) -> str:
    return f"{_keyword(group, keyword, target)}~{term}"


_KEYWORD_NAMES = (("adGroupId",), ("keywordId", "targetingId"))
_SHAPES = {
    Dataset.AD_DAILY: Shape(AdRow, _pair, (("adGroupId",), ("adId",))),
    Dataset.CAMPAIGN_DAILY: Shape(ReportRow, str, (("campaignId",),), in_group=False),
    Dataset.KEYWORD_DAILY: Shape(KeywordRow, _keyword, _KEYWORD_NAMES),
    Dataset.KEYWORD_BY_SEARCH_TERM_DAILY: Shape(SearchTermRow, _search_term, (*_KEYWORD_NAMES, ("searchTerm",))),
    Dataset.CAMPAIGN_BY_PLACEMENT_DAILY: Shape(
        PlacementRow, _pair, (("campaignId",), ("placementClassification",)), in_group=False
    ),
}
_FIRST_COLUMNS = frozenset(("purchases7d", "sales7d", "purchases14d", "sales14d", "purchases", "sales"))
"""Requested since the first version: a row without one is a fault; without another column, it is an older pull's."""


def batches(page: RawPage, context: PullContext) -> Iterator[RowBatch]:
    """The rows of a report (one JSON array), about 256 KiB at a time. Raises BadInput for anything else."""
    kind, shape = REPORTS.get((context.dataset, context.slice)), _SHAPES.get(context.dataset)
    if kind is None or shape is None:
        raise BadInput(f"amazon_ads has no report {context.dataset} of slice {context.slice!r}")
    options = context.options if isinstance(context.options, AmazonOptions) else AmazonOptions()
    columns = counted(kind, context.slice, options, context.profile_kind)
    reader, exact = _ReportReader(shape, _figures(columns), context), _row_type(shape.row, columns)
    if columns.less_conversions:
        for piece in read_array(page.stream, exact):
            yield _one_by_one(piece, reader)
        return
    for piece in read_array(page.stream, _plain_row_type(shape.row, columns)):
        found = reader.columns(piece)
        yield _one_by_one(piece.again(exact), reader) if found is None else RowBatch(found, [])


def _one_by_one(piece: Piece[ReportRow], reader: _ReportReader) -> RowBatch:
    rows: list[MetricRow] = []
    bad: list[BadRow] = []
    for line, row in enumerate(piece.rows, piece.first):
        if isinstance(row, Unreadable):
            bad.append(_unreadable(line, row, reader.shape))
            continue
        try:
            rows.append(reader.row(line, row))
        except ValueError as error:
            bad.append(_bad(line, msgspec.to_builtins(row, builtin_types=(Decimal,)), str(error), reader.shape))
    return RowBatch(rows, bad)


@lru_cache(maxsize=64)
def _row_type(base: type[ReportRow], columns: Counted) -> Any:
    """The row of a report with the columns that count: only these are decoded."""
    fields: list[tuple[str, Any, Any]] = []
    for name, column in columns._asdict().items():
        if column in _FIRST_COLUMNS:
            fields.append((name, Decimal | None, msgspec.field(name=column)))
        elif column:
            fields.append((name, Decimal | None | msgspec.UnsetType, msgspec.field(default=msgspec.UNSET, name=column)))
    return msgspec.defstruct(f"{base.__name__}Counted", fields, bases=(base,), kw_only=True, gc=False, rename="camel")


@lru_cache(maxsize=64)
def _plain_row_type(base: type[ReportRow], columns: Counted) -> Any:
    """The same row with its amounts as they are written, for columns: a text becomes an int without a Decimal."""
    names = {"cost": "cost", **{name: column for name, column in columns._asdict().items() if column}}
    fields = [
        (name, msgspec.Raw, msgspec.field(name=column) if required else msgspec.field(name=column, default=_ABSENT))
        for name, column in names.items()
        for required in [column == "cost" or column in _FIRST_COLUMNS]
    ]
    return msgspec.defstruct(f"{base.__name__}Plain", fields, bases=(base,), kw_only=True, gc=False, rename="camel")


_ABSENT = msgspec.Raw()
_Figures = Callable[[Any, Rounding], tuple[int | None, int | None]]
_EXACT = Context(prec=100)


class _ReportReader:
    """How the rows of a report become ours: one by one, or all of a piece by column."""

    def __init__(self, shape: Shape, figures: _Figures, context: PullContext) -> None:
        self.shape = shape
        self._figures, self._context = figures, context
        self._fields = shape.fields
        self._roundings = Roundings()
        self._known: dict[tuple[_Id | None, ...], str] = {}

    def row(self, line: int, row: Any) -> MetricRow:
        """Raises ValueError that says which value is wrong."""
        rounding = Rounding()
        conversions, revenue = self._figures(row, rounding)
        spend = _micros(row.cost, SPEND, rounding)
        return MetricRow(
            entity_id=self.shape.key(*(getattr(row, name) for name in self._fields)),
            day=_day(row.date),
            impressions=row.impressions,
            clicks=row.clicks,
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=str(row.campaign_id),
            ad_group_id=str(row.ad_group_id) if self.shape.in_group else "",
            currency=row.campaign_budget_currency_code or self._context.currency,
            ad_product=self._context.slice,
            line=line,
            rounding=rounding.deltas(),
        )

    def columns(self, piece: Piece[ReportRow]) -> MetricColumns | None:
        """All rows, each as `row` would; None where one is unreadable or `row` would refuse it."""
        if not all(issubclass(kind, ReportRow) for kind in set(map(type, piece.rows))):
            return None
        try:
            return self._columns(cast("list[Any]", piece.rows), piece.first)
        except (ValueError, msgspec.MsgspecError):
            return None

    def _columns(self, rows: list[Any], first: int) -> MetricColumns:
        self._roundings.clear()
        unknown: Sequence[int | None] = [None] * len(rows)
        conversions = revenue = unknown
        if self._figures is _reported:
            conversions = self._amounts([row.conversions for row in rows], CONVERSIONS)
            revenue = self._amounts([row.revenue for row in rows], REVENUE)
        groups = [row.ad_group_id for row in rows] if self.shape.in_group else [""] * len(rows)
        return MetricColumns(
            entity_id=self._entities(list(zip(*(map(attrgetter(name), rows) for name in self._fields), strict=True))),
            day=_each(_day, [row.date for row in rows]),
            impressions=[row.impressions for row in rows],
            clicks=[row.clicks for row in rows],
            conversions=conversions,
            spend=self._amounts([row.cost for row in rows], SPEND),
            revenue=revenue,
            campaign_id=_each(str, [row.campaign_id for row in rows]),
            ad_group_id=_each(str, groups),
            hour=[-1] * len(rows),
            currency=[row.campaign_budget_currency_code or self._context.currency for row in rows],
            ad_product=[self._context.slice] * len(rows),
            line=range(first, first + len(rows)),
            rounded=self._roundings.deltas(),
            unknown=None in conversions or None in revenue,
        )

    def _entities(self, keys: list[tuple[_Id | None, ...]]) -> list[str]:
        """The ids of entities. Those of a report come again with each day: the same id is the same object then."""
        found = list(map(self._known.get, keys))
        if None not in found:
            return cast("list[str]", found)
        new = {key: self.shape.key(*key) for key, entity_id in zip(keys, found, strict=True) if entity_id is None}
        if len(self._known) + len(new) > limits.MAX_KNOWN_ENTITIES:
            self._known.clear()
        else:
            self._known.update(new)
        return [entity_id or new[key] for key, entity_id in zip(keys, found, strict=True)]

    def _amounts(self, raws: Sequence[msgspec.Raw], place: int) -> Sequence[int | None]:
        """Raises ValueError where one is no amount, or null (which only conversions and revenue may be)."""
        texts = b",".join(raws).decode().split(",")
        found = all_micros(texts) if len(texts) == len(raws) else None
        if found is not None:
            return found
        read = _exact_cost if place == SPEND else _exact_figure
        return self._roundings.each(lambda raw: _figure(read(raw), place, self._roundings.row), raws)


_exact_cost = msgspec.json.Decoder(Decimal).decode
_decode_figure = msgspec.json.Decoder(Decimal | None).decode


def _exact_figure(raw: msgspec.Raw) -> _Figure:
    return _decode_figure(raw) if raw else msgspec.UNSET


def _each(read: Callable[[T], str], values: list[T]) -> list[str]:
    """A column in which values repeat: each is read once, and its text is kept once."""
    texts = {value: read(value) for value in set(values)}
    return list(map(texts.__getitem__, values))


def _figures(columns: Counted) -> _Figures:
    if columns.less_conversions:
        return _difference
    return _reported if columns.conversions else _unknown


def _unknown(_row: Any, _rounding: Rounding) -> tuple[int | None, int | None]:
    return None, None


def _reported(row: Any, rounding: Rounding) -> tuple[int | None, int | None]:
    return _figure(row.conversions, CONVERSIONS, rounding), _figure(row.revenue, REVENUE, rounding)


def _difference(row: Any, rounding: Rounding) -> tuple[int | None, int | None]:
    conversions = _less(row.conversions, row.less_conversions)
    return _figure(conversions, CONVERSIONS, rounding), _figure(_less(row.revenue, row.less_revenue), REVENUE, rounding)


_Figure = Decimal | msgspec.UnsetType | None


def _figure(value: _Figure, place: int, rounding: Rounding) -> int | None:
    """Millionths; null is none; a column that was not requested is unknown."""
    if isinstance(value, msgspec.UnsetType):
        return None
    return _micros(value, place, rounding) if value else 0


def _less(whole: _Figure, part: _Figure) -> _Figure:
    """What is left of the whole; unknown when the part is larger, which no count of views can be."""
    if isinstance(whole, msgspec.UnsetType) or isinstance(part, msgspec.UnsetType):
        return msgspec.UNSET
    if not all(figure is None or figure.is_finite() for figure in (whole, part)):
        raise ValueError("not a number")
    left = _EXACT.subtract(whole or Decimal(0), part or Decimal(0))
    return msgspec.UNSET if left < 0 else left


def _micros(value: Decimal, place: int, rounding: Rounding) -> int:
    """Millionths. More than six decimals, as of a binary double (59.980000000000004), are rounded half to even."""
    try:
        return to_micros(value)
    except ValueError:
        amount, added = rounded(value)
        rounding.added.append((place, added))
        return amount


@lru_cache(maxsize=512)
def _day(text: str) -> str:
    """A date as `YYYY-MM-DD`. Raises ValueError."""
    return date.fromisoformat(text).isoformat()


def _unreadable(line: int, row: Unreadable, shape: Shape) -> BadRow:
    try:
        return _bad(line, json_text.loose(row.raw, _short_int), row.message, shape)
    except ValueError:
        return BadRow(line, row.raw.decode("utf-8", "replace"), [_fault(row.message)])


def _short_int(number: str) -> int | str:
    """An id has less than twenty digits; thousands of them are refused by int()."""
    return int(number) if len(number) < 40 and number.removeprefix("-").isdecimal() else number


def _bad(line: int, fields: Any, message: str, shape: Shape) -> BadRow:
    """A bad row, with its key when that much of it can be read."""
    raw = json.loads(json.dumps(fields, default=str))
    if not isinstance(fields, dict):
        return BadRow(line, raw, [_fault(message)])
    parts = [next((fields[name] for name in part if fields.get(name) is not None), "") for part in shape.names]
    whole = all(isinstance(part, int | str) and not isinstance(part, bool) and part != "" for part in parts)
    try:
        day = _day(str(fields.get("date")))
    except ValueError:
        day = ""
    if not whole or not day:
        return BadRow(line, raw, [_fault(message)])
    key = ("~".join(map(str, parts)), day)
    parents = (_known_id(fields.get(name)) for name in ("campaignId", "adGroupId" if shape.in_group else ""))
    return BadRow(line, raw, [_fault(message)], *key, NO_NUMBERS, *parents)


def _known_id(value: object) -> str:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if len(text) <= limits.MAX_OBJECT_ID_CHARS else ""


def _fault(message: str) -> dict[str, Any]:
    return {"field": "", "rule": "wire", "message": message}
