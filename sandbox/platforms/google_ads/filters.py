"""Conditions of WHERE over native values (Google Ads API, Query grammar)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sandbox.platforms.google_ads.facts import CORE_DATES, FieldFact, fact_of
from sandbox.platforms.google_ads.gaql import GaqlCondition, GaqlToken

T = TypeVar("T")
_CORE = frozenset(f"segments.{name}" for name in CORE_DATES)


def predicate(condition: GaqlCondition, read: Callable[[T], Any]) -> Callable[[T], bool]:
    """Whether a condition holds of something. Those on core dates have chosen the days before; what a list of days
    leaves out between its first and its last is left out here.
    """
    fact = fact_of(condition.field) or FieldFact("string")
    values = [_native(fact, token) for token in condition.values]
    operator = condition.operator
    if condition.field in _CORE and operator != "IN":
        return lambda _thing: True

    def holds(thing: T) -> bool:
        found = read(thing)
        if operator in ("IS NULL", "IS NOT NULL"):
            return (found is None or found == []) == (operator == "IS NULL")
        if condition.field in _CORE and found is None:
            return True
        return _compare(operator, found, values)

    return holds


def _native(fact: FieldFact, token: GaqlToken) -> Any:
    match fact.kind:
        case "int64" | "int32":
            return int(token.text)
        case "double":
            return float(token.text)
        case "bool":
            return token.text.lower() == "true"
    return token.text


def _compare(operator: str, found: Any, values: list[Any]) -> bool:
    """An absent value is unlike every other."""
    if operator.startswith("CONTAINS"):
        inside = [value in (found or ()) for value in values]
        return {"ANY": any(inside), "ALL": all(inside), "NONE": not any(inside)}[operator.split()[1]]
    if found is None:
        return operator == "!=" or operator.startswith("NOT")
    return _SINGLE[operator.removeprefix("NOT ")](found, values) != operator.startswith("NOT")


_SINGLE: Mapping[str, Callable[[Any, list[Any]], bool]] = {
    "=": lambda found, values: bool(found == values[0]),
    "!=": lambda found, values: bool(found != values[0]),
    "<": lambda found, values: bool(found < values[0]),
    "<=": lambda found, values: bool(found <= values[0]),
    ">": lambda found, values: bool(found > values[0]),
    ">=": lambda found, values: bool(found >= values[0]),
    "IN": lambda found, values: found in values,
    "BETWEEN": lambda found, values: bool(values[0] <= found <= values[1]),
    "LIKE": lambda found, values: _like(values[0]).fullmatch(found) is not None,
    "REGEXP_MATCH": lambda found, values: re.fullmatch(values[0], found) is not None,
}


def _like(pattern: str) -> re.Pattern[str]:
    """`%` stands for any text; `[%]` is the sign itself."""
    words = re.split(r"(\[[\[\]%_]\]|%)", pattern)
    parts = [
        ".*" if word == "%" else re.escape(word[1]) if re.fullmatch(r"\[.\]", word) else re.escape(word)
        for word in words
    ]
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
