"""The geo target constants of the world's countries and regions: Google's ids for countries and the United States."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class GoogleGeoTarget(NamedTuple):
    """A geo target constant's id, name and type."""

    id: int
    name: str
    kind: str


COUNTRIES: Mapping[str, GoogleGeoTarget] = {
    code: GoogleGeoTarget(criterion, name, "Country")
    for code, criterion, name in (
        ("US", 2840, "United States"), ("CA", 2124, "Canada"), ("DE", 2276, "Germany"), ("AT", 2040, "Austria"),
        ("JP", 2392, "Japan"), ("KR", 2410, "South Korea"), ("GB", 2826, "United Kingdom"), ("IE", 2372, "Ireland"),
        ("ES", 2724, "Spain"), ("PT", 2620, "Portugal"),
    )
}  # fmt: skip
REGIONS: Mapping[str, GoogleGeoTarget] = {
    code: GoogleGeoTarget(criterion, name, kind)
    for code, criterion, name, kind in (
        ("US-CA", 21137, "California", "State"), ("US-TX", 21176, "Texas", "State"),
        ("US-FL", 21142, "Florida", "State"), ("US-NY", 21167, "New York", "State"),
        ("US-other", 21168, "Ohio", "State"),
        ("GB-ENG", 20339, "England", "Region"), ("GB-SCT", 20340, "Scotland", "Region"),
        ("GB-WLS", 20341, "Wales", "Region"), ("GB-NIR", 20342, "Northern Ireland", "Region"),
        ("DE-NW", 20234, "North Rhine-Westphalia", "State"), ("DE-BY", 20226, "Bavaria", "State"),
        ("DE-BE", 20228, "Berlin", "State"), ("DE-HH", 20230, "Hamburg", "State"),
        ("DE-other", 20231, "Hesse", "State"),
        ("JP-13", 20636, "Tokyo", "Prefecture"), ("JP-14", 20637, "Kanagawa", "Prefecture"),
        ("JP-27", 20624, "Osaka", "Prefecture"), ("JP-other", 20625, "Hokkaido", "Prefecture"),
        ("KR-41", 20741, "Gyeonggi-do", "Province"), ("KR-11", 20711, "Seoul", "City"),
        ("KR-other", 20726, "Busan", "City"),
        ("ES-CT", 20271, "Catalonia", "Autonomous Community"),
        ("ES-MD", 20282, "Community of Madrid", "Autonomous Community"),
        ("ES-other", 20261, "Andalusia", "Autonomous Community"),
    )
}  # fmt: skip
"""By the world's code; one of them stands for the rest of its country."""


def region_name(code: str) -> str | None:
    """The resource name of a region; None where Google does not know it."""
    return f"geoTargetConstants/{REGIONS[code].id}" if code in REGIONS else None
