"""A running sandbox server for tests, and its truth as a dict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from sandbox.outside import Outside
from sandbox.platforms import everyone, population
from sandbox.platforms.base import StandIn
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile

ANCHOR = date(2026, 11, 21)
_RESTING: dict[tuple[tuple[str, ...], bool, date], Outside] = {}
"""By what they were asked for, worlds that no server serves."""


@contextmanager
def running(
    platforms: Sequence[StandIn] | None = None, *, awkward: bool = False, anchor: date = ANCHOR
) -> Iterator[PlatformServer]:
    """A server over a world whose first today is 2026-11-21, with the awkward clients or without.

    A world to which nothing happened is the next one's: it need not work out the same numbers and bills again.
    """
    present = tuple(platforms or everyone())
    key = tuple(each.platform for each in present), awkward, anchor
    rests = _RESTING.pop(key, None)
    people = population(present, awkward=awkward)
    if rests is not None:
        people = replace(people, companies=lambda *_: rests.world.companies)
    outside = Outside(anchor=anchor, report_seconds=0.05, population=people)
    if rests is not None:
        outside.world, outside.bills = rests.world, rests.bills
    before = _seen(outside)
    with PlatformServer(outside, present) as server:
        yield server
    if _seen(outside) == before:
        _RESTING[key] = outside


def _seen(outside: Outside) -> str:
    """What tests may change of a world, but for what `happenings` count."""
    world = outside.world
    return repr((world.changes, world.driver, world.offset, world.companies))


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
