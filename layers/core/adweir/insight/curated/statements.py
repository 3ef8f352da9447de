"""The statement that has Athena answer a report of the table `metrics`, and how its result is read.

It is written as Athena and DuckDB both understand SQL. Rows come in the order of the report: texts by their characters,
what is unattributed last.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import Unavailable
from adweir.model.metrics import METRICS, Slot
from adweir.model.times import Window
from adweir.reporting.filters import NEEDS, OF_PROFILE
from adweir.reporting.warehouse import BulkQuestion, BulkRow

_ID = "="
"""Before an id: in a result, a text without characters and none at all could not be told apart."""
_OF_DAY: Mapping[str, str] = {
    "date": "CAST(m.date AS varchar)",
    "week": "CAST(CAST(date_trunc('week', m.date) AS date) AS varchar)",
    "month": "m.month",
}
_CURRENCY = "COALESCE(m.currency, '')"
_COUNTS = METRICS[:2]
_MICROS = 6


class AskedAccount(NamedTuple):
    """An ad account whose rows are asked for: its profile, its partition, and its days."""

    profile: Profile
    partition: str
    window: Window


def statement(asked: BulkQuestion, accounts: Iterable[AskedAccount]) -> str | None:
    """The statement; None where it has no groups, would be too long, or could not tell two ad accounts apart."""
    found = list(accounts)
    owners = {_owner(each.profile) for each in found}
    if not found or len(owners) < len(found):
        return None
    query, windows = asked.query, {each.window for each in found}
    of_profile = [name for name in dict.fromkeys(query.dimensions) if name in OF_PROFILE]
    columns = {f"c{place}": _column(name) for place, name in enumerate(query.dimensions)}
    columns |= {f"c{len(columns)}": _CURRENCY} if asked.by_currency else {}
    if not columns:
        return None
    sums = ", ".join(f"SUM(m.{name}) AS {name}" for name in METRICS)
    chosen = ", ".join(f"{text} AS {name}" for name, text in columns.items())
    groups = ", ".join(str(place) for place in range(1, len(columns) + 1))
    by_month = [f"substr({_time_of(query.dimensions)}, 1, 7)"] if asked.unit else []
    ordered = ", ".join([*by_month, *(f"{name} NULLS LAST" for name in columns)])
    text = (
        f"SELECT {', '.join([*columns, *METRICS])} FROM (SELECT {chosen}, {sums} "  # noqa: S608
        f"FROM metrics AS m JOIN (VALUES {_values(found, of_profile, dated=len(windows) > 1)}) "
        f"AS a ({', '.join(_names(of_profile, dated=len(windows) > 1))}) ON a.platform_name = m.platform_name "
        f"AND a.client_id = m.client_account_id AND a.account_id = m.account_id "
        f"WHERE {' AND '.join(_where(asked, found))} GROUP BY {groups}) AS summed ORDER BY {ordered}"
    )
    return text if len(text.encode()) <= limits.MAX_SQL_BYTES else None


def _where(asked: BulkQuestion, found: list[AskedAccount]) -> Iterator[str]:
    query = asked.query
    first, last = min(each.window.start for each in found), max(each.window.end for each in found)
    yield f"m.platform IN ({', '.join(sorted({_text(each.partition) for each in found}))})"
    yield f"m.level = {_text(query.finest.value)} AND m.grain = {_text(query.grain.value)}"
    yield f"m.month BETWEEN '{first:%Y-%m}' AND '{last:%Y-%m}'"
    yield f"m.date BETWEEN {_day(first)} AND {_day(last)}"
    if len({each.window for each in found}) > 1:
        yield "m.date BETWEEN a.first_day AND a.last_day"
    if not query.has_rest:
        yield "NOT m.unattributed"
    for name, values in query.filters.of_rows.items():
        yield f"{_id_of(name)} IN ({', '.join(map(_text, sorted(values))) or 'NULL'})"


def _owner(profile: Profile) -> tuple[str, str, str]:
    return str(profile.platform), profile.account_id, profile.shown_id


def _names(of_profile: Iterable[str], *, dated: bool) -> list[str]:
    shown = [f"p_{name}" for name in of_profile]
    return ["platform_name", "client_id", "account_id", *shown, *(["first_day", "last_day"] if dated else [])]


def _values(found: Iterable[AskedAccount], of_profile: list[str], *, dated: bool) -> str:
    rows = []
    for profile, _, window in found:
        texts = [*_owner(profile), *(OF_PROFILE[name](profile) for name in of_profile)]
        days = [_day(window.start), _day(window.end)] if dated else []
        rows.append(f"({', '.join([*map(_text, texts), *days])})")
    return ", ".join(rows)


def _column(name: str) -> str:
    if name in OF_PROFILE:
        return f"a.p_{name}"
    return _OF_DAY[name] if name in _OF_DAY else f"'{_ID}' || {_id_of(name)}"


def _id_of(name: str) -> str:
    """An id as readers answer it: '' where a row's is not known, none where the row is of what is unattributed."""
    return f"COALESCE(m.{name}, CASE WHEN m.unattributed THEN NULL ELSE '' END)"


def _time_of(dimensions: tuple[str, ...]) -> str:
    """The column that says of which month a row is."""
    return f"c{dimensions.index('date' if 'date' in dimensions else 'month')}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _day(day: date) -> str:
    return f"DATE '{day}'"


def can_say(dimensions: Iterable[str]) -> bool:
    """Whether the table has these dimensions."""
    return all(name in OF_PROFILE or name in _OF_DAY or name in NEEDS for name in dimensions)


def result_rows(asked: BulkQuestion, lines: Iterator[bytes], begin: int) -> Iterator[BulkRow]:
    """The rows of a result, of its file's lines from the place `begin` on. The first line has the columns' names.

    Raises Unavailable.
    """
    place = begin

    def counted() -> Iterator[str]:
        nonlocal place
        for line in lines:
            place += len(line)
            yield line.decode()

    reader = csv.reader(counted())
    if not begin:
        next(reader, None)
    names = asked.query.dimensions
    read = [_read_id if name in NEEDS else str for name in names]
    count = len(names) + asked.by_currency
    for row in reader:
        if len(row) != count + len(METRICS):
            raise Unavailable("Athena's result has a row that cannot be read")
        key = [make(text) for make, text in zip(read, row, strict=False)]
        yield BulkRow((*key, row[len(names)] if asked.by_currency else ""), _slot(row[count:]), place)


def _read_id(text: str) -> str | None:
    return text.removeprefix(_ID) if text else None


def _slot(texts: list[str]) -> Slot:
    impressions, clicks, conversions, spend, revenue = (
        _number(text, _MICROS if name not in _COUNTS else 0) for name, text in zip(METRICS, texts, strict=True)
    )
    return impressions, clicks, conversions, spend, revenue


def _number(text: str, places: int) -> int | None:
    return int(Decimal(text).scaleb(places)) if text else None
