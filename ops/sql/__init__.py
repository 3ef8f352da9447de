"""`adweir sql`: SQL over `curated/`, asked of Athena, in words that DuckDB understands, too."""
