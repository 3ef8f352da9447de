"""Whether a query's fields exist and go together (queryError, dateRangeError and changeStatusError of the official
classes; Google Ads API, Query structure, Segmentation, Zero metrics).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sandbox.platforms.google_ads.errors import GoogleAdsError, query_error
from sandbox.platforms.google_ads.facts import (
    CATEGORIES,
    CORE_DATES,
    ENUMS,
    RESOURCES,
    FieldFact,
    GoogleResource,
    fact_of,
)
from sandbox.platforms.google_ads.gaql import GaqlCondition, GaqlQuery, GaqlToken
from sandbox.platforms.google_ads.lines import ACTION_SEGMENTS, SEGMENTS
from sandbox.platforms.google_ads.metrics import BY_ACTION, NOT_BY_HOUR
from sandbox.platforms.google_ads.periods import CHANGED, period

_MOST_CHANGES = 10_000
_CHANGE_DAYS = 90
_TEXT_OPERATORS = ("LIKE", "NOT LIKE", "REGEXP_MATCH", "NOT REGEXP_MATCH")
_ORDERS = ("<", "<=", ">", ">=", "BETWEEN")


def check(query: GaqlQuery, *, manager: bool, today: date) -> tuple[date, date]:
    """The first and last day of a query that Google takes. Raises Google's errors for others."""
    resource = RESOURCES.get(query.resource)
    if resource is None:
        text = f"Error in query: bad resource type in FROM clause: '{query.resource}'."
        raise query_error("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", text)
    selected = set(query.select)
    for path in query.select:
        _check_field(resource, path, "SELECT")
    for condition in query.where:
        _check_condition(resource, condition, selected)
    for ordering in query.order:
        fact = _check_field(resource, ordering.field, "ORDER_BY")
        if fact.repeated or fact.kind == "message":
            text = f"Error in query: cannot sort by '{ordering.field}'."
            raise query_error("PROHIBITED_FIELD_IN_ORDER_BY_CLAUSE", text)
        if ordering.field not in selected and ordering.field.split(".")[0] != query.resource:
            raise _missing(ordering.field)
    _check_combinations(query)
    if manager and any(path.startswith("metrics.") for path in query.named):
        text = "Metrics cannot be requested for a manager account. Issue a query for each client account under it."
        raise query_error("REQUESTED_METRICS_FOR_MANAGER", text)
    if query.resource == "change_status":
        _check_changes(query, today)
    start, end, bounded = period(query, today)
    if not bounded and not selected.isdisjoint(f"segments.{name}" for name in CORE_DATES):
        text = "Error in query: a selected core date segment needs a filter on a finite date range."
        raise query_error("EXPECTED_FILTERS_ON_DATE_RANGE", text)
    return start, end


def _check_field(resource: GoogleResource, path: str, clause: str) -> FieldFact:
    """The field's fact. Raises for a field that v26 does not have, or that does not go with the resource."""
    head, _, rest = path.partition(".")
    fact = fact_of(path)
    if fact is None:
        if any(found.repeated or found.kind == "message" for found in _above(path)):
            text = f"Error in query: '{path}' is an attribute of a repeated or composite field."
            raise query_error(f"PROHIBITED_FIELD_IN_{clause}_CLAUSE", text)
        raise query_error("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{path}'.")
    if head in CATEGORIES:
        name = head.removesuffix("s").upper()
        if not resource.has(head, rest) or (head == "segments" and rest not in SEGMENTS):
            text = f"Cannot select or filter on the following {name.lower()}s: '{path}', since they are incompatible "
            raise query_error(f"PROHIBITED_{name}_IN_SELECT_OR_WHERE_CLAUSE", f"{text}with '{resource.name}'.")
    elif head != resource.name and head not in resource.attributed:
        text = f"Fields of '{head.upper()}' are incompatible with the resource '{resource.name}'."
        kind = "WHERE" if clause == "WHERE" else "SELECT"
        raise query_error(f"PROHIBITED_RESOURCE_TYPE_IN_{kind}_CLAUSE", text)
    return fact


def _above(path: str) -> Iterator[FieldFact]:
    words = path.split(".")
    for count in range(2, len(words)):
        fact = fact_of(".".join(words[:count]))
        if fact is not None:
            yield fact


def _missing(path: str) -> GoogleAdsError:
    text = f"The following field must be present in SELECT clause: '{path}'."
    return query_error("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE", text)


def _check_condition(resource: GoogleResource, condition: GaqlCondition, selected: set[str]) -> None:
    path = condition.field
    fact = _check_field(resource, path, "WHERE")
    head, _, rest = path.partition(".")
    if head == "segments" and rest not in CORE_DATES and path not in selected:
        raise _missing(path)
    if fact.kind == "message":
        raise query_error("PROHIBITED_FIELD_IN_WHERE_CLAUSE", f"Error in query: cannot filter by '{path}'.")
    if not _takes(condition.operator, fact, dated=head == "segments" and rest in CORE_DATES):
        text = f"Error in query: operator {condition.operator} cannot be used with '{path}'."
        raise query_error("OPERATOR_FIELD_MISMATCH", text)
    if not (head == "segments" and rest in CORE_DATES):
        for value in condition.values:
            _check_value(path, fact, value)
            if condition.operator.endswith("REGEXP_MATCH"):
                _check_pattern(value.text)


def _takes(operator: str, fact: FieldFact, *, dated: bool) -> bool:
    if operator.startswith("CONTAINS"):
        return fact.repeated
    if fact.repeated:
        return operator.startswith("IS")
    if operator == "DURING":
        return dated
    if operator in _TEXT_OPERATORS:
        return fact.kind == "string" and not dated
    if operator in _ORDERS:
        return fact.kind not in ("enum", "bool")
    return True


def _check_value(path: str, fact: FieldFact, value: GaqlToken) -> None:
    """Raise for a value that the field's type cannot have."""
    text = value.text
    if fact.kind == "enum" and text not in ENUMS[fact.name]:
        raise query_error("BAD_ENUM_CONSTANT", f"Invalid enum value cannot be included in WHERE clause: '{text}'.")
    if fact.kind == "bool" and text.lower() not in ("true", "false"):
        raise query_error("BAD_VALUE", f"Error in query: '{path}' is true or false.")
    if fact.kind in ("int64", "int32", "double"):
        try:
            float(text) if fact.kind == "double" else int(text)
        except ValueError:
            raise query_error("BAD_NUMBER", f"Error in query: '{path}' is a number, not '{text}'.") from None
    if fact.kind == "string" and value.kind == "number":
        raise query_error("INVALID_STRING_VALUE", f"Error in query: '{path}' is compared with text.")


def _check_pattern(text: str) -> None:
    try:
        re.compile(text)
    except re.error:
        raise query_error("BAD_VALUE", f"Error in query: '{text}' is no regular expression.") from None


def _check_combinations(query: GaqlQuery) -> None:
    """Segments that some metrics do not go with."""
    metrics = {path.partition(".")[2] for path in query.named if path.startswith("metrics.")}
    segments = {path.partition(".")[2] for path in query.named if path.startswith("segments.")}
    refused: set[str] = set()
    if not segments.isdisjoint(ACTION_SEGMENTS):
        refused |= metrics - BY_ACTION
    if "hour" in segments:
        refused |= metrics & NOT_BY_HOUR
    if "ad_network_type" in segments:
        refused |= {name for name in metrics if name.startswith("historical_")}
    if refused:
        named = ", ".join(f"'metrics.{name}'" for name in sorted(refused))
        text = f"Cannot select or filter on the following metrics together with the selected segments: {named}."
        raise query_error("PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE", text)


def _check_changes(query: GaqlQuery, today: date) -> None:
    """change_status needs a limit and both bounds of the time, at most 90 days ago (Google Ads API, Change status)."""
    bounds: dict[str, str] = {}
    sides = {"BETWEEN": ("low", "high"), ">": ("low",), ">=": ("low",), "<": ("high",), "<=": ("high",)}
    for condition in query.where:
        if condition.field == CHANGED:
            texts = [value.text for value in condition.values]
            bounds |= dict(zip(sides.get(condition.operator, ()), texts, strict=False))
            for text in texts:
                _check_time(text)
    if len(bounds) < 2:
        raise _change_error("CHANGE_DATE_RANGE_INFINITE", "A change status search must specify a finite range of time.")
    if bounds["low"] > bounds["high"]:
        raise _change_error("CHANGE_DATE_RANGE_NEGATIVE", "The range of the change status search is negative.")
    if datetime.fromisoformat(bounds["low"]).date() < today - timedelta(days=_CHANGE_DAYS):
        raise _change_error("START_DATE_TOO_OLD", f"The requested start date is more than {_CHANGE_DAYS} days ago.")
    if query.limit is None:
        raise _change_error("LIMIT_NOT_SPECIFIED", "A LIMIT must be specified for change status searches.")
    if query.limit > _MOST_CHANGES:
        text = f"The LIMIT of change status searches is at most {_MOST_CHANGES}."
        raise _change_error("INVALID_LIMIT_CLAUSE", text)


def _check_time(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise query_error("INVALID_DATE_FORMAT", f"Error in query: {text} is no time.") from None


def _change_error(code: str, text: str) -> GoogleAdsError:
    return GoogleAdsError("changeStatusError", code, text, field="query")
