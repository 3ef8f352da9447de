"""Runs a target on mutated inputs and judges what came of each: answers, time, memory.

Input number n of a target follows from the seed, the target's name and n alone, so runs of any size and on any number
of processes see the same inputs.
"""

from __future__ import annotations

import re
import resource
import signal
import time
import traceback
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Protocol

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 2.0
"""CPU time for one input."""
_STUCK_SECONDS = 60.0
_MEASURED = 100
"""Every so many inputs the memory is measured: tracing takes several times as long, and a system call may wait."""
MOST_GROWTH = 256 << 20
"""How much inputs may raise the process's peak: tracing sees Python's memory only."""

Case = Mapping[str, bytes]
"""An input by its parts: a body, headers as JSON, ..."""


class Target(Protocol):
    """What is fed. `most_memory`: bytes that Python may hold besides 40 for each of the input."""

    name: str
    most_memory: int

    def make(self, rng: Random) -> Case:
        """A mutated input."""
        ...

    def check(self, case: Case) -> str:
        """Feed it; returns in a word what came of it. Raises Broken when a rule does not hold."""
        ...

    def close(self) -> None:
        """Give back what was changed outside of the target."""
        ...


class Broken(AssertionError):
    """A rule that does not hold for an input."""


class _Stuck(BaseException):
    """An input takes a minute."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that broke a rule; `place` is where, the same for all inputs with one cause."""

    target: str
    number: int
    place: str
    reason: str
    case: Case


@dataclass(slots=True)
class Result:
    """What a run of one target saw."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    memory: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[str, Failure] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)

    def note(self, failure: Failure) -> None:
        """Keep the first failure of each place, count all."""
        self.failed[failure.place] += 1
        known = self.failures.get(failure.place)
        if known is None or failure.number < known.number:
            self.failures[failure.place] = failure

    def add(self, other: Result) -> None:
        """Take in what another part of the same target's inputs saw."""
        self.inputs += other.inputs
        self.seconds += other.seconds
        self.slowest, self.memory = max(self.slowest, other.slowest), max(self.memory, other.memory)
        self.outcomes += other.outcomes
        counted = self.failed + other.failed
        for failure in other.failures.values():
            self.note(failure)
        self.failed = counted


def run(target: Target, seed: str, numbers: Iterable[int]) -> Result:
    """Feed a target the inputs of these numbers."""
    result = Result(target.name)
    begin, peak = time.perf_counter(), _peak()
    with _alarm(result):
        for number in numbers:
            case = target.make(Random(f"{seed} {target.name} {number}"))
            result.inputs += 1
            try:
                outcome, seconds, memory = judged(target, case, trace=number % _MEASURED == 0)
                if result.inputs % _MEASURED == 0:
                    peak = _checked_peak(peak)
            except (Exception, _Stuck) as error:  # noqa: BLE001  every exception that comes out is a finding
                result.note(Failure(target.name, number, _place(error), _reason(error), case))
                continue
            result.outcomes[outcome] += 1
            result.slowest, result.memory = max(result.slowest, seconds), max(result.memory, memory)
    result.seconds = time.perf_counter() - begin
    return result


def judged(target: Target, case: Case, *, trace: bool = False) -> tuple[str, float, int]:
    """Feed one input: (outcome, seconds, bytes traced at the peak). Raises what came out of it, and Broken.

    An input that seems slow is fed once more, and then its CPU time counts: the machine may be busy.
    """
    begin = time.perf_counter()
    with _traced(on=trace) as memory:
        outcome = target.check(case)
    seconds, size = time.perf_counter() - begin, sum(map(len, case.values()))
    if memory[0] > target.most_memory + 40 * size:
        raise Broken(f"takes {memory[0] >> 20} MiB for {size} bytes")
    if seconds > MOST_SECONDS:
        used = time.process_time()
        target.check(case)
        seconds = time.process_time() - used
        if seconds > MOST_SECONDS:
            raise Broken(f"takes {seconds:.1f} s for {size} bytes")
    return outcome, seconds, memory[0]


def _checked_peak(before: int) -> int:
    """The process's peak. Raises Broken when it has grown too much."""
    peak = _peak()
    if peak - before > MOST_GROWTH:
        raise Broken(f"one of the last {_MEASURED} inputs raises the peak by {(peak - before) >> 20} MiB")
    return peak


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@contextmanager
def _alarm(result: Result) -> Iterator[None]:
    """Raise _Stuck in an input that is still the same one a minute later."""
    seen = -1

    def look(_signal: int, _frame: FrameType | None) -> None:
        nonlocal seen
        if seen == result.inputs:
            raise _Stuck(f"takes over {_STUCK_SECONDS:.0f} s")
        seen = result.inputs

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _STUCK_SECONDS, _STUCK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _traced(*, on: bool) -> Iterator[list[int]]:
    peak = [0]
    if not on:
        yield peak
        return
    tracemalloc.start()
    try:
        yield peak
        peak[0] = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _place(error: BaseException) -> str:
    """The error's class and the last line of the project in its traceback; of a broken rule also which."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(ROOT))]
    where = frames[-1] if frames else None
    line = f"{Path(where.filename).relative_to(ROOT).as_posix()}:{where.lineno}" if where else ""
    rule = re.sub(r"\d+", "#", str(error))[:60] if isinstance(error, Broken) else ""
    return f"{type(error).__name__} {line} {rule}".strip()


def _reason(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-6000:]
