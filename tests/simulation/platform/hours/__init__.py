"""Simulated Ads where it also reports campaigns by the hour."""

from __future__ import annotations

from dataclasses import replace

from adweir.model.datasets import Dataset
from adweir.platforms.base import DatasetSpec, datasets
from simulation.platform import SLICES
from simulation.platform import SPEC as WITHOUT

SPEC = replace(
    WITHOUT,
    package=__name__,
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGN_DAILY, SLICES, lookback_days=2, max_window_days=2, sums_to_parent=True),
        DatasetSpec(Dataset.CAMPAIGN_HOURLY, SLICES, lookback_days=1, max_window_days=2),
    ),
)
