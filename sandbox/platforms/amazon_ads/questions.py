"""Reporting v3: what a report may ask."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sandbox.platforms.amazon_ads.columns import ALWAYS_DAILY, ALWAYS_SUMMARY, REPORT_TYPES, ReportType
from sandbox.platforms.amazon_ads.errors import AmazonRefusal

_MOST_DAYS = 31


def check(body: dict[str, Any], today: date) -> None:
    """Raise Amazon's 400 for what it refuses: dates, report type, grouping, columns against the time unit, filters."""
    start, _ = _checked_dates(body, today)
    configuration = body.get("configuration")
    if not isinstance(configuration, dict):
        raise AmazonRefusal(400, "configuration is required")
    kind = REPORT_TYPES.get(str(configuration.get("reportTypeId")))
    if kind is None:
        raise _invalid("reportTypeId", REPORT_TYPES)
    if configuration.get("adProduct") != kind.ad_product:
        raise _invalid("adProduct", [kind.ad_product])
    if (today - start).days > kind.keep_days + 1:  # a day of grace: callers may live in another time zone
        raise AmazonRefusal(400, f"configuration startDate is beyond the retention of {kind.keep_days} days")
    if configuration.get("format", "GZIP_JSON") != "GZIP_JSON":
        raise _invalid("format", ["GZIP_JSON"])
    _check_columns(kind, configuration)
    for condition in configuration.get("filters") or []:
        if condition.get("field") not in kind.filters:
            raise AmazonRefusal(400, f"configuration filters field {condition.get('field')!r} is not supported")


def _checked_dates(body: dict[str, Any], today: date) -> tuple[date, date]:
    start, end = date_of(body, "startDate"), date_of(body, "endDate")
    if end < start:
        raise AmazonRefusal(400, "endDate is before startDate")
    if (end - start).days + 1 > _MOST_DAYS:
        raise AmazonRefusal(400, f"The requested date range is over the maximum of {_MOST_DAYS} days")
    if end > today:
        raise AmazonRefusal(400, f"configuration endDate {end} must not be in the future")
    return start, end


def date_of(body: dict[str, Any], name: str) -> date:
    """One of the body's dates. Raises Amazon's 400."""
    try:
        return date.fromisoformat(str(body.get(name)))
    except ValueError:
        raise AmazonRefusal(400, f"{name} must be a date YYYY-MM-DD") from None


def _invalid(name: str, allowed: Iterable[str]) -> AmazonRefusal:
    return AmazonRefusal(400, f"configuration {name} is invalid. Allowed values: ({', '.join(allowed)})")


def _check_columns(kind: ReportType, configuration: dict[str, Any]) -> None:
    groups = configuration.get("groupBy") or []
    if not groups or any(g not in kind.columns for g in groups):
        raise _invalid("groupBy", kind.columns)
    known = frozenset().union(*(kind.columns[g] for g in groups))
    columns = configuration.get("columns") or []
    unknown = [c for c in columns if c not in known]
    if unknown or not columns:
        allowed = ", ".join(sorted(known))
        wrong_names = ", ".join(unknown)
        raise AmazonRefusal(
            400, f"configuration columns includes invalid values: ({wrong_names}). Allowed values: ({allowed})"
        )
    unit = configuration.get("timeUnit")
    if unit not in ("DAILY", "SUMMARY"):
        raise _invalid("timeUnit", ["DAILY", "SUMMARY"])
    wrong = set(columns) & (ALWAYS_SUMMARY if unit == "DAILY" else ALWAYS_DAILY)
    if wrong:
        raise AmazonRefusal(
            400, f"configuration columns {', '.join(sorted(wrong))} cannot be used with timeUnit {unit}"
        )
    if unit == "DAILY" and "date" not in columns:
        raise AmazonRefusal(400, "configuration columns must include date with timeUnit DAILY")
