"""The locations of TikTok's audience reports: provinces by their ids, which are those of GeoNames."""

from __future__ import annotations

from collections.abc import Mapping

PROVINCES: Mapping[str, str] = {
    "US-CA": "5332921", "US-TX": "4736286", "US-FL": "4155751", "US-NY": "5128638", "US-other": "5165418",
    "GB-ENG": "6269131", "GB-SCT": "2638360", "GB-WLS": "2634895", "GB-NIR": "2641364",
    "DE-NW": "2861876", "DE-BY": "2951839", "DE-BE": "2950157", "DE-HH": "2911297", "DE-other": "2905330",
    "JP-13": "1850144", "JP-14": "1860291", "JP-27": "1853904", "JP-other": "2130037",
    "KR-41": "1841610", "KR-11": "1835847", "KR-other": "1838519",
    "ES-CT": "3336901", "ES-MD": "3117732", "ES-other": "2593109",
}  # fmt: skip
"""By the world's code; one of them stands for the rest of its country. What is in none is in no row."""
