"""Making media-mix datasets and their coefficients now, of one campaign, one client or all."""

from typing import Annotated

from pydantic import Field

from adweir.model import limits
from adweir.model.messages import Scope
from adweir.model.runs import REFRESH
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.campaigns import CampaignPath
from routes.fields import AccountPath, Given, StartedRun
from routes.ingestion import start


class MixRequest(Given):
    """Which days. A dataset of the last days lies beside that of all days, in a folder of its own."""

    lookback_days: Annotated[int, Field(ge=0, le=limits.MAX_MIX_DAYS, examples=[365])] = Field(
        default=0, description="So many days before each ad account's today; 0: all, up to three years."
    )


etl = Resource("Media-mix runs", "Media-mix datasets and coefficients, now")


@etl.route("POST", "/api/v1/etl", "Build the media-mix datasets of all accounts", scope="write", status=202)
def build_datasets(app: Here, caller: Caller, asked: MixRequest | None = None) -> StartedRun:
    """A run of the workflow `refresh`, which scores the days that changed, too."""
    return _begin(app, caller, Scope(), asked)


@etl.route(
    "POST",
    "/api/v1/accounts/{account_id}/etl",
    "Build the media-mix datasets of an account",
    limited=True,
    scope="write",
    status=202,
)
def build_account_datasets(
    app: Here, caller: Caller, account_id: AccountPath, asked: MixRequest | None = None
) -> StartedRun:
    """A run of the workflow `refresh`, which scores the days that changed, too."""
    return _begin(app, caller, Scope(accounts=(app.catalog.account(account_id).account_id,)), asked)


@etl.route(
    "POST",
    "/api/v1/accounts/{account_id}/mmm",
    "Build the media mix of an account",
    limited=True,
    scope="write",
    status=202,
)
def build_account_mix(
    app: Here, caller: Caller, account_id: AccountPath, asked: MixRequest | None = None
) -> StartedRun:
    """The same as `POST /api/v1/accounts/{account_id}/etl`."""
    return build_account_datasets(app, caller, account_id, asked)


@etl.route(
    "POST",
    "/api/v1/campaigns/{campaign_id}/etl",
    "Build the media-mix datasets of a campaign",
    limited=True,
    scope="write",
    status=202,
)
def build_campaign_datasets(
    app: Here, caller: Caller, campaign_id: CampaignPath, asked: MixRequest | None = None
) -> StartedRun:
    """Of what the campaign is bound to, on all platforms: a run of the workflow `refresh` of its account, in which the
    stage `etl` makes the campaign's datasets alone."""
    campaign = app.catalog.campaign(campaign_id)
    return _begin(app, caller, Scope(accounts=(campaign.account_id,), campaign=campaign.campaign_id), asked)


def _begin(app: App, caller: str, scope: Scope, asked: MixRequest | None) -> StartedRun:
    days = asked.lookback_days if asked else 0
    run = start(app, REFRESH, scope.model_copy(update={"mix_days": days}))
    subject, account_id = scope.campaign or scope.only_account, scope.only_account
    note_change(app, caller, "build datasets", subject, f"run_id {run.run_id}", kind="run", account_id=account_id)
    return run
