"""Parquet as a table, read by DuckDB in a process of its own.

The process has no credentials, can open one file and write none, and its memory is bounded; a file that makes it fall
costs the file alone. Other files do not pay for it: neither it nor DuckDB is imported for them.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, cast

import msgspec

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.platforms.files.content import Content
from adweir.platforms.files.text_lines import Cells, Chunk

_COPIED = 1 << 20
_ENDING_SECONDS = 10
_QUOTED = re.compile(r"\"| '")
_READER = "adweir.platforms.files.parquet_reader"
_header = msgspec.json.Decoder(list[str]).decode
_rows = msgspec.json.Decoder(list[Cells]).decode


class ParquetTable:
    """A Parquet file; `size` is the stored file's. Raises BadInput for what is none, or takes too much to read."""

    def __init__(self, open_content: Callable[[], Content], size: int) -> None:
        self._open = open_content
        self._most = min(
            limits.MAX_DROP_UNPACKED_BYTES, max(limits.MIN_DROP_UNPACKED_BYTES, size * limits.MAX_DROP_RATIO)
        )
        with self._reader("columns") as lines:
            self.header = [name.strip() for name in _header(next(lines, b"[]"))]

    def chunks(self) -> Iterator[Chunk]:
        """The rows, by their number. Raises BadInput for damaged data, also after good rows."""
        first = 1
        with self._reader("rows") as lines:
            for line in lines:
                rows = _rows(line)
                yield Chunk(range(first, first + len(rows)), list(map(_shown, rows)), rows, ())
                first += len(rows)

    @contextlib.contextmanager
    def _reader(self, what: str) -> Iterator[IO[bytes]]:
        """What the reading process says, line by line."""
        bounds = [limits.MAX_DROP_COLUMNS, limits.MAX_DROP_LINES, self._most, limits.MAX_PARQUET_GROUP_BYTES]
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            content = self._open()
            while data := content.read(_COPIED):
                file.write(data)
            file.flush()
            command = [sys.executable, "-m", _READER, what, file.name, *map(str, bounds)]
            piped = subprocess.PIPE
            with subprocess.Popen(command, env=_paths(), stdout=piped, stderr=piped) as process:  # noqa: S603  no input
                try:
                    yield cast("IO[bytes]", process.stdout)
                    if process.wait(timeout=_ENDING_SECONDS):
                        raise _refused(process)
                finally:
                    process.kill()


def _paths() -> dict[str, str]:
    """The process's environment. Lambda's Python finds its own library by the path that Lambda sets, nowhere else."""
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR")),
    }


def _refused(process: subprocess.Popen[bytes]) -> BadInput:
    says = cast("IO[bytes]", process.stderr).readline(1000).decode("utf-8", "replace")
    # What stands in quotes is a path of ours, or a cell of the file.
    why = _QUOTED.split(says)[0].strip() if process.returncode == 1 else f"its reader fell ({process.returncode})"
    return BadInput(f"the Parquet file cannot be read: {why[:300]}", [{"field": "file", "rule": "parquet"}])


def _shown(row: Cells) -> str:
    return msgspec.json.encode(row).decode()
