"""`make fuzz`: a million mutated inputs, or the one in a file: `make fuzz REPLAY=<file>`.

Prints per target how many inputs it took, how fast, what came of them, and each place at which one broke a rule, with
the command that feeds that input again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from fuzz import failures
from fuzz.running import Result
from fuzz.targets import WEIGHTS, part

_PART = 1_000
_FOLDER = Path(".fuzz")


def main() -> int:
    """Run as the arguments say; returns 1 when an input broke a rule."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of all targets together")
    parser.add_argument("--seed", default="", help="any text; a random one when left out")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--target", default=",".join(WEIGHTS), help="some of these, with commas between")
    parser.add_argument("--part", default="1/1", help="2/10 feeds the second tenth of the same inputs")
    parser.add_argument("--replay", type=Path, help="feed the input in this file again")
    given = parser.parse_args()
    if given.replay:
        return failures.replay(given.replay)
    seed = given.seed or str(random.randrange(10**9))
    names = given.target.split(",")
    number, parts = map(int, given.part.split("/"))
    wanted = list(_parts(names, given.inputs))[number - 1 :: parts]
    what = f"{given.inputs:,} inputs" if parts == 1 else f"part {given.part} of {given.inputs:,} inputs"
    print(f"seed {seed}: {what} for {', '.join(names)}, on {given.processes} processes", flush=True)
    begin = time.perf_counter()
    results = _run(wanted, seed, given.processes)
    for result in results.values():
        _report(result, seed)
    inputs, seconds = sum(result.inputs for result in results.values()), time.perf_counter() - begin
    broken = sum(len(result.failures) for result in results.values())
    print(f"{inputs:,} inputs in {seconds:.0f} s ({inputs / seconds:,.0f} per second), {broken} faults, seed {seed}")
    return 1 if broken else 0


def _run(wanted: list[tuple[str, int, int]], seed: str, processes: int) -> dict[str, Result]:
    results = {name: Result(name) for name, _, _ in wanted}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(part, name, seed, first, last) for name, first, last in wanted}
        for done in as_completed(waiting):
            result = done.result()
            known = results[result.target]
            for place in sorted(result.failures.keys() - known.failures.keys()):
                print(f"  {result.target} is broken by input {result.failures[place].number}: {place}", flush=True)
            known.add(result)
    return results


def _parts(names: list[str], inputs: int) -> Iterator[tuple[str, int, int]]:
    """Each target's inputs by its weight, in parts, the targets in turn."""
    whole = sum(WEIGHTS[name] for name in names)
    ends = {name: round(inputs * WEIGHTS[name] / whole) for name in names}
    for first in range(0, max(ends.values()), _PART):
        for name, end in ends.items():
            if first < end:
                yield name, first, min(first + _PART, end)


def _report(result: Result, seed: str) -> None:
    rate = result.inputs / result.seconds if result.seconds else 0.0
    print(
        f"\n{result.target}: {result.inputs:,} inputs, {rate:,.0f} per second and process,"
        f" slowest {result.slowest:.2f} s, most memory {result.memory / (1 << 20):.1f} MiB"
    )
    print("  " + ", ".join(f"{outcome} {count:,}" for outcome, count in result.outcomes.most_common()))
    for place, failure in sorted(result.failures.items()):
        file = failures.write(_FOLDER, failure, seed)
        print(f"  BROKEN, {result.failed[place]:,} times: {place}\n    {failure.reason.strip().splitlines()[-1][:300]}")
        print(f"    make fuzz REPLAY={file}")


if __name__ == "__main__":
    sys.exit(main())
