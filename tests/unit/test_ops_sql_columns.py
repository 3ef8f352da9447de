"""Columns that a statement names and no table has: they are named before anything is asked."""

from __future__ import annotations

import pytest

from ops.sql.columns import unknown_name
from ops.sql.grammar import check

SCHEMA = {
    "metrics": {"date": "date", "campaign_name": "string", "clicks": "bigint", "spend": "decimal(24,6)"},
    "entities": {"id": "string", "name": "string"},
}
ALL = "Without a statement, adweir sql prints all tables' columns"


def said(sql: str) -> str:
    return unknown_name(sql, check(sql, SCHEMA).tables, SCHEMA, "Adweir")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT spnd FROM metrics", "there is no column spnd in metrics. Near: spend"),
        ("SELECT m.spnd FROM metrics AS m", "there is no column spnd in m. Near: spend"),
        ("SELECT x1 FROM entities", "there is no column x1 in entities. Columns: id, name"),
        ("SELECT 1 FROM awsdatacatalog.adweir.entities WHERE x1 > 2", "no column x1 in entities. Columns: id, name"),
        ("SELECT id FROM entities GROUP BY id HAVING x1 > 2", "there is no column x1 in entities. Columns: id, name"),
        ("SELECT 1 FROM metrics, entities WHERE x1 = id", f"there is no column x1. {ALL}"),
        ("SELECT 1 FROM metrics JOIN entities USING (nam)", "there is no column nam. Near: name"),
        ("SELECT a.y FROM (VALUES (1)) AS a(x)", f"there is no column y in a. {ALL}"),
        ("WITH a AS (SELECT spend FROM metrics) SELECT clicks FROM a", "no column clicks at this place. Near: spend"),
        ("SELECT x.spend FROM metrics AS m", "there is no table or alias x in FROM. FROM has m"),
        ('SELECT 1 FROM metrics WHERE campaign_name = "Brand"', "no column Brand in metrics; a text is quoted 'Brand'"),
        ("SELECT \u201cspend\u201d FROM metrics", "there is no column \u201cspend\u201d in metrics. Near: spend"),
    ],
)
def test_a_column_that_no_table_has_is_named_with_what_there_is(sql: str, expected: str) -> None:
    assert expected in said(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT Spend FROM METRICS",
        "SELECT m.spend FROM adweir.metrics AS m; -- all",
        "WITH a AS (SELECT spend AS s FROM metrics) SELECT s FROM a",
        "SELECT clicks AS c, count(*) FROM metrics GROUP BY 1 ORDER BY c",
        'SELECT "$path" FROM metrics',  # each table of Athena's has it
        "SELECT date_format(date, '%Y') FROM metrics",  # Athena's alone
        "SELECT clicks, SUM(spend) FROM metrics GROUP BY date",  # wrong otherwise, which Athena says
    ],
)
def test_nothing_is_said_of_names_that_athena_knows(sql: str) -> None:
    assert said(sql) == ""


def test_nothing_is_said_of_tables_with_types_that_only_athena_has() -> None:
    schema = {"own": {"parts": "map<string,int>"}}
    assert unknown_name("SELECT x FROM own", ["own"], schema, "adweir") == ""
