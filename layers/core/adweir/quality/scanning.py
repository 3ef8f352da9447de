"""The quick scan of rows: a function that is written for one schema and passes what is in order.

For the field `clicks` of a schema, its part is

    v = get(name_5)
    if not (v.__class__ is int and low_5 <= v): look(row, record, 5)

It finds no fault. What it does not pass is looked at by the checks of `quality.schema_checks`, which alone say what a
schema means; a condition here may be too strict, never too lenient. Texts and dates that they have passed are known
from then on, so a date is read once and not in each row.

No text of a schema is part of the written function: it finds names and bounds as values, under names of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model import limits

Look = Callable[[int, Mapping[str, Any], int], None]
"""(row, record, place of the field or rule) → looks at it closely."""
_ABOUT = frozenset({"type", "required", "nullable", "severity", "dimension", "mostly"})
"""Rules that say nothing of a value but its type."""
_HEAD = """def rows(records, row, look):
    for record in records:
        if record.__class__ is not dict: record = as_mapping(record)
        get = record.get
"""


class ScannedField(NamedTuple):
    """A field. `skips_null`: a record without a value is in order."""

    name: str
    rules: Mapping[str, Any]
    skips_null: bool


class ScannedRule(NamedTuple):
    """A rule about several fields, at most three; see `quality.row_rules.KnownRule`."""

    needs: tuple[str, ...]
    passes: str
    tolerance: float


class Scan:
    """`rows` looks at records, the first one being row number `row`, and returns the number after the last.

    `known`: values of each field that are in order; `room`: how many more may be remembered.
    """

    def __init__(self, fields: Sequence[ScannedField], compared: Sequence[ScannedRule]) -> None:
        self.known: list[set[Any]] = [set() for _ in fields]
        self.room = limits.MAX_KNOWN_CELLS
        self.source = "".join([
            _HEAD,
            *(_of_field(place, each) for place, each in enumerate(fields)),
            *(_of_rule(place, each) for place, each in enumerate(compared, len(fields))),
            "        row += 1\n    return row\n",
        ])  # fmt: skip
        names: dict[str, Any] = {"as_mapping": _as_mapping, "date": date, "Decimal": Decimal}
        for place, each in enumerate(fields):
            low, high = each.rules.get("min"), each.rules.get("max")
            names |= {f"name_{place}": each.name, f"known_{place}": self.known[place]}
            names |= {f"low_{place}": low, f"high_{place}": high}
            names |= {f"least_{place}": _or(low, -sys.float_info.max), f"most_{place}": _or(high, sys.float_info.max)}
            names |= {f"short_{place}": _shortest(each.rules), f"long_{place}": each.rules.get("max_length")}
        for place, rule in enumerate(compared, len(fields)):
            names |= {f"name_{place}_{letter}": name for letter, name in zip("abc", rule.needs, strict=False)}
            names[f"tolerance_{place}"] = rule.tolerance
        exec(compile(self.source, "<schema>", "exec"), names)  # noqa: S102  the text is made of ours alone
        self.rows: Callable[[Iterable[Any], int, Look], int] = names["rows"]


def _as_mapping(record: Any) -> Mapping[str, Any]:
    """What is no object lacks every field."""
    return record if isinstance(record, Mapping) else {}


def _or(bound: Any, otherwise: float) -> Any:
    return otherwise if bound is None else bound


def _shortest(rules: Mapping[str, Any]) -> int:
    least: int = rules.get("min_length", 0)
    return max(least, 0 if rules.get("empty", True) else 1)


def _of_field(place: int, field: ScannedField) -> str:
    passes = _condition(place, field.rules)
    if field.skips_null:
        passes = f"v is None or {passes}" if passes else "v is None"
    condition = f"if not ({passes}): " if passes else ""
    return f"        v = get(name_{place})\n        {condition}look(row, record, {place})\n"


def _of_rule(place: int, rule: ScannedRule) -> str:
    """A rule compares what is there: of a record that lacks one of its fields there is nothing to say."""
    letters = "abc"[: len(rule.needs)]
    values = "".join(f"        {letter} = get(name_{place}_{letter})\n" for letter in letters)
    given = " and ".join(f"{letter} is not None" for letter in letters)
    passes = f" and not ({rule.passes.replace('tolerance', f'tolerance_{place}')})" if rule.passes else ""
    return f"{values}        if {given}{passes}: look(row, record, {place})\n"


def _condition(place: int, rules: Mapping[str, Any]) -> str:
    """An expression that is true only of values without a fault; "" where none is known."""
    kind, more = rules.get("type", ""), set(rules) - _ABOUT
    if kind == "string":
        return _of_text(place, rules, more)
    if kind in {"date", "datetime"}:
        return f"(v.__class__ is str or v.__class__ is date) and v in known_{place}"
    if kind in _NUMERIC and more <= {"min", "max"}:
        return _NUMERIC[kind](place, rules)
    if kind == "boolean" and not more:
        return "v is True or v is False"
    if kind in _PLAIN and not more:
        return f"v.__class__ is {_PLAIN[kind]}"
    return "v is not None" if not kind and not more else ""


_PLAIN = {"list": "list", "dict": "dict"}


def _of_text(place: int, rules: Mapping[str, Any], more: set[str]) -> str:
    if not more <= {"min_length", "max_length", "empty"}:
        return f"v.__class__ is str and v in known_{place}"
    passes = "v.__class__ is str"
    if _shortest(rules) and "max_length" in rules:
        return f"{passes} and short_{place} <= len(v) <= long_{place}"
    if _shortest(rules):
        return f"{passes} and short_{place} <= len(v)"
    return f"{passes} and len(v) <= long_{place}" if "max_length" in rules else passes


def _between(place: int, rules: Mapping[str, Any]) -> str:
    low = f"low_{place} <= v" if "min" in rules else ""
    high = f"v <= high_{place}" if "max" in rules else ""
    return " and ".join(filter(None, (low, high)))


def _of_integer(place: int, rules: Mapping[str, Any]) -> str:
    return " and ".join(filter(None, ("v.__class__ is int", _between(place, rules))))


def _of_number(place: int, rules: Mapping[str, Any]) -> str:
    """NaN is in no range, and infinity in none that ends. A Decimal raises when it is compared with NaN."""
    is_number = "v == v and " if any(isinstance(rules.get(bound), Decimal) for bound in ("min", "max")) else ""
    plain = f"(v.__class__ is float or v.__class__ is int) and {is_number}least_{place} <= v <= most_{place}"
    exact = " and ".join(filter(None, ("v.__class__ is Decimal and v.is_finite()", _between(place, rules))))
    return f"{plain} or {exact}"


_NUMERIC: Mapping[str, Callable[[int, Mapping[str, Any]], str]] = {
    "integer": _of_integer,
    "float": _of_number,
    "number": _of_number,
}
