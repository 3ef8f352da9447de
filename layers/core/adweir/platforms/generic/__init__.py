"""Any reporting API by a spec that is stored through the API (`platforms.described`); no code per API.

A credential names its spec, which is the route of all that it reaches: brakes, raw objects and ad accounts carry it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import ThrottleScope, Unprocessable
from adweir.model.labels import PATTERN
from adweir.model.platforms import Platform
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, FieldKind, Plain, PlainApp, Secret

LOOKBACK_DAYS, SETTLES_AFTER_DAYS, MAX_WINDOW_DAYS = 7, 28, 31
"""Where a spec says nothing else."""


class GenericCredential(CredentialFields):
    """The fields that the spec's `auth` names; any further field is allowed, and a secret.

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
        short = sorted(name for name, value in values.items() if name not in cls.model_fields and len(value) < least)
        if short:
            faults = [{"field": name[:64], "message": f"has at least {least} characters"} for name in short]
            raise Unprocessable(f"the credential is refused: {', '.join(short)[:200]}", faults)


def _metrics(dataset: Dataset) -> DatasetSpec:
    return DatasetSpec(
        dataset,
        lookback_days=LOOKBACK_DAYS,
        max_window_days=MAX_WINDOW_DAYS,
        settles_after_days=SETTLES_AFTER_DAYS,
    )


SPEC = PlatformSpec(
    name=Platform("generic"),
    title="Any other API",
    package=__name__,
    credential=GenericCredential,
    urls={"api": ""},
    datasets=datasets(
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
    ),
    throttles=(ThrottleScope.PROFILE, ThrottleScope.CREDENTIAL, ThrottleScope.REGION),
    described=True,
)
