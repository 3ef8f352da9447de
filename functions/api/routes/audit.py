"""The audit: what was changed, and by whom."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from adweir.model import limits
from adweir.runtime.routes import Here, Resource
from routes.fields import PAGE_ITEMS, Given, Instant, Limit, NextToken, PageToken, PastInstant, Shown, moment_of


class AuditQuery(Given):
    """Which deeds; what is left out leaves none out."""

    account_id: str = Field(default="", max_length=limits.MAX_PATH_ID_CHARS)
    who: str = Field(default="", max_length=limits.MAX_PATH_ID_CHARS)
    kind: str = Field(default="", max_length=limits.MAX_WORD_CHARS)
    since: PastInstant | None = None
    until: PastInstant | None = None


class FieldChangeAnswer(Shown):
    """A field before and after."""

    field: str
    before: str | None
    after: str | None


class DeedAnswer(Shown):
    """Something that was changed."""

    at: Instant
    who: str = Field(description="An API key's id, `cli:<user>`, or the function that did it by itself.")
    kind: str = Field(description="What was changed.", examples=["job", "brake", "run"])
    action: str = Field(examples=["release brake"])
    subject: str = Field(description="What it was done to.")
    account_id: str = Field(description="Whose it is; empty for none or several.")
    reason: str = Field(description="Why, in the words of who did it.")
    outcome: str
    changes: list[FieldChangeAnswer]
    request_id: str = Field(description="Of the request or invocation that did it; empty for the command line.")


class DeedList(Shown):
    """One page of what was changed, newest first; it may have fewer than `limit`, and even none, before the last."""

    deeds: list[DeedAnswer]
    next_token: NextToken


audit = Resource("Audit", "What was changed, and by whom")


@audit.route("GET", "/api/v1/audit", "List what was changed, newest first")
def list_deeds(
    app: Here, asked: Annotated[AuditQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> DeedList:
    """Of the last 90 days: each request that changed something, what the command line changed, and what the system did
    by itself. Of a request it has the names of the fields, and values where they cannot be secrets."""
    from adweir.model.deeds import Wanted

    since, until = (
        moment_of(text, name) if text else None for name, text in (("since", asked.since), ("until", asked.until))
    )
    wanted = Wanted(asked.account_id, asked.who, asked.kind, since, until)
    found, following = app.ledger.audit.page(limit, next_token, wanted)
    return DeedList(deeds=[DeedAnswer.of(deed) for deed in found], next_token=following or None)
