"""The columns that a statement names and its tables do not have, found by DuckDB's binder before anything is asked.

Athena's own error comes after seconds, and neither engine's says which columns there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ops.output import printable
from ops.sql.grammar import Schema
from ops.sql.kinds import of_type

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COLUMN = re.compile(
    r'Referenced column "(?P<name>.+?)" not found in FROM clause'
    r'|"(?P<table>[^"]+)" does not have a column named "(?P<of>.+?)"'
    r'|Column "(?P<using>.+?)" does not exist on (?:left|right) side of join'
    r'|column "(?P<loose>.+?)" must appear in the GROUP BY clause'
)
_TABLE = re.compile(r'Referenced table "(?P<name>.+?)" not found!')
_CANDIDATES = re.compile(r"Candidate (?:bindings|tables): (.+)")
_OWN_TO_ATHENA = "$"
"""Begins the hidden columns that each of Athena's tables has, such as "$path"."""


def unknown_name(sql: str, tables: Sequence[str], schema: Schema, database: str) -> str:
    """What is said of the first column, or name before a point, that a statement takes from nowhere; empty where there
    is none, or where DuckDB cannot tell. `tables`: those that the statement names, which the schema has."""
    import duckdb  # noqa: PLC0415 - a tenth of a second, which the help does not wait for

    named = {name.split(".")[-1] for name in tables}
    if any(of_type(kind) is None for name in named for kind in schema.get(name, {}).values()):
        return ""
    connection = duckdb.connect(config={"python_enable_replacements": False})
    try:
        _declare(connection, named, schema, database)
        connection.execute(f"EXPLAIN {sql}")
    except duckdb.BinderException as error:
        return _said(str(error), sql, sorted(named), schema)
    except duckdb.Error:
        return ""  # something else is wrong with it, which the one who is asked says
    finally:
        connection.close()
    return ""


def _declare(connection: DuckDBPyConnection, named: Iterable[str], schema: Schema, database: str) -> None:
    """The tables, empty, under each of the names that Athena knows them by."""
    place = f'awsdatacatalog."{database.lower()}"'
    connection.execute(f"ATTACH ':memory:' AS awsdatacatalog; CREATE SCHEMA {place}; USE {place}")
    connection.execute("SET enable_external_access = false; PRAGMA disable_optimizer")
    for name in sorted(named):
        columns = ", ".join(f'"{column}" {kind}' for column, kind in schema[name].items())
        connection.execute(f'CREATE TABLE "{name}" ({columns})')


def _said(error: str, sql: str, tables: Sequence[str], schema: Schema) -> str:
    found, of_table = _COLUMN.search(error), _TABLE.search(error)
    if of_table:
        near = _candidates(error)
        there = f". FROM has {', '.join(near)}" if near else ""
        return f"there is no table or alias {printable(of_table['name'])} in FROM{there}"
    name = next((text for text in found.group("name", "of", "using", "loose") if text), "") if found else ""
    known = {column.lower(): column for table in tables for column in schema.get(table, {})}
    if not found or name.startswith(_OWN_TO_ATHENA) or (found["loose"] and name.lower() in known):
        return ""
    if name.lower() in known:  # a column of these tables, but not of what is read at this place
        return f"there is no column {printable(name)} at this place{_listed('Near', _candidates(error))}"
    whose = [found["table"]] if found["table"] else tables
    said = f"there is no column {printable(name)}{f' in {printable(whose[0])}' if len(whose) == 1 else ''}"
    if f'"{name}"' in sql:
        said += f"; a text is quoted '{printable(name)}'"
    elif not get_close_matches(name.lower(), known):
        one = schema.get(whose[0], {}) if len(whose) == 1 else {}
        return said + (_listed("Columns", one) or ". Without a statement, adweir sql prints all tables' columns")
    return said + _listed("Near", [known[each] for each in get_close_matches(name.lower(), known)])


def _listed(what: str, names: Iterable[str]) -> str:
    found = ", ".join(names)
    return f". {what}: {found}" if found else ""


def _candidates(error: str) -> list[str]:
    """The names that DuckDB proposes."""
    found = _CANDIDATES.search(error)
    return re.findall(r'"([^"]+)"', found[1]) if found else []
