"""A running sandbox server for tests, and its truth as a dict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from sandbox.outside import Outside
from sandbox.platforms import everyone, population
from sandbox.platforms.base import StandIn
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile

ANCHOR = date(2026, 11, 21)


@contextmanager
def running(
    platforms: Sequence[StandIn] | None = None, *, awkward: bool = False, anchor: date = ANCHOR
) -> Iterator[PlatformServer]:
    """A server over a world whose first today is 2026-11-21, with the awkward clients or without."""
    present = platforms or everyone()
    outside = Outside(anchor=anchor, report_seconds=0.05, population=population(present, awkward=awkward))
    with PlatformServer(outside, present) as server:
        yield server


def owner(server: PlatformServer, platform: str, place: int = 0) -> tuple[Company, WorldProfile]:
    """The `place`-th company and its profile on a platform."""
    company = server.outside.world.companies[place]
    return company, company.on(platform)[0]


def truth(
    server: PlatformServer, profile: WorldProfile, start: date, end: date, level: str = "ad"
) -> dict[tuple[str, str], dict[str, Any]]:
    """(entity id, date) → truth row."""
    rows = server.outside.world.truth(profile, start, end, level)
    return {(row["entity_id"], row["date"]): row for row in rows}
