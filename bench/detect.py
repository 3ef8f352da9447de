"""Anomalies: `adweir detect` and the reference detector on the same made-up series, by the rules of worlds/alarms.py.

The reference is the robust Holt-Winters of the analytics reference: log values, a cycle of seven days, winsorised
updates. Both read the same CSV files; adweir is called through its command line, in this process. The gate is the daily
world: F1 at least the reference's (the better of its two usual thresholds) minus 0.01, and at most 1.2 false alarms per
series and year. The other world is told beside it. Last line: one JSON object.

    python bench/detect.py [--series 240] [--heavy 36] [--other 20] [--threshold Z]
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from bench.worlds.alarms import Tally  # noqa: E402
from bench.worlds.series import COUNTS, HEAVY, HOURLY, INTERMITTENT, LIGHT, Series, daily, other  # noqa: E402

Floats = NDArray[np.float64]
LESS_F1, MOST_FALSE = 0.01, 1.2
USUAL = (3.0, 3.5)
"""Thresholds at which the reference was published."""
SWEPT = (3.0, 3.5, 4.0, 4.5, 5.0, 6.0)
KINDS = ("spike", "drop", "zero", "shift", "faint_spike", "faint_drop")
_FIRST_SEED = 5_000


class Refused(Exception):
    """The command did not answer; the text is what it said."""


def reference(values: Floats, cycle: int) -> Floats:
    """z per row: a robust Holt-Winters on logs. Level, pattern and variance follow deviations of at most three."""
    above = values[values > 0]
    logs = np.log(np.maximum(values, (above.min() if len(above) else 1.0) * 0.25))
    first = 4 * cycle
    pattern = np.array([logs[:first][at::cycle].mean() for at in range(cycle)])
    level = logs[:first].mean()
    pattern -= level
    variance = np.var(logs[:first] - level - pattern[np.arange(first) % cycle]) + 1e-6
    z = np.zeros(len(logs))
    for row in range(first, len(logs)):
        at, deviation = row % cycle, max(variance**0.5, 1e-9)
        off = logs[row] - level - pattern[at]
        z[row] = off / max(deviation, 0.03)
        held = min(max(off, -3 * deviation), 3 * deviation)
        level += 0.2 * held
        pattern[at] += 0.15 * 0.8 * held
        variance = 0.95 * variance + 0.05 * held * held
    return z


def by_reference(path: Path, series: Series) -> Floats:
    """|z| per row of a file."""
    with path.open() as file:
        values = np.array([float(row["value"]) for row in csv.DictReader(file)])
    return np.abs(reference(values, series.cycle))


def by_adweir(path: Path, threshold: float | None) -> tuple[list[bool], Floats]:
    """Whether each row of a file is an anomaly, and its |z| (0 where there is none). Raises Refused."""
    from typer.testing import CliRunner

    from ops.cli import app

    command = ["detect", str(path), "--time", "time", "--value", "value", "--json"]
    done = CliRunner().invoke(app, [*command, *(["--threshold", str(threshold)] if threshold else [])])
    if done.exit_code:
        raise Refused(f"{path.name}: {done.output.strip()[-500:]}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [bool(row["anomaly"]) for row in rows], np.array([abs(row["z"] or 0.0) for row in rows])


def worlds(light: int, heavy: int, others: int) -> dict[str, list[Series]]:
    """The series by group."""
    seeds = range(_FIRST_SEED, _FIRST_SEED + max(light, heavy, others))
    return {
        LIGHT: [daily(seed, LIGHT) for seed in seeds[:light]],
        HEAVY: [daily(seed, HEAVY) for seed in seeds[:heavy]],
        **{group: [other(seed, group) for seed in seeds[:others]] for group in (HOURLY, COUNTS, INTERMITTENT)},
    }


def timed(read: Callable[[], object]) -> float:
    """CPU seconds."""
    begin = time.process_time()
    read()
    return time.process_time() - begin


def measured(group: list[Series], folder: Path, threshold: float | None) -> dict[str, Tally]:
    """What each detector found: `adweir`, `adweir@z` and `reference@z` by threshold."""
    tallies = {name: Tally() for name in ("adweir", *(f"{who}@{z}" for who in ("adweir", "reference") for z in SWEPT))}
    for series in group:
        path = folder / f"{series.name}.csv"
        alarmed, ours = by_adweir(path, threshold)
        theirs = by_reference(path, series)
        tallies["adweir"].add(series, alarmed)
        for z in SWEPT:
            tallies[f"adweir@{z}"].add(series, list(ours >= z))
            tallies[f"reference@{z}"].add(series, list(theirs >= z))
    return tallies


def speeds(group: list[Series], folder: Path) -> dict[str, float]:
    """Series a second of CPU, from the file to the verdicts, and ours over the reference's."""
    paths = [folder / f"{series.name}.csv" for series in group]
    ours = timed(lambda: [by_adweir(path, None) for path in paths])
    theirs = timed(lambda: [by_reference(path, series) for path, series in zip(paths, group, strict=True)])
    found = {"series_per_second": len(group) / ours, "reference_per_second": len(group) / theirs}
    return {name: round(value, 1) for name, value in found.items()} | {"speed_ratio": round(theirs / ours, 3)}


def judged(tallies: dict[str, dict[str, Tally]]) -> dict[str, object]:
    """The gate's figures: both groups of the daily world together."""
    gate = {name: tallies[LIGHT][name] + tallies[HEAVY][name] for name in tallies[LIGHT]}
    ours = gate["adweir"].figures()
    theirs = max(gate[f"reference@{z}"].figures()["f1"] for z in USUAL)
    passed = ours["f1"] >= theirs - LESS_F1 and ours["false_per_series_year"] <= MOST_FALSE
    return {
        "passed": passed, "f1": ours["f1"], "reference_f1": theirs,
        "f1_difference": round(ours["f1"] - theirs, 4), "recall": ours["recall"], "precision": ours["precision"],
        "false_per_series_year": ours["false_per_series_year"],
        "false_while_learning_per_series_year": ours["false_while_learning_per_series_year"],
    }  # fmt: skip


def shown(details: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    """The figures for people: a line per group and detector; false alarms by series and year, recall by kind."""
    kinds = {f"recall_{kind}": kind.replace("_", " ") for kind in KINDS}
    titles = f"{'F1':>6} {'recall':>7} {'precision':>10} {'false':>6}   {'  '.join(kinds.values())}"
    yield f"{'series':13} {'detector':14} {titles}"
    for group, each in details.items():
        for who in ("adweir", *(f"reference@{z}" for z in (*USUAL, 5.0))):
            found = each[who]
            recalls = (
                f"{found[key]:{len(kind)}.2f}" if key in found else " " * len(kind) for key, kind in kinds.items()
            )
            yield (
                f"{group:13} {who:14} {found['f1']:6.3f} {found['recall']:7.3f} {found['precision']:10.3f}"
                f" {found['false_per_series_year']:6.2f}   {'  '.join(recalls)}"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=240)
    parser.add_argument("--heavy", type=int, default=36)
    parser.add_argument("--other", type=int, default=20)
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--details", type=Path, help="write every detector's figures to this file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, groups = Path(place), worlds(asked.series, asked.heavy, asked.other)
        for series in (each for group in groups.values() for each in group):
            series.write(folder)
        by_adweir(folder / f"{groups[LIGHT][0].name}.csv", None)  # imports are not timed
        speed = speeds(groups[LIGHT][:40], folder)
        tallies = {name: measured(group, folder, asked.threshold) for name, group in groups.items()}
    details = {name: {who: tally.figures() for who, tally in each.items()} for name, each in tallies.items()}
    print(*shown(details), sep="\n")
    found = {"bench": "detect", **judged(tallies), **speed}
    if asked.details:
        asked.details.write_text(json.dumps({**found, "groups": details}, indent=1))
    print(json.dumps(found))
    return 0 if found["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
