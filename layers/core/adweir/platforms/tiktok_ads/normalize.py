"""TikTok's pages → metric rows and catalog objects."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec

from adweir.model.errors import BadInput
from adweir.model.metrics import NO_NUMBERS, BadRow, MetricRow
from adweir.platforms import json_items
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch, json_page
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.tiktok_ads import media, objects, shop, wire
from adweir.platforms.tiktok_ads.rows import RowReader, Silent

CSV = "csv"
"""How the file of an asynchronous task is written."""
_row = msgspec.json.Decoder(wire.WireReportRow).decode
_DIMENSIONS, _METRICS = frozenset(wire.Dimensions.__struct_fields__), frozenset(wire.Metrics.__struct_fields__)
_LINES = 1000


class TikTokNormalizer:
    """`platforms.connector.Normalizer` of TikTok."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """One batch per page, or per thousand lines of a file."""
        if context.dataset is shop.DATASET:
            yield from shop.batches(page, context)
            return
        reader = RowReader(context)
        if page.media == CSV:
            yield from _of_file(page, reader)
            return
        body = page.stream.read()
        try:
            rows = reader.page(body).data.entries
        except UNREADABLE:
            yield _one_by_one(body, reader)
            return
        yield _batch(rows, 1, reader, lambda place: media.entries(body)[place])

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """One batch per page."""
        body, found = media.apart(page.stream.read())
        convert = objects.converter(context, page.label, found)
        batch = ObjectBatch([], [])
        for line, raw in enumerate(media.entries(body), 1):
            try:
                batch.objects.append(convert(raw))
            except (ValueError, OverflowError, *UNREADABLE) as error:
                decoded = json_items.loose(raw)
                identity = decoded.get(objects.ID_FIELDS[context.dataset])
                known = identity if isinstance(identity, str) else ""
                batch.bad.append(BadRow(line, decoded, [json_items.fault(error)], known))
        yield batch

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:  # noqa: ARG002  all are alike
        """The list under `data`."""
        return json_page(rows, "data", "list")

    def account_of(self, row: Mapping[str, Any]) -> str:
        """Objects name it, of reports the account's own."""
        dimensions = row.get("dimensions")
        named = dimensions if isinstance(dimensions, Mapping) else row
        return str(named.get("advertiser_id") or "")


NORMALIZER = TikTokNormalizer()


def _batch(rows: Sequence[Any], first: int, reader: RowReader, source: Callable[[int], msgspec.Raw]) -> RowBatch:
    """Rows by column, or one by one where a fault is among them; `source` is what a row of a place was read from."""
    columns = reader.columns(rows, first)
    if columns is not None:
        return RowBatch(columns, [])
    batch: tuple[list[MetricRow], list[BadRow]] = ([], [])
    for place, row in enumerate(rows):
        _add(batch, reader, first + place, row, lambda place=place: source(place))  # type: ignore[misc]
    return RowBatch(*batch)


def _one_by_one(body: bytes, reader: RowReader) -> RowBatch:
    """The rows of a page of which at least one is not of a report's form."""
    batch: tuple[list[MetricRow], list[BadRow]] = ([], [])
    for line, raw in enumerate(media.entries(body), 1):
        try:
            row = _row(raw)
        except UNREADABLE as error:
            batch[1].append(_bad(line, raw, error, reader))
            continue
        _add(batch, reader, line, row, lambda raw=raw: raw)  # type: ignore[misc]
    return RowBatch(*batch)


def _add(
    batch: tuple[list[MetricRow], list[BadRow]],
    reader: RowReader,
    line: int,
    row: Any,
    source: Callable[[], msgspec.Raw],
) -> None:
    try:
        batch[0].append(reader.row(row, line))
    except Silent:
        return
    except ValueError as error:
        batch[1].append(_bad(line, source(), error, reader))


def _bad(line: int, raw: msgspec.Raw, error: Exception, reader: RowReader) -> BadRow:
    """A row for quarantine, with its key and its numbers where these can be read."""
    decoded = json_items.loose(raw)
    row = _made(*(_texts(decoded.get(name)) for name in ("dimensions", "metrics")))
    entity, day, campaign, group = "", "", "", ""
    with suppress(ValueError, Silent):
        entity, day, campaign, group = reader.key(row)
    slot = reader.slot(row) if entity else NO_NUMBERS
    return BadRow(line, decoded, [json_items.fault(error)], entity, day, slot, campaign, group)


def _texts(fields: object) -> dict[str, str]:
    found = fields if isinstance(fields, dict) else {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _made(dimensions: Mapping[str, str], metrics: Mapping[str, str]) -> wire.WireReportRow:
    return wire.WireReportRow(
        wire.Dimensions(**{name: value for name, value in dimensions.items() if name in _DIMENSIONS}),
        wire.Metrics(**{name: value for name, value in metrics.items() if name in _METRICS}),
    )


def _as_row(line: Mapping[str, str]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"dimensions": line, "metrics": line}))


def _of_file(page: RawPage, reader: RowReader) -> Iterator[RowBatch]:
    """The lines of a file, whose first one names the columns. Raises BadInput for anything else."""
    lines = csv.DictReader(io.TextIOWrapper(page.stream, "utf-8-sig", newline=""), restkey="", restval="")
    try:
        missing = sorted(reader.required - set(lines.fieldnames or reader.required))
        if missing:
            raise BadInput(f"the report's file lacks {', '.join(missing)}")
        first = 1
        while some := [dict(line) for line in islice(lines, _LINES)]:
            yield _batch(
                [_made(line, line) for line in some],
                first,
                reader,
                lambda place, some=some: _as_row(some[place]),  # type: ignore[misc]
            )
            first += len(some)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"not a report's file: {error}") from None
