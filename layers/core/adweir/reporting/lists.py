"""Lists of stored things, as ads, account days and invoices: chosen, ordered, and with the fields asked.

A list is what `retrieve` answers for a data type (`reporting.records`): its records are made there, once for both. Here
they are narrowed by their own values (a status, a part of their name), ordered, cut to fields, and have names beside
ids. Metrics are read only where a field that is shown, or the order, needs them; names for what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.entities import AdCampaign, Keyword, KeywordKind, PlatformObject, Status
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.invoices import DocumentKind, InvoiceLineKind, InvoiceStatus
from adweir.model.metrics import Level
from adweir.reporting.ads import AD_FIELDS, AD_METRICS
from adweir.reporting.chosen import contains
from adweir.reporting.comparing import said_range
from adweir.reporting.filters import EVERYTHING
from adweir.reporting.object_names import NAMES, RowNames
from adweir.reporting.object_totals import WINDOWS, ObjectTotals, TotalledObject
from adweir.reporting.query import Queries
from adweir.reporting.ranges import parse_words
from adweir.reporting.records import ACCOUNT_DAY_FIELDS, RecordRequest, StoredRecords
from adweir.reporting.shown import INVOICE_FIELDS
from adweir.reporting.totals import KEPT, LIVE
from adweir.store.catalog.store import Catalog

TOTALS = "totals"
_NO_ORDER = frozenset({TOTALS, "name_parts", "landing_page", "replaces", "budgets", "conversion_columns"})
_COUNTS = frozenset({"campaign_count", "ad_count"})
"""Fields of an account day for which its ads are read."""
_NOTES = ("unknown", KEPT, LIVE)
"""What a record says about its numbers stays beside them, whatever fields are asked."""
_LOOKS = 5000
"""Records between two looks at the time."""
_SHOWN = 40
_OF_ACCOUNTS = ("account_id", "client_account_id")
_WITH_PARENTS = (*_OF_ACCOUNTS, "campaign_id", "ad_group_id")


def _fields_of(entity: type[PlatformObject]) -> tuple[str, ...]:
    return (*entity.model_fields, "currency", "account_id", "client_account_id", TOTALS)


class ListKind(NamedTuple):
    """A kind of list: the data type of its records, their fields, and which of these are metrics.

    `totals`: the level whose totals (`reporting.object_totals`) its records have beside their own fields.
    `values`: the field by which its records may be narrowed → the values that there are; none: any text. `named`: the
    field that says what a record is called. `ids`: those that have names beside them.
    """

    data_type: str
    fields: tuple[str, ...]
    metrics: frozenset[str] = frozenset()
    totals: Level | None = None
    values: Mapping[str, tuple[str, ...]] = {}
    named: str = ""
    ids: tuple[str, ...] = _OF_ACCOUNTS

    @property
    def names(self) -> dict[str, str]:
        """Id → the field with its name, of those that a record does not have itself."""
        return {name: NAMES[name] for name in self.ids if NAMES[name] not in self.fields}

    @property
    def known(self) -> tuple[str, ...]:
        """All fields that may be asked for."""
        return (*self.fields, *self.names.values())

    @property
    def orders(self) -> tuple[str, ...]:
        """What its records can be ordered by."""
        of_totals = [f"{TOTALS}.{window}.{metric}" for window in WINDOWS for metric in AD_METRICS]
        return (*(name for name in self.fields if name not in _NO_ORDER), *(of_totals if self.totals else ()))


LISTS: Mapping[str, ListKind] = {
    "ads": ListKind(
        "ads", AD_FIELDS, frozenset(AD_METRICS), values={"status": tuple(Status)}, named="name", ids=_WITH_PARENTS
    ),
    "account_days": ListKind(
        "account_performance", ACCOUNT_DAY_FIELDS, frozenset(ACCOUNT_DAY_FIELDS), named="account_name"
    ),
    "platform_campaigns": ListKind(
        "campaigns",
        (*_fields_of(AdCampaign), "name_parts"),
        totals=Level.CAMPAIGN,
        values={"status": tuple(Status)},
        named="name",
    ),
    "keywords": ListKind(
        "keywords",
        _fields_of(Keyword),
        totals=Level.KEYWORD,
        values={"status": tuple(Status), "kind": tuple(KeywordKind), "match_type": ()},
        named="text",
        ids=_WITH_PARENTS,
    ),
    "invoices": ListKind(
        "invoices",
        INVOICE_FIELDS,
        values={
            "kind": tuple(InvoiceLineKind),
            "document": tuple(DocumentKind),
            "status": tuple(InvoiceStatus),
            "invoice_id": (),
            "campaign_id": (),
        },
    ),
}


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What to list. `filters` as those of `retrieve`; `where`: record field → its allowed values. `contains`: texts of
    which a record's name has one, in upper or lower case; none: any name.

    `fields`: none means all. `order`: a field, with a minus before it the greatest first; "" keeps the order of ad
    accounts and ids.
    """

    name: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    order: str = ""
    contains: tuple[str, ...] = ()

    @property
    def kind(self) -> ListKind:
        return LISTS[self.name]

    @property
    def wanted(self) -> frozenset[str]:
        """The fields that are needed, to be shown or for the order."""
        return frozenset((*(self.fields or self.kind.known), self.order.removeprefix("-")))

    @property
    def reads_metrics(self) -> bool:
        """Whether a field that is shown, or the order, is a metric."""
        return not self.wanted.isdisjoint(self.kind.metrics)

    @property
    def shows_totals(self) -> bool:
        """Whether the records that are shown have totals."""
        return self.kind.totals is not None and TOTALS in (self.fields or self.kind.fields)

    def check(self) -> None:
        """Raises Unprocessable that names what is unknown, and what there is."""
        for name in self.fields:
            _check(name, self.kind.known, "fields")
        if self.order:
            _check(self.order.removeprefix("-"), self.kind.orders, "order")
        if not all(self.contains):
            message = "has an empty part, which every name contains"
            raise Unprocessable(f"name {message}", [{"field": "query.name", "message": message}])
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
        request = RecordRequest(
            asked.kind.data_type,
            asked.filters,
            metrics=asked.reads_metrics,
            counts=not asked.wanted.isdisjoint(_COUNTS),
            where="query",
        )
        found = self._records.every(request, now)
        kept: list[dict[str, Any]] = []
        parts = frozenset(text.casefold() for text in asked.contains)
        for number, record in enumerate(found.records):
            if not number % _LOOKS:
                self._queries.check_time()
            if _matches(record, asked.where) and (not parts or contains(record[asked.kind.named] or "", parts)):
                kept.append(record)
            if len(kept) > limits.MAX_KEPT_RECORDS:
                raise TooLarge(f"more than {limits.MAX_KEPT_RECORDS} records to list")
        if TOTALS in asked.order:
            self._add_totals(asked, kept)
        return ListedRecords(_ordered(kept, asked.order), found.coverage, found.warnings)

    def days(self, asked: ListRequest, now: datetime) -> dict[str, Any]:
        """The days that are asked for by words, as an answer says them; nothing where they are dates."""
        filters = dict(asked.filters)
        words = filters.pop("date_range", None)
        if not isinstance(words, str):
            return {}
        profiles, _ = self._queries.dated_profiles(self._queries.filters(filters, "query"))
        return {"time_range": said_range(parse_words(words, now), (each.timezone for each in profiles))}

    def shown(self, asked: ListRequest, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """A page with the fields that are asked for, in their order, and what these say about themselves.

        Totals and names are as of now, and only those of the page are read. Raises TooLarge, Unavailable.
        """
        if asked.shows_totals:
            self._add_totals(asked, [record for record in records if TOTALS not in record])
        self._add_names(asked, records)
        if not asked.fields:
            return list(records)
        names = (*asked.fields, *(_NOTES if asked.reads_metrics else ()))
        return [{name: record[name] for name in names if name in record} for record in records]

    def _add_names(self, asked: ListRequest, records: Sequence[dict[str, Any]]) -> None:
        """Read what the clients, ad accounts, campaigns and ad groups are called, as far as it is asked for."""
        ids = {name: name for name, shown in asked.kind.names.items() if shown in asked.wanted}
        if ids and records:
            names = RowNames(self._queries.catalog, self._queries.profiles(EVERYTHING))
            owned = [(record, (_profile_key(record),)) for record in records]
            names.add(owned, ids)

    def _add_totals(self, asked: ListRequest, records: Sequence[dict[str, Any]]) -> None:
        """Read the totals of objects, a profile at a time. None for what has no delivery of its own: a negative."""
        by_profile: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for record in records:
            record[TOTALS] = None
            if record.get("kind") != KeywordKind.NEGATIVE:
                by_profile.setdefault((record["platform"], record["profile_id"]), []).append(record)
        if not by_profile or asked.kind.totals is None:
            return
        profiles, _ = self._queries.dated_profiles(EVERYTHING)
        for profile in profiles:
            own = by_profile.get((str(profile.platform), profile.profile_id), [])
            objects = [_totalled(record, asked.kind.totals) for record in own]
            if objects:
                totals = ObjectTotals(self._queries, profile, asked.kind.totals, objects)
                for record, item in zip(own, objects, strict=True):
                    record[TOTALS] = totals.of(item, reported=record.get("reported", True))


def _profile_key(record: Mapping[str, Any]) -> str:
    return f"{record['platform']}#{record.get('profile_id', record['account_id'])}"


def _totalled(record: Mapping[str, Any], level: Level) -> TotalledObject:
    if level is Level.KEYWORD:
        return TotalledObject(record["id"], record["ad_group_id"], record["campaign_id"])
    return TotalledObject(record["id"])


def _matches(record: Mapping[str, Any], where: Mapping[str, frozenset[str]]) -> bool:
    return all(str(record[name]) in values for name, values in where.items())


def _ordered(records: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """By a field's value, unknown ones last; of equal ones the order stays."""
    name = order.removeprefix("-")
    if not name:
        return records
    values = [(_value(record, name), record) for record in records]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=order.startswith("-"))
    return [record for _, record in known] + [record for value, record in values if value is None]


def _value(record: Mapping[str, Any], name: str) -> Any:
    """A field's value, of totals by the names of window and metric."""
    value: Any = record
    for part in name.split("."):
        value = None if value is None else value[part]
    return value


def _check(value: str, known: Sequence[str], where: str) -> None:
    if value not in known:
        message = f"unknown {value[:_SHOWN]!r} in {where}; known: {', '.join(known)}"
        raise Unprocessable(message, [{"field": f"query.{where}", "message": "is unknown", "known": list(known)}])
