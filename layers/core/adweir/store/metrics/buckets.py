"""Metric buckets: one item is one entity's month of days, or day of hours (docs/data-model.md).

pk   meta_ads#1234#ad#day#pull#2026-11
sk   the entity id
d07  [impressions, clicks, conversions, spend, revenue] in whole numbers and millionths (NULL: unknown), and a sixth
     element, the stamp, when a partial pull wrote the slot; h07 in a partition of hours (h26: the second pass of
     hour 2, on the night when clocks go back)
sum  the sums of the item's own slots
camp, grp, prod, cur   parents' ids, ad product, currency; grp is left out when the entity id begins with it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, NamedTuple, cast

from adweir.model import limits, slices
from adweir.model.metrics import Grain, Level, Series, Slot, Source, plus
from adweir.model.slices import ALL
from adweir.model.tasks import Stamp
from adweir.model.times import SLOT_HOURS, Window
from adweir.store.metrics.brought import Parents, slot_key

Raw = dict[str, dict[str, Any]]
"""An item as DynamoDB's wire has it: attribute → {"S": ...}, {"N": ...}, {"L": ...}."""

RESERVED = "!"
"""Sort keys that begin with it are not entities. It sorts first, because entity ids begin with a greater character."""


_NULL: dict[str, Any] = {"NULL": True}
_FIELDS = (("camp", "campaign_id"), ("grp", "ad_group_id"), ("prod", "ad_product"), ("cur", "currency"))


def can_be_key(entity_id: str) -> bool:
    """Whether an entity id can be a sort key: it sorts after what is reserved and has at most 1,024 bytes of UTF-8."""
    try:
        return entity_id[:1] > RESERVED and len(entity_id.encode()) <= limits.MAX_ENTITY_KEY_BYTES
    except UnicodeEncodeError:
        return False


class StoredSlot(NamedTuple):
    """A slot's five numbers, and its stamp when it does not follow from coverage."""

    numbers: Slot
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition and the part of a window that falls into it: slot name → (slot key, day)."""

    pk: str
    suffix: str
    names: Mapping[str, tuple[str, str]]

    @property
    def days(self) -> list[str]:
        return sorted({day for _, day in self.names.values()})


def prefix(series: Series, source: Source) -> str:
    """The common beginning of all partition keys of one series and source."""
    level = f"{series.level}/{series.breakdown}" if series.breakdown else series.level
    return f"{series.platform}#{series.profile_id}#{level}#{series.grain}#{source}"


def partitions(series: Series, source: Source, window: Window) -> Iterator[Partition]:
    """The partitions of a window, oldest first: one per month for days, one per day for hours."""
    common = prefix(series, source)
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for date in window.days():
        day = date.isoformat()
        if series.grain is Grain.HOUR:
            found[day] = {f"h{hour:02d}": (slot_key(day, hour), day) for hour in SLOT_HOURS}
        else:
            found.setdefault(day[:7], {})[f"d{day[8:]}"] = (day, day)
    for suffix, names in found.items():
        yield Partition(f"{common}#{suffix}", suffix, names)


@dataclass(slots=True)
class Bucket:
    """An item in memory. `slots` by slot name."""

    entity_id: str
    parents: Parents
    slots: dict[str, StoredSlot] = field(default_factory=dict)

    def with_parents(self, other: Parents) -> Bucket:
        """Fill in unknown parents. When two pulls disagree, the greater text is kept, whichever came first."""
        return replace(self, parents=Parents(*(max(pair) for pair in zip(self.parents, other, strict=True))))

    def encode(self, pk: str) -> Raw:
        """The item as DynamoDB takes it."""
        item: Raw = {"pk": {"S": pk}, "sk": {"S": self.entity_id}}
        for short, name in _FIELDS:
            value = getattr(self.parents, name)
            if value and not (short == "grp" and self.entity_id.startswith(value + "~")):
                item[short] = {"S": value}
        for name in sorted(self.slots):
            numbers, stamp = self.slots[name]
            item[name] = _list(numbers)
            if stamp:
                item[name]["L"].append({"S": str(stamp)})
        item["sum"] = _list(reduce(plus, (slot.numbers for slot in self.slots.values())))
        return item

    @classmethod
    def decode(cls, item: Raw) -> Bucket:
        """What `encode` made."""
        entity_id = item["sk"]["S"]
        texts = {name: item[short]["S"] if short in item else "" for short, name in _FIELDS}
        if "grp" not in item and "~" in entity_id:
            texts["ad_group_id"] = entity_id.partition("~")[0]
        slots = {
            name: _slot(value["L"])
            for name, value in item.items()
            if len(name) == 3 and name[0] in "dh" and "L" in value
        }
        return cls(entity_id, Parents(**texts), slots)


def contains(slice_: str, level: Level, entity_id: str, parents: Parents) -> bool:
    """Whether an entity is inside a slice. A campaign need not name itself among its parents."""
    if slice_ == ALL:
        return True
    campaign = parents.campaign_id or (entity_id if level is Level.CAMPAIGN else "")
    return slices.contains(slice_, campaign, parents.ad_product)


def claimed(slice_: str, parents: Parents) -> Parents:
    """The parents of a row that a slice brought: what the row leaves open follows from the slice."""
    if slice_ == ALL:
        return parents
    return parents._replace(
        campaign_id=parents.campaign_id or slices.campaign_of(slice_),
        ad_product=parents.ad_product or slices.product_of(slice_),
    )


def _list(numbers: Slot) -> dict[str, list[dict[str, Any]]]:
    return {"L": [_NULL if number is None else {"N": str(number)} for number in numbers]}


def _slot(values: list[dict[str, str]]) -> StoredSlot:
    numbers = cast("Slot", tuple([int(value["N"]) if "N" in value else None for value in values[:5]]))
    return StoredSlot(numbers, Stamp.parse(values[5]["S"]) if len(values) > 5 else None)
