"""Simulated Ads' answers in our vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adweir.model.entities import Profile
from adweir.model.metrics import MetricRow
from adweir.model.slices import ALL
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch
from simulation.platform import NAME


class SimulatedNormalizer:
    """An answer is JSON: its number, and rows of [day or hour, campaign, impressions, clicks, conversions,
    spend, revenue].
    """

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        found = [
            Profile(
                account_id=context.account_id,
                platform=NAME,
                profile_id=profile_id,
                name=profile_id,
                currency="EUR",
                timezone="UTC",
            )
            for profile_id in json.load(page.stream)["profiles"]
        ]
        yield ObjectBatch(list(found), [])

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        whole = context.slice == ALL
        rows = [
            MetricRow(
                entity_id=campaign,
                day=day[:10],
                hour=int(day[11:] or -1),
                impressions=numbers[0],
                clicks=numbers[1],
                conversions=numbers[2],
                spend=numbers[3],
                revenue=numbers[4],
                campaign_id="" if whole else campaign,
                ad_product="" if whole else context.slice,
                currency=context.currency,
                line=line,
            )
            for line, (day, campaign, *numbers) in enumerate(json.load(page.stream)["rows"], 1)
        ]
        yield RowBatch(rows, [])


NORMALIZER = SimulatedNormalizer()
