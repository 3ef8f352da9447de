"""What quarantine and cleaning make of the rows of a pull, added up by day, entity and currency while they are read."""

from __future__ import annotations

from decimal import Context, Decimal
from itertools import chain
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
    first `limits.MAX_ADJUSTED_ENTITIES` of a day, of one campaign and ad product.
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


class _Day:
    """The adjustments of one day: the first entities one by one, the others by campaign.

    A later pull may answer for a part of them. Which part is told by the campaign and the ad product, as for rows.
    """

    __slots__ = ("_currencies", "_entities", "_others")

    def __init__(self) -> None:
        self._entities: dict[tuple[str, str], _Adding] = {}
        self._others: dict[tuple[str, str, str], _Adding] = {}
        self._currencies: set[str] = set()

    def sums(self, ids: RowIds) -> _Adding:
        """What a row with these ids is added to."""
        key = (ids[0], ids[4])
        sums = self._entities.get(key)
        if sums is None:
            if len(self._entities) >= limits.MAX_ADJUSTED_ENTITIES:
                return self._added_up(*ids[1:])
            sums = self._entities[key] = _Adding(ids)
        return sums

    def entities(self) -> list[AdjustedEntity]:
        """By entity and currency; of those without an id also by campaign and ad product."""
        found = [sums.entity() for sums in chain(self._entities.values(), self._others.values())]
        return sorted(found, key=lambda each: (each.entity_id, each.currency, each.campaign_id, each.ad_product))

    def _added_up(self, campaign_id: str, _group: str, ad_product: str, currency: str) -> _Adding:
        if currency not in self._currencies:
            if len(self._currencies) >= limits.MAX_ADJUSTED_CURRENCIES:
                currency = NO_CURRENCY
            self._currencies.add(currency)
        key = (campaign_id, ad_product, currency)
        if key not in self._others and len(self._others) >= limits.MAX_ADJUSTED_CAMPAIGNS:
            campaign_id = ad_product = ""
            key = ("", "", currency)
        sums = self._others.get(key)
        if sums is None:
            sums = self._others[key] = _Adding(("", campaign_id, "", ad_product, currency))
        return sums


class Adjusting:
    """The adjustments of one pull. Memory is bounded by the days of its window."""

    def __init__(self) -> None:
        self._days: dict[str, _Day] = {}

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
        """Those of a day, in order."""
        found = self._days.get(day)
        return found.entities() if found else []

    def _sums(self, day: str, ids: RowIds) -> _Adding:
        if ids[4] and len(ids[4]) != _CODE_LENGTH:
            ids = (*ids[:4], NO_CURRENCY)
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = _Day()
        return found.sums(ids)
