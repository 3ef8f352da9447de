"""What a run found, as a table by file and the survivors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TextIO

from ops.mutants import equivalent
from ops.mutants.mutants import MutantKey
from ops.mutants.run import Tried

NEEDED = 95
"""Percent of the mutants of each module, and of all, that tests have to notice."""
_LINE = "{:<40} {:>7} {:>7} {:>8} {:>10} {:>6} {:>7}"


class Count(NamedTuple):
    """A line of the table. The seconds are CPU time."""

    name: str
    mutants: int
    killed: int
    equivalent: int
    seconds: float

    @property
    def survived(self) -> int:
        return self.mutants - self.killed - self.equivalent

    @property
    def percent(self) -> float:
        """Of the mutants that are not equivalent."""
        counted = self.mutants - self.equivalent
        return 100 * self.killed / counted if counted else 100.0


def report(tried: Sequence[Tried], seconds: float, to: TextIO) -> int:
    """Print it; the process's exit code."""
    listed = equivalent.read()
    names = dict.fromkeys((one.group, one.mutant.key.module) for one in tried)
    counts = [
        _count(module, [one for one in tried if (one.group, one.mutant.key.module) == (group, module)], listed)
        for group, module in names
    ]
    counts.append(_count("all", tried, listed))
    survivors = [one for one in tried if not one.killed_by and one.mutant.key not in listed]
    for one in survivors:
        key = one.mutant.key
        print(
            f"\n{key.module}:{one.mutant.first} {key.function}, {one.tests} tests\n- {key.line}\n+ {key.becomes}",
            file=to,
        )
    needless = [one for one in tried if one.killed_by and one.mutant.key in listed]
    for one in needless:
        print(f"\nlisted as equivalent, but killed by {one.killed_by}: {one.mutant.key}", file=to)
    timed_out = sum(one.killed_by == "time" for one in tried)
    print(f"\n{timed_out} of the killed ran out of time.\n", file=to)
    print(_LINE.format("module", "mutants", "killed", "survived", "equivalent", "%", "CPU s"), file=to)
    for count in counts:
        print(_row(count), file=to)
    print(f"\n{seconds / 60:.1f} minutes", file=to)
    return 1 if needless or any(count.percent < NEEDED for count in counts) else 0


def _count(name: str, tried: Sequence[Tried], listed: Iterable[MutantKey]) -> Count:
    killed = sum(bool(one.killed_by) for one in tried)
    same = sum(not one.killed_by and one.mutant.key in listed for one in tried)
    return Count(name.removeprefix("adweir."), len(tried), killed, same, sum(one.seconds for one in tried))


def _row(count: Count) -> str:
    percent = f"{count.percent:.1f}"
    return _LINE.format(
        count.name, count.mutants, count.killed, count.survived, count.equivalent, percent, f"{count.seconds:.0f}"
    )
