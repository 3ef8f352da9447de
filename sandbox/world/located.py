"""Where an ad account's numbers happened: the regions of its country, abroad, and what a platform cannot place.

An ad's day is divided over the places by their people, so that places respond alike per head, as `mix` assumes; the
parts sum to the day. Only what a caller asks for is divided.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sandbox.world.catalog import WorldProfile
from sandbox.world.counting import DEFAULT, Reading
from sandbox.world.numbers import Numbers, add, split
from sandbox.world.regions import regions
from sandbox.world.world import World, WorldRow, summed, truth_row

Name = TypeVar("Name", bound=Hashable)
NEIGHBOURS = {"US": "CA", "DE": "AT", "GB": "IE", "JP": "KR", "KR": "JP", "ES": "PT"}
"""The country abroad where an ad account's ads are seen too."""
_ABROAD, _UNPLACED = 4, 6
"""Per cent of an ad's day."""


class Located(NamedTuple):
    """A place. `region`: the world's code (`regions`), empty where the platform knows the country alone."""

    country: str
    region: str


@cache
def _weights(country: str) -> dict[Located, int]:
    parts = regions(country)
    people = sum(region.thousands for region in parts)
    found = {Located(country, region.code): region.thousands * (100 - _ABROAD - _UNPLACED) for region in parts}
    found[Located(NEIGHBOURS.get(country, "US"), "")] = people * _ABROAD
    found[Located(country, "")] = people * _UNPLACED
    return found


def located(profile: WorldProfile, numbers: Numbers) -> Iterator[tuple[Located, Numbers]]:
    """The parts of an ad's day or hour that are not zero; they sum to it."""
    weights = _weights(profile.country)
    for place, part in zip(weights, split(numbers, list(weights.values())), strict=True):
        if not part.is_zero:
            yield place, part


def located_rows(
    profile: WorldProfile, level: str, delivered: Iterable[WorldRow], named: Callable[[Located], Name]
) -> Iterator[tuple[Name, WorldRow]]:
    """`World.rows` of a level by the names of places, from what `World.delivered` has for the level.

    A row is the sum of the parts of its ads.
    """
    found: dict[Name, list[WorldRow]] = {}
    for row in delivered:
        parts: dict[Name, list[Numbers]] = {}
        for place, part in located(profile, row.numbers):
            parts.setdefault(named(place), []).append(part)
        for name, some in parts.items():
            found.setdefault(name, []).append(row._replace(numbers=add(some)))
    for name, rows in found.items():
        for row in summed(level, rows):
            yield name, row


def located_truth(
    world: World, profile: WorldProfile, start: date, end: date, level: str = "campaign", *, reading: Reading = DEFAULT
) -> Iterator[dict[str, Any]]:
    """`World.truth` of a level by place: its fields, `country` and `region`, whose empty value is what the platform
    does not place in any region. A number that the platform does not report by region is null.
    """
    unreported = {"conversions", "revenue"} - profile.traits.located
    delivered = world.delivered(profile, level, start, end, reading=reading)
    for place, row in located_rows(profile, level, delivered, lambda place: place):
        truth = truth_row(profile, row, reading) | {f"{name}_micros": None for name in unreported}
        yield truth | place._asdict()
