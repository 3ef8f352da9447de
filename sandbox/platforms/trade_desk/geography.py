"""What MyReports calls places: the labels of the columns Country, Region and Metro."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.world.located import Located

UNKNOWN = "Unknown"
_COUNTRIES = {
    "US": "United States", "CA": "Canada", "DE": "Germany", "AT": "Austria", "JP": "Japan", "KR": "Korea, Republic of",
    "GB": "United Kingdom", "IE": "Ireland", "ES": "Spain", "PT": "Portugal",
}  # fmt: skip
REGIONS: Mapping[str, str] = {
    "": UNKNOWN,
    "US-CA": "California", "US-TX": "Texas", "US-FL": "Florida", "US-NY": "New York", "US-other": "Ohio",
    "GB-ENG": "England", "GB-SCT": "Scotland", "GB-WLS": "Wales", "GB-NIR": "Northern Ireland",
    "DE-NW": "Nordrhein-Westfalen", "DE-BY": "Bayern", "DE-BE": "Berlin", "DE-HH": "Hamburg", "DE-other": "Hessen",
    "JP-13": "Tokyo", "JP-14": "Kanagawa", "JP-27": "Osaka", "JP-other": "Hokkaido",
    "KR-41": "Gyeonggi-do", "KR-11": "Seoul", "KR-other": "Busan",
    "ES-CT": "Cataluna", "ES-MD": "Madrid", "ES-other": "Andalucia",
}  # fmt: skip
"""By the world's code; one of them stands for the rest of its country."""
_METROS = {
    "US-CA": "Los Angeles CA", "US-TX": "Dallas-Ft. Worth TX", "US-FL": "Miami-Ft. Lauderdale FL",
    "US-NY": "New York NY", "US-other": "Columbus OH",
}  # fmt: skip
"""Only the United States have metros."""
PLACES: Mapping[str, Callable[[Located], str]] = {
    "Country": lambda place: _COUNTRIES[place.country],
    "Region": lambda place: REGIONS[place.region],
    "Metro": lambda place: _METROS.get(place.region, UNKNOWN),
}
"""The columns that divide rows by place, with their labels."""
