"""A function's memory: how often the garbage collector looks at it, and the most that its container has needed, as a
share of what it has: the metric `MemoryPeakPercent`.

A peak never falls as long as the container lives. So it is written when it has grown by a percent, and after every
invocation once it is high: an alarm then goes on ringing.
"""

from __future__ import annotations

import gc
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_PER_MB = 1 << 20 if sys.platform == "darwin" else 1 << 10
"""What `getrusage` counts per MB: macOS bytes, others kB."""
_HIGH = 80.0
_STEP = 1.0
_OBJECTS = (50_000, 20, 50)
"""As `gc.set_threshold` takes it. Python's own are 700, 10, 10: rows make so many objects that it always looked."""


def collect_seldom() -> None:
    """Keep the garbage collector from what is loaded by now, which stays as long as the container, and have it look at
    what is new seldom: most of it is gone without, as nothing refers to it.
    """
    gc.freeze()
    gc.set_threshold(*_OBJECTS)


def peak_mb() -> float:
    """The most that this process has had in memory at once, as Linux counts it for each process.

    `getrusage` also counts what the process had that started this one: on the sandbox a server that is larger than any
    function. Other systems, and kernels that count no peak per process, have to do with it.
    """
    found = _PEAK.search(_STATUS.read_text()) if _STATUS.exists() else None
    if found is None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MB
    return int(found[1]) / 1024


class MemoryWatch:
    """Compares the peak with the memory of the function, in MB. Outside of Lambda that is 0, and nothing is written."""

    def __init__(self, memory_mb: int, write: Callable[[float], None], peak: Callable[[], float] = peak_mb) -> None:
        self._memory_mb = memory_mb
        self._write = write
        self._peak = peak
        self._written = 0.0

    def look(self) -> None:
        """Write the peak if it says something new. To be called at the end of an invocation."""
        if not self._memory_mb:
            return
        percent = round(self._peak() / self._memory_mb * 100, 1)
        if percent >= min(self._written + _STEP, _HIGH):
            self._written = percent
            self._write(percent)
