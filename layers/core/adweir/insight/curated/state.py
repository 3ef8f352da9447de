"""What an ad account's objects in `curated/` were made of, so that a run finds what changed without reading it again.

One small object per ad account. It is written before the months that are to be made, which then have no `basis`: a
worker that dies among them leaves them to the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from adweir.insight.curated.layout import STATE, file_name
from adweir.model.metrics import Grain

_FORM = 2
"""Of what is made of the same data. A greater one has everything made anew."""
OPEN = "?"
"""Instead of what an object of entities is made of, while it is made."""


class MonthPart(NamedTuple):
    """What is made at once: a month of days or hours, of all plain levels or of those with one breakdown."""

    grain: Grain
    breakdown: str
    month: str

    @property
    def name(self) -> str:
        """As the state names it."""
        return "|".join(self)

    @classmethod
    def named(cls, name: str) -> Self:
        """What `name` names."""
        grain, breakdown, month = name.split("|")
        return cls(Grain(grain), breakdown, month)


@dataclass(slots=True)
class MadePart:
    """What a part was made of; "" as long as it has to be made.

    `levels` have objects, or may have. `campaigns` have rows in it, those of `unnamed` rows of objects without a name;
    "" stands for a campaign that is not known. `objects`: table and level → a digest of the object, "" where there is
    none. `read`: level → the newest changes files of which its changes are made. Both are None while it is made.
    """

    basis: str = ""
    levels: list[str] = field(default_factory=list)
    campaigns: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    objects: dict[str, str] | None = None
    read: dict[str, list[str]] | None = None

    def concerns(self, renamed: frozenset[str], added: frozenset[str]) -> bool:
        """Whether it shows a name of an object of these campaigns that changed, or lacks one that is known now."""
        return _meet(self.campaigns, renamed) or _meet(self.unnamed, added)


@dataclass(slots=True)
class AccountState:
    """The state of an ad account. `names`: dataset → object → a digest of what it is called. `entities`: dataset →
    what its object was made of. `late`: the parts that are not made, for they have too many rows or take longer than an
    invocation."""

    parts: dict[str, MadePart] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    entities: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {"form": _FORM, **asdict(self)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From what is kept; of another form, only where objects may be."""
        parts = {name: MadePart(**each) for name, each in document.get("parts", {}).items()}
        if document.get("form") != _FORM:
            opened = dict.fromkeys(document.get("entities", ()), OPEN)
            return cls({name: MadePart(levels=each.levels) for name, each in parts.items()}, entities=opened)
        return cls(parts, document["names"], document["entities"], document["late"])

    def open(self, part: str) -> None:
        """Have a part to be made, wherever objects of it may be."""
        self.parts[part] = MadePart(levels=self.parts[part].levels)


def state_key(platform: str, profile_id: str) -> str:
    """Where the state of an ad account is."""
    return f"{STATE}{platform}/{file_name(profile_id).removesuffix('.parquet')}"


def _meet(campaigns: list[str], asked: frozenset[str]) -> bool:
    """Whether one of these campaigns is asked for; one that is not known may be any."""
    if not asked or not campaigns:
        return False
    return "" in asked or "" in campaigns or not asked.isdisjoint(campaigns)
