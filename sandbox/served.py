"""What the platforms really did wrong: each request that a switch spoiled, and when it was asked again and went well.

A switch that is on has not spoiled anything yet. Who wants to know whether a fault came to nothing needs to know that
it was served, to whom, and what the caller did next.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

_MOST = 20_000


@dataclass(slots=True)
class ServedFault:
    """A request that was spoiled. `path`: with `{id}` for what has digits; "" where the switch acted at once.

    `again`: when the same question was next answered without a fault (Unix seconds, as `at`), or of a switch that acted
    at once, any question about the ad account; 0: not yet.
    """

    kind: str
    platform: str
    profile: str
    path: str
    at: float
    again: float = 0.0


class ServedFaults:
    """The last 20,000 spoiled requests, and how many there were of each kind. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: deque[ServedFault] = deque(maxlen=_MOST)
        self._open: dict[tuple[str, object], list[ServedFault]] = {}

    def add(self, fault: ServedFault, question: object) -> None:
        """A request was spoiled. Equal questions are the same request."""
        with self._lock:
            self._faults.append(fault)
            self._open.setdefault((fault.platform, question), []).append(fault)

    def answered(self, platform: str, *questions: object) -> None:
        """A request was answered as it should be, which is all of these questions."""
        with self._lock:
            for question in questions:
                for fault in self._open.pop((platform, question), ()):
                    fault.again = time.time()

    def listing(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Those from a moment on, oldest first."""
        with self._lock:
            return [asdict(fault) for fault in self._faults if fault.at >= since]
