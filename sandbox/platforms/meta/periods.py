"""The dates that an insights request asks for."""

from __future__ import annotations

from datetime import date, timedelta

from sandbox.platforms.meta.errors import GraphError, invalid
from sandbox.platforms.meta.parameters import json_list, json_parameter

_RETENTION_DAYS = 37 * 30


def day(text: object) -> date:
    """`YYYY-MM-DD` → date. Raises Meta's error 100."""
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise invalid(f"'{text}' is not a valid date; use YYYY-MM-DD") from None


def ranges(params: dict[str, str], today: date) -> list[tuple[date, date]]:
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
    yesterday, last_of_month = today - timedelta(days=1), today.replace(day=1) - timedelta(days=1)
    named = {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "maximum": (today - timedelta(days=_RETENTION_DAYS), today),
        "this_month": (today.replace(day=1), today),
        "last_month": (last_of_month.replace(day=1), last_of_month),
    }
    if preset in named:
        return named[preset]
    days = preset.removeprefix("last_").removesuffix("d")
    if f"last_{days}d" == preset and days.isdigit():
        return today - timedelta(days=int(days)), yesterday
    raise invalid(f"date_preset '{preset}' is unknown")


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
