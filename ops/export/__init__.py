"""`adweir export`: `curated/` as a folder of this machine, for DuckDB, dbt-duckdb and notebooks."""
