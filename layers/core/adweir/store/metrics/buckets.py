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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from itertools import islice
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

ToWrite = Raw | msgspec.Raw
"""An item to write. That of a bucket is its JSON text: some 170 nested values that nobody needs as objects."""

RESERVED = "!"
"""Sort keys that begin with it are not entities. It sorts first, because entity ids begin with a greater character."""
LISTS = f"{RESERVED}{RESERVED}"
"""Sort keys of the lists of campaigns (`store.metrics.members`) begin with it: they sort before all others."""

_BETWEEN = '"},{"N":"'
"""Between two numbers of a slot."""
_TOGETHER = 100
"""Buckets that become text together."""
_DAY_CHARS = len("2026-11-21")
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


class PlainSlots(Mapping[str, StoredSlot]):
    """Slots as one pull brought them, in the order of their names and in one currency: the same stands beside the
    numbers of each, nothing where the pull is the newest. They become objects only for those who ask."""

    __slots__ = ("currency", "definition", "names", "numbers", "stamp")

    def __init__(
        self,
        names: Sequence[str],
        numbers: Sequence[Slot],
        currency: str,
        stamp: Stamp | None = None,
        definition: str = "",
    ) -> None:
        self.names = names
        self.numbers = numbers
        self.currency = currency
        self.stamp = stamp
        self.definition = definition

    def __getitem__(self, name: str) -> StoredSlot:
        if name not in self.names:
            raise KeyError(name)
        return StoredSlot(self.numbers[self.names.index(name)], self.stamp, self.currency, self.definition)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition and the part of a window that falls into it: slot name → (slot key, day)."""

    pk: str
    suffix: str
    names: Mapping[str, tuple[str, str]]

    @property
    def days(self) -> list[str]:
        return sorted({day for _, day in self.names.values()})


@lru_cache(maxsize=512)
def places(keys: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    """Of slot keys: the slots' names, their days, and their hours, -1 of a day's."""
    names = tuple(f"h{key[11:]}" if len(key) > _DAY_CHARS else f"d{key[8:]}" for key in keys)
    hours = tuple(int(key[11:]) if len(key) > _DAY_CHARS else -1 for key in keys)
    return names, tuple(key[:_DAY_CHARS] for key in keys), hours


def prefix(series: Series, source: Source) -> str:
    """The common beginning of all partition keys of one series and source."""
    level = f"{series.level}/{series.breakdown}" if series.breakdown else series.level
    return f"{series.platform}#{series.profile_id}#{level}#{series.grain}#{source}"


def partitions(series: Series, source: Source, window: Window) -> Iterator[Partition]:
    """The partitions of a window, oldest first: one per month for days, one per day for hours."""
    common = prefix(series, source)
    for suffix, names in _suffixes(series.grain, window):
        yield Partition(f"{common}#{suffix}", suffix, names)


@lru_cache(maxsize=32)
def _suffixes(grain: Grain, window: Window) -> tuple[tuple[str, Mapping[str, tuple[str, str]]], ...]:
    """How the keys of a window's partitions end, and their slots. A question asks it of each level and source."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for date in window.days():
        day = date.isoformat()
        if grain is Grain.HOUR:
            found[day] = {f"h{hour:02d}": (slot_key(day, hour), day) for hour in SLOT_HOURS}
        else:
            found.setdefault(day[:7], {})[f"d{day[8:]}"] = (day, day)
    return tuple(found.items())


@dataclass(slots=True)
class Bucket:
    """An item in memory. `slots` by slot name."""

    entity_id: str
    parents: Parents
    slots: Mapping[str, StoredSlot] = field(default_factory=dict)

    def with_parents(self, other: Parents) -> Bucket:
        """Fill in unknown parents. When two pulls disagree, the greater text is kept, whichever came first."""
        return replace(self, parents=Parents(*(max(pair) for pair in zip(self.parents, other, strict=True))))

    def encode(self, pk: str) -> msgspec.Raw:
        """The item as DynamoDB takes it."""
        return next(encoded(pk, [self]))

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
    if slice_ == ALL or (parents.campaign_id and parents.ad_product):
        return parents
    return parents._replace(
        campaign_id=parents.campaign_id or slices.campaign_of(slice_),
        ad_product=parents.ad_product or slices.product_of(slice_),
    )


def encoded(pk: str, buckets: Iterable[Bucket]) -> Iterator[msgspec.Raw]:
    """The items of buckets, as DynamoDB takes them.

    Most of a load's time would be spent here. So the numbers of many items become text at once, and what DynamoDB wants
    around each number replaces the commas.
    """
    waiting = iter(buckets)
    while chunk := list(islice(waiting, _TOGETHER)):
        begun = [_begun(pk, bucket) for bucket in chunk]
        sums = [_total(numbers) for _, _, numbers in begun]
        slots = [slot for (_, _, numbers), (total, _) in zip(begun, sums, strict=True) for slot in (*numbers, total)]
        text = msgspec.json.encode(slots).decode()[2:-2].replace(",", _BETWEEN)
        values = iter(text.split(f"]{_BETWEEN}["))
        for (keys, frame, numbers), (_, unknown) in zip(begun, sums, strict=True):
            attributes = frame % tuple(islice(values, len(numbers) + 1))
            if unknown:
                attributes = attributes.replace('{"N":"null"}', '{"NULL":true}')
            yield msgspec.Raw(f"{keys[:-1]},{attributes}}}")


def _begun(pk: str, bucket: Bucket) -> tuple[str, str, Sequence[Slot]]:
    """An item's attributes that are not slots; the others and their sum with a gap for the numbers of each; these."""
    keys: Raw = {"pk": {"S": pk}, "sk": {"S": bucket.entity_id}}
    campaign_id, group_id, product = bucket.parents
    if campaign_id:
        keys["camp"] = {"S": campaign_id}
    if group_id != group_in(bucket.entity_id):
        keys["grp"] = {"S": group_id}
    if product:
        keys["prod"] = {"S": product}
    slots = bucket.slots
    if isinstance(slots, PlainSlots):
        currency, frame, numbers = slots.currency, _plain_frame(tuple(slots.names)), slots.numbers
        if slots.stamp:
            beside = _written_beside(slots.stamp, None, slots.definition)
            frame = _even_frame(tuple(slots.names), (beside,) * len(numbers))
    else:
        names = sorted(slots)
        currency = max(slot.currency for slot in slots.values())
        frame = _even_frame(tuple(names), tuple(_beside(slots[name], currency) for name in names))
        numbers = [slots[name].numbers for name in names]
    if currency:
        keys["cur"] = {"S": currency}
    return msgspec.json.encode(keys).decode(), frame, numbers


def _frame(names: Iterable[str], beside: Iterable[str]) -> str:
    attributes = zip((*names, "sum"), (*beside, ""), strict=True)
    return ",".join(f'"{name}":{{"L":[{{"N":"%s"}}{more}]}}' for name, more in attributes)


@lru_cache(maxsize=512)
def _even_frame(names: tuple[str, ...], beside: tuple[str, ...]) -> str:
    """Kept: the slots of a file have the same stamp, and most of its entities the same days."""
    return _frame(names, [each.replace("%", "%%") for each in beside])


@lru_cache(maxsize=512)
def _plain_frame(names: tuple[str, ...]) -> str:
    return _frame(names, [""] * len(names))


def _total(numbers: Sequence[Slot]) -> tuple[Slot, bool]:
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


def _beside(slot: StoredSlot, currency: str) -> str:
    """What stands beside a slot's numbers, as the elements that follow them."""
    if not slot.stamp and slot.currency == currency:
        return ""
    return _written_beside(slot.stamp, None if slot.currency == currency else slot.currency, slot.definition)


@lru_cache(maxsize=512)
def _written_beside(stamp: Stamp | None, other_currency: str | None, definition: str) -> str:
    named: dict[str, Any] = {}
    if other_currency is not None:
        named["cur"] = {"S": other_currency}
    if definition:
        named["def"] = {"S": definition}
    found: list[dict[str, Any]] = [{"S": str(stamp)}] if stamp else []
    if named:
        found.append({"M": named})
    return "".join(f",{msgspec.json.encode(each).decode()}" for each in found)


def group_in(entity_id: str) -> str:
    """The ad group in the id of an ad or a keyword, `ad_group_id~ad_id`."""
    group, mark, _ = entity_id.partition("~")
    return group if mark else ""
