"""What Google's fields are called and what they hold, from the official classes' own lists (facts.txt).

facts.txt is made by contract/google_ads_facts.py. Its lines: `resource <name>`, below it a line per type with the
paths of attributes, `with` the resources whose attributes may be selected too, `metrics` and `segments`; `category
<metrics or segments>` and `message <name>` with their fields; `enum <name>` with its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

CORE_DATES = ("date", "week", "month", "quarter", "year")
"""The segments that may be in WHERE without being in SELECT (Google Ads API, Segmentation)."""


class FieldFact(NamedTuple):
    """A field's type: int64, int32, double, string, bool, enum or message, with the enum's or message's `name`."""

    kind: str
    name: str = ""
    repeated: bool = False


@dataclass
class GoogleResource:
    """A resource of FROM: its attributes, and what else may be selected with it."""

    name: str
    fields: dict[str, FieldFact] = field(default_factory=dict)
    attributed: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()

    def has(self, category: str, name: str) -> bool:
        """Whether a metric or a segment may be selected with the resource."""
        return name in (self.metrics if category == "metrics" else self.segments)


def _lines() -> Iterator[list[str]]:
    """Each line's words, with those of the lines that continue it."""
    text = (Path(__file__).parent / "facts.txt").read_text(encoding="utf-8")
    for line in text.replace("\n ", " ").splitlines():
        if not line.startswith("#"):
            yield line.split()


def _fact(text: str) -> FieldFact:
    kind, _, name = text.removesuffix("*").partition(":")
    return FieldFact(kind, name, text.endswith("*"))


class _FactLists:
    """The file, read once."""

    def __init__(self) -> None:
        self.resources: dict[str, GoogleResource] = {}
        self.categories: dict[str, dict[str, FieldFact]] = {}
        self.messages: dict[str, dict[str, FieldFact]] = {}
        self.enums: dict[str, tuple[str, ...]] = {}
        fields: dict[str, FieldFact] = {}
        resource = GoogleResource("")
        for head, *words in _lines():
            match head:
                case "resource":
                    resource = self.resources[words[0]] = GoogleResource(words[0])
                    fields = resource.fields
                case "category":
                    fields = self.categories.setdefault(words[0], {})
                case "message":
                    fields = self.messages.setdefault(words[0], {})
                case "enum":
                    self.enums[words[0]] = tuple(words[1:])
                case "with":
                    resource.attributed = frozenset(words)
                case "metrics":
                    resource.metrics = frozenset(words)
                case "segments":
                    resource.segments = frozenset(words)
                case _:
                    fields.update(dict.fromkeys(words, _fact(head)))


_FACTS = _FactLists()
RESOURCES: Mapping[str, GoogleResource] = _FACTS.resources
MESSAGES: Mapping[str, Mapping[str, FieldFact]] = _FACTS.messages
ENUMS: Mapping[str, tuple[str, ...]] = _FACTS.enums
CATEGORIES: Mapping[str, Mapping[str, FieldFact]] = _FACTS.categories
"""`metrics` and `segments`."""


def fact_of(path: str) -> FieldFact | None:
    """What a field of a query holds; None when v26 has none of that name."""
    head, _, rest = path.partition(".")
    if head in CATEGORIES:
        return CATEGORIES[head].get(rest)
    return RESOURCES[head].fields.get(rest) if head in RESOURCES else None


def camel(path: str) -> str:
    """`ad_group_ad.ad.final_urls` → `adGroupAd.ad.finalUrls`, as protobuf's JSON spells names."""
    return re.sub(r"_+([a-z0-9])", lambda found: found[1].upper(), path)
