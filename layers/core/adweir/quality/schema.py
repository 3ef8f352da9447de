"""The validation schema language: a dict of field → rule, as users of Cerberus write it, compiled to closures.

It differs from Cerberus on purpose: dates may be ISO text, Decimal is a number, NaN and infinity are not, a boolean is
not an integer, null in a field that is not required counts as absent (unless it says `nullable: false`), `max_length`
and `maxlength` are both known, and a field that the schema does not name is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.ports import PlatformParser
from adweir.quality.schema_checks import (
    CHECKS,
    NUMBERS,
    TYPES,
    BadRule,
    Canonical,
    Check,
    Fault,
    as_it_is,
    by_platform,
    not_empty,
    shown,
    typed,
)

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness", "accuracy")
_SHOWN = 200
_LONG_NUMBER = 10**40
"""Whole numbers from here on are shown as text."""
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


@dataclass(frozen=True, slots=True)
class Field:
    """A compiled field. `checks` run in order and all their faults are reported, but none after a wrong type."""

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

    def validate(self, records: Iterable[Any]) -> dict[str, Any]:
        """Check records → `{"valid", "errors", "warnings", "errors_found", "rows", "scores"}`.

        Issues are `{"row", "field", "rule", "message", "value"}`, rows counted from 0. Both lists together hold at
        most `limits.MAX_SCHEMA_ISSUES`: the first of each field, and of the others the first rows'; `valid` and
        `errors_found` count all of them. `mostly` makes a field's errors warnings when at least that share of the rows
        passes. `scores` is the share of passed checks per dimension, None where the schema has none.
        """
        tallies = {each.name: _Tally() for each in self.fields}
        room, text = limits.MAX_SCHEMA_ISSUES - len(self.fields), limits.MAX_SCHEMA_ISSUE_CHARS
        rows = 0
        for row, record in enumerate(records):
            rows += 1
            if not isinstance(record, Mapping):
                record = {}  # noqa: PLW2901  so every required field of it is missing
            for each in self.fields:
                faults = each.faults(record)
                if not faults:
                    continue
                tally = tallies[each.name]
                tally.rows += 1
                tally.faults += len(faults)
                for fault in faults:
                    if tally.issues and (room <= 0 or text <= 0):
                        break
                    issue = _issue(row, each.name, fault, record.get(each.name))
                    room -= bool(tally.issues)
                    text -= len(issue["message"]) + len(str(issue["value"])) + len(each.name)
                    tally.issues.append(issue)
        return self._answer(rows, tallies)

    def _answer(self, rows: int, tallies: Mapping[str, _Tally]) -> dict[str, Any]:
        errors: list[dict[str, Any]] = []
        warnings: list[dict[str, Any]] = []
        errors_found = 0
        units: dict[str, list[int]] = {}
        for each in self.fields:
            found = tallies[each.name]
            tolerated = each.severity == "warn" or (rows > 0 and (rows - found.rows) / rows >= each.mostly)
            (warnings if tolerated else errors).extend(found.issues)
            errors_found += 0 if tolerated else found.faults
            tally = units.setdefault(each.dimension, [0, 0])
            tally[0] += rows - found.rows
            tally[1] += rows
        order = {each.name: place for place, each in enumerate(self.fields)}
        for issues in (errors, warnings):
            issues.sort(key=lambda issue: (issue["row"], order[issue["field"]]))
        scores = {
            name: None if name not in units or not rows else units[name][0] / units[name][1] for name in DIMENSIONS
        }
        return {
            "valid": not errors_found,
            "errors": errors,
            "warnings": warnings,
            "errors_found": errors_found,
            "rows": rows,
            "scores": scores,
        }


@dataclass(slots=True)
class _Tally:
    """What is wrong with a field: in how many rows, how many faults, and those that the answer lists."""

    rows: int = 0
    faults: int = 0
    issues: list[dict[str, Any]] = field(default_factory=list)


def _issue(row: int, name: str, fault: Fault, value: Any) -> dict[str, Any]:
    message = f"{name} {fault.message}"
    return {"row": row, "field": name, "rule": fault.rule, "message": message, "value": _shown(value)}


def compile(  # noqa: A001  the usual word, always used as schema.compile
    schema: Any, parse_platform: PlatformParser | None = None
) -> Schema:
    """Compile a schema. Raises Unprocessable whose details name each wrong field and rule.

    With `parse_platform` the values of a field `platform` may go by any known name of a platform.
    """
    if not isinstance(schema, Mapping):
        raise Unprocessable("a schema is an object of field → rules", [{"field": "schema", "message": "no object"}])
    if len(schema) > limits.MAX_SCHEMA_FIELDS:
        raise Unprocessable(
            f"a schema has at most {limits.MAX_SCHEMA_FIELDS} fields", [{"field": "schema", "message": "too many"}]
        )
    details: list[dict[str, Any]] = []
    fields: list[Field] = []
    platform = by_platform(parse_platform) if parse_platform else as_it_is
    for name, rules in schema.items():
        try:
            fields.append(_field(name, rules, platform if name == "platform" else as_it_is))
        except BadRule as error:
            details.append({"field": str(name)[:_SHOWN], "rule": error.rule, "message": str(error)})
    if details:
        raise Unprocessable(f"{len(details)} fields of the schema are wrong", details)
    return Schema(tuple(fields))


def validate(records: Iterable[Any], schema: Any, parse_platform: PlatformParser | None = None) -> dict[str, Any]:
    """Compile and check in one call; see `compile` and `Schema.validate`."""
    return compile(schema, parse_platform).validate(records)


def _field(name: Any, rules: Any, canonical: Canonical) -> Field:
    if not isinstance(name, str) or not 0 < len(name) <= limits.MAX_SCHEMA_NAME_CHARS:
        raise BadRule("", f"field names are text of 1 to {limits.MAX_SCHEMA_NAME_CHARS} characters")
    if not isinstance(rules, Mapping):
        raise BadRule("", "the rules of a field are an object")
    known: dict[str, Any] = {}
    for key, value in rules.items():
        rule = _ALIASES.get(key, key)
        if rule not in _KNOWN:
            raise BadRule(str(key)[:50], f"unknown rule; known: {', '.join(sorted(_KNOWN))}")
        known[rule] = value
    kind = known.get("type")
    if kind is not None and (not isinstance(kind, str) or kind not in TYPES):
        raise BadRule("type", f"unknown type; known: {', '.join(sorted(TYPES))}")
    checks = [CHECKS[rule](kind, known[rule], canonical) for rule in CHECKS if rule in known and rule != "empty"]
    if _flag(known, "empty", default=True) is False:
        checks.insert(0, not_empty)
    required = _flag(known, "required", default=False)
    return Field(
        name=name,
        required=required,
        nullable=_flag(known, "nullable", default=not required),
        severity=_choice(known, "severity", ("error", "warn"), "error"),
        dimension=_choice(
            known, "dimension", DIMENSIONS, "completeness" if set(known) <= {"required", "nullable"} else "validity"
        ),
        mostly=_share(known.get("mostly", 1)),
        type_check=None if kind is None else typed(kind),
        checks=tuple(checks),
    )


def _flag(rules: Mapping[str, Any], rule: str, *, default: bool) -> bool:
    value = rules.get(rule, default)
    if not isinstance(value, bool):
        raise BadRule(rule, "must be true or false")
    return value


def _choice(rules: Mapping[str, Any], rule: str, known: Sequence[str], default: str) -> str:
    value = rules.get(rule, default)
    if value not in known:
        raise BadRule(rule, f"must be one of {', '.join(known)}")
    return str(value)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, NUMBERS) or not 0 < value <= 1:
        raise BadRule("mostly", "must be a share above 0 and at most 1")
    return float(value)


def _shown(value: Any) -> Any:
    """A value as an issue may carry it: JSON, and short."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _LONG_NUMBER):
        return value if math.isfinite(value) else str(value)
    return shown(value, _SHOWN)
