"""Meta Ads: the Marketing API on Graph."""

from __future__ import annotations

from adweir.model.datasets import Dataset, Gap
from adweir.model.errors import ThrottleScope
from adweir.model.metrics import Grain, Level
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, PlainApp, Secret
from adweir.platforms.meta.options import MetaOptions

API_VERSION = "v26.0"
LOOKBACK_DAYS = 28
"""Insights stop changing after 28 days (Meta Marketing API, Insights)."""
RETENTION_DAYS = 37 * 30
"""37 months (Meta Marketing API, Insights), counted short so that the oldest requested day is still kept."""
HOURLY_LOOKBACK_DAYS = 2
MAX_WINDOW_DAYS = 30
INVOICE_LOOKBACK_MONTHS = 2
"""A month is invoiced when it is over."""


class MetaCredential(CredentialFields):
    """A long-lived token and, optionally, the app that it belongs to: Meta counts one of its quotas per app."""

    access_token: Secret
    app_id: PlainApp = ""
    app_secret: Secret = ""


_DELETED = Gap("deleted_objects", "what deleted objects spent may be in the numbers of their parents alone")


def _metrics(
    dataset: Dataset, lookback: int = LOOKBACK_DAYS, longest: int = MAX_WINDOW_DAYS, *, on_request: bool = False
) -> DatasetSpec:
    # Rows of a finer level may lack what deleted objects spent, so they do not sum to their parent.
    is_finer = dataset.grain is Grain.DAY and dataset.level is not Level.ACCOUNT
    return DatasetSpec(
        dataset,
        (ALL,),
        lookback,
        longest,
        {ALL: RETENTION_DAYS},
        settles_after_days=lookback,
        on_request=on_request,
        lacks=(_DELETED,) if is_finer else (),
    )


SPEC = PlatformSpec(
    name=Platform("meta_ads"),
    title="Meta Ads",
    package=__name__,
    aliases=("meta", "facebook", "facebook_ads"),
    dbt_name="facebook_ads",
    credential=MetaCredential,
    urls={"api": "https://graph.facebook.com"},
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS),
        DatasetSpec(Dataset.AD_GROUPS),
        DatasetSpec(Dataset.ADS),
        DatasetSpec(Dataset.CREATIVES),
        DatasetSpec(Dataset.INVOICES, lookback_months=INVOICE_LOOKBACK_MONTHS),
        _metrics(Dataset.ACCOUNT_DAILY),
        _metrics(Dataset.CAMPAIGN_DAILY),
        _metrics(Dataset.AD_GROUP_DAILY),
        _metrics(Dataset.AD_DAILY),
        _metrics(Dataset.AD_BY_AGE_GENDER_DAILY, on_request=True),
        _metrics(Dataset.AD_BY_COUNTRY_DAILY, on_request=True),
        _metrics(Dataset.AD_BY_REGION_DAILY, on_request=True),
        _metrics(Dataset.AD_BY_DEVICE_DAILY, on_request=True),
        _metrics(Dataset.AD_BY_PLACEMENT_DAILY, on_request=True),
        _metrics(Dataset.CAMPAIGN_BY_REGION_DAILY, on_request=True),
        _metrics(Dataset.CAMPAIGN_HOURLY, HOURLY_LOOKBACK_DAYS, 7),
    ),
    options=MetaOptions,
    throttles=(ThrottleScope.PROFILE, ThrottleScope.APP),
    webhook=True,
)
