"""The worlds that judge the estimators: their truth adds up, tables can be read again, a seed is one world."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.worlds.alarms import Tally
from bench.worlds.intervals import Judged, interval_score, least_held
from bench.worlds.lifts import DRIFTING, HISTORY_DAYS, SETTLED, geo_panel
from bench.worlds.media import (
    BEFORE,
    DAILY,
    KINDS,
    WEEKLY,
    WELL_SPECIFIED,
    Floats,
    MediaWorld,
    adstock,
    hill,
    media_world,
    running_world,
)
from bench.worlds.regions import ALIKE, UNLIKE, region_world
from bench.worlds.sandbox_mix import MARKETS, sandbox_window, sandbox_world
from bench.worlds.series import COUNTS, HEAVY, HOURLY, INTERMITTENT, LIGHT, Planted, Series, daily, other
from bench.worlds.steep import steep_world
from sandbox.platforms import companies
from sandbox.world.mix import NOISE_PER_MILLE, Mix, channels
from sandbox.world.regions import regions
from sandbox.world.world import World


def a_series(*planted: Planted, rows: int = 70) -> Series:
    return Series("one", LIGHT, 7, [str(n) for n in range(rows)], np.ones(rows), list(planted))


def alarms_at(*rows: int, count: int = 70) -> list[bool]:
    return [row in rows for row in range(count)]


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", [WELL_SPECIFIED, *KINDS])
def test_sales_are_base_noise_and_what_the_channels_brought(kind: str) -> None:
    # given, when
    world = media_world(4, kind)

    # then
    parts = world.base + world.noise + sum(world.brought.values())
    assert np.abs(world.kpi - parts).max() <= 0.005
    assert all(world.brought[name].min() >= 0 and world.columns[name].min() >= 0 for name in world.channels)
    share = sum(facts["contribution"] for facts in world.truth().values()) / world.kpi.sum()
    assert 0.2 < share < 0.5


@pytest.mark.parametrize(
    "world", [media_world(1), media_world(1, cadence=DAILY), region_world(1)], ids=lambda w: w.name
)
def test_a_table_and_its_truth_can_be_read_again(world: MediaWorld, tmp_path: Path) -> None:
    # when
    path = world.write(tmp_path)

    # then
    rows, truth = read(path), json.loads(path.with_suffix(".truth.json").read_text())
    assert len(rows) == len(world.dates)
    assert sum(float(row["sales"]) for row in rows) == pytest.approx(truth["kpi_total"], abs=0.01 * len(rows))
    for name in world.channels:
        spent = sum(float(row[name]) for row in rows)
        assert spent == pytest.approx(truth["channels"][name]["spend"], rel=1e-4)
        assert truth["channels"][name]["roi"] == pytest.approx(
            truth["channels"][name]["contribution"] / spent, rel=1e-4
        )


def test_a_seed_is_one_world_and_another_seed_another() -> None:
    assert np.array_equal(media_world(3).kpi, media_world(3).kpi)
    assert not np.array_equal(media_world(3).kpi, media_world(5).kpi)
    assert np.array_equal(region_world(3).kpi, region_world(3).kpi)
    assert np.array_equal(geo_panel(3).sales, geo_panel(3).sales)
    for make, groups in ((daily, (LIGHT, HEAVY)), (other, (HOURLY, COUNTS, INTERMITTENT))):
        for group in groups:
            assert np.array_equal(make(3, group).values, make(3, group).values)
            assert not np.array_equal(make(3, group).values, make(4, group).values)


def test_misspecified_worlds_are_what_they_say() -> None:
    # given, when
    correlated, hidden, delayed = (media_world(2, kind) for kind in ("correlated", "hidden", "delayed"))

    # then
    together = np.corrcoef([np.log(correlated.columns[name]) for name in correlated.channels[:4]])
    assert together.min() > 0.9
    apart = media_world(2)
    moved = np.corrcoef(hidden.base, np.log(hidden.columns["search"]))[0, 1]
    assert moved > np.corrcoef(apart.base, np.log(apart.columns["search"]))[0, 1] + 0.2
    peaks = [facts["peak"] for facts in delayed.facts["channels"].values()]  # type: ignore[attr-defined]
    assert sum(peak > 0 for peak in peaks) == 5


def test_the_sandboxs_table_is_its_own_sales_and_spends() -> None:
    # given
    world = sandbox_world(2, periods=30)

    # when
    sold = world.kpi

    # then
    from bench.worlds.sandbox_mix import ANCHOR

    truth = World(2, ANCHOR, companies(2))
    mix, company = Mix(truth), truth.companies[0]
    days = list(mix.sales(company, world.dates[0], world.dates[-1]))
    assert sold.sum() == pytest.approx(sum(day["sales_micros"] for day in days) / 1e6, abs=0.01)
    for name, one in zip(world.channels, channels(company), strict=True):
        brought = sum(day["contribution_micros"][one.key] for day in days) / 1e6
        assert world.truth()[name]["contribution"] == pytest.approx(brought)
        assert world.columns[name][5] * 1e6 == pytest.approx(mix.spend_usd(one, world.dates[5]))


def respond(world: MediaWorld, name: str, spend: Floats) -> Floats:
    """What a channel of a world with Hill's curve brings with that spend and nothing before it."""
    facts = world.facts["channels"][name]  # type: ignore[index]
    brought: Floats = facts["effect"] * hill(adstock(spend, facts["carry"]), facts["half"], 1.0)
    return brought


def test_a_table_of_channels_that_ran_before_it_has_what_they_carry_into_it() -> None:
    # given
    whole = media_world(500, cadence=replace(WEEKLY, periods=WEEKLY.periods + BEFORE))

    # when
    table = running_world(500)

    # then it is the whole world's later part
    assert table.dates == whole.dates[BEFORE:]
    assert len(table.dates) == len(media_world(500).dates) == 156
    assert np.array_equal(table.kpi, whole.kpi[BEFORE:])
    # and what its own spends alone would bring is less, in the first weeks only
    for name in table.channels:
        assert table.brought[name] == pytest.approx(respond(whole, name, whole.columns[name])[BEFORE:])
        alone = respond(whole, name, table.columns[name])
        assert alone[60:] == pytest.approx(table.brought[name][60:])
    slow = "video"
    assert respond(whole, slow, table.columns[slow])[0] < 0.8 * table.brought[slow][0]
    # and no spend before the burn-in could be missed
    assert all(facts["carry"] ** BEFORE <= 0.7**BEFORE for facts in whole.facts["channels"].values())  # type: ignore[attr-defined]
    assert 0.7**BEFORE < 1e-6


def test_a_cut_takes_the_same_weeks_from_every_region() -> None:
    # given
    whole = region_world(3, weeks=12)

    # when
    table = whole.cut(5)

    # then
    assert table.dates == whole.dates[5:12] * 8
    assert table.geos == [geo for geo in dict.fromkeys(whole.geos) for _ in range(7)]
    assert set(zip(table.geos, table.population, strict=True)) == set(zip(whole.geos, whole.population, strict=True))
    assert np.array_equal(table.kpi[7:14], whole.kpi[12 + 5 : 24])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_window_of_the_sandbox_is_one_countrys_last_days_with_what_earlier_spend_brings(seed: int) -> None:
    # given, when
    window = sandbox_window(seed, 15)

    # then
    key, country = MARKETS[seed]
    world = World(seed, window.dates[-1] + timedelta(days=1), companies(seed))
    mix, company = Mix(world), next(each for each in world.companies if each.key == key)
    sold = list(mix.sales(company, window.dates[0], window.dates[-1]))
    codes = [region.code for region in regions(country)]
    assert window.kpi.tolist() == [sum(day["region_micros"][code] for code in codes) / 1e6 for day in sold]
    assert (np.abs(window.noise) <= window.base * NOISE_PER_MILLE / 1000 + 0.02).all()
    shown = [one for one in channels(company) if one.profile.country == country]
    for name, one in zip(window.channels, shown, strict=True):
        assert window.columns[name] == pytest.approx([mix.spend_usd(one, day) / 1e6 for day in window.dates])
        assert window.truth()[name]["contribution"] == pytest.approx(
            sum(day["contribution_micros"][one.key] for day in sold) / 1e6
        )
        alone = respond(window, name, window.columns[name])
        assert window.brought[name][0] > 1.01 * alone[0]


@pytest.mark.parametrize("kind", [ALIKE, UNLIKE])
def test_what_channels_brought_in_the_regions_adds_up_to_the_country(kind: str) -> None:
    # given, when
    world = region_world(2, kind)

    # then
    by_geo = world.by_geo()
    assert np.abs(world.kpi - world.base - world.noise - sum(world.brought.values())).max() <= 0.005
    for name, facts in world.truth().items():
        assert len(by_geo[name]) == len(set(world.geos)) == 8
        assert sum(by_geo[name].values()) == pytest.approx(facts["contribution"])


def test_regions_answer_alike_per_person_or_by_a_quarter_more_and_less() -> None:
    # given, when
    answers = {}
    for kind in (ALIKE, UNLIKE):
        world = region_world(2, kind)
        per_head, places = world.brought["tv"] / np.array(world.population), np.array(world.geos)
        per_dollar = [per_head[places == geo][0] / world.columns["tv"][places == geo][0] for geo in set(world.geos)]
        heads = [world.population[world.geos.index(geo)] for geo in set(world.geos)]
        answers[kind] = [float(each * many) for each, many in zip(per_dollar, heads, strict=True)]

    # then
    assert answers[ALIKE] == pytest.approx([answers[ALIKE][0]] * 8, rel=1e-3)
    assert max(answers[UNLIKE]) > 1.3 * min(answers[UNLIKE])


@pytest.mark.parametrize("group", [LIGHT, HEAVY])
def test_a_planted_spike_stands_out_and_a_zero_is_zero(group: str) -> None:
    for seed in range(8):
        # given, when
        series = daily(seed, group)

        # then
        for event in series.planted:
            value, usual = series.values[event.first], np.median(series.values[max(event.first - 28, 0) : event.first])
            if event.kind == "zero":
                assert value == 0
            elif event.kind == "spike" and not event.is_faint:
                assert value > usual * 1.05
        assert all(a.last < b.first for a, b in zip(series.planted, series.planted[1:], strict=False))


def test_hourly_series_have_gaps_and_time_stamps_that_come_twice(tmp_path: Path) -> None:
    # given
    series = other(1, HOURLY)

    # when
    times = [row["time"] for row in read(series.write(tmp_path))]

    # then
    assert len(times) == len(series.values) < 24 * 70
    assert len(set(times)) < len(times)
    for event in series.planted:
        assert len(series.values) > event.last >= event.first


def test_an_alarm_outside_every_event_is_false_and_each_row_for_itself() -> None:
    # given
    tally = Tally()

    # when
    tally.add(a_series(Planted("spike", 40, 40, 6.0)), alarms_at(5, 40, 41, 42))

    # then
    assert (tally.false, tally.found["spike"]) == (2, 1)
    assert tally.figures()["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert tally.figures()["false_while_learning_per_series_year"] == pytest.approx(365.25 / 28, abs=1e-3)


def test_faint_events_and_the_days_after_a_shift_are_neither_right_nor_wrong() -> None:
    # given
    tally = Tally()

    # when
    tally.add(a_series(Planted("spike", 35, 35, 4.0), Planted("shift", 50, 54, -7.0)), alarms_at(35, 52, 59, 60))

    # then
    figures = tally.figures()
    assert (tally.false, figures["recall_faint_spike"], figures["recall_shift"]) == (1, 1.0, 1.0)
    assert figures["recall"] == 0.0


def test_answers_that_lack_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="69 answers for 70 rows"):
        Tally().add(a_series(), alarms_at(count=69))


def test_an_interval_score_is_the_width_and_twenty_times_what_lies_outside() -> None:
    assert interval_score(2, 5, 3) == 3
    assert interval_score(2, 5, 6) == pytest.approx(3 + 20)
    assert interval_score(2, 5, 1.5) == pytest.approx(3 + 10)


@pytest.mark.parametrize(("count", "least"), [(1, 0), (2, 0), (40, 31), (80, 65)])
def test_intervals_of_90_percent_hold_fewer_only_once_in_a_hundred(count: int, least: int) -> None:
    assert least_held(count) == least


def test_small_spends_bring_less_the_steeper_a_world_is() -> None:
    # given, when
    steep, less, concave = (steep_world(5, slope) for slope in (3.0, 2.0, 1.0))

    # then the same spends have a smaller part in what the channel brought
    for name in steep.channels:
        small = steep.columns[name] < np.median(steep.columns[name])
        shares = [world.brought[name][small].sum() / world.brought[name].sum() for world in (steep, less, concave)]
        assert shares == sorted(shares)
        assert shares[0] < shares[-1] - 0.05
        assert (steep.columns[name] == concave.columns[name]).all()


def test_coverage_errors_and_warnings_of_a_fit() -> None:
    # given
    judged = Judged()
    truth = {"a": 50.0, "b": 20.0}
    answer = {
        "channels": [
            {"channel": "a", "contribution": {"estimate": 60.0, "low": 40.0, "high": 70.0}, "warnings": []},
            {"channel": "b", "contribution": {"estimate": 30.0, "low": 25.0, "high": 35.0}, "warnings": ["unsure"]},
        ],
        "warnings": [],
    }

    # when
    judged.add(1000.0, truth, answer)

    # then
    assert judged.figures() == {
        "worlds": 1, "coverage": 0.5, "median_error": 0.35, "interval_score": pytest.approx((3 + 1 + 10) / 2),
        "held_or_warned": 1.0, "channels_warned": 0.5, "quiet_worlds": 0,
    }  # fmt: skip


def test_a_fit_of_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="instead of"):
        Judged().add(1.0, {"a": 1.0}, {"channels": [], "warnings": []})


def test_a_fit_of_other_regions_is_refused() -> None:
    answer = {"channels": [{"channel": "a", "geos": [{"geo": "north", "contribution": {}}]}]}
    with pytest.raises(ValueError, match=r"\['north'\] instead of \['south'\]"):
        Judged().add_by_geo({"a": {"south": 1.0}}, answer)


def test_what_a_region_does_by_itself_ends_in_days_or_drifts_for_weeks() -> None:
    # given, when
    kept = {}
    for memory in (SETTLED, DRIFTING):
        panel = geo_panel(1, memory)
        sales = np.log(panel.sales[panel.sales.mean(axis=1) > 4000])
        own = sales - sales.mean(axis=0) - (sales - sales.mean(axis=0)).mean(axis=1, keepdims=True)
        weeks = own.reshape(len(own), -1, 7).mean(axis=2)
        kept[memory] = float((weeks[:, 2:] * weeks[:, :-2]).mean() / (weeks**2).mean())

    # then
    assert abs(kept[SETTLED]) < 0.1
    assert kept[DRIFTING] > 0.25


def test_a_planted_lift_is_in_the_treated_regions_after_the_history_only() -> None:
    # given
    panel = geo_panel(1)

    # when
    after, truth = panel.heavy_up(panel.regions[:3], 0.1, 1.0)

    # then
    more = after.sales - panel.sales
    assert np.abs(more[:, :HISTORY_DAYS]).max() == np.abs(more[3:]).max() == 0
    assert more.sum() == pytest.approx(truth["sales"])
    assert truth["roi"] == pytest.approx(truth["sales"] / (after.spend - panel.spend).sum())
