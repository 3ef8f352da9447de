"""What NUTS found in the worlds: recorded in bench/nuts.json, for it takes minutes a world.

`python -m bench.worlds.yardstick` samples the worlds that are missing or have changed, in an environment of its own (it
needs a package index the first time), with one thread and the lowest priority. An outcome belongs to the table that it
was made from: another one, by its digest, has no yardstick. CPU times are kept beside that of a small fixed computation
on the same machine, so that ratios hold on another one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.worlds.media import MediaWorld, described, media_world
from bench.worlds.sandbox_mix import sandbox_world
from contract.environments import Tool, interpreter

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "bench" / "nuts.json"
DRIVER = ROOT / "contract" / "drivers" / "numpyro_mix.py"
HOME = ROOT / ".contract"
SEEDS = 20
MOST_SECONDS = 3600


def worlds(seeds: int = SEEDS) -> Iterator[MediaWorld]:
    """Those that have a yardstick: well-specified weeks, and the sandbox's days."""
    for seed in range(seeds):
        yield media_world(seed)
    for seed in range(seeds):
        yield sandbox_world(seed)


def digest(table: Path) -> str:
    """Of a world's table."""
    return hashlib.sha256(table.read_bytes()).hexdigest()[:16]


def unit_seconds() -> float:
    """CPU seconds of a fixed computation: linear systems by numpy and a loop of Python, the best of three."""
    matrix = np.random.default_rng(0).normal(size=(120, 120)) + 120 * np.eye(120)
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        for _ in range(200):
            np.linalg.solve(matrix, matrix)
        sum(each * each for each in range(1_000_000))
        best = min(best, time.process_time() - begin)
    return best


def recorded() -> dict[str, dict[str, Any]]:
    """The outcomes by world's name; none where nothing was recorded."""
    found: dict[str, dict[str, Any]] = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return found


def sampled(python: Path, world: MediaWorld, folder: Path) -> dict[str, Any]:
    """A world's outcome by NUTS. Raises CalledProcessError, TimeoutExpired."""
    table, told, out = world.write(folder), folder / "told.json", folder / "out.json"
    told.write_text(json.dumps(described(world)))
    command = ["nice", "-n", "19", str(python), str(DRIVER), str(table), str(told), str(out)]
    subprocess.run(command, check=True, timeout=MOST_SECONDS, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return compact(json.loads(out.read_text()), digest(table), unit_seconds())


def compact(outcome: dict[str, Any], table: str, unit: float) -> dict[str, Any]:
    """An outcome with seven digits a number, and the table that it belongs to."""
    channels = [
        {"channel": each["channel"], **{key: float(f"{value:.7g}") for key, value in each["contribution"].items()}}
        for each in outcome["channels"]
    ]
    kept = ("chains", "warm_up", "draws", "divergent", "versions")
    health = {key: round(outcome[key], 3) for key in ("r_hat", "r_hat_all", "least_effective", "cpu_seconds")}
    return {
        "table": table, "unit_seconds": round(unit, 4), **health, **{key: outcome[key] for key in kept},
        "channels": channels,
    }  # fmt: skip


def written(outcomes: dict[str, dict[str, Any]]) -> str:
    """The file's text: a line per world."""
    lines = [f"{json.dumps(name)}: {json.dumps(outcomes[name])}" for name in sorted(outcomes)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def record(some: Iterable[MediaWorld]) -> int:
    """Sample what is missing or belongs to another table. Returns how many were."""
    python, count = interpreter(Tool("numpyro"), HOME), 0
    for world in some:
        with tempfile.TemporaryDirectory() as place:
            folder, outcomes = Path(place), recorded()
            if outcomes.get(world.name, {}).get("table") == digest(world.write(folder)):
                continue
            found = sampled(python, world, folder)
        RECORDED.write_text(written({**recorded(), world.name: found}))
        print(f"{world.name}: {found['cpu_seconds']:.0f} s of CPU, R-hat at most {found['r_hat']}", flush=True)
        count += 1
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    print(f"{record(worlds(parser.parse_args().seeds))} worlds sampled")
