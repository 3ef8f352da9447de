"""Date ranges as callers of the library write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.invoices import Invoice, month_of
from adweir.model.times import DAY, Clock, Window, first_of_month, is_zone, local_date
from adweir.reporting.ranges import TimeSpan, parse_range

DateRange = Sequence[date | str] | Window | str | None
"""(start, end), each a date, a datetime or ISO text; `2026-11-01..2026-11-07`; None: the last 30 full days."""
_DAYS = 30


def parsed(given: DateRange, clock: Clock) -> TimeSpan | None:
    """The range, None for the default one. Raises Unprocessable that says how to write it."""
    if given is None:
        return None
    ends: Sequence[Any] = given.split("..") if isinstance(given, str) else given
    if len(ends) == 1:
        ends = (ends[0], ends[0])
    if len(ends) != 2 or not all(ends):
        raise Unprocessable(
            "date_range is (start, end), both inclusive, each a date or text such as '2026-11-01'",
            [{"field": "date_range", "message": "has a start and an end"}],
        )
    start, end = (each.isoformat() if isinstance(each, date | datetime) else each for each in ends)
    return parse_range(start, end, clock.now().date(), field="date_range")


def today_of(profile: Profile, clock: Clock) -> date:
    """The profile's local date; UTC's where its time zone is not known."""
    return local_date(clock.now(), profile.timezone if is_zone(profile.timezone) else "UTC")


def issue_window(span: TimeSpan | None, profile: Profile, clock: Clock) -> Window | None:
    """The days on which the invoices of the months of a range may be issued, up to a month later.

    Without a range those since the month before last; None where the range lies in the future.
    """
    today = today_of(profile, clock)
    if span is None:
        return Window(first_of_month(today, -2), today)
    days = span.window(profile.timezone if is_zone(profile.timezone) else "UTC")
    start = first_of_month(days.start)
    return Window(start, min(first_of_month(days.end, 2) - DAY, today)) if start <= today else None


def bills(invoice: Invoice, span: TimeSpan, profile: Profile) -> bool:
    """Whether an invoice is of a month that a range touches."""
    days = span.window(profile.timezone if is_zone(profile.timezone) else "UTC")
    return month_of(days.start) <= invoice.month <= month_of(days.end)


def window_of(span: TimeSpan | None, profile: Profile, clock: Clock) -> Window | None:
    """The range as days of a profile, cut off at its today; None where it lies in the future."""
    today = today_of(profile, clock)
    if span is None:
        return Window(today - timedelta(days=_DAYS), today - DAY)
    window = span.window(profile.timezone if is_zone(profile.timezone) else "UTC")
    return Window(window.start, min(window.end, today)) if window.start <= today else None
