"""The Trade Desk's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Iterator

from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch
from adweir.platforms.trade_desk import objects, rows


class TradeDeskNormalizer:
    """Implements `platforms.connector.Normalizer`."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """A report's CSV; an ad's entity_id is `Ad Group ID~Creative ID`. The label says how it is written."""
        return rows.batches(page, context)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """A page of advertisers, labelled with their partner, or of one list."""
        yield objects.batch(page, context)


NORMALIZER = TradeDeskNormalizer()
