"""Answers of a described API → metric rows of one ad account."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import METRICS, NO_NUMBERS, BadRow, Grain, Level, MetricRow, Slot
from adweir.platforms.connector import PullContext, RawPage, RowBatch
from adweir.platforms.csv_pieces import CHUNK, pieces_of
from adweir.platforms.described import answers, paths
from adweir.platforms.described.fields import FieldReader, FieldRule, Get
from adweir.platforms.described.ids import entity_of, in_account
from adweir.platforms.described.language import Described, DescribedList
from adweir.platforms.described.paging import NOTHING
from adweir.platforms.encodings import utf8_of
from adweir.platforms.json_items import fault
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Rounding
from adweir.platforms.row_sums import RowSums

_BATCH = 2000
_SHOWN = 100
_AMOUNTS = {"conversions": CONVERSIONS, "spend": SPEND, "revenue": REVENUE}


class RecordEntry(NamedTuple):
    """A record by its number in the page, and what it has by path. `raw` is for quarantine.

    `get` raises ValueError where the record has no values.
    """

    number: int
    get: Get
    raw: Any


def entries(page: RawPage, listing: DescribedList) -> Iterator[RecordEntry]:
    """The records of a page that are wanted. Raises BadInput for one that cannot be read at all."""
    found = _all(page, listing)
    return _wanted(found, listing) if listing.where else found


def _wanted(found: Iterator[RecordEntry], listing: DescribedList) -> Iterator[RecordEntry]:
    """The records that are not left out. One that cannot say whether it is wanted has no values."""
    for entry in found:
        try:
            if all(_word_at(entry, path) in words for path, words in listing.where.items()):
                yield entry
        except ValueError as error:
            yield entry._replace(get=_refusing(*error.args))


def _word_at(entry: RecordEntry, path: str) -> str:
    value = entry.get(path)
    if value is paths.MISSING:
        raise ValueError(path, "is missing: it says whether the record is wanted")
    return answers.word(value)


def _all(page: RawPage, listing: DescribedList) -> Iterator[RecordEntry]:
    if page.label == NOTHING:
        return
    if page.media == "csv":
        yield from _lines(page, listing)
        return
    try:
        answer = answers.decode(page.stream.read())
        found = paths.records(answer, listing.records, null_is_empty=listing.null_is_empty)
        for number, record in enumerate(found, 1):
            yield RecordEntry(number, record.at, record.scopes[-1])
    except ValueError as error:
        raise BadInput(f"not an answer that the spec describes: {error}"[:300]) from None


def _lines(page: RawPage, listing: DescribedList) -> Iterator[RecordEntry]:
    names: list[str] | None = None
    skip = listing.form.skip_lines
    chunks = utf8_of(iter(lambda: page.stream.read(CHUNK), b""), listing.form.encoding)
    for piece in pieces_of(chunks, listing.form.delimiter):
        for number, row in enumerate(piece.rows, piece.first):
            if number <= skip:
                continue
            if names is None:
                names = [name.strip() for name in row]
                _check_header(names, listing.fields)
            elif len(row) != len(names):
                yield RecordEntry(number, _refusing("", f"has {len(row)} cells, the header {len(names)}"), row)
            else:
                cells = dict(zip(names, row, strict=True))
                yield RecordEntry(number, _cell(cells), cells)
    if names is None and not listing.null_is_empty:
        raise BadInput("the file has no header: that does not say that there are no rows")


def _refusing(*said: str) -> Get:
    def refuse(_path: str) -> Any:
        raise ValueError(*said)

    return refuse


def _cell(cells: Mapping[str, str]) -> Get:
    return lambda path: cells.get(path, paths.MISSING)


def _check_header(names: list[str], fields: Mapping[str, FieldRule]) -> None:
    wanted = {path for rule in fields.values() if rule.absent is None for path in rule.paths}
    missing = sorted(path for path in wanted if names.count(path) != 1)
    if missing:
        faults = [{"field": name, "rule": "columns", "message": "is not there once"} for name in missing]
        raise BadInput(f"the columns are wrong: {', '.join(missing)[:200]} not there once", faults)


def batches(
    page: RawPage, described: Described, context: PullContext, named: Collection[str] = ()
) -> Iterator[RowBatch]:
    """The rows of a page, added up where the spec says that they are parts; `named`: the ad accounts that it names."""
    reader = DescribedRows(described, context, named)
    if not described.add_up:
        yield from reader.read(page)
        return
    sums = RowSums()
    for batch in reader.read(page):
        bad = sums.add(batch)
        if bad:
            yield RowBatch([], bad)
    yield from sums.batches()


class DescribedRows:
    """How the records of a dataset become rows of an ad account."""

    def __init__(self, described: Described, context: PullContext, named: Collection[str] = ()) -> None:
        self._named, self._strangers = named, list[str]()
        self._described = described
        self._context = context
        self._readers = {name: FieldReader(name, rule) for name, rule in described.fields.items()}
        self._level = context.dataset.level
        self._hourly = context.dataset.grain is Grain.HOUR
        self._only_day = context.window.start.isoformat() if context.window else ""
        if "date" not in self._readers and context.window and context.window.length > 1:
            raise BadInput("the spec names no date any more, and the answer is for more than one day")

    def read(self, page: RawPage) -> Iterator[RowBatch]:
        """The rows of other ad accounts are left out. Raises BadInput where all are of accounts that nobody named."""
        found = entries(page, self._described)
        while chunk := list(islice(found, _BATCH)):
            rows, bad = list[MetricRow](), list[BadRow]()
            for entry in chunk:
                try:
                    if self._is_ours(entry.get):
                        rows.append(self._row(entry))
                except ValueError as error:
                    bad.append(self._bad(entry, error))
            yield RowBatch(rows, bad)
        if self._strangers and self._named:
            first, wanted = self._strangers[0][:_SHOWN], ", ".join(sorted(self._named))[:_SHOWN]
            raise BadInput(
                f"no record is of an ad account that the spec names ({wanted}): the first is of {first!r}. Name it in"
                " accounts, or mend the field that account_id is read from"
            )

    def _is_ours(self, get: Get) -> bool:
        """Raises ValueError for a record that does not say whose it is: left out, its days would become zero."""
        reader = self._readers.get("account_id")
        if reader is None:
            return True
        account = _needed(reader.text(get), "account_id")
        if account in self._named:
            self._named = ()  # the question is answered: the page has records of one of them
        elif not self._strangers:
            self._strangers.append(account)
        return account == in_account(self._context.profile_id)

    def _row(self, entry: RecordEntry) -> MetricRow:
        get, rounding = entry.get, Rounding()
        entity, campaign, group = self._entity(get)
        day, hour = self._time(get)
        currency = self._text("currency", get).upper() or self._context.currency
        impressions, clicks = self._count("impressions", get), self._count("clicks", get)
        conversions, spend, revenue = (self._amount(name, get, currency, rounding) for name in _AMOUNTS)
        return MetricRow(
            entity_id=entity,
            day=day,
            impressions=impressions,
            clicks=clicks,
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=campaign,
            ad_group_id=group,
            hour=hour,
            currency=currency,
            line=entry.number,
            rounding=rounding.deltas(),
        )

    def _bad(self, entry: RecordEntry, error: ValueError) -> BadRow:
        """The record with its key and numbers, as far as they can be read."""
        entity = day = campaign = group = ""
        slot: Slot = NO_NUMBERS
        with suppress(ValueError):
            entity, campaign, group = self._entity(entry.get)
            day = self._time(entry.get)[0]
            slot = self._slot(entry.get)
        raw = entry.raw if isinstance(entry.raw, dict | list) else {"value": entry.raw}
        return BadRow(entry.number, raw, [fault(error)], entity if day else "", day, slot, campaign, group)

    def _slot(self, get: Get) -> Slot:
        """The numbers, None for each that cannot be read."""
        found: list[int | None] = []
        for name in METRICS:
            value = None
            with suppress(ValueError):
                value = (
                    self._amount(name, get, self._context.currency, Rounding())
                    if name in _AMOUNTS
                    else self._count(name, get)
                )
            found.append(value)
        impressions, clicks, conversions, spend, revenue = found
        return impressions, clicks, conversions, spend, revenue

    # -- who and when -------------------------------------------------------------------------------------------------

    def _entity(self, get: Get) -> tuple[str, str, str]:
        """Entity, campaign and ad group; parents that the records do not name are those of the catalog."""
        level = self._level
        if level is Level.ACCOUNT:
            return self._context.profile_id, "", ""
        campaign, group = self._id("campaign_id", get), self._id("ad_group_id", get)
        if level is Level.CAMPAIGN:
            return _needed(campaign, "campaign_id"), campaign, ""
        if level is Level.AD_GROUP:
            campaign = (
                campaign
                or _parents(self._context, Dataset.AD_GROUPS).get(_needed(group, "ad_group_id"), _NONE).campaign
            )
            return group, campaign, group
        ad = _needed(self._id("ad_id", get), "ad_id")
        if not (campaign and group):
            above = _parents(self._context, Dataset.ADS).get(ad, _NONE)
            campaign, group = campaign or above.campaign, group or above.group
        if group and not campaign:
            campaign = _parents(self._context, Dataset.AD_GROUPS).get(group, _NONE).campaign
        group = group or _NOBODY
        return f"{group}~{ad}", campaign, group

    def _id(self, name: str, get: Get) -> str:
        return entity_of(self._text(name, get), name)

    def _time(self, get: Get) -> tuple[str, int]:
        reader = self._readers.get("date")
        if reader is None:
            return self._only_day, -1
        if not self._hourly:
            return reader.day(get, self._context.timezone), -1
        apart = self._readers.get("hour")
        if apart is None:
            return reader.hour(get, self._context.timezone)
        hour = apart.whole(get)
        if hour is None or not 0 <= hour < 24:
            raise ValueError("hour", f"not an hour: {hour}")
        return reader.day(get, self._context.timezone), hour

    # -- numbers ------------------------------------------------------------------------------------------------------

    def _text(self, name: str, get: Get) -> str:
        reader = self._readers.get(name)
        return reader.text(get) if reader else ""

    def _count(self, name: str, get: Get) -> int | None:
        reader = self._readers.get(name)
        return reader.whole(get) if reader else None

    def _amount(self, name: str, get: Get, currency: str, rounding: Rounding) -> int | None:
        reader = self._readers.get(name)
        found = reader.amount(get, currency) if reader else None
        if found is None:
            return None
        if found.added != Decimal(0):
            rounding.added.append((_AMOUNTS[name], found.added))
        return found.micros


class _Above(NamedTuple):
    campaign: str = ""
    group: str = ""


_NONE = _Above()
_NOBODY = "unknown"
"""The ad group of an ad that no list has brought yet."""


@lru_cache(maxsize=2)
def _parents(context: PullContext, dataset: Dataset) -> Mapping[str, _Above]:
    """What the objects of an ad account belong to, as the catalog has them; read once per pull."""
    return {each.id: _Above(each.campaign_id, each.ad_group_id) for each in context.objects(dataset)}


def _needed(text: str, name: str) -> str:
    if not text:
        raise ValueError(name, "is required")
    return text
