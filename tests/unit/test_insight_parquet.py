"""CSV files on their way to Parquet."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest

from adweir.insight.parquet import CsvLines, engine, to_parquet

TEXTS = ["", "\r", "one\rtwo", "a\nb", "a\r\nb\r\n", 'say "so", now']


def test_every_text_comes_through_and_lines_end_with_a_line_feed(tmp_path: Path) -> None:
    source, target = tmp_path / "rows.csv", tmp_path / "rows.parquet"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(CsvLines(file)).writerows([("number", "text"), *enumerate(TEXTS)])

    to_parquet(source, target, {"number": "INTEGER", "text": "VARCHAR"})

    rows = duckdb.read_parquet(str(target)).order("number").fetchall()
    assert [text or "" for _, text in rows] == TEXTS
    assert source.read_bytes().startswith(b"number,text\n0,\n")


def test_two_at_once_have_tables_of_their_own_and_leave_none(tmp_path: Path) -> None:
    with engine(tmp_path, str(tmp_path / "one.duckdb")) as one, engine(tmp_path, str(tmp_path / "two.duckdb")) as two:
        for number, connection in enumerate((one, two)):
            connection.execute(f"CREATE TABLE same AS SELECT {number} AS number")
        assert [each.execute("FROM same").fetchall() for each in (one, two)] == [[(0,)], [(1,)]]

    with engine(tmp_path) as later:
        assert later.execute("SELECT * FROM duckdb_tables()").fetchall() == []
        assert later.execute("SELECT count(*) FROM duckdb_databases() WHERE NOT internal").fetchall() == [(1,)]


def test_a_file_that_an_error_ended_is_let_go_of(tmp_path: Path) -> None:
    file = tmp_path / "one.duckdb"

    def ends_early() -> None:
        with engine(tmp_path, str(file)) as connection:
            connection.execute("CREATE TABLE done AS SELECT 7 AS number")
            connection.execute("BEGIN")
            connection.execute("INSERT INTO done VALUES (8)")
            raise KeyError

    with pytest.raises(KeyError):
        ends_early()

    with engine(tmp_path, str(file)) as again:
        assert again.execute("FROM done").fetchall() == [(7,)]


def test_what_memory_does_not_hold_goes_into_files(tmp_path: Path) -> None:
    query = "SELECT count(*) FROM (SELECT DISTINCT i::VARCHAR || repeat('x', 50) FROM range(300_000) AS many(i))"

    with engine(tmp_path, memory="25MB") as connection:
        assert connection.execute(query).fetchall() == [(300_000,)]


def test_what_a_killed_process_spilled_goes_when_another_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given folders of a process that ended, of one that had this one's number, of a number that no process has, of a
    process that runs, and another one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(60)
    owners = (f"{ended.pid}-a", f"{os.getpid()}-a", f"{10**20}-a", f"{os.getppid()}-a", "mine")
    folders = [tmp_path / f"adweir-spilled-{owner}" for owner in owners]
    for each in folders:
        each.mkdir()
        (each / "duckdb_temp").write_bytes(b"x")

    with engine(tmp_path, memory="26MB"), engine(tmp_path, memory="27MB") as connection:
        ((spilled,),) = connection.execute("SELECT current_setting('temp_directory')").fetchall()

    assert [each.exists() for each in folders] == [False, False, False, True, True]
    ours = {*tmp_path.iterdir()} - {*folders}
    assert len(ours) == 2
    assert Path(spilled) in ours
