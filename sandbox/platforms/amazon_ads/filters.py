"""The filters of lists that are asked by POST: Sponsored Products v3, Brands v4 and portfolios.

Source: the request schemas of SponsoredProducts_prod_3p.json and SponsoredBrands_prod_3p.json. An empty `include`
filters nothing; a filter that is null is none. What a schema does not name is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.platforms.amazon_ads.errors import InvalidArgument

Entities = list[dict[str, Any]]
Filter = Callable[[Entities, str, Any], Entities]
"""Takes the entities, the filter's name and its value in the body."""

MATCHES = ("BROAD_MATCH", "EXACT_MATCH")
_LIVE_STATES = ("ENABLED", "PAUSED", "ARCHIVED")
_ALL_STATES = (*_LIVE_STATES, "ENABLING", "OTHER", "PROPOSED", "USER_DELETED")


def _included(name: str, value: Any, members: Iterable[str] = ("include",)) -> list[str]:
    """The strings under `include`. Raises InvalidArgument for another shape."""
    if not isinstance(value, dict) or not set(value) <= set(members):
        raise InvalidArgument(f"{name} must be an object with include", f"$.{name}")
    include = value.get("include")
    if not isinstance(include, list) or not all(isinstance(word, str) for word in include):
        raise InvalidArgument(f"{name} must include a list of strings", f"$.{name}.include")
    return include


def _allowed(name: str, words: list[str], allowed: Iterable[str]) -> list[str]:
    known = list(allowed)
    wrong = [word for word in words if word not in known]
    if wrong:
        text = f"{name} cannot include {wrong[0]!r}"
        raise InvalidArgument(text, f"$.{name}", "rangeError", reason="INVALID_ENUM_VALUE", allowed=known)
    return words


def ids(field: str) -> Filter:
    """Entities whose field is one of the ids."""

    def chosen(entities: Entities, name: str, value: Any) -> Entities:
        wanted = set(_included(name, value))
        if not all(re.fullmatch(r"[0-9]{1,19}", word) for word in wanted):
            raise InvalidArgument("Id filter has invalid value", f"$.{name}.include")
        return [entity for entity in entities if not wanted or entity.get(field) in wanted]

    return chosen


def one_of(field: str, allowed: Iterable[str]) -> Filter:
    """Entities whose field is one of the words under `include`."""

    def chosen(entities: Entities, name: str, value: Any) -> Entities:
        wanted = set(_allowed(name, _included(name, value), allowed))
        return [entity for entity in entities if not wanted or entity.get(field) in wanted]

    return chosen


def words(field: str, allowed: Iterable[str]) -> Filter:
    """The same with a plain list."""

    def chosen(entities: Entities, name: str, value: Any) -> Entities:
        return one_of(field, allowed)(entities, name, {"include": value})

    return chosen


def text(field: str, read: Callable[[Any], str] = str) -> Filter:
    """Entities whose text equals one of the texts (EXACT_MATCH) or contains one (BROAD_MATCH, the default)."""

    def chosen(entities: Entities, name: str, value: Any) -> Entities:
        wanted = _included(name, value, ("include", "queryTermMatchType"))
        match = _allowed(f"{name}.queryTermMatchType", [value.get("queryTermMatchType", "BROAD_MATCH")], MATCHES)
        exact = match == ["EXACT_MATCH"]

        def fits(found: str) -> bool:
            return any(word == found if exact else word.lower() in found.lower() for word in wanted)

        return [entity for entity in entities if not wanted or fits(read(entity.get(field)))]

    return chosen


def _products(expression: Any) -> str:
    return " ".join(predicate.get("value", "") for predicate in expression)


def without_effect(allowed: Iterable[str]) -> Filter:
    """A filter whose words are checked, and which does nothing."""

    def chosen(entities: Entities, name: str, value: Any) -> Entities:
        _allowed(name, _included(name, value), allowed)
        return entities

    return chosen


LIVE_STATE = one_of("state", _LIVE_STATES)
STATE = one_of("state", _ALL_STATES)
ASIN = text("expression", _products)


def filtered(entities: Entities, filters: dict[str, Filter], body: dict[str, Any]) -> Entities:
    """Apply those of the filters that the body names."""
    for name, chosen in filters.items():
        if body.get(name) is not None:
            entities = chosen(entities, name, body[name])
    return entities
