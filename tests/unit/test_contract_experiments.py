"""Geo experiments: a lift is planted where the design put the test, and an interval that misses it counts as wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from bench.worlds.lifts import HISTORY_DAYS, geo_panel
from contract import experiments


class Library:
    """A library that treats two regions and is right or not."""

    def __init__(self, *, right: bool) -> None:
        self.right = right
        self.tables: list[Path] = []

    def ask(self, _python: Path, verb: str, *words: str) -> None:
        panel = geo_panel(0)
        treated = panel.regions[:2]
        if verb == "design":
            Path(words[1]).write_text(json.dumps({"designs": {"cell_1": {"treatment_geos": list(treated)}}}))
            return
        with Path(words[1]).open() as file:
            rows = [row for row in csv.DictReader(file) if row["date"] >= words[2]]
        usual = panel.sales[:2, HISTORY_DAYS:].sum()
        sold = sum(float(row["conversions"]) for row in rows if row["location"] in treated)
        brought = (sold - usual) * (1 if self.right else 2)
        Path(words[-1]).write_text(
            json.dumps({"lift": {"estimate": brought, "low": 0.9 * brought, "high": 1.1 * brought}})
        )


@pytest.mark.parametrize(("right", "code", "more"), [(True, 0, ()), (False, 1, ()), (False, 0, ("--drifting",))])
def test_a_library_is_right_where_its_interval_holds_what_was_planted(
    *,
    right: bool,
    code: int,
    more: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # given
    monkeypatch.setattr(experiments, "interpreter", lambda *_: Path("python"))
    monkeypatch.setattr(experiments, "ask", Library(right=right).ask)

    # when
    ended = experiments.main(["--worlds", "1", *more])

    # then
    assert ended == code
    assert f"{int(right)} of 1 planted lifts" in capsys.readouterr().out
