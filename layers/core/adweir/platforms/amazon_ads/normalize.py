"""Amazon's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adweir.platforms.amazon_ads import objects, rows
from adweir.platforms.amazon_ads.lists import list_of
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch, json_page


class AmazonNormalizer:
    """Implements `platforms.connector.Normalizer`."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """A daily report; an ad's entity_id is `adGroupId~adId`, a keyword's or target's `adGroupId~keywordId`."""
        return rows.batches(page, context)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """A page of profiles or of a list; `page.label` names which of the lists that answer for the dataset."""
        yield objects.batch(page, context)

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:
        """A report is an array, a list has its objects under its own key or is an array, too."""
        one = None if context.dataset.grain else list_of(context.dataset, context.slice, "")
        return json_page(rows, *([one.key] if one and one.key else []))

    def account_of(self, row: Mapping[str, Any]) -> str:  # noqa: ARG002  the same form for all platforms
        """Amazon's rows do not name it."""
        return ""


NORMALIZER = AmazonNormalizer()
