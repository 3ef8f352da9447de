"""Amazon's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Iterator

from adweir.platforms.amazon_ads import objects, rows
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch


class AmazonNormalizer:
    """Implements `platforms.connector.Normalizer`."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """A daily report; an ad's entity_id is `adGroupId~adId`, a keyword's or target's `adGroupId~keywordId`."""
        return rows.batches(page, context)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """A page of profiles or of a list; `page.label` names which of the lists that answer for the dataset."""
        yield objects.batch(page, context)


NORMALIZER = AmazonNormalizer()
