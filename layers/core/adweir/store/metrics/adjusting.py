"""What quarantine and cleaning make of the rows of a pull, added up by entity and day while they are read."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import cast

import msgspec

from adweir.model import limits
from adweir.model.metrics import NO_NUMBERS, Deltas, Slot, plus

_EXACT = Context(prec=1000)
"""More than any sum here has: rounded numbers leave parts of a millionth, quarantined ones may be absurd."""
_ZERO = Decimal(0)
NO_DELTAS: Deltas = (_ZERO, _ZERO, _ZERO, _ZERO, _ZERO)


class AdjustedEntity(msgspec.Struct, array_like=True, frozen=True):
    """One entity's of a day: `quarantined` sums its `rows` quarantined rows, None where none of them has a number.

    `cleaned` is stored minus sent, in the order and units of a slot. `entity_id` is "" for the sum of those beyond the
    first `limits.MAX_ADJUSTED_ENTITIES` of a day.
    """

    entity_id: str
    campaign_id: str
    ad_group_id: str
    ad_product: str
    rows: int
    quarantined: Slot
    cleaned: Deltas

    def plus(self, rows: int, quarantined: Slot, cleaned: Deltas) -> AdjustedEntity:
        """With some more of the same entity and day."""
        sums = (_EXACT.add(one, other) for one, other in zip(self.cleaned, cleaned, strict=True))
        return msgspec.structs.replace(
            self,
            rows=self.rows + rows,
            quarantined=plus(self.quarantined, quarantined),
            cleaned=cast("Deltas", tuple(sums)),
        )


class Adjusting:
    """The adjustments of one pull. Memory is bounded by the days of its window."""

    def __init__(self) -> None:
        self._days: dict[str, dict[str, AdjustedEntity]] = {}

    def add(
        self,
        day: str,
        ids: tuple[str, str, str, str],
        *,
        rows: int = 0,
        quarantined: Slot = NO_NUMBERS,
        cleaned: Deltas = NO_DELTAS,
    ) -> None:
        """Add to an entity's adjustments of a day; `ids`: its own, its campaign's, its ad group's, its ad product."""
        entities = self._days.setdefault(day, {})
        if ids[0] not in entities and len(entities) >= limits.MAX_ADJUSTED_ENTITIES:
            ids = ("", "", "", "")
        known = entities.get(ids[0]) or AdjustedEntity(*ids, 0, NO_NUMBERS, NO_DELTAS)
        entities[ids[0]] = known.plus(rows, quarantined, cleaned)

    def of(self, day: str) -> list[AdjustedEntity]:
        """Those of a day, by entity."""
        return [entity for _, entity in sorted(self._days.get(day, {}).items())]


def less(slot: Slot) -> Deltas:
    """The deltas of a row that was sent and not stored, because it is there already."""
    return cast("Deltas", tuple(_ZERO if number is None else Decimal(-number) for number in slot))
