"""Meta Ads: the Marketing API on Graph (platform-protocols section 2)."""

from __future__ import annotations

from collections.abc import Mapping

from adweir.model.datasets import Dataset
from adweir.model.slices import ALL
from adweir.platforms.base import DatasetSpec

LOOKBACK_DAYS = 28
"""Insights stop changing after 28 days (section 2.8)."""
RETENTION_DAYS = 37 * 30
"""37 months (section 2.5), counted short so that the oldest day asked for is surely still kept."""
HOURLY_LOOKBACK_DAYS = 2
MAX_WINDOW_DAYS = 30


def _metrics(dataset: Dataset, lookback: int, longest: int) -> DatasetSpec:
    return DatasetSpec(dataset, (ALL,), lookback, longest, {ALL: RETENTION_DAYS}, settles_after_days=lookback)


SPECS: Mapping[Dataset, DatasetSpec] = {
    Dataset.PROFILES: DatasetSpec(Dataset.PROFILES),
    Dataset.CAMPAIGNS: DatasetSpec(Dataset.CAMPAIGNS),
    Dataset.AD_GROUPS: DatasetSpec(Dataset.AD_GROUPS),
    Dataset.ADS: DatasetSpec(Dataset.ADS),
    Dataset.AD_DAILY: _metrics(Dataset.AD_DAILY, LOOKBACK_DAYS, MAX_WINDOW_DAYS),
    Dataset.CAMPAIGN_HOURLY: _metrics(Dataset.CAMPAIGN_HOURLY, HOURLY_LOOKBACK_DAYS, 7),
}
