"""Work in forked children, some at once: what one does to the interpreter is gone with it."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

_MEMORY = 8 << 30
"""Bytes of address space: a mutant that builds a list without end is stopped, not the machine."""
_TIMED_OUT = frozenset({signal.SIGALRM, signal.SIGPROF})


class Ended(NamedTuple):
    """What became of a child's work: what it answered, or what it died of; CPU seconds."""

    number: int
    answer: str
    died_of: str
    seconds: float


def each(numbers: Iterator[int], work: Callable[[int], str], at_once: int) -> Iterator[Ended]:
    """`work(number)` of each number in a child of its own, as they end."""
    running: dict[int, tuple[int, int]] = {}
    for number in numbers:
        if len(running) == at_once:
            yield _wait(running)
        reader, writer = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _live(writer, partial(work, number))
        os.close(writer)
        running[child] = number, reader
    while running:
        yield _wait(running)


def limit(cpu: float, wall: float) -> None:
    """End this process after so many more seconds, whatever it does then: by a signal that nothing handles."""
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


def _wait(running: dict[int, tuple[int, int]]) -> Ended:
    child, status, used = os.wait4(-1, 0)
    number, reader = running.pop(child)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    died_of = ""
    if os.WIFSIGNALED(status):
        timed_out = os.WTERMSIG(status) in _TIMED_OUT
        died_of = "time" if timed_out else signal.Signals(os.WTERMSIG(status)).name
    return Ended(number, answer, died_of, used.ru_utime + used.ru_stime)


def _live(writer: int, work: Callable[[], str]) -> None:
    """A child's whole life. What it says and raises is seen by nobody: only its answer counts."""
    code = 1
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        for number in _TIMED_OUT:
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        os.write(writer, work().encode())
        code = 0
    finally:
        os._exit(code)
