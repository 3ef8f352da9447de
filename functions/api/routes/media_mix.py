"""Media mix: what each channel brought, with intervals; the versions before; where a budget brings more."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field, WithJsonSchema

from adweir.model import limits
from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.campaigns import CampaignPath
from routes.fields import AccountPath, Exact, Given, Instant, NextToken, RunId, Shown

_TABLE = "daily, weekly, geo_daily or geo_weekly; of the last 90 days alone days=90/daily."
Amount = Annotated[
    Decimal,
    Field(ge=0, le=limits.MAX_PLANNED_AMOUNT),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": limits.MAX_PLANNED_AMOUNT, "examples": [5000]}),
]
VersionPath = Annotated[int, Path(ge=1, le=10**12, description="The number of the version.")]


class MixEstimate(Shown):
    """A number and the 90 % interval about it."""

    estimate: Exact
    low: Exact
    high: Exact


class MixSum(Shown):
    """What a channel brought over the fitted window, and per unit of spend."""

    channel: str = Field(examples=["google_ads"])
    spend: Exact
    contribution: MixEstimate
    roi: MixEstimate
    warnings: list[str] = Field(description="What the data cannot tell of this channel.")


class MixPoint(Shown):
    """What spending so much over the window, distributed as it was, brings."""

    spend: Exact
    contribution: MixEstimate


class MixChannel(MixSum):
    """A channel's coefficients."""

    marginal_roi: MixEstimate = Field(description="Of the next unit of spend.")
    fitted_roi: MixEstimate = Field(description="Of this fit alone, before what earlier versions know is weighed in.")
    carried_weight: Exact = Field(description="The share in `roi` of days that left the data, from earlier versions.")
    adstock: dict[str, Any] = Field(description="When it acts: type, theta per period, l_max, normalize.")
    saturation: dict[str, Any] = Field(
        description="How much it acts: family, half and slope (the exponent in the family's formula), scale, beta, and"
        " elasticity_at_half: by how many per cent it rises with 1 % more spend where half of beta is reached. It says"
        " the same of every family; versions stored before it was told do not have it."
    )
    by_family: dict[str, MixEstimate] = Field(
        description="The contribution as each family of saturations has it, and with `_s` behind its name as an"
        " S-shaped response has it that is possible but not fitted."
    )
    curve: list[MixPoint] = Field(description="The response curve.")


class MixGeo(Shown):
    """What a channel brought in a region."""

    channel: str
    geo: str
    population: Exact
    spend: Exact
    contribution: MixEstimate
    per_person: MixEstimate
    scale: MixEstimate = Field(description="Its effect beside that of all regions.")


class MixMove(Shown):
    """A channel's part of a reallocation."""

    channel: str
    now: Exact
    proposed: Exact
    least: Exact
    most: Exact


class MixPlan(Shown):
    """A budget distributed so that it brings the most."""

    budget: Exact
    days: int
    moves: list[MixMove]
    gain: MixEstimate = Field(description="More of the KPI over these days than the present distribution brings.")


class MixVersionAbout(Shown):
    """What a version is of."""

    currency: str
    table: str = Field(description=_TABLE, examples=["daily"])
    kpi: str = Field(examples=["revenue"])
    version: int
    as_of: Instant = Field(description="When its dataset was read.")
    input_hash: str = Field(
        description="Of all that was fitted or left out, and the method: the same gives no new version."
    )
    run_id: RunId
    method: str
    first: str = Field(description="The first day of the first period.")
    last: str = Field(description="The first day of the last period.")
    days_per_period: int
    periods: int
    settled_share: Exact = Field(description="The share of the periods that no platform restates any more.")
    seconds: Exact = Field(description="How long the fit took.")
    warnings: list[str] = Field(description="What the data cannot tell at all, and what was left out.")


class MixVersion(MixVersionAbout):
    """Coefficients of one currency, table and KPI."""

    channels: list[MixChannel]
    geos: list[MixGeo] = Field(description="Of tables by region; else empty.")
    fit: dict[str, Any] = Field(description="How well the model explains the KPI: r2, nrmse, cv_nrmse, family, ...")
    reallocation: MixPlan | None = Field(description="The same budget over days like these; null with one channel.")
    lift_tests: list[dict[str, Any]] = Field(description="The experiments that calibrated it.")


class MixSummary(MixVersionAbout):
    """A version in short."""

    channels: list[MixSum]


class MixVersions(Shown):
    """The last versions of a series, the newest first, all in one page."""

    versions: list[MixSummary]
    next_token: NextToken = None


class MixLookShown(Shown):
    """What the last look at a table came to."""

    currency: str
    table: str
    kpi: str
    result: str = Field(description="fitted, unchanged, not_ready (the gates stopped the table), not_fitted, outdated.")
    reason: str = Field(description="Why there is no new version, and what to do about it; else empty.")
    version: int = Field(description="The newest version then; 0 without any.")
    at: Instant
    run_id: RunId


class MixPlanAnswer(MixPlan):
    """A reallocation, and the version that it rests on."""

    currency: str
    table: str
    kpi: str
    version: int
    as_of: Instant
    warnings: list[str]


class MixSeriesQuery(Given):
    """Which series, where there are several."""

    currency: str = Field(default="", max_length=3)
    table: str = Field(default="", max_length=limits.MAX_WORD_CHARS, description=_TABLE)
    kpi: str = Field(default="", max_length=limits.MAX_WORD_CHARS, description="revenue, conversions or an own one.")


class MixBounds(Given):
    """The least and the most of a channel over the days; what is left out is half and one and a half of now."""

    least: Amount | None = None
    most: Amount | None = None


class BudgetForm(MixSeriesQuery):
    """A budget."""

    days: int | None = Field(
        None,
        ge=1,
        le=limits.MAX_PLANNED_DAYS,
        strict=True,
        description="For so many days; without it as many as fitted.",
    )
    budget: Amount | None = Field(None, description="In the series' currency; without it what is spent now.")
    bounds: dict[str, MixBounds] = Field(
        default={}, max_length=limits.MAX_MIX_CHANNELS, description="By channel: the least and the most that it gets."
    )


Asked = Annotated[MixSeriesQuery, Query()]
media_mix = Resource("Media mix", "What each channel brought, with intervals, and where a budget brings more")
_ACCOUNT, _CAMPAIGN = "/api/v1/accounts/{account_id}/mmm", "/api/v1/campaigns/{campaign_id}/mmm"


def _is(model: type[Any]) -> Callable[[], dict[str, Any]]:
    return lambda: {"application/json": {"model": model}}


_READ: dict[str, Any] = {"limited": True, "errors": (404, 422)}


@media_mix.route("GET", f"{_ACCOUNT}/versions", "List the versions of coefficients", content=_is(MixVersions), **_READ)
def list_account_versions(app: Here, account_id: AccountPath, asked: Asked) -> Answer:
    """What each channel brought as earlier fits had it. A series keeps its last 60 versions for 400 days."""
    return _versions(app, app.catalog.account(account_id).account_id, asked)


@media_mix.route(
    "GET", f"{_ACCOUNT}/versions/{{version}}", "Show a version of coefficients", content=_is(MixVersion), **_READ
)
def show_account_version(app: Here, account_id: AccountPath, version: VersionPath, asked: Asked) -> Answer:
    """As it was published, with its curves."""
    return _version(app, app.catalog.account(account_id).account_id, asked, version)


@media_mix.route(
    "POST", f"{_ACCOUNT}/reallocation", "Distribute a budget over channels", content=_is(MixPlanAnswer), **_READ
)
def reallocate_account(app: Here, account_id: AccountPath, body: BudgetForm) -> Answer:
    """So that it brings the most by the newest version, within bounds; with the gain and its interval. It stores and
    changes nothing."""
    return _reallocated(app, app.catalog.account(account_id).account_id, body)


@media_mix.route("GET", f"{_CAMPAIGN}/versions", "List a campaign's versions", content=_is(MixVersions), **_READ)
def list_campaign_versions(app: Here, campaign_id: CampaignPath, asked: Asked) -> Answer:
    """As of an account, for the campaign alone."""
    return _versions(app, app.catalog.campaign(campaign_id).campaign_id, asked)


@media_mix.route(
    "GET", f"{_CAMPAIGN}/versions/{{version}}", "Show a campaign's version", content=_is(MixVersion), **_READ
)
def show_campaign_version(app: Here, campaign_id: CampaignPath, version: VersionPath, asked: Asked) -> Answer:
    """As it was published, with its curves."""
    return _version(app, app.catalog.campaign(campaign_id).campaign_id, asked, version)


@media_mix.route(
    "POST", f"{_CAMPAIGN}/reallocation", "Distribute a campaign's budget", content=_is(MixPlanAnswer), **_READ
)
def reallocate_campaign(app: Here, campaign_id: CampaignPath, body: BudgetForm) -> Answer:
    """As of an account, for the campaign alone."""
    return _reallocated(app, app.catalog.campaign(campaign_id).campaign_id, body)


def coefficients_of(app: App, subject: str) -> dict[str, Any]:
    """The newest coefficients of a client or campaign, and what the last looks at its datasets came to."""
    from adweir.insight.mmm.shown import shown_looks, shown_version

    store = app.findings.mix
    return {
        "coefficients": [shown_version(each) for each in store.latest(subject)],
        "looks": shown_looks(store.looks(subject)),
    }


def _versions(app: App, subject: str, asked: MixSeriesQuery) -> Answer:
    from adweir.insight.mmm.shown import series_of, shown_summary

    store = app.findings.mix
    found = store.versions(series_of(store, subject, _series(asked)).of)
    return answer({"versions": [shown_summary(each) for each in found], "next_token": None})


def _version(app: App, subject: str, asked: MixSeriesQuery, version: int) -> Answer:
    from adweir.insight.mmm.shown import shown_version, version_of

    return answer(shown_version(version_of(app.findings.mix, subject, _series(asked), version)))


def _reallocated(app: App, subject: str, body: BudgetForm) -> Answer:
    from adweir.insight.mmm.budget import SpendBounds
    from adweir.insight.mmm.shown import BudgetAsked, reallocated, series_of

    store = app.findings.mix
    bounds = {name: SpendBounds(each.least, each.most) for name, each in body.bounds.items()}
    found = series_of(store, subject, _series(body))
    return answer(reallocated(store, found, BudgetAsked(body.days, body.budget, bounds)))


def _series(asked: MixSeriesQuery) -> Any:
    from adweir.insight.mmm.shown import SeriesAsked

    return SeriesAsked(asked.currency.upper(), asked.table, asked.kpi)
