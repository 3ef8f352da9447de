"""A running sandbox server for tests, and its truth as a dict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sandbox.server import PlatformServer
from sandbox.world import Company, Profile

ANCHOR = date(2026, 11, 21)


@contextmanager
def running(report_seconds: float = 0.05, **options: Any) -> Iterator[PlatformServer]:
    """A server over a world whose first today is 2026-11-21."""
    with PlatformServer(anchor=ANCHOR, report_seconds=report_seconds, **options) as server:
        yield server


def owner(server: PlatformServer, platform: str, place: int = 0) -> tuple[Company, Profile]:
    """The `place`-th company and its profile on a platform."""
    company = server.outside.world.companies[place]
    return company, next(p for p in company.profiles if p.platform == platform)


def truth(
    server: PlatformServer, profile: Profile, start: date, end: date, level: str = "ad"
) -> dict[tuple[str, str], dict[str, Any]]:
    """(entity id, date) → truth row."""
    rows = server.outside.world.truth(profile, start, end, level)
    return {(row["entity_id"], row["date"]): row for row in rows}
