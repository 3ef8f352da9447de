"""The types and rules of the schema language, each as a function that says what is wrong; see `quality.schema`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from adweir.model.errors import Unprocessable
from adweir.model.ports import PlatformParser
from adweir.quality.patterns import BadPattern, compile_pattern
from adweir.quality.values import as_date, as_datetime, is_integer, is_number, shown


class Fault(NamedTuple):
    """What a check found: the rule and a sentence."""

    rule: str
    message: str


Check = Callable[[Any], Fault | None]
Canonical = Callable[[Any], Any]
"""A value → the form in which the values of its field are compared."""


class BadRule(Exception):
    """A rule of a schema that makes no sense; its text says why."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


# --- types


TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": is_integer,
    "float": is_number,
    "number": is_number,
    "boolean": lambda value: isinstance(value, bool),
    "date": lambda value: as_date(value) is not None,
    "datetime": lambda value: as_datetime(value) is not None,
    "list": lambda value: isinstance(value, list | tuple),
    "dict": lambda value: isinstance(value, Mapping),
}


def typed(kind: str) -> Check:
    test, fault = TYPES[kind], Fault("type", f"must be of type {kind}")
    return lambda value: None if test(value) else fault


# --- the other rules


def not_empty(value: Any) -> Fault | None:
    return Fault("empty", "must not be empty") if hasattr(value, "__len__") and len(value) == 0 else None


def as_it_is(value: Any) -> Any:
    """The form in which the values of most fields are compared."""
    return value


def by_platform(parse_platform: PlatformParser) -> Canonical:
    """The form in which names of platforms are compared: `meta` and `facebook` are the same."""

    def canonical(value: Any) -> Any:
        try:
            return parse_platform(value) if isinstance(value, str) else value
        except Unprocessable:
            return value

    return canonical


def _members(rule: str, values: Any, canonical: Canonical) -> Callable[[Any], bool]:
    """Whether one of a value's items, or the value itself, is listed: each is looked up, however many are listed."""
    if not isinstance(values, list | tuple | set | frozenset):
        raise BadRule(rule, "must be a list of values")
    try:
        listed = {_key(canonical(value)) for value in values}
    except RecursionError:
        raise BadRule(rule, "has a value that is nested too deep") from None
    except TypeError:
        raise BadRule(rule, "has a value that cannot be compared") from None

    def member(value: Any) -> bool:
        items = value if isinstance(value, list | tuple) else [value]
        try:
            return any(_key(canonical(item)) in listed for item in items)
        except (RecursionError, TypeError):  # deeper than all that are listed, or of no kind that may be
            return False

    return member


def _key(value: Any) -> Hashable:
    """What equal values have in common: 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(value, Mapping):
        return "object", frozenset((name, _key(inner)) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return "list", tuple(map(_key, value))
    return isinstance(value, bool), value


def _allowed(_kind: str | None, values: Any, canonical: Canonical) -> Check:
    one = _members("allowed", values, canonical)
    fault = Fault("allowed", f"must be one of {', '.join(shown(value, 50) for value in list(values)[:20])}")

    def check(value: Any) -> Fault | None:
        every = all(one(item) for item in value) if isinstance(value, list | tuple) else one(value)
        return None if every else fault

    return check


def _forbidden(_kind: str | None, values: Any, canonical: Canonical) -> Check:
    any_of = _members("forbidden", values, canonical)
    fault = Fault("forbidden", "has a forbidden value")
    return lambda value: fault if any_of(value) else None


def _bound(rule: str, kind: str | None, bound: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The bound, and a function that makes a value comparable with it, or None where it is not."""
    if kind == "date" or (kind is None and as_date(bound) is not None):
        limit, convert = as_date(bound), as_date
    elif kind == "datetime" or (kind is None and isinstance(bound, datetime)):
        return _datetime_bound(rule, bound)
    elif kind in {None, "integer", "float", "number"} and is_number(bound):
        return bound, lambda value: value if is_number(value) else None
    else:
        raise BadRule(rule, f"does not fit type {kind}")
    if limit is None:
        raise BadRule(rule, "must be a date, YYYY-MM-DD")
    return limit, convert


def _datetime_bound(rule: str, bound: Any) -> tuple[Any, Callable[[Any], Any]]:
    limit = as_datetime(bound)
    if limit is None:
        raise BadRule(rule, "must be a date and time, ISO 8601")
    aware = limit.tzinfo is not None

    def convert(value: Any) -> datetime | None:
        found = as_datetime(value)
        return found if found is not None and (found.tzinfo is not None) == aware else None

    return limit, convert


def _min(kind: str | None, bound: Any, _: Canonical) -> Check:
    limit, convert = _bound("min", kind, bound)
    fault = Fault("min", f"must be at least {shown(bound)}")

    def check(value: Any) -> Fault | None:
        found = convert(value)
        return None if found is not None and found >= limit else fault

    return check


def _max(kind: str | None, bound: Any, _: Canonical) -> Check:
    limit, convert = _bound("max", kind, bound)
    fault = Fault("max", f"must be at most {shown(bound)}")

    def check(value: Any) -> Fault | None:
        found = convert(value)
        return None if found is not None and found <= limit else fault

    return check


def _length(rule: str, kind: str | None, bound: Any) -> int:
    if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0:
        raise BadRule(rule, "must be a whole number, 0 or more")
    if kind not in {None, "string", "list", "dict"}:
        raise BadRule(rule, f"does not fit type {kind}, which has no length")
    return bound


def _min_length(kind: str | None, bound: Any, _: Canonical) -> Check:
    least = _length("min_length", kind, bound)
    fault = Fault("min_length", f"must have a length of at least {least}")
    return lambda value: None if hasattr(value, "__len__") and len(value) >= least else fault


def _max_length(kind: str | None, bound: Any, _: Canonical) -> Check:
    most = _length("max_length", kind, bound)
    fault = Fault("max_length", f"must have a length of at most {most}")
    return lambda value: None if hasattr(value, "__len__") and len(value) <= most else fault


def _regex(kind: str | None, pattern: Any, _: Canonical) -> Check:
    if kind not in {None, "string"}:
        raise BadRule("regex", f"does not fit type {kind}")
    if not isinstance(pattern, str):
        raise BadRule("regex", "must be text")
    try:
        matches = compile_pattern(pattern)
    except BadPattern as error:
        raise BadRule("regex", str(error)) from None
    fault = Fault("regex", "does not match the pattern")
    return lambda value: None if isinstance(value, str) and matches(value) else fault


CHECKS: dict[str, Callable[[str | None, Any, Canonical], Check]] = {
    "allowed": _allowed,
    "forbidden": _forbidden,
    "min": _min,
    "max": _max,
    "min_length": _min_length,
    "max_length": _max_length,
    "regex": _regex,
}
