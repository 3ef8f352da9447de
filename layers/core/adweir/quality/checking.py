"""A compiled schema, and the check of rows by it: a quick scan, and for what it does not pass all faults by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.quality.row_rules import Breaks, KnownRule, Rule
from adweir.quality.scanning import Scan, ScannedField, ScannedRule
from adweir.quality.schema_checks import Check, Fault
from adweir.quality.values import in_issue

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness", "accuracy")


@dataclass(frozen=True, slots=True)
class Field:
    """A compiled field; `rules` are as they are written, without aliases.

    `checks` run in order and all their faults are reported, but none after a wrong type. `dimension` is what the schema
    says; "" where it says nothing: then a value that is not there counts for completeness, a wrong one for validity.
    """

    name: str
    rules: Mapping[str, Any]
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
class ComparedFields:
    """A rule about several fields, as a schema asks for it."""

    known: KnownRule
    tolerance: float
    severity: str
    mostly: float

    @property
    def name(self) -> str:
        """The field that its issues are about."""
        return self.known.rule.field

    @property
    def dimension(self) -> str:
        return self.known.rule.dimension


class _Comparing(NamedTuple):
    """Such a rule while rows are checked: it may remember what earlier rows said."""

    breaks: Breaks
    fault: Fault

    def faults(self, record: Mapping[str, Any]) -> list[Fault]:
        return [self.fault] if self.breaks(record) else []


@dataclass(frozen=True)
class Schema:
    """A compiled schema. It may be used many times, by one thread at a time."""

    fields: tuple[Field, ...]
    compared: tuple[ComparedFields, ...] = ()

    @cached_property
    def scan(self) -> Scan:
        """What looks at rows quickly."""
        scanned = [
            ScannedField(each.name, each.rules, skips_null=each.nullable and not each.required) for each in self.fields
        ]
        rules = [ScannedRule(each.known.needs, each.known.passes, each.tolerance) for each in self.compared]
        return Scan(scanned, rules)

    def validate(self, records: Iterable[Any], now: datetime) -> dict[str, Any]:
        """Check records → `{"valid", "errors", "warnings", "errors_found", "rows", "scores"}`.

        Issues are `{"row", "field", "rule", "message", "value"}`, rows counted from 0. Both lists together hold at
        most `limits.MAX_SCHEMA_ISSUES`: the first of each field, and of the others the first rows'; `valid` and
        `errors_found` count all of them. `mostly` makes a field's errors warnings when at least that share of the rows
        passes. `scores` is the share of passed checks per dimension, None where the schema has none. `now` is the
        present, for rules about days.
        """
        checked = CheckedRows(self, now)
        checked.take(records)
        return checked.answer()


class CheckedRows:
    """Rows that are checked in one go, by a schema."""

    def __init__(self, schema: Schema, now: datetime) -> None:
        self._schema = schema
        self.units: tuple[Field | ComparedFields, ...] = (*schema.fields, *schema.compared)
        self._looks: list[Field | _Comparing] = [*schema.fields, *(_begun(each, now) for each in schema.compared)]
        self.tallies = [CheckTally() for _ in self.units]
        self._room = limits.MAX_SCHEMA_ISSUES - len(self.units)
        self._text = limits.MAX_SCHEMA_ISSUE_CHARS
        self.rows = 0
        self.bad_rows = 0
        """Rows that break what is an error, also where `mostly` tolerates that."""
        self._last_bad = -1

    def take(self, records: Iterable[Any]) -> None:
        """Check records; may be called again with the next ones."""
        self.rows = self._schema.scan.rows(records, self.rows, self._look)

    def broken(self, record: Mapping[str, Any]) -> Rule | None:
        """The first rule about several fields that the next record breaks; it is not counted, and the rules after that
        one do not remember it."""
        compared = zip(self._schema.compared, self._looks[len(self._schema.fields) :], strict=True)
        return next((each.known.rule for each, looks in compared if looks.faults(record)), None)

    def _look(self, row: int, record: Mapping[str, Any], place: int) -> None:
        """Find all faults of a field, or of a rule, in a record that the scan did not pass."""
        each = self._looks[place]
        faults = each.faults(record)
        if not faults:
            if isinstance(each, Field):
                self._remember(place, record.get(each.name))
            return
        tally, name = self.tallies[place], self.units[place].name
        tally.rows += 1
        tally.faults += len(faults)
        if row != self._last_bad and self.units[place].severity == "error":
            self._last_bad = row
            self.bad_rows += 1
        for fault in faults:
            tally.by_rule[fault.rule] = tally.by_rule.get(fault.rule, 0) + 1
            if tally.issues and (self._room <= 0 or self._text <= 0):
                continue
            issue = _issue(row, name, fault, record.get(name))
            self._room -= bool(tally.issues)
            self._text -= len(issue["message"]) + len(str(issue["value"])) + len(name)
            tally.issues.append(issue)

    def _remember(self, place: int, value: Any) -> None:
        """The scan passes a text or a date at once that has been looked at before."""
        scan = self._schema.scan
        if scan.room > 0 and (value.__class__ is date or (value.__class__ is str and len(value) <= _KNOWN_CHARS)):
            scan.known[place].add(value)
            scan.room -= 1

    def is_tolerated(self, place: int) -> bool:
        """Whether what breaks a field's rules, or a rule, only warns: by its severity, or for most rows keep it."""
        each, tally = self.units[place], self.tallies[place]
        return each.severity == "warn" or (self.rows > 0 and (self.rows - tally.rows) / self.rows >= each.mostly)

    def answer(self) -> dict[str, Any]:
        """What was found; see `Schema.validate`."""
        found: dict[str, list[tuple[int, int, dict[str, Any]]]] = {"error": [], "warn": []}
        errors_found, rows = 0, self.rows
        units: dict[str, list[int]] = {}
        for place, each in enumerate(self.units):
            tally = self.tallies[place]
            tolerated = self.is_tolerated(place)
            errors_found += 0 if tolerated else tally.faults
            found["warn" if tolerated else "error"] += [(issue["row"], place, issue) for issue in tally.issues]
            for dimension, failed, tested in _units_of(each, tally, rows):
                passed = units.setdefault(dimension, [0, 0])
                passed[0] += tested - failed
                passed[1] += tested
        for issues in found.values():
            issues.sort(key=lambda issue: issue[:2])
        return {
            "valid": not errors_found,
            "errors": [issue for _, _, issue in found["error"]],
            "warnings": [issue for _, _, issue in found["warn"]],
            "errors_found": errors_found,
            "rows": rows,
            "scores": {
                name: units[name][0] / units[name][1] if name in units and units[name][1] else None
                for name in DIMENSIONS
            },
        }


@dataclass(slots=True)
class CheckTally:
    """What is wrong with a field or by a rule: in how many rows, how many faults, and those that the answer lists."""

    rows: int = 0
    faults: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)


_KNOWN_CHARS = 64
_PRESENCE = ("required", "nullable")


def _units_of(each: Field | ComparedFields, tally: CheckTally, rows: int) -> Iterator[tuple[str, int, int]]:
    """The rows that failed, of those that were tested, by dimension."""
    if each.dimension or not isinstance(each, Field):
        yield each.dimension, tally.rows, rows
        return
    absent = sum(tally.by_rule.get(rule, 0) for rule in _PRESENCE)
    if each.required or not each.nullable:
        yield "completeness", absent, rows
    if each.type_check is not None or each.checks:
        yield "validity", tally.rows - absent, rows - absent


def _begun(each: ComparedFields, now: datetime) -> _Comparing:
    rule = each.known.rule
    return _Comparing(each.known.begin(each.tolerance, now), Fault(rule.name, rule.message))


def _issue(row: int, name: str, fault: Fault, value: Any) -> dict[str, Any]:
    message = f"{name} {fault.message}"
    return {"row": row, "field": name, "rule": fault.rule, "message": message, "value": in_issue(value)}
