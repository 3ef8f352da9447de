"""Many seeds, or one with what happened, or many days of one: `make simulate`, `make simulate SEED=… [FAULT=…]`,
`make simulate RECORD=1`, `make simulate DAYS=30 [SEED=…]`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from simulation.containers import one_process
from simulation.planted import FAULTS, planted
from simulation.season import Season, predicted
from simulation.simulation import Outcome, Simulation

SEEDS = Path(__file__).with_name("seeds.json")
HEALTHY_SEEDS = 10_000
MOST_SEEDS = 500
_CHUNK = 50
_PROGRESS_SECONDS = 10.0


class Batch(NamedTuple):
    """Seeds from `start` on, with a planted fault or none."""

    fault: str
    start: int
    end: int


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 when a rule was broken, or a planted fault was not found."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone, and print what happened in order")
    parser.add_argument("--fault", default="", choices=["", *FAULTS], help="plant this fault")
    parser.add_argument(
        "--record", action="store_true", help="search the first seed of each planted fault, and keep it"
    )
    parser.add_argument("--seeds", type=int, default=HEALTHY_SEEDS, help="how many seeds without a planted fault")
    parser.add_argument("--days", type=int, default=0, help="tell a season of so many days, with 25 runs in each")
    parser.add_argument("--fingerprints", type=int, default=0, help="print what tells the runs of so many seeds apart")
    asked = parser.parse_args(arguments)
    if asked.days:
        return _season(asked.seed or 0, asked.days)
    if asked.seed is not None:
        return _replay(asked.seed, asked.fault)
    if asked.fingerprints:
        return _fingerprints(asked.fingerprints)
    with ProcessPoolExecutor(os.cpu_count(), initializer=_begin) as pool:
        names = [asked.fault] if asked.fault else list(FAULTS)
        found = {name: _search(pool, name) for name in names}
        if asked.record:
            SEEDS.write_text(json.dumps(found, indent=2) + "\n")
            print(f"recorded in {SEEDS}")
            return int(None in found.values())
        broken = 0 if asked.fault else _healthy(pool, asked.seeds)
    return int(broken > 0 or None in found.values())


def recorded() -> dict[str, int]:
    """The seed that finds each planted fault."""
    found: dict[str, int] = json.loads(SEEDS.read_text())
    return found


def run_batch(batch: Batch) -> list[Outcome]:
    """The outcomes of a batch; with a planted fault, up to the first that finds it."""
    outcomes = []
    with planted(batch.fault):
        for seed in range(batch.start, batch.end):
            outcomes.append(Simulation(seed).run())
            if batch.fault and outcomes[-1].faults:
                break
    return outcomes


_PROCESS = ExitStack()


def _begin() -> None:
    _PROCESS.enter_context(one_process())


def _batches(fault: str, seeds: int) -> Iterator[Batch]:
    return (Batch(fault, start, min(start + _CHUNK, seeds)) for start in range(0, seeds, _CHUNK))


def _search(pool: ProcessPoolExecutor, fault: str) -> int | None:
    """The first seed that finds a planted fault."""
    began, batches = time.monotonic(), _batches(fault, MOST_SEEDS)
    while several := list(islice(batches, os.cpu_count() or 1)):
        for outcomes in pool.map(run_batch, several):
            if outcomes[-1].faults:
                last = outcomes[-1]
                print(
                    f"{fault}: found by seed {last.seed} in {time.monotonic() - began:.0f} s: {last.faults[0]}",
                    flush=True,
                )
                return last.seed
    print(f"{fault}: NOT FOUND by {MOST_SEEDS} seeds", flush=True)
    return None


def _healthy(pool: ProcessPoolExecutor, seeds: int) -> int:
    """Run the healthy system; returns how many seeds broke a rule."""
    began, done, calls, broken, told = time.monotonic(), 0, 0, 0, 0.0
    for outcomes in pool.map(run_batch, _batches("", seeds)):
        for outcome in outcomes:
            done, calls = done + 1, calls + outcome.calls
            if outcome.faults:
                broken += 1
                print(f"seed {outcome.seed}: {'; '.join(outcome.faults[:3])}")
                print(f"  make simulate SEED={outcome.seed}  shows what happened", flush=True)
        took = time.monotonic() - began
        if took - told > _PROGRESS_SECONDS or done == seeds:
            told = took
            print(
                f"{done:,} of {seeds:,} seeds, {done / took:.1f} a second, {calls:,} calls, {broken} broke a rule",
                flush=True,
            )
    return broken


def _replay(seed: int, fault: str) -> int:
    with one_process(), planted(fault):
        outcome = Simulation(seed, keep=True).run()
    print("seconds     who                 what")
    print("\n".join(outcome.trace))
    said = "\n".join(f"  {each}" for each in outcome.faults) or "  every rule was kept"
    print(f"\nseed {seed}{f' with {fault}' if fault else ''}: {outcome.calls} calls, {outcome.seconds:.0f} s\n{said}")
    return int(bool(outcome.faults))


def _season(seed: int, days: int) -> int:
    """Tell a season, with what the tables hold at the end of its half and of all of it."""
    print(f"seed {seed}, {days} days: {25 * days} runs", flush=True)
    began = time.monotonic()
    with one_process():
        told = Season(seed, days)
        outcome = told.run()
    print(f"{outcome.calls:,} calls in {time.monotonic() - began:.0f} s; dead letters: {told.dead}")
    if told.sizes:
        half, last, expected = told.sizes[len(told.sizes) // 2], told.sizes[-1], predicted(days)
        print(f"{'items':26}{'half time':>10}{'end':>10}{'predicted':>10}{'bytes':>12}")
        for kind in sorted(last.items):
            row = f"{kind:26}{half.items[kind]:>10,}{last.items[kind]:>10,}"
            print(f"{row}{expected.get(kind, ''):>10}{last.bytes[kind]:>12,}")
    print("\n".join(f"  {each}" for each in outcome.faults) or "every rule was kept, every number is the model's")
    return int(bool(outcome.faults))


def _fingerprints(seeds: int) -> int:
    with one_process():
        print(" ".join(str(Simulation(seed).run().fingerprint) for seed in range(seeds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
