"""MiniStack's Athena, as strict as Athena in what adweir uses of it. Run by aws_server.py, beside which it lies.

MiniStack puts DuckDB behind the tables of Glue. Where its answers differ from Athena's, these are Athena's:

- a table has the columns that Glue names, in Glue's order; what a file has besides is not seen, what it lacks is NULL;
- whole numbers are divided as whole numbers;
- a result's file has the name that the API says, all values are in quotes, and NULL is nothing at all;
- the bytes that a query read are those of the tables' objects, not of its answer (of Athena: of the asked columns);
- objects are read where they lie: MiniStack copies each table for each query;
- a table is found behind a comma, too (FROM a, b), and not only behind FROM and JOIN;
- a token begins one query: the same request again is answered with its id, another one with that token is refused.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
from ministack.services import athena, glue, s3

_read: ContextVar[list[int] | None] = ContextVar("_read", default=None)
"""The sizes of the objects that the query of this context read."""
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_IN_PLACE = athena._materialize_table_files  # noqa: SLF001
_RELATION = athena._table_relation  # noqa: SLF001
_START = athena._start_query_execution  # noqa: SLF001
_begun: dict[str, tuple[dict[str, Any], Any]] = {}
"""Token → the request that it came with, and the answer."""


def mend() -> None:
    """Have MiniStack's Athena answer so."""
    athena._materialize_table_files = files_of  # noqa: SLF001
    athena._table_relation = relation  # noqa: SLF001
    athena._run_duckdb = run  # noqa: SLF001
    athena._start_query_execution = start  # noqa: SLF001
    athena._save_query_results = save  # noqa: SLF001
    athena._datum_text = text_of  # noqa: SLF001


def start(request: dict[str, Any]) -> Any:
    """Begin a query, or answer with the one that the token began."""
    token = str(request.get("ClientRequestToken", ""))
    asked, answer = _begun.get(token, (request, None))
    if asked != request:
        said = "Idempotent parameters do not match"
        return athena.error_response_json("InvalidRequestException", said, 400)
    if answer is None:
        answer = _START(request)
        if token and answer[0] < 300:
            _begun[token] = (request, answer)
    return answer


def files_of(location: str, copies: list[str]) -> list[str]:
    """The files of a table's objects: where MiniStack keeps them, or copies where it keeps one under another name."""
    place = urlsplit(location)
    prefix = place.path.strip("/") + "/"
    objects = (s3._buckets.get(place.netloc) or {"objects": {}})["objects"]  # noqa: SLF001
    keys = sorted(key for key in list(objects) if key.startswith(prefix) and not _is_hidden(key.removeprefix(prefix)))
    paths = [s3._object_disk_path(place.netloc, key) or "" for key in keys]  # noqa: SLF001
    is_there = all(path.endswith(key) and Path(path).is_file() for key, path in zip(keys, paths, strict=True))
    files = paths if is_there else list(_IN_PLACE(location, copies))
    sizes = _read.get()
    if sizes is not None:
        sizes += [Path(each).stat().st_size for each in files]
    return files


def _is_hidden(key: str) -> bool:
    return key.endswith("/") or any(part.startswith(("_", ".")) for part in key.split("/"))


def relation(table: Mapping[str, Any], files: Sequence[str]) -> str:
    """The rows of a table's files, as SQL of DuckDB."""
    columns = table["StorageDescriptor"].get("Columns") or []
    if athena._data_format(table) != "parquet" or not columns:  # noqa: SLF001
        return str(_RELATION(table, files))
    keys = table.get("PartitionKeys") or []
    there = athena._path_partition_keys(table, files)  # noqa: SLF001
    wanted = ", ".join(_typed(each) for each in (*columns, *keys))
    options = f"{athena._hive_options(there)}, union_by_name = true"  # noqa: SLF001
    # A relation of its own with all columns first, so that one that no file has is NULL in place of an error.
    nothing = f"(SELECT {', '.join(_absent(each) for each in columns)} WHERE false)"
    read = f"read_parquet({athena._sql_list(files)}, {options})"  # noqa: SLF001
    return f"(SELECT {wanted} FROM ({nothing} UNION ALL BY NAME FROM {read}))"  # noqa: S608  names and files are quoted


def _typed(column: Mapping[str, Any]) -> str:
    return f"CAST({_name(column)} AS {_duckdb_type(column)}) AS {_name(column)}"


def _absent(column: Mapping[str, Any]) -> str:
    return f"CAST(NULL AS {_duckdb_type(column)}) AS {_name(column)}"


def _name(column: Mapping[str, Any]) -> str:
    return '"' + str(column["Name"]).replace('"', '""') + '"'


def _duckdb_type(column: Mapping[str, Any]) -> str:
    kind = str(column.get("Type", "string")).lower()
    return kind if kind.startswith("decimal(") else str(athena._duckdb_type(column))  # noqa: SLF001


async def run(query: str, database: str, catalog: str | None = None) -> dict[str, Any]:
    """Run a query in a thread of its own."""
    _read.set([])
    rewritten, _, copies = await athena._rewrite_data_paths(query, database, catalog)  # noqa: SLF001
    return await asyncio.to_thread(_answer, rewritten, copies, database)


def _answer(query: str, copies: list[str], database: str) -> dict[str, Any]:
    connection = duckdb.connect(config=_SETTINGS)
    try:
        connection.execute("SET integer_division = true")
        try:
            found = connection.execute(query)
        except duckdb.CatalogException:
            _name_tables(connection, query, database, copies)
            found = connection.execute(query)
        described = found.description or []
        kinds = [str(each[1]).upper().partition("(")[0].strip() for each in described]
        return {
            "columns": [each[0] for each in described],
            "column_types": [athena._DUCKDB_TYPE_MAP.get(kind, "varchar") for kind in kinds],  # noqa: SLF001
            "rows": [list(row) for row in found.fetchall()],
        }
    finally:
        connection.close()
        for copy in copies:
            shutil.rmtree(copy, ignore_errors=True)


def _name_tables(connection: duckdb.DuckDBPyConnection, query: str, database: str, copies: list[str]) -> None:
    """Have the tables that a query may name, and that MiniStack did not find in it, be views."""
    connection.execute(f'CREATE SCHEMA "{database}"')
    for key, table in list(glue._tables.items()):  # noqa: SLF001
        home, _, name = key.partition("/")
        if home == database and name in query.lower():
            files = files_of(table["StorageDescriptor"]["Location"], copies)
            rows = relation(table, files) if files else athena._empty_relation(table)  # noqa: SLF001
            for schema in ("main", database):
                connection.execute(f'CREATE VIEW "{schema}"."{name}" AS SELECT * FROM {rows}')  # noqa: S608  of Glue


async def save(query_id: str) -> None:
    """Put the result where the API says it is. Raises ValueError with the answer of S3 when it cannot be put."""
    execution = athena._executions[query_id]  # noqa: SLF001
    execution["Statistics"]["DataScannedInBytes"] = sum(_read.get() or [])
    place = urlsplit(execution["ResultConfiguration"]["OutputLocation"])
    found = execution["_results"]
    lines = [_line(found["columns"]), *map(_line, found["rows"])]
    body = "".join(f"{line}\n" for line in lines).encode()
    headers = {"content-type": "text/csv", "content-length": str(len(body))}
    status, _, said = s3._put_object(place.netloc, place.path.lstrip("/"), body, headers)  # noqa: SLF001
    if status >= 300:
        raise ValueError(f"the result could not be put: {said!r}")


def _line(values: Iterable[Any]) -> str:
    return ",".join("" if value is None else '"' + text_of(value).replace('"', '""') + '"' for value in values)


def text_of(value: Any) -> str:
    """A value as Athena writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
