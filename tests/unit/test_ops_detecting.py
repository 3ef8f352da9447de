"""`adweir detect` and `adweir.detect`: any series, one answer per value, in the order of the file."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import adweir
from adweir.insight.anomalies.times import seconds_of
from adweir.model import limits
from adweir.model.errors import BadInput, TooLarge, Unprocessable
from ops.cli import app
from support.bounds import at_the_bound, refuses

START = date(2026, 1, 1)
SPIKE, ZERO = 60, 80


def spend(count: int = 100) -> list[tuple[date, float]]:
    """Days of a weekly pattern with noise, a spike and a zero."""
    rng = random.Random(3)
    values = [100 * math.exp(0.2 * math.sin(2 * math.pi * day / 7) + rng.gauss(0, 0.08)) for day in range(count)]
    for day, value in ((SPIKE, 400.0), (ZERO, 0.0)):
        if day < count:
            values[day] = value
    return [(START + timedelta(day), value) for day, value in enumerate(values)]


def text_of(rows: list[tuple[Any, Any]]) -> str:
    return "day,spend\n" + "".join(f"{time},{value}\n" for time, value in rows)


def run(folder: Path, content: str | bytes, *more: str) -> Result:
    path = folder / "series.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CliRunner().invoke(app, ["detect", str(path), "--time", "day", "--value", "spend", *more])


def answers(found: Result) -> list[dict[str, Any]]:
    assert found.exit_code == 0, found.output
    return [json.loads(line) for line in found.stdout.splitlines()]


def alarmed(rows: list[dict[str, Any]]) -> list[str]:
    return [str(row["timestamp"]) for row in rows if row["anomaly"]]


def test_given_a_file_when_it_is_scored_then_each_row_has_an_answer_in_the_files_order(tmp_path: Path) -> None:
    rows = spend()
    mixed = random.Random(1).sample(rows, len(rows))

    found = answers(run(tmp_path, text_of(mixed), "--json"))

    assert [row["timestamp"] for row in found] == [str(day) for day, _ in mixed]
    assert sorted(alarmed(found)) == [str(START + timedelta(SPIKE)), str(START + timedelta(ZERO))]
    assert all(0 <= row["score"] <= 1 and row["anomaly"] == (row["score"] >= 0.5) for row in found)


def test_a_lookback_scores_by_the_days_before_the_newest_alone_which_is_provisional(tmp_path: Path) -> None:
    """Given a series whose newest value arrives, and lies as before a shift, then each row of the file has an answer,
    and the newest one's is that of a file with the last days alone."""
    rows = [(day, value / 3 if place < 50 else value) for place, (day, value) in enumerate(spend(99)) if place != ZERO]
    rows.append((START + timedelta(99), rows[30][1]))
    mixed = random.Random(1).sample(rows, len(rows))

    found = {row["timestamp"]: row for row in answers(run(tmp_path, text_of(mixed), "--lookback", "39", "--json"))}

    assert list(found) == [str(day) for day, _ in mixed]
    before = [row for day, row in found.items() if day <= str(START + timedelta(60))]
    assert {(row["note"], row["score"], row["expected"]) for row in before} == {("before_lookback", 0, None)}
    assert [row["value"] for row in before] == [value for day, value in mixed if day <= START + timedelta(60)]
    first = found[str(START + timedelta(61))]
    assert (first["note"], first["provisional"]) == ("insufficient_history", False)
    newest = found[str(START + timedelta(99))]
    assert (newest["anomaly"], newest["provisional"]) == (True, True)
    alone = answers(run(tmp_path, text_of([row for row in rows if row[0] > START + timedelta(60)]), "--json"))
    assert newest | {"provisional": None} == alone[-1] | {"provisional": None}
    assert "provisional" not in alone[-1]
    said = run(tmp_path, text_of(mixed), "--lookback", "39").stderr
    assert "61 of the values are from before the last 39 days, and are left out" in said


def test_given_people_when_a_file_is_scored_then_its_anomalies_are_a_table(tmp_path: Path) -> None:
    found = run(tmp_path, text_of(spend()))

    assert [line.split()[0] for line in found.stdout.splitlines()] == ["time", "2026-03-02", "2026-03-22"]
    assert "100 values, one every day: 2 anomalies beyond 3.5 deviations" in found.stderr
    assert found.stdout.splitlines()[1].split()[1] == "400"


def test_hours_and_weeks_are_named_as_steps_and_digits_are_few(tmp_path: Path) -> None:
    rows = [(START + timedelta(7 * week), value * 1234.56789) for week, (_, value) in enumerate(spend())]
    found = run(tmp_path, text_of(rows))

    assert "one every 7 days" in found.stderr
    assert found.stdout.splitlines()[1].split()[1] == "493827.156"
    hours = "".join(f"2026-01-01T{hour:02}:00,1\n" for hour in range(20))
    assert "one every 1 h 0 min" in run(tmp_path, f"day,spend\n{hours}").stderr


def test_a_file_that_is_too_short_to_be_scored_says_so(tmp_path: Path) -> None:
    found = run(tmp_path, text_of([(START, 5)]))
    assert "1 value: 0 anomalies" in found.stderr
    assert "none was scored: the first 14 values are only learned" in found.stderr


def test_a_mark_at_the_begin_a_semicolon_blank_lines_and_empty_values_are_read(tmp_path: Path) -> None:
    content = text_of(spend()).replace(",", ";").replace("\n", "\r\n\r\n")
    content = content.replace("2026-01-05;", "2026-01-05;NaN\r\n2026-01-05;")

    found = answers(run(tmp_path, b"\xef\xbb\xbf" + content.encode(), "--json"))

    assert len(found) == 101
    assert [row["note"] for row in found].count("no_value") == 1
    assert len(alarmed(found)) == 2


def test_empty_values_are_counted_beside_the_others(tmp_path: Path) -> None:
    rows = text_of(spend()).replace("2026-01-05,", "2026-01-05,n/a\n2026-01-05,")
    assert "100 values, one every day, and 1 empty: 2 anomalies" in run(tmp_path, rows).stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("day,spend\n2026-01-01,1\n2026-01-02,1 USD\n", "line 3: '1 USD' is no number"),
        ("day,spend\n2026-01-01,1\nyesterday,1\n", "line 3: 'yesterday' is no time"),
        ("day,spend\n2026-01-01,inf\n", "line 2: 'inf' is infinite"),
        ("day,spend\n2026-01-01,-1e101\n", "line 2: '-1e101' is too large"),
        ("day,spend\n2026-01-01\nx\n", "line 3: 'x' is no time"),
        ("2026-01-01,1\n", "no column 'day': its first line, the header, has 2026-01-01, 1"),
        ("day,spend\n2026-01-01,1,204.07\n", "line 2: 3 fields, where the header has 2"),
        ("day,spend\n", "has no rows"),
        ("", "has nothing"),
        (b"day,spend\n\xff\xfe,1\n", "cannot be read as CSV in UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    found = run(tmp_path, content)

    assert found.exit_code == 1
    assert said in found.stderr


@pytest.mark.parametrize(
    "rows", [[(START, 5)], [(START, -5), (START, -5)], [(START + timedelta(n), -3) for n in range(60)]]
)
def test_one_row_times_that_come_twice_and_negative_constants_have_no_anomaly(
    tmp_path: Path, rows: list[tuple[Any, Any]]
) -> None:
    found = answers(run(tmp_path, text_of(rows), "--json"))

    assert len(found) == len(rows)
    assert alarmed(found) == []


def test_many_times_that_come_again_are_remarked(tmp_path: Path) -> None:
    found = run(tmp_path, text_of(spend() * 2), "--json")

    assert "100 of 200 times come again" in found.stderr


def test_a_missing_week_does_not_shift_the_weekdays() -> None:
    rng = random.Random(2)
    days = [
        (START + timedelta(n), (20.0 if n % 7 in (5, 6) else 200.0) * math.exp(rng.gauss(0, 0.05)))
        for n in range(120)
        if not 60 <= n < 64
    ]

    assert alarmed(adweir.detect(days)) == []


def test_the_hour_of_the_day_is_the_season_of_hourly_values_and_one_alarm_is_told_a_day() -> None:
    rng = random.Random(4)
    hours = [
        (n * 3600, 50 * math.exp(math.sin(2 * math.pi * n / 24) + rng.gauss(0, 0.05)) * (9 if n in (300, 305) else 1))
        for n in range(600)
    ]

    found = adweir.detect(hours)

    assert [row["timestamp"] // 3600 for row in found if row["anomaly"]] == [300]
    assert found[305]["note"] == "cool_down"


@given(st.floats(0.01, 1000))
def test_a_series_in_another_unit_has_the_same_scores(factor: float) -> None:
    rows = spend()

    plain = adweir.detect(rows)
    scaled = adweir.detect([(day, value * factor) for day, value in rows])

    start = 28
    assert [row["z"] for row in scaled[start:]] == pytest.approx(
        [row["z"] for row in plain[start:]], rel=1e-6, abs=1e-6
    )


def test_a_dict_and_numbers_alone_are_series_and_lookback_leaves_out_what_is_older() -> None:
    rows = spend()

    of_dict = adweir.detect(dict(rows))
    of_numbers = adweir.detect(value for _, value in rows)
    recent = adweir.detect(rows, lookback=40)

    assert [row["anomaly"] for row in of_dict] == [row["anomaly"] for row in adweir.detect(rows)]
    assert len(of_numbers) == len(rows)
    assert [row["timestamp"] for row in recent] == [day for day, _ in rows[-40:]]


def test_a_higher_threshold_finds_less() -> None:
    assert len(alarmed(adweir.detect(spend(), threshold=1))) > 2
    assert alarmed(adweir.detect(spend(), threshold=900)) == []


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(Unprocessable, match="method is one of robust, zscore"):
        adweir.detect([1.0], method="magic")
    with pytest.raises(Unprocessable, match="threshold"):
        adweir.detect([1.0], threshold=0)
    with pytest.raises(BadInput, match="value 1 of the series: 'x' is no number"):
        adweir.detect([1.0, "x"])


@at_the_bound("MAX_SCORED_ROWS", as_if=5)
def test_more_values_than_the_detector_scores_are_refused(
    size: int, fits: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "MAX_SCORED_ROWS", 5)

    with refuses(TooLarge, fits=fits):
        adweir.detect([1.0] * size)
    assert (run(tmp_path, text_of(spend(size)), "--json").exit_code == 0) == fits


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T05:00:00",
        "2026-11-01 05:00",
        "2026-11-01T05:00:00Z",
        "2026-11-01T05:00:00+02:00",
        "1793509200",
        1793509200000,
    ],
)
def test_times_are_read_in_many_forms_and_a_zone_keeps_its_wall_time(text: object) -> None:
    assert seconds_of(text) == 1793509200


def test_the_command_starts_without_aws_and_numpy(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text_of(spend()))
    code = (
        "import sys; from ops.cli import app;"
        f"app(['detect', {str(tmp_path / 'a.csv')!r}, '--time', 'day', '--value', 'spend'], standalone_mode=False);"
        "sys.exit(bool({'boto3', 'botocore', 'numpy', 'duckdb'} & set(sys.modules)))"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)  # noqa: S603

    assert ran.returncode == 0
