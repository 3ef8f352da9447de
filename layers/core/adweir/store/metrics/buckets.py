"""Metric buckets: one item is one entity's month of days, or day of hours (docs/data-model.md).

pk   meta_ads#1234#ad#day#pull#2026-11
sk   the entity id
d07  [impressions, clicks, conversions, spend, revenue] in whole numbers and millionths (NULL: unknown), then what does
     not follow from coverage and the item: the stamp as text where another pull than the newest decided the slot, and
     {"cur": currency, "def": definition} where they differ; h07 in a partition of hours (h26: the second pass of hour
     2, on the night when clocks go back)
sum  the sums of the item's own slots
camp, grp, prod        parents' ids, ad product; grp is left out when it is what the entity id has before its first ~
cur  the currency of the slots that do not name their own (of several, the greatest text)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, cast

import msgspec

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
LISTS = f"{RESERVED}{RESERVED}"
"""Sort keys of the lists of campaigns (`store.metrics.members`) begin with it: they sort before all others."""

_NULL: dict[str, Any] = {"NULL": True}
_Known = tuple[int, int, int, int, int]
_MANY = 100
_SMALL: tuple[dict[str, Any], ...] = tuple({"N": str(number)} for number in range(_MANY))
"""Most clicks of an ad and a day are among these; most conversions and revenues are zero."""
_FIELDS = (("camp", "campaign_id"), ("grp", "ad_group_id"), ("prod", "ad_product"))


def can_be_key(entity_id: str) -> bool:
    """Whether an entity id can be a sort key: it sorts after what is reserved and has at most 1,024 bytes of UTF-8."""
    try:
        return entity_id[:1] > RESERVED and len(entity_id.encode()) <= limits.MAX_ENTITY_KEY_BYTES
    except UnicodeEncodeError:
        return False


class StoredSlot(msgspec.Struct, frozen=True, gc=False):
    """A slot's five numbers and their currency; its stamp and definition where they do not follow from coverage."""

    numbers: Slot
    stamp: Stamp | None = None
    currency: str = ""
    definition: str = ""


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
        campaign_id, group_id, product = self.parents
        if campaign_id:
            item["camp"] = {"S": campaign_id}
        if group_id != group_in(self.entity_id):
            item["grp"] = {"S": group_id}
        if product:
            item["prod"] = {"S": product}
        slots = sorted(self.slots.items())
        currency = max({slot.currency for _, slot in slots}, default="")
        if currency:
            item["cur"] = {"S": currency}
        numbers = [slot.numbers for _, slot in slots]
        total, unknown = _total(numbers)
        if unknown:
            item.update(zip((name for name, _ in slots), map(_list, numbers), strict=True))
        else:
            item.update(_known_lists([name for name, _ in slots], cast("list[_Known]", numbers)))
        for name, slot in slots:
            if slot.stamp or slot.currency != currency:
                item[name]["L"] += _beside(slot, currency)
        item["sum"] = _list(total)
        return item

    @classmethod
    def decode(cls, item: Raw) -> Bucket:
        """What `encode` made."""
        entity_id = item["sk"]["S"]
        texts = {name: item[short]["S"] if short in item else "" for short, name in _FIELDS}
        if "grp" not in item:
            texts["ad_group_id"] = group_in(entity_id)
        currency = item["cur"]["S"] if "cur" in item else ""
        slots = {
            name: _slot(value["L"], currency)
            for name, value in item.items()
            if len(name) == 3 and name[0] in "dh" and "L" in value
        }
        return cls(entity_id, Parents(**texts), slots)


def contains(slice_: str, level: Level, entity_id: str, parents: Parents) -> bool:
    """Whether an entity is inside a slice. A campaign need not name itself among its parents."""
    return slice_ == ALL or slices.contains(slice_, _campaign(level, entity_id, parents), parents.ad_product)


def around(level: Level, entity_id: str, parents: Parents) -> tuple[str, ...]:
    """The slices that an entity is inside of."""
    return slices.around(_campaign(level, entity_id, parents), parents.ad_product)


def _campaign(level: Level, entity_id: str, parents: Parents) -> str:
    return parents.campaign_id or (entity_id if level is Level.CAMPAIGN else "")


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


def _known_lists(names: list[str], numbers: list[_Known]) -> Raw:
    """The attributes of slots in which no number is unknown; most of a load's time is spent here."""
    return {
        name: {
            "L": [
                {"N": str(impressions)},
                _SMALL[clicks] if 0 <= clicks < _MANY else {"N": str(clicks)},
                {"N": str(conversions)} if conversions else _SMALL[0],
                {"N": str(spend)},
                {"N": str(revenue)} if revenue else _SMALL[0],
            ]
        }
        for name, (impressions, clicks, conversions, spend, revenue) in zip(names, numbers, strict=True)
    }


def _total(numbers: list[Slot]) -> tuple[Slot, bool]:
    """The sum of slots, and whether some number of them is unknown."""
    try:
        return cast("Slot", tuple(map(sum, zip(*numbers, strict=True)))), False
    except TypeError:
        return reduce(plus, numbers), True


def _slot(values: list[dict[str, Any]], currency: str) -> StoredSlot:
    numbers = cast("Slot", tuple([int(value["N"]) if "N" in value else None for value in values[:5]]))
    if len(values) == 5:
        return StoredSlot(numbers, None, currency)
    stamp, definition = None, ""
    for beside in values[5:]:
        if "S" in beside:
            stamp = Stamp.parse(beside["S"])
        else:
            named = beside["M"]
            currency = named["cur"]["S"] if "cur" in named else currency
            definition = named["def"]["S"] if "def" in named else ""
    return StoredSlot(numbers, stamp, currency, definition)


def _beside(slot: StoredSlot, currency: str) -> list[dict[str, Any]]:
    named: dict[str, Any] = {}
    if slot.currency != currency:
        named["cur"] = {"S": slot.currency}
    if slot.definition:
        named["def"] = {"S": slot.definition}
    stamp = [{"S": str(slot.stamp)}] if slot.stamp else []
    return [*stamp, {"M": named}] if named else stamp


def group_in(entity_id: str) -> str:
    """The ad group in the id of an ad or a keyword, `ad_group_id~ad_id`."""
    group, mark, _ = entity_id.partition("~")
    return group if mark else ""
