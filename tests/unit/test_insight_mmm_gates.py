"""Every row of the table of what Meridian, PyMC-Marketing and Robyn refuse, as a broken file that the gates stop.

The file has three regions and 120 days, two channels, an organic one, a control per region and one that is the same
in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from adweir.insight.mmm.beside import Beside, DaySeries
from adweir.insight.mmm.gates import Finding, Roles, Severity, check, check_rows
from adweir.insight.mmm.wide import Cadence, Sums, Wide, build
from adweir.model.times import Window

START, DAYS = date(2026, 6, 1), 120
GEOS = ("DE-BE", "DE-BY", "DE-HH")
WINDOW = Window(START, START + timedelta(days=DAYS - 1))
Row = list[str]


def sums() -> dict[str, Sums]:
    found = {}
    for place, geo in enumerate(GEOS, 1):
        found[geo] = Sums()
        for number in range(DAYS):
            day, wave = START + timedelta(days=number), 1 + (number * 7 + place * 3) % 11
            found[geo].add(
                day, "meta_ads", (900 * wave, 9 * wave, wave * 1_000_000, wave * 2_500_000, wave * 30_000_000)
            )
            found[geo].add(day, "google_ads", (400 + wave, 40, 2_000_000, (wave + number % 5) * 1_100_000, 50_000_000))
            found[geo].add(day, "trade_desk", (70 + number % 13, 1, 0, 0, 0))
    return found


def beside() -> Beside:
    days = list(WINDOW.days())
    prices = {geo: {day: Decimal(100 + (day.day * place) % 9) for day in days} for place, geo in enumerate(GEOS, 2)}
    promotion = {"": {day: Decimal(1) for day in days if day.day in {4, 5, 20}}}
    people = {geo: Decimal(1_000_000 * place) for place, geo in enumerate(GEOS, 1)}
    controls = {"price": DaySeries(prices), "promo": DaySeries(promotion)}
    return Beside(controls=controls, population=people)


def good() -> Wide:
    return build(sums(), WINDOW, ["google_ads", "meta_ads", "trade_desk"], Cadence.DAILY, beside())


def written(wide: Wide) -> tuple[Row, list[Row]]:
    header, *rows = wide.rows()
    return header, rows


def errors(findings: list[Finding]) -> dict[str, str]:
    return {each.gate: each.message for each in findings if each.severity is Severity.ERROR}


def test_the_file_that_is_broken_below_passes_and_warns_of_the_control_that_regions_share() -> None:
    wide = good()
    assert (wide.size, wide.channels, wide.organic) == (360, ["google_ads", "meta_ads"], ["trade_desk"])
    findings = check(wide, ())
    assert errors(findings) == {}
    # "time-only control with default knots in a geo model": Meridian's loader takes it, its model does not
    (knots,) = (each for each in findings if each.gate == "knots")
    assert knots.severity is Severity.WARN
    assert knots.message.startswith("the same in every region: promo_control")


Break = Callable[[Row, list[Row]], None]


def cell(column: str, text: str, at: int = 40) -> Break:
    def broken(header: Row, rows: list[Row]) -> None:
        rows[at][header.index(column)] = text

    return broken


def every(column: str, text: str) -> Break:
    def broken(header: Row, rows: list[Row]) -> None:
        for row in rows:
            row[header.index(column)] = text

    return broken


def without(keep: Callable[[str, str], bool]) -> Break:
    def broken(header: Row, rows: list[Row]) -> None:
        rows[:] = [row for row in rows if keep(row[0], row[1])]

    return broken


def no_population(header: Row, rows: list[Row]) -> None:
    place = header.index("population")
    for row in (header, *rows):
        del row[place]


def twice(header: Row, rows: list[Row]) -> None:
    rows.insert(41, list(rows[40]))


def unsorted(header: Row, rows: list[Row]) -> None:
    rows[3], rows[4] = rows[4], rows[3]


def renamed(old: str, new: str) -> Break:
    def broken(header: Row, rows: list[Row]) -> None:
        header[header.index(old)] = new

    return broken


def spelled(header: Row, rows: list[Row]) -> None:
    for row in rows:
        year, month, day = row[1].split("-")
        row[1] = f"{day}/{month}/{year}"


def as_date32(header: Row, rows: list[Row]) -> None:
    """What a reader of Parquet's date32 makes of it where it is written as text again."""
    for row in rows:
        row[1] = f"datetime.date({row[1].replace('-', ', ')})"


def with_reach(header: Row, rows: list[Row]) -> None:
    for row, more in zip((header, *rows), ("meta_ads_reach", *(str(n) for n in range(len(rows)))), strict=True):
        row.append(more)


DEFECTS: dict[str, tuple[Break, str]] = {
    "time as Parquet's date32": (as_date32, "times"),
    "dd/mm/yyyy": (spelled, "times"),
    "NaN in the KPI": (cell("conversions", "NaN"), "numbers"),
    "NaN in media": (cell("meta_ads_impressions", "nan"), "numbers"),
    "NaN in spend": (cell("meta_ads_spend", "NaN"), "numbers"),
    "NaN in a control": (cell("price_control", "NaN"), "numbers"),
    "infinity": (cell("meta_ads_spend", "Infinity"), "numbers"),
    "an empty cell": (cell("price_control", ""), "numbers"),
    "a gap: one day missing everywhere": (without(lambda _, time: time != "2026-07-03"), "times"),
    "one day of one region missing": (without(lambda geo, time: (geo, time) != ("DE-BY", "2026-07-03")), "grid"),
    "a day that comes twice": (twice, "times"),
    "negative spend": (cell("meta_ads_spend", "-0.000001"), "numbers"),
    "negative KPI": (cell("conversions", "-1"), "numbers"),
    "negative impressions": (cell("meta_ads_impressions", "-5"), "numbers"),
    "a number that is a word": (cell("meta_ads_spend", "1,5 EUR"), "numbers"),
    "a constant control": (every("price_control", "7"), "variation"),
    "a channel of zeros": (every("meta_ads_impressions", "0"), "variation"),
    "media without spend": (every("meta_ads_spend", "0"), "spend"),
    "constant media": (every("meta_ads_impressions", "800"), "variation"),
    "constant organic media": (every("organic_trade_desk_impressions", "3"), "variation"),
    "a KPI that never changes": (every("conversions", "3"), "kpi"),
    "all revenue per KPI zero": (every("revenue_per_conversion", "0"), "numbers"),
    "regions without population": (no_population, "population"),
    "a population that changes": (cell("population", "7"), "population"),
    "a population of zero": (every("population", "0"), "population"),
    "rows that are not sorted": (unsorted, "times"),
    "a column name with a space": (renamed("meta_ads_spend", "meta ads_spend"), "names"),
    "two columns of one name": (renamed("meta_ads_spend", "google_ads_spend"), "names"),
    "a channel as media and as reach": (with_reach, "names"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_some_model_refuses_or_takes_silently_is_stopped(defect: str) -> None:
    wide = good()
    header, rows = written(wide)
    broken, gate = DEFECTS[defect]
    broken(header, rows)
    assert gate in errors(check_rows(header, rows, Roles.of(wide))), defect


def test_numbers_written_as_text_are_numbers_and_text_days_are_days() -> None:
    """Rows "time as str" and "numbers as strings": every cell of a CSV is text."""
    header, rows = written(good())
    assert errors(check_rows(header, rows, Roles.of(good()))) == {}


def test_weeks_that_begin_on_another_day_are_stopped() -> None:
    wide = build({"": sums()["DE-BE"]}, WINDOW, ["meta_ads"], Cadence.WEEKLY)
    header, rows = written(wide)
    assert errors(check_rows(header, rows, Roles.of(wide))) == {}
    for row in rows:
        row[0] = (date.fromisoformat(row[0]) + timedelta(days=1)).isoformat()
    assert "Mondays" in errors(check_rows(header, rows, Roles.of(wide)))["times"]


def test_what_a_model_would_refuse_of_controls_and_reach_is_left_out_with_its_reason() -> None:
    days = list(WINDOW.days())
    constant = DaySeries({"": dict.fromkeys(days, Decimal(5))})
    holes = DaySeries({"": {day: Decimal(day.day) for day in days if day.day != 9}})
    reach = DaySeries({"": {day: Decimal(500 + day.day) for day in days if day.day != 30}})
    often = DaySeries({"": dict.fromkeys(days, Decimal("1.5"))})
    given = Beside(controls={"tax": constant, "price": holes}, reach={"meta_ads": (reach, often)})

    wide = build({"": sums()["DE-BE"]}, WINDOW, ["meta_ads"], Cadence.DAILY, given)

    assert (wide.controls, wide.reach, wide.media) == ([], [], {"meta_ads": "meta_ads_impressions"})
    reasons = {each.channel: each.reason for each in wide.dropped}
    assert reasons == {
        "meta_ads_reach": "reach or frequency is unknown in 3 rows: impressions are used",
        "price_control": "has no value on 2026-06-09: give every day",
        "tax_control": "never changes in the window: Meridian refuses a constant control",
    }
    assert errors(check(wide, ())) == {}


def test_a_channel_with_complete_reach_and_frequency_has_them_in_place_of_impressions() -> None:
    reach = DaySeries({"": {day: Decimal(500 + day.day) for day in WINDOW.days()}})
    often = DaySeries({"": {day: Decimal("1.5") + day.day for day in WINDOW.days()}})
    given = Beside(reach={"meta_ads": (reach, often)})

    wide = build({"": sums()["DE-BE"]}, WINDOW, ["google_ads", "meta_ads"], Cadence.DAILY, given)

    assert (wide.reach, wide.media) == (["meta_ads"], {"google_ads": "google_ads_impressions"})
    assert "meta_ads_impressions" not in wide.columns
    assert (wide.columns["meta_ads_reach"][0], wide.columns["meta_ads_frequency"][0]) == (Decimal(501), Decimal("2.5"))
    assert errors(check(wide, ())) == {}
    # of days it cannot be summed to weeks: there impressions stay
    weekly = build({"": sums()["DE-BE"]}, WINDOW, ["meta_ads"], Cadence.WEEKLY, given)
    assert (weekly.reach, weekly.media) == ([], {"meta_ads": "meta_ads_impressions"})


def test_a_kpi_of_ones_own_is_the_target_and_its_missing_days_are_named() -> None:
    orders = DaySeries({"": {day: Decimal(40 + day.day) for day in WINDOW.days() if day != START}})
    given = Beside(kpi={"conversions": orders})

    wide = build({"": sums()["DE-BE"]}, WINDOW, ["meta_ads"], Cadence.DAILY, given)

    assert (wide.target, wide.columns["conversions"][1]) == ("conversions", Decimal(42))
    assert "revenue" not in wide.columns
    assert given.lacking([""], WINDOW.days()) == {"conversions": [START]}
    turnover = Beside(kpi={"revenue": orders})
    assert build({"": sums()["DE-BE"]}, WINDOW, ["meta_ads"], Cadence.DAILY, turnover).target == "revenue"


def test_impressions_that_never_change_leave_the_spend_as_exposure() -> None:
    flat = Sums()
    for number in range(DAYS):
        flat.add(START + timedelta(days=number), "meta_ads", (0, 0, number * 1_000_000, (number % 7) * 1_000_000, 0))
    wide = build(flat, WINDOW, ["meta_ads"], Cadence.DAILY)
    assert wide.media == {"meta_ads": "meta_ads_spend"}
    assert "meta_ads_impressions" not in wide.columns
    assert errors(check(wide, ())) == {}
