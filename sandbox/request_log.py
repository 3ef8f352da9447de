"""The requests to the platforms, for tests and for people."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any

_LOGGED = 5000


def shape(path: str) -> str:
    """A path in which segments with a digit are `{id}` (but `v26.0` stays)."""
    return "/".join("{id}" if any(c.isdigit() for c in p) and not p.startswith("v") else p for p in path.split("/"))


class RequestLog:
    """The last 5,000 requests to the platforms, and counts per endpoint since the start. Queries are never kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[dict[str, Any]] = deque(maxlen=_LOGGED)
        self._counts: Counter[str] = Counter()

    def add(self, method: str, path: str, status: int, profile: str) -> None:
        """Record a request; in the counts, its path is that of `shape`."""
        with self._lock:
            self._counts[f"{method} {shape(path)} {status}"] += 1
            self._recent.append(
                {"at": time.time(), "method": method, "path": path, "status": status, "profile": profile}
            )

    def read(self, limit: int) -> dict[str, Any]:
        """The counts, and the last `limit` requests, oldest first."""
        with self._lock:
            return {"counts": dict(sorted(self._counts.items())), "requests": list(self._recent)[-limit:]}

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._recent.clear()
            self._counts.clear()
