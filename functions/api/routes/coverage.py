"""What was pulled, when, and how final it is."""

from decimal import Decimal
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, WithJsonSchema

from adweir.model import limits
from adweir.model.errors import TooLarge, Unprocessable
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.fields import (
    PAGE_ITEMS,
    Given,
    Instant,
    Limit,
    NextToken,
    OneOf,
    PageToken,
    PlatformId,
    PlatformName,
    Shown,
)
from routes.large import bounds

_OF = "coverage"
_FILTERS = ("account_id", "platform", "profile_id")


def _data_types() -> tuple[str, ...]:
    from adweir.reporting.records import PERFORMANCE

    return tuple(sorted(PERFORMANCE))


class PulledSlice(Shown):
    """The newest complete pull of a part of a day."""

    slice: str = Field(description="`all`, an ad product, or `campaign=<id>`.", examples=["all"])
    pulled_at: Instant
    task_id: str
    definition: str = Field(description="How it counts conversions and revenue; empty for the platform's default.")


class CoverageEntry(Shown):
    """One day of one data type of an ad account."""

    platform: PlatformId
    profile_id: str
    account_id: str = Field(description="The platform's ad account.")
    client_account_id: str = Field(description="The client company, acc_….")
    data_type: str = Field(examples=["campaign_performance"])
    level: Annotated[str, OneOf("account", "campaign", "ad_group", "ad", "keyword")]
    date: str = Field(description="The ad account's local date.", examples=["2026-11-20"])
    slices: list[PulledSlice]
    missing: list[str] = Field(description="Slices that were not pulled, though they should have been.")
    not_applicable: list[str] = Field(description="Slices that the ad account does not have, as its platform said.")
    settled: bool = Field(description="Whether the platform no longer restates the day and all of it is pulled.")
    live: bool = Field(description="Whether only hours cover the day or, for a data type by hour, it is not over.")


class CoverageAnswer(Shown):
    """One page of coverage."""

    coverage: list[CoverageEntry]
    warnings: list[str] = Field(description="Ad accounts that are left out, and why.")
    next_token: NextToken


class AdAccountsQuery(Given):
    """Of which ad accounts."""

    account_id: str = Field(
        default="",
        max_length=limits.MAX_PATH_ID_CHARS,
        description="Only those of this client company (acc_…), or this ad account.",
    )
    platform: PlatformName = Field(default="", description="Only those of this platform or alias.")
    profile_id: str = Field(default="", max_length=limits.MAX_OBJECT_ID_CHARS, description="Only this ad account.")


class CoverageQuery(AdAccountsQuery):
    """Which coverage to list."""

    data_type: Annotated[str, OneOf("", known=_data_types)] = Field(
        default="",
        max_length=limits.MAX_WORD_CHARS,
        description="Only this data type; without it each that is served.",
    )
    start: str = Field(
        default="", max_length=limits.MAX_WORD_CHARS, description="The first day; without it 30 days are listed."
    )
    end: str = Field(default="", max_length=limits.MAX_WORD_CHARS, description="The last day; without it today.")


class RestatementQuery(AdAccountsQuery):
    """Which days to measure; those that are not settled do not count."""

    start: str = Field(
        default="", max_length=limits.MAX_WORD_CHARS, description="The first day; without it 60 days are measured."
    )
    end: str = Field(
        default="", max_length=limits.MAX_WORD_CHARS, description="The last day; without it the last settled one."
    )


Share = Annotated[
    Annotated[Decimal, WithJsonSchema({"type": "number"})] | None,
    Field(description="Of the final number; null where nothing was observed."),
]


class KnownShares(Shown):
    """What share of the final numbers was known so many days after a day."""

    after_days: int
    days: int = Field(description="Days that were pulled by then; the shares are theirs.")
    impressions: Share
    clicks: Share
    conversions: Share
    spend: Share
    revenue: Share


class ObservedRestatement(Shown):
    """How the numbers of an ad account were restated, as pulls have seen it."""

    platform: PlatformId
    profile_id: str
    account_id: str = Field(description="The platform's ad account.")
    client_account_id: str = Field(description="The client company, acc_….")
    level: Annotated[str, OneOf("account", "campaign", "ad_group", "ad")] = Field(description="Whose rows were added.")
    days: int = Field(description="Settled days that were observed.")
    first_date: str | None
    last_date: str | None
    lookback_days: int = Field(description="Days that each daily run pulls again: the platform's, or the option's.")
    settles_after_days: int = Field(description="Days after which numbers count as settled.")
    final_after_days: dict[str, int | None] = Field(
        description="After how many days each number was final to 0.1 %; null where that was not seen."
    )
    known: list[KnownShares] = Field(description="One entry per day, from the first to the settling one.")


class RestatementAnswer(Shown):
    """The observed restatement of each ad account, all in one page."""

    restatement: list[ObservedRestatement]
    warnings: list[str] = Field(description="Ad accounts that are left out, and why.")
    next_token: NextToken


def _restatement() -> dict[str, Any]:
    return {"application/json": {"model": RestatementAnswer}}


coverage = Resource("Coverage", "What was pulled, when, and how final it is")


@coverage.route("GET", "/api/v1/coverage", "List what was pulled", limited=True)
def list_coverage(
    app: Here,
    asked: Annotated[CoverageQuery, Query()],
    limit: Limit = PAGE_ITEMS,
    next_token: PageToken = "",
) -> CoverageAnswer:
    """By ad account, data type and day. A day without slices was not pulled; one with them and no rows has no data."""
    from adweir.reporting.coverage_list import CoverageList, CoverageRequest
    from adweir.reporting.ranges import parse_range
    from adweir.store.dynamo.paging import from_token, to_token

    span = parse_range(asked.start, asked.end, app.clock.now().date(), field="query")
    given = {name: value for name in _FILTERS if (value := getattr(asked, name))}
    wanted = CoverageRequest(span, app.queries.filters(given, "query"), asked.data_type)
    page = CoverageList(app.queries).page(wanted, limit, from_token(_OF, next_token))
    token = to_token(_OF, page.position) if page.position else None
    return CoverageAnswer.of({"coverage": page.entries, "warnings": page.warnings, "next_token": token})


@coverage.route("GET", "/api/v1/restatement", "List how ad accounts are restated", limited=True, content=_restatement)
def list_restatement(app: Here, asked: Annotated[RestatementQuery, Query()]) -> Answer:
    """What share of final numbers is known after how many days, from the record of what pulls have changed.

    Where it differs from the platform's usual, set the options `lookback_days` and `settles_after_days` of the ad
    account: `settled` follows from them everywhere.
    """
    from adweir.reporting.ranges import parse_day
    from adweir.reporting.restatement import LagMeasure

    given = {name: value for name in _FILTERS if (value := getattr(asked, name))}
    start, end = parse_day(asked.start, "query.start"), parse_day(asked.end, "query.end")
    queries = app.queries.within(bounds(app))
    try:
        found, warnings = LagMeasure(queries, app.metrics).measure(app.queries.filters(given, "query"), start, end)
    except TooLarge as large:
        raise Unprocessable(large.message, [{"field": "query", "message": large.message}]) from None
    return answer({"restatement": found, "warnings": warnings, "next_token": None})
