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
from ops.errors import CommandFailed
from ops.mix_files import ColumnRoles, read_frame

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


def _with(row: str, place: int, value: str) -> str:
    fields = row.split(",")
    return ",".join([*fields[:place], value, *fields[place + 1 :]])


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
    printed = result.stdout.splitlines()
    assert printed[0].split()[:2] == ["CHANNEL", "SPEND"]
    assert any(line.endswith("MARGINAL ROI") for line in printed)
    assert max(map(len, printed)) <= 80


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
        pytest.param(lines()[:10], HEADER, "10 periods are too few: a fit needs 26", id="rows"),
        pytest.param([], HEADER, "0 periods are too few", id="empty"),
        pytest.param([*lines()[:-1], "2025-02-17,€ 12,4,2,0"], HEADER, "no currency", id="currency"),
        pytest.param([*lines()[:-1], '2025-02-17,"1,200.5",4,2,0'], HEADER, "no thousands separator", id="thousands"),
        pytest.param([*lines()[:-1], "02/17/2025,1,4,2,0"], HEADER, "write it like that, year first", id="american"),
        pytest.param([*lines()[:-1], "2025-02-17T09:30,1,4,2,0"], HEADER, "not a day such as", id="hour"),
        pytest.param([*lines(), "Total,1,4,2,0"], HEADER, "line 62: week: 'Total' is not a day", id="total"),
        pytest.param([*lines(), lines()[3]], HEADER, "--geo and --population", id="regions"),
        pytest.param(lines(), HEADER.replace("promo", "video"), "two columns 'video'", id="header"),
        pytest.param([_with(row, 1, "0") for row in lines()], HEADER, "choose another KPI", id="nothing sold"),
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


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff" + "\r\n".join([HEADER, *lines(), "", ""]), id="mark, line ends and empty lines"),
        pytest.param("\n".join([HEADER, *lines()]).replace(",", ";"), id="semicolons"),
        pytest.param("\n".join([HEADER, *lines()]).replace(",", "\t"), id="tabs"),
        pytest.param("\n".join([HEADER, *(row.replace(",", " 00:00:00,", 1) for row in lines())]), id="midnights"),
        pytest.param("\n".join([HEADER.replace(",", " ,"), *(row.replace(",", ", ") for row in lines())]), id="spaces"),
    ],
)
def test_files_as_other_programs_write_them_are_read_alike(tmp_path: Path, text: str) -> None:
    odd, plain = tmp_path / "odd.csv", tmp_path / "plain.csv"
    odd.write_text(text, newline="")
    plain.write_text("\n".join([HEADER, *lines()]))
    roles = ColumnRoles("week", "sales", ("search", "video"), ("promo",))

    assert read_frame(odd, roles).hashed() == read_frame(plain, roles).hashed()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("week,sales,search,video,promo,é".encode("latin-1"), "save it as 'CSV UTF-8'", id="latin"),
        pytest.param("\n".join([HEADER, *lines()]).encode("utf-16"), "save it as 'CSV UTF-8'", id="utf-16"),
        pytest.param(b"", "it has none", id="empty"),
        pytest.param(f"{HEADER}\n2024-01-01,{'9' * 200_000},1,1,1".encode(), "is not a CSV file", id="long"),
    ],
)
def test_a_file_that_is_no_table_says_so(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "mix.csv"
    file.write_bytes(content)

    with pytest.raises(CommandFailed, match=said):
        read_frame(file, ColumnRoles("week", "sales", ("search", "video"), ("promo",)))


def test_a_channel_that_never_spent_brought_nothing_and_is_warned_of(tmp_path: Path) -> None:
    result = fitted(tmp_path, [_with(row, 3, "0") for row in lines()], "--json")

    video = json.loads(result.stdout)["channels"][1]
    assert video["contribution"] == {"estimate": 0, "low": 0, "high": 0}
    assert "it spent nothing" in video["warnings"][0]


def regions() -> list[str]:
    """Two regions, of which the south has twice the people."""
    draws = random.Random(6)
    found = []
    for geo, people in (("north", 1000), ("south", 2000)):
        for row in lines():
            day, sales, search, video, promo = row.split(",")
            own = float(search) * exp(draws.gauss(0, 0.4))
            sold = float(sales) + 200 * (own / (own + 25) - float(search) / (float(search) + 25)) + draws.gauss(0, 3)
            size = people / 1000
            found.append(f"{day},{sold * size:.2f},{own * size:.2f},{float(video) * size:.2f},{promo},{geo},{people}")
    return found


PLACES = ("--geo", "geo", "--population", "people")


def test_regions_have_effects_per_period_and_per_person(tmp_path: Path) -> None:
    header = f"{HEADER},geo,people"

    found = json.loads(fitted(tmp_path, regions(), *PLACES, "--json", header=header).stdout)["channels"][0]

    north, south = found["geos"]
    assert (north["geo"], south["geo"], south["population"]) == ("north", "south", 2000)
    assert len(found["periods"]) == 60
    for each, people in ((north, 1000), (south, 2000)):
        for end in ("low", "estimate", "high"):
            assert each["per_period"][end] == pytest.approx(each["contribution"][end] / 60)
            assert each["per_person"][end] == pytest.approx(each["contribution"][end] / people)
    assert north["scale"]["low"] <= 1 <= south["scale"]["high"]
    whole = found["contribution"]["estimate"]
    assert north["contribution"]["estimate"] + south["contribution"]["estimate"] == pytest.approx(whole, rel=0.02)
    assert sum(each["contribution"]["estimate"] for each in found["periods"]) == pytest.approx(whole, rel=0.05)
    period = found["periods"][7]
    assert period["per_person"]["high"] == pytest.approx(period["contribution"]["high"] / 3000)


def test_a_person_gets_a_table_of_regions(tmp_path: Path) -> None:
    result = fitted(tmp_path, regions(), *PLACES, header=f"{HEADER},geo,people")

    assert next(line.split()[:2] for line in result.stdout.splitlines() if " south " in line) == ["search", "south"]


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        pytest.param(regions(), PLACES[:2], "add --population COL", id="no population"),
        pytest.param(regions(), PLACES[2:], "add --geo COL", id="no geo"),
        pytest.param(regions()[:-1], PLACES, "south has no row for 2025-02-17", id="no row"),
        pytest.param([*regions()[:-1], _with(regions()[-1], 6, "9")], PLACES, "of south is 2000 and 9", id="changes"),
        pytest.param([*regions()[:-1], _with(regions()[-1], 5, " ")], PLACES, "geo is empty", id="no name"),
        pytest.param([_with(row, 6, "0") for row in regions()], PLACES, "each geo needs a number above 0", id="nobody"),
        pytest.param([*regions(), regions()[3]], PLACES, "2024-01-22 of north is there twice (line 5)", id="twice"),
    ],
)
def test_regions_that_cannot_be_fitted_say_what_to_do(
    tmp_path: Path, rows: list[str], options: tuple[str, ...], said: str
) -> None:
    result = fitted(tmp_path, rows, *options, header=f"{HEADER},geo,people")

    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())
