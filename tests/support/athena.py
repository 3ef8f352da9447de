"""MiniStack alone, with a bucket and the tables of `curated/` as the stack has them, and files of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from adweir.insight.curated.layout import GLUE_TYPES, CuratedTable, tables
from adweir.platforms import REGISTRY
from adweir.store.athena import Athena
from sandbox.ministack import client_factory, start_ministack
from sandbox.processes import choose_port, stop
from support.duck import connected

STACK, BUCKET = "adweir", "adweir-data"
PLATFORMS = tuple(sorted(REGISTRY))
TABLES = tables(PLATFORMS)
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


class AthenaHere(NamedTuple):
    """A running MiniStack: its clients, and the Athena of `curated/`."""

    clients: Any
    athena: Athena
    endpoint: str

    def put(self, table: str, folders: Sequence[str], name: str, rows: Sequence[Mapping[str, Any]]) -> str:
        """Put an object of a table with these rows; columns that they lack are NULL. Its key."""
        found = TABLES[table]
        key = found.key(folders, name)
        self.clients("s3").put_object(Bucket=BUCKET, Key=key, Body=parquet(found, rows))
        return key


@contextmanager
def athena_here(folder: Path) -> Iterator[AthenaHere]:
    """Start it, and stop it at the end."""
    port = choose_port(None)
    engine = start_ministack(folder, port, "127.0.0.1")
    try:
        endpoint = f"http://127.0.0.1:{port}"
        clients = client_factory(endpoint)
        clients("s3").create_bucket(Bucket=BUCKET)
        declare(clients)
        yield AthenaHere(clients, Athena(clients("athena"), STACK, STACK), endpoint)
    finally:
        stop(engine)


def declare(clients: Any) -> None:
    """The database, the tables and the work group, as template.yaml has them."""
    glue = clients("glue")
    glue.create_database(DatabaseInput={"Name": STACK})
    for table in TABLES.values():
        columns = [{"Name": name, "Type": GLUE_TYPES[kind]} for name, kind in table.columns.items()]
        storage = {
            "Columns": columns,
            "Location": f"s3://{BUCKET}/{table.prefix}",
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
        }
        keys = [{"Name": key.name, "Type": "string"} for key in table.keys]
        about = {"TableType": "EXTERNAL_TABLE", "Parameters": {"classification": "parquet"}}
        glue.create_table(
            DatabaseName=STACK,
            TableInput={"Name": table.name, **about, "PartitionKeys": keys, "StorageDescriptor": storage},
        )
    place = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/exports/athena/"}}
    clients("athena").create_work_group(Name=STACK, Configuration=place)


def parquet(table: CuratedTable, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A file of a table."""
    connection = connected()
    try:
        typed = ", ".join(f"CAST(? AS {kind}) AS {name}" for name, kind in table.columns.items())
        names = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
        connection.execute(f"CREATE TEMP TABLE rows_of_it ({names})")
        for row in rows:
            connection.execute(f"INSERT INTO rows_of_it SELECT {typed}", [row.get(name) for name in table.columns])
        with _scratch() as path:
            connection.execute(f"COPY rows_of_it TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
            return io.BytesIO(path.read_bytes()).getvalue()
    finally:
        connection.close()


@contextmanager
def _scratch() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "it.parquet"
