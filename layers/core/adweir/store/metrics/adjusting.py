"""What quarantine and cleaning make of the rows of a pull, added up by day, entity and currency while they are read."""

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
NO_CURRENCY = "XXX"
"""ISO 4217's code for money in no currency: of rows whose currency is not a code, or one too many of a day."""
_CODE_LENGTH = 3

RowIds = tuple[str, str, str, str, str]
"""A row's own id, its campaign's, its ad group's, its ad product, and the currency that it was in ("": the pull's)."""


class AdjustedEntity(msgspec.Struct, array_like=True, frozen=True):
    """One entity's of a day and currency: `quarantined` sums its `rows` quarantined rows, None where none of them has a
    number.

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
    currency: str = ""


class _Adding:
    """What is added up for one entity, currency and day. Repeated rows are whole numbers: there may be many of them."""

    __slots__ = ("cleaned", "ids", "quarantined", "repeated", "rows")

    def __init__(self, ids: RowIds) -> None:
        self.ids = ids
        self.rows = 0
        self.quarantined = NO_NUMBERS
        self.repeated = [0] * len(NO_NUMBERS)
        self.cleaned = NO_DELTAS

    def entity(self) -> AdjustedEntity:
        sums = (_EXACT.subtract(one, Decimal(other)) for one, other in zip(self.cleaned, self.repeated, strict=True))
        cleaned = cast("Deltas", tuple(sums))
        return AdjustedEntity(*self.ids[:4], self.rows, self.quarantined, cleaned, self.ids[4])


class Adjusting:
    """The adjustments of one pull. Memory is bounded by the days of its window."""

    def __init__(self) -> None:
        self._days: dict[str, dict[tuple[str, str], _Adding]] = {}

    def quarantine(self, day: str, ids: RowIds, slot: Slot) -> None:
        """A row was quarantined; `slot` has what could be read of its numbers."""
        sums = self._sums(day, ids)
        sums.rows += 1
        sums.quarantined = plus(sums.quarantined, slot)

    def clean(self, day: str, ids: RowIds, deltas: Deltas) -> None:
        """A row's numbers were changed by so much."""
        sums = self._sums(day, ids)
        added = (_EXACT.add(one, other) for one, other in zip(sums.cleaned, deltas, strict=True))
        sums.cleaned = cast("Deltas", tuple(added))

    def repeat(self, day: str, ids: RowIds, slot: Slot) -> None:
        """A row was left out, because the same one is there already."""
        repeated = self._sums(day, ids).repeated
        for place, number in enumerate(slot):
            if number:
                repeated[place] += number

    def of(self, day: str) -> list[AdjustedEntity]:
        """Those of a day, by entity and currency."""
        return [sums.entity() for _, sums in sorted(self._days.get(day, {}).items())]

    def _sums(self, day: str, ids: RowIds) -> _Adding:
        entities = self._days.setdefault(day, {})
        entity_id, currency = ids[0], ids[4]
        if currency and len(currency) != _CODE_LENGTH:
            currency = NO_CURRENCY
        sums = entities.get((entity_id, currency))
        if sums is None:
            if len(entities) >= limits.MAX_ADJUSTED_ENTITIES:
                entity_id = ""
                is_full = len(entities) >= limits.MAX_ADJUSTED_ENTITIES + limits.MAX_ADJUSTED_CURRENCIES
                currency = NO_CURRENCY if is_full and ("", currency) not in entities else currency
            parents = ids[1:4] if entity_id else ("", "", "")
            sums = entities.setdefault((entity_id, currency), _Adding((entity_id, *parents, currency)))
        return sums
