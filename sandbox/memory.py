"""How often the garbage collector looks at what the sandbox's servers keep."""

from __future__ import annotations

import gc

_OBJECTS = (50_000, 20, 50)
"""As `gc.set_threshold` takes it. Python's own are 700, 10, 10."""


def collect_seldom() -> None:
    """Have the garbage collector leave alone what is loaded by now, which stays, and look seldom at what is new."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_OBJECTS)
