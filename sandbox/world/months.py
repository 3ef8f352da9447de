"""Months of the calendar, each named by its first day."""

from __future__ import annotations

from datetime import date, timedelta


def month_after(day: date, count: int) -> date:
    """The first of the month that is so many months after the day's."""
    month = day.year * 12 + day.month - 1 + count
    return date(month // 12, month % 12 + 1, 1)


def last_of(first: date) -> date:
    """The last day of the month that begins on this day."""
    return month_after(first, 1) - timedelta(days=1)
