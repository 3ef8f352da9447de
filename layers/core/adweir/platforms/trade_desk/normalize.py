"""The Trade Desk's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch, json_page
from adweir.platforms.csv_pieces import csv_page
from adweir.platforms.trade_desk import objects
from adweir.platforms.trade_desk import rows as report
from adweir.platforms.trade_desk.columns import ADVERTISER


class TradeDeskNormalizer:
    """Implements `platforms.connector.Normalizer`."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """A report's CSV; an ad's entity_id is `Ad Group ID~Creative ID`. The label says how it is written."""
        return report.batches(page, context)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """A page of advertisers, labelled with their partner, or of one list."""
        yield objects.batch(page, context)

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:
        """A report's rows as CSV, in sortable dates and US numbers; objects under `Result`."""
        return csv_page(rows) if context.dataset.grain else json_page(rows, "Result")

    def account_of(self, row: Mapping[str, Any]) -> str:
        """Reports call it `Advertiser ID`, lists `AdvertiserId`."""
        return str(row.get(ADVERTISER) or row.get("AdvertiserId") or "")


NORMALIZER = TradeDeskNormalizer()
