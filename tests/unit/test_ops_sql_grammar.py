"""What SQL Athena and DuckDB both understand: the rest is named, with what to write instead."""

from __future__ import annotations

import duckdb
import pytest

from ops.sql import names
from ops.sql.grammar import NotRead, check
from ops.sql.words import SqlEngine

SCHEMA = {
    "metrics": {
        "date": "date",
        "campaign_id": "string",
        "clicks": "bigint",
        "spend": "decimal(24,6)",
        "settled": "boolean",
        "as_of": "timestamp",
        "platform": "string",
        "level": "string",
        "month": "string",
    }
}


def said(sql: str, only: SqlEngine | None) -> list[str]:
    return [each.said for each in check(sql, SCHEMA).findings if each.only is only]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT month, SUM(spend) AS spend FROM metrics WHERE level = 'ad' GROUP BY 1 ORDER BY spend DESC LIMIT 5",
        "WITH m AS (SELECT month, sum(clicks) c FROM metrics GROUP BY month) SELECT m.month FROM m WHERE m.c > 1",
        "SELECT count(*), count(DISTINCT campaign_id), count(*) FILTER (WHERE settled) FROM metrics",
        "SELECT CAST(sum(spend) AS double) / NULLIF(sum(clicks), 0) AS cpc FROM metrics",
        "SELECT platform, rank() OVER (PARTITION BY month ORDER BY spend DESC) AS place FROM metrics",
        "SELECT * FROM metrics WHERE date BETWEEN DATE '2026-11-01' AND CURRENT_DATE - INTERVAL '7' DAY",
        "SELECT a.platform FROM metrics a LEFT JOIN metrics b ON a.date = b.date WHERE b.date IS NULL",
        "SELECT v.x FROM (VALUES (1, 'a'), (2, 'b')) AS v(x, y) WHERE v.y LIKE 'a%' OFFSET 1 LIMIT 2",
        "SELECT month FROM metrics EXCEPT SELECT month FROM metrics WHERE campaign_id IN ('1', '2')",
        "SELECT CASE WHEN clicks > 0 THEN 'some' ELSE 'none' END, EXTRACT(year FROM date), year(date) FROM metrics",
        "SELECT substr(campaign_id, 1, 2) || '_' || COALESCE(platform, 'x') FROM metrics WHERE NOT settled",
        "SELECT platform AS month FROM metrics WHERE month = '2026-11'",
        "SELECT as_of + INTERVAL '2' HOUR, CAST(date AS timestamp) - INTERVAL '1' MINUTE FROM metrics",
        "SELECT 'INTERVAL 1 DAY :: #1 {' AS said, \"date\" FROM metrics -- from, where",
    ],
)
def test_what_both_understand_is_not_remarked_upon(sql: str) -> None:
    assert check(sql, SCHEMA).findings == []


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT clicks::int FROM metrics", "CAST(x AS type)"),
        ("FROM metrics", "SELECT * FROM"),
        ("SELECT n FROM (FROM metrics)", "SELECT * FROM"),
        ("SELECT * EXCLUDE (date) FROM metrics", "EXCLUDE"),
        ("SELECT COLUMNS('a.*') FROM metrics", "COLUMNS"),
        ("SELECT month, sum(clicks) FROM metrics GROUP BY ALL", "GROUP BY 1, 2"),
        ("SELECT month FROM metrics ORDER BY ALL", "ALL"),
        ("SELECT month, FROM metrics", "comma"),
        ("SELECT month FROM metrics QUALIFY row_number() OVER (ORDER BY date) = 1", "WHERE n = 1"),
        ("SELECT DISTINCT ON (month) month FROM metrics", "max_by"),
        ("SELECT month FROM metrics LIMIT 10 OFFSET 5", "OFFSET before LIMIT"),
        ("SELECT month FROM metrics LIMIT 10%", "number of rows"),
        ("SELECT month FROM metrics WHERE platform ILIKE 'm%'", "lower(x) LIKE"),
        ("SELECT date + INTERVAL 1 DAY FROM metrics", "INTERVAL '1' DAY"),
        ("SELECT * FROM metrics WHERE date > CURRENT_DATE - 30", "write d + INTERVAL '1' DAY"),
        ("SELECT 7 + date FROM metrics", "write d + INTERVAL '1' DAY"),
        ("SELECT DATE '2026-11-01' - 1", "write d + INTERVAL '1' DAY"),
        ("SELECT date + INTERVAL '2' HOUR FROM metrics", "CAST(d AS timestamp) + INTERVAL '1' HOUR"),
        ("SELECT * FROM metrics WHERE CURRENT_DATE > '2026-11-01'", "DATE '2026-11-01'"),
        ("SELECT date + INTERVAL '1 day' FROM metrics", "INTERVAL '1' DAY"),
        ("SELECT strftime(date, '%Y') FROM metrics", "substr(CAST(d AS varchar)"),
        ("SELECT CAST(clicks AS hugeint) FROM metrics", "no type hugeint"),
        ("SELECT [1, 2]", "ARRAY[1, 2]"),
        ("SELECT {'a': 1}", "columns of their own"),
        ("SELECT clicks // 2 FROM metrics", "floor"),
        ("SELECT clicks AS 'x' FROM metrics", '"x"'),
        ("SELECT #1 FROM metrics", "number in GROUP BY"),
        ("SELECT ? FROM metrics", "in place of ?"),
        ("SELECT date FROM metrics SEMI JOIN metrics m USING (date)", "EXISTS"),
        ("SELECT date FROM metrics NATURAL JOIN metrics m", "JOIN ... ON"),
        ("SELECT month FROM metrics UNION BY NAME SELECT month FROM metrics", "one order"),
        ("SELECT month FROM metrics USING SAMPLE 10", "samples"),
        ("SELECT month FROM read_parquet('x')", "by its name"),
        ("SELECT list_sort(ARRAY[2, 1])", "list_sort is not among"),
        ("SELECT list_transform(ARRAY[1], x -> x + 1)", "lambda"),
        ("SELECT month FROM metrics WHERE date >= '2026-11-01'", "DATE '2026-11-01'"),
        ("SELECT month FROM metrics WHERE date BETWEEN '2026-11-01' AND '2026-11-02'", "DATE '2026-11-01'"),
        ("SELECT month FROM metrics WHERE clicks IN ('1')", "without quotes"),
        ("SELECT month FROM metrics WHERE month = 11", "write the value in quotes"),
        ("SELECT month FROM metrics WHERE month = date", "CAST(x AS varchar)"),
        ("SELECT substr(month, 1, 4) AS year FROM metrics GROUP BY year", "write its number"),
        ("SELECT spend AS cost FROM metrics WHERE cost > 1", "Repeat what it stands for"),
    ],
)
def test_what_duckdb_alone_understands_is_named_with_what_to_write_instead(sql: str, instead: str) -> None:
    assert [each for each in said(sql, SqlEngine.DUCKDB) if instead in each]


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT date_format(date, '%Y') FROM metrics", "substr(CAST(d AS varchar)"),
        ("SELECT at_timezone(as_of, 'UTC') FROM metrics", "DuckDB has no function at_timezone"),
        ("SELECT * FROM metrics FOR VERSION AS OF 1", "DuckDB does not take it"),
        ("SELECT count(*) days, 1 FROM metrics", "a new name is written behind AS: AS days"),
        ("SELECT clicks days FROM metrics", "a new name is written behind AS: AS days"),
        ("SELECT TOP 5 clicks FROM metrics", "write LIMIT 5 at the end for TOP 5"),
    ],
)
def test_what_athena_alone_understands_is_named(sql: str, instead: str) -> None:
    assert [each for each in said(sql, SqlEngine.TRINO) if instead in each]
    assert said(sql, SqlEngine.DUCKDB) == []


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT sum(clicks) / count(*) FROM metrics", "CAST(a AS double)"),
        ("SELECT CAST(sum(clicks) AS double) / count(*) FROM metrics", "NULLIF(b, 0)"),
        ("SELECT avg(spend) FROM metrics", "avg(CAST(x AS double))"),
        ("SELECT CURRENT_DATE - date FROM metrics", "date_diff('day', first, last)"),
        ("SELECT concat(month, platform) FROM metrics", "a || b"),
        ("SELECT date_diff('month', date, CURRENT_DATE) FROM metrics", "whole months"),
        ("SELECT date_trunc('month', date) FROM metrics", "CAST(date_trunc"),
    ],
)
def test_what_both_understand_in_their_own_ways_is_named(sql: str, instead: str) -> None:
    assert [each for each in said(sql, None) if instead in each]
    assert said(sql, SqlEngine.DUCKDB) == []


def test_days_between_days_are_the_same_in_both() -> None:
    assert check("SELECT date_diff('day', date, CURRENT_DATE) FROM metrics", SCHEMA).findings == []


@pytest.mark.parametrize("sql", ["DELETE FROM metrics", "DROP TABLE metrics", "SHOW TABLES", "", "SELECT 1; SELECT 2"])
def test_what_does_not_only_read_is_not_asked(sql: str) -> None:
    with pytest.raises(NotRead):
        check(sql, SCHEMA)


def test_the_tables_that_a_statement_reads_are_known_without_those_that_it_makes() -> None:
    sql = "WITH m AS (SELECT 1) SELECT * FROM m JOIN Metrics ON true WHERE 1 IN (SELECT 1 FROM other.nope)"

    assert check(sql, SCHEMA).tables == ["metrics", "other.nope"]


def test_the_places_are_those_of_the_text_s_bytes() -> None:
    sql = "SELECT 'é', clicks::int FROM metrics"

    (found,) = check(sql, SCHEMA).findings
    assert sql.encode()[found.at :].startswith(b"::")


def test_the_lists_of_functions_are_true_of_duckdb() -> None:
    connection = duckdb.connect()
    has = {name for (name,) in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    connection.close()

    of_syntax = {
        "if",
        "nullif",
        "nth_value",
        "unnest",
        "position",
        "substring",
        "trim",
        *names.OPERATORS,
        *names.WINDOWS,
    }
    assert names.COMMON - has - of_syntax == set()
    assert set(names.OF_TRINO) & has == set()
