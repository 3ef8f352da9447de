"""One process in which everything takes turns: workers are greenlets, time is a number, chance is the seed's.

A worker runs until it calls AWS or a platform, or sleeps. Then the one whose turn comes first goes on, and time with
it. So the order of everything follows from how long each call takes, which the seed decides.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from greenlet import greenlet

MONOTONIC_AT = 1_000_000.0


class Killed(BaseException):
    """The worker's process died here. Not an Exception, so that no handler of the product can catch it."""


class Worker:
    """A greenlet at work. Once it is dead, none of its calls does anything, those of `finally` blocks included."""

    def __init__(self, function: str, number: int, deadline: float) -> None:
        self.function = function
        self.name = f"{function}-{number}"
        self.deadline = deadline
        """When its function's time-out ends it."""
        self.outlives = False
        """Whether it goes on past its time-out: its process was frozen, and woke up."""
        self.dead = False
        self.leases = 0
        """How many it has taken and not given back."""
        self.turn: Callable[[], None] = lambda: None


class Scheduler:
    """Whose turn it is. Time is in Unix seconds."""

    def __init__(self, rng: random.Random, start: float) -> None:
        self.rng = rng
        self.now = start
        self.current: Worker | None = None
        self.late_deaths = 0
        """Workers that outlived their time-out and died then."""
        self.idle: Callable[[], float] = lambda: float("inf")
        """Starts what can be started now; returns when something more can be."""
        self._hub = greenlet.getcurrent()
        self._turns: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._alive: dict[Worker, None] = {}

    def at(self, when: float, what: Callable[[], object]) -> None:
        """Do something at a time."""
        heapq.heappush(self._turns, (when, next(self._numbers), what))

    def start(self, worker: Worker, work: Callable[[], None]) -> None:
        """Let a worker begin at once."""
        runner = greenlet(work)

        def turn() -> None:
            self.current = worker
            runner.switch()
            self.current = None
            if runner.dead:
                self._alive.pop(worker)

        worker.turn = turn
        self._alive[worker] = None
        turn()

    def pause(self, seconds: float) -> None:
        """Let others take their turns for this long. Raises Killed when the worker dies meanwhile."""
        worker = self.current
        if worker is None:
            raise RuntimeError("only a worker can wait")
        self.check()
        self.at(self.now + seconds, worker.turn)
        self._hub.switch()
        if self.now > worker.deadline and not worker.outlives:
            self.kill()
        self.check()

    def check(self) -> None:
        """Raises Killed in a dead worker."""
        if self.current is not None and self.current.dead:
            raise Killed

    def kill(self) -> None:
        """End the current worker here. Raises Killed."""
        if self.current is not None:
            self.current.dead = True
            self.late_deaths += self.current.outlives
        raise Killed

    def close(self) -> None:
        """Let every worker that has not ended die."""
        for worker in list(self._alive):
            worker.dead = True
            worker.turn()

    def run(self, until: Callable[[], bool], latest: float) -> bool:
        """Take turns until `until` says so; False when that did not happen before `latest`, or nothing is left."""
        while True:
            more = self.idle()
            if until():
                return True
            due = self._turns[0][0] if self._turns else float("inf")
            following = min(due, more)
            if following > latest:
                return False
            self.now = max(self.now, following)
            if due <= more:
                heapq.heappop(self._turns)[2]()


class SimulatedClock:
    """A container's clock, some milliseconds ahead of the others or behind."""

    def __init__(self, scheduler: Scheduler, skew: float = 0.0) -> None:
        self._scheduler = scheduler
        self._skew = skew

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._scheduler.now + self._skew, UTC)

    def monotonic(self) -> float:
        return self._scheduler.now - MONOTONIC_AT
