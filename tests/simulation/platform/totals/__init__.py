"""Simulated Ads where it also reports what the whole ad account did: then account totals decide what is gone."""

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
        DatasetSpec(Dataset.CAMPAIGN_DAILY, SLICES, lookback_days=2, max_window_days=2),
        DatasetSpec(Dataset.ACCOUNT_DAILY, lookback_days=2, max_window_days=2),
    ),
)
