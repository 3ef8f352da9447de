"""MiniStack's ids and dates of answers with less work. Run by aws_server.py, beside which it lies.

Each answer has two ids and a date. For each id the system's source of randomness gives up the interpreter's lock, which
another thread takes; a generator that began with it does not. A date is written once a second.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


def mend(app: Any) -> None:
    """Have MiniStack, whose module `app` answers, make ids and dates so."""
    drawn = random.Random(os.urandom(32))  # noqa: S311  nobody guesses an id here
    uuid.uuid4 = lambda: uuid.UUID(int=drawn.getrandbits(128), version=4)
    app.os = SimpleNamespace(**vars(os) | {"urandom": drawn.randbytes})
    app.formatdate = written_once(app.formatdate, time.time)


def written_once(write: Callable[..., str], now: Callable[[], float]) -> Callable[..., str]:
    """`write`, the date of now, once a second."""
    known: dict[tuple[int, bool], str] = {}

    def written(*, usegmt: bool) -> str:
        key = int(now()), usegmt
        if key not in known:
            known.clear()
            known[key] = write(key[0], usegmt=usegmt)
        return known[key]

    return written
