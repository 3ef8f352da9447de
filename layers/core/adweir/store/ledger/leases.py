"""Leases: one worker at a time has something, for a limited time. `lease#<name>` / `lease`.

The item stays after release, so its fencing token only ever grows: whoever holds a smaller one has lost the lease.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adweir.model.errors import Throttled, Transient
from adweir.store.ledger.rows import Row, Rows

LEASES = "lease#"
"""What the keys of leases begin with."""
_BUSY_SECONDS = 2
"""Holders usually finish long before their lease ends: try again soon."""


class Lease:
    """A lease that is held. `fence` identifies this holder and is greater than that of every earlier holder."""

    def __init__(self, rows: Leases, name: str, fence: int) -> None:
        self._rows = rows
        self.name = name
        self.fence = fence

    def check(self) -> None:
        """Raises Transient when the lease ran out or someone else holds it (a consistent read)."""
        self._rows.check_lease(self)


class Leases(Rows):
    """Taking and giving back leases."""

    @contextmanager
    def lease(self, name: str, seconds: float) -> Iterator[Lease]:
        """Hold `name` for the block, at most `seconds`. Raises Throttled when it is busy."""
        lease = self._take(name, seconds)
        try:
            yield lease
        finally:
            self._change(_pk(name), "lease", [Row.until.set(0)], Row.fence == lease.fence)

    def check_free(self, name: str) -> None:
        """Raises Throttled while somebody holds `name`, as `lease` does: one read, and nothing is taken."""
        held = self._fetch(_pk(name), "lease")
        left = (held.until or 0) - self._now() if held else 0
        if left > 0:
            raise _busy(name, left)

    def free(self, name: str) -> None:
        """End a lease whose holder is known to be dead, so that nobody waits for it."""
        self._change(_pk(name), "lease", [Row.until.set(0)], Row.pk.exists())

    def check_lease(self, lease: Lease) -> None:
        row = self._fetch(_pk(lease.name), "lease")
        if row is None or row.fence != lease.fence or (row.until or 0) <= self._now():
            raise Transient(f"the lease on {lease.name} was lost")

    def _take(self, name: str, seconds: float) -> Lease:
        now = self._now()
        row = self._hold(
            _pk(name),
            "lease",
            [Row.until.set(now + max(1, round(seconds))), Row.fence.add(1), Row.expires.set(self._expires())],
            Row.until.does_not_exist() | (Row.until <= now),
            Row.until.set(0),
        )
        if row is None:
            held = self._fetch(_pk(name), "lease")
            left = (held.until or 0) - now if held else 0
            raise _busy(name, left)
        return Lease(self, name, int(row.fence or 0))


def _busy(name: str, left: float) -> Throttled:
    words = f"{name} is being worked on by another worker"
    return Throttled(words, retry_after=float(min(_BUSY_SECONDS, max(1, left))), lease=name)


def _pk(name: str) -> str:
    return LEASES + name
