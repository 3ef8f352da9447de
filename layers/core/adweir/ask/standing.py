"""What each answer says of its numbers: currencies, how old they are, how much of them is final, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from adweir.model.entities import Profile
from adweir.reporting.coverage import CoverageDays
from adweir.reporting.filters import Filters
from adweir.reporting.freshness import freshness
from adweir.reporting.query import Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.reading import DayCoverage

_MISSING_NAMED = 3
_SHARE = Decimal("0.0001")


def standing(currencies: Iterable[str], coverage: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`currency`, `as_of`, `settled_share` and `coverage` of days as `reporting.coverage` has them."""
    said = freshness(coverage)
    named = [{"date": day["date"], **each} for day in coverage for each in day["missing"]]
    unnamed = sum(day.get("missing_more", 0) for day in coverage)
    settled = sum(1 for day in coverage if day["settled"] and day["pulled_at"])
    return {
        "currency": sorted({currency for currency in currencies if currency}),
        "as_of": said.pop("as_of"),
        "settled_share": (Decimal(settled) / len(coverage)).quantize(_SHARE) if coverage else None,
        "coverage": said
        | {"missing": named[:_MISSING_NAMED], "missing_more": max(0, len(named) - _MISSING_NAMED) + unnamed},
    }


def range_said(said: dict[str, Any]) -> dict[str, Any]:
    """A range without what it is in each time zone."""
    return {name: said[name] for name in ("relative", "start_date", "end_date") if name in said}


def no_numbers(currencies: Iterable[str]) -> dict[str, Any]:
    """The same of an answer that has no numbers of days."""
    return standing(currencies, [])


@dataclass(slots=True)
class LookedAt:
    """An ad account's days: what was pulled of each, and those with numbers."""

    profile: Profile
    covered: dict[date, DayCoverage]
    with_data: list[str] = field(default_factory=list)

    @property
    def coverage(self) -> list[dict[str, Any]]:
        """As `reporting.coverage` has it."""
        days = CoverageDays()
        days.add(self.profile, self.covered)
        return days.answer()


def looked_at(queries: Queries, span: TimeSpan, filters: Filters) -> Iterator[LookedAt]:
    """The days of each ad account, by its totals. Raises TooLarge, Unavailable."""
    query = Query(span, ("date",), filters)
    profiles, _ = queries.dated_profiles(filters)
    for profile, reader, rows in queries.readings(query, profiles):
        queries.check_time()
        days = sorted({read.row.day for read in rows if any(read.row.slot)})
        yield LookedAt(profile, reader.coverage(), days)


def together(looked: Iterable[LookedAt]) -> list[dict[str, Any]]:
    """The coverage of several ad accounts."""
    days = CoverageDays()
    for each in looked:
        days.add(each.profile, each.covered)
    return days.answer()
