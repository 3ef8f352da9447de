"""Meta's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.datasets import BETWEEN_VALUES, Dataset
from adweir.model.metrics import BadRow, Grain, Level, MetricRow, Slot
from adweir.model.money import all_micros
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch, json_page
from adweir.platforms.meta import media, objects, pages, wire
from adweir.platforms.meta.conversions import column_counter, counter
from adweir.platforms.meta.numbers import micros
from adweir.platforms.meta.options import MetaOptions
from adweir.platforms.numbers import count, counts
from adweir.platforms.rounding import SPEND, Rounding, Roundings

T = TypeVar("T")

_page = msgspec.json.Decoder(wire.InsightsPage).decode
_row = msgspec.json.Decoder(wire.InsightsRow).decode
_windowed_page = msgspec.json.Decoder(wire.WindowedPage).decode
_windowed_row = msgspec.json.Decoder(wire.WindowedRow).decode
_NAMES = dict(zip(wire.InsightsRow.__struct_encode_fields__, wire.InsightsRow.__struct_fields__, strict=True))
"""Fields as Meta calls them → ours."""


class MetaNormalizer:
    """`platforms.connector.Normalizer` of Meta."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """One batch per page, by column. Its rows are read one by one when a fault is among them, and decoded one by
        one when the page as a whole does not fit the schema."""
        body = page.stream.read()
        reader = _RowReader(context)
        try:
            wired: Sequence[wire.InsightsRow] = reader.page(body).data
        except pages.UNREADABLE:
            yield _one_by_one(body, reader)
            return
        columns = reader.columns(wired)
        if columns is not None:
            yield RowBatch(columns, [])
            return
        convert = reader.convert
        rows: list[MetricRow] = []
        faults: list[tuple[int, ValueError]] = []
        add = rows.append
        for line, row in enumerate(wired, 1):
            try:
                add(convert(row, line))
            except Nothing:
                continue
            except ValueError as error:
                faults.append((line, error))
        raws = pages.items(body) if faults else []
        yield RowBatch(rows, [_bad_row(line, raws[line - 1], error, reader) for line, error in faults])

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """One batch per page."""
        body, found = media.apart(page.stream.read())
        convert = objects.converter(context, found)
        batch = ObjectBatch([], [])
        for line, raw in enumerate(pages.items(body), 1):
            try:
                batch.objects.append(convert(raw))
            except (ValueError, OverflowError, *pages.UNREADABLE) as error:
                decoded = pages.loose(raw)
                identity = decoded.get("account_id" if context.dataset is Dataset.PROFILES else "id")
                known = identity if isinstance(identity, str) else ""
                batch.bad.append(BadRow(line, decoded, [pages.fault(error)], known))
        yield batch

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:  # noqa: ARG002  all are alike
        """The rows under `data`."""
        return json_page(rows, "data")

    def account_of(self, row: Mapping[str, Any]) -> str:
        """Insights and ads name it."""
        return str(row.get("account_id") or "")


NORMALIZER = MetaNormalizer()


def _one_by_one(body: bytes, reader: _RowReader) -> RowBatch:
    rows: list[MetricRow] = []
    bad: list[BadRow] = []
    for line, raw in enumerate(pages.items(body), 1):
        try:
            rows.append(reader.convert(reader.row(raw), line))
        except Nothing:
            continue
        except (ValueError, *pages.UNREADABLE) as error:
            bad.append(_bad_row(line, raw, error, reader))
    return RowBatch(rows, bad)


class Nothing(Exception):
    """A row of an hour or a breakdown without its key and without delivery."""


class _RowReader:
    """How rows of a pull are read: their type, and the function from a row to ours."""

    def __init__(self, context: PullContext) -> None:
        options = context.options if isinstance(context.options, MetaOptions) else MetaOptions()
        windowed = bool(options.counted_windows)
        self.page: Callable[[bytes], wire.InsightsPage | wire.WindowedPage] = _windowed_page if windowed else _page
        self.row: Callable[[msgspec.Raw], wire.InsightsRow] = _windowed_row if windowed else _row
        self.actions = tuple[wire.WindowedAction, ...] if windowed else tuple[wire.Action, ...]
        self.dataset, self.profile_id = context.dataset, context.profile_id
        self._currency = context.currency
        self._rounding, self._roundings = Rounding(), Roundings()
        self.identify = _identifier(context.dataset)
        self.count = counter(options, context.dataset, self._rounding)
        self._count_columns = column_counter(options, context.dataset, self._roundings)

    def convert(self, row: wire.InsightsRow, line: int) -> MetricRow:
        """A row as ours. Raises Nothing, and ValueError (field, message) for a bad one."""
        self._check(row.date_start, row.date_stop, row.account_id)
        hour = _hour(row) if self.dataset.grain is Grain.HOUR else -1
        rounding = self._rounding
        rounding.clear()
        conversions, revenue = self.count(row)
        return MetricRow(
            self.identify(row),
            row.date_start,
            counts((row.impressions,), "impressions")[0],
            counts((row.clicks,), "clicks")[0],
            conversions,
            micros(row.spend or _nothing_spent(row), SPEND, rounding),
            revenue,
            row.campaign_id,
            row.adset_id,
            hour,
            row.account_currency or self._currency,
            "",
            line,
            rounding.deltas(),
        )

    def columns(self, rows: Sequence[wire.InsightsRow]) -> MetricColumns | None:
        """All rows of a page, each as `convert` would; None where that would refuse one."""
        try:
            return self._columns(rows) if rows else None
        except (ValueError, KeyError):
            return None

    def _columns(self, rows: Sequence[wire.InsightsRow]) -> MetricColumns:
        days = [row.date_start for row in rows]
        for about in set(zip(days, [row.date_stop for row in rows], [row.account_id for row in rows], strict=True)):
            self._check(*about)
        self._roundings.clear()
        conversions, revenue = self._count_columns(rows)
        spends = [row.spend or _nothing_spent(row) for row in rows]
        spend = all_micros(spends)
        if spend is None:
            spend = self._roundings.each(lambda text: micros(text, SPEND, self._roundings.row), spends)
        hourly = self.dataset.grain is Grain.HOUR
        return MetricColumns(
            entity_id=_identify_all(self.dataset, rows),
            day=days,
            impressions=counts([row.impressions for row in rows], "impressions"),
            clicks=counts([row.clicks for row in rows], "clicks"),
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=[row.campaign_id for row in rows],
            ad_group_id=[row.adset_id for row in rows],
            hour=[wire.HOURS[row.hour] for row in rows] if hourly else [-1] * len(rows),
            currency=[row.account_currency or self._currency for row in rows],
            ad_product=[""] * len(rows),
            line=range(1, len(rows) + 1),
            rounded=self._roundings.deltas(),
            unknown=None in conversions or None in revenue,
        )

    def _check(self, day: str, stop: str, account: str) -> None:
        if stop != day:
            raise ValueError("date_stop", f"a row of several days: {day} to {stop}"[:80])
        _check_day(day)
        if account and account != self.profile_id:
            raise ValueError("account_id", f"belongs to account {account[:40]!r}")

    def slot(self, row: wire.InsightsRow, *, counted: bool) -> Slot:
        """The numbers of a row that cannot be stored, None for each that cannot be read (unless `counted`, actions)."""
        conversions, revenue = (_or_none(lambda: self.count(row)) if counted else None) or (None, None)
        return (
            _or_none(lambda: count(row.impressions, "impressions")),
            _or_none(lambda: count(row.clicks, "clicks")),
            conversions,
            _or_none(lambda: micros(row.spend, SPEND, Rounding())),
            revenue,
        )


def _keyless(row: wire.InsightsRow, name: str) -> Exception:
    """What a row of an hour or a breakdown is that does not say which one.

    Meta sends such rows for entities that did not deliver on that day (singer-io/tap-facebook#250): they say nothing.
    One with delivery is a bad row, because its numbers belong to an hour or value that is not known.
    """
    if row.impressions == row.clicks == "0" and not row.spend.strip("0."):
        return Nothing()
    return ValueError(name, "is missing")


def _nothing_spent(row: wire.InsightsRow) -> str:
    """The spend of a row that has none: 0 where nothing was delivered.

    Impressions and clicks are absent where they are 0. With them, a row without spend lacks the column: taken for 0, it
    would replace what is stored. Raises ValueError (field, message) for such a row.
    """
    if row.impressions == row.clicks == "0":
        return "0"
    raise ValueError("spend", "is missing")


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ValueError:
        return None


def _identifier(dataset: Dataset) -> Callable[[wire.InsightsRow], str]:
    """The function from a row to its entity's id; of a breakdown, the values follow: `222~333~25-34/female`."""
    identify = _IDENTIFY[dataset.level]
    names = wire.BREAKDOWNS.get(dataset.breakdown)
    if names is None:
        return identify

    def identify_value(row: wire.InsightsRow) -> str:
        values: list[str] = [getattr(row, name) for name in names]
        if not all(values):
            raise _keyless(row, names[values.index("")])
        return f"{identify(row)}~{BETWEEN_VALUES.join(values)}"

    return identify_value


def _identify_all(dataset: Dataset, rows: Sequence[wire.InsightsRow]) -> list[str]:
    """The ids of all rows, each as `_identifier` does. Raises ValueError where that would refuse one."""
    ids = [list(map(attrgetter(name), rows)) for name in _ID_NAMES[dataset.level]]
    values = [list(map(attrgetter(name), rows)) for name in wire.BREAKDOWNS.get(dataset.breakdown, ())]
    if not all(map(_are_ids, ids)) or not all(map(all, values)):
        raise ValueError("a row without its id")
    if values:
        ids.append(list(map(BETWEEN_VALUES.join, zip(*values, strict=True))))
    return list(map("~".join, zip(*ids, strict=True)))


def _are_ids(texts: Sequence[str]) -> bool:
    together = "".join(texts)
    return together.isdecimal() and together.isascii() and all(texts)


def _identify_ad(row: wire.InsightsRow) -> str:
    group, ad = row.adset_id, row.ad_id
    if not _are_ids((group, ad)):
        raise ValueError("ad_id", f"not the ids of an ad: {group[:40]!r}, {ad[:40]!r}")
    return f"{group}~{ad}"


def _identify_by(name: str) -> Callable[[wire.InsightsRow], str]:
    def identify(row: wire.InsightsRow) -> str:
        identity: str = getattr(row, name)
        if not _are_ids((identity,)):
            raise ValueError(name, f"not an id: {identity[:40]!r}")
        return identity

    return identify


_ID_NAMES = {
    Level.ACCOUNT: ("account_id",),
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("adset_id",),
    Level.AD: ("adset_id", "ad_id"),
}
_IDENTIFY: dict[Level, Callable[[wire.InsightsRow], str]] = {
    Level.ACCOUNT: _identify_by("account_id"),
    Level.CAMPAIGN: _identify_by("campaign_id"),
    Level.AD_GROUP: _identify_by("adset_id"),
    Level.AD: _identify_ad,
}


@lru_cache(maxsize=4096)
def _check_day(text: str) -> None:
    try:
        if len(text) == 10 and text == date.fromisoformat(text).isoformat():
            return
    except ValueError:
        pass  # reported below, with the other malformed dates
    raise ValueError("date_start", f"not a date: {text[:40]!r}")


def _hour(row: wire.InsightsRow) -> int:
    if not row.hour:
        raise _keyless(row, wire.HOURLY)
    try:
        return wire.HOURS[row.hour]
    except KeyError:
        raise ValueError(wire.HOURLY, f"not an hour of the day: {row.hour[:40]!r}") from None


def _bad_row(line: int, raw: msgspec.Raw, error: Exception, reader: _RowReader) -> BadRow:
    """A row for quarantine, with its key and its numbers where these can be read."""
    decoded = pages.loose(raw)
    row, counted = wire.InsightsRow("", ""), True
    for name in decoded.keys() & _NAMES:
        value = decoded[name]
        if name in wire.ACTION_LISTS:
            try:
                setattr(row, name, msgspec.convert(value, reader.actions))
            except msgspec.ValidationError:
                counted = False
        else:
            setattr(row, _NAMES[name], value if isinstance(value, str) else "?")
    entity, day, campaign, group = "", "", "", ""
    if not row.account_id or row.account_id == reader.profile_id:
        with suppress(ValueError, Nothing):
            _check_day(row.date_start)
            entity, day = reader.identify(row), row.date_start
            campaign, group = _known_id(row.campaign_id), _known_id(row.adset_id)
    slot = reader.slot(row, counted=counted)
    return BadRow(line, decoded, [pages.fault(error)], entity, day, slot, campaign, group)


def _known_id(text: str) -> str:
    return text if text.isdecimal() and text.isascii() and len(text) <= limits.MAX_OBJECT_ID_CHARS else ""
