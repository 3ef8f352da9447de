"""Functions and types that Trino (Athena engine version 3) and DuckDB have in common, and what to write for others.

Sources: Trino's list of functions and operators and DuckDB's `duckdb_functions()`. Both know more names than `COMMON`
has: a name is left out where it means something else (`DIFFERENT`) or where this product's tables have no use for it.
A test compares the names with DuckDB's own list.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


AGGREGATES = _words(
    "arbitrary array_agg avg bool_and bool_or corr count count_if count_star covar_pop covar_samp "
    "kurtosis max max_by min min_by skewness stddev stddev_pop stddev_samp sum var_pop var_samp variance"
)
WINDOWS = _words("cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number")
OPERATORS = frozenset({"+", "-", "*", "/", "%", "||", "~~", "!~~", "like_escape", "not_like_escape"})
COMMON = (
    AGGREGATES
    | WINDOWS
    | OPERATORS
    | _words(
        "abs acos asin atan atan2 cardinality cbrt ceil ceiling chr cos cosh date_part date_trunc day degrees "
        "ends_with exp floor hour if ln log10 log2 lower lpad ltrim millisecond minute mod month now nullif "
        "pi position pow power quarter radians random replace reverse round rpad rtrim second sign sin sinh "
        "split split_part sqrt starts_with strpos substr substring tan tanh to_days to_hours to_minutes "
        "to_months to_seconds to_weeks to_years translate trim trunc unnest upper week year"
    )
)
"""Names as DuckDB's parser gives them: `to_days` is `INTERVAL '1' DAY`, `date_part` is EXTRACT."""

DIFFERENT = {
    "concat": "DuckDB leaves NULL out of concat, Athena answers NULL: write a || b",
    "date_add": "the two have other arguments: write d + INTERVAL '1' DAY",
    "date_diff": "whole months are counted in other ways: both agree on date_diff('day', first, last) of dates",
    "format": "the two have other patterns: write CAST(x AS varchar)",
    "greatest": "DuckDB leaves NULL out, Athena answers NULL: write CASE WHEN a > b THEN a ELSE b END",
    "json_extract": "Athena answers JSON, DuckDB its own type: read the column as text",
    "least": "DuckDB leaves NULL out, Athena answers NULL: write CASE WHEN a < b THEN a ELSE b END",
    "log": "log(x) is of base 10 in DuckDB, log(base, x) in Athena: write log10(x) or ln(x)",
    "md5": "Athena takes and answers bytes, DuckDB text",
    "regexp_extract": "without a match DuckDB answers '', Athena NULL: write split_part or strpos with substr",
    "regexp_replace": "DuckDB replaces the first match, Athena all: write replace(text, from, to)",
    "repeat": "Athena's makes an array: write rpad(text, length, text)",
    "to_timestamp": "the two have other arguments: write CAST(x AS timestamp)",
    "typeof": "the two call their types by other names",
}
"""Functions of both that mean different things, and what to write instead."""

OF_DUCKDB = {
    "approx_count_distinct": "write count(DISTINCT x)",
    "approx_quantile": "write ntile(100) OVER (ORDER BY x) and choose from it",
    "any_value": "write arbitrary(x)",
    "bool": "write CAST(x AS boolean)",
    "contains": "write strpos(text, part) > 0",
    "dayofweek": "write date_diff('day', date_trunc('week', d), d), which is 0 on Monday",
    "dayname": "write a CASE over date_diff('day', date_trunc('week', d), d), which is 0 on Monday",
    "first": "write arbitrary(x), or min_by(x, date)",
    "isodow": "write date_diff('day', date_trunc('week', d), d) + 1",
    "last": "write max_by(x, date)",
    "list": "write array_agg(x)",
    "list_value": "write ARRAY[1, 2]",
    "median": "write row_number() OVER (ORDER BY x) and choose the middle",
    "monthname": "write a CASE over month(d)",
    "quantile_cont": "write ntile(100) OVER (ORDER BY x) and choose from it",
    "regexp_full_match": "write x LIKE 'begin%'",
    "regexp_matches": "write x LIKE '%part%', or strpos(x, 'part') > 0",
    "strftime": "write CAST(d AS varchar), or substr(CAST(d AS varchar), 1, 7) for the month",
    "string_agg": "write array_agg(x)",
    "struct_pack": "write columns of their own",
    "today": "write CURRENT_DATE",
    "~~*": "write lower(x) LIKE 'part%' for ILIKE",
    "!~~*": "write lower(x) NOT LIKE 'part%' for NOT ILIKE",
    "~": "write x LIKE '%part%'",
    "!~": "write x NOT LIKE '%part%'",
    "//": "write floor(CAST(a AS double) / b)",
    "**": "write power(a, b)",
    "^": "write power(a, b)",
    "!__postfix": "write the product itself",
    "->>": "read the column as text",
}
"""What only DuckDB has, and what both have instead."""

OF_TRINO = {
    "approx_distinct": "write count(DISTINCT x)",
    "approx_percentile": "write ntile(100) OVER (ORDER BY x) and choose from it",
    "date": "write CAST(x AS date)",
    "date_format": "write CAST(d AS varchar), or substr(CAST(d AS varchar), 1, 7) for the month",
    "date_parse": "write CAST(x AS date)",
    "day_of_month": "write day(d)",
    "day_of_week": "write date_diff('day', date_trunc('week', d), d) + 1",
    "dow": "write date_diff('day', date_trunc('week', d), d) + 1",
    "every": "write bool_and(x)",
    "format_datetime": "write CAST(d AS varchar), or substr(CAST(d AS varchar), 1, 7) for the month",
    "from_iso8601_date": "write CAST(x AS date)",
    "from_iso8601_timestamp": "write CAST(x AS timestamp)",
    "is_nan": "write x <> x",
    "last_day_of_month": "write date_trunc('month', d) + INTERVAL '1' MONTH - INTERVAL '1' DAY",
    "rand": "write random()",
    "regexp_like": "write x LIKE '%part%', or strpos(x, 'part') > 0",
    "to_char": "write CAST(x AS varchar)",
    "to_date": "write CAST(x AS date)",
    "to_iso8601": "write CAST(d AS varchar)",
    "truncate": "write floor(x)",
    "week_of_year": "write week(d)",
}
"""What only Athena has, and what both have instead."""

TYPES = _words(
    "bigint boolean char date decimal double int integer interval real smallint time timestamp tinyint varchar"
)
"""Types that both call so."""
DOUBLES = frozenset({"double", "real"})
UNITS = _words("second minute hour day month year")
"""Of an interval; neither has quarters in common, and Trino knows no weeks there."""
TABLES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION"})
QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
MODIFIERS = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER"})
EXPRESSIONS = _words(
    "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR STAR SUBQUERY TYPE WINDOW"
)
JOINS = frozenset({"INNER", "LEFT", "RIGHT", "OUTER"})
