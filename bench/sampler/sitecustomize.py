"""Whose code a process runs. Python imports this module when it starts with this folder in PYTHONPATH.

After each 10 ms of processor time a signal comes (ITIMER_PROF). What the main thread used since the last one is booked
on the package whose code it runs at that moment: the innermost file that is not Python's own library. What has no
frames, as C, counts for who called it. What other threads used is read from /proc, so that Linux is needed, and booked
alike. The sums are written to `<BENCH_SAMPLES>/<process id>.json` a few times a second, as nanoseconds by package.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

OURS, PYTHON, SAMPLER = "adweir", "python", "sampler"
_EVERY_SECONDS, _WRITE_SECONDS = 0.01, 0.25
_LIBRARIES, _LAYER = "/site-packages/", "/python/adweir/"
_TASK = os.environ.get("LAMBDA_TASK_ROOT", "") + "/"
"""Where Lambda has a function's own files."""


def package_of(frame: FrameType | None) -> str:
    """The package whose code a frame runs, or whose code called Python's library."""
    while frame is not None:
        path = frame.f_code.co_filename
        if _LIBRARIES in path:
            return path.rpartition(_LIBRARIES)[2].partition("/")[0]
        if _LAYER in path or path.startswith(_TASK):
            return OURS
        frame = frame.f_back
    return PYTHON


class Sampler:
    """Handles the signal. All times are nanoseconds of processor time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sums: Counter[str] = Counter()
        self._written = 0.0
        self._others: dict[int, int] = {}
        self._main, self._all = time.thread_time_ns(), time.process_time_ns()

    def __call__(self, _signal: int, frame: FrameType | None) -> None:
        """Book what was used since the last signal; the main thread was in `frame`."""
        began = time.thread_time_ns()
        used = began - self._main
        self._sums[package_of(frame)] += used
        if time.process_time_ns() - self._all > used:
            self._book_others()
        if time.monotonic() - self._written > _WRITE_SECONDS:
            self._write()
        self._main, self._all = time.thread_time_ns(), time.process_time_ns()
        self._sums[SAMPLER] += self._main - began

    def _book_others(self) -> None:
        frames = sys._current_frames()  # noqa: SLF001  Python's own way to see what other threads do
        for thread in threading.enumerate():
            if thread is threading.main_thread() or thread.native_id is None or thread.ident not in frames:
                continue
            try:
                used = int(Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()[0])
            except OSError:
                continue  # it has ended
            self._sums[package_of(frames[thread.ident])] += used - self._others.get(thread.native_id, 0)
            self._others[thread.native_id] = used

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._sums))
        fresh.replace(self._path)
        self._written = time.monotonic()


if "BENCH_SAMPLES" in os.environ:
    signal.signal(signal.SIGPROF, Sampler(Path(os.environ["BENCH_SAMPLES"]) / f"{os.getpid()}.json"))
    signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)
    # Nobody handles the signal once Python ends, and it would kill the process.
    atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)
