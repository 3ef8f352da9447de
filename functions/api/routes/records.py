"""The records of `retrieve` as the API's description shows them; the rows themselves are made by adweir.reporting.

They are described, not typed: Powertools writes a Decimal through a float, so rows are written by `http.answer`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field, WithJsonSchema

from adweir.model.entities import Status
from routes.fields import PlatformId, Shown

Exact = Annotated[Decimal, WithJsonSchema({"type": "number", "examples": [12.345678]})]
"""An exact decimal: the digits of the JSON number are the stored ones."""
Ratio = Annotated[Exact | None, Field(description="Derived from the sums; null where the denominator is 0.")]
AdAccountId = Annotated[str, Field(description="The platform's ad account.")]
ClientAccountId = Annotated[str, Field(description="The client company, acc_….")]


class AdRecord(Shown):
    """An ad with the sums of its metrics over the days that were asked for."""

    model_config = ConfigDict(extra="allow")
    ad_id: str
    platform: PlatformId
    account_id: AdAccountId
    client_account_id: ClientAccountId
    campaign_id: str
    ad_group_id: str
    headline: str | None
    description: str | None
    cta: str | None
    image_url: str | None
    video_url: str | None
    landing_page_url: str | None
    start_date: str | None
    end_date: str | None = Field(description="null: it goes on.")
    status: Status
    status_raw: str
    impressions: int
    clicks: int
    ctr: Ratio
    spend: Exact
    conversions: Exact
    conversion_rate: Ratio
    cpa: Ratio
    roas: Ratio
    relevance_score: float | None
    quality_score: float | None
    currency: str


class AccountDay(Shown):
    """One day of an ad account."""

    model_config = ConfigDict(extra="allow")
    account_id: AdAccountId
    client_account_id: ClientAccountId
    platform: PlatformId
    account_name: str
    currency: str
    timezone: str
    date: str
    daily_spend: Exact
    daily_impressions: int
    daily_clicks: int
    daily_conversions: Exact
    daily_revenue: Exact
    daily_roas: Ratio
    campaign_count: int
    ad_count: int


class PerformanceRecord(Shown):
    """One day or hour of a campaign, ad group, ad or keyword: its id and those of its parents, and its metrics."""

    model_config = ConfigDict(extra="allow")
    account_id: AdAccountId
    client_account_id: ClientAccountId
    platform: PlatformId
    profile_id: str
    date: str
    impressions: int
    clicks: int
    conversions: Exact
    spend: Exact
    revenue: Exact
    currency: str


class ObjectRecord(Shown):
    """A campaign, ad group, keyword or ad account as its platform describes it."""

    model_config = ConfigDict(extra="allow")
    platform: PlatformId
    profile_id: str
    name: str
    status: str
    currency: str
