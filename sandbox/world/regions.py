"""Where a country's people live. The regions are the whole country, so what is split over them sums to it."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.world.draw import share


class Region(NamedTuple):
    """A part of a country: its code (ISO 3166-2 where it has one), and its people in thousands."""

    code: str
    name: str
    thousands: int


_PARTS = {
    "US": (
        Region("US-CA", "California", 39_400),
        Region("US-TX", "Texas", 31_300),
        Region("US-FL", "Florida", 23_400),
        Region("US-NY", "New York", 19_900),
        Region("US-other", "Other states", 226_100),
    ),
    "GB": (
        Region("GB-ENG", "England", 57_700),
        Region("GB-SCT", "Scotland", 5_500),
        Region("GB-WLS", "Wales", 3_200),
        Region("GB-NIR", "Northern Ireland", 1_900),
    ),
    "DE": (
        Region("DE-NW", "Nordrhein-Westfalen", 18_000),
        Region("DE-BY", "Bayern", 13_200),
        Region("DE-BE", "Berlin", 3_700),
        Region("DE-HH", "Hamburg", 1_900),
        Region("DE-other", "Other states", 46_700),
    ),
    "JP": (
        Region("JP-13", "Tokyo", 14_100),
        Region("JP-14", "Kanagawa", 9_200),
        Region("JP-27", "Osaka", 8_800),
        Region("JP-other", "Other prefectures", 92_000),
    ),
    "KR": (
        Region("KR-41", "Gyeonggi", 13_700),
        Region("KR-11", "Seoul", 9_300),
        Region("KR-other", "Other provinces", 28_700),
    ),
    "ES": (
        Region("ES-CT", "Catalonia", 8_000),
        Region("ES-MD", "Madrid", 7_000),
        Region("ES-other", "Other communities", 33_900),
    ),
}


def regions(country: str) -> tuple[Region, ...]:
    """A country's parts; a country that has none here is one region. Its people then count as a million."""
    return _PARTS.get(country, (Region(country, country, 1_000),))


def people(country: str) -> int:
    """A country's people, in thousands."""
    return sum(region.thousands for region in regions(country))


def by_region(country: str, total: int) -> dict[str, int]:
    """A whole number over a country's regions by their people; the parts sum to it."""
    parts = regions(country)
    return dict(zip((r.code for r in parts), share(total, [r.thousands for r in parts]), strict=True))
