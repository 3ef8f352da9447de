"""`adweir mmm fit`: a CSV in any order becomes the JSON that every reader gets, and bad files say what to do."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from math import cos, exp
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ops.cli import app

HEADER = "week,sales,search,video,promo"


def lines() -> list[str]:
    draws = random.Random(4)
    found = []
    for week in range(60):
        search, video, promo = exp(draws.gauss(3, 0.6)), exp(draws.gauss(3, 0.6)), int(week % 9 == 0)
        sales = 400 + 30 * cos(week / 8) + 200 * search / (search + 25) + 90 * video / (video + 20) + 40 * promo
        day = date(2024, 1, 1) + timedelta(days=7 * week)
        found.append(f"{day},{sales + draws.gauss(0, 3):.2f},{search:.2f},{video:.2f},{promo}")
    return found


def fitted(folder: Path, rows: list[str], *more: str, header: str = HEADER) -> Result:
    file = folder / "mix.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    base = ["mmm", "fit", str(file), "--date", "week", "--kpi", "sales", "--channels", "search,video"]
    return CliRunner().invoke(app, [*base, "--controls", "promo", *more])


def test_a_file_in_any_order_has_the_json_that_every_reader_gets(tmp_path: Path) -> None:
    rows = lines()

    sorted_one, turned = fitted(tmp_path, rows, "--json"), fitted(tmp_path, rows[::-1], "--json")

    found = json.loads(sorted_one.stdout)
    assert sorted_one.stdout == turned.stdout
    assert set(found) == {"channels", "fit", "warnings"}
    assert [each["channel"] for each in found["channels"]] == ["search", "video"]
    for each in found["channels"]:
        assert set(each) == {"channel", "contribution", "roi", "adstock", "saturation", "warnings"}
        assert each["contribution"]["low"] <= each["contribution"]["estimate"] <= each["contribution"]["high"]


def test_curves_and_a_budget_are_added_when_asked_for(tmp_path: Path) -> None:
    found = json.loads(fitted(tmp_path, lines(), "--json", "--curves", "--budget").stdout)

    assert len(found["curves"]) == 2
    assert sum(each["proposed"] for each in found["budget"]["channels"]) == pytest.approx(found["budget"]["budget"])


def test_a_person_gets_a_table(tmp_path: Path) -> None:
    result = fitted(tmp_path, lines())

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split()[:2] == ["CHANNEL", "SPEND"]


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        pytest.param(lines(), HEADER.replace("video", "tv"), "no column 'video'", id="column"),
        pytest.param([*lines(), lines()[3]], HEADER, "2024-01-22 is there twice", id="duplicate"),
        pytest.param(lines()[:20] + lines()[21:], HEADER, "a gap", id="gap"),
        pytest.param([*lines()[:-1], "2025-02-17,1,x,2,0"], HEADER, "search: 'x' is not a number", id="text"),
        pytest.param([*lines()[:-1], "2025-02-17,1,-4,2,0"], HEADER, "negative on 2025-02-17", id="negative"),
        pytest.param([*lines()[:-1], "2025-02-17,,4,2,0"], HEADER, "no number on 2025-02-17", id="nothing"),
        pytest.param([*lines()[:-1], "17.2.2025,1,4,2,0"], HEADER, "not a day such as", id="day"),
        pytest.param([*lines()[:-1], "2025-02-17,1,4"], HEADER, "not as many fields", id="fields"),
        pytest.param(lines()[:12], HEADER, "too few", id="rows"),
    ],
)
def test_a_file_that_cannot_be_fitted_says_what_to_do(tmp_path: Path, rows: list[str], header: str, said: str) -> None:
    result = fitted(tmp_path, rows, "--json", header=header)

    assert result.exit_code == 1
    assert said in result.stderr


def test_an_experiment_is_read_from_a_file(tmp_path: Path) -> None:
    lift = tmp_path / "lift.csv"
    lift.write_text("channel,first,last,spend,effect,low,high\nradio,2024-03-04,2024-04-07,50,9,8,10\n")

    result = fitted(tmp_path, lines(), "--lift", str(lift))

    assert result.exit_code == 1
    assert "'radio' is not one of the channels" in result.stderr
