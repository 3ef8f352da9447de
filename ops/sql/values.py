"""The values of a partition that a statement asks for and that no row can have, such as the platform `meta`.

A table answers them with no row, or with a sum of nothing, which reads like a number that is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from adweir.insight.curated.layout import OTHER, CuratedTable
from ops.output import printable

_ASKED = frozenset({"COMPARE_EQUAL", "COMPARE_IN"})
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_MOST_NAMED = 12
"""So many values are named where none is near."""


class AskedValue(NamedTuple):
    """A text that a column has to have."""

    column: str
    text: str


def asked_values(node: Mapping[str, Any]) -> Iterator[AskedValue]:
    """The texts that this expression compares a column with."""
    if node.get("class") not in {"COMPARISON", "OPERATOR"} or node["type"] not in _ASKED:
        return
    parts = node.get("children") or [node["left"], node["right"]]
    columns = [each for each in parts if each.get("class") == "COLUMN_REF"]
    literals = [each["literal"] for each in parts if "literal" in each]
    texts = [each.get("text", "") for each in literals if each["kind"] == "STRING"]  # an empty one lacks it
    if len(columns) == 1:
        yield from (AskedValue(columns[0]["column_names"][-1].lower(), text) for text in texts)


def without_rows(asked: Sequence[AskedValue], named: Sequence[str], known: Mapping[str, CuratedTable]) -> list[str]:
    """What is said of the values that no row can have. `named`: the statement's tables.

    A column counts only where it is a partition of every table that has it: what else has that name may hold any text.
    """
    tables = [known[name] for name in dict.fromkeys(each.split(".")[-1] for each in named) if name in known]
    found = []
    for column, text in dict.fromkeys(asked):
        values = _values(column, tables)
        if column == "month" and _has_months(tables) and not _MONTH.fullmatch(text):
            found.append(f"no month is '{printable(text)}', so no row has it. A month is written '2026-11'")
        elif values and text not in values:
            found.append(f"no {column} is '{printable(text)}', so no row has it. {_instead(column, text, values)}")
    return found


def _has_months(tables: Sequence[CuratedTable]) -> bool:
    return any(key.name == "month" for table in tables for key in table.keys)


def _values(column: str, tables: Sequence[CuratedTable]) -> set[str]:
    if any(column in table.columns for table in tables):
        return set()
    return {value for table in tables for key in table.keys if key.name == column for value in key.values}


def _instead(column: str, text: str, values: set[str]) -> str:
    lowered = text.lower()
    near = sorted(value for value in values if lowered and value.startswith(lowered))
    near = near[:_MOST_NAMED] or get_close_matches(lowered, sorted(values))
    said = f"Near: {', '.join(near)}"
    if not near:
        said = f"There {'is' if len(values) == 1 else 'are'}: {', '.join(sorted(values)[:_MOST_NAMED])}"
    if column == "platform" and OTHER in values:
        said += f". What is not pulled by a connector has the platform '{OTHER}' and its name in platform_name"
    return said
