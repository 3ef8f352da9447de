"""Microsoft Advertising: the REST interface of the Bing Ads API, version 13.

Lists come from the Campaign Management and Customer Management services, numbers from the Reporting service: a report
is asked for, polled and downloaded as a zip archive with one CSV file. Documents of Microsoft are named by their titles
here and in the other files (learn.microsoft.com/advertising; their source, MicrosoftDocs/Advertising, August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import StringConstraints

from adweir.model.datasets import Dataset, Gap
from adweir.model.errors import ThrottleScope
from adweir.model.metrics import Grain
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, FieldKind, PlainApp, Secret
from adweir.platforms.microsoft_ads.options import MicrosoftOptions

LOOKBACK_DAYS = 30
"""The usual conversion window; conversions count on the day of the click, so these days still grow."""
SETTLES_AFTER_DAYS = 90
"""The longest conversion window ("ConversionGoal Data Object": `ConversionWindowInMinutes`)."""
HOURLY_LOOKBACK_DAYS = 2
"""Clicks are known after two hours, conversions after three ("Reports": Time Zones in Reporting)."""
MAX_WINDOW_DAYS = {Grain.DAY: 31, Grain.HOUR: 7}
"""Microsoft sets no limit: such a report of a large account fits into an invocation, one that does not is halved."""
RETENTION_DAYS = {Grain.DAY: 36 * 30, Grain.HOUR: 6 * 30}
"""36 and 6 months ("Reporting Data Retention Time Periods"), counted short so that the oldest day is still kept."""
_CLIENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class MicrosoftCredential(CredentialFields):
    """An application of Microsoft Entra, one user's consent to it, and a developer token.

    `client_secret`: where the application is a web app; a public one has none. `tenant`: where the application admits
    users of one organization only.
    """

    client_id: PlainApp
    client_secret: Secret = ""
    refresh_token: Secret
    developer_token: Secret
    tenant: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,99}$"), FieldKind.PLAIN] = "common"


_NO_ADS = Gap(
    "campaigns_without_ads",
    "Performance Max spends in asset groups, without an ad group or an ad",
    frozenset({"PerformanceMax"}),
)


def _metrics(dataset: Dataset, *, on_request: bool = False) -> DatasetSpec:
    # Performance Max spends in asset groups, without an ad group or an ad, and keywords lack what has none.
    grain = dataset.grain or Grain.DAY
    hourly = grain is Grain.HOUR
    return DatasetSpec(
        dataset,
        (ALL,),
        HOURLY_LOOKBACK_DAYS if hourly else LOOKBACK_DAYS,
        MAX_WINDOW_DAYS[grain],
        {ALL: RETENTION_DAYS[grain]},
        settles_after_days=HOURLY_LOOKBACK_DAYS if hourly else SETTLES_AFTER_DAYS,
        on_request=on_request,
        lacks=(_NO_ADS,) if dataset in {Dataset.AD_GROUP_DAILY, Dataset.AD_DAILY} else (),
    )


def _recognizes(values: Mapping[str, str]) -> bool:
    return bool(_CLIENT_ID.fullmatch(values.get("client_id", "")))


SPEC = PlatformSpec(
    name=Platform("microsoft_ads"),
    title="Microsoft Advertising",
    package=__name__,
    aliases=("microsoft", "bing"),
    credential=MicrosoftCredential,
    recognizes=_recognizes,
    urls={
        "customer": "https://clientcenter.api.bingads.microsoft.com/CustomerManagement/v13",
        "campaign": "https://campaign.api.bingads.microsoft.com/CampaignManagement/v13",
        "reporting": "https://reporting.api.bingads.microsoft.com/Reporting/v13",
        "login": "https://login.microsoftonline.com",
    },
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS),
        DatasetSpec(Dataset.AD_GROUPS),
        DatasetSpec(Dataset.ADS),
        DatasetSpec(Dataset.KEYWORDS),
        _metrics(Dataset.ACCOUNT_DAILY),
        _metrics(Dataset.CAMPAIGN_DAILY),
        _metrics(Dataset.AD_GROUP_DAILY),
        _metrics(Dataset.AD_DAILY),
        _metrics(Dataset.KEYWORD_DAILY),
        _metrics(Dataset.CAMPAIGN_BY_DEVICE_DAILY, on_request=True),
        _metrics(Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, on_request=True),
        _metrics(Dataset.AD_GROUP_BY_AGE_DAILY, on_request=True),
        _metrics(Dataset.AD_GROUP_BY_GENDER_DAILY, on_request=True),
        _metrics(Dataset.CAMPAIGN_HOURLY),
    ),
    options=MicrosoftOptions,
    channel="objective",
    throttles=(ThrottleScope.PROFILE, ThrottleScope.CREDENTIAL),
)
