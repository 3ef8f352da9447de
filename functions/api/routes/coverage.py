"""What was pulled, when, and how final it is."""

from typing import Annotated, NamedTuple

from aws_lambda_powertools.event_handler import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from adweir.model import limits
from adweir.runtime.routes import Here, Resource
from routes.fields import PAGE_ITEMS, Instant, Limit, NextToken, OneOf, PageToken, PlatformId, PlatformName, Shown

_OF = "coverage"


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


class _Asked(NamedTuple):
    """What the query says: filters by name, and the range."""

    filters: dict[str, str]
    start: str
    end: str


def _asked(
    account_id: Annotated[
        str,
        Query(
            max_length=limits.MAX_PATH_ID_CHARS,
            description="Only those of this client company (acc_…), or this ad account.",
        ),
    ] = "",
    platform: Annotated[PlatformName, Query(description="Only those of this platform or alias.")] = "",
    profile_id: Annotated[str, Query(max_length=limits.MAX_OBJECT_ID_CHARS, description="Only this ad account.")] = "",
    start: Annotated[
        str, Query(max_length=limits.MAX_WORD_CHARS, description="The first day; without it 30 days are listed.")
    ] = "",
    end: Annotated[str, Query(max_length=limits.MAX_WORD_CHARS, description="The last day; without it today.")] = "",
) -> _Asked:
    given = {"account_id": account_id, "platform": platform, "profile_id": profile_id}
    return _Asked({name: value for name, value in given.items() if value}, start, end)


coverage = Resource("Coverage", "What was pulled, when, and how final it is")


@coverage.route("GET", "/api/v1/coverage", "List what was pulled")
def list_coverage(
    app: Here,
    asked: Annotated[_Asked, Depends(_asked)],
    data_type: Annotated[
        str,
        OneOf("", known=_data_types),
        Query(max_length=limits.MAX_WORD_CHARS, description="Only this data type; without it each that is served."),
    ] = "",
    limit: Limit = PAGE_ITEMS,
    next_token: PageToken = "",
) -> CoverageAnswer:
    """By ad account, data type and day. A day without slices was not pulled; one with them and no rows has no data."""
    from adweir.reporting.coverage_list import CoverageList, CoverageRequest
    from adweir.reporting.ranges import parse_range
    from adweir.store.dynamo.paging import from_token, to_token

    span = parse_range(asked.start, asked.end, app.clock.now().date(), field="query")
    wanted = CoverageRequest(span, app.queries.filters(asked.filters, "query"), data_type)
    page = CoverageList(app.queries).page(wanted, limit, from_token(_OF, next_token))
    token = to_token(_OF, page.position) if page.position else None
    return CoverageAnswer.of({"coverage": page.entries, "warnings": page.warnings, "next_token": token})
