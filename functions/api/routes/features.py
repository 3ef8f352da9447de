"""Features: of ads and ad accounts, as they were recorded last, and of the series of media-mix datasets."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.campaigns import CampaignPath
from routes.datasets import DatasetFiles, link_files
from routes.fields import PAGE_ITEMS, AccountPath, Exact, Given, Instant, Limit, NextToken, PageToken, Shown

Values = dict[str, Exact | None]


class MixSeasonality(Shown):
    """The weekly pattern of days."""

    strength: Exact = Field(description="From 0 to 1.")
    is_seasonal: bool = Field(description="Whether noise would hardly be so strong.")
    weekdays: list[Exact] = Field(description="Deviations from the level, Monday first.")


class MixTrend(Shown):
    """A trend, and the test of it, which survives autocorrelation."""

    slope: Exact = Field(description="Per period (Theil-Sen).")
    p_value: Exact = Field(description="Of no trend (Mann-Kendall).")
    inflation: Exact = Field(description="By how much autocorrelation inflates the test's variance.")
    direction: str = Field(description="up, down or none.")


class MixVariation(Shown):
    """How much a series varies."""

    mean: Exact
    deviation: Exact
    cv: Exact | None = Field(description="The deviation as a part of the mean.")
    rolling_cv: Exact | None = Field(description="The median of that over 28 periods.")
    mad: Exact
    overdispersion: Exact | None = Field(description="1 of a Poisson count.")


class MixFacts(Shown):
    """What a series is like."""

    seasonality: MixSeasonality | None = Field(description="null of weeks, and of fewer than 28 days.")
    trend: MixTrend | None = Field(description="null of fewer than 8 periods.")
    variation: MixVariation


class MixKpiFacts(MixFacts):
    """What the KPI is like."""

    name: str = Field(examples=["revenue"])


class MixChannelFacts(Shown):
    """What the series of a channel are like."""

    channel: str = Field(examples=["google_ads"])
    share_of_spend: Exact
    spend: MixFacts
    exposure: MixFacts


class MixPeriod(Shown):
    """What a period has; null where a value would need periods before the first."""

    time: str = Field(description="The day, or the Monday of the week.", examples=["2026-11-16"])
    channel: Values = Field(description="Of the channel: lags, rolling means, adstock, saturation, share, ...")
    kpi: Values = Field(description="Lags and rolling means of the KPI.")
    calendar: Values = Field(description="Sines and cosines of the weekday and the day of the year.")


class MixFeatures(Shown):
    """The features of a table."""

    campaign_id: str | None
    currency: str
    table: str
    first: str
    last: str
    definitions: dict[str, Any] = Field(description="What the columns are made with.")
    kpi: MixKpiFacts
    channels: list[MixChannelFacts]
    periods: list[MixPeriod] = Field(description="Of the channel that is asked for; else empty.")
    files: DatasetFiles = Field(description="All channels' columns.")


class FeaturesQuery(Given):
    """Which table, and of which channel the periods are shown."""

    currency: str = Field(default="", max_length=3, description="Needed where there are datasets of several.")
    table: str = Field(
        default="daily",
        max_length=limits.MAX_WORD_CHARS,
        description="daily or weekly; of the last 90 days alone days=90/daily.",
    )
    channel: str = Field(
        default="", max_length=limits.MAX_WORD_CHARS, description="Show each period of it, of the KPI and the calendar."
    )


Asked = Annotated[FeaturesQuery, Query()]
features = Resource("Features", "What ads, ad accounts and the series of a media mix are like, for models of one's own")
_CONTENT: dict[str, Any] = {
    "limited": True,
    "errors": (404, 422),
    "content": lambda: {"application/json": {"model": MixFeatures}},
}


@features.route("GET", "/api/v1/accounts/{account_id}/mmm/features", "Show the features of an account", **_CONTENT)
def show_account_features(app: Here, account_id: AccountPath, asked: Asked) -> Answer:
    """Seasonality, trend and variation of each channel and of the KPI; with `channel`, the lags, rolling means, adstock
    and saturation of each period."""
    return _shown(app, app.catalog.account(account_id).account_id, "", asked)


@features.route("GET", "/api/v1/campaigns/{campaign_id}/mmm/features", "Show the features of a campaign", **_CONTENT)
def show_campaign_features(app: Here, campaign_id: CampaignPath, asked: Asked) -> Answer:
    """As of an account, for the campaign alone: of the dataset that `POST .../etl` made of it."""
    campaign = app.catalog.campaign(campaign_id)
    return _shown(app, campaign.account_id, campaign.campaign_id, asked)


def _shown(app: App, account_id: str, campaign_id: str, asked: FeaturesQuery) -> Answer:
    from adweir.insight.mmm.featured import FeaturesAsked, featured

    wanted = FeaturesAsked(asked.currency.upper(), asked.table, asked.channel)
    found = featured(app.raw, account_id, campaign_id, wanted)
    link_files(app, found["files"])
    return answer(found)


def _list_content() -> dict[str, Any]:
    """The description of a page of rows, made of the dictionary of columns when somebody asks for it."""
    from pydantic import create_model

    from adweir.model import feature_columns as columns

    kinds: dict[str, Any] = {columns.COUNT: int, columns.SMALL: int, columns.MONEY: Exact, columns.RATIO: Exact}
    kinds |= {columns.FLAG: bool, columns.MOMENT: Instant, columns.TEXT: str, columns.DAY: str}
    fields: dict[str, Any] = {
        name: (
            kinds[each.kind] | None if each.nulls else kinds[each.kind],
            Field(description=f"{each.about[0].upper()}{each.about[1:]}.{each.nulls and f' null: {each.nulls}.'}"),
        )
        for name, each in columns.COLUMNS.items()
    }
    row = create_model("RecordedFeatures", __base__=Shown, __doc__="A row of an ad or an ad account.", **fields)
    page: Any = create_model(
        "FeatureList",
        __base__=Shown,
        __doc__="One page of rows.",
        features=(list[row], ...),
        next_token=(NextToken, ...),
    )
    return {"application/json": {"model": page}}


_Word = Annotated[str, StringConstraints(max_length=limits.MAX_PATH_ID_CHARS)]


class RecordedQuery(Given):
    """Whose rows. Each field leaves the others out."""

    account_id: _Word = Field(default="", description="Of this client company, acc_….")
    platform: _Word = Field(default="", description="Of its ad accounts on this platform.")
    profile_id: _Word = Field(default="", description="Of this ad account, as its platform shows it.")
    level: Literal["", "account", "ad"] = Field(default="", description="Of ad accounts alone, or of ads alone.")
    campaign_id: _Word = Field(default="", description="Of the ads of this campaign of the platform.")
    ad_id: _Word = Field(default="", description="Of this ad.")
    limit: Limit = PAGE_ITEMS
    next_token: PageToken = ""


@features.route(
    "GET",
    "/api/v1/features",
    "List the features of ads and ad accounts",
    limited=True,
    errors=(400, 422),
    content=_list_content,
)
def list_features(app: Here, asked: Annotated[RecordedQuery, Query()]) -> Answer:
    """The newest row of each, with the moment `as_of` at which its days were read; stages of the kind `features` record
    them. All rows that there ever were are in the table `features` of SQL. A page may be short, also empty, where
    others follow."""
    from adweir.insight.ad_features.shown import FeatureFilter, FeaturePages, shown_row

    platform = asked.platform and str(app.queries.parse_platform(asked.platform))
    whose = (asked.account_id, platform, asked.profile_id)
    only = FeatureFilter(*whose, asked.level, asked.campaign_id, asked.ad_id)
    rows, token = FeaturePages(app.catalog, app.findings.features).page(only, asked.limit, asked.next_token)
    return answer({"features": [shown_row(row) for row in rows], "next_token": token or None})
