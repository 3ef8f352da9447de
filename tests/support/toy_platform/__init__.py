"""Toy Ads: a made-up platform, as small as one can be that uses every part of the seam.

A copy of this folder is registered in a test's temporary folder, and so shows what a sixth platform needs.
"""

from __future__ import annotations

from adweir.model.datasets import Dataset
from adweir.model.errors import ThrottleScope
from adweir.model.platforms import Platform
from adweir.platforms.base import DatasetSpec, Pace, PlatformSpec, ProfileOptions, datasets
from adweir.platforms.credentials import CredentialFields, PlainApp, Secret

RADIO, TV = "radio", "tv"


class ToyCredential(CredentialFields):
    """A token, and the application whose quota it shares."""

    token: Secret
    app: PlainApp


class ToyOptions(ProfileOptions):
    """Which of the platform's counts is a conversion."""

    conversion: str = "calls"


SPEC = PlatformSpec(
    name=Platform("toy_ads"),
    title="Toy Ads",
    package=__name__,
    aliases=("toy",),
    credential=ToyCredential,
    urls={"api": "https://api.toy.example"},
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS),
        DatasetSpec(
            Dataset.CAMPAIGN_DAILY,
            (RADIO, TV),
            lookback_days=3,
            max_window_days=30,
            settles_after_days=3,
            sums_to_parent=True,
            pace=Pace(poll_seconds=7),
        ),
    ),
    options=ToyOptions,
    throttles=(ThrottleScope.PROFILE, ThrottleScope.APP),
    webhook=True,
)
