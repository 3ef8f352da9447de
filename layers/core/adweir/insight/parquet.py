"""CSV → Parquet by DuckDB, in bounded memory and without its network extensions.

DuckDB is imported when a file is written, not at a cold start: it lives in the analytics layer, which only etl has.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_MEMORY_LIMIT = "256MB"


def to_parquet(source: Path, target: Path, types: Mapping[str, str]) -> None:
    """Write `source` (CSV with a header) as zstd Parquet with the given SQL type per column."""
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect(config={"memory_limit": _MEMORY_LIMIT, "threads": 1})
    try:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute(f"SET home_directory = '{_quoted(target.parent)}'")
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
        # COPY takes no parameters: the paths are ours and quoted, the columns come from our own tables.
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{_quoted(source)}', header = true, auto_detect = false, delim = ',', "  # noqa: S608
            f"quote = '\"', escape = '\"', columns = {{{columns}}})) "
            f"TO '{_quoted(target)}' (FORMAT parquet, COMPRESSION zstd)"
        )
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
