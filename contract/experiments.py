"""Geo experiments by meridian-geox, unmodified: `make contract-geox`, `python -m contract.experiments [--worlds 20]`.

In each made-up world (bench/worlds/lifts.py) the library chooses the regions of a heavy-up from the history alone. Then
a lift of five to nine per cent is planted in their sales, with twice the spend, and the library says what the test
brought. It is right where its 90 % interval holds the planted sales; less than 16 of 20 is a fault. Ends with 1 then,
and when nothing could be run.

That is asked of regions which settle within days, for the intervals come from placebos: other regions at the same time.
`--drifting` shows how often they are right where each region drifts by itself for weeks; it ends with 0.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.worlds.lifts import DRIFTING, HISTORY_DAYS, SETTLED, TEST_DAYS, geo_panel
from contract.clients import HERE
from contract.environments import NotInstalled, Tool, interpreter

GEOX = Tool("meridian-geox")
HOME = HERE.parent / ".contract"
DRIVER = HERE / "drivers" / "geox_lifts.py"
SECONDS = 900
LEAST_RIGHT = 16 / 20
EXTRA_SPEND = 1.0
"""Times the usual spend, on top of it."""


class ExperimentFailed(Exception):
    """The library gave up; the text is the end of what it said."""


def planted_lift(seed: int) -> float:
    """Share of the sales of treated regions: five to nine per cent, in turn."""
    return 0.05 + 0.01 * (seed % 5)


def ask(python: Path, *words: str) -> None:
    """Run the driver. Raises ExperimentFailed."""
    done = subprocess.run(
        [str(python), str(DRIVER), *words], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode:
        raise ExperimentFailed(done.stderr.strip()[-400:])


def experiment(python: Path, seed: int, folder: Path, memory: float = SETTLED) -> dict[str, Any]:
    """A world's experiment: the design, the truth, the analysis, and whether it is right. Raises ExperimentFailed."""
    panel = geo_panel(seed, memory)
    history = panel.write(folder / "history.csv", range(HISTORY_DAYS))
    designed, answered = folder / "design.json", folder / "answer.json"
    ask(python, "design", str(history), str(designed))
    treated = next(iter(json.loads(designed.read_text())["designs"].values()))["treatment_geos"]
    tested, truth = panel.heavy_up(treated, planted_lift(seed), EXTRA_SPEND)
    table = tested.write(folder / "tested.csv", range(HISTORY_DAYS + TEST_DAYS))
    first, last = panel.day(HISTORY_DAYS), panel.day(HISTORY_DAYS + TEST_DAYS - 1)
    ask(python, "analyse", str(designed), str(table), first.isoformat(), last.isoformat(), str(answered))
    answer: dict[str, Any] = json.loads(answered.read_text())
    lift = answer["lift"]
    return {
        "seed": seed, "treated": len(treated), "planted": truth["sales"], **lift,
        "right": lift["low"] <= truth["sales"] <= lift["high"],
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m contract.experiments", description=__doc__)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--drifting", action="store_true")
    asked = parser.parse_args(arguments)
    count: int = asked.worlds
    try:
        python = interpreter(GEOX, HOME)
    except NotInstalled as missing:
        print(f"not run: {missing}")
        return 1
    right = 0
    for seed in range(count):
        with tempfile.TemporaryDirectory() as place:
            found = experiment(python, seed, Path(place), DRIFTING if asked.drifting else SETTLED)
        right += found["right"]
        shown = ", ".join(f"{name} {found[name]:,.0f}" for name in ("planted", "low", "estimate", "high"))
        print(
            f"world {seed}: {found['treated']} regions treated, {shown}{'' if found['right'] else '  outside'}",
            flush=True,
        )
    print(f"{right} of {count} planted lifts lie in their 90 % intervals.")
    return 0 if asked.drifting or right >= math.ceil(LEAST_RIGHT * count) else 1


if __name__ == "__main__":
    sys.exit(main())
