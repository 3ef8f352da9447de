"""The dates that an insights request asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from sandbox.platforms.meta.errors import GraphError, invalid
from sandbox.platforms.meta.parameters import json_list, json_parameter
from sandbox.platforms.meta.vocabulary import INSIGHTS, one_of

_RETENTION_DAYS = 37 * 30


def day(text: object) -> date:
    """`YYYY-MM-DD` → date. Raises Meta's error 100."""
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise invalid(f"'{text}' is not a valid date; use YYYY-MM-DD") from None


def ranges(params: Mapping[str, str], today: date) -> list[tuple[date, date]]:
    """The inclusive date ranges that a request asks for: time_range, time_ranges or date_preset (default last_30d)."""
    wanted = json_list(params, "time_ranges")
    if not wanted and "time_range" in params:
        wanted = [json_parameter(params, "time_range")]
    if wanted:
        try:
            found = [(day(r["since"]), day(r["until"])) for r in wanted]
        except (KeyError, TypeError):
            raise invalid("time_range must have since and until") from None
        for since, until in found:
            if since > until:
                raise invalid("The start date is after the end date (since > until)")
            if (today - since).days > _RETENTION_DAYS:
                raise GraphError("(#3018) The start date of the time range cannot be beyond 37 months", 3018)
        return found
    return [_preset(params.get("date_preset", "last_30d"), today)]


def _preset(preset: str, today: date) -> tuple[date, date]:
    """A name of Meta's enum; those that end yesterday leave today out."""
    one_of("date_preset", preset, INSIGHTS["date_presets"])
    day_before, month, year = today - timedelta(days=1), today.replace(day=1), today.replace(month=1, day=1)
    quarter = month.replace(month=(today.month - 1) // 3 * 3 + 1)
    monday = today - timedelta(days=today.weekday())
    sunday = today - timedelta(days=today.isoweekday() % 7)
    if preset.startswith("last_") and preset.endswith("d"):
        return today - timedelta(days=int(preset[5:-1])), day_before
    return {
        "today": (today, today),
        "yesterday": (day_before, day_before),
        "this_month": (month, today),
        "this_quarter": (quarter, today),
        "this_year": (year, today),
        "this_week_mon_today": (monday, today),
        "this_week_sun_today": (sunday, today),
        "last_month": _before(month, lambda last: last.replace(day=1)),
        "last_quarter": _before(quarter, lambda last: last.replace(month=last.month - 2, day=1)),
        "last_year": _before(year, lambda last: last.replace(month=1, day=1)),
        "last_week_mon_sun": _before(monday, lambda last: last - timedelta(days=6)),
        "last_week_sun_sat": _before(sunday, lambda last: last - timedelta(days=6)),
        "maximum": (today - timedelta(days=_RETENTION_DAYS), today),
        "data_maximum": (today - timedelta(days=_RETENTION_DAYS), today),
    }[preset]


def _before(start: date, first: Callable[[date], date]) -> tuple[date, date]:
    """The whole period that ends on the day before `start`."""
    last = start - timedelta(days=1)
    return first(last), last


def periods(start: date, end: date, increment: str) -> list[tuple[date, date]]:
    """A range cut by time_increment: a number of days, `monthly`, or `all_days`."""
    if increment == "all_days":
        return [(start, end)]
    if increment != "monthly" and not (increment.isdigit() and 1 <= int(increment) <= 90):
        raise invalid("time_increment must be 1 to 90, monthly or all_days")
    found = []
    while start <= end:
        if increment == "monthly":
            stop = (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        else:
            stop = start + timedelta(days=int(increment) - 1)
        found.append((start, min(stop, end)))
        start = stop + timedelta(days=1)
    return found
