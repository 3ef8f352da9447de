"""What DuckDB and Trino (Athena engine version 3) both understand, of one statement that reads.

DuckDB's own parser makes the tree (`json_serialize_sql`), so what DuckDB takes is known exactly. Trino has no parser
that runs here: of the tree, everything that is not on the lists of what both have (`ops.sql.names`) is named, with what
to write instead. Athena itself has the last word on a stack.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ops.errors import CommandFailed
from ops.output import printable
from ops.sql import names
from ops.sql.kinds import Kinds, compared, is_double, moved, of_type
from ops.sql.values import AskedValue, asked_values
from ops.sql.words import SqlEngine, SqlFinding, in_words, instead_of, is_query, words_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Node = Mapping[str, Any]
"""A part of the tree, as DuckDB writes it in JSON."""
Schema = Mapping[str, Mapping[str, str]]
"""Table → column → type, as Glue has them."""
_DUCKDB, _TRINO = SqlEngine.DUCKDB, SqlEngine.TRINO


_ONLY_READS = "only SELECT is asked, which changes nothing (WITH ... SELECT, too)"
_WRITES = "Only SELECT statements can be serialized"
"""Of DuckDB's parser: a statement that it understands, and that changes something."""


class NotRead(CommandFailed):
    """What is no single statement that reads."""


class Checked(NamedTuple):
    """A statement: what was found in it by its place, its tables, and the texts that it asks columns for."""

    findings: list[SqlFinding]
    tables: list[str]
    asked: tuple[AskedValue, ...] = ()


def check(sql: str, schema: Schema) -> Checked:
    """Look at a statement. One that DuckDB does not take is Athena's alone, as far as is known here. Raises NotRead."""
    import duckdb  # noqa: PLC0415 - a tenth of a second, which the help does not wait for

    words = words_of(sql)
    if not is_query(words):
        begins = f", and this begins with {printable(words[0].text[:40])}" if words else ""
        raise NotRead(f"{_ONLY_READS}{begins}")
    if any(word.text == ";" for word in words[:-1]):
        raise NotRead("one statement is asked at a time: leave out what follows the semicolon")
    connection = duckdb.connect()
    try:
        tree = _tree(sql, connection)
        if tree["error"] and _WRITES in tree["error_message"]:
            raise NotRead(_ONLY_READS)
        if tree["error"]:
            at = int(tree.get("position", 0))
            said = f"DuckDB does not take it: {tree['error_message']}{instead_of(words, at)}"
            return Checked([SqlFinding(at, said, _TRINO)], [])
        walk = _TreeWalk(Kinds(schema))
        walk.through(tree["statements"][0]["node"])
        found = {*in_words(words), *walk.findings, *walk.unknown(connection)}
    finally:
        connection.close()
    named = [name for name in dict.fromkeys(walk.tables) if name not in walk.named_here]
    return Checked(sorted(found, key=lambda each: (each.at, each.said)), named, tuple(walk.asked))


def _tree(sql: str, connection: DuckDBPyConnection) -> Any:
    asked = "SELECT json_serialize_sql(?, skip_null := true, skip_empty := true, skip_default := true)"
    row = connection.execute(asked, [sql]).fetchone()
    return json.loads(row[0]) if row else {"error": True, "error_message": "it answers nothing"}


class _TreeWalk:
    """Goes through a tree and collects."""

    def __init__(self, kinds: Kinds) -> None:
        self.findings: list[SqlFinding] = []
        self.tables: list[str] = []
        self.asked: list[AskedValue] = []
        self.named_here: set[str] = set()
        self._kinds = kinds
        self._functions: list[tuple[str, int]] = []

    def through(self, node: object) -> None:
        """This node and all below it."""
        if isinstance(node, list):
            for each in node:
                self.through(each)
        elif isinstance(node, dict):
            self._look(node)
            for each in node.values():
                self.through(each)

    def unknown(self, connection: DuckDBPyConnection) -> Iterator[SqlFinding]:
        """The functions that are not known to be of both: of those that DuckDB lacks Athena decides."""
        if not self._functions:
            return
        found = connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
        of_duckdb = {str(name) for (name,) in found}
        for name, at in self._functions:
            if name in of_duckdb:
                yield SqlFinding(at, f"{name} is not among the functions that both are known to have", _DUCKDB)
            else:
                yield SqlFinding(at, f"DuckDB has no function {name}", _TRINO)

    def _look(self, node: Node) -> None:
        kind, at = str(node.get("class") or node.get("type")), int(node.get("query_location", 0))
        if "cte_map" in node:
            self.named_here |= {each["key"].lower() for each in node["cte_map"].get("map", ())}
        if kind == "BASE_TABLE":
            self.tables.append(".".join(node["qualified_name"]["path"]).lower())
        if kind in {"FUNCTION", "WINDOW"} and _is_unknown(node["function_name"].lower()):
            self._functions.append((node["function_name"].lower(), at))
        self.asked += asked_values(node)
        rule = _RULES.get(kind)
        if rule:
            self.findings += [SqlFinding(at, said, only) for said, only in rule(node, self._kinds)]
        elif ("class" in node and kind not in names.EXPRESSIONS) or (at and "class" not in node and kind not in _KNOWN):
            said = f"{kind.lower().replace('_', ' ')} is not known to be Athena's"
            self.findings.append(SqlFinding(at, said, _DUCKDB))


def _is_unknown(name: str) -> bool:
    known = (names.COMMON, names.DIFFERENT, names.OF_DUCKDB, names.OF_TRINO)
    return name != "row" and not any(name in each for each in known)


_Said = Iterator[tuple[str, SqlEngine | None]]
_SAMPLE = "each takes samples in its own way: leave it out"
_KNOWN = names.TABLES | names.QUERIES | names.MODIFIERS


def _select(node: Node, kinds: Kinds) -> _Said:
    if "qualify" in node:
        yield "write SELECT ... FROM (SELECT ..., row_number() OVER (...) AS n ...) WHERE n = 1 for QUALIFY", _DUCKDB
    if "sample" in node:
        yield _SAMPLE, _DUCKDB
    if node.get("aggregate_handling", "STANDARD_HANDLING") != "STANDARD_HANDLING":
        yield "name the columns, or their numbers, for GROUP BY ALL: GROUP BY 1, 2", _DUCKDB
    if any(each.get("function_name") == "date_trunc" for each in node.get("select_list", ())):
        yield "DuckDB answers a time where Athena answers a day: write CAST(date_trunc('month', d) AS date)", None
    yield from _aliases(node, kinds)


def _aliases(node: Node, kinds: Kinds) -> _Said:
    """Names that this SELECT gives and uses where Athena does not know them yet."""
    given = {each["alias"].lower() for each in node.get("select_list", ()) if "alias" in each}
    columns = kinds.columns_of(node.get("from_table"))
    if not given or columns is None:
        return
    used = [node.get("where_clause"), node.get("having"), node.get("group_expressions"), node.get("select_list")]
    for name in sorted({name for part in used for name in _names_in(part)}):
        if name in given and name not in columns:
            said = "Athena knows it in ORDER BY alone. Repeat what it stands for, or in GROUP BY write its number"
            yield f"{name} is named in this SELECT: {said}", _DUCKDB


def _names_in(node: object) -> Iterator[str]:
    """Columns that are named without a table, not in queries within."""
    if isinstance(node, list):
        for each in node:
            yield from _names_in(each)
    elif isinstance(node, dict) and "subquery" not in node:
        if node.get("class") == "COLUMN_REF" and len(node["column_names"]) == 1:
            yield node["column_names"][0].lower()
        for each in node.values():
            yield from _names_in(each)


def _set_operation(node: Node, _kinds: Kinds) -> _Said:
    if "BY_NAME" in node.get("setop_type", ""):
        yield "name the columns of both queries in one order for BY NAME", _DUCKDB


def _limit(node: Node, _kinds: Kinds) -> _Said:
    if node.get("limit_type"):
        yield "LIMIT is a number of rows", _DUCKDB
    places = [node.get(name, {}).get("query_location", 0) for name in ("limit", "offset")]
    if "limit" in node and "offset" in node and places[1] > places[0]:
        yield "write OFFSET before LIMIT", _DUCKDB


def _distinct(node: Node, _kinds: Kinds) -> _Said:
    if node.get("distinct_on_targets"):
        yield "write max_by(x, y) with GROUP BY, or row_number() in a query within, for DISTINCT ON", _DUCKDB


def _star(node: Node, _kinds: Kinds) -> _Said:
    if node.get("columns"):
        yield "name the columns for COLUMNS(...) and ALL", _DUCKDB
    if node.keys() & {"exclude_list", "replace_list", "rename_list", "qualified_exclude_list"}:
        yield "name the columns for * EXCLUDE and * REPLACE", _DUCKDB


def _join(node: Node, _kinds: Kinds) -> _Said:
    if node.get("join_type") not in names.JOINS:
        yield "write WHERE EXISTS (...) for SEMI JOIN and WHERE NOT EXISTS (...) for ANTI JOIN", _DUCKDB
    if node.get("ref_type") not in {"REGULAR", "CROSS"}:
        yield "write JOIN ... ON, or USING, for NATURAL, ASOF and POSITIONAL joins", _DUCKDB


def _table(node: Node, _kinds: Kinds) -> _Said:
    if "sample" in node:
        yield _SAMPLE, _DUCKDB


def _table_function(node: Node, _kinds: Kinds) -> _Said:
    if node.get("function", {}).get("function_name") != "unnest":
        yield "a table is read by its name, and by UNNEST(...) an array", _DUCKDB


def _cast(node: Node, _kinds: Kinds) -> _Said:
    made = node.get("type_expr", {})
    name = str(made.get("type_name", "")).lower()
    if "query_location" in made and of_type(name) is None:
        yield f"Athena has no type {name}: write varchar, bigint, double, decimal(24, 6), date, timestamp", _DUCKDB
    if name == "decimal" and not made.get("children"):
        yield "say how many digits: decimal(24, 6)", None


def _function(node: Node, kinds: Kinds) -> _Said:
    name = node["function_name"].lower()
    asked = [each["expression"] for each in node.get("arguments", ())]
    of_days = name == "date_diff" and asked and asked[0].get("literal", {}).get("text") == "day"
    for known, only in ((names.DIFFERENT, None), (names.OF_DUCKDB, _DUCKDB), (names.OF_TRINO, _TRINO)):
        if name in known and not of_days:
            whose = f"{name} is {only}'s" if only else name
            yield f"{whose}: {known[name]}", only
    if name == "/":
        yield from _division(asked)
    elif name == "avg" and kinds.of(asked[0]) == "decimal":
        yield "the average of decimals is rounded by Athena: write avg(CAST(x AS double))", None
    elif name in {"+", "-"} and len(asked) == 2:
        yield from compared(asked, kinds)
        yield from moved(asked, kinds)


def _division(asked: Sequence[Node]) -> _Said:
    if not any(map(is_double, asked)):
        yield "whole numbers are cut off by Athena and decimals rounded: write CAST(a AS double) / NULLIF(b, 0)", None
    below = asked[-1]
    if below.get("class") != "CONSTANT" and "nullif" not in json.dumps(below):
        yield "where it is 0, Athena ends with an error or Infinity: write / NULLIF(b, 0)", None


def _window(node: Node, kinds: Kinds) -> _Said:
    if node.get("ignore_nulls"):
        yield "IGNORE NULLS stands in other places: leave it out, and choose the rows before", _DUCKDB
    if node.get("exclude_clause") or node.get("filter_expr"):
        yield "EXCLUDE and FILTER of a window are DuckDB's", _DUCKDB
    yield from _function(node, kinds)


def _operator(node: Node, kinds: Kinds) -> _Said:
    kind = node.get("type")
    if kind in {"ARRAY_SLICE", "STRUCT_EXTRACT", "GROUPING_FUNCTION", "OPERATOR_TRY"}:
        yield f"{str(kind).lower().replace('_', ' ')} is written in other ways: leave it out", _DUCKDB
    if kind in {"COMPARE_IN", "COMPARE_NOT_IN"}:
        yield from compared(node["children"], kinds)


def _comparison(node: Node, kinds: Kinds) -> _Said:
    yield from compared([node["left"], node["right"]], kinds)


def _between(node: Node, kinds: Kinds) -> _Said:
    yield from compared([node["input"], node["lower"], node["upper"]], kinds)


_RULES: Mapping[str, Callable[[Node, Kinds], _Said]] = {
    "SELECT_NODE": _select,
    "SET_OPERATION_NODE": _set_operation,
    "LIMIT_MODIFIER": _limit,
    "DISTINCT_MODIFIER": _distinct,
    "STAR": _star,
    "JOIN": _join,
    "BASE_TABLE": _table,
    "TABLE_FUNCTION": _table_function,
    "CAST": _cast,
    "FUNCTION": _function,
    "WINDOW": _window,
    "OPERATOR": _operator,
    "COMPARISON": _comparison,
    "BETWEEN": _between,
}
