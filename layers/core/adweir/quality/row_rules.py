"""The rules about what several fields of a row, or the rows of an ad account, say together: the one list of them.

Rows that are loaded (`quality.rules`) and rows of any origin (`quality.schema`) are held to the same rules. In rows of
any origin, what is missing, null or of another type is not compared: other rules are about that.

`clicks_over_impressions` and `conversions_over_clicks` only warn: a platform counts a click on the day it happened,
although the impression may have been the day before, and view-through conversions need no click. Holding such rows back
would understate the results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from math import isfinite
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.model.times import is_zone, latest_date, local_date
from adweir.quality.values import as_date, as_float, is_number


class Rule(NamedTuple):
    """A row rule. Of loaded rows, those that break an `error` are quarantined, those that break a `warn` are stored and
    counted."""

    name: str
    dimension: str
    severity: str
    field: str
    message: str


CLICKS = Rule("clicks_over_impressions", "consistency", "warn", "clicks", "are more than the impressions")
CONVERSIONS = Rule("conversions_over_clicks", "consistency", "warn", "conversions", "are more than the clicks")
SPEND = Rule("spend_without_impressions", "consistency", "warn", "spend", "is there without impressions")
CTR = Rule("ctr_differs", "consistency", "error", "ctr", "is not clicks / impressions")
END = Rule("end_before_start", "consistency", "error", "end_date", "is before start_date")
FUTURE = Rule("future_day", "validity", "error", "date", "is a day that has not begun")
CURRENCY = Rule("currency", "consistency", "error", "currency", "is not the ad account's currency")
TIMEZONE = Rule("timezone", "consistency", "error", "timezone", "is not the ad account's time zone")


class AtMost(NamedTuple):
    """A number that should not be larger than another one of its row. `is_any`: it counts as 1 where it is not 0."""

    rule: Rule
    number: str
    most: str
    is_any: bool = False


AT_MOST = (
    AtMost(CLICKS, "clicks", "impressions"),
    AtMost(CONVERSIONS, "conversions", "clicks"),
    AtMost(SPEND, "spend", "impressions", is_any=True),
)

Breaks = Callable[[Mapping[str, Any]], bool]
"""Whether a row breaks a rule."""


class KnownRule(NamedTuple):
    """A rule as a schema may name it. `needs`: the fields that it compares. `tolerance`: None where it takes none.

    `begin` makes what looks at the rows of one check, with the tolerance and the present moment. `passes`: what is
    true only of values that keep the rule, as an expression of `a`, `b`, `c` (the values of `needs`) and `tolerance`;
    "" where each row has to be looked at (`quality.scanning`).
    """

    rule: Rule
    needs: tuple[str, ...]
    tolerance: float | None
    begin: Callable[[float, datetime], Breaks]
    passes: str = ""


_SMALLER = "b.__class__ is int and (a.__class__ is int or a.__class__ is float) and a <= b"
_SEEN = "b.__class__ is int and b >= 1"
_SAME_CTR = (
    "a.__class__ is float and b.__class__ is int and c.__class__ is int"
    " and 0 <= b <= c and c and abs(a - b / c) <= tolerance"
)


def _at_most(of: AtMost) -> KnownRule:
    """`tolerance` is the share by which the number may be larger."""

    def begin(tolerance: float, _now: datetime) -> Breaks:
        def breaks(row: Mapping[str, Any]) -> bool:
            number, most = row.get(of.number), row.get(of.most)
            if not (is_number(number) and is_number(most)):
                return False
            larger = (number != 0 if of.is_any else number) > most  # type: ignore[operator]  # both are numbers
            return larger and (not tolerance or as_float(number) > as_float(most) * (1 + tolerance))

        return breaks

    needs = of.number, of.most
    return (
        KnownRule(of.rule, needs, None, begin, _SEEN) if of.is_any else KnownRule(of.rule, needs, 0.0, begin, _SMALLER)
    )


def _ctr(tolerance: float, _now: datetime) -> Breaks:
    """`tolerance` is the difference of the fractions: platforms round theirs."""

    def breaks(row: Mapping[str, Any]) -> bool:
        numbers = [row.get(name) for name in ("ctr", "clicks", "impressions")]
        if not all(map(is_number, numbers)):
            return False
        ctr, clicks, impressions = map(as_float, numbers)
        if not impressions or abs(ctr - clicks / impressions) <= tolerance:
            return False
        return not (isfinite(ctr) and isfinite(clicks) and isfinite(impressions)) or not _is_near(
            ctr, clicks, impressions, tolerance
        )

    return breaks


def _is_near(ctr: float, clicks: float, impressions: float, tolerance: float) -> bool:
    """The same by the numbers as they are written: 0.055 is 0.005 from 5 of 100, which floats miss by a hair."""
    exact = [Fraction(repr(each)) for each in (ctr, clicks, impressions, tolerance)]
    return abs(exact[0] * exact[2] - exact[1]) <= exact[3] * abs(exact[2])


def _end(_tolerance: float, _now: datetime) -> Breaks:
    def breaks(row: Mapping[str, Any]) -> bool:
        start, end = as_date(row.get("start_date")), as_date(row.get("end_date"))
        return start is not None and end is not None and end < start

    return breaks


def _future(_tolerance: float, now: datetime) -> Breaks:
    """By the row's `timezone`, without one by the clock that is the furthest ahead."""
    anywhere = latest_date(now)

    def breaks(row: Mapping[str, Any]) -> bool:
        day = as_date(row.get("date"))
        if day is None:
            return False
        zone = row.get("timezone")
        return day > (local_date(now, zone) if isinstance(zone, str) and is_zone(zone) else anywhere)

    return breaks


def _one(of: str) -> Callable[[float, datetime], Breaks]:
    """All rows of an ad account have the value of its first one. Raises TooLarge for too many ad accounts."""

    def begin(_tolerance: float, _now: datetime) -> Breaks:
        known: dict[tuple[str, str], str] = {}

        def breaks(row: Mapping[str, Any]) -> bool:
            account, value = row.get("account_id") or row.get("profile_id"), row.get(of)
            if not account or not isinstance(value, str) or not value:
                return False
            key = str(row.get("platform")), str(account)
            if key not in known and len(known) >= limits.MAX_COMPARED_ACCOUNTS:
                raise TooLarge(f"rows of at most {limits.MAX_COMPARED_ACCOUNTS} ad accounts are compared at once")
            return known.setdefault(key, value) != value

        return breaks

    return begin


KNOWN_RULES: Mapping[str, KnownRule] = {
    each.rule.name: each
    for each in (
        *map(_at_most, AT_MOST),
        KnownRule(CTR, ("ctr", "clicks", "impressions"), 0.005, _ctr, _SAME_CTR),
        KnownRule(END, ("end_date", "start_date"), None, _end),
        KnownRule(FUTURE, ("date",), None, _future),
        KnownRule(CURRENCY, ("currency",), None, _one("currency")),
        KnownRule(TIMEZONE, ("timezone",), None, _one("timezone")),
    )
}
"""The rules that a schema may name; there are no others."""
