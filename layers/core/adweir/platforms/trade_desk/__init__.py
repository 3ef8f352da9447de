"""The Trade Desk: REST version 3, and MyReports for the numbers.

A report is a template that the customer makes in the web page, a one-off schedule that names its days, an execution,
and a CSV file. One report of a partner answers for all its advertisers. Reports are by UTC day, whatever the campaign's
time zone. The documents are behind the platform's log-in; docs/platforms.md names the public sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from adweir.model.datasets import Dataset
from adweir.model.errors import ThrottleScope, Unprocessable
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.platforms.base import DatasetSpec, PlatformSpec, datasets
from adweir.platforms.credentials import CredentialFields, FieldKind, Plain, PlainEnd, Secret
from adweir.platforms.trade_desk.options import TradeDeskOptions

MAX_WINDOW_DAYS = 31
RETENTION_DAYS = 2 * 365
"""What MyReports keeps, as those say who use it."""
LATE_DAYS = 3
"""After an attribution window has ended, numbers still come."""
_LOOKBACK_DAYS, _SETTLES_DAYS = 30 + LATE_DAYS, 60 + LATE_DAYS
"""Of an advertiser that does not name its attribution windows: 30 days is usual, the platform's own example has 60."""


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class TradeDeskCredential(CredentialFields):
    """A token that was made in the web page, or the login and password of an API user.

    `token_expires`: the day on which the token ends (YYYY-MM-DD): it cannot be renewed, and nobody else says so.
    `template`: the name or number of the report template; breakdowns have templates of their own, `<name> by country`
    and so on. `reports`: whether one report serves all advertisers of a partner, or each advertiser has its own.
    """

    login: Annotated[Plain, FieldKind.APP] = ""
    password: Secret = ""
    token: Secret = ""
    token_expires: PlainEnd = ""
    template: Plain = "adweir"
    reports: Annotated[Literal["partner", "advertiser"], BeforeValidator(_lower), FieldKind.PLAIN] = "partner"

    @model_validator(mode="before")
    @classmethod
    def _one_way_in(cls, values: Any) -> Any:
        """Either a token or a login: with neither, the field that is missing is named."""
        if isinstance(values, dict) and not values.get("token"):
            missing = {name: None for name in ("login", "password") if not values.get(name)}
            return values | missing
        return values

    @classmethod
    def check_given(cls, values: Mapping[str, str]) -> None:
        """Also refuse a login beside a token, which nobody would use, and the end of a token that is not given."""
        super().check_given(values)
        if values.get("token"):
            faults = {name: "cannot be beside token" for name in ("login", "password") if values.get(name)}
        else:
            faults = {"token_expires": "is the end of token, which is not given"} if values.get("token_expires") else {}
        if faults:
            details = [{"field": name, "message": message} for name, message in faults.items()]
            raise Unprocessable.listing("the credential is refused", details)


def _daily(dataset: Dataset, *, sums_to_parent: bool = False, on_request: bool = False) -> DatasetSpec:
    return DatasetSpec(
        dataset,
        (ALL,),
        lookback_days=_LOOKBACK_DAYS,
        settles_after_days=_SETTLES_DAYS,
        max_window_days=MAX_WINDOW_DAYS,
        retention_days={ALL: RETENTION_DAYS},
        sums_to_parent=sums_to_parent,
        on_request=on_request,
    )


SPEC = PlatformSpec(
    name=Platform("trade_desk"),
    title="The Trade Desk",
    package=__name__,
    aliases=("ttd", "the_trade_desk"),
    credential=TradeDeskCredential,
    urls={"api": "https://api.thetradedesk.com/v3"},
    datasets=datasets(
        DatasetSpec(Dataset.PROFILES),
        DatasetSpec(Dataset.CAMPAIGNS),
        DatasetSpec(Dataset.AD_GROUPS),
        DatasetSpec(Dataset.ADS),
        DatasetSpec(Dataset.CREATIVES),
        # Every impression has a creative, so a template by ad group and creative has all that its parents have.
        _daily(Dataset.AD_DAILY, sums_to_parent=True),
        # For templates without creatives, or without ad groups.
        _daily(Dataset.AD_GROUP_DAILY, sums_to_parent=True),
        _daily(Dataset.CAMPAIGN_DAILY, sums_to_parent=True),
        # Each from a template of its own.
        _daily(Dataset.AD_BY_COUNTRY_DAILY, on_request=True),
        _daily(Dataset.AD_BY_REGION_DAILY, on_request=True),
        _daily(Dataset.AD_BY_DEVICE_DAILY, on_request=True),
        _daily(Dataset.AD_BY_PLACEMENT_DAILY, on_request=True),
        _daily(Dataset.CAMPAIGN_BY_REGION_DAILY, on_request=True),
    ),
    options=TradeDeskOptions,
    throttles=(ThrottleScope.PROFILE, ThrottleScope.CREDENTIAL),
    keeps_reports=True,
)
