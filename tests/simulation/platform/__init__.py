"""Simulated Ads: a platform whose every answer the seed decides."""

from __future__ import annotations

from adweir.model.datasets import Dataset
from adweir.model.platforms import Platform
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, Secret

NAME = Platform("simulated_ads")
SLICES = ("radio", "tv")


class SimulatedCredential(CredentialFields):
    """A token."""

    token: Secret


SPEC = PlatformSpec(
    name=NAME,
    title="Simulated Ads",
    package=__name__,
    credential=SimulatedCredential,
    urls={"api": "https://api.simulated.example"},
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGN_DAILY, SLICES, lookback_days=2, max_window_days=2, sums_to_parent=True),
    ),
)
