"""Rows of numbers: a page of `search` or a batch of `searchStream` → metric rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import msgspec

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.datasets import BETWEEN_VALUES, Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow, Grain, Level, MetricRow, Slot
from adweir.platforms import json_items, json_text
from adweir.platforms.connector import PullContext, RowBatch
from adweir.platforms.google_ads.countries import country
from adweir.platforms.google_ads.figures import amounts, integers
from adweir.platforms.google_ads.queries import ASSET_GROUPS
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.rounding import CONVERSIONS, REVENUE, Roundings

T = TypeVar("T")
ASSET_GROUP = "asset_group-"
"""Before an asset group's id, so that it is never taken for an ad group's."""
_ABSENT = msgspec.Raw()
_PRESENCE = "LOCATION_OF_PRESENCE"


class GoogleRef(msgspec.Struct, gc=False):
    id: str = ""


class CampaignRef(GoogleRef, gc=False, rename="camel"):
    advertising_channel_type: str = ""


class AdRef(msgspec.Struct, gc=False):
    ad: GoogleRef


class KindRef(msgspec.Struct, gc=False):
    type: str = ""


class CriterionRef(msgspec.Struct, gc=False, rename="camel"):
    criterion_id: str = ""
    age_range: KindRef = msgspec.field(default_factory=KindRef)
    gender: KindRef = msgspec.field(default_factory=KindRef)


class GeographicRef(msgspec.Struct, gc=False, rename="camel"):
    country_criterion_id: str = ""
    location_type: str = ""


class TermRef(msgspec.Struct, gc=False, rename="camel"):
    search_term: str = ""


class Segments(msgspec.Struct, gc=False, rename="camel"):
    date: str = ""
    hour: int = -1
    device: str = ""
    ad_network_type: str = ""
    conversion_action: str = ""
    conversion_action_name: str = ""
    conversion_action_category: str = ""
    geo_target_region: str = ""


class GoogleNumbers(msgspec.Struct, gc=False, rename="camel"):
    """What all metrics have in common; conversions and revenue are the profile's columns. An absent one is unknown."""

    impressions: str | None = None
    clicks: str | None = None
    cost_micros: str | None = None


_PARTS: dict[str, Any] = {
    "customer": GoogleRef,
    "campaign": CampaignRef,
    "ad_group": GoogleRef,
    "asset_group": GoogleRef,
    "ad_group_ad": AdRef,
    "ad_group_criterion": CriterionRef,
    "geographic_view": GeographicRef,
    "search_term_view": TermRef,
    "campaign_search_term_view": TermRef,
}


class RowShape(NamedTuple):
    """How a question's rows are named: the fields of the entity's id, those of a breakdown's value, and its parents.

    `value` makes the breakdown's value of its fields; `prefix` stands before the id.
    """

    ids: tuple[str, ...]
    values: tuple[str, ...] = ()
    value: Callable[..., str] = str
    prefix: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The resources of a row that are read."""
        names = (*self.ids, *self.values, *(("campaign.id",) if self.campaign else ()))
        return tuple(dict.fromkeys(name.partition(".")[0] for name in names if not name.startswith("segments.")))

    @property
    def campaign(self) -> bool:
        """Whether the rows are below an account."""
        return self.ids[0] != "customer.id"

    @property
    def group(self) -> bool:
        """Whether the rows are of an ad group or below it."""
        return self.ids[0] in {"ad_group.id", "asset_group.id"}


def _located(criterion: str, kind: str) -> str:
    """Where people were is the country's row; where they were interested in is one beside it."""
    return country(criterion) if kind == _PRESENCE else f"{country(criterion)}{BETWEEN_VALUES}{kind}"


def _last(name: str) -> str:
    """`geoTargetConstants/21137` → `21137`."""
    return name.rpartition("/")[2]


def _action(name: str, title: str) -> str:
    """`customers/1/conversionActions/7` → `7/Purchase`."""
    return f"{_last(name)}{BETWEEN_VALUES}{title}"


_AD = ("ad_group.id", "ad_group_ad.ad.id")
_KEYWORD = ("ad_group.id", "ad_group_criterion.criterion_id")
_LEVELS = {
    Level.ACCOUNT: RowShape(("customer.id",)),
    Level.CAMPAIGN: RowShape(("campaign.id",)),
    Level.AD_GROUP: RowShape(("ad_group.id",)),
    Level.AD: RowShape(_AD),
    Level.KEYWORD: RowShape(_KEYWORD),
}
_SPLIT: dict[str, tuple[str, ...]] = {
    "device": ("segments.device",),
    "placement": ("segments.ad_network_type",),
    "country": ("geographic_view.country_criterion_id", "geographic_view.location_type"),
    "region": ("segments.geo_target_region",),
    "conversion_action": ("segments.conversion_action", "segments.conversion_action_name"),
    "age": ("ad_group_criterion.age_range.type",),
    "gender": ("ad_group_criterion.gender.type",),
    "search_term": ("search_term_view.search_term",),
}
_TERMS_OF_CAMPAIGNS = ("campaign_search_term_view.search_term",)
_MADE: dict[str, Callable[..., str]] = {"country": _located, "region": _last, "conversion_action": _action}
_ASSET_GROUPS = RowShape(("asset_group.id",), prefix=ASSET_GROUP)


def shape_of(dataset: Dataset, label: str) -> RowShape:
    """How the rows of a dataset's page are named. Raises BadInput for a dataset without rows."""
    if dataset.grain is None:
        raise BadInput(f"Google Ads has no rows of {dataset}")
    if label == ASSET_GROUPS:
        return _ASSET_GROUPS
    split = dataset.breakdown
    values = _SPLIT.get(split, ())
    if dataset is Dataset.CAMPAIGN_BY_SEARCH_TERM_DAILY:
        values = _TERMS_OF_CAMPAIGNS
    return _LEVELS[dataset.level]._replace(values=values, value=_MADE.get(split, str))


class RowReading(NamedTuple):
    """What is read of a row beside its names.

    `columns`: the fields of conversions and revenue; without them `conversions` is every row's number of both.
    `has_traffic`: whether it has impressions, clicks and cost; they are 0 where only conversions are added. `counts`:
    which rows are read at all.
    """

    columns: tuple[str, str] | None
    conversions: int | None = None
    has_traffic: bool = True
    counts: Callable[[Segments], bool] | None = None


@lru_cache(maxsize=128)
def _row_type(shape: RowShape, columns: tuple[str, str] | None) -> Any:
    """The row of a shape with the columns that count: only these are decoded. Amounts stay as they are written."""
    wanted = zip(("conversions", "revenue"), columns or (), strict=False)
    fields: list[Any] = [(name, msgspec.Raw, msgspec.field(name=wire, default=_ABSENT)) for name, wire in wanted]
    metrics = msgspec.defstruct("Metrics", fields, bases=(GoogleNumbers,), gc=False, rename="camel")
    parts: list[Any] = [(name, _PARTS[name]) for name in shape.parts]
    made = [*parts, ("segments", Segments), ("metrics", metrics, msgspec.field(default_factory=metrics))]
    return msgspec.defstruct("GoogleRow", made, gc=False, rename="camel")


@lru_cache(maxsize=128)
def _decoders(
    shape: RowShape, columns: tuple[str, str] | None
) -> tuple[Callable[[bytes], Any], Callable[[bytes], Any]]:
    """Of a whole page, and of one row."""
    row = _row_type(shape, columns)
    page = msgspec.defstruct("GoogleRows", [("results", list[row], msgspec.field(default_factory=list))])  # type: ignore[valid-type]
    return msgspec.json.Decoder(page).decode, msgspec.json.Decoder(row).decode


class GoogleReader:
    """How the rows of a pull's page become ours: all by column, or one by one where one of them is faulty."""

    def __init__(self, context: PullContext, label: str, reading: RowReading) -> None:
        self._context = context
        self._hourly = context.dataset.grain is Grain.HOUR
        self._shape = shape_of(context.dataset, label)
        self._reading = reading
        self._page, self._row = _decoders(self._shape, reading.columns)
        self._roundings = Roundings()

    def batch(self, body: bytes) -> RowBatch:
        """The rows of a page. Raises BadInput for bytes that are no page."""
        counts = self._reading.counts
        try:
            found = self._page(body).results
            return RowBatch(self._columns([row for row in found if counts(row.segments)] if counts else found, 1), [])
        except (ValueError, *UNREADABLE):
            return self._one_by_one(json_items.items(body, "results") or [])

    def _one_by_one(self, raws: Sequence[msgspec.Raw]) -> RowBatch:
        rows: list[MetricRow] = []
        bad: list[BadRow] = []
        for line, raw in enumerate(raws, 1):
            try:
                row = self._read(raw)
                if self._reading.counts is None or self._reading.counts(row.segments):
                    rows += self._columns([row], line)
            except (ValueError, *UNREADABLE) as error:
                bad.append(self._bad(line, raw, error))
        return RowBatch(rows, bad)

    def _read(self, raw: msgspec.Raw) -> Any:
        try:
            return self._row(raw)
        except UNREADABLE:
            whole = json_text.without_half_pairs(bytes(raw))
            if whole == bytes(raw):
                raise
            return self._row(whole)

    def _columns(self, rows: Sequence[Any], first: int) -> MetricColumns:
        """All rows by column. Raises ValueError (field, message) where one is faulty."""
        count, shape = len(rows), self._shape
        self._roundings.clear()
        days = _each(_day, [row.segments.date for row in rows])
        own = [_ids(list(map(attrgetter(name), rows)), name) for name in shape.ids]
        self._check_account(own[0])
        metrics = [row.metrics for row in rows]
        impressions, clicks, spend = self._traffic(metrics)
        conversions, revenue = self._conversions(metrics)
        groups = [f"{shape.prefix}{group}" for group in own[0]] if shape.prefix else own[0]
        campaigns = _ids([row.campaign.id for row in rows], "campaign.id") if shape.campaign else [""] * count
        return MetricColumns(
            entity_id=self._entities([groups, *own[1:]], rows),
            day=days,
            impressions=impressions,
            clicks=clicks,
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=campaigns,
            ad_group_id=groups if shape.group else [""] * count,
            hour=[_hour(row.segments.hour) for row in rows] if self._hourly else [-1] * count,
            currency=[self._context.currency] * count,
            ad_product=[""] * count,
            line=range(first, first + count),
            rounded=self._roundings.deltas(),
            unknown=any(map(_is_unknown, (impressions, clicks, conversions, spend, revenue))),
        )

    def _traffic(self, metrics: Sequence[Any]) -> tuple[Sequence[int | None], ...]:
        """Impressions, clicks and spend.

        What was selected is in the row, also where it is 0: one that delivered and has no cost lacks it, and taken for
        unknown it would replace what is known. Raises ValueError.
        """
        if not self._reading.has_traffic:
            return ([0] * len(metrics),) * 3
        impressions = integers([each.impressions for each in metrics], "impressions")
        spend = integers([each.cost_micros for each in metrics], "cost_micros")
        if None in spend and any(cost is None and shown for cost, shown in zip(spend, impressions, strict=True)):
            raise ValueError("cost_micros", "is missing")
        return impressions, integers([each.clicks for each in metrics], "clicks"), spend

    def _conversions(self, metrics: Sequence[Any]) -> tuple[Sequence[int | None], Sequence[int | None]]:
        """Conversions and revenue."""
        if self._reading.columns is None:
            given = [self._reading.conversions] * len(metrics)
            return given, given
        conversions = amounts([each.conversions for each in metrics], CONVERSIONS, self._roundings)
        return conversions, amounts([each.revenue for each in metrics], REVENUE, self._roundings)

    def _entities(self, own: list[Sequence[str]], rows: Sequence[Any]) -> Sequence[str]:
        shape = self._shape
        if not shape.values:
            return own[0] if len(own) == 1 else list(map("~".join, zip(*own, strict=True)))
        columns = [list(map(attrgetter(name), rows)) for name in shape.values]
        for name, column in zip(shape.values, columns, strict=True):
            if not all(column):
                raise ValueError(name, "is missing")
        return list(map("~".join, zip(*own, map(shape.value, *columns), strict=True)))

    def _check_account(self, ids: Sequence[str]) -> None:
        if not self._shape.campaign and set(ids) - {self._context.profile_id}:
            raise ValueError("customer.id", f"belongs to customer {next(iter(ids))[:40]!r}")

    def _bad(self, line: int, raw: msgspec.Raw, error: Exception) -> BadRow:
        """A row for quarantine, with its key and its numbers where these can be read."""
        decoded, fault = json_items.loose(raw), json_items.fault(error)
        bad = BadRow(line, decoded, [fault], slot=self._slot(decoded))
        with suppress(ValueError):
            day = _day(_text(decoded, "segments.date"))
            own = [_ids([_text(decoded, name)], name)[0] for name in self._shape.ids]
            self._check_account(own[:1])
            values = [_text(decoded, name) for name in self._shape.values]
            if all(values):
                own[0] = f"{self._shape.prefix}{own[0]}"
                entity = "~".join([*own, *([self._shape.value(*values)] if values else [])])
                group = own[0] if self._shape.group else ""
                return bad._replace(
                    entity_id=entity, day=day, campaign_id=_known(decoded, "campaign.id"), ad_group_id=group
                )
        return bad

    def _slot(self, decoded: dict[str, Any]) -> Slot:
        """The numbers of a row that cannot be stored, None for each that cannot be read."""
        metrics = decoded.get("metrics")
        read: list[int | None] = []
        for name in ("impressions", "clicks", "costMicros"):
            value = metrics.get(name) if isinstance(metrics, dict) else None
            with suppress(ValueError):
                read.append(integers([value if isinstance(value, str) else None], name)[0])
                continue
            read.append(None)
        impressions, clicks, spend = read
        return impressions, clicks, None, spend, None


def _text(decoded: dict[str, Any], name: str) -> str:
    """The text that a dotted path of ours leads to, "" for none."""
    path = ".".join(_camel(step) for step in name.split("."))
    return json_items.first(decoded, (path,)) or ""


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _known(decoded: dict[str, Any], name: str) -> str:
    text = _text(decoded, name)
    return text if text.isdecimal() and text.isascii() and len(text) <= limits.MAX_OBJECT_ID_CHARS else ""


def _ids(texts: list[str], name: str) -> list[str]:
    """A column of ids. Raises ValueError."""
    together = "".join(texts)
    if not (together.isdecimal() and together.isascii() and all(texts)) and texts:
        raise ValueError(name, f"not an id: {next(text for text in texts if not _is_id(text))[:40]!r}")
    return texts


def _is_id(text: str) -> bool:
    return text.isdecimal() and text.isascii()


def _is_unknown(column: Sequence[Any]) -> bool:
    """Whether some number of a column is None; adding it up says so several times faster than looking for it."""
    try:
        sum(column)
    except TypeError:
        return True
    return False


def _hour(number: int) -> int:
    if not 0 <= number <= 23:
        raise ValueError("segments.hour", f"not an hour of the day: {number}")
    return number


def _each(read: Callable[[T], str], values: list[T]) -> list[str]:
    """A column in which values repeat: each is read once."""
    texts = {value: read(value) for value in set(values)}
    return list(map(texts.__getitem__, values))


def _day(text: str) -> str:
    try:
        if len(text) == 10 and text == date.fromisoformat(text).isoformat():
            return text
    except ValueError:
        pass  # reported below, with the other malformed dates
    raise ValueError("segments.date", f"not a date: {text[:40]!r}")
