"""The dataset that the libraries have to load, and what counts as not loading it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract import media_mix
from contract.media_mix import faults, tables


def test_every_table_of_the_dataset_passes_the_gates_and_has_reach_organic_media_and_controls() -> None:
    found = {table.name: table for table in tables()}

    assert list(found) == ["daily", "weekly", "geo_daily", "geo_weekly"]
    assert all(table.is_ready for table in found.values())
    assert [list(table.wide.reach) for table in found.values()] == [["tiktok_ads"], [], ["tiktok_ads"], []]
    assert all(list(table.wide.organic) == ["trade_desk"] for table in found.values())
    assert all(len(table.wide.controls) == 2 for table in found.values())


@pytest.mark.parametrize(
    ("held", "wrong"),
    [
        ({"periods": 26, "kpi": 10.0, "spend": 5.0}, []),
        ({"periods": 26, "kpi": 40.0}, []),  # Robyn is given revenue
        ({"periods": 25}, ["weekly, csv: periods is 25, not 26"]),
        ({"spend": 5.1}, ["weekly, csv: spend is 5.1, not 5.0"]),
        ({"kpi": 11.0}, ["weekly, csv: kpi is 11.0, not 10.0"]),
    ],
)
def test_a_library_has_to_hold_the_rows_and_the_sums_that_were_written(held: dict[str, Any], wrong: list[str]) -> None:
    truth = {"weekly": {"periods": 26, "kpi": 10.0, "revenue": 40.0, "spend": 5.0}}

    assert list(faults({"weekly, csv": held}, truth)) == wrong


def test_a_library_that_gives_up_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    def gives_up(*_: Any) -> Mapping[str, Any]:
        raise RuntimeError("ValueError: not regularly spaced")

    monkeypatch.setattr(media_mix, "interpreter", lambda *_: Path("python"))
    monkeypatch.setattr(media_mix, "ask", gives_up)

    assert media_mix.loads("meridian", tmp_path, {}) is False
    assert "meridian: not loaded: ValueError: not regularly spaced" in capsys.readouterr().out
