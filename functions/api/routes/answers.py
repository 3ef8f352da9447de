"""Answers with exact numbers as the API's description shows them; adweir.reporting and adweir.quality make them.

They are described, not typed: Powertools writes a Decimal through a float, so `http.answer` writes these answers.
Only the description imports this file.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from adweir.model.entities import Status
from routes.fields import Instant, PlatformId, Shown

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
    end_date: str | None = Field(description="null when no end is set.")
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


class Retrieved(Shown):
    """A page of records."""

    retrieved_at: Instant
    records_count: int
    records: list[AdRecord | AccountDay | PerformanceRecord | ObjectRecord]
    total: int = Field(description="The number of records on all pages.")
    status: Literal["success"]


class RetrieveAnswer(Shown):
    """What `retrieve` answers."""

    model_config = ConfigDict(extra="allow")
    success: Literal[True]
    data_type: str
    result: Retrieved


class Issue(Shown):
    """A rule that a record breaks."""

    row: int = Field(description="The record, counted from 0.")
    field: str
    rule: str
    message: str
    value: Any = None


class Validated(Shown):
    """What the checks found."""

    validated_at: Instant
    validation_passed: bool
    issues_found: int = Field(description="Errors; warnings do not count.")
    issues: list[Issue]
    records_count: int
    status: Literal["success"]


class ValidateAnswer(Shown):
    """What `validate` answers."""

    success: Literal[True]
    data_type: str
    result: Validated


class ReportAnswer(Shown):
    """A report. Rows and totals are per currency as soon as one metric involves money."""

    name: str
    time_range: dict[str, str] = Field(description="`start_date` and `end_date`, as asked for.")
    columns: list[str] = Field(description="The fields of each row, in order.")
    row_count: int
    totals: list[dict[str, Any]]
    data: list[dict[str, Any]] = Field(description="The rows: dimensions, currency, metrics.")


_RETRIEVED = {
    "success": True,
    "data_type": "campaign_performance",
    "result": {
        "retrieved_at": "{today-0}T06:00:00.000000Z",
        "records_count": 1,
        "records": [
            {
                "platform": "{a-platform}",
                "profile_id": "1234567890",
                "campaign_id": "120200000000000001",
                "date": "{today-1}",
                "currency": "EUR",
                "impressions": 12040,
                "clicks": 310,
                "conversions": 12.5,
                "spend": 118.342561,
                "revenue": 403.69,
                "ctr": 0.025748,
                "account_id": "1234567890",
                "client_account_id": "acc_5f0c1d2e3b4a59687786",
            }
        ],
        "total": 1,
        "status": "success",
    },
}
REPORT: dict[str, Any] = {
    "application/json": {
        "model": ReportAnswer,
        "examples": {
            "report": {
                "value": {
                    "name": "Last week",
                    "time_range": {"start_date": "{today-7}", "end_date": "{today-1}"},
                    "columns": ["date", "platform", "currency", "impressions", "spend", "roas"],
                    "row_count": 1,
                    "totals": [{"currency": "EUR", "impressions": 12040, "spend": 118.342561, "roas": 3.411205}],
                    "data": [
                        {
                            "date": "{today-1}",
                            "platform": "{a-platform}",
                            "currency": "EUR",
                            "impressions": 12040,
                            "spend": 118.342561,
                            "roas": 3.411205,
                        }
                    ],
                }
            }
        },
    },
    "text/csv": {
        "schema": {"type": "string"},
        "examples": {"csv": {"value": "date,clicks\r\n2026-11-01,12\r\n"}},
    },
    "text/html": {"schema": {"type": "string"}},
    "text/markdown": {"schema": {"type": "string"}},
}
RETRIEVED: dict[str, Any] = {
    "application/json": {"model": RetrieveAnswer, "examples": {"campaigns": {"value": _RETRIEVED}}}
}
VALIDATED: dict[str, Any] = {"application/json": {"model": ValidateAnswer}}
