"""Which numbered columns are a chosen pixel's, by campaign and day.

A number means a pixel in one campaign and until it is reassigned, which does not change what was reported. So the
columns of a pixel are looked up in what the campaign's lists have said, on the day of the row.
"""

from __future__ import annotations

from functools import cache, cached_property

from adweir.model.conversion_columns import ConversionColumn, on
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign
from adweir.model.errors import BadInput
from adweir.platforms.connector import PullContext
from adweir.platforms.trade_desk.columns import ByTag


class ColumnTags:
    """The columns of the chosen pixels in one advertiser's campaigns."""

    def __init__(self, by_tag: ByTag, model: str, context: PullContext) -> None:
        self._chosen = by_tag.tags
        self._model = model
        self._context = context
        self.numbers = cache(self._numbers)

    def _numbers(self, campaign_id: str, day: str) -> tuple[str, ...] | None:
        """The numbers that count on a day; None where no list has said so: then nobody knows.

        Raises BadInput where a pixel stands in several columns by cross-device models, and none is chosen.
        """
        history = self._campaigns.get(campaign_id)
        if history is None:
            return None
        found = sorted((one for one in on(history, day).values() if self._is_chosen(one)), key=lambda each: each.column)
        pixels = {one.tag_id for one in found}
        if len(pixels) < len({(one.tag_id, one.model) for one in found}):
            models = ", ".join(sorted({one.model for one in found}))
            raise BadInput(f"a chosen pixel has columns by several cross-device models, choose one: {models}")
        once = {(one.tag_id, one.model): one.column for one in reversed(found)}  # the same counted twice is one
        return tuple(once.values()) or None

    def _is_chosen(self, one: ConversionColumn) -> bool:
        named = self._is_named(one) or one.tag_id in self._pixels
        return one.column in self._chosen or (named and self._model in ("", one.model))

    def _is_named(self, one: ConversionColumn) -> bool:
        return bool(self._chosen & {one.tag_id, one.tag_name} - {""})

    @cached_property
    def _pixels(self) -> frozenset[str]:
        """The ids of the chosen pixels. One that was renamed has another name in campaigns that were listed before."""
        every = (one for history in self._campaigns.values() for one in history)
        return frozenset(one.tag_id for one in every if self._is_named(one)) - {""}

    @cached_property
    def _campaigns(self) -> dict[str, tuple[ConversionColumn, ...]]:
        found = self._context.objects(Dataset.CAMPAIGNS)
        return {one.id: one.conversion_columns for one in found if isinstance(one, AdCampaign)}
