"""The estimate of the time that is left, against simulated work whose end is known."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator

import pytest

from adweir.reporting.pace import ENOUGH, Range, remaining

Pauses = Callable[[random.Random], Iterator[tuple[float, float]]]


def never(_rng: random.Random) -> Iterator[tuple[float, float]]:
    yield from ()


def hourly_runs(rng: random.Random) -> Iterator[tuple[float, float]]:
    """A run of another workflow each hour, for some minutes."""
    for hour in range(1, 400):
        yield hour * 3600.0, rng.uniform(120.0, 480.0)


def brakes(rng: random.Random) -> Iterator[tuple[float, float]]:
    """Rate limits: on average one in twenty minutes, mostly short."""
    at = 0.0
    while True:
        at += rng.expovariate(1 / 1200.0)
        yield at, min(900.0, rng.lognormvariate(4.0, 1.0))


def ends_of(
    rng: random.Random, tasks: int, workers: int, spread: float, pauses: Pauses
) -> tuple[list[float], list[float]]:
    """When each of so many tasks ends, of which so many work at once, and how long each takes; none begins in
    a pause."""
    waits, at = pauses(rng), 0.0
    pause = next(waits, None)
    free, ends, services = [0.0] * workers, [], []
    for _ in range(tasks):
        at = max(at, heapq.heappop(free))
        while pause is not None and pause[0] <= at:
            at, pause = max(at, sum(pause)), next(waits, None)
        services.append(rng.lognormvariate(2.0, spread))
        end = at + services[-1]
        heapq.heappush(free, end)
        ends.append(end)
    return sorted(ends), services


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("workers", [1, 6])
@pytest.mark.parametrize("pauses", [never, hourly_runs, brakes])
def test_the_true_end_lies_in_the_range_in_most_looks(pauses: Pauses, workers: int, spread: float) -> None:
    """Looks at the work when a part of it is done, from 5 % to 95 %, in 40 runs of 300 to 3,000 tasks."""
    inside = looks = 0
    for seed in range(40):
        rng = random.Random(seed)
        tasks = rng.choice((300, 1000, 3000))
        ends, services = ends_of(rng, tasks, workers, spread, pauses)
        for percent in range(5, 100, 10):
            done = tasks * percent // 100
            found = remaining(tasks - done, 0.0, ends[:done], ends[done - 1] + 0.5, max(services[:done]))
            assert found is not None
            truth = ends[-1] - ends[done - 1] - 0.5
            looks += 1
            inside += found.at_least <= truth <= found.at_most
    assert inside / looks >= 0.8


def test_there_is_no_estimate_before_enough_has_ended() -> None:
    ends = [float(number) for number in range(1, ENOUGH + 1)]

    assert remaining(10, 0.0, ends[:-1], 12.0) is None
    assert remaining(10, 0.0, ends, 12.0) == Range(10.0, 8.8, 11.2)


def test_a_pause_that_lasts_is_in_the_pace() -> None:
    ends = [float(number) for number in range(1, 37)]

    before, after = remaining(10, 0.0, ends, 36.0), remaining(10, 0.0, ends, 336.0)

    assert before is not None
    assert after is not None
    assert before.at_most < after.likely < after.at_most
    assert after.at_most > 1.2 * after.likely, "the next pause may be as long"
    assert remaining(10, 0.0, ends, 37.0) == before, "the usual time between two ends is no pause"


def test_a_wait_and_a_slower_way_make_a_range_later() -> None:
    found = Range(100.0, 80.0, 150.0)

    assert found.then(60.0) == Range(160.0, 140.0, 210.0)
    assert found.no_sooner(50.0) == found
    assert found.no_sooner(200.0) == Range(200.0, 160.0, 300.0)
    assert found.together(Range(90.0, 85.0, 170.0)) == Range(100.0, 85.0, 170.0)
