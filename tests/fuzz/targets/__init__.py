"""What is fed, by name. A target is made on first use: each process pays for those that it runs."""

from __future__ import annotations

import atexit
from functools import cache
from importlib import import_module
from typing import cast

from fuzz.running import Result, Target, run

WEIGHTS = {
    "doors": 29,
    "told": 4,
    "messages": 25,
    "api": 7,
    "secrets": 6,
    "meta": 5,
    "amazon": 5,
    "google": 3,
    "tiktok": 2,
    "trade_desk": 2,
    "drops": 4,
    "runs": 2,
    "described": 4,
    "stream": 2,
}
"""Names of targets → their inputs per hundred: the cheap ones get more."""


def made(name: str) -> Target:
    """The target of that name; the caller closes it."""
    return cast("Target", import_module(f"fuzz.targets.{name}").TARGET())


@cache
def target(name: str) -> Target:
    """The target of that name, one per process."""
    one = made(name)
    atexit.register(one.close)
    return one


def part(name: str, seed: str, first: int, last: int) -> Result:
    """Feed a target the inputs with these numbers; a process of a pool runs it."""
    return run(target(name), seed, range(first, last))
