"""Reporting v3: what a report may ask.

Source of the rules: docs/en-us/guides/reporting/v3/get-started and the report types' pages. The texts about columns,
retention and window are those that clients have received (airbyte PR #55217 and others); the rest follow their form.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sandbox.platforms.amazon_ads.errors import AmazonRefusal
from sandbox.platforms.amazon_ads.report_types import (
    AD_PRODUCTS,
    REPORT_TYPES,
    ReportType,
    columns_of,
    filters_of,
)

_ASKED = {"name", "startDate", "endDate", "configuration"}
_CONFIGURED = {"adProduct", "columns", "filters", "format", "groupBy", "reportTypeId", "timeUnit"}
_FOR_DAYS, _FOR_WINDOWS = {"date"}, {"startDate", "endDate"}


def check(body: dict[str, Any], today: date) -> ReportType:
    """The report type that is asked for. Raises Amazon's 400 for what it refuses."""
    configuration = body.get("configuration")
    if not isinstance(configuration, dict):
        raise AmazonRefusal(400, "configuration is required")
    _known("request", body, _ASKED)
    _known("configuration", configuration, _CONFIGURED)
    kind = REPORT_TYPES.get(str(configuration.get("reportTypeId")))
    if kind is None:
        raise _invalid("reportTypeId", [configuration.get("reportTypeId")], REPORT_TYPES)
    for name, allowed in (
        ("adProduct", [AD_PRODUCTS[kind.product]]),
        ("format", ["GZIP_JSON"]),
        ("timeUnit", ["DAILY", "SUMMARY"]),
    ):
        if configuration.get(name) not in allowed:
            raise _invalid(name, [configuration.get(name)], allowed)
    _check_dates(body, kind, today)
    groups = _words(configuration, "groupBy", kind.groupings)
    _check_columns(configuration, groups)
    _check_filters(kind, configuration, groups)
    return kind


def _known(what: str, given: dict[str, Any], names: set[str]) -> None:
    unknown = sorted(set(given) - names)
    if unknown:
        raise AmazonRefusal(400, f"{what} includes unknown fields: ({', '.join(unknown)})")


def _check_dates(body: dict[str, Any], kind: ReportType, today: date) -> None:
    start, end = date_of(body, "startDate"), date_of(body, "endDate")
    if end < start:
        raise AmazonRefusal(400, f"startDate ({start}) must be equal to or before endDate ({end})")
    if (end - start).days >= kind.most_days:
        text = f"range ({(end - start).days + 1} days) must not exceed maximum range ({kind.most_days} days)"
        raise AmazonRefusal(400, f"startDate to endDate {text}")
    earliest = today - timedelta(days=kind.keep_days)
    if start < earliest:
        text = f"must be equal to or after report type data retention start date ({earliest})"
        raise AmazonRefusal(400, f"startDate ({start}) {text}")
    if end > today:
        raise AmazonRefusal(400, f"endDate ({end}) must be equal to or before the current date ({today})")


def date_of(body: dict[str, Any], name: str) -> date:
    """One of the body's dates. Raises Amazon's 400."""
    text = str(body.get(name))
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise AmazonRefusal(400, f"{name} ({text}) must be a date in the format YYYY-MM-DD")
    return found


def _invalid(name: str, wrong: Iterable[object], allowed: Iterable[str]) -> AmazonRefusal:
    values = ", ".join(str(value) for value in wrong)
    text = f"configuration {name} includes invalid values: ({values}). Allowed values: ({', '.join(allowed)})"
    return AmazonRefusal(400, text)


def _words(configuration: dict[str, Any], name: str, allowed: Iterable[str]) -> list[str]:
    """A list that is not empty and has allowed words only, each once."""
    words = configuration.get(name)
    if not isinstance(words, list) or not words:
        raise AmazonRefusal(400, f"configuration {name} must not be empty")
    known = set(allowed)
    wrong = [word for word in words if word not in known]
    if wrong:
        raise _invalid(name, wrong, allowed)
    if len(set(words)) < len(words):
        raise AmazonRefusal(400, f"configuration {name} includes duplicate values")
    return words


def _check_columns(configuration: dict[str, Any], groups: list[str]) -> None:
    known = columns_of(configuration["reportTypeId"], tuple(groups))
    columns = set(_words(configuration, "columns", sorted(known)))
    unit = configuration["timeUnit"]
    wrong = columns & (_FOR_WINDOWS if unit == "DAILY" else _FOR_DAYS)
    if wrong:
        text = f"configuration columns {', '.join(sorted(wrong))} cannot be used with timeUnit {unit}"
        raise AmazonRefusal(400, text)
    if unit == "DAILY" and "date" not in columns:
        raise AmazonRefusal(400, "configuration columns must include date with timeUnit DAILY")


def _check_filters(kind: ReportType, configuration: dict[str, Any], groups: list[str]) -> None:
    allowed = filters_of(kind, groups)
    asked = configuration.get("filters")
    if asked is not None and not isinstance(asked, list):
        raise AmazonRefusal(400, "configuration filters must be a list")
    for condition in asked or []:
        if condition.get("field") not in allowed:
            raise _invalid("filters", [condition.get("field")], allowed)
        values = condition.get("values")
        wrong = [value for value in values or [] if value not in allowed[condition["field"]]]
        if wrong or not isinstance(values, list) or not values:
            raise _invalid(f"filters {condition['field']}", wrong, sorted(allowed[condition["field"]]))
