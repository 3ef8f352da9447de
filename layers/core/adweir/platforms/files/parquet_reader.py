"""The process that reads a Parquet file: prints its columns, or its rows, as JSON lines of texts.

    python -m adweir.platforms.files.parquet_reader columns|rows FILE COLUMNS ROWS BYTES GROUP_BYTES

The four numbers bound what the file may have. Exits with 1 and a sentence on stderr for a file that cannot be read.
Decimals are written as they are, doubles by the shortest text that is the same double, a moment at midnight as its day.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from typing import Any

import duckdb
import msgspec

from adweir.platforms.files.plain_values import number_text

_MEMORY = "600MB"
_ADDRESSES = 4 << 30
"""Bytes of address space: DuckDB reserves more than it uses."""
_SECONDS = 280
"""Of processor time: longer than any function has."""
_TOGETHER = 1_000
_DEEP = 5
_FLOATS = frozenset({"float", "double"})
_MOMENTS = frozenset({"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp_us"})
_MIDNIGHT = " 00:00:00"
_CONFIG: dict[str, Any] = {
    "threads": 1,
    "memory_limit": _MEMORY,
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def main(what: str, file: str, *bounds: str) -> int:
    """Print the columns or the rows."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        with duckdb.connect(config=_CONFIG) as database:
            _print(database, what, file, [int(bound) for bound in bounds])
    except (duckdb.Error, ValueError, MemoryError) as error:
        sys.stderr.write(" ".join(str(error).split())[:1000] + "\n")
        return 1
    return 0


def _print(database: duckdb.DuckDBPyConnection, what: str, file: str, bounds: list[int]) -> None:
    columns_most, rows_most, bytes_most, group_most = bounds
    quoted = "'" + file.replace("'", "''") + "'"
    database.execute(f"SET allowed_paths=[{quoted}]")
    database.execute("SET enable_external_access=false")
    database.execute("SET enable_progress_bar=false")
    database.execute("SET lock_configuration=true")
    rows, total, group = database.execute(
        "SELECT max(rows), sum(bytes), max(bytes) FROM (SELECT sum(total_uncompressed_size) AS bytes, "  # noqa: S608
        f"sum(max(row_group_num_rows)) OVER () AS rows FROM parquet_metadata({quoted}) GROUP BY row_group_id)"
    ).fetchone() or (0, 0, 0)
    source = f"read_parquet({quoted}, binary_as_string=true, hive_partitioning=false)"
    found = database.sql(f"SELECT * FROM {source}")  # noqa: S608  a file's own name, quoted
    columns = [
        each for name, kind in zip(found.columns, found.types, strict=True) for each in _flat(name, _quoted(name), kind)
    ]
    for number, most, words in (
        (len(columns), columns_most, "columns"),
        (rows or 0, rows_most, "rows"),
        (total or 0, bytes_most, "bytes unpacked"),
        (group or 0, group_most, "bytes in a row group; write smaller ones"),
    ):
        if number > most:
            raise ValueError(f"it has more than {most} {words}")
    if what == "columns":
        _put([name for name, _, _ in columns])
        return
    chosen = ", ".join(f"CAST({expression} AS VARCHAR)" for _, expression, _ in columns)
    answer = database.execute(f"SELECT {chosen} FROM {source}")  # noqa: S608  columns are quoted
    kinds = [(place, kind) for place, (_, _, kind) in enumerate(columns) if kind in _FLOATS | _MOMENTS]
    while some := answer.fetchmany(_TOGETHER):
        _put([_texts(row, kinds) for row in some])


def _flat(name: str, expression: str, kind: Any, depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """The columns of a column: name, SQL, and type. Of a structure, those of its members."""
    if kind.id == "struct" and depth < _DEEP:
        for inner, inner_kind in kind.children:
            yield from _flat(f"{name}.{inner}", f"({expression}).{_quoted(inner)}", inner_kind, depth + 1)
    else:
        yield name, expression, kind.id


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _texts(row: tuple[str | None, ...], kinds: list[tuple[int, str]]) -> list[str]:
    texts = ["" if cell is None else cell for cell in row]
    for place, kind in kinds:
        text = texts[place]
        if kind in _FLOATS:
            texts[place] = "" if text == "nan" else number_text(text)
        else:
            texts[place] = text.removesuffix(_MIDNIGHT)
    return texts


def _put(value: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
