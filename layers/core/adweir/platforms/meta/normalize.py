"""Meta's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import TypeVar

import msgspec

from adweir.model import limits
from adweir.model.datasets import BETWEEN_VALUES, Dataset
from adweir.model.metrics import BadRow, Grain, Level, MetricRow, Slot
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch
from adweir.platforms.meta import media, objects, pages, wire
from adweir.platforms.meta.conversions import counter
from adweir.platforms.meta.numbers import count, micros
from adweir.platforms.meta.options import MetaOptions
from adweir.platforms.rounding import SPEND, Rounding

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
        """One batch per page. Rows are decoded one by one only when the page as a whole does not fit the schema."""
        body = page.stream.read()
        reader = _RowReader(context)
        try:
            wired: Sequence[wire.InsightsRow] = reader.page(body).data
        except pages.UNREADABLE:
            yield _one_by_one(body, reader)
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


NORMALIZER = MetaNormalizer()


def _one_by_one(body: bytes, reader: _RowReader) -> RowBatch:
    batch = RowBatch([], [])
    for line, raw in enumerate(pages.items(body), 1):
        try:
            batch.rows.append(reader.convert(reader.row(raw), line))
        except Nothing:
            continue
        except (ValueError, *pages.UNREADABLE) as error:
            batch.bad.append(_bad_row(line, raw, error, reader))
    return batch


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
        self._rounding = Rounding()
        self.identify = _identifier(context.dataset)
        self.count = counter(options, context.dataset, self._rounding)
        self.convert = self._converter()

    def _converter(self) -> Callable[[wire.InsightsRow, int], MetricRow]:
        """The function from a row to ours, which raises Nothing, and ValueError (field, message) for a bad row.

        All that it needs are local names, which are the fastest to read: it runs per row.
        """
        hourly, profile_id, currency = self.dataset.grain is Grain.HOUR, self.profile_id, self._currency
        rounding, identify, count_actions = self._rounding, self.identify, self.count

        def convert(row: wire.InsightsRow, line: int) -> MetricRow:
            day = row.date_start
            if row.date_stop != day:
                raise ValueError("date_stop", f"a row of several days: {day} to {row.date_stop}"[:80])
            _check_day(day)
            if row.account_id and row.account_id != profile_id:
                raise ValueError("account_id", f"belongs to account {row.account_id[:40]!r}")
            hour = _hour(row) if hourly else -1
            if rounding.added:
                rounding.clear()
            conversions, revenue = count_actions(row)
            return MetricRow(
                identify(row),
                day,
                int(row.impressions) if row.impressions.isdecimal() else count(row.impressions, "impressions"),
                int(row.clicks) if row.clicks.isdecimal() else count(row.clicks, "clicks"),
                conversions,
                micros(row.spend, SPEND, rounding),
                revenue,
                row.campaign_id,
                row.adset_id,
                hour,
                row.account_currency or currency,
                "",
                line,
                rounding.deltas() if rounding.added else None,
            )

        return convert

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


def _identify_ad(row: wire.InsightsRow) -> str:
    group, ad = row.adset_id, row.ad_id
    both = group + ad
    if not (group and ad and both.isdecimal() and both.isascii()):
        raise ValueError("ad_id", f"not the ids of an ad: {group[:40]!r}, {ad[:40]!r}")
    return f"{group}~{ad}"


def _identify_by(name: str) -> Callable[[wire.InsightsRow], str]:
    def identify(row: wire.InsightsRow) -> str:
        identity: str = getattr(row, name)
        if not (identity.isdecimal() and identity.isascii()):
            raise ValueError(name, f"not an id: {identity[:40]!r}")
        return identity

    return identify


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
