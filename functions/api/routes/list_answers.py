"""Answers of lists as the API's description shows them, beside those of `answers`. Only the description imports it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from adweir.model.conversion_columns import ConversionColumn
from adweir.model.entities import KeywordKind, Status
from routes.answers import (
    AccountDay,
    AdAccountId,
    AdRecord,
    ClientAccountId,
    Count,
    CoveredDay,
    Day,
    InvoiceRecord,
    NameParts,
    Ratio,
    Unknown,
    Warnings,
)
from routes.enrichment_answers import AdEnrichment
from routes.fields import Exact, Instant, NextToken, Number, PlatformId, Shown
from routes.report_answers import AnsweredRange, AnswerFreshness


def _by_choice(schema: dict[str, Any]) -> None:
    """With `fields`, a record has those only."""
    schema.pop("required", None)


Kept = Annotated[bool, Field(description="The newest pull no longer brings some of it; the account total has it.")]
Money = Annotated[Exact | None, Field(description="In `currency`; null where the platform has none.")]


CalledNow = Annotated[str | None, Field(description="As it is called now; null where no list of its platform has it.")]


class ListedAd(AdRecord):
    """An ad with the sums of its metrics over the days; with `fields`, those of them."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_by_choice)
    account_name: CalledNow
    client_name: CalledNow
    campaign_name: CalledNow
    ad_group_name: CalledNow
    enrichment: AdEnrichment | None = Field(default=None, description="With `include=enrichment`.")
    unknown: Unknown = None
    kept: Kept = False


class ListedAccountDay(AccountDay):
    """One day of an ad account; with `fields`, those of them."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_by_choice)
    client_name: CalledNow
    unknown: Unknown = None


class WindowTotal(Shown):
    """The sums of some days, and what follows from them."""

    days_pulled: int = Field(description="Of how many of the days everything was pulled.")
    impressions: Count
    clicks: Count
    ctr: Ratio
    spend: Number
    conversions: Number
    conversion_rate: Ratio
    cpa: Ratio
    roas: Ratio
    revenue: Number
    unknown: Unknown = None
    kept: Kept = False


class WindowTotals(Shown):
    """Totals up to the ad account's yesterday, in one currency; null is unknown, which is not zero."""

    model_config = ConfigDict(extra="allow")
    currency: str
    last_7_days: WindowTotal
    last_30_days: WindowTotal
    lifetime: WindowTotal = Field(description="Of all stored days, at most five years.")


class TotalsOfObject(WindowTotals):
    """The totals of a campaign or keyword, as a report over the same days shows them."""

    as_of: Instant | None = Field(description="When the newest pull of them began; null: nothing was pulled.")
    through: str = Field(description="The last of the days.", examples=["2026-11-19"])
    provisional_from: Day = Field(description="The first day that was pulled and may still change.")
    others: list[WindowTotals] = Field(default=[], description="In currencies that the ad account had before.")


class ListedObject(Shown):
    """What campaigns and keywords have in common."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_by_choice)
    platform: PlatformId
    profile_id: str
    account_id: AdAccountId
    account_name: CalledNow
    client_account_id: ClientAccountId
    client_name: CalledNow
    id: str
    name: str
    status: Status
    status_raw: str = Field(description="The platform's own word.")
    campaign_id: str
    start_date: Day
    end_date: Day
    currency: str
    as_of: str = Field(description="The pull that brought it as it is.")
    totals: TotalsOfObject | None = Field(description="null for a negative, which has no delivery.")


class EarlierBudget(Shown):
    """A budget of a campaign and the UTC day of the first list with it, "" where no list said otherwise before."""

    amount: Money
    kind: str = Field(description="Its `budget_type`.")
    since: str = Field(examples=["", "2026-11-20"])


class ListedCampaign(ListedObject):
    """A campaign of a platform; with `fields`, those of them."""

    budget: Money
    name_parts: NameParts
    budget_type: str
    budgets: list[EarlierBudget] = Field(description="This one and those before, once a list had another one.")
    objective: str
    targeting_type: str
    reported: bool = Field(description="False for a campaign that the platform leaves out of its reports.")
    conversion_columns: list[ConversionColumn] = Field(
        description="What its numbered conversion columns count, where the platform numbers them, each since a day."
    )


class ListedKeyword(ListedObject):
    """A keyword, target or negative; with `fields`, those of them."""

    ad_group_id: str = Field(description="Empty for a negative of a campaign.")
    kind: KeywordKind
    text: str = Field(description="Of a target, its expression as the platform writes it.")
    match_type: str
    bid: Money
    quality_score: float | None = Field(description="On the platform's own scale.")


class ListedInvoiceLine(InvoiceRecord):
    """A line of an invoice; with `fields`, those of them."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_by_choice)


class BilledMonth(Shown):
    """What all documents of a month bill an ad account in one currency, beside the spend that was measured in it."""

    platform: PlatformId
    profile_id: str
    account_id: AdAccountId
    client_account_id: ClientAccountId
    month: str = Field(examples=["2026-10"])
    currency: str
    documents: int
    billed: Exact = Field(description="Before tax.")
    tax: Exact
    total: Exact
    by_kind: dict[str, Exact] = Field(description="`billed` by kinds of lines.")
    measured: Number = Field(description="The stored spend of the month; null where nothing was pulled in `currency`.")
    difference: Number = Field(description="`billed` less `measured`.")
    explained: dict[str, Exact] = Field(
        description="Why `total` is not `measured`, by kind of line: tax, fee, credit, adjustment, invalid_traffic,"
        " overdelivery; corrected_later is what a later bill gives back of the month."
    )
    unexplained: Number = Field(description="`total` less `measured`, less all of `explained`.")
    is_explained: bool | None = Field(
        description="Whether `unexplained` is at most 0.01. null: not every day of the month was pulled, or a billing"
        " period is no calendar month."
    )
    days: int
    days_pulled: int = Field(description="Of how many days of the month everything was pulled.")
    is_whole_month: bool = Field(description="False where a billing period is no calendar month.")


class UnparsedText(Shown):
    """A name or landing page that cannot be read."""

    id: str
    text: str
    spend: Exact


class NamingFinding(Shown):
    """What one ad account's names of a level, or its landing pages, do not say, in one currency."""

    platform: PlatformId
    profile_id: str
    account_id: AdAccountId
    client_account_id: ClientAccountId
    subject: str = Field(description="campaign_name, ad_group_name, ad_name or landing_page.")
    pattern: str | None = Field(description="What the names should follow; null for landing pages.")
    currency: str
    spend: Exact = Field(description="Of all campaigns, ad groups or ads in the range.")
    unparsed: int = Field(description="How many of those with numbers in the range cannot be read.")
    unparsed_spend: Exact
    share_of_spend: Ratio
    absent: int = Field(description="How many have no landing page, or are in no list of their platform any more.")
    absent_spend: Exact
    examples: list[UnparsedText] = Field(description="Those with the most spend.")


class ListAnswer(Shown):
    """One page of a list."""

    warnings: Warnings
    next_token: NextToken


class AdsAnswer(ListAnswer):
    """One page of ads."""

    ads: list[ListedAd]
    freshness: AnswerFreshness
    time_range: AnsweredRange | None = Field(default=None, description="The days that words mean, where asked so.")
    coverage: list[CoveredDay] = Field(description="By day; empty where no metrics are read.")


class AccountDaysAnswer(ListAnswer):
    """One page of account days."""

    account_days: list[ListedAccountDay]
    freshness: AnswerFreshness
    time_range: AnsweredRange | None = Field(default=None, description="The days that words mean, where asked so.")
    coverage: list[CoveredDay] = Field(description="By day.")


class PlatformCampaignsAnswer(ListAnswer):
    """One page of campaigns."""

    platform_campaigns: list[ListedCampaign]


class KeywordsAnswer(ListAnswer):
    """One page of keywords, targets and negatives."""

    keywords: list[ListedKeyword]


class InvoicesAnswer(ListAnswer):
    """One page of lines of invoices, and the sums of their months."""

    invoices: list[ListedInvoiceLine]
    months: list[BilledMonth]


class NamingFindingsAnswer(ListAnswer):
    """What cannot be read, all in one page."""

    findings: list[NamingFinding]
    coverage: list[CoveredDay] = Field(description="What the spend rests on, by day.")


_MODELS: dict[str, type[ListAnswer]] = {
    "ads": AdsAnswer,
    "account_days": AccountDaysAnswer,
    "platform_campaigns": PlatformCampaignsAnswer,
    "keywords": KeywordsAnswer,
    "invoices": InvoicesAnswer,
    "findings": NamingFindingsAnswer,
}
_CSV = {"text/csv": {"schema": {"type": "string"}}}
LISTS: dict[str, dict[str, Any]] = {
    name: {"application/json": {"model": model}} | ({} if model is NamingFindingsAnswer else _CSV)
    for name, model in _MODELS.items()
}
