"""CSV files on their way to Parquet."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

from adweir.insight.parquet import CsvLines, to_parquet

TEXTS = ["", "\r", "one\rtwo", "a\nb", "a\r\nb\r\n", 'say "so", now']


def test_every_text_comes_through_and_lines_end_with_a_line_feed(tmp_path: Path) -> None:
    source, target = tmp_path / "rows.csv", tmp_path / "rows.parquet"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(CsvLines(file)).writerows([("number", "text"), *enumerate(TEXTS)])

    to_parquet(source, target, {"number": "INTEGER", "text": "VARCHAR"})

    rows = duckdb.read_parquet(str(target)).order("number").fetchall()
    assert [text or "" for _, text in rows] == TEXTS
    assert source.read_bytes().startswith(b"number,text\n0,\n")
