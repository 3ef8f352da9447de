"""The validation schema language: a dict of field → rule, as users of Cerberus write it, compiled to closures.

Reference: canonical schema, section 5; analytics, section 4.2 for where we differ from Cerberus on purpose: dates may
be ISO text, Decimal is a number, NaN and infinity are none, a boolean is no integer, `max_length` and `maxlength` are
both known, and a field that the schema does not name is left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from adweir.model.errors import Unprocessable
from adweir.model.platforms import parse_platform

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness", "accuracy")
MAX_FIELDS = 500
MAX_REGEX = 200
MAX_MATCHED = 2_000
MAX_ISSUES = 10_000
_SHOWN = 200
_NUMBERS = (int, float, Decimal)
_ALIASES = {"minlength": "min_length", "maxlength": "max_length"}
_KNOWN = frozenset(
    {
        "type",
        "required",
        "nullable",
        "empty",
        "allowed",
        "forbidden",
        "min",
        "max",
        "min_length",
        "max_length",
        "regex",
        "severity",
        "dimension",
        "mostly",
    }
)
# A repetition of a group that itself repeats, such as (a+)+, takes exponential time on the wrong text.
_EXPLOSIVE = re.compile(r"[+*}][^()]*\)\s*[+*{]|\([^()]*\|[^()]*\)\s*[+*{]")


class Fault(NamedTuple):
    """What a check found: the rule and a sentence."""

    rule: str
    message: str


Check = Callable[[Any], Fault | None]


@dataclass(frozen=True, slots=True)
class Field:
    """A compiled field. `checks` run in order; all faults are told, but none after a wrong type."""

    name: str
    required: bool
    nullable: bool
    severity: str
    dimension: str
    mostly: float
    type_check: Check | None
    checks: tuple[Check, ...]

    def faults(self, record: Mapping[str, Any]) -> list[Fault]:
        """All faults of this field in one record."""
        if self.name not in record:
            return [Fault("required", "is required")] if self.required else []
        value = record[self.name]
        if value is None:
            return [] if self.nullable else [Fault("nullable", "must not be null")]
        if self.type_check is not None:
            fault = self.type_check(value)
            if fault is not None:
                return [fault]
        return [fault for check in self.checks if (fault := check(value)) is not None]


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema."""

    fields: tuple[Field, ...]

    def validate(self, records: Iterable[Any], *, max_issues: int = MAX_ISSUES) -> dict[str, Any]:
        """Check records → `{"valid", "errors", "warnings", "rows", "scores"}`.

        Issues are `{"row", "field", "rule", "message", "value"}`, rows counted from 0; of each list at most
        `max_issues` are returned, `valid` knows them all. `mostly` makes a field's errors warnings when at least that
        share of the rows passes. `scores` is the share of passed checks a dimension, None where the schema has none.
        """
        failed: dict[str, int] = {}
        issues: dict[str, list[dict[str, Any]]] = {field.name: [] for field in self.fields}
        rows = 0
        for row, record in enumerate(records):
            rows += 1
            if not isinstance(record, Mapping):
                record = {}  # noqa: PLW2901  every required field of it is missing, which is what there is to say
            for field in self.fields:
                faults = field.faults(record)
                if not faults:
                    continue
                failed[field.name] = failed.get(field.name, 0) + 1
                if len(issues[field.name]) < max_issues:
                    value = _shown(record.get(field.name))
                    issues[field.name] += [
                        {
                            "row": row,
                            "field": field.name,
                            "rule": fault.rule,
                            "message": f"{field.name} {fault.message}",
                            "value": value,
                        }
                        for fault in faults
                    ]
        return self._answer(rows, failed, issues, max_issues)

    def _answer(
        self, rows: int, failed: dict[str, int], issues: dict[str, list[dict[str, Any]]], most: int
    ) -> dict[str, Any]:
        errors: list[dict[str, Any]] = []
        warnings: list[dict[str, Any]] = []
        units: dict[str, list[int]] = {}
        for field in self.fields:
            wrong = failed.get(field.name, 0)
            tolerated = field.severity == "warn" or (rows > 0 and (rows - wrong) / rows >= field.mostly)
            (warnings if tolerated else errors).extend(issues[field.name])
            tally = units.setdefault(field.dimension, [0, 0])
            tally[0] += rows - wrong
            tally[1] += rows
        order = {field.name: place for place, field in enumerate(self.fields)}
        for found in (errors, warnings):
            found.sort(key=lambda issue: (issue["row"], order[issue["field"]]))
        scores = {
            name: None if name not in units or not rows else units[name][0] / units[name][1] for name in DIMENSIONS
        }
        return {
            "valid": not errors,
            "errors": errors[:most],
            "warnings": warnings[:most],
            "rows": rows,
            "scores": scores,
        }


def compile(schema: Any) -> Schema:  # noqa: A001  the word of the trade, always used as schema.compile
    """Compile a schema. Raises Unprocessable whose details name each wrong field and rule."""
    if not isinstance(schema, Mapping):
        raise Unprocessable("a schema is an object of field → rules", [{"field": "schema", "message": "no object"}])
    if len(schema) > MAX_FIELDS:
        raise Unprocessable(f"a schema has at most {MAX_FIELDS} fields", [{"field": "schema", "message": "too many"}])
    details: list[dict[str, Any]] = []
    fields: list[Field] = []
    for name, rules in schema.items():
        try:
            fields.append(_field(name, rules))
        except _BadRule as error:
            details.append({"field": str(name)[:_SHOWN], "rule": error.rule, "message": str(error)})
    if details:
        raise Unprocessable(f"{len(details)} fields of the schema are wrong", details)
    return Schema(tuple(fields))


def validate(records: Iterable[Any], schema: Any) -> dict[str, Any]:
    """Compile and check in one call; see `Schema.validate`."""
    return compile(schema).validate(records)


class _BadRule(Exception):
    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def _field(name: Any, rules: Any) -> Field:
    if not isinstance(name, str) or not name:
        raise _BadRule("", "field names are text")
    if not isinstance(rules, Mapping):
        raise _BadRule("", "the rules of a field are an object")
    known: dict[str, Any] = {}
    for key, value in rules.items():
        rule = _ALIASES.get(key, key)
        if rule not in _KNOWN:
            raise _BadRule(str(key)[:50], f"unknown rule; known: {', '.join(sorted(_KNOWN))}")
        known[rule] = value
    kind = known.get("type")
    if kind is not None and (not isinstance(kind, str) or kind not in _TYPES):
        raise _BadRule("type", f"unknown type; known: {', '.join(sorted(_TYPES))}")
    checks = [_CHECKS[rule](name, kind, known[rule]) for rule in _CHECKS if rule in known and rule != "empty"]
    if _flag(known, "empty", default=True) is False:
        checks.insert(0, _not_empty)
    return Field(
        name=name,
        required=_flag(known, "required", default=False),
        nullable=_flag(known, "nullable", default=False),
        severity=_choice(known, "severity", ("error", "warn"), "error"),
        dimension=_choice(
            known, "dimension", DIMENSIONS, "completeness" if set(known) <= {"required", "nullable"} else "validity"
        ),
        mostly=_share(known.get("mostly", 1)),
        type_check=None if kind is None else _typed(kind),
        checks=tuple(checks),
    )


def _flag(rules: Mapping[str, Any], rule: str, *, default: bool) -> bool:
    value = rules.get(rule, default)
    if not isinstance(value, bool):
        raise _BadRule(rule, "must be true or false")
    return value


def _choice(rules: Mapping[str, Any], rule: str, known: Sequence[str], default: str) -> str:
    value = rules.get(rule, default)
    if value not in known:
        raise _BadRule(rule, f"must be one of {', '.join(known)}")
    return str(value)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS) or not 0 < value <= 1:
        raise _BadRule("mostly", "must be a share over 0 and at most 1")
    return float(value)


# --- types


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(value: Any) -> bool:
    if isinstance(value, Decimal):  # DynamoDB reads every number so
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def as_date(value: Any) -> date | None:
    """A date, or ISO text of one (`2026-11-01`), as date; else None."""
    if isinstance(value, datetime):
        return None
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def as_datetime(value: Any) -> datetime | None:
    """A datetime, or ISO text of one, as datetime; else None."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) < 11:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "float": _is_number,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "date": lambda value: as_date(value) is not None,
    "datetime": lambda value: as_datetime(value) is not None,
    "list": lambda value: isinstance(value, list | tuple),
    "dict": lambda value: isinstance(value, Mapping),
}


def _typed(kind: str) -> Check:
    test, fault = _TYPES[kind], Fault("type", f"must be of type {kind}")
    return lambda value: None if test(value) else fault


# --- the other rules


def _not_empty(value: Any) -> Fault | None:
    return Fault("empty", "must not be empty") if hasattr(value, "__len__") and len(value) == 0 else None


def _canonical(value: Any) -> Any:
    try:
        return parse_platform(value) if isinstance(value, str) else value
    except Unprocessable:
        return value


def _members(rule: str, name: str, values: Any) -> Callable[[Any], bool]:
    if not isinstance(values, list | tuple | set | frozenset):
        raise _BadRule(rule, "must be a list of values")
    listed = [_canonical(value) for value in values] if name == "platform" else list(values)

    def member(value: Any) -> bool:
        wanted = _canonical(value) if name == "platform" else value
        return any(
            _same(entry, item)
            for item in (wanted if isinstance(wanted, list | tuple) else [wanted])
            for entry in listed
        )

    return member


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _allowed(name: str, _kind: str | None, values: Any) -> Check:
    if not isinstance(values, list | tuple | set | frozenset):
        raise _BadRule("allowed", "must be a list of values")
    one = _members("allowed", name, values)
    fault = Fault("allowed", f"must be one of {', '.join(str(value)[:50] for value in list(values)[:20])}")

    def check(value: Any) -> Fault | None:
        every = all(one(item) for item in value) if isinstance(value, list | tuple) else one(value)
        return None if every else fault

    return check


def _forbidden(name: str, _kind: str | None, values: Any) -> Check:
    any_of = _members("forbidden", name, values)
    fault = Fault("forbidden", "has a forbidden value")
    return lambda value: fault if any_of(value) else None


def _bound(rule: str, kind: str | None, bound: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The bound, and what makes a value comparable with it (None: it is not)."""
    if kind == "date" or (kind is None and as_date(bound) is not None):
        limit, convert = as_date(bound), as_date
    elif kind == "datetime" or (kind is None and isinstance(bound, datetime)):
        return _datetime_bound(rule, bound)
    elif kind in {None, "integer", "float", "number"} and _is_number(bound):
        return bound, lambda value: value if _is_number(value) else None
    else:
        raise _BadRule(rule, f"is no bound for type {kind}")
    if limit is None:
        raise _BadRule(rule, "must be a date, YYYY-MM-DD")
    return limit, convert


def _datetime_bound(rule: str, bound: Any) -> tuple[Any, Callable[[Any], Any]]:
    limit = as_datetime(bound)
    if limit is None:
        raise _BadRule(rule, "must be a date and time, ISO 8601")
    aware = limit.tzinfo is not None

    def convert(value: Any) -> datetime | None:
        found = as_datetime(value)
        return found if found is not None and (found.tzinfo is not None) == aware else None

    return limit, convert


def _min(_name: str, kind: str | None, bound: Any) -> Check:
    limit, convert = _bound("min", kind, bound)
    fault = Fault("min", f"must be at least {bound}")

    def check(value: Any) -> Fault | None:
        found = convert(value)
        return None if found is not None and found >= limit else fault

    return check


def _max(_name: str, kind: str | None, bound: Any) -> Check:
    limit, convert = _bound("max", kind, bound)
    fault = Fault("max", f"must be at most {bound}")

    def check(value: Any) -> Fault | None:
        found = convert(value)
        return None if found is not None and found <= limit else fault

    return check


def _length(rule: str, kind: str | None, bound: Any) -> int:
    if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0:
        raise _BadRule(rule, "must be a whole number, 0 or more")
    if kind not in {None, "string", "list", "dict"}:
        raise _BadRule(rule, f"type {kind} has no length")
    return bound


def _min_length(_name: str, kind: str | None, bound: Any) -> Check:
    least = _length("min_length", kind, bound)
    fault = Fault("min_length", f"must have a length of at least {least}")
    return lambda value: None if hasattr(value, "__len__") and len(value) >= least else fault


def _max_length(_name: str, kind: str | None, bound: Any) -> Check:
    most = _length("max_length", kind, bound)
    fault = Fault("max_length", f"must have a length of at most {most}")
    return lambda value: None if hasattr(value, "__len__") and len(value) <= most else fault


def _regex(_name: str, kind: str | None, pattern: Any) -> Check:
    if kind not in {None, "string"}:
        raise _BadRule("regex", f"type {kind} has no text")
    if not isinstance(pattern, str) or len(pattern) > MAX_REGEX:
        raise _BadRule("regex", f"must be text of at most {MAX_REGEX} characters")
    if _EXPLOSIVE.search(pattern):
        raise _BadRule("regex", "repeats a group that repeats or branches: that may never end")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise _BadRule("regex", "is no regular expression") from None
    fault = Fault("regex", "does not match the pattern")

    def check(value: Any) -> Fault | None:
        fits = isinstance(value, str) and len(value) <= MAX_MATCHED and compiled.fullmatch(value)
        return None if fits else fault

    return check


_CHECKS: dict[str, Callable[[str, str | None, Any], Check]] = {
    "allowed": _allowed,
    "forbidden": _forbidden,
    "min": _min,
    "max": _max,
    "min_length": _min_length,
    "max_length": _max_length,
    "regex": _regex,
}


def _shown(value: Any) -> Any:
    """A value as an issue may carry it: JSON, and short."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    try:
        return str(value)[:_SHOWN]
    except (ValueError, InvalidOperation):
        return "?"
