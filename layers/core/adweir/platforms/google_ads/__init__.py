"""Google Ads: GAQL questions to the REST interface of the Google Ads API.

No level adds up to the one above: Performance Max spends in campaigns and asset groups without an ad, keywords lack
what dynamic ads and AI Max matched, and the spend of record is the customer's (developers.google.com/google-ads/api,
"Performance Max reporting").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from adweir.model.datasets import Dataset, Gap
from adweir.model.errors import ThrottleScope
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, FieldKind, PlainApp, Secret
from adweir.platforms.google_ads.options import GoogleOptions

API_VERSION = "v26"
LOOKBACK_DAYS = 30
"""The default conversion window; conversions count on the day of the interaction, so these days still grow."""
SETTLES_AFTER_DAYS = 90
"""The longest conversion window (`ConversionOrAdjustmentLagBucket`)."""
HOURLY_LOOKBACK_DAYS = 2
RETENTION_DAYS = 37 * 30
"""37 months of days ("Zero metrics"), counted short so that the oldest requested day is still kept."""
MAX_WINDOW_DAYS = 31
"""Google sets no limit; a month of a large account's ads fits into one invocation, and one that does not is halved."""
INVOICE_LOOKBACK_MONTHS = 2
"""An invoice is issued in the first days of the next month (its issue date may be the last of its own)."""
_CLIENT_ID = ".apps.googleusercontent.com"


def _digits(value: object) -> object:
    return value.replace("-", "") if isinstance(value, str) else value


class GoogleCredential(CredentialFields):
    """An OAuth client and one user's consent.

    Google counts quotas for the Cloud project that the client belongs to. `login_customer_id` is the manager account to
    go through; without it every account that the user reaches is listed. `developer_token` has been optional since
    9 September 2026, and is sent only where it is given.
    """

    client_id: PlainApp
    client_secret: Secret
    refresh_token: Secret
    developer_token: Secret = ""
    login_customer_id: Annotated[
        str, BeforeValidator(_digits), StringConstraints(pattern=r"^[0-9]{1,20}$"), FieldKind.ROUTE
    ] = ""


_NO_ADS = Gap(
    "campaigns_without_ads",
    "Performance Max, smart and Local Services campaigns spend without an ad",
    frozenset({"performance_max", "smart", "local_services"}),
)


def _daily(dataset: Dataset, *lacks: Gap, on_request: bool = False) -> DatasetSpec:
    return DatasetSpec(
        dataset,
        (ALL,),
        LOOKBACK_DAYS,
        MAX_WINDOW_DAYS,
        {ALL: RETENTION_DAYS},
        settles_after_days=SETTLES_AFTER_DAYS,
        on_request=on_request,
        lacks=lacks,
    )


def _hourly(dataset: Dataset) -> DatasetSpec:
    return DatasetSpec(
        dataset, (ALL,), HOURLY_LOOKBACK_DAYS, 7, {ALL: RETENTION_DAYS}, settles_after_days=HOURLY_LOOKBACK_DAYS
    )


def _recognizes(values: Mapping[str, str]) -> bool:
    return values.get("client_id", "").endswith(_CLIENT_ID)


SPEC = PlatformSpec(
    name=Platform("google_ads"),
    title="Google Ads",
    package=__name__,
    aliases=("google",),
    credential=GoogleCredential,
    recognizes=_recognizes,
    urls={"api": "https://googleads.googleapis.com", "token": "https://oauth2.googleapis.com/token"},
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS),
        DatasetSpec(Dataset.AD_GROUPS),
        DatasetSpec(Dataset.ADS),
        DatasetSpec(Dataset.CREATIVES),
        DatasetSpec(Dataset.KEYWORDS),
        DatasetSpec(Dataset.NEGATIVES),
        DatasetSpec(Dataset.INVOICES, lookback_months=INVOICE_LOOKBACK_MONTHS),
        DatasetSpec(Dataset.CHANGES, on_request=True),
        _daily(Dataset.ACCOUNT_DAILY),
        _daily(Dataset.CAMPAIGN_DAILY),
        _daily(Dataset.AD_GROUP_DAILY, _NO_ADS),
        _daily(Dataset.AD_DAILY, _NO_ADS),
        _daily(Dataset.KEYWORD_DAILY),
        _daily(Dataset.CAMPAIGN_BY_DEVICE_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_COUNTRY_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_REGION_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_CONVERSION_ACTION_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_SEARCH_TERM_DAILY, on_request=True),
        _daily(Dataset.AD_GROUP_BY_AGE_DAILY, on_request=True),
        _daily(Dataset.AD_GROUP_BY_GENDER_DAILY, on_request=True),
        _daily(Dataset.AD_GROUP_BY_SEARCH_TERM_DAILY, on_request=True),
        _hourly(Dataset.ACCOUNT_HOURLY),
        _hourly(Dataset.CAMPAIGN_HOURLY),
        _hourly(Dataset.AD_GROUP_HOURLY),
    ),
    options=GoogleOptions,
    channel="objective",
    throttles=(ThrottleScope.PROFILE, ThrottleScope.CREDENTIAL, ThrottleScope.APP),
    webhook=True,
)
