"""The share of a function's memory that it has needed at most."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from aws_lambda_powertools import Metrics

from adweir.model.operation_metrics import OperationMetric
from adweir.runtime.memory import MemoryWatch, peak_mb
from adweir.runtime.meter import Meter


def written(peaks: list[float], memory_mb: int = 1000) -> list[float]:
    """What a watch writes while the peak, in MB, grows like this."""
    found: list[float] = []
    left = iter(peaks)
    watch = MemoryWatch(memory_mb, found.append, lambda: next(left))
    for _ in peaks:
        watch.look()
    return found


def test_a_peak_is_written_when_it_has_grown() -> None:
    assert written([150, 150, 155, 160, 400]) == [15.0, 16.0, 40.0]


def test_a_high_peak_is_written_every_time_so_that_its_alarm_goes_on_ringing() -> None:
    assert written([300, 860, 860, 860]) == [30.0, 86.0, 86.0, 86.0]


def test_outside_of_lambda_nothing_is_written() -> None:
    assert written([150, 400], memory_mb=0) == []


def test_the_peak_of_this_process_is_plausible() -> None:
    assert 20 < peak_mb() < 100_000


def test_it_is_a_metric_of_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    meter = Meter(Metrics(namespace="adweir", service="adweir"))

    MemoryWatch(
        1000, lambda share: meter.share(OperationMetric.MEMORY_PEAK_PERCENT, share, "validate"), lambda: 123.4
    ).look()

    line = json.loads(capsys.readouterr().out)
    (about,) = line["_aws"]["CloudWatchMetrics"]
    assert (line["MemoryPeakPercent"], line["function"]) == ([12.3], "validate")
    assert about["Namespace"] == "adweir"
    assert about["Dimensions"] == [["function"]]


def test_the_garbage_collector_looks_seldom_and_not_at_what_is_loaded() -> None:
    told = "print(gc.get_freeze_count(), *gc.get_threshold())"
    code = f"import gc; from adweir.runtime.memory import collect_seldom; collect_seldom(); {told}"
    frozen, *threshold = subprocess.check_output([sys.executable, "-c", code], text=True).split()  # noqa: S603
    assert int(frozen) > 1000
    assert threshold == ["50000", "20", "50"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count the memory of who started a process")
def test_the_peak_is_the_process_s_own_and_not_of_the_one_that_started_it() -> None:
    ours = bytearray(200_000_000)
    ours[::4096] = b"x" * len(ours[::4096])
    asked = [sys.executable, "-c", "from adweir.runtime.memory import peak_mb; print(peak_mb())"]

    found = subprocess.run(asked, capture_output=True, check=True, text=True, timeout=60)  # noqa: S603  our own

    assert peak_mb() > 200
    assert 5 < float(found.stdout) < 150


def test_a_kernel_that_counts_no_peak_per_process_still_gets_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython3\nVmRSS:\t     90000 kB\n")
    monkeypatch.setattr("adweir.runtime.memory._STATUS", status)

    assert 20 < peak_mb() < 100_000
