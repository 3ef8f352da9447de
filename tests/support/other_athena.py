"""An Athena that is DuckDB, in this process, over the objects of the table `metrics`: its results are as Athena's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from adweir.insight.curated.layout import CuratedTable
from adweir.store.athena import Athena, QueryState
from support.duck import connected


class OtherAthena(Athena):
    """Reads what `content` answers (key → bytes) when it is first asked, and has `put` keep results. `ended` is the
    state of every query, `refuses` is raised in place of one, `tokens` are those that came."""

    def __init__(
        self, table: CuratedTable, content: Callable[[], Mapping[str, bytes]], put: Callable[[str, bytes], object]
    ) -> None:
        self._table = table
        self._content = content
        self._put = put
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.asked: list[str] = []
        self.tokens: dict[str, str] = {}
        self.stopped: list[str] = []
        self.refuses: Exception | None = None
        self.ended = "SUCCEEDED"

    def start(self, sql: str, token: str = "") -> str:
        if self.refuses:
            raise self.refuses
        if token in self.tokens:
            return self.tokens[token]
        self.asked.append(sql)
        query_id = f"q{len(self.asked)}"
        found = self._metrics.execute(sql)
        lines = [",".join(f'"{column[0]}"' for column in found.description or ())]
        lines += [",".join("" if value is None else f'"{value}"' for value in row) for row in found.fetchall()]
        self._put(_key(query_id), ("\n".join(lines) + "\n").encode())
        self.tokens[token] = query_id
        return query_id

    def state(self, query_id: str) -> QueryState:
        return QueryState(query_id, self.ended, "", f"s3://bucket/{_key(query_id)}", 1, 0.1)

    def stop(self, query_id: str) -> None:
        self.stopped.append(query_id)

    @property
    def _metrics(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = _loaded(self._table, self._content())
        return self._connection


def _key(query_id: str) -> str:
    return f"exports/athena/{query_id}.csv"


def _loaded(table: CuratedTable, content: Mapping[str, bytes]) -> duckdb.DuckDBPyConnection:
    connection = connected()
    columns = {**table.columns, **{key.name: "VARCHAR" for key in table.keys}}.items()
    connection.execute(f"CREATE TEMP TABLE metrics ({', '.join(f'{name} {kind}' for name, kind in columns)})")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "it.parquet"
        for key in sorted(content):
            if key.startswith(table.prefix):
                file.write_bytes(content[key])
                values = ", ".join(f"'{part.partition('=')[2]}'" for part in key.split("/")[2:-1])
                connection.execute(f"INSERT INTO metrics SELECT *, {values} FROM '{file}'")  # noqa: S608
    return connection
