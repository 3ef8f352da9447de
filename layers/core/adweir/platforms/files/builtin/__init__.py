"""Mappings that come with adweir, by source: exports of other tools, as their documents and real files have them.

A source's module is imported when a file of it comes. docs/mappings.md lists all of them with where their headers are
from.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from typing import cast

from adweir.model.mappings import Mapping
from adweir.model.platforms import Platform

CANONICAL = "adweir"
"""The source whose mappings have adweir's own columns."""
SOURCES = (
    "adweir",
    "amazon_ads",
    "apple_search_ads",
    "fivetran",
    "ga4",
    "google_ads",
    "hubspot",
    "linkedin_ads",
    "meta_ads",
    "microsoft_ads",
    "pinterest_ads",
    "reddit_ads",
    "salesforce",
    "shopify",
    "snapchat_ads",
    "tiktok_ads",
    "twitter_ads",
)
"""Each has a module here."""


def of_source(source: str) -> tuple[Mapping, ...]:
    """The mappings of a source, one per data type; none of a source that has none."""
    if source not in SOURCES:
        return ()
    return cast("tuple[Mapping, ...]", import_module(f"{__name__}.{source}").MAPPINGS)


def find(source: str, data_type: str) -> Mapping | None:
    """The mapping of a source and data type, None where there is none."""
    return next((each for each in of_source(source) if each.data_type == data_type), None)


def meant(mapping: Mapping) -> str:
    """What to say where a file does not fit adweir's own columns, which count for a source that has no mapping: it may
    be a slip of the pen. "" for every other mapping."""
    if mapping.source in SOURCES or any(column.names[0] != column.field for column in mapping.columns):
        return ""
    near = get_close_matches(mapping.source, SOURCES, 1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return f". There is no mapping of the source {mapping.source}, so adweir's own columns are expected{guess}"


def reading(source: Platform, data_type: str) -> Mapping | None:
    """How files of a source are read where nobody has said it: by its own mapping, else in adweir's own columns.

    None for a data type that has no columns of ours.
    """
    found = find(source, data_type)
    if found is not None:
        return found
    return canonical(source, data_type) if find(CANONICAL, data_type) else None


def canonical(source: Platform, data_type: str) -> Mapping:
    """How files of a source in adweir's own columns are read. Raises KeyError for a data type that has none."""
    found = find(CANONICAL, data_type)
    if found is None:
        raise KeyError(data_type)
    return found.model_copy(update={"source": source})


def every() -> Iterator[Mapping]:
    """All of them."""
    for source in SOURCES:
        yield from of_source(source)
