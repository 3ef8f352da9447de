"""How stored numbers differ from what the pulls that answer for them were sent: the item `!adjusted` of a partition.

`adj` is JSON: day → slice → the stamp of the pull and its entries, one for each entity of which it quarantined rows or
changed numbers. A day and slice belong to the pull that coverage names for them, so the item depends on the set of
pulls alone, as coverage does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from adweir.model.metrics import Deltas, Slot
from adweir.store.metrics.buckets import RESERVED, Raw

ADJUSTED = f"{RESERVED}adjusted"


class AdjustedEntity(msgspec.Struct, array_like=True, frozen=True):
    """One entity's: `quarantined` sums its `rows` quarantined rows, None where a number could not be read."""

    entity_id: str
    campaign_id: str
    ad_group_id: str
    ad_product: str
    rows: int
    quarantined: Slot
    cleaned: Deltas


class AdjustedSlice(msgspec.Struct, array_like=True, frozen=True):
    """Those of one pull, slice and day. `stamp` as text."""

    stamp: str
    entries: tuple[AdjustedEntity, ...]


class Adjustment(NamedTuple):
    """How the stored numbers of an entity and day differ from what the pull that answers for them was sent.

    `quarantined`: the sums of its `rows` quarantined rows, None where a number could not be read. `cleaned`: stored
    minus sent, in the order and units of a slot; rounding leaves parts of a millionth. `entity_id` is "" where a day
    has more adjustments than are kept one by one: those are added up.
    """

    entity_id: str
    campaign_id: str
    ad_group_id: str
    ad_product: str
    day: str
    rows: int
    quarantined: Slot
    cleaned: Deltas


Adjusted = dict[str, dict[str, AdjustedSlice]]
"""Day → slice → entries."""


def decode(item: Raw | None) -> Adjusted:
    """The item's adjustments; none of a missing item."""
    return {} if item is None else msgspec.json.decode(item["adj"]["S"], type=Adjusted)


def encode(pk: str, adjusted: Mapping[str, Mapping[str, AdjustedSlice]]) -> Raw:
    """The item as DynamoDB takes it; only its keys when there is none, which deletes it."""
    item: Raw = {"pk": {"S": pk}, "sk": {"S": ADJUSTED}}
    if adjusted:
        item["adj"] = {"S": msgspec.json.encode(adjusted, order="sorted").decode()}
    return item
