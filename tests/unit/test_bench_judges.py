"""The benches that judge the estimators end with 0 where a fit or a detector is good enough, else with 1."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import detect, mix
from bench.worlds.media import MediaWorld, media_world, running_world
from bench.worlds.regions import ALIKE, UNLIKE, region_world
from bench.worlds.sandbox_mix import sandbox_window, sandbox_world
from bench.worlds.series import Series
from bench.worlds.yardstick import recorded

UNIT = recorded()["weekly-well_specified-0"]["unit_seconds"]
"""Seconds of the fixed computation on the machine that recorded NUTS: as if the bench ran there."""
Fit = Callable[[Path, MediaWorld], tuple[dict[str, Any], float]]


def fit(
    *, off: float = 0.0, width: float = 0.02, warnings: tuple[str, ...] = (), seconds: float = 0.1, by_geo: float = 0.0
) -> Fit:
    """A fit whose estimates are off the truth by a share of it, and whose intervals reach by a share to either side."""

    def about(true: float, away: float) -> dict[str, float]:
        estimate = true * (1 + away)
        return {"estimate": estimate, "low": estimate - width * true, "high": estimate + width * true}

    def fitted(_table: Path, world: MediaWorld) -> tuple[dict[str, Any], float]:
        places = world.by_geo()
        channels = [
            {
                "channel": name, "contribution": about(facts["contribution"], off), "warnings": [],
                "geos": [{"geo": geo, "contribution": about(each, by_geo)} for geo, each in places[name].items()]
                if places else [],
            }
            for name, facts in world.truth().items()
        ]  # fmt: skip
        return {"channels": channels, "warnings": list(warnings)}, seconds

    return fitted


def judged(monkeypatch: pytest.MonkeyPatch, group: str, fitted: Fit) -> int:
    """The bench's exit code over one small world of a group."""
    worlds: dict[str, Callable[[], MediaWorld]] = {
        "weekly": partial(media_world, 0), "s_shaped": partial(media_world, 300, "s_shaped"),
        "sandbox": partial(sandbox_world, 1, periods=20), ALIKE: partial(region_world, 1, weeks=8),
        UNLIKE: partial(region_world, 1, UNLIKE, weeks=8),
        "weekly_running": partial(running_world, 500), "sandbox_365": partial(sandbox_window, 2, 10),
    }  # fmt: skip
    monkeypatch.setattr(mix, "fitted", fitted)
    monkeypatch.setattr(mix, "groups", lambda *_: {group: [worlds[group]]})
    monkeypatch.setattr(mix, "unit_seconds", lambda: UNIT)
    monkeypatch.setattr(sys, "argv", ["mix.py"])
    return mix.main()


@pytest.mark.parametrize("group", ["weekly", "sandbox", "s_shaped", ALIKE, UNLIKE, "weekly_running", "sandbox_365"])
def test_a_fit_whose_narrow_intervals_hold_the_truth_is_good_enough(
    group: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # when
    ended = judged(monkeypatch, group, fit())

    # then
    assert ended == 0
    table = capsys.readouterr().out.splitlines()
    assert any(group in line and "100.0%" in line for line in table)


@pytest.mark.parametrize(
    ("group", "fitted", "said"),
    [
        ("weekly", fit(width=9.0), "weekly: score over NUTS'"),
        ("weekly", fit(off=1.0), "weekly: score over NUTS'"),
        ("weekly", fit(seconds=10.5), "weekly: seconds 10.5, at most 10"),
        ("weekly", fit(seconds=8.0), "weekly: CPU over NUTS'"),
        ("weekly", fit(warnings=("doubt",)), "weekly: worlds with warnings 1, at most 0"),
        ("sandbox", fit(off=0.16, width=0.5), "sandbox: median error 0.16, at most 0.15"),
        ("sandbox", fit(off=0.1), "sandbox: share of truths outside 1, at most 0.15"),
        ("s_shaped", fit(off=0.3), "s_shaped: 0 held or warned, at least 0.85"),
        ("weekly_running", fit(off=-0.3), "weekly_running: 0 held or warned, at least 0.85"),
        ("weekly_running", fit(seconds=10.5), "weekly_running: seconds 10.5, at most 10"),
        ("sandbox_365", fit(off=-0.3), "sandbox_365: 0 held or warned, at least 0.85"),
        ("sandbox_365", fit(warnings=("doubt",)), "sandbox_365: worlds with warnings 1, at most 0"),
        (ALIKE, fit(off=0.3), "geo: 0 held or warned, at least 0.85"),
    ],
)
def test_a_fit_that_is_worse_than_asked_for_ends_with_1_and_is_said(
    group: str, fitted: Fit, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judged(monkeypatch, group, fitted) == 1
    assert said in capsys.readouterr().out


def test_where_the_form_is_wrong_a_warning_is_as_good_as_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(monkeypatch, "s_shaped", fit(off=0.3, warnings=("there are too few rows for its shape",))) == 0


def test_weeks_that_nuts_has_not_fitted_are_a_fault_and_days_are_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    monkeypatch.setattr(mix, "recorded", dict)

    # when, then
    assert judged(monkeypatch, "weekly", fit()) == 1
    assert "weekly: not compared with NUTS" in capsys.readouterr().out
    assert judged(monkeypatch, "sandbox", fit()) == 0


def test_what_channels_brought_region_by_region_is_held_against_the_truth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # when
    judged(monkeypatch, ALIKE, fit(by_geo=0.2))

    # then
    by_region = next(line for line in capsys.readouterr().out.splitlines() if "by region" in line)
    assert by_region.split() == ["by", "region", "0.0%", "20.0%"]


@pytest.mark.parametrize(("alarms", "ended"), [("events", 0), ("none", 1), ("always", 1)])
def test_a_detector_is_good_enough_where_it_finds_what_was_planted_and_little_else(
    alarms: str, ended: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    made: dict[str, Series] = {}
    planned = detect.worlds(2, 1, 1)
    made.update({series.name: series for group in planned.values() for series in group})

    def by_adweir(path: Path, _threshold: float | None) -> tuple[list[bool], np.ndarray]:
        series = made[path.stem]
        rows = {row for event in series.planted for row in range(event.first, event.last + 1)}
        found = [alarms == "always" or (alarms == "events" and row in rows) for row in range(len(series.values))]
        return found, np.where(found, 9.0, 0.0)

    monkeypatch.setattr(detect, "by_adweir", by_adweir)
    monkeypatch.setattr(sys, "argv", ["detect.py", "--series", "2", "--heavy", "1", "--other", "1"])

    # when, then
    assert detect.main() == ended
    assert f'"passed": {str(ended == 0).lower()}' in capsys.readouterr().out
