"""Lists of stored things: ads, account days, platform campaigns, keywords; chosen, ordered, and with the fields asked.

A list is what `retrieve` answers for a data type (`reporting.records`): its records are made there, once for both. Here
they are narrowed by their own values (a status), ordered, and cut to fields. Metrics are read only where a field that
is shown, or the order, needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.entities import AdCampaign, Keyword, KeywordKind, PlatformObject, Status
from adweir.model.errors import TooLarge, Unprocessable
from adweir.reporting.ads import AD_FIELDS, AD_METRICS
from adweir.reporting.query import Queries
from adweir.reporting.records import ACCOUNT_DAY_FIELDS, RecordRequest, StoredRecords
from adweir.reporting.totals import KEPT, LIVE
from adweir.store.catalog.store import Catalog

_NOTES = ("unknown", KEPT, LIVE)
"""What a record says about its numbers stays beside them, whatever fields are asked."""
_LOOKS = 5000
"""Records between two looks at the time."""
_SHOWN = 40


def _fields_of(entity: type[PlatformObject]) -> tuple[str, ...]:
    return (*entity.model_fields, "currency", "account_id", "client_account_id")


class ListKind(NamedTuple):
    """A kind of list: the data type of its records, their fields, and which of these are metrics.

    `values`: the field by which its records may be narrowed → the values that there are; none: any text.
    """

    data_type: str
    fields: tuple[str, ...]
    metrics: frozenset[str] = frozenset()
    values: Mapping[str, tuple[str, ...]] = {}


LISTS: Mapping[str, ListKind] = {
    "ads": ListKind("ads", AD_FIELDS, frozenset(AD_METRICS), {"status": tuple(Status)}),
    "account_days": ListKind("account_performance", ACCOUNT_DAY_FIELDS, frozenset(ACCOUNT_DAY_FIELDS)),
    "platform_campaigns": ListKind("campaigns", _fields_of(AdCampaign), values={"status": tuple(Status)}),
    "keywords": ListKind(
        "keywords",
        _fields_of(Keyword),
        values={"status": tuple(Status), "kind": tuple(KeywordKind), "match_type": ()},
    ),
}


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What to list. `filters` as those of `retrieve`; `where`: record field → its allowed values.

    `fields`: none means all. `order`: a field, with a minus before it the greatest first; "" keeps the order of ad
    accounts and ids.
    """

    name: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    order: str = ""

    @property
    def kind(self) -> ListKind:
        return LISTS[self.name]

    @property
    def needs_metrics(self) -> bool:
        """Whether metrics have to be read for what is shown, or for the order."""
        wanted = {*(self.fields or self.kind.fields), self.order.removeprefix("-")}
        return not wanted.isdisjoint(self.kind.metrics)

    def check(self) -> None:
        """Raises Unprocessable that names what is unknown, and what there is."""
        known = self.kind.fields
        for name in self.fields:
            _check(name, known, "fields")
        if self.order:
            _check(self.order.removeprefix("-"), known, "order")
        for name, values in self.where.items():
            for value in values if self.kind.values[name] else ():
                _check(value, self.kind.values[name], name)


class ListedRecords(NamedTuple):
    """All records of a list in their order, with all their fields, and what they rest on."""

    records: list[dict[str, Any]]
    coverage: list[dict[str, Any]]
    warnings: list[str]


class RecordLists:
    """Answers lists."""

    def __init__(self, catalog: Catalog, queries: Queries) -> None:
        self._queries = queries
        self._records = StoredRecords(catalog, queries)

    def all(self, asked: ListRequest, now: datetime) -> ListedRecords:
        """Everything that is asked for. Raises Unprocessable, TooLarge, Unavailable."""
        asked.check()
        request = RecordRequest(asked.kind.data_type, asked.filters, metrics=asked.needs_metrics, where="query")
        found = self._records.every(request, now)
        kept: list[dict[str, Any]] = []
        for number, record in enumerate(found.records):
            if not number % _LOOKS:
                self._queries.check_time()
            if _matches(record, asked.where):
                kept.append(record)
            if len(kept) > limits.MAX_KEPT_RECORDS:
                raise TooLarge(f"more than {limits.MAX_KEPT_RECORDS} records to list")
        return ListedRecords(_ordered(kept, asked.order), found.coverage, found.warnings)


def shown(asked: ListRequest, records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records with the fields that are asked for, in their order, and what these say about themselves."""
    if not asked.fields:
        return list(records)
    names = (*asked.fields, *_NOTES)
    return [{name: record[name] for name in names if name in record} for record in records]


def _matches(record: Mapping[str, Any], where: Mapping[str, frozenset[str]]) -> bool:
    return all(str(record[name]) in values for name, values in where.items())


def _ordered(records: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """By a field's value, unknown ones last; of equal ones the order stays."""
    name = order.removeprefix("-")
    if not name:
        return records
    unknown = [record for record in records if record[name] is None]
    known = [record for record in records if record[name] is not None]
    return sorted(known, key=lambda record: record[name], reverse=order.startswith("-")) + unknown


def _check(value: str, known: Sequence[str], where: str) -> None:
    if value not in known:
        message = f"unknown {value[:_SHOWN]!r} in {where}; known: {', '.join(known)}"
        raise Unprocessable(message, [{"field": f"query.{where}", "message": "is unknown", "known": list(known)}])
