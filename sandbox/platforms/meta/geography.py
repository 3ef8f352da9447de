"""What Meta calls the world's regions, and the market areas in them, which only the United States have."""

from __future__ import annotations

from collections.abc import Mapping

UNKNOWN = "Unknown"
"""The region of what Meta cannot place, and of people abroad here."""
REGIONS: Mapping[str, str] = {
    "": UNKNOWN,
    "US-CA": "California", "US-TX": "Texas", "US-FL": "Florida", "US-NY": "New York", "US-other": "Ohio",
    "GB-ENG": "England", "GB-SCT": "Scotland", "GB-WLS": "Wales", "GB-NIR": "Northern Ireland",
    "DE-NW": "Nordrhein-Westfalen", "DE-BY": "Bayern", "DE-BE": "Berlin", "DE-HH": "Hamburg", "DE-other": "Hessen",
    "JP-13": "Tokyo", "JP-14": "Kanagawa", "JP-27": "Osaka", "JP-other": "Hokkaido",
    "KR-41": "Gyeonggi-do", "KR-11": "Seoul", "KR-other": "Busan",
    "ES-CT": "Cataluña", "ES-MD": "Comunidad de Madrid", "ES-other": "Andalucía",
}  # fmt: skip
"""By the world's code; one of them stands for the rest of its country."""
MARKETS: Mapping[str, str] = {
    "US-CA": "Los Angeles", "US-TX": "Dallas-Ft. Worth", "US-FL": "Miami-Ft. Lauderdale", "US-NY": "New York",
    "US-other": "Columbus, OH",
}  # fmt: skip
"""Market areas (DMA, Comscore's since) by the world's code of their region."""
