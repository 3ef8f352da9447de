"""Microsoft Advertising's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch, json_page
from adweir.platforms.csv_pieces import csv_page
from adweir.platforms.microsoft_ads import objects
from adweir.platforms.microsoft_ads import rows as report
from adweir.platforms.microsoft_ads.reports import ACCOUNT, CAMPAIGN, GROUP


class MicrosoftNormalizer:
    """Implements `platforms.connector.Normalizer`."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """A report's CSV."""
        return report.batches(page, context)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """A page of ad accounts or campaigns, or of the lists below these."""
        yield objects.batch(page, context)

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:
        """A report's rows as CSV; ad accounts and campaigns under the name of their list, all else below its parents.

        Microsoft's objects name no parents: who has them adds `CampaignId` and `AdGroupId` to a row.
        """
        if context.dataset.grain:
            return csv_page(rows)
        member = objects.MEMBERS.get(context.dataset)
        if member:
            return json_page(rows, member)
        return json_page([_below(row) for row in rows], "Answers")

    def account_of(self, row: Mapping[str, Any]) -> str:
        """Reports name it, lists do not."""
        return str(row.get(ACCOUNT) or "")


NORMALIZER = MicrosoftNormalizer()


def _below(row: Mapping[str, Any]) -> Mapping[str, Any]:
    campaign, group = ({"Id": row.get(name, "")} for name in (CAMPAIGN, GROUP))
    return {"Campaign": campaign, "AdGroup": group, "Entries": [row]}
