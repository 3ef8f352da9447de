"""What every platform has whose APIs are described: the credential, and the datasets that a spec may choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.model.datasets import Dataset, Gap
from adweir.model.errors import ThrottleScope, Unprocessable
from adweir.model.labels import PATTERN
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, FieldKind, Plain, PlainApp, Secret

LOOKBACK_DAYS, SETTLES_AFTER_DAYS, MAX_WINDOW_DAYS = 7, 28, 31
"""Where a spec says nothing else."""


class DescribedCredential(CredentialFields):
    """The fields that the spec's `auth` names; any further field is allowed, and a secret unless it ends in `_id`.

    An id (of a customer, an agency) may be short, and stands in answers, where nothing may replace it.

    `spec` is the spec's name; left out, it is the credential's label.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Secret] = Field(init=False)
    spec: Annotated[str, StringConstraints(pattern=PATTERN), FieldKind.ROUTE] = ""
    token: Secret = ""
    username: Plain = ""
    password: Secret = ""
    client_id: PlainApp = ""
    client_secret: Secret = ""
    refresh_token: Secret = ""

    @classmethod
    def check_secrets(cls, values: dict[str, str]) -> None:  # type: ignore[override]
        """Further fields are secrets, too."""
        super().check_secrets(values)
        least = limits.MIN_CREDENTIAL_SECRET_CHARS
        further = {name: value for name, value in values.items() if name not in cls.model_fields}
        short = sorted(name for name, value in further.items() if len(value) < least and not _is_id(name))
        if short:
            faults = [{"field": name[:64], "message": f"needs at least {least} characters"} for name in short]
            raise Unprocessable.listing("the credential is refused", faults)

    @classmethod
    def secrets_in(cls, values: Mapping[str, str]) -> list[str]:
        """The secret ones, which further fields are unless they are ids."""
        return super().secrets_in({name: value for name, value in values.items() if not _is_id(name)})


def _is_id(name: str) -> bool:
    return name.endswith("_id")


_NOT_STATED = Gap("not_stated", "the spec does not say that this level adds up to the one above (sums_to_parent)")


def _metrics(dataset: Dataset) -> DatasetSpec:
    return DatasetSpec(
        dataset,
        lacks=() if dataset.level is Level.ACCOUNT else (_NOT_STATED,),
        lookback_days=LOOKBACK_DAYS,
        max_window_days=MAX_WINDOW_DAYS,
        settles_after_days=SETTLES_AFTER_DAYS,
    )


_DATASETS: Mapping[Dataset, DatasetSpec] = datasets(
    DatasetSpec(Dataset.PROFILES),
    DatasetSpec(Dataset.CAMPAIGNS),
    DatasetSpec(Dataset.AD_GROUPS),
    DatasetSpec(Dataset.ADS),
    _metrics(Dataset.ACCOUNT_DAILY),
    _metrics(Dataset.CAMPAIGN_DAILY),
    _metrics(Dataset.AD_GROUP_DAILY),
    _metrics(Dataset.AD_DAILY),
    _metrics(Dataset.ACCOUNT_HOURLY),
    _metrics(Dataset.CAMPAIGN_HOURLY),
    _metrics(Dataset.AD_GROUP_HOURLY),
    _metrics(Dataset.AD_HOURLY),
)
_THROTTLES = (ThrottleScope.PROFILE, ThrottleScope.CREDENTIAL, ThrottleScope.REGION)
"""The region of a described API is its spec."""


def described_platform(name: str, title: str, package: str) -> PlatformSpec:
    """A platform whose APIs specs describe; `package` is its folder as a module."""
    return PlatformSpec(
        name=Platform(name),
        title=title,
        package=package,
        credential=DescribedCredential,
        urls={"api": ""},
        datasets=_DATASETS,
        throttles=_THROTTLES,
        described=True,
    )
