"""The validation schema language: a dict of field → rules, as users of Cerberus write it, compiled once.

It differs from Cerberus on purpose: dates may be ISO text, Decimal is a number, NaN and infinity are not, a boolean is
not an integer, null in a field that is not required counts as absent (unless it says `nullable: false`), `max_length`
and `maxlength` are both known, and a field that the schema does not name is ignored. The name `rules` with a list is no
field: it has the rules about several fields (`quality.row_rules`), each by its name or as
`{"rule", "severity", "tolerance", "mostly"}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.ports import PlatformParser
from adweir.quality.checking import DIMENSIONS, ComparedFields, Field, Schema
from adweir.quality.row_rules import KNOWN_RULES
from adweir.quality.schema_checks import (
    CHECKS,
    TYPES,
    BadRule,
    Canonical,
    as_it_is,
    by_platform,
    not_empty,
    typed,
)
from adweir.quality.values import NUMBERS

RULES = "rules"
"""The name under which a schema has its rules about several fields."""
_SHOWN = 200
_ALIASES = {"minlength": "min_length", "maxlength": "max_length"}
_SEVERITIES = ("error", "warn")
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
_KNOWN_OF_RULE = frozenset({"rule", "severity", "tolerance", "mostly"})


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
    compared: list[ComparedFields] = []
    platform = by_platform(parse_platform) if parse_platform else as_it_is
    for name, rules in schema.items():
        try:
            if name == RULES and isinstance(rules, list | tuple):
                compared = _compared(rules)
            else:
                fields.append(_field(name, rules, platform if name == "platform" else as_it_is))
        except BadRule as error:
            details.append({"field": str(name)[:_SHOWN], "rule": error.rule, "message": str(error)})
    if details:
        raise Unprocessable(f"{len(details)} fields of the schema are wrong", details)
    return Schema(tuple(fields), tuple(compared))


def validate(
    records: Iterable[Any], schema: Any, now: datetime, parse_platform: PlatformParser | None = None
) -> dict[str, Any]:
    """Compile and check in one call; see `compile` and `Schema.validate`."""
    return compile(schema, parse_platform).validate(records, now)


def _compared(rules: Sequence[Any]) -> list[ComparedFields]:
    found: dict[str, ComparedFields] = {}
    for each in rules:
        asked = {"rule": each} if isinstance(each, str) else each
        if not isinstance(asked, Mapping):
            raise BadRule("", "each of the rules is a name, or an object with a rule")
        unknown = sorted(map(str, set(asked) - _KNOWN_OF_RULE))
        if unknown:
            raise BadRule(unknown[0][:50], f"unknown; known: {', '.join(sorted(_KNOWN_OF_RULE))}")
        name = asked.get("rule")
        listed = KNOWN_RULES.get(name) if isinstance(name, str) else None
        if listed is None:
            raise BadRule(str(name)[:50], f"unknown rule; known: {', '.join(KNOWN_RULES)}")
        if name in found:
            raise BadRule(listed.rule.name, "is given twice")
        found[listed.rule.name] = ComparedFields(
            known=listed,
            tolerance=_tolerance(asked, listed.tolerance),
            severity=_choice(asked, "severity", _SEVERITIES, listed.rule.severity),
            mostly=_share(asked.get("mostly", 1)),
        )
    return list(found.values())


def _tolerance(asked: Mapping[str, Any], default: float | None) -> float:
    if "tolerance" not in asked:
        return default or 0.0
    if default is None:
        raise BadRule("tolerance", f"{asked['rule']} takes none")
    value = asked["tolerance"]
    if isinstance(value, bool) or not isinstance(value, NUMBERS) or not 0 <= value <= 1:
        raise BadRule("tolerance", "must be a number from 0 to 1")
    return float(value)


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
        rules=known,
        required=required,
        nullable=_flag(known, "nullable", default=not required),
        severity=_choice(known, "severity", _SEVERITIES, "error"),
        dimension=_choice(known, "dimension", DIMENSIONS, "") if "dimension" in known else "",
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
