"""Breakdowns: the rows of a level, split by age and gender, country, region, device, placement,
search term, conversion action or shop.

A breakdown is a series of its own. A query reaches it only by naming one of its dimensions, and then sums nothing else.
The rows' entity ids are `<entity>~<value>`; a value of two dimensions is `<one>/<other>`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from adweir.model.datasets import BETWEEN_VALUES, Dataset
from adweir.model.errors import Unprocessable
from adweir.model.metrics import Level

BREAKDOWNS: Mapping[str, tuple[str, ...]] = {
    "age_gender": ("age", "gender"),
    "age": ("age",),
    "gender": ("gender",),
    "country": ("country",),
    "region": ("region",),
    "device": ("device",),
    "placement": ("placement",),
    "search_term": ("search_term",),
    "conversion_action": ("conversion_action",),
    "shop": ("shop",),
}
"""Breakdown, as it stands in a series → its dimensions, in the order of its values."""

DIMENSIONS = tuple(dict.fromkeys(name for names in BREAKDOWNS.values() for name in names))
_LEAVE_A_REST = frozenset({"region"})
"""What no region is known of is a part of the campaign too. Values of others may overlap."""
_PARTS_OF_AN_ID = {Level.AD: 2, Level.KEYWORD: 2}
_SPLIT = tuple(dataset for dataset in Dataset if dataset.breakdown)


def breakdown_of(names: Collection[str], levels: Collection[Level], served: Collection[Dataset] = ()) -> str:
    """The breakdown whose dimensions are among the names; "" when there is none.

    `levels` are those that could answer. Of several, the first that a platform has which serves `served`: one splits by
    age and gender together, another by each of them alone. Raises Unprocessable that lists what exists when no one
    dataset has them all.
    """
    asked = {name for name in names if name in DIMENSIONS}
    if not asked:
        return ""
    having = [breakdown for breakdown, dimensions in BREAKDOWNS.items() if asked <= set(dimensions)]
    for datasets in (served, _SPLIT):
        split = {dataset.breakdown for dataset in datasets if dataset.level in levels}
        found = next((breakdown for breakdown in having if breakdown in split), "")
        if found:
            return found
    known = [f"{dataset.level} by {' and '.join(BREAKDOWNS[dataset.breakdown])}" for dataset in _SPLIT]
    message = f"no dataset has {', '.join(sorted(asked))} at this level; there are: {'; '.join(known)}"
    raise Unprocessable(message, [{"field": "dimensions", "message": message, "known": known}])


def leaves_a_rest(breakdown: str) -> bool:
    """Whether what the values leave of the whole is shown: those of others may overlap."""
    return breakdown in _LEAVE_A_REST


def split_entity(level: Level, entity_id: str, ad_group_id: str) -> tuple[str, str]:
    """A breakdown row's entity id → the entity's own id, and the value."""
    own = f"{ad_group_id}~"
    begin = len(own) if _PARTS_OF_AN_ID.get(level) == 2 and ad_group_id and entity_id.startswith(own) else 0
    end = entity_id.find("~", begin)
    return (entity_id, "") if end < 0 else (entity_id[:end], entity_id[end + 1 :])


def values_of(breakdown: str, value: str) -> dict[str, str]:
    """A breakdown's value → its dimensions."""
    names = BREAKDOWNS[breakdown]
    return dict(zip(names, value.split(BETWEEN_VALUES, len(names) - 1) if len(names) > 1 else (value,), strict=False))
