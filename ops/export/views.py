"""What lies beside an export: `views.sql`, which makes its tables known to DuckDB, and a README that says how."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from adweir.insight.curated.layout import CuratedTable

README = """\
# What adweir measured, as Parquet

Made by `adweir export`; run it again to take what changed.

    duckdb -init views.sql            # in this folder: DuckDB with a view per table
    SELECT platform, SUM(spend) FROM metrics WHERE level = 'account' AND grain = 'day' GROUP BY 1;

In Python: `duckdb.execute(open("views.sql").read())` with this folder as the current one. Name one `level` and one
`grain` of `metrics`: each level answers for all of an account's numbers. Group by `currency`. adweir's docs/sql.md
says more of each table.
"""


def views(tables: Mapping[str, CuratedTable], there: Collection[str]) -> str:
    """Statements that make a view per table, for the folder that they are run in; of a table without files an empty
    one, with the same columns."""
    return "".join(f"{line}\n" for name in tables for line in _view(tables[name], is_there=name in there))


def _view(table: CuratedTable, *, is_there: bool) -> Iterator[str]:
    yield f"CREATE OR REPLACE VIEW {table.name} AS"
    if is_there:
        columns = ", ".join((*table.columns, *(key.name for key in table.keys)))
        yield f"  SELECT {columns}"
        yield f"  FROM read_parquet('{table.name}/**/*.parquet', union_by_name = true, {_partitions(table)});"
        return
    kinds = {**table.columns, **{key.name: "VARCHAR" for key in table.keys}}
    yield f"  SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name}' for name, kind in kinds.items())} WHERE false;"


def _partitions(table: CuratedTable) -> str:
    if not table.keys:
        return "hive_partitioning = false"
    kinds = ", ".join(f"'{key.name}': VARCHAR" for key in table.keys)
    return f"hive_partitioning = true, hive_types = {{{kinds}}}"
