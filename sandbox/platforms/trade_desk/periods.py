"""The days of a schedule's date range."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from sandbox.platforms.trade_desk.bodies import Body, day, text, whole
from sandbox.platforms.trade_desk.errors import invalid

FREQUENCIES = ("Once", "Daily", "Weekly", "Monthly", "Quarterly")
_MOST_DAYS = 731


def _month(today: date) -> date:
    return today.replace(day=1)


def _quarter(today: date) -> date:
    return date(today.year, (today.month - 1) // 3 * 3 + 1, 1)


def _before(first: date, months: int) -> date:
    """The first day of the month that many months before a first day."""
    year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _last(count: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (today - timedelta(days=count), today)


_RANGES: dict[str, Callable[[date], tuple[date, date]]] = {
    "Yesterday": _last(1),
    "Last7Days": _last(7),
    "Last14Days": _last(14),
    "Last30Days": _last(30),
    "MonthToDate": lambda today: (_month(today), today),
    "LastMonth": lambda today: (_before(_month(today), 1), _month(today)),
    "QuarterToDate": lambda today: (_quarter(today), today),
    "LastQuarter": lambda today: (_before(_quarter(today), 3), _quarter(today)),
    "YearToDate": lambda today: (date(today.year, 1, 1), today),
}
"""First day and the day after the last one."""


def days(body: Body, today: date) -> tuple[date, date]:
    """The report's first day, and its end, which is exclusive."""
    name = text(body, "ReportDateRange")
    if name == "Custom":
        start, end = day(body, "ReportStartDateInclusive"), day(body, "ReportEndDateExclusive")
        if not 0 < (end - start).days <= _MOST_DAYS:
            raise invalid(ReportEndDateExclusive="The end must be after the start, at most two years.")
        return start, end
    if name == "LastXDays":
        return _last(whole(body, "LookbackDays", 1, _MOST_DAYS))(today)
    if name not in _RANGES:
        raise invalid(ReportDateRange=f"The property must be one of Custom, LastXDays, {', '.join(_RANGES)}.")
    return _RANGES[name](today)
