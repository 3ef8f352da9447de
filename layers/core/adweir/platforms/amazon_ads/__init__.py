"""Amazon Ads: Login with Amazon, profiles, entity lists, asynchronous reports.

Reports answer for one ad product each, so Sponsored Products, Brands and Display are three slices. Amazon restates
traffic for 3 days and conversions for 14 days and more, so 14 days are pulled again daily (Amazon Ads API, Reporting
version 3).

The oldest day that Amazon keeps is not asked for: a report is created some time after it was planned, and a start date
before the retention is refused. Sponsored Products keeps 95 days by its report type pages, but a report has data of the
last 65 only ("Known issues"): an older day would come empty and be taken for a day without ads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator

from adweir.model.datasets import Dataset, Gap
from adweir.model.errors import ThrottleScope
from adweir.model.platforms import Platform
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, FieldKind, PlainApp, Secret

SP, SB, SD = "sp", "sb", "sd"
MAX_WINDOW_DAYS = 31
INVOICE_LOOKBACK_MONTHS = 2
"""An account is billed when it owes a certain amount, at least once a month."""
_CLIENT_ID = "amzn1."


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class AmazonCredential(CredentialFields):
    """A Login with Amazon application and one user's consent. A region has profiles, hosts and limits of its own."""

    client_id: PlainApp
    client_secret: Secret
    refresh_token: Secret
    region: Annotated[Literal["na", "eu", "fe"], BeforeValidator(_lower), FieldKind.ROUTE] = "na"


_UNDOCUMENTED = Gap("not_documented", "no document of Amazon says that ads add up to their campaign")


def _daily(
    dataset: Dataset, slices: tuple[str, ...] = (SP, SB, SD), *, sums_to_parent: bool = False, on_request: bool = False
) -> DatasetSpec:
    return DatasetSpec(
        dataset,
        slices,
        lookback_days=14,
        settles_after_days=60,
        max_window_days=MAX_WINDOW_DAYS,
        retention_days={SP: 64, SB: 59, SD: 64},
        sums_to_parent=sums_to_parent,
        on_request=on_request,
        lacks=(_UNDOCUMENTED,) if dataset is Dataset.AD_DAILY else (),
    )


def _recognizes(values: Mapping[str, str]) -> bool:
    return values.get("client_id", "").startswith(_CLIENT_ID)


SPEC = PlatformSpec(
    name=Platform("amazon_ads"),
    title="Amazon Ads",
    package=__name__,
    aliases=("amazon",),
    credential=AmazonCredential,
    recognizes=_recognizes,
    urls={
        "api.na": "https://advertising-api.amazon.com",
        "api.eu": "https://advertising-api-eu.amazon.com",
        "api.fe": "https://advertising-api-fe.amazon.com",
        "token.na": "https://api.amazon.com/auth/o2/token",
        "token.eu": "https://api.amazon.co.uk/auth/o2/token",
        "token.fe": "https://api.amazon.co.jp/auth/o2/token",
        "sns.na": "https://sns.us-east-1.amazonaws.com",
        "sns.eu": "https://sns.eu-west-1.amazonaws.com",
        "sns.fe": "https://sns.us-west-2.amazonaws.com",
    },
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS, (SP, SB, SD)),
        DatasetSpec(Dataset.AD_GROUPS, (SP, SB, SD)),
        DatasetSpec(Dataset.ADS, (SP, SB, SD)),
        DatasetSpec(Dataset.CREATIVES, (SB, SD)),
        DatasetSpec(Dataset.KEYWORDS, (SP, SB)),
        DatasetSpec(Dataset.TARGETS, (SP, SB, SD)),
        DatasetSpec(Dataset.NEGATIVES, (SP, SB, SD)),
        DatasetSpec(Dataset.STREAMS, on_request=True),
        DatasetSpec(Dataset.INVOICES, lookback_months=INVOICE_LOOKBACK_MONTHS),
        # "All campaigns of the requested ad type that have performance activity" (Campaign reports): the profile's sum.
        _daily(Dataset.CAMPAIGN_DAILY, sums_to_parent=True),
        # No document says that ads add up to their campaign, or targets to their ad group: each level for itself.
        _daily(Dataset.AD_DAILY),
        _daily(Dataset.KEYWORD_DAILY),
        _daily(Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, (SP, SB), on_request=True),
        _daily(Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, (SP, SB), on_request=True),
    ),
    options=AmazonOptions,
    stream=True,
    throttles=(ThrottleScope.PROFILE, ThrottleScope.REGION),
)
