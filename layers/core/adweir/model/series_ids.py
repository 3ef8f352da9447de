"""The entity ids of series that belong to no ad platform: what their rows say of themselves, by name.

`name=EBIT~geo=DE`: so nothing but a row's own words decides which series it is a part of, and the id can be read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

ALL = "all"
"""The id of rows that say nothing of themselves."""
_BETWEEN, _IS = "~", "="
_WRITTEN = str.maketrans({"%": "%25", "~": "%7E", "#": "%23", "=": "%3D"})
"""What has a meaning here, or separates the parts of a storage key."""


def written(word: str) -> str:
    """A text as a part of an id."""
    return word.translate(_WRITTEN)


def series_id(said: Mapping[str, str]) -> str:
    """Names and texts → the id; empty texts say nothing."""
    return _BETWEEN.join(f"{name}{_IS}{written(word)}" for name, word in said.items() if word) or ALL


@lru_cache(maxsize=4096)
def said_in(entity_id: str) -> Mapping[str, str]:
    """The names and texts of an id."""
    named = (part.partition(_IS) for part in entity_id.split(_BETWEEN) if _IS in part)
    return {name: unquote(word) for name, _, word in named}
