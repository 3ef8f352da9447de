"""TikTok Ads: the Business API, version 1.3.

Numbers in square brackets here and in the other files are ids of TikTok's documents.
"""

from __future__ import annotations

from typing import Annotated, Literal

from adweir.model.datasets import Dataset, Gap
from adweir.model.errors import ThrottleScope
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, FieldKind, PlainApp, Secret
from adweir.platforms.tiktok_ads.options import TikTokOptions

API_PATH = "/open_api/v1.3"
LOOKBACK_DAYS = 35
"""Attribution windows reach 32 days after a click; three days more for what arrives late. TikTok names no number."""
MAX_WINDOW_DAYS = 30
"""The longest window of a report by day; one by hour is of a single day [1740302848100353]."""
HOURLY_LOOKBACK_DAYS = 2


class TikTokCredential(CredentialFields):
    """An advertiser's long-lived token, and the application that it was given to.

    `async_reports`: "allowed" where TikTok has put the application on its allow-list for asynchronous report tasks.
    """

    access_token: Secret
    app_id: PlainApp
    secret: Secret
    async_reports: Annotated[Literal["", "allowed"], FieldKind.PLAIN] = ""


_OUTSIDE = Gap("outside_campaigns", "promoted posts, TopView and GMV Max are in the advertiser's total alone")


def _daily(dataset: Dataset, *, on_request: bool = False) -> DatasetSpec:
    # Promoted posts, TopView and GMV Max are in the advertiser's total alone, so no level sums to the one above it.
    return DatasetSpec(
        dataset,
        (ALL,),
        LOOKBACK_DAYS,
        MAX_WINDOW_DAYS,
        settles_after_days=LOOKBACK_DAYS,
        on_request=on_request,
        lacks=(_OUTSIDE,) if dataset is Dataset.CAMPAIGN_DAILY else (),
    )


SPEC = PlatformSpec(
    name=Platform("tiktok_ads"),
    title="TikTok Ads",
    package=__name__,
    aliases=("tiktok",),
    credential=TikTokCredential,
    urls={"api": "https://business-api.tiktok.com"},
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS),
        DatasetSpec(Dataset.AD_GROUPS),
        DatasetSpec(Dataset.ADS),
        _daily(Dataset.ACCOUNT_DAILY),
        _daily(Dataset.CAMPAIGN_DAILY),
        _daily(Dataset.AD_GROUP_DAILY),
        _daily(Dataset.AD_DAILY),
        _daily(Dataset.AD_BY_AGE_GENDER_DAILY, on_request=True),
        _daily(Dataset.AD_BY_COUNTRY_DAILY, on_request=True),
        _daily(Dataset.AD_BY_REGION_DAILY, on_request=True),
        _daily(Dataset.AD_BY_DEVICE_DAILY, on_request=True),
        _daily(Dataset.AD_BY_PLACEMENT_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_REGION_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_SHOP_DAILY, on_request=True),
        DatasetSpec(Dataset.CAMPAIGN_HOURLY, (ALL,), HOURLY_LOOKBACK_DAYS, 1, settles_after_days=HOURLY_LOOKBACK_DAYS),
    ),
    options=TikTokOptions,
    throttles=(ThrottleScope.PROFILE, ThrottleScope.APP),
    webhook=True,
)
