"""`curated/`: everything that is stored, as Parquet for SQL. `layout` says which tables there are, and where."""
