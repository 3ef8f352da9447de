"""Amazon Ads: Login with Amazon, profiles, entity lists, asynchronous reports (platform-protocols section 3).

Reports answer for one ad product each, so Sponsored Products, Brands and Display are three slices. Amazon restates
traffic for 3 days and conversions for 14 and more: 14 days are pulled again daily (section 3.8).
"""

from __future__ import annotations

from collections.abc import Mapping

from adweir.model.datasets import Dataset
from adweir.platforms.base import DatasetSpec

SP, SB, SD = "sp", "sb", "sd"
MAX_WINDOW_DAYS = 31

SPECS: Mapping[Dataset, DatasetSpec] = {
    spec.dataset: spec
    for spec in (
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS, (SP, SB, SD)),
        DatasetSpec(Dataset.AD_GROUPS, (SP, SB, SD)),
        DatasetSpec(Dataset.ADS, (SP, SB, SD)),
        DatasetSpec(Dataset.KEYWORDS, (SP,)),
        DatasetSpec(
            Dataset.AD_DAILY,
            (SP, SB, SD),
            lookback_days=14,
            settles_after_days=60,
            max_window_days=MAX_WINDOW_DAYS,
            retention_days={SP: 95, SB: 60, SD: 65},
        ),
    )
}
