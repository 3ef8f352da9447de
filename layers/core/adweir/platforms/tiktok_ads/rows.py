"""A report's rows → metric rows, by column where all of a page can be read, else one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgspec
from msgspec.structs import astuple

from adweir.model.columns import MetricColumns
from adweir.model.datasets import BETWEEN_VALUES
from adweir.model.errors import BadInput
from adweir.model.metrics import Grain, Level, MetricRow, Slot
from adweir.model.money import all_micros
from adweir.platforms.connector import PullContext
from adweir.platforms.numbers import count, counts, micros
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Roundings
from adweir.platforms.tiktok_ads import wire
from adweir.platforms.tiktok_ads.options import RESULT, TikTokOptions
from adweir.platforms.tiktok_ads.questions import BREAKDOWNS, LEVELS

Text = str | None
Columns = Mapping[str, Sequence[Text]]
"""By `dimensions.<name>` and `metrics.<name>`."""


class Silent(Exception):
    """A row of an hour or a breakdown that does not say which one, and has no delivery: it says nothing."""


@lru_cache(maxsize=64)
def page_decoder(names: frozenset[str]) -> Callable[[bytes], Any]:
    """Decodes a page of a report, of each row only these dimensions and metrics."""
    parts = []
    for part, whole in (("dimensions", wire.Dimensions), ("metrics", wire.Metrics)):
        kept = [(name, Text, None) for name in whole.__struct_fields__ if f"{part}.{name}" in names]
        parts.append((part, msgspec.defstruct(whole.__name__, kept, gc=False)))
    row = msgspec.defstruct("Row", parts, gc=False)
    data = msgspec.defstruct("Data", [("entries", list[row], msgspec.field(name="list"))])  # type: ignore[valid-type]
    return msgspec.json.Decoder(msgspec.defstruct("Page", [("data", data)])).decode


class _Ids(NamedTuple):
    """Where a level's rows have the ids that make an entity's, and those of its parents."""

    own: str
    campaign: str = ""
    group: str = ""


_IDS = {
    Level.ACCOUNT: _Ids(""),
    Level.CAMPAIGN: _Ids("", campaign="dimensions.campaign_id"),
    Level.AD_GROUP: _Ids("", campaign="metrics.campaign_id", group="dimensions.adgroup_id"),
    Level.AD: _Ids("dimensions.ad_id", campaign="metrics.campaign_id", group="metrics.adgroup_id"),
}


class RowReader:
    """How rows of a pull are read under the profile's options."""

    def __init__(self, context: PullContext) -> None:
        """Raises BadInput for a dataset that TikTok has no report of."""
        dataset = context.dataset
        if dataset.level not in LEVELS or (dataset.breakdown and dataset.breakdown not in BREAKDOWNS):
            raise BadInput(f"TikTok has no report of {dataset}")
        options = context.options if isinstance(context.options, TikTokOptions) else TikTokOptions()
        self.profile_id, self._currency, self._level = context.profile_id, context.currency, dataset.level
        self._hourly = dataset.grain is Grain.HOUR
        self._time = "stat_time_hour" if self._hourly else "stat_time_day"
        self._values = BREAKDOWNS.get(dataset.breakdown, ())
        # Audience reports have no purchases by place: not asked for, so not known.
        self._counts = options.counts if not self._values or options.counts == (RESULT,) else ()
        self._revenues = () if self._values else options.values
        self._roundings = Roundings()
        self.page = page_decoder(frozenset(self._names()))

    def _names(self) -> Iterator[str]:
        """What is read of a row."""
        yield from (name for name in _IDS[self._level] if name)
        yield from (f"dimensions.{name}" for name in ("advertiser_id", self._time, *self._values))
        yield from (f"metrics.{name}" for name in ("impressions", "clicks", "spend", *self._counts, *self._revenues))

    @property
    def required(self) -> frozenset[str]:
        """What every row says, as the columns of a file are called."""
        ids = {name.rpartition(".")[2] for name in _IDS[self._level] if name}
        return frozenset({*ids, self._time, *self._values, "spend", "impressions", "clicks"})

    def columns(self, rows: Sequence[Any], first: int) -> MetricColumns | None:
        """All rows, each as `row` would, from this line on; None where one has to be looked at."""
        try:
            return self._columns(rows, first) if rows else None
        except (ValueError, Silent):
            return None

    def row(self, row: wire.WireReportRow, line: int) -> MetricRow:
        """A row as ours. Raises Silent, and ValueError (field, message) for a bad one."""
        return self._columns([row], line)[0]

    def _columns(self, rows: Sequence[Any], first: int) -> MetricColumns:
        self._roundings.clear()
        of = _columns_of(rows)
        entities, campaigns, groups = self._entities(of)
        days, hours = self._times(of)
        figures = (
            self._whole(of, "impressions"),
            self._whole(of, "clicks"),
            self._sum(of, self._counts, CONVERSIONS),
            self._amounts(_required(of, "spend"), "spend", SPEND),
            self._sum(of, self._revenues, REVENUE),
        )
        impressions, clicks, conversions, spend, revenue = figures
        return MetricColumns(
            entity_id=entities,
            day=days,
            impressions=impressions,
            clicks=clicks,
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=campaigns,
            ad_group_id=groups,
            hour=hours,
            currency=[self._currency] * len(rows),
            ad_product=[""] * len(rows),
            line=range(first, first + len(rows)),
            rounded=self._roundings.deltas(),
            unknown=any(None in figure for figure in figures),
        )

    # -- who and when -------------------------------------------------------------------------------------------------

    def _entities(self, of: Columns) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """The ids of entities, of their campaigns and of their ad groups. Raises ValueError and Silent."""
        strangers = set(of["dimensions.advertiser_id"]) - {None, self.profile_id}
        if strangers:
            raise ValueError("advertiser_id", f"belongs to advertiser {strangers.pop()!r:.40}")
        names = _IDS[self._level]
        campaigns, groups = _ids(of, names.campaign), _ids(of, names.group)
        found: Sequence[str] = groups if names.group else campaigns
        if self._level is Level.ACCOUNT:
            found = [self.profile_id] * len(campaigns)
        elif self._level is Level.AD:
            found = [f"{group}~{ad}" for group, ad in zip(groups, _ids(of, names.own), strict=True)]
        for parts in [self._labels(of)] if self._values else []:
            found = list(map("~".join, zip(found, parts, strict=True)))
        return found, campaigns, groups

    def _labels(self, of: Columns) -> list[str]:
        """The values of a breakdown."""
        complete = [_complete(of, f"dimensions.{name}") for name in self._values]
        return list(map(BETWEEN_VALUES.join, zip(*complete, strict=True)))

    def _times(self, of: Columns) -> tuple[list[str], list[int]]:
        texts = _complete(of, f"dimensions.{self._time}")
        known = {text: _time(text, self._time) for text in set(texts)}
        hours = [known[text][1] for text in texts] if self._hourly else [-1] * len(texts)
        return [known[text][0] for text in texts], hours

    # -- numbers ------------------------------------------------------------------------------------------------------

    def _whole(self, of: Columns, name: str) -> Sequence[int | None]:
        texts = _required(of, name)
        if wire.NONE not in texts:
            return counts(texts, name)
        return [None if text == wire.NONE else count(text, name) for text in texts]

    def _amounts(self, texts: Sequence[Text], name: str, place: int) -> Sequence[int | None]:
        if None not in texts and wire.NONE not in texts:
            found = all_micros(cast("Sequence[str]", texts))
            if found is not None:
                return found
        rounding = self._roundings.row

        def read(text: Text) -> int | None:
            return None if text is None or text == wire.NONE else micros(text, place, rounding, {place: name})

        return self._roundings.each(read, texts)

    def _sum(self, of: Columns, names: Sequence[str], place: int) -> Sequence[int | None]:
        """Several metrics added up; one without a value is left out, and all of them without one are unknown."""
        if not names:
            return [None] * len(of["metrics.spend"])
        columns = [self._amounts(of[f"metrics.{name}"], name, place) for name in names]
        return columns[0] if len(columns) == 1 else [_plus(parts) for parts in zip(*columns, strict=True)]

    def slot(self, row: wire.WireReportRow) -> Slot:
        """The numbers of a row that cannot be stored, None for each that cannot be read."""
        one = _columns_of([row])
        return (
            _or_none(lambda: self._whole(one, "impressions")[0]),
            _or_none(lambda: self._whole(one, "clicks")[0]),
            _or_none(lambda: self._sum(one, self._counts, CONVERSIONS)[0]),
            _or_none(lambda: self._amounts(_required(one, "spend"), "spend", SPEND)[0]),
            _or_none(lambda: self._sum(one, self._revenues, REVENUE)[0]),
        )

    def key(self, row: wire.WireReportRow) -> tuple[str, str, str, str]:
        """Entity, day, campaign and ad group of a row. Raises ValueError and Silent."""
        of = _columns_of([row])
        (entity,), (campaign,), (group,) = self._entities(of)
        return entity, self._times(of)[0][0], campaign, group


def _plus(parts: Sequence[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _or_none(read: Callable[[], int | None]) -> int | None:
    try:
        return read()
    except ValueError:
        return None


def _columns_of(rows: Sequence[Any]) -> Columns:
    found: dict[str, Sequence[Text]] = {}
    for part, structs in (("dimensions", [row.dimensions for row in rows]), ("metrics", [row.metrics for row in rows])):
        columns = zip(*map(astuple, structs), strict=True)
        found |= zip((f"{part}.{name}" for name in structs[0].__struct_fields__), columns, strict=True)
    return found


def _required(of: Columns, name: str) -> Sequence[str]:
    """A metric that every row has, be it `-`. Raises ValueError where one does not."""
    texts = of[f"metrics.{name}"]
    if None in texts:
        raise ValueError(name, "is missing")
    return cast("Sequence[str]", texts)


def _ids(of: Columns, name: str) -> Sequence[str]:
    """The ids under that name, "" where the level has none. Raises ValueError for what is none."""
    if not name:
        return [""] * len(of["metrics.spend"])
    texts = of[name]
    if all(texts):
        known = cast("Sequence[str]", texts)
        together = "".join(known)
        if together.isdecimal() and together.isascii():
            return known
    wrong = next(text for text in texts if not (text and text.isdecimal() and text.isascii()))
    raise ValueError(name.rpartition(".")[2], f"not an id: {wrong!r:.40}")


def _complete(of: Columns, name: str) -> Sequence[str]:
    """The values, one per row.

    Raises Silent for a row without the value and without delivery, ValueError for one that has delivered.
    """
    values = of[name]
    if all(values) and wire.NONE not in values:
        return cast("Sequence[str]", values)
    place = next(place for place, value in enumerate(values) if not value or value == wire.NONE)
    impressions, spend = (of[f"metrics.{metric}"][place] for metric in ("impressions", "spend"))
    if (impressions or wire.NONE) in {wire.NONE, "0"} and not (spend or "").strip("0.-"):
        raise Silent
    raise ValueError(name.rpartition(".")[2], "is missing")


@lru_cache(maxsize=4096)
def _time(text: str, name: str) -> tuple[str, int]:
    """`2026-11-01 05:00:00` → the day and the hour. Raises ValueError."""
    day, hour, rest = text[:10], text[11:13] or "00", text[13:]
    try:
        if day == date.fromisoformat(day).isoformat() and int(hour) < 24 and rest in ("", ":00:00"):
            return day, int(hour)
    except ValueError:
        pass  # reported below, with the other malformed times
    raise ValueError(name, f"not a time: {text[:40]!r}")


def day_of(text: str) -> str:
    """The day of a `stat_time_day`. Raises ValueError (field, message)."""
    return _time(text, "stat_time_day")[0]
