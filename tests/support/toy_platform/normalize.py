"""Toy Ads' answers in our vocabulary."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Profile, Status
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.money import to_micros
from adweir.model.platforms import Platform
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch

TOY = Platform("toy_ads")


class ToyNormalizer:
    """Objects are JSON, reports are CSV."""

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        content = json.load(page.stream)
        if context.dataset is Dataset.PROFILES:
            yield ObjectBatch([self._profile(context, account) for account in content["accounts"]], [])
        else:
            yield ObjectBatch([self._campaign(context, *found) for found in content["campaigns"]], [])

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        rows, bad = list[MetricRow](), list[BadRow]()
        conversion = context.options.model_dump()["conversion"]
        for line, row in enumerate(csv.DictReader(io.TextIOWrapper(page.stream, "utf-8")), 1):
            rows.append(
                MetricRow(
                    entity_id=row["campaign"],
                    day=row["date"],
                    impressions=int(row["impressions"]),
                    clicks=int(row["clicks"]),
                    conversions=to_micros(row[conversion]),
                    spend=to_micros(row["spend"]),
                    revenue=to_micros(row["revenue"]),
                    campaign_id=row["campaign"],
                    ad_product=context.slice,
                    currency=context.currency,
                    line=line,
                )
            )
        yield RowBatch(rows, bad)

    def _profile(self, context: PullContext, account: dict[str, str]) -> Profile:
        return Profile(
            account_id=context.account_id,
            platform=TOY,
            profile_id=account["id"],
            name=account["name"],
            currency="EUR",
            timezone="Europe/Berlin",
        )

    def _campaign(self, context: PullContext, number: str, name: str) -> AdCampaign:
        return AdCampaign(
            platform=TOY,
            profile_id=context.profile_id,
            id=number,
            campaign_id=number,
            name=name,
            status=Status.ACTIVE,
        )


NORMALIZER = ToyNormalizer()
