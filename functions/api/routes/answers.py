"""Answers with exact numbers as the API's description shows them; adweir.reporting and adweir.quality make them.

They are described, not typed: Powertools writes a Decimal through a float, so `http.answer` writes these answers.
Only the description imports this file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from adweir.model.entities import Status
from adweir.model.invoices import DocumentKind, InvoiceLineKind, InvoiceStatus
from routes.fields import Exact, Instant, Number, PlatformId, Shown

Ratio = Annotated[Exact | None, Field(description="Derived from the sums; null where the denominator is 0.")]
Count = Annotated[int | None, Field(description="null where the platform does not report it.")]
Unknown = Annotated[
    dict[str, int] | None,
    Field(description="Metric to the number of rows that the sum leaves out because theirs is unknown."),
]
NameParts = Annotated[
    dict[str, str] | None,
    Field(
        description="The parts of the name, by the client's pattern; null where there is none, or it does not fit.",
        examples=[{"market": "DE", "channel": "search"}],
    ),
]
Day = Annotated[str | None, Field(description="null where the platform sets none.", examples=["2026-11-01"])]
Warnings = Annotated[list[str], Field(description="Ad accounts that are left out, and why.")]
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
    impressions: Count
    clicks: Count
    ctr: Ratio
    spend: Number
    conversions: Number
    conversion_rate: Ratio
    cpa: Ratio
    roas: Ratio
    relevance_score: float | None
    quality_score: float | None
    score_scale: str | None = Field(description="What the platform measures both scores by; null without scores.")
    name_parts: NameParts
    landing_page: dict[str, Any] | None = Field(
        description="`host`, `path` and `utm` of landing_page_url; null where it is none that can be read.",
        examples=[{"host": "shop.example.com", "path": "/spring", "utm": {"source": "meta", "medium": "paid"}}],
    )
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
    daily_spend: Number
    daily_impressions: Count
    daily_clicks: Count
    daily_conversions: Number
    daily_revenue: Number
    daily_roas: Ratio
    campaign_count: int | None = Field(description="Campaigns with stored numbers on the day; null where not pulled.")
    ad_count: int | None = Field(description="Ads with stored numbers on the day; null where not pulled.")


class PerformanceRecord(Shown):
    """One day or hour of a campaign, ad group, ad or keyword: its id and those of its parents, and its metrics.

    With a breakdown, also its values. Ids are null in the row of what is unattributed.
    """

    model_config = ConfigDict(extra="allow")
    account_id: AdAccountId
    client_account_id: ClientAccountId
    platform: PlatformId
    profile_id: str
    date: str
    impressions: Count
    clicks: Count
    conversions: Number
    spend: Number
    revenue: Number
    currency: str
    unknown: Unknown = None
    kept: bool = Field(default=False, description="The newest pull no longer brings it; the account total has it.")
    live: bool = Field(default=False, description="Of a day that is not over, from its hours.")
    unattributed: bool = Field(default=False, description="What the other rows leave of the account's day.")


class OwnRecord(Shown):
    """A day of the client's own figures, or a row of reference data, with the fields of its data type."""

    model_config = ConfigDict(extra="allow")
    source: str = Field(description="As the file's key names it.", examples=["shopify"])
    account_id: Literal["direct"]
    client_account_id: ClientAccountId


class InvoiceRecord(Shown):
    """A line of an invoice, with what its document says."""

    platform: PlatformId
    profile_id: str
    account_id: AdAccountId
    client_account_id: ClientAccountId
    month: str = Field(description="The month that the document bills.", examples=["2026-10"])
    invoice_id: str
    document: DocumentKind
    line: str = Field(description="What tells the line apart in its document.")
    kind: InvoiceLineKind
    amount: Exact = Field(description="Before tax; negative where something is given back.")
    tax: Exact
    total: Exact
    currency: str
    campaign_id: str | None
    campaign: str | None = Field(description="The campaign's name on the bill.")
    budget: str | None = Field(description="The account budget or portfolio that the platform names.")
    about_month: str | None = Field(description="The earlier month that a correction is about.")
    start_date: Day
    end_date: Day
    issued_on: Day
    due_on: Day
    status: InvoiceStatus
    status_raw: str = Field(description="The platform's own word.")
    corrects: str | None = Field(description="The invoice that a memo corrects.")
    replaces: list[str] = Field(description="The invoices that this one replaces.")
    source: str = Field(description="pull, or file for a dropped one.")
    as_of: Instant


class ObjectRecord(Shown):
    """A campaign, ad group, keyword, target, negative, creative or ad account as its platform describes it."""

    model_config = ConfigDict(extra="allow")
    platform: PlatformId
    profile_id: str
    name: str
    status: str
    currency: str


class MissingSlice(Shown):
    """A part of a day that was not pulled: `all`, or an ad product."""

    platform: PlatformId
    profile_id: str
    slice: str = Field(examples=["all"])


class CoveredDay(Shown):
    """What the answer for a day rests on. A day without missing slices and without rows is a day without data."""

    date: str = Field(examples=["2026-11-20"])
    pulled_at: Instant | None = Field(description="The oldest of the ad accounts' newest pulls; null: none was made.")
    missing: list[MissingSlice] = Field(description="What was not pulled, though it should have been.")
    missing_more: int = Field(default=0, description="How many further slices are missing that are not named.")
    settled: bool = Field(description="Whether no platform restates the day any more and all of it is pulled.")
    live: bool = Field(description="Whether hours answer for the day.")


class ChangedNumber(Shown):
    """A day or hour of an object whose numbers or mark changed; `old` or `new` is null where there was or is no row."""

    model_config = ConfigDict(extra="allow")
    platform: PlatformId
    profile_id: str
    level: str = Field(description="The level of the row: the one that was asked, or a finer one that sums to it.")
    date: str
    source: str
    old: dict[str, Number] | None
    new: dict[str, Number] | None
    old_mark: str = Field(description="`kept` or `held`; empty: none.")
    new_mark: str = Field(description="`kept` or `held`; empty: none.")
    old_currency: str | None = Field(
        description="The currency of `old`: that of `new`, unless the ad account changed it."
    )
    currency: str = Field(description="The currency of `new`; of `old` where there is no row any more.")
    lag_days: int = Field(description="Days from the row's day to the pull that changed it.")
    cause: str = Field(description="pull, file, stream, push, replay, options, or total.", examples=["pull"])
    changed_at: Instant
    pulled_at: Instant
    task_id: str


AsKnownAt = Annotated[Instant | None, Field(description="The moment that the answer is of, where one was asked for.")]
NamesAsOf = Annotated[Instant | None, Field(description="Names, statuses and options are those of this moment.")]
Changes = Annotated[list[ChangedNumber] | None, Field(description="With changed_since, in the order of the loads.")]
ChangesTotal = Annotated[int | None, Field(description="How many changes there are; not all may be listed.")]


class Retrieved(Shown):
    """A page of records."""

    retrieved_at: Instant
    as_known_at: AsKnownAt = None
    names_as_of: NamesAsOf = None
    changes: Changes = None
    changes_total: ChangesTotal = None
    records_count: int
    records: list[AdRecord | AccountDay | InvoiceRecord | PerformanceRecord | ObjectRecord | OwnRecord]
    total: int = Field(description="The number of records on all pages.")
    coverage: list[CoveredDay] = Field(description="By day; empty for records without metrics.")
    warnings: Warnings
    next_token: str | None = Field(default=None, description="For the next page, where `paged` was asked for.")
    status: Literal["success"]


class RetrieveAnswer(Shown):
    """What `retrieve` answers."""

    model_config = ConfigDict(extra="allow")
    success: Literal[True]
    data_type: str
    result: Retrieved


A_DAY = {
    "date": "{today-1}",
    "pulled_at": "{today-0}T05:30:12.000000Z",
    "missing": [],
    "settled": False,
    "live": False,
}
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
        "coverage": [A_DAY],
        "warnings": [],
        "status": "success",
    },
}
RETRIEVED: dict[str, Any] = {
    "application/json": {"model": RetrieveAnswer, "examples": {"campaigns": {"value": _RETRIEVED}}}
}
