"""How stored numbers differ from what the pulls that answer for them were sent: the items `!adjusted#<day>`.

`adj` is JSON: slice → the stamp of the pull, and one entry for each entity of which it quarantined rows or changed
numbers. A day and slice belong to the pull that coverage names for them, so the item depends on the set of pulls alone,
as coverage does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from adweir.model.metrics import Deltas, Slot
from adweir.model.tasks import Pull
from adweir.store.metrics.adjusting import AdjustedEntity
from adweir.store.metrics.brought import Parents, PullRows
from adweir.store.metrics.buckets import RESERVED, Raw, claimed
from adweir.store.metrics.coverage import Coverage

ADJUSTED = f"{RESERVED}adjusted#"
"""What the sort keys begin with; they sort before coverage."""


class AdjustedSlice(msgspec.Struct, array_like=True, frozen=True):
    """Those of one pull, slice and day. `stamp` as text."""

    stamp: str
    entries: tuple[AdjustedEntity, ...]


class Adjustment(NamedTuple):
    """How the stored numbers of an entity and day differ from what the pull that answers for them was sent.

    `quarantined`: the sums of its `rows` quarantined rows, None where none of them has a number. `cleaned`: stored
    minus sent, in the order and units of a slot; rounding leaves parts of a millionth. `entity_id` is "" where a day
    has more adjustments than are kept one by one: those are added up by campaign, and with even more campaigns all
    others, whose `campaign_id` then is "", too. `currency` is the one that the rows were in.
    """

    entity_id: str
    campaign_id: str
    ad_group_id: str
    ad_product: str
    day: str
    rows: int
    quarantined: Slot
    cleaned: Deltas
    currency: str


Adjusted = dict[str, AdjustedSlice]
"""Slice → adjustments of a day."""


def key(day: str) -> str:
    """The sort key of a day's item."""
    return f"{ADJUSTED}{day}"


def decode(item: Raw | None) -> Adjusted:
    """The item's adjustments; none of a missing item."""
    return {} if item is None else msgspec.json.decode(item["adj"]["S"], type=Adjusted)


def encode(pk: str, day: str, adjusted: Mapping[str, AdjustedSlice]) -> Raw:
    """The item as DynamoDB takes it; only its keys when there is none, which deletes it."""
    item: Raw = {"pk": {"S": pk}, "sk": {"S": key(day)}}
    if adjusted:
        item["adj"] = {"S": msgspec.json.encode(adjusted, order="sorted").decode()}
    return item


def adjust(
    pull: Pull, rows: PullRows, days: Iterable[str], goal: Coverage, stored: Mapping[str, Raw]
) -> dict[str, Adjusted]:
    """Day → its adjustments after a complete pull; `stored` are the items by sort key.

    `goal` says which pulls answer then: what belongs to others goes.
    """
    found = {}
    for day in days:
        answers = {slice_: str(answer.stamp) for slice_, answer in goal.days.get(day, {}).items()}
        now = {
            slice_: each for slice_, each in decode(stored.get(key(day))).items() if answers.get(slice_) == each.stamp
        }
        entries = rows.adjusting.of(day)
        if entries and answers.get(pull.slice) == str(pull.stamp):
            named = tuple(_named(pull, entry, rows) for entry in entries)
            now[pull.slice] = AdjustedSlice(str(pull.stamp), named)
        found[day] = now
    return found


def parents_of(entry: AdjustedEntity, known: Parents) -> Parents:
    """The entry's parents, filled in with what else is known of them."""
    given = Parents(entry.campaign_id, entry.ad_group_id, entry.ad_product)
    return Parents(*map(max, given, known))


def _named(pull: Pull, entry: AdjustedEntity, rows: PullRows) -> AdjustedEntity:
    """The entry with what the pull knows of its parents, and its currency."""
    parents = claimed(pull.slice, parents_of(entry, rows.parents(entry.entity_id)))
    currency = entry.currency or rows.currency or pull.currency
    return msgspec.structs.replace(entry, **parents._asdict(), currency=currency)
