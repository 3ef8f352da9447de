"""The scripts of examples/ run as they stand, on the made-up platforms, and print those platforms' numbers."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.local_system import found
from support.template import ROOT

EXAMPLES = ROOT / "examples"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs an example as a command; what it printed."""

    def printed(name: str, *arguments: str) -> str:
        with found(tmp_path, monkeypatch):
            monkeypatch.setattr(sys, "argv", [name, *arguments])
            runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return printed


def test_every_example_is_run_here() -> None:
    named = set(re.findall(r'run\("(\w+)"', Path(__file__).read_text()))

    assert named == {path.stem for path in EXAMPLES.glob("*.py")}


def test_the_basic_pipeline_prints_what_each_day_cost(run: Run) -> None:
    said = run("basic_pipeline")

    assert re.search(r"sync succeeded: (\d+) of \1 tasks", said)
    assert len(re.findall(r"\d\d-\d\d +\d+\.\d+ USD  ROAS \d", said)) >= 7


def test_storage_on_disk_is_there_again_and_a_second_process_goes_on_with_it(run: Run, tmp_path: Path) -> None:
    said = run("storage_on_disk", str(tmp_path / "folder"))

    assert re.search(r"account-\S+ succeeded: [1-9]\d* rows stored\nspent [\d.]+ USD, 1 runs", said)


def test_the_reporting_api_prints_a_report_as_csv(run: Run) -> None:
    said = run("reporting_api")

    best = re.search(r"most clicks of a day: (\d+), campaign \d+, (\S+)", said)
    assert best, said
    assert re.search(rf"^{best[2]},USD,[\d.]+,{best[1]},", said, re.MULTILINE)
    assert re.search(r"the week: [\d.]+ USD, ROAS [\d.]+, [\d.]+ per conversion", said)


def test_the_odd_days_of_a_series_are_printed(run: Run) -> None:
    said = run("anomalies").splitlines()

    assert [line.split(",")[0] for line in said] == ["2026-03-06 400.00", "2026-03-21 0.00"]
