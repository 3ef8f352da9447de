"""DuckDB as tests ask it: started once in a process, for that takes longer than most of their questions."""

from __future__ import annotations

from functools import cache

import duckdb


def connected() -> duckdb.DuckDBPyConnection:
    """A connection, which has the tables and views of its own that are temporary."""
    return _started().cursor()


@cache
def _started() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})
