"""Ctrl-C and SIGTERM, which must not be lost: the command line starts with this and little else."""

from __future__ import annotations

import threading
from types import FrameType

_interrupted = threading.Event()


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """A signal handler for Ctrl-C and SIGTERM."""
    _interrupted.set()
    raise KeyboardInterrupt


def heed_interrupt() -> None:
    """Raise an interrupt that was lost: Python swallows one that arrives in a destructor."""
    if _interrupted.is_set():
        raise KeyboardInterrupt
