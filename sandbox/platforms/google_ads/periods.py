"""Days, weeks, months: the values of date segments, and the period that a query's conditions leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sandbox.platforms.google_ads.errors import GoogleAdsError, query_error
from sandbox.platforms.google_ads.facts import CORE_DATES
from sandbox.platforms.google_ads.gaql import DURINGS, GaqlCondition, GaqlQuery, GaqlToken
from sandbox.world.months import month_after

CHANGED = "change_status.last_change_date_time"
_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
MONTHS = (
    "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER",
    "DECEMBER",
)  # fmt: skip
_DAILY_REACH, _YEARS = 37, 11
"""How far back days and weeks reach, and how far everything does (Google Ads API, Reporting: data retention)."""


def day_values(day: date, segments: Sequence[str]) -> dict[str, Any]:
    """The date segments of a day that are asked for."""
    values: dict[str, Any] = {}
    for name in segments:
        match name:
            case "date":
                values[name] = day.isoformat()
            case "week" | "month" | "quarter":
                values[name] = _first(name, day).isoformat()
            case "year":
                values[name] = day.year
            case "day_of_week":
                values[name] = _WEEKDAYS[day.weekday()]
            case "month_of_year":
                values[name] = MONTHS[day.month - 1]
    return values


def _first(name: str, day: date) -> date:
    if name == "week":
        return day - timedelta(days=day.weekday())
    month = day.month if name == "month" else (day.month - 1) // 3 * 3 + 1
    return day.replace(month=month, day=1)


def _last(name: str, first: date) -> date:
    """The last day of the week, month or quarter that begins on this day."""
    if name == "week":
        return first + timedelta(days=6)
    return month_after(first, 1 if name == "month" else 3) - timedelta(days=1)


def period(query: GaqlQuery, today: date) -> tuple[date, date, bool]:
    """The first and last day that the conditions on core dates leave, and whether they are bounded on both sides.

    Raises Google's errors for dates that cannot be read, are not aligned, or are too old for days.
    """
    start, end = date.min, date.max
    for condition in query.where:
        name = condition.field.removeprefix("segments.")
        if name in CORE_DATES and condition.field.startswith("segments."):
            first, last = _range(name, condition, today)
            start, end = max(start, first), min(end, last)
    bounded = start > date.min and end < date.max
    if bounded and start > end:
        raise GoogleAdsError("dateRangeError", "START_DATE_AFTER_END_DATE", "The start date is after the end date.")
    if bounded:
        _check_granularity(query, start, end, today)
    return start, end, bounded


def _check_granularity(query: GaqlQuery, start: date, end: date, today: date) -> None:
    """Days reach 37 months back, months 11 years. A filter on a part of a month needs days."""
    whole_months = start.day == 1 and (end + timedelta(days=1)).day == 1
    by_day = not whole_months or not {"date", "week", "day_of_week", "hour"}.isdisjoint(query.chosen("segments"))
    if start < (month_after(today, -_DAILY_REACH) if by_day else month_after(today, -_YEARS * 12)):
        text = "The requested date granularity is not supported for the requested date range."
        raise GoogleAdsError("dateRangeError", "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED", text, field="query")


def _range(name: str, condition: GaqlCondition, today: date) -> tuple[date, date]:
    """The days that one condition leaves."""
    operator, texts = condition.operator, [value.text for value in condition.values]
    if operator == "DURING":
        if texts[0].upper() not in DURINGS:
            raise query_error("INVALID_VALUE_WITH_DURING_OPERATOR", f"Error in query: invalid value {texts[0]}.")
        return _during(texts[0].upper(), today)
    spans = [_span(name, text) for text in texts]
    day = timedelta(days=1)
    reaches = {
        "=": lambda: spans[0],
        "IN": lambda: (min(first for first, _ in spans), max(last for _, last in spans)),
        "BETWEEN": lambda: (spans[0][0], spans[1][1]),
        ">=": lambda: (spans[0][0], date.max),
        ">": lambda: (spans[0][1] + day, date.max),
        "<=": lambda: (date.min, spans[0][1]),
        "<": lambda: (date.min, spans[0][0] - day),
    }
    if operator not in reaches:
        text = f"Error in query: {operator} cannot be used with {condition.field}."
        raise query_error("OPERATOR_FIELD_MISMATCH", text)
    return reaches[operator]()


def _span(name: str, text: str) -> tuple[date, date]:
    """The days of a week, a month and so on that is named by its first day."""
    if name == "year":
        if not (text.isascii() and text.isdigit() and len(text) == 4):
            raise query_error("BAD_NUMBER", f"Error in query: bad year {text}.")
        return date(int(text), 1, 1), date(int(text), 12, 31)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise query_error("INVALID_DATE_FORMAT", f"Error in query: {text} is no date.") from None
    if name == "date":
        return day, day
    if _first(name, day) != day:
        text = f"Error in query: {day} is not the first day of a {name}."
        raise query_error("MISALIGNED_DATE_FOR_FILTER", text)
    return day, _last(name, day)


def _during(name: str, today: date) -> tuple[date, date]:
    """The days of a function of DURING, in the account's time zone."""
    day = timedelta(days=1)
    monday, sunday = today - day * today.weekday(), today - day * ((today.weekday() + 1) % 7)
    first = today.replace(day=1)
    if name.startswith("LAST_") and name.endswith("_DAYS"):
        return today - day * int(name.split("_")[1]), today - day
    return {
        "TODAY": (today, today),
        "YESTERDAY": (today - day, today - day),
        "THIS_MONTH": (first, today),
        "LAST_MONTH": (month_after(first, -1), first - day),
        "LAST_BUSINESS_WEEK": (monday - day * 7, monday - day * 3),
        "LAST_WEEK_MON_SUN": (monday - day * 7, monday - day),
        "LAST_WEEK_SUN_SAT": (sunday - day * 7, sunday - day),
        "THIS_WEEK_MON_TODAY": (monday, today),
        "THIS_WEEK_SUN_TODAY": (sunday, today),
    }[name]


def spelled_out(query: GaqlQuery, today: date) -> GaqlQuery:
    """The query with DURING on the time of a change as its first and last moment."""
    return replace(query, where=tuple(_moments(condition, today) for condition in query.where))


def _moments(condition: GaqlCondition, today: date) -> GaqlCondition:
    name = condition.values[0].text.upper() if condition.values else ""
    if condition.field != CHANGED or condition.operator != "DURING" or name not in DURINGS:
        return condition
    first, last = _during(name, today)
    moments = (f"{first} 00:00:00.000000", f"{last} 23:59:59.999999")
    return GaqlCondition(CHANGED, "BETWEEN", tuple(GaqlToken("string", moment) for moment in moments))
