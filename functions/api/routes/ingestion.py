"""Starting work: syncs and backfills. The answer is the run's id; the work continues in the background."""

from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, StringConstraints, model_validator

from adweir.model import limits
from adweir.model.messages import Scope
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.accounts import only_account
from routes.fields import Day, Given, PlatformName, StartedRun

Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_PATH_ID_CHARS)]


class BackfillRequest(Given):
    """The days to pull where they were never pulled."""

    account_id: Name = Field(
        default="",
        min_length=0,
        description="A client company or an ad account, by id; may be left out where there is only one client.",
    )
    platforms: Annotated[list[PlatformName], Field(max_length=limits.MAX_SCOPE_NAMES)] = Field(
        default=[], description="None means all."
    )
    start: Day = Field(description="The first day, in each ad account's time zone.")
    end: Day = Field(description="The last day, inclusive.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start > self.end:
            raise ValueError("start is after end")
        return self


ingestion = Resource("Ingestion", "Pulling from the platforms, now")
EitherAccountPath = Annotated[
    str, Path(description="A client company's id, acc_…, or an ad account's id on its platform.")
]


@ingestion.route("POST", "/api/v1/ingestion/sync-all", "Sync all accounts", scope="write", status=202)
def sync_all(app: Here) -> StartedRun:
    """Pulls the ad accounts, then the campaigns, ad groups, ads, keywords and metrics of each."""
    return start(app, "sync", Scope())


@ingestion.route(
    "POST", "/api/v1/ingestion/sync-account/{account_id}", "Sync one account", limited=True, scope="write", status=202
)
def sync_account(app: Here, caller: Caller, account_id: EitherAccountPath) -> StartedRun:
    """Pulls the account's ad accounts, then the campaigns, ad groups, ads, keywords and metrics of each."""
    from adweir.pipeline.scopes import account_scope

    scope = account_scope(app.catalog, account_id)
    run = start(app, "sync", scope)
    _note(app, caller, "sync account", account_id, run, scope)
    return run


@ingestion.route(
    "POST",
    "/api/v1/ingestion/backfill",
    "Pull days that were never pulled",
    limited=True,
    scope="write",
    status=202,
    errors=(404,),
)
def backfill(app: Here, caller: Caller, asked: BackfillRequest) -> StartedRun:
    from adweir.pipeline.scopes import account_scope, check_scope
    from adweir.pipeline.workflows import workflow

    scope = account_scope(app.catalog, asked.account_id or only_account(app))
    days = {"start": asked.start.isoformat(), "end": asked.end.isoformat()}
    platforms = tuple(app.platforms.parse(name) for name in asked.platforms)
    scope = scope.model_copy(update=days | ({"platforms": platforms} if platforms else {}))
    check_scope(app.platforms, workflow("backfill"), scope, app.clock.now().date())
    run = start(app, "backfill", scope)
    _note(app, caller, "backfill", asked.account_id or scope.only_account, run, scope)
    return run


def _note(app: App, caller: str, action: str, subject: str, run: StartedRun, scope: Scope) -> None:
    """Record what was begun for a client account, which the caller may have named by an ad account's id."""
    note_change(app, caller, action, subject, f"run_id {run.run_id}", kind="run", account_id=scope.only_account)


def start(app: App, workflow: str, scope: Scope, args: dict[str, Any] | None = None) -> StartedRun:
    """Ask for a run. The id is ours, so that the caller can follow it, or that of the open run that it joins."""
    from adweir.pipeline.starting import ask_for, started_now

    message = started_now(workflow, scope, app.clock.now(), app.new_id, args)
    return StartedRun(run_id=ask_for(app.ledger, app.queues.runs, message))
