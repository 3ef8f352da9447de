"""The API log: requests to this API, and the calls that it makes of platforms."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.runtime.routes import Here, Resource
from routes.fields import (
    PAGE_ITEMS,
    Given,
    Instant,
    NextToken,
    OneOf,
    PageToken,
    PastInstant,
    PlatformName,
    RunId,
    Shown,
    moment_of,
)

if TYPE_CHECKING:
    from adweir.model.calls import ApiCall

_WITHOUT_SINCE = timedelta(days=1)


class CallsQuery(Given):
    """Which calls; what is left out leaves none out."""

    platform: PlatformName = ""
    success: bool | None = None
    since: PastInstant | None = Field(default=None, description="Without it a day before `until`.")
    until: PastInstant | None = None
    direction: Annotated[str, OneOf("inbound", "outbound")] = ""
    request_id: str = Field(default="", max_length=limits.MAX_PATH_ID_CHARS)
    task_id: str = Field(default="", max_length=limits.MAX_PATH_ID_CHARS)


class CallAnswer(Shown):
    """A call, without secrets."""

    timestamp: Instant
    direction: str = Field(description="inbound: a request to this API; outbound: one to a platform.")
    platform: str | None = Field(description="Null for a request to this API.")
    endpoint: str
    method: str
    status_code: int | None = Field(description="Null where no answer came.")
    response_time: float = Field(description="Seconds.")
    success: bool
    error_message: str | None
    request_data: str | None = Field(description="The query and the body: at most 2 kB, REDACTED in place of secrets.")
    response_data: str | None
    request_id: str | None = Field(description="The request's, or the invocation's that made the call.")
    key_id: str | None
    account_id: str | None
    profile_id: str | None
    run_id: RunId | None
    task_id: str | None


class CallList(Shown):
    """One page of calls, newest first; it may have fewer than `limit`, and even none, before the last."""

    api_logs: list[CallAnswer]
    next_token: NextToken


CallLimit = Annotated[int, Query(ge=1, le=limits.MAX_CALLS_SHOWN, description="The most calls to return.")]
api_logs = Resource("API log", "Requests to this API, and the calls that it makes of platforms")


@api_logs.route("GET", "/api/v1/api-logs", "List calls, newest first")
def list_api_logs(
    app: Here, asked: Annotated[CallsQuery, Query()], limit: CallLimit = PAGE_ITEMS, next_token: PageToken = ""
) -> CallList:
    """Each request of a key, and each try of a request to a platform; those of one invocation come together.

    Bodies that are secrets or about persons as a whole have the names of their fields only.
    """
    from adweir.model.calls import INBOUND, OUTBOUND, CallsWanted

    if asked.direction not in {"", INBOUND, OUTBOUND}:
        message = f"is neither {INBOUND} nor {OUTBOUND}"
        raise Unprocessable(f"direction {message}", [{"field": "direction", "message": message}])
    now = app.clock.now()
    until = moment_of(asked.until, "until") if asked.until else now
    since = moment_of(asked.since, "since") if asked.since else until - _WITHOUT_SINCE
    if since > until:
        raise Unprocessable("since is after until", [{"field": "since", "message": "is after until"}])
    oldest = now - timedelta(days=app.settings.call_log_days + 1)
    platform = app.platforms.parse(asked.platform) if asked.platform else ""
    wanted = CallsWanted(
        max(since, oldest),
        min(until, now),
        platform,
        asked.success,
        asked.direction,
        asked.request_id,
        asked.task_id,
    )
    calls, following = app.ledger.api_log.page(limit, next_token, wanted, list(app.platforms))
    return CallList(api_logs=[_shown(call) for call in calls], next_token=following or None)


def _shown(call: "ApiCall") -> CallAnswer:
    """What is empty is not known, and null."""
    return CallAnswer.of({name: None if value == "" else value for name, value in call._asdict().items()})
