"""Of which kind an expression is, as far as that can be told from the tables' columns: Athena compares no text with a
date or a number, where DuckDB reads the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.sql import names
from ops.sql.words import SqlEngine

_KIND = {
    **dict.fromkeys(("varchar", "char", "string"), "text"),
    **dict.fromkeys(("bigint", "int", "integer", "smallint", "tinyint"), "number"),
    **dict.fromkeys(("double", "real", "float"), "double"),
    "decimal": "decimal",
    "boolean": "boolean",
    "date": "date",
    **dict.fromkeys(("timestamp", "timestamp with time zone"), "timestamp"),
    **dict.fromkeys(("time", "interval"), ""),
}
_NOW = {"current_date": "date", "current_timestamp": "timestamp"}
"""Words that stand for a value, which the tree has as columns."""
_OF_A_DAY = frozenset({"to_hours", "to_minutes", "to_seconds"})
_NEEDS = {
    "date": "write DATE '2026-11-01'",
    "timestamp": "write TIMESTAMP '2026-11-01 00:00:00'",
    "number": "write the number without quotes",
    "decimal": "write the number without quotes",
    "double": "write the number without quotes",
    "boolean": "write true or false",
}

_QUOTED = "write the value in quotes"
"""For a value that a column with text is compared with."""


def of_type(name: str) -> str | None:
    """The kind of a type: `date` of `date`; "" of one without; None of a type that not both have."""
    return _KIND.get(name.lower().partition("(")[0].strip())


class Kinds:
    """The kinds of the columns of some tables."""

    def __init__(self, schema: Mapping[str, Mapping[str, str]]) -> None:
        self._schema = schema
        self._kinds: dict[str, set[str | None]] = {}
        for columns in schema.values():
            for name, kind in columns.items():
                self._kinds.setdefault(name.lower(), set()).add(of_type(kind))

    def of(self, node: Mapping[str, Any]) -> str:
        """The kind of an expression, "" where it cannot be told."""
        if node.get("class") == "CONSTANT":
            return {"STRING": "text", "INTEGER": "number", "NUMERIC": "number"}.get(node["literal"]["kind"], "")
        if node.get("class") == "CAST":
            return of_type(node.get("type_expr", {}).get("type_name", "")) or ""
        if node.get("class") == "COLUMN_REF":
            if len(node["column_names"]) == 1 and node["column_names"][0].lower() in _NOW:
                return _NOW[node["column_names"][0].lower()]
            kinds = self._kinds.get(node["column_names"][-1].lower(), set())
            return (next(iter(kinds)) or "") if len(kinds) == 1 else ""
        return ""

    def columns_of(self, table: Mapping[str, Any] | None) -> frozenset[str] | None:
        """The columns that a FROM has, in small letters; None where that cannot be told."""
        if table is None or table.get("type") == "EMPTY":
            return frozenset()
        if table.get("type") == "BASE_TABLE":
            found = self._schema.get(table["table_name"].lower())
            return None if found is None else frozenset(map(str.lower, found))
        if table.get("type") == "JOIN":
            left, right = self.columns_of(table["left"]), self.columns_of(table["right"])
            return None if left is None or right is None else left | right
        if table.get("type") == "SUBQUERY" and "column_name_alias" in table:
            return frozenset(map(str.lower, table["column_name_alias"]))
        return None


def is_double(node: Mapping[str, Any]) -> bool:
    """Whether an expression is a double for certain."""
    if node.get("class") == "CAST":
        return str(node.get("type_expr", {}).get("type_name", "")).lower() in names.DOUBLES
    if node.get("class") == "CONSTANT":
        literal = node["literal"]
        return literal["kind"] == "NUMERIC" and "e" in str(literal.get("text", "")).lower()
    if node.get("class") == "FUNCTION":
        inner = [each["expression"] for each in node.get("arguments", ())]
        if node["function_name"] in {"sum", "min", "max", "avg", "nullif", "abs", "+", "-", "*", "/"}:
            return any(map(is_double, inner))
        return node["function_name"] in {"exp", "ln", "log10", "sqrt", "power", "random", "stddev"}
    return False


def _are_given(nodes: Sequence[Mapping[str, Any]], kinds: Sequence[str], kind: str) -> bool:
    """Whether what is of a kind is written as a value each time, not as a column or an expression."""
    return all(node.get("class") == "CONSTANT" for node, each in zip(nodes, kinds, strict=True) if each == kind)


def compared(nodes: Sequence[Mapping[str, Any]], kinds: Kinds) -> Iterator[tuple[str, SqlEngine | None]]:
    """What is wrong with comparing these expressions, or adding them."""
    found = [kinds.of(node) for node in nodes]
    other = next((kind for kind in found if kind in _NEEDS), "")
    if "text" in found and other:
        instead = _NEEDS[other] if _are_given(nodes, found, "text") else _QUOTED
        if instead is _QUOTED and not _are_given(nodes, found, other):
            instead = "write CAST(x AS varchar) for it"
        yield f"Athena compares no text with a {other}: {instead}", SqlEngine.DUCKDB


def moved(nodes: Sequence[Mapping[str, Any]], kinds: Kinds) -> Iterator[tuple[str, SqlEngine | None]]:
    """What is wrong with adding one of these two expressions to the other, or taking it away, where one is a day."""
    found = {kinds.of(node) for node in nodes}
    if not found & {"date", "timestamp"}:
        return
    if "number" in found:
        yield "Athena adds no number to a day: write d + INTERVAL '1' DAY", SqlEngine.DUCKDB
    elif found == {"date"}:
        yield "Athena answers an interval where DuckDB answers a number: write date_diff('day', first, last)", None
    elif "date" in found and any(node.get("function_name") in _OF_A_DAY for node in nodes):
        yield "Athena adds no hours to a day: write CAST(d AS timestamp) + INTERVAL '1' HOUR", SqlEngine.DUCKDB
