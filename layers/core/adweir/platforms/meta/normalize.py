"""Meta's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow, Grain, Level, MetricRow
from adweir.model.money import to_micros
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch
from adweir.platforms.meta import objects, wire

_DECODE_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError)
_page = msgspec.json.Decoder(wire.InsightsPage).decode
_any_page = msgspec.json.Decoder(wire.AnyPage).decode
_row = msgspec.json.Decoder(wire.InsightsRow).decode
_ranks = wire.PURCHASES
_NO_PURCHASE = len(_ranks)
_SCALE = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)


class MetaNormalizer:
    """`platforms.connector.Normalizer` of Meta."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """One batch per page. Rows are decoded one by one only when the page as a whole does not fit the schema."""
        body = page.stream.read()
        convert = _converter(context)
        try:
            wired: list[wire.InsightsRow] = _page(body).data
        except _DECODE_FAULTS:
            yield _one_by_one(body, convert, context)
            return
        rows: list[MetricRow] = []
        bad: list[tuple[int, ValueError]] = []
        add = rows.append
        for line, row in enumerate(wired, 1):
            try:
                add(convert(row, line))
            except Nothing:
                continue
            except ValueError as error:
                bad.append((line, error))
        yield RowBatch(rows, _bad_rows(body, bad, context) if bad else [])

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """One batch per page."""
        convert = objects.converter(context)
        batch = ObjectBatch([], [])
        for line, raw in enumerate(_items(page.stream.read()), 1):
            try:
                batch.objects.append(convert(raw))
            except (ValueError, *_DECODE_FAULTS) as error:
                decoded = _loose(raw)
                identity = decoded.get("account_id" if context.dataset is Dataset.PROFILES else "id")
                batch.bad.append(BadRow(line, decoded, [_fault(error)], identity if isinstance(identity, str) else ""))
        yield batch


NORMALIZER = MetaNormalizer()


class Nothing(Exception):
    """A row of an hour or a breakdown without its key and without delivery."""


def _converter(context: PullContext) -> Callable[[wire.InsightsRow, int], MetricRow]:
    """The function from a wire row to ours; ValueError (field, message) for what cannot be stored."""
    hourly, on_meta_only = context.dataset.grain is Grain.HOUR, _on_meta_only(context.dataset)
    profile, currency = context.profile_id, context.currency
    identify = _identifier(context.dataset)

    def convert(row: wire.InsightsRow, line: int) -> MetricRow:
        day = row.date_start
        if row.date_stop != day:
            raise ValueError("date_stop", f"a row of several days: {day} to {row.date_stop}"[:80])
        _check_day(day)
        if row.account_id and row.account_id != profile:
            raise ValueError("account_id", f"belongs to account {row.account_id[:40]!r}")
        if hourly and not row.hour:
            raise _keyless(row, wire.HOURLY)
        conversions: int | None
        revenue: int | None
        if on_meta_only:
            conversions = revenue = None
        else:
            conversions, revenue = _purchases(row) if row.actions or row.action_values else (0, 0)
        return MetricRow(
            identify(row),
            day,
            int(row.impressions) if row.impressions.isdecimal() else _count(row.impressions, "impressions"),
            int(row.clicks) if row.clicks.isdecimal() else _count(row.clicks, "clicks"),
            conversions,
            micros(row.spend, "spend"),
            revenue,
            row.campaign_id,
            row.adset_id,
            _hour(row.hour) if hourly else -1,
            row.account_currency or currency,
            "",
            line,
        )

    return convert


def _on_meta_only(dataset: Dataset) -> bool:
    """Whether Meta leaves off-Meta actions out of the rows: then conversions and revenue are unknown.

    It does for hours and regions (Marketing API, Insights API Breakdowns, "Restrictions for off-Meta action metrics").
    """
    return dataset.grain is Grain.HOUR or dataset.breakdown == "region"


def _keyless(row: wire.InsightsRow, name: str) -> Exception:
    """What a row of an hour or a breakdown is that does not say which one.

    Meta sends such rows for entities that did not deliver on that day (singer-io/tap-facebook#250): they say nothing.
    One with delivery is a bad row, because its numbers belong to an hour or value that is not known.
    """
    if row.impressions == row.clicks == "0" and not row.spend.strip("0."):
        return Nothing()
    return ValueError(name, "is missing")


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
        return f"{identify(row)}~{'/'.join(values)}"

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


def micros(text: str, name: str) -> int:
    """Text in units → millionths: the common form by integer arithmetic, any other by `model.money`."""
    whole, _, part = text.partition(".")
    digits = whole + part
    if digits.isascii() and digits.isdecimal() and whole and len(part) <= 6 and len(whole) <= 12:
        return int(digits) * _SCALE[len(part)]
    try:
        return to_micros(text)
    except ValueError as error:
        raise ValueError(name, str(error)) from None


def _rank(action: wire.Action) -> int:
    return _ranks.get(action.action_type, _NO_PURCHASE)


def _purchases(row: wire.InsightsRow) -> tuple[int, int]:
    """(conversions, revenue) in millionths, of the one action type that stands for purchases; 0 where absent."""
    best, value = _NO_PURCHASE, "0"
    for action in row.actions:
        kind = action.action_type
        if kind in _ranks and _ranks[kind] < best:
            best, value = _ranks[kind], action.value
    if not row.action_values:
        return (micros(value, "actions"), 0) if best < _NO_PURCHASE else (0, 0)
    if best == _NO_PURCHASE:
        best = min(map(_rank, row.action_values))
    revenue = next((a.value for a in row.action_values if _rank(a) == best), "0") if best < _NO_PURCHASE else "0"
    return micros(value, "actions"), micros(revenue, "action_values")


@lru_cache(maxsize=4096)
def _check_day(text: str) -> None:
    try:
        if len(text) == 10 and text == date.fromisoformat(text).isoformat():
            return
    except ValueError:
        pass  # reported below, with the other malformed dates
    raise ValueError("date_start", f"not a date: {text[:40]!r}")


def _count(text: str, name: str) -> int:
    """A whole number with a sign: the quality rules decide whether it may be negative."""
    if not text.removeprefix("-").isdecimal():
        raise ValueError(name, f"not a whole number: {text[:40]!r}")
    return int(text)


def _hour(text: str) -> int:
    try:
        return wire.HOURS[text]
    except KeyError:
        raise ValueError(wire.HOURLY, f"not an hour of the day: {text[:40]!r}") from None


def _items(body: bytes) -> list[msgspec.Raw]:
    try:
        items: list[msgspec.Raw] = _any_page(body).data
    except _DECODE_FAULTS as error:
        raise BadInput(f"not a page of Meta's: {error}") from None
    return items


def _one_by_one(body: bytes, convert: Callable[[wire.InsightsRow, int], MetricRow], context: PullContext) -> RowBatch:
    batch = RowBatch([], [])
    for line, raw in enumerate(_items(body), 1):
        try:
            batch.rows.append(convert(_row(raw), line))
        except Nothing:
            continue
        except (ValueError, *_DECODE_FAULTS) as error:
            batch.bad.append(_bad_row(line, raw, error, context))
    return batch


def _bad_rows(body: bytes, faults: list[tuple[int, ValueError]], context: PullContext) -> list[BadRow]:
    raws = _items(body)
    return [_bad_row(line, raws[line - 1], error, context) for line, error in faults]


def _bad_row(line: int, raw: msgspec.Raw, error: Exception, context: PullContext) -> BadRow:
    """A row for quarantine, with its key when that much of it can be read."""
    decoded = _loose(raw)
    row = wire.InsightsRow("", "")
    names = wire.BREAKDOWNS.get(context.dataset.breakdown, ())
    for name in ("date_start", "account_id", "campaign_id", "adset_id", "ad_id", *names):
        value = decoded.get(name)
        if isinstance(value, str):
            setattr(row, name, value)
    entity, day = "", ""
    if not row.account_id or row.account_id == context.profile_id:
        try:
            _check_day(row.date_start)
            entity, day = _identifier(context.dataset)(row), row.date_start
        except (ValueError, Nothing):
            entity = day = ""
    return BadRow(line, decoded, [_fault(error)], entity, day)


def _loose(raw: msgspec.Raw) -> dict[str, Any]:
    """Whatever a row is, as a dict that can be written to quarantine."""
    try:
        decoded = msgspec.json.decode(raw)
    except _DECODE_FAULTS:
        return {"text": bytes(raw)[:4000].decode("utf-8", "replace")}
    return decoded if isinstance(decoded, dict) else {"value": decoded}


def _fault(error: Exception) -> dict[str, Any]:
    if isinstance(error, ValueError) and len(error.args) == 2:
        return {"field": error.args[0], "rule": "format", "message": error.args[1]}
    return {"field": "", "rule": "schema", "message": str(error)[:300]}
