"""The quality of an ad account's data: by load, by day with a trend, and its bills."""

from datetime import timedelta
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import ConfigDict, Field

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.fields import (
    PAGE_ITEMS,
    AccountId,
    Day,
    Exact,
    Given,
    Instant,
    NextToken,
    Number,
    OneOf,
    PageToken,
    PlatformId,
    PlatformName,
    Shown,
)

_DAYS = 30
Share = Annotated[float | None, Field(description="0 to 1; null where nothing was tested.", ge=0, le=1)]
Dimensions = Annotated[
    dict[str, Share],
    Field(
        description="completeness, validity, uniqueness, consistency, timeliness, accuracy: passed of all test units."
    ),
]
Gates = Annotated[
    list[str], Field(description="What holds the score at 0.59 at most: broken rules, dimensions under 0.6.")
]


class QualityQuery(Given):
    """Which ad account, and which of its days."""

    platform: PlatformName = Field(description="The ad account's platform or an alias of it.")
    profile_id: str = Field(min_length=1, max_length=limits.MAX_OBJECT_ID_CHARS, description="The ad account's id.")
    start: Day | None = Field(None, description="The first day of `days` and `bills`; without it 30 days.")
    end: Day | None = Field(None, description="The last one; without it today.")


class QualityReportAnswer(Shown):
    """The quality of one load; further fields count its rows."""

    model_config = ConfigDict(extra="allow")
    platform: PlatformId
    profile_id: str
    account_id: AccountId
    dataset: str
    start: str
    end: str
    as_of: str
    stored_at: Instant
    score: float | None = Field(description="0 to 1, over all dimensions.", ge=0, le=1)
    dimensions: dict[str, Any] = Field(description="The score of each dimension.")


class WorstColumn(Shown):
    """A column with failures: of a level, where the day has several."""

    rule: str
    field: str = Field(examples=["ad.spend"])
    rows: int


class DifferenceCause(Shown):
    """A part of a difference. A level may lawfully lack spend without ads, deleted objects, kept rows."""

    reason: str = Field(examples=["campaigns_without_ads", "deleted_objects", "kept", "quarantined", "cleaned"])
    amount: Exact
    says: str


class ComparedLevel(Shown):
    """A metric of a level's rows beside the level above it, most often the platform's own account total."""

    level: str = Field(examples=["campaign"])
    above: str = Field(examples=["account"])
    metric: str
    platform: Exact = Field(description="What the level above has: of the account, the platform's own number.")
    ours: Exact = Field(description="The sum of the level's rows.")
    difference: Exact = Field(description="What ours lacks; negative where it has more.")
    why: list[DifferenceCause]
    unexplained: Exact


class ScoredDay(Shown):
    """The score of a day of the ad account."""

    date: str
    score: Share
    dimensions: Dimensions
    gates: Gates
    worst: list[WorstColumn] = Field(description="The columns with the most failures.")
    reconciliation: list[ComparedLevel] = Field(
        description="Each metric beside the account's total, and levels that differ; empty where nothing is compared."
    )
    missing: list[str] = Field(description="Levels and slices that were not pulled.")
    scored_at: Instant


class MeanScore(Shown):
    """The means of some days."""

    days: int
    score: Share
    dimensions: Dimensions


class Trend(Shown):
    """The last seven scored days beside the seven before them."""

    last: MeanScore
    before: MeanScore
    change: float | None
    direction: Annotated[str, OneOf("better", "worse", "steady", "unknown")]


class CheckedBill(Shown):
    """A month's bill beside what was measured. `unexplained` is a finding: no line says why they differ."""

    month: str
    currency: str
    documents: int
    billed: Exact = Field(description="Before tax.")
    tax: Exact
    total: Exact
    measured: Number
    explained: dict[str, Exact] = Field(description="Why `total` is not `measured`, by kind of line.")
    unexplained: Number = Field(description="`total` less `measured`, less all of `explained`; at most 0.01 is none.")
    state: Annotated[str, OneOf("explained", "unexplained", "incomplete")]
    days: int
    days_pulled: int
    checked_at: Instant


class QualityReportList(Shown):
    """One page of quality reports of an ad account, newest first; on the first page also its days, trend and bills."""

    reports: list[QualityReportAnswer]
    days: list[ScoredDay] = Field(description="The oldest first.")
    trend: Trend | None
    bills: list[CheckedBill]
    next_token: NextToken


quality = Resource("Quality", "How good the data of ad accounts is")


@quality.route(
    "GET",
    "/api/v1/quality",
    "Get the quality of an ad account's data",
    limited=True,
    content=lambda: {"application/json": {"model": QualityReportList}},
)
def list_quality(
    app: Here,
    asked: Annotated[QualityQuery, Query()],
    limit: Annotated[
        int, Query(ge=1, le=limits.MAX_FINDINGS_READ, description="The most reports to return.")
    ] = PAGE_ITEMS,
    next_token: PageToken = "",
) -> Answer:
    """One report per load, newest pull first; a score per day, made after each run, and where the scores are going."""
    named = app.platforms.parse(asked.platform)
    profile = app.catalog.profile(named, asked.profile_id)
    if app.accounts and profile is None:  # for other keys it may be one of the past
        return answer({"reports": [], "days": [], "trend": None, "bills": [], "next_token": None})
    key = f"{named}#{asked.profile_id}"
    found, token = app.findings.quality(key, limit, next_token)
    days = {"days": [], "trend": None, "bills": []} if next_token else _by_day(app, key, asked, profile)
    return answer({"reports": found, **days, "next_token": token or None})


def _by_day(app: App, key: str, asked: QualityQuery, profile: Profile | None) -> dict[str, Any]:
    from adweir.quality.shown_days import shown_days

    last = asked.end or app.clock.now().date()
    first = asked.start or last - timedelta(days=_DAYS - 1)
    served = app.platforms.served(profile) if profile else {}
    return shown_days(app.findings.scores, key, first, last, (gap for spec in served.values() for gap in spec.lacks))
