"""From the wide table to what is fitted: numbers, shapes, and the experiments that its rows can use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from adweir.insight.mmm.beside import Beside, DaySeries
from adweir.insight.mmm.wide import Cadence, Sums, Wide, build
from adweir.insight.mmm.wide_frame import framed
from adweir.model.times import Window
from support.bounds import at_the_bound

START, DAYS = date(2026, 6, 1), 63
WINDOW = Window(START, START + timedelta(days=DAYS - 1))
CHANNELS = ["google_ads", "meta_ads", "trade_desk"]
TEST = {
    "test_id": "geo-1", "channel": "meta_ads", "start_date": "2026-06-08", "end_date": "2026-06-21",
    "incremental_conversions": "40", "incremental_conversions_lower": "30", "incremental_conversions_upper": "60",
    "confidence": "0.9", "spend": "20", "currency": "USD",
}  # fmt: skip


def sums() -> Sums:
    """Google spends 1.5 on each day, Meta 1, 2, … 7 by weekday and 8 on the last day, the Trade Desk nothing."""
    found = Sums()
    for number in range(DAYS):
        day, weekday = START + timedelta(days=number), number % 7 + 1 + number // (DAYS - 1)
        found.add(day, "google_ads", (1000 + number, 5, 2_000_000, 1_500_000, 10_000_000))
        found.add(day, "meta_ads", (2000 + number, 7, weekday * 1_000_000, weekday * 1_000_000, 5_000_000))
        found.add(day, "trade_desk", (300 + weekday, 1, 0, 0, 0))
    return found


def table(cadence: Cadence = Cadence.DAILY, **controls: DaySeries) -> Wide:
    return build(sums(), WINDOW, CHANNELS, cadence, Beside(controls=controls))


def by_region() -> Wide:
    people = {"Berlin": Decimal(4_000_000), "Hamburg": Decimal(2_000_000)}
    index = {geo: {day: Decimal(place) for day in WINDOW.days()} for place, geo in enumerate(people, 1)}
    beside = Beside(controls={"index": DaySeries(index)}, population=people)
    return build({geo: sums() for geo in people}, WINDOW, CHANNELS, Cadence.DAILY, beside)


def why(row: Mapping[str, str], wide: Wide | None = None) -> str:
    """What the warning about an experiment says, which is not used."""
    found = framed(wide or table(), [row], "USD")
    assert found.frame.lift_tests == ()
    return found.warnings[-1].removeprefix("the experiment geo-1 is not used: ")


def test_days_channels_and_what_a_conversion_is_worth_become_arrays() -> None:
    frame, warnings = framed(table(price=DaySeries({"": {day: Decimal(day.day) for day in WINDOW.days()}})))

    assert (frame.dates[0], frame.dates[-1], frame.step, frame.geos) == (WINDOW.start, WINDOW.end, 1, ("",))
    assert (frame.channels, frame.spend.shape) == (("meta_ads",), (1, 1, DAYS))
    assert frame.spend[0, 0, :7].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert frame.kpi[0, :3].tolist() == [3.0, 4.0, 5.0]
    assert frame.control_names == ("price_control", "organic_trade_desk_impressions")
    assert frame.held[:, 0, 0].tolist() == [1.0, 301.0]
    assert frame.kpi_value == pytest.approx(15 / 6, rel=0.01)
    assert warnings == ("google_ads_spend never changes over time: it is not in the fit",)
    assert frame.checked() is frame


def test_revenue_is_fitted_where_it_is_asked_for_and_is_worth_itself() -> None:
    frame, _ = framed(table(), kpi="revenue")

    assert (frame.kpi[0, 0], frame.kpi_value) == (15.0, 1.0)


def test_a_table_by_region_has_an_array_per_region_and_leaves_out_what_only_differs_between_them() -> None:
    frame, warnings = framed(by_region())

    assert (frame.geos, frame.spend.shape) == (("Berlin", "Hamburg"), (1, 2, DAYS))
    assert frame.population is not None
    assert frame.population.tolist() == [4e6, 2e6]
    assert frame.control_names == ("organic_trade_desk_impressions",)
    assert "index_control never changes over time: it is not in the fit" in warnings


def test_an_experiment_is_in_the_frame_in_its_units() -> None:
    (found,) = framed(table(), [TEST], "USD").frame.lift_tests

    assert (found.channel, found.first, found.last) == ("meta_ads", date(2026, 6, 8), date(2026, 6, 21))
    assert (found.spend, found.effect, found.low, found.high, found.geos) == (20.0, 40.0, 30.0, 60.0, ())


def test_an_interval_of_another_confidence_becomes_one_of_90_percent() -> None:
    (found,) = framed(table(), [TEST | {"confidence": "0.95"}], "USD").frame.lift_tests

    assert 40 - found.low == pytest.approx(10 * 1.6449 / 1.9600, rel=1e-3)
    assert found.high - 40 == pytest.approx(20 * 1.6449 / 1.9600, rel=1e-3)


def test_an_experiment_without_a_spend_stopped_the_channel_and_one_without_a_channel_names_its_platform() -> None:
    row = {name: text for name, text in TEST.items() if name not in ("spend", "channel", "confidence")}

    (found,) = framed(table(), [row | {"platform": "meta_ads"}], "USD").frame.lift_tests

    assert (found.channel, found.spend) == ("meta_ads", 56.0)


def test_an_experiment_that_ends_within_the_last_week_of_a_weekly_table_is_used() -> None:
    row = TEST | {"start_date": "2026-07-20", "end_date": "2026-08-02"}

    (found,) = framed(table(Cadence.WEEKLY), [row], "USD").frame.lift_tests

    assert (found.first, found.last) == (date(2026, 7, 20), date(2026, 7, 27))


def test_an_experiment_in_regions_names_them_in_any_case() -> None:
    rows = [TEST | {"geo": "berlin "}, TEST | {"geo": "Hamburg; BERLIN"}]

    found = framed(by_region(), rows, "USD").frame.lift_tests

    assert [each.geos for each in found] == [("Berlin",), ("Hamburg", "Berlin")]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"channel": "tiktok"}, "'tiktok' is none of the table's channels: meta_ads"),
        ({"channel": ""}, "it names no channel; those of the table are meta_ads"),
        ({"currency": "EUR"}, "its money is in EUR, the dataset's in USD"),
        ({"start_date": "2026-05-30"}, "2026-05-30 to 2026-06-21 does not lie within the table's days"),
        ({"end_date": "2026-08-03"}, "2026-06-08 to 2026-08-03 does not lie within the table's days"),
        ({"end_date": "2026-06-01"}, "it ends on 2026-06-01, before it begins on 2026-06-08"),
        ({"spend": "57"}, "meta_ads spent 56 in its window, which is less than 57"),
        ({"spend": "", "campaign_id": "c1"}, "it tested a campaign, and does not say its spend"),
        ({"spend": "lots"}, "spend is 'lots', which is no number"),
        ({"confidence": "90"}, "its confidence is 90: give a fraction from 0.01, such as 0.9"),
        ({"confidence": "0.00000000000000001"}, "its confidence is 1e-17: give a fraction from 0.01, such as 0.9"),
        ({"incremental_conversions": ""}, "it does not say incremental_conversions, and the fit explains conversions"),
        ({"incremental_conversions_lower": ""}, "it has no interval: give incremental_conversions_lower and"),
        ({"incremental_conversions_upper": "39"}, "the effect 40 does not lie between"),
        ({"geo": "Berlin"}, "it ran in Berlin alone, and this table has no regions"),
    ],
)
def test_an_experiment_that_cannot_be_used_is_left_out_and_the_warning_says_why(
    changed: dict[str, str], reason: str
) -> None:
    assert why(TEST | changed).startswith(reason)


def test_an_experiment_in_a_region_that_the_table_does_not_have_is_left_out() -> None:
    assert why(TEST | {"geo": "Berlin;Kiel"}, by_region()) == "'kiel' is none of the table's regions"


@at_the_bound("MAX_LIFT_TESTS", as_if=3)
def test_of_more_experiments_than_a_fit_takes_those_that_ended_last_are_used(*, size: int, fits: bool) -> None:
    """Given experiments of which the first one ended last, then the second is the one too many."""
    ends = [22, 18, 20, 19][:size]
    rows = [TEST | {"test_id": f"geo-{n}", "end_date": f"2026-06-{end}"} for n, end in enumerate(ends)]

    found = framed(table(), rows, "USD")

    assert [test.last.day for test in found.frame.lift_tests] == ([22, 18, 20] if fits else [22, 20, 19])
    assert ("4 experiments fit this table: the 3 that ended last are used" in found.warnings) is not fits


@at_the_bound("MAX_NAMED_LIFT_TESTS", as_if=3)
def test_many_experiments_that_are_not_used_are_counted(*, size: int, fits: bool) -> None:
    rows = [TEST | {"test_id": f"geo-{number}", "channel": "tiktok"} for number in range(size)]

    said = [each for each in framed(table(), rows, "USD").warnings if "experiment" in each]

    assert [each.partition(" is not used")[0] for each in said[:3]] == [f"the experiment geo-{n}" for n in range(3)]
    assert said[3:] == ([] if fits else ["further experiments that are not used: 1"])


def test_what_is_left_out_leaves_a_frame_that_can_be_fitted() -> None:
    found = framed(table(), [TEST, TEST | {"spend": "57"}], "USD")

    assert np.isfinite(found.frame.checked().spend).all()
