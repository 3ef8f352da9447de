"""A query's rows as Google writes them: what is selected, filtered, sorted, in protobuf's JSON.

int64 is text, a whole double has no decimals, what is not set is left out, each resource brings its resource name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sandbox.outside import Outside
from sandbox.platforms.google_ads.accounts import GoogleAccount, GoogleEstate
from sandbox.platforms.google_ads.attributes import RowSubject, attribute
from sandbox.platforms.google_ads.entities import ENTITIES
from sandbox.platforms.google_ads.facts import CATEGORIES, FieldFact, camel, fact_of
from sandbox.platforms.google_ads.filters import predicate
from sandbox.platforms.google_ads.gaql import GaqlQuery
from sandbox.platforms.google_ads.lines import ACTION_SEGMENTS, GoogleLine, WantedLines, lines
from sandbox.platforms.google_ads.metrics import LATE, METRICS
from sandbox.platforms.google_ads.places import GooglePlace
from sandbox.platforms.google_ads.views import VIEWS, level_of, narrowed
from sandbox.world.world import Moment

Getter = Callable[[GoogleLine], Any]


class GoogleColumn(NamedTuple):
    """A field of the answer: the words of its place in the JSON, what it holds, and how it is read."""

    words: tuple[str, ...]
    fact: FieldFact
    read: Getter


@dataclass(frozen=True)
class GaqlQuestion:
    """A query that Google takes, of one account at one moment. `start` and `end`: the days of its conditions."""

    outside: Outside
    estate: GoogleEstate
    account: GoogleAccount
    query: GaqlQuery
    start: date
    end: date
    moment: Moment | None

    @property
    def minor_micros(self) -> int:
        """The currency's; an account that advertises nothing has no amounts."""
        return self.account.profile.minor_micros if self.account.profile else 1

    def getter(self, path: str) -> Getter:
        """How a field is read from a line, as a native value."""
        head, _, rest = path.partition(".")
        if head == "segments":
            return lambda line: line.segments.get(rest)
        if head == "metrics":
            return METRICS.get(rest, lambda _line: None)
        account, first_day, read = self.account, self.outside.world.first_day, attribute(path)
        return lambda line: read(RowSubject(account, line.place, first_day))


class GaqlResult(NamedTuple):
    """The rows within LIMIT, how many there are without it, and the summary's metrics."""

    rows: list[dict[str, Any]]
    total: int
    summary: dict[str, Any]


def result(asked: GaqlQuestion) -> GaqlResult:
    """Everything that answers a query."""
    query = asked.query
    conditions = [predicate(condition, asked.getter(condition.field)) for condition in query.where]
    found = [line for line in _lines(asked) if all(holds(line) for holds in conditions)]
    for ordering in reversed(query.order):
        read = asked.getter(ordering.field)
        found.sort(key=lambda line: _rank(read(line)), reverse=ordering.descending)
    columns = list(_columns(asked))
    rows = [_written(columns, line) for line in found[: query.limit]]
    return GaqlResult(rows, len(found), _summary(asked, found))


def field_mask(query: GaqlQuery) -> str:
    """The selected fields."""
    return ",".join(camel(path) for path in query.select)


def _rank(value: Any) -> tuple[bool, Any]:
    return value is not None, value if value is not None else 0


# -- which lines -----------------------------------------------------------------------------------------------------


def _lines(asked: GaqlQuestion) -> Iterator[GoogleLine]:
    query = asked.query
    counts = any(path.partition(".")[0] in CATEGORIES for path in query.named)
    if query.resource not in VIEWS or not (counts or query.resource not in ENTITIES):
        yield from _listed(asked)
        return
    metrics = {path.removeprefix("metrics.") for path in query.named if path.startswith("metrics.")}
    wanted = WantedLines(
        query.resource,
        tuple(query.chosen("segments")),
        frozenset(path.partition(".")[0] for path in query.named),
        asked.start,
        asked.end,
        early=not metrics or not metrics <= set(LATE),
        late=not metrics.isdisjoint(LATE),
    )
    profile, moment = asked.account.profile, asked.moment
    active = lines(asked.outside.world, profile, wanted, moment) if profile and moment else []
    if wanted.segments:
        yield from _with_numbers(active, query)
        return
    yield from active
    if VIEWS[query.resource].listed:
        seen = {line.place.key for line in active}
        level = level_of(query.resource, set(wanted.resources))
        for line in _listed(asked):
            line.place = narrowed(line.place, level, keyed=VIEWS[query.resource].keyed)
            if line.place.key not in seen:
                yield line


def _listed(asked: GaqlQuestion) -> Iterator[GoogleLine]:
    """The resource's objects, without numbers."""
    for place in ENTITIES[asked.query.resource](asked.outside, asked.estate, asked.account):
        yield GoogleLine(asked.minor_micros, place)


def _with_numbers(active: list[GoogleLine], query: GaqlQuery) -> Iterator[GoogleLine]:
    """With a segment, a row whose selected metrics are all zero is left out (Google Ads API, Zero metrics)."""
    chosen = [
        METRICS[name] for name in query.chosen("metrics") if name in METRICS and name != "interaction_event_types"
    ]
    for line in active:
        if not query.chosen("metrics") or any(read(line) for read in chosen):
            yield line


# -- what is written -------------------------------------------------------------------------------------------------


def _columns(asked: GaqlQuestion) -> Iterator[GoogleColumn]:
    """The selected fields, and the resource names that come with them."""
    query = asked.query
    names = [f"{query.resource}.resource_name"]
    if not query.parameters.get("omit_unselected_resource_names"):
        heads = dict.fromkeys(path.partition(".")[0] for path in query.select)
        names += [f"{head}.resource_name" for head in heads if head not in CATEGORIES]
        if any(path.startswith("ad_group_ad.ad.") for path in query.select):
            names.append("ad_group_ad.ad.resource_name")
    for path in dict.fromkeys([*names, *query.select]):
        fact = fact_of(path)
        if fact is not None:
            yield GoogleColumn(tuple(camel(path).split(".")), fact, asked.getter(path))


def _written(columns: list[GoogleColumn], line: GoogleLine) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for words, fact, read in columns:
        value = read(line)
        if value is None or value == []:
            continue
        inner = row
        for word in words[:-1]:
            inner = inner.setdefault(word, {})
        inner[words[-1]] = [wire(fact, one) for one in value] if fact.repeated else wire(fact, value)
    return row


def wire(fact: FieldFact, value: Any) -> Any:
    """A native value in protobuf's JSON."""
    if fact.kind == "int64":
        return str(value)
    if fact.kind == "double":
        return int(value) if float(value).is_integer() else float(value)
    return value


def _summary(asked: GaqlQuestion, found: list[GoogleLine]) -> dict[str, Any]:
    """The sum of all rows; with conversion actions, the sum of their metrics."""
    metrics = [name for name in asked.query.chosen("metrics") if name in METRICS]
    by_action = not set(ACTION_SEGMENTS).isdisjoint(asked.query.chosen("segments"))
    by_action = by_action or asked.query.resource == "conversion_action"
    whole = GoogleLine(asked.minor_micros, GooglePlace())
    for line in found:
        whole.early += line.early
        whole.late += line.late
        whole.clicks.update(line.clicks)
    written: dict[str, Any] = {}
    for name in metrics:
        value = sum(METRICS[name](line) or 0 for line in found) if by_action else METRICS[name](whole)
        if value is not None:
            fact = CATEGORIES["metrics"][name]
            written[camel(name)] = value if fact.repeated else wire(fact, value)
    return written
