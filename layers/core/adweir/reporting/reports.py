"""Reports: metrics by dimensions over a time range, restricted by segments.

A dimension goes by its short name (`account`, `client`, `campaign`, ...) or by its field's (`account_id`, ...), and its
column by the name that was asked for. `account` is the platform's ad account, `client` the client company. Rows and
totals are per currency as soon as one metric involves money. Beside its columns a row may have the notes of
`totals.RowSum`: what was unknown, and whether it was kept, is live or is what the others leave unattributed.

A report may compare its range with another (`reporting.comparing`), order its rows and show the first of them
(`reporting.arranged`), and have names beside ids (`reporting.object_names`). Such rows are made at once and not one by
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adweir.model.errors import Unprocessable
from adweir.model.metrics import METRICS as NUMBERS
from adweir.model.metrics import Grain
from adweir.model.times import iso
from adweir.reporting import comparing
from adweir.reporting.arranged import AS_THEY_COME, OTHERS, Arrangement, Entries
from adweir.reporting.changes import listed
from adweir.reporting.chosen import SEGMENTS, choose
from adweir.reporting.comparing import Comparison, Pair, said_range
from adweir.reporting.converting import Conversion, said_conversion
from adweir.reporting.dimensions import DIMENSIONS, OF_DAY, Key
from adweir.reporting.filters import EVERYTHING, FILTERS, Filters
from adweir.reporting.freshness import freshness
from adweir.reporting.moments import Moments
from adweir.reporting.object_names import NAMES, RowNames
from adweir.reporting.owned import OF_TIME
from adweir.reporting.query import Answer, Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.report_names import MADE_OF, METRICS, NO_MONEY, OTHER_NAMES, SHORT_NAMES
from adweir.reporting.series import SERIES, SeriesNames
from adweir.reporting.totals import UNATTRIBUTED, RowSum, measures

_CURRENCY = "currency"
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report is to hold. All segments have to match: `{"name": <filter>, "values": [...]}`, or `"value"`.

    `live`: days that are not over are answered by their hours. `moments`: the moment that it is made as of, and since
    when changes are listed. `data_type`: a series that belongs to no ad platform (`reporting.series`); "" for ads.
    `names`: beside ids. `compare`: the range that this one is compared with. `convert`: the currency of its amounts.
    """

    name: str
    range: TimeSpan
    metrics: Sequence[str]
    dimensions: Sequence[str] = ()
    segments: Sequence[Mapping[str, Any]] = ()
    live: bool = False
    moments: Moments | None = None
    data_type: str = ""
    arranged: Arrangement = AS_THEY_COME
    names: bool = False
    compare: Comparison | None = None
    convert: Conversion | None = None


@dataclass(frozen=True, slots=True)
class MetricReport:
    """A finished report: `columns` in order, `rows` and `totals` as dicts by column; values as in `measures`.

    `coverage` per day, `adjustments` per currency: see `reporting.coverage` and `reporting.adjustments`. `about`: when
    it was made, the moment that it is made as of, and what changed since another. `zones`: those of its ad accounts,
    where the range depends on them. `compared`: with what, and what that rests on. `conversion`: by which rates.
    """

    name: str
    range: TimeSpan
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]
    coverage: list[dict[str, Any]] = field(default_factory=list)
    adjustments: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    about: Mapping[str, Any] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    compared: Mapping[str, Any] = field(default_factory=dict)
    conversion: Mapping[str, Any] = field(default_factory=dict)

    @property
    def freshness(self) -> dict[str, Any]:
        """How fresh it is, in a few words."""
        return freshness(self.coverage)

    @property
    def head(self) -> dict[str, Any]:
        """What an answer says beside the rows."""
        return {
            "name": self.name,
            "time_range": said_range(self.range, self.zones),
            **({"compared": self.compared} if self.compared else {}),
            **({"conversion": self.conversion} if self.conversion else {}),
            "columns": list(self.columns),
            "row_count": len(self.rows),
            "totals": self.totals,
            "freshness": self.freshness,
            "coverage": self.coverage,
            "adjustments": self.adjustments,
            "warnings": self.warnings,
        } | dict(self.about)


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """What a report asks, and how its rows and totals look; made by `plan`."""

    query: Query
    dimensions: tuple[str, ...]
    """Their columns: the names that were asked for."""
    metrics: tuple[str, ...]
    by_currency: bool
    series: SeriesNames | None = None
    """Whose names the metrics are, where the report is not of ads."""
    arranged: Arrangement = AS_THEY_COME
    names: bool = False
    compare: Comparison | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of each row."""
        ids = [(name, NAMES[_field(name)]) if name in self._named else (name,) for name in self.keys]
        others = (OTHERS,) if self.arranged.limit else ()
        return (*(column for both in ids for column in both), *self.values, *others)

    @property
    def keys(self) -> tuple[str, ...]:
        """What a group is of: the dimensions, and maybe the currency."""
        return (*self.dimensions, _CURRENCY) if self.by_currency else self.dimensions

    @property
    def values(self) -> tuple[str, ...]:
        """The columns of numbers."""
        if not self.compare:
            return self.metrics
        return tuple(column for name in self.metrics for column in comparing.columns_of(name))

    @property
    def is_whole(self) -> bool:
        """Whether its rows can be told only when all are known."""
        return bool(self.arranged or self.names or self.compare)

    def check(self) -> ReportPlan:
        """Raises Unprocessable that lists the columns that there are."""
        self.arranged.check((*self.keys, *self.values), self.dimensions)
        return self

    def answer(self, queries: Queries, span: TimeSpan | None = None) -> Answer:
        """The answer, or that for a piece of the range. With that of another range, both have as many groups as one.

        Raises Unprocessable, TooLarge, Unavailable.
        """
        before = self.compare.query(self.query) if self.compare else None
        found = queries.answer(self.query if span is None else replace(self.query, range=span))
        if before is not None:
            found.before = queries.with_groups_beside(len(found.groups)).answer(before)
        return found

    def rows(self, queries: Queries, found: Answer, *, lookup: bool = True) -> Iterable[dict[str, Any]]:
        """The rows of an answer, in its order or in that which is asked for. Raises TooLarge, Unavailable.

        `lookup`: whether names may be looked up one by one.
        """
        if not self.is_whole:
            return self._rows(found)
        times = [at for at, name in enumerate(self.dimensions) if name in OF_TIME]
        pairs = comparing.pairs(found, found.before, self._of_row, times)
        made = list(Entries(self.keys, pairs, self._row).rows(self.arranged))
        if not self._named:
            return [row for row, _ in made]
        names = RowNames(queries.catalog, queries.profiles(self.query.filters), lookup=lookup)
        names.add(made, {name: _field(name) for name in self._named})
        return [{name: row[name] for name in self.columns} | row for row, _ in made]

    def _rows(self, found: Answer) -> Iterator[dict[str, Any]]:
        groups = found.groups if self.by_currency else _over_currencies(found.groups)
        for key, total in groups.items():
            yield dict(zip(self.keys, key, strict=True)) | self._values(total) | self._notes(total)

    def sums(self, found: Answer) -> dict[Key, RowSum]:
        """What an answer adds to the totals, by currency where they have one; of another range under `before`, too."""
        if found.before is None:
            return _merged((self._of_total(key), total) for key, total in found.groups.items())
        both = comparing.pairs(found, found.before, self._of_total, ())
        sums = {key: pair.now for key, pair in both.items()}
        sums |= {(*key, comparing.BEFORE): pair.before for key, pair in both.items()}
        return {key: total for key, total in sums.items() if total is not None}

    def totals(self, sums: Mapping[Key, RowSum]) -> list[dict[str, Any]]:
        """The totals."""
        keys = {key[:1] if self.by_currency else () for key in sums}
        both = {key: Pair(sums.get(key), sums.get((*key, comparing.BEFORE))) for key in sorted(keys)}
        return [
            dict(zip((_CURRENCY,), key, strict=False)) | self._compared(pair) | self._of_pair(pair, marks=False)
            for key, pair in both.items()
        ]

    def compared(self, queries: Queries, found: Answer) -> dict[str, Any]:
        """What a report says of the range that it is compared with."""
        if self.compare is None or found.before is None:
            return {}
        rests_on = found.before.coverage.answer()
        said = self.compare.said(zones(queries, self.query)) | self.converted(found.before.rates)
        return said | {"freshness": freshness(rests_on), "coverage": rests_on}

    def converted(self, used: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """What a report says of the rates that its amounts were converted by."""
        return {"conversion": said_conversion(self.query.convert, used)} if self.query.convert else {}

    def _row(self, key: Key, pair: Pair) -> dict[str, Any]:
        return dict(zip(self.keys, key, strict=True)) | self._compared(pair) | self._of_pair(pair, marks=True)

    def _of_row(self, key: Key) -> Key:
        return key if self.by_currency else key[:-1]

    def _of_total(self, key: Key) -> Key:
        return key[-1:] if self.by_currency else ()

    def _compared(self, pair: Pair) -> dict[str, Any]:
        """The numbers of both ranges, and how they differ; of one where nothing is compared."""
        unknown = dict.fromkeys(self.metrics)
        now = self._values(pair.now) if pair.now else unknown
        if not self.compare:
            return now
        before = self._values(pair.before) if pair.before else unknown
        return {
            column: value
            for name in self.metrics
            for column, value in ({name: now[name]} | comparing.compared(name, now[name], before[name])).items()
        }

    def _of_pair(self, pair: Pair, *, marks: bool) -> dict[str, Any]:
        """What a row says about itself; of the numbers before, in `before`."""
        says = self._notes if marks else self._unknown
        now, before = (says(total) if total else {} for total in (pair.now, pair.before))
        unattributed = {UNATTRIBUTED: True} if before.pop(UNATTRIBUTED, False) else {}
        return now | unattributed | ({comparing.BEFORE: before} if before else {})

    def _values(self, total: RowSum) -> dict[str, Any]:
        found = self.series.values(total) if self.series else measures(total.slot)
        return {name: found[OTHER_NAMES.get(name, name)] for name in self.metrics}

    def _notes(self, total: RowSum) -> dict[str, Any]:
        return {name: said for name, said in total.notes.items() if name != "unknown"} | self._unknown(total)

    def _unknown(self, total: RowSum) -> dict[str, Any]:
        """In how many rows a number was unknown that the asked metrics are made of."""
        if self.series:
            return self.series.notes(total, self.metrics)
        numbers = {part for name in self.metrics for part in MADE_OF.get(name, (OTHER_NAMES.get(name, name),))}
        counts = {name: total.unknown[name] for name in NUMBERS if name in numbers and name in total.unknown}
        return {"unknown": counts} if counts else {}

    @property
    def _named(self) -> tuple[str, ...]:
        """The dimensions that have names beside them."""
        return tuple(name for name in self.dimensions if self.names and not self.series and _field(name) in NAMES)


def plan(queries: Queries, asked: ReportRequest) -> ReportPlan:
    """How to answer a report. Raises Unprocessable that lists what is known."""
    if asked.data_type:
        return _series_plan(queries, asked)
    _known("metrics", asked.metrics, METRICS)
    _known("dimensions", asked.dimensions, (*DIMENSIONS, *SHORT_NAMES))
    metrics = tuple(dict.fromkeys(asked.metrics)) or METRICS[:4]
    named = tuple(dict.fromkeys(asked.dimensions))
    by_currency = bool(set(metrics) - NO_MONEY) or _CURRENCY in named
    columns = tuple(name for name in named if name != _CURRENCY)
    dimensions = tuple(_field(name) for name in columns)
    grain = Grain.HOUR if "hour" in dimensions else Grain.DAY
    filters = _filters(queries, asked.segments)
    base = Query(asked.range, dimensions, filters, grain, live=asked.live)
    _check_amounts(asked, by_currency=bool(set(metrics) - NO_MONEY))
    query = replace(base, adjusted=True, owned=_is_owned(asked), alone=True, convert=asked.convert)
    shown = (asked.arranged, asked.names, asked.compare)
    return ReportPlan(query, columns, metrics, by_currency, None, *shown).check()


def _series_plan(queries: Queries, asked: ReportRequest) -> ReportPlan:
    """The same of a series that belongs to no ad platform."""
    _known("data_type", [asked.data_type], tuple(SERIES))
    names = SERIES[asked.data_type]
    known = names.fields | {name: name for name in ("date", *OF_DAY)}
    _known("metrics", asked.metrics, tuple(names.numbers))
    metrics = tuple(dict.fromkeys(asked.metrics)) or tuple(names.numbers)
    columns = tuple(dict.fromkeys(asked.dimensions))
    _known("dimensions", columns, (*known, *(short for short, name in SHORT_NAMES.items() if name in known)))
    filters = EVERYTHING
    for at, name, values in _segments(asked.segments, tuple(names.fields)):
        filters = filters.both(names.filters({name: values}, queries.parse_platform, at))
    if names.by_name and not {"name", names.fields["name"]} & {*columns, *filters.allowed}:
        message = f"each name of {asked.data_type} is a series of its own: add the dimension name, or a segment of it"
        raise Unprocessable(message, [{"field": "dimensions", "message": message}])
    by_currency = bool({"revenue", "value"} & set(metrics)) or _CURRENCY in columns
    _check_amounts(asked, by_currency="revenue" in metrics)
    columns = tuple(name for name in columns if name != _CURRENCY)
    dimensions = tuple(known[_field(name)] for name in columns)
    owned, convert = _is_owned(asked), asked.convert
    query = Query(asked.range, dimensions, filters, level=names.level, owned=owned, convert=convert)
    shown = (asked.arranged, asked.names, asked.compare)
    return ReportPlan(query, columns, metrics, by_currency, names, *shown).check()


def report(queries: Queries, asked: ReportRequest) -> MetricReport:
    """Make a report. Raises Unprocessable that lists what is known, TooLarge, Unavailable."""
    made = plan(queries, asked)
    found = made.answer(queries)
    return MetricReport(
        asked.name,
        asked.range,
        made.columns,
        list(made.rows(queries, found)),
        made.totals(made.sums(found)),
        found.coverage.answer(),
        found.adjustments.answer(),
        found.warnings,
        about(queries, made.query, asked.moments),
        zones(queries, made.query),
        made.compared(queries, found),
        **made.converted(found.rates),
    )


def zones(queries: Queries, query: Query) -> frozenset[str]:
    """The time zones of a report's ad accounts, where its range depends on them."""
    if not query.range.relative:
        return frozenset()
    return frozenset(each.timezone for each in queries.dated_profiles(query.filters, own=query.is_series)[0])


def about(queries: Queries, query: Query, moments: Moments | None) -> dict[str, Any]:
    """When it was made, as of which moment, and what changed since another."""
    if moments is None:
        return {}
    notes = {"made_at": iso(moments.answered_at)} | moments.notes
    if moments.changed_since is None:
        return notes
    return notes | listed(queries.changes(query, moments.changed_since, moments.now)).answer


def _over_currencies(groups: Mapping[Key, RowSum]) -> dict[Key, RowSum]:
    """Counts have no currency: one row per group."""
    return _merged((key[:-1], total) for key, total in groups.items())


def _merged(groups: Iterable[tuple[Key, RowSum]]) -> dict[Key, RowSum]:
    merged: dict[Key, RowSum] = {}
    for key, total in groups:
        if key in merged:
            merged[key].merge(total)
        else:
            merged[key] = total.copy()
    return merged


def _check_amounts(asked: ReportRequest, *, by_currency: bool) -> None:
    """Whether there is anything to convert. Raises Unprocessable."""
    if asked.convert and not by_currency:
        message = "none of the metrics is an amount of money"
        raise Unprocessable(message, [{"field": "convert_to", "message": message}])


def _is_owned(asked: ReportRequest) -> bool:
    """Whether it matters of which ad accounts a row is."""
    return asked.names or asked.compare is not None


def _filters(queries: Queries, segments: Sequence[Mapping[str, Any]]) -> Filters:
    filters = EVERYTHING
    for at, name, values in _segments(segments, (*FILTERS, *SEGMENTS), SEGMENTS):
        filters = filters.both(queries.filters({name: values}, at))
    of_profiles = filters
    for index, segment in enumerate(segments):
        if segment.get("name") in SEGMENTS:
            filters = filters.both(choose(queries, of_profiles, segment, f"segments[{index}]"))
    return filters


def _segments(
    segments: Sequence[Mapping[str, Any]], known: Sequence[str], without: Sequence[str] = ()
) -> Iterator[tuple[str, str, Any]]:
    """Where each segment stands, its filter and the values; without those of some names."""
    for index, segment in enumerate(segments):
        if segment.get("name") in without:
            continue
        name = segment.get("name") or segment.get("field")
        values = segment.get("values", segment.get("value"))
        if not isinstance(name, str) or values is None:
            message = f'a segment is {{"name", "values"}}; names: {", ".join(known)}'
            raise Unprocessable(message, [{"field": f"segments[{index}]", "message": message}])
        yield f"segments[{index}]", _field(name), values


def _field(name: str) -> str:
    return SHORT_NAMES.get(name, name)


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            raise Unprocessable(
                f"unknown {what} {name[:_SHOWN]!r}; known: {', '.join(known)}",
                [{"field": f"{what}[{index}]", "message": "is unknown", "known": list(known)}],
            )
