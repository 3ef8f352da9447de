"""What a row is cut into: a country, or one part of an audience. Parts sum to the whole unless TikTok leaves some out.

Source: the second reading, B22 and C30: province_id and interest_category are filtered, gender has NONE. Places are
those of the world (`located`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from sandbox.platforms.tiktok_ads.geography import PROVINCES
from sandbox.world import Numbers, WorldAd, WorldProfile
from sandbox.world.located import located
from sandbox.world.numbers import split

_AGES = {"AGE_13_17": 1, "AGE_18_24": 6, "AGE_25_34": 7, "AGE_35_44": 4, "AGE_45_54": 2, "AGE_55_100": 1, "NONE": 1}
_GENDERS = {"FEMALE": 5, "MALE": 4, "NONE": 1}
_HIDDEN = ""
"""The part that TikTok leaves out."""
_PARTS = {
    "age": _AGES,
    "gender": _GENDERS,
    "platform": {"ANDROID": 5, "IPHONE": 6, "IPAD": 1, "NONE": 1},
    "placement": {"TikTok": 8, "Pangle": 1, "Global App Bundle": 1},
    "language": {"en": 7, "es": 2, "und": 1},
    "ac": {"WIFI": 6, "4G": 3, "5G": 2},
    "interest_category": {"15": 3, "22": 2, _HIDDEN: 5},
}
AUDIENCE = frozenset({*_PARTS, "country_code", "province_id"})
"""The dimensions of audience reports; age and gender are the only pair."""
BASIC = frozenset({"country_code", "search_terms"})
_PLACES = {"country_code", "province_id"}
_THINGS = 1000
"""So many things that are searched for are kept."""
_FEW = 5
"""Impressions of a search term below this are written `<5`."""


def parts(
    profile: WorldProfile, ad: WorldAd | None, numbers: Numbers, dimensions: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Numbers]]:
    """The values of the dimensions, and the part of the numbers that each has."""
    if not dimensions:
        yield (), numbers
        return
    if _PLACES.issuperset(dimensions):
        for where, part in located(profile, numbers):
            value = where.country if dimensions[0] == "country_code" else PROVINCES.get(where.region, _HIDDEN)
            if value != _HIDDEN:
                yield (value,), part
        return
    thing = (ad.name if ad else profile.name).rpartition(" ")[0].lower() if "search_terms" in dimensions else ""
    labels, weights = _labels(dimensions, thing)
    for label, part in zip(labels, split(numbers, weights), strict=True):
        if _HIDDEN not in label and not part.is_zero:
            yield label, part


@lru_cache(_THINGS)
def _labels(dimensions: tuple[str, ...], thing: str) -> tuple[list[tuple[str, ...]], list[int]]:
    """The values of the dimensions together, and their weights. `thing`: what people search for."""
    tables = [_searched(thing) if name == "search_terms" else _PARTS[name] for name in dimensions]
    labels = list(product(*tables))
    return labels, [_product(tables, label) for label in labels]


def _searched(thing: str) -> dict[str, int]:
    return {thing: 30, f"best {thing}": 3, f"{thing} sale": 1, _HIDDEN: 900}


def _product(tables: list[dict[str, int]], label: tuple[str, ...]) -> int:
    found = 1
    for table, value in zip(tables, label, strict=True):
        found *= table[value]
    return found


def few(text: str) -> str:
    """A search term's impressions as TikTok writes them."""
    return f"<{_FEW}" if int(text) < _FEW else text
