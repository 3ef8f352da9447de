"""CSV → Parquet by DuckDB, in bounded memory and without its network extensions.

DuckDB is imported when a file is written, not at a cold start: it lives in the analytics layer, which only etl has.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY_LIMIT = "256MB"
_ENDS = "\r\n"
"""Of a line as `csv` writes it by default: only then it quotes texts with either of the two, which DuckDB needs."""
_SPILLED = "adweir-spilled-"
_numbers = count(1)
_ours: set[Path] = set()


class _Lines(Protocol):
    def write(self, text: str, /) -> object: ...


class CsvLines:
    """Where `csv.writer` and `csv.DictWriter`, left to their own line ends, write a file whose lines end with \\n."""

    def __init__(self, file: _Lines) -> None:
        self._file = file

    def write(self, line: str) -> None:
        """Write a row as the writer gives it."""
        self._file.write(f"{line.removesuffix(_ENDS)}\n")


@contextmanager
def engine(folder: Path, database: str = "", memory: str = _MEMORY_LIMIT) -> Iterator[DuckDBPyConnection]:
    """A connection that works on one thread, in bounded memory, and loads nothing from outside. Its tables are in the
    file `database`, or else in memory and temporary (CREATE TEMP TABLE): what it does besides, others would see.
    """
    connection = _started(memory).cursor()
    name = f"made_{next(_numbers)}"
    try:
        connection.execute(f"SET home_directory = {quoted(folder)}")
        if database:
            connection.execute(f"ATTACH {quoted(database)} AS {name}")
            connection.execute(f"USE {name}")
        yield connection
    finally:
        connection.close()
        if database:
            with _started(memory).cursor() as other:
                other.execute(f"DETACH DATABASE IF EXISTS {name}")


@cache
def _started(memory: str) -> DuckDBPyConnection:
    """DuckDB, which runs until the process ends: to start it takes ten times as long as to write a small file. What its
    memory does not hold it writes into a folder of its own.
    """
    import duckdb  # noqa: PLC0415

    spilled = _spilled()
    connection = duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": 1,
            "temp_directory": str(spilled),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    atexit.register(_end, connection, spilled)
    return connection


def _spilled() -> Path:
    """A new folder of this process. Those of processes that were killed go, else what they wrote stays on the disk."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SPILLED}*"):
        owner = folder.name.removeprefix(_SPILLED).partition("-")[0]
        if folder not in _ours and owner.isdecimal() and not _runs(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    mine = Path(tempfile.mkdtemp(prefix=f"{_SPILLED}{os.getpid()}-"))
    _ours.add(mine)
    return mine


def _runs(process: int) -> bool:
    """Whether another process has this number. After a kill, a function's next process may have that of the last."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # no process has such a number
        return False
    except PermissionError:  # another user's
        return True
    return process != os.getpid()


def _end(connection: DuckDBPyConnection, spilled: Path) -> None:
    _started.cache_clear()
    connection.close()
    shutil.rmtree(spilled, ignore_errors=True)


def to_parquet(source: Path, target: Path, types: Mapping[str, str]) -> None:
    """Write `source` (CSV with a header) as zstd Parquet with the given SQL type per column."""
    with engine(target.parent) as connection:
        copy_out(connection, f"SELECT * FROM {csv_table(source, types)}", target)  # noqa: S608  paths are quoted


def csv_table(source: Path, types: Mapping[str, str]) -> str:
    """A CSV file with a header as SQL names a table. An empty cell is null."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    return (
        f"read_csv({quoted(source)}, header = true, auto_detect = false, delim = ',', "
        f"quote = '\"', escape = '\"', columns = {{{columns}}})"
    )


def copy_out(connection: DuckDBPyConnection, query: str, target: Path) -> int:
    """Write what a query answers; how many rows. COPY takes no parameters: the paths are ours and quoted."""
    ((rows,),) = connection.execute(f"COPY ({query}) TO {quoted(target)} (FORMAT parquet, COMPRESSION zstd)").fetchall()
    return int(rows)


def quoted(text: object) -> str:
    """As SQL writes a text."""
    return "'" + str(text).replace("'", "''") + "'"
